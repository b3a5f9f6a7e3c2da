/**
 * The list of a pack's files with their hashes, in the form that `sha256sum -c` reads (SPEC.md § 12).
 * Pure. Shows that a file is as it was when the pack was made; must not be taken for a signature.
 *
 *   <SHA-256, lower-case hex>  <name>\n
 */
import { decodeUtf8, encodeHex, encodeUtf8 } from '../bytes.js'
import { ProtocolError } from '../errors.js'
import { sha256 } from '../hash.js'
import { MAX_PACK_FILE_COUNT } from '../limits.js'
import type { PackFile } from './zip.js'

export const CHECKSUMS_NAME = 'SHA256SUMS'

/** Over all files but itself, in their order. */
export function checksumsOf(files: readonly PackFile[]): PackFile {
  const lines = files.map(({ name, bytes }) => `${encodeHex(sha256(bytes))}  ${name}\n`)
  return { name: CHECKSUMS_NAME, bytes: encodeUtf8(lines.join('')) }
}

/**
 * Hash by name.
 * @throws ProtocolError `malformed-pack` unless it is a list as `checksumsOf` writes it.
 */
export function parseChecksums(bytes: Uint8Array): ReadonlyMap<string, string> {
  const lines = decodeUtf8(bytes).split('\n')
  if (lines.pop() !== '' || lines.length > MAX_PACK_FILE_COUNT) throw malformed()
  const sums = new Map(lines.map((line) => {
    const [, sum, name] = /^([0-9a-f]{64}) {2}(.+)$/.exec(line) ?? []
    if (sum === undefined || name === undefined) throw malformed()
    return [name, sum]
  }))
  if (sums.size !== lines.length) throw malformed()
  return sums
}

function malformed(): ProtocolError {
  return new ProtocolError('malformed-pack', `${CHECKSUMS_NAME} is not as it was written`)
}
