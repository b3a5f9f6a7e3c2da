/**
 * Versions as age files: the owner's header, or one for another recipient, before the payload as it is
 * stored. Reads each whole through the opener, so that chunk hashes, signed root and every chunk's
 * authenticity are checked on the way; must not leave a file that does not open.
 */
import { open, rename, rm, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import type { StoredVersion } from '../../protocol/api.js'
import { decodeBase64Url } from '../../protocol/bytes.js'
import { openDeck, type OpenedHeader, type PayloadSource } from '../../protocol/deck/deck.js'
import { wrapFileKey } from '../../protocol/deck/header.js'
import type { Recipient } from '../../protocol/deck/identity.js'
import { openOwnVersion, signedRecordOf } from '../../protocol/deck/own-version.js'
import { ageFileName } from '../../protocol/deck/way-out.js'
import { wipe } from '../../protocol/sodium.js'
import { Refused, type Terminal } from '../command.js'
import type { OwnDocument, OwnVault } from './own-vault.js'
import type { Owner } from './owner.js'
import type { Line } from './line.js'
import { hashNatively } from './seal-upload.js'

export interface SavedVersion {
  readonly versionId: string
  readonly fileName: string
  readonly record: Uint8Array
  readonly signature: Uint8Array
}

interface Place {
  readonly folder: string
  /** `null`: the owner's own header, as it is stored. */
  readonly recipient: Recipient | null
}

/** Every version of every document, oldest first. @throws ProtocolError for what does not verify. */
export async function saveVersions(
  owner: Owner, vault: OwnVault, place: Place, terminal: Terminal,
): Promise<SavedVersion[]> {
  const saved: SavedVersion[] = []
  for (const [index, document] of vault.documents.entries()) {
    for (const version of document.versions) {
      const fileName = ageFileName({
        documentNumber: index + 1, documentName: document.name, part: version.part,
        version: version.version,
      })
      if (terminal.isWatched) terminal.err(`${fileName}: ${version.payloadLength} bytes`)
      await saveVersion(owner, { vault, document, version }, { ...place, fileName })
      const { bytes: record, signature } = signedRecordOf(version)
      saved.push({ versionId: version.versionId, fileName, record, signature })
    }
  }
  return saved
}

interface VersionOf {
  readonly vault: OwnVault, readonly document: OwnDocument, readonly version: StoredVersion,
}

async function saveVersion(
  owner: Owner, of: VersionOf, place: Place & { fileName: string },
): Promise<void> {
  const opened = openOwn(owner, of)
  try {
    await writeVersion(owner.line, of.version, opened, place)
  } finally {
    wipe(opened.fileKey)
  }
}

async function writeVersion(
  line: Line, version: StoredVersion, opened: OpenedHeader,
  { folder, fileName, recipient }: Place & { fileName: string },
): Promise<void> {
  const header = recipient === null
    ? decodeBase64Url(version.ownerHeader)
    : wrapFileKey(opened.fileKey, recipient)
  const path = join(folder, fileName)
  const file = await open(`${path}.part`, 'wx', 0o600)
  try {
    await writeAll(file, header, 0)
    await copyPayload(line, version.versionId, opened, { file, start: header.length })
    await file.sync()
    await rename(`${path}.part`, path)
  } catch (error) {
    await rm(`${path}.part`, { force: true })
    throw error
  } finally {
    await file.close()
  }
}

/** Record, chain, header and key commitment are hers, or this throws. */
function openOwn(owner: Owner, { vault, document, version }: VersionOf): OpenedHeader {
  const previous = document.versions
    .filter((one) => one.part === version.part && one.version < version.version)
    .map(signedRecordOf)
  return openOwnVersion(owner, vault.vaultId, { version, previous })
}

/** A write may take less than it was given. @throws Refused if it takes nothing. */
export async function writeAll(
  file: Pick<FileHandle, 'write'>, bytes: Uint8Array, position: number,
): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    const { bytesWritten } = await file.write(bytes, done, bytes.length - done, position + done)
    if (bytesWritten === 0) throw new Refused('the disk takes no more')
    done += bytesWritten
  }
}

interface Target { readonly file: FileHandle, readonly start: number }

/** What is fetched to be opened is what is written; each byte once, a few MiB in memory. */
async function copyPayload(
  line: Line, versionId: string, { record, fileKey }: OpenedHeader, target: Target,
): Promise<void> {
  await writeAll(target.file, record.nonce, target.start)
  const source: PayloadSource = {
    readHashList: () => line.bytes({ method: 'GET', path: `/api/versions/${versionId}/hash-list` }),
    async readPayload(start, end) {
      const bytes = await line.payload(versionId, { start, end })
      await writeAll(target.file, bytes, target.start + start)
      return bytes
    },
  }
  const reader = await openDeck({ record, fileKey, source, hash: hashNatively })
  try {
    for await (const stretch of reader.stretches()) wipe(stretch)
  } finally {
    reader.close()
  }
}
