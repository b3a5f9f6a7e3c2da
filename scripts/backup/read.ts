/**
 * Puts a snapshot back: first everything is checked, then the bucket is filled, then the database, whose head
 * comes last. Never overwrites or deletes a file of a published log.
 *
 * [Note: No rolling back] The bucket's checkpoint says what has been published; people hold receipts for it. A
 * snapshot that ends before it would take entries away, so it is refused, or, where the rows are all that
 * is left, put back *behind* the log: then no server starts on it until `admin fsck --repair` has brought
 * the missing entries back from the published files.
 *
 * [Note: Bucket first] A crash in between leaves a database that ends before the published checkpoint, on which
 * no server starts; doing it again finishes it.
 */
import { join } from 'node:path'
import {
  countRows, insertCopies, listMigrations, listTables, OBJECTS_NAME, restartSequences,
} from '../../db/queries/copy.js'
import type { Owner } from '../../db/client.js'
import { decodeUtf8, equalBytes } from '../../protocol/bytes.js'
import { ProtocolError } from '../../protocol/errors.js'
import { parseCheckpoint, type Checkpoint } from '../../protocol/log/checkpoint.js'
import { buildConsistencyProof, consistencyNodes, verifyConsistency } from '../../protocol/log/merkle.js'
import { formatVkey, verifyNote, type NoteKey } from '../../protocol/log/note.js'
import { listLinkedKeys } from '../../protocol/log/rotation.js'
import { CHECKPOINT_PATH, readNodes } from '../../protocol/log/tile.js'
import type { Bucket } from '../../server/bucket.js'
import { findStatedEnd } from '../../server/border.js'
import { logPrefix } from '../../server/keys.js'
import { openFolderBucket } from '../../server/folder-bucket.js'
import { LOGS_PREFIX } from '../../server/object-keys.js'
import { platformSha256 } from '../../server/platform-hash.js'
import { readStatements } from '../../server/rotations.js'
import type { LogParts } from '../../server/world.js'
import { Refused } from '../command.js'
import {
  linePath, readLines, readSums, snapshotFolder, sumOfFile, type Manifest, type Sum,
} from './folder.js'
import { inParallel } from './write.js'

/** Text of one statement: some thousand rows of events. */
const BATCH_LENGTH = 1024 * 1024
const CHECKPOINT_OPTIONS = { contentType: 'text/plain; charset=utf-8' }

export interface Restoring {
  readonly folder: string
  readonly name: string
  readonly manifest: Manifest
  /** Put the rows back behind a log that has gone on ([Note: No rolling back]). */
  readonly isBehind: boolean
  readonly onProgress: (line: string) => void
}

/** Hash every file of the snapshot. @throws Refused at the first that is missing or not what was written. */
export async function checkSnapshot(
  { folder, name, manifest, onProgress }: Restoring,
): Promise<readonly Sum[]> {
  const sums = await readSums(folder, name, manifest)
  await inParallel(sums, async ({ path, sha256 }) => {
    const found = await sumOfFile(folder, path).catch((error: unknown) => {
      throw new Refused(`${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`)
    })
    if (found.sha256 !== sha256) throw new Refused(`${path} is damaged`)
  })
  onProgress(`${sums.length} files checked`)
  return sums
}

/**
 * Whether this snapshot may come back here: the same log key, tables made by the same migrations, and no
 * published entry lost. Changes nothing.
 *
 * @throws Refused with what to do.
 */
export async function requireRestorable(
  parts: LogParts, owner: Owner, restoring: Restoring,
): Promise<void> {
  const { manifest, isBehind } = restoring
  const { origin } = parts.keys.log
  const logKeys = await listLogKeys(parts, restoring)
  if (!logKeys.some((key) => formatVkey(key) === manifest.logVkey)) {
    throw new Refused(`this is a backup of the log ${manifest.logOrigin}, and the key here is for ${origin}: ` +
      'put the instance\'s own keys back first (DATA_DIR/keys, or LOG_KEY)')
  }
  const migrations = await listMigrations(owner.db)
  if (migrations.join() !== manifest.migrations.join()) {
    throw new Refused('another version of Sealdeck made this backup: restore with that version, then upgrade')
  }
  const prefix = logPrefix(manifest.logOrigin)
  if (!isBehind && await findStatedEnd(parts, { prefix, origin: manifest.logOrigin }) !== null) {
    throw new Refused(`${manifest.logOrigin} was closed after this backup, and another log goes on: restore a newer backup, ` +
      'or put the rows back behind it with --behind, then bring its entries back with `npx sealdeck admin fsck --repair`')
  }
  const shown = await readCheckpoint(parts.bucket, prefix, logKeys)
  const copied = await readCheckpoint(await changingOf(restoring), prefix, logKeys)
  if (copied === undefined) throw new Refused('the backup has no checkpoint')
  if (shown === undefined) return
  if (shown.size > copied.size) {
    if (isBehind) return
    throw new Refused(`${shown.size - copied.size} entries were published after this backup, and a published log is never rolled back. ` +
      'Restore a newer backup; or put the rows back behind the log with --behind, then bring its entries back with `npx sealdeck admin fsck --repair`')
  }
  await requireSameHistory(restoring, { prefix, shown, copied })
}

/** All keys that the log has had, by the statements here and in the backup: a backup may be older than a key. */
async function listLogKeys(
  { bucket, keys }: LogParts, restoring: Restoring,
): Promise<NoteKey[]> {
  const copied = await changingOf(restoring)
  const folder = logPrefix(restoring.manifest.logOrigin)
  const read = [
    ...await readStatements({ bucket, keys }),
    ...await readStatements({ bucket: copied, keys }, { folder }),
  ]
  return listLinkedKeys(keys.log.signer.key, read.map(({ link }) => link))
}

async function readCheckpoint(
  bucket: Bucket, prefix: string, logKeys: readonly NoteKey[],
): Promise<Checkpoint | undefined> {
  const bytes = await bucket.read(`${prefix}/${CHECKPOINT_PATH}`)
  if (bytes === null) return undefined
  return parseCheckpoint(verifyNote(decodeUtf8(bytes), logKeys).text)
}

/** The tree that is published here must be the beginning of the one that comes back. */
async function requireSameHistory(
  { folder }: Restoring,
  { prefix, shown, copied }: { prefix: string, shown: Checkpoint, copied: Checkpoint },
): Promise<void> {
  const store = await openFolderBucket(join(folder, 'objects'))
  const read = (path: string) => store.read(`${prefix}/${path}`)
  const sizes = { oldSize: shown.size, size: copied.size }
  const nodes = consistencyNodes(shown.size, copied.size)
  try {
    const nodeHash = await readNodes(read, { nodes, size: copied.size }, platformSha256)
    const proof = buildConsistencyProof(sizes, nodeHash)
    verifyConsistency({ ...sizes, oldRoot: shown.root, root: copied.root, proof })
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error
    throw new Refused(`the bucket shows a log of ${shown.size} entries that is not the beginning of this backup's: ` +
      'two histories under one key. Keep both and find out why; restore into an empty bucket')
  }
}

async function changingOf({ folder, name }: Restoring): Promise<Bucket> {
  return await openFolderBucket(join(snapshotFolder(folder, name), 'objects'))
}

// ---- The bucket ----

/** Put every object back that is not there, the checkpoint last. @returns how many were put. */
export async function fillBucket(
  { bucket }: LogParts, restoring: Restoring, sums: readonly Sum[],
): Promise<number> {
  const { folder, name, isBehind, onProgress } = restoring
  const store = await openFolderBucket(join(folder, 'objects'))
  const changing = await changingOf(restoring)
  let count = 0
  const put = async (from: Bucket, key: string) => { if (await putBack(bucket, from, key)) count++ }
  const isWanted = (key: string) => !isBehind || !key.startsWith(LOGS_PREFIX)
  const shared = keysUnder(sums, 'objects/').filter(isWanted)
  await inParallel(shared, (key) => put(store, key))
  onProgress(`${count} objects put back`)
  if (isBehind) return count
  const checkpoint = `${logPrefix(restoring.manifest.logOrigin)}/${CHECKPOINT_PATH}`
  const others = keysUnder(sums, `snapshots/${name}/objects/`).filter((key) => key !== checkpoint)
  for (const key of others) if (await bucket.head(key) === null) await put(changing, key)
  await showCheckpoint(bucket, changing, checkpoint)
  return count
}

function keysUnder(sums: readonly Sum[], folder: string): string[] {
  const paths = sums.map(({ path }) => path).filter((path) => path.startsWith(folder))
  return paths.map((path) => path.slice(folder.length))
}

/** @returns false if it lies there already. @throws Refused if other bytes do. */
async function putBack(bucket: Bucket, from: Bucket, key: string): Promise<boolean> {
  const bytes = await from.read(key)
  if (bytes === null) throw new Refused(`${key} is gone from the backup`)
  if (await bucket.put(key, bytes) === 'stored') return true
  const there = await bucket.read(key)
  if (there === null || !equalBytes(there, bytes)) {
    throw new Refused(`${key} lies in the bucket with other bytes: it is damaged there, or the bucket is another instance's`)
  }
  return false
}

async function showCheckpoint(bucket: Bucket, changing: Bucket, key: string): Promise<void> {
  const bytes = await changing.read(key)
  const there = await bucket.readTagged(key)
  if (bytes === null) throw new Refused('the backup has no checkpoint')
  if (there !== null && equalBytes(there.bytes, bytes)) return
  const etag = await bucket.replace(key, bytes, there?.etag ?? null, CHECKPOINT_OPTIONS)
  if (etag === undefined) throw new Refused('the checkpoint moved meanwhile: stop all instances first')
}

// ---- The database ----

/** Replace all rows. @throws Refused if another number of rows came out than went in. */
export async function fillDatabase(owner: Owner, restoring: Restoring): Promise<void> {
  const { folder, name, manifest, onProgress } = restoring
  const rows = join(snapshotFolder(folder, name), 'rows')
  await owner.reset()
  for (const table of listTables()) {
    for await (const lines of readLines(linePath(rows, table), BATCH_LENGTH)) {
      await insertCopies(owner.db, table, lines)
    }
    const count = await countRows(owner.db, table)
    if (count !== manifest.rows[table]) {
      throw new Refused(`${table} has ${count} rows instead of ${manifest.rows[table] ?? 0}: the database is not whole, restore again`)
    }
  }
  await restartSequences(owner.db)
  const counts = Object.entries(manifest.rows).filter(([table]) => table !== OBJECTS_NAME)
  const total = counts.reduce((sum, [, count]) => sum + count, 0)
  onProgress(`${total} rows put back`)
}
