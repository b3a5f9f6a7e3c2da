// The public age test kit, read in every manner; the same code runs in Node and in a browser.
import { scrypt as nobleScrypt } from '@noble/hashes/scrypt.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { decodeHex, decodeUtf8, encodeHex } from '../../../protocol/bytes.js'
import { AgeReader } from '../../../protocol/deck/age-file.js'
import { parseIdentity } from '../../../protocol/deck/identity.js'
import { identityUnwrapper, passphraseUnwrapper } from '../../../protocol/deck/stanza.js'
import type { Scrypt, Unwrapper } from '../../../protocol/deck/stanza.js'
import { ProtocolError } from '../../../protocol/errors.js'
import type { ProtocolErrorCode } from '../../../protocol/errors.js'

/** What the kit calls each failure, in our codes. */
export const FAILURES: Readonly<Record<string, readonly ProtocolErrorCode[]>> = {
  'no match': ['wrong-header'],
  'HMAC failure': ['bad-header-mac'],
  'header failure': [
    'malformed-header', 'malformed-stanza', 'unsupported-version', 'header-too-large',
  ],
  'payload failure': ['bad-chunk', 'truncated-payload', 'trailing-data'],
  'armor failure': ['malformed-armor'],
}

export interface Vector {
  readonly expect: string
  readonly isArmored: boolean
  readonly payloadSha256: string | undefined
  readonly fileKey: Uint8Array<ArrayBuffer> | null
  readonly unwrappers: readonly Unwrapper[]
  readonly file: Uint8Array
}

const scrypt: Scrypt = (passphrase, salt, logN) =>
  nobleScrypt(passphrase, salt, { N: 2 ** logN, r: 8, p: 1, dkLen: 32 })

const LINE_FEED = 0x0a

/** @param inflate - undoes zlib: Node's, or the browser's. */
export async function parseVector(
  bytes: Uint8Array, inflate: (packed: Uint8Array) => Promise<Uint8Array>,
): Promise<Vector> {
  const end = bytes.findIndex((byte, index) => byte === LINE_FEED && bytes[index + 1] === LINE_FEED)
  const fields = decodeUtf8(bytes.subarray(0, end)).split('\n')
    .map((line): [string, string] => [line.split(': ', 1)[0] ?? '', line.slice(line.indexOf(': ') + 2)])
  const valuesOf = (key: string) => fields.flatMap(([name, value]) => name === key ? [value] : [])
  const [expect = ''] = valuesOf('expect')
  const body = bytes.subarray(end + 2)
  const [fileKey] = valuesOf('file key')
  return {
    expect,
    isArmored: valuesOf('armored')[0] === 'yes',
    payloadSha256: valuesOf('payload')[0],
    fileKey: fileKey === undefined ? null : decodeHex(fileKey),
    unwrappers: [
      ...valuesOf('identity').map((text) => identityUnwrapper(parseIdentity(text))),
      ...valuesOf('passphrase').map((text) => passphraseUnwrapper(text, scrypt)),
    ],
    file: valuesOf('compressed')[0] === 'zlib' ? await inflate(body) : body,
  }
}

export function * inPieces(bytes: Uint8Array, sizes: readonly number[]): Generator<Uint8Array> {
  let turn = 0
  for (let offset = 0; offset < bytes.length;) {
    const size = sizes[turn++ % sizes.length] ?? 1
    yield bytes.subarray(offset, offset + size)
    offset += size
  }
}

export const WHOLE = [Number.MAX_SAFE_INTEGER]
export const MANNERS: Readonly<Record<string, readonly number[]>> = {
  whole: WHOLE,
  'in pieces': [1, 7, 4096, 65552, 3, 65551],
  'byte by byte': [1],
}

export interface Outcome {
  readonly code: ProtocolErrorCode | null
  readonly releasedSha256: string
  readonly releasedSize: number
  readonly reader: AgeReader
}

export function readVector(vector: Vector, sizes: readonly number[]): Outcome {
  const reader = new AgeReader(vector.unwrappers, { isArmored: vector.isArmored })
  const released = sha256.create()
  let releasedSize = 0
  let code: ProtocolErrorCode | null = null
  const release = (plaintext: Uint8Array) => {
    released.update(plaintext)
    releasedSize += plaintext.length
  }
  try {
    for (const piece of inPieces(vector.file, sizes)) {
      for (const plaintext of reader.push(piece)) release(plaintext)
    }
    release(reader.end())
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error
    code = error.code
  }
  return { code, releasedSha256: encodeHex(released.digest()), releasedSize, reader }
}

/** What is wrong with an outcome, or `null`. */
export function findFault(vector: Vector, outcome: Outcome): string | null {
  const { code, releasedSha256, releasedSize } = outcome
  const isExpected = vector.expect === 'success'
    ? code === null
    : (FAILURES[vector.expect] ?? []).some((expected) => expected === code)
  if (!isExpected) return `${code ?? 'success'} instead of ${vector.expect}`
  if (vector.payloadSha256 === undefined) {
    return releasedSize === 0 ? null : `${releasedSize} bytes released instead of none`
  }
  return releasedSha256 === vector.payloadSha256 ? null : 'other bytes released than allowed'
}
