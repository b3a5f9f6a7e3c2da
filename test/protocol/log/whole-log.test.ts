// Goal: a log is accepted only if every entry, tile and the checkpoint fit together, and a founder
// notices every event of hers that was hidden, doubled or moved.
// Method: logs of many sizes written batch by batch; one byte of every file changed, every file
// removed, entries swapped; tags dropped, doubled and reordered; time against bare hashing.
import { createHash, hash as platformHash } from 'node:crypto'
import t from 'tap'
import { encodeHex } from '../../../protocol/bytes.js'
import { sha256, type Hash } from '../../../protocol/hash.js'
import { TagScanner } from '../../../protocol/log/completeness.js'
import { decodeEntry, vaultTag } from '../../../protocol/log/event.js'
import { policyOfLog } from '../../../protocol/log/policy.js'
import { CHECKPOINT_PATH } from '../../../protocol/log/tile.js'
import { verifyLog } from '../../../protocol/log/whole-log.js'
import { ready } from '../../../protocol/sodium.js'
import { LOG_VKEY, listedEntry, VAULT_TAG_KEY } from './worked-example.js'
import { WrittenLog } from './written-log.js'

await ready()

const policy = policyOfLog(LOG_VKEY)
const nodeHash: Hash = (bytes) => platformHash('sha256', bytes, 'buffer')

function logOf(...batches: number[]): WrittenLog {
  const log = new WrittenLog()
  let size = 0
  for (const count of batches) {
    log.append(Array.from({ length: count }, (_, at) => listedEntry(size + at)))
    size += count
  }
  return log
}

t.test('logs of every kind of size verify, and every entry is visited once', async (t) => {
  const logs = [[1], [2], [255], [256], [257], [1, 255, 1], [512], [300, 400, 5], [4096, 1]]
  for (const batches of logs) {
    const visited: bigint[] = []
    const trusted = await verifyLog(logOf(...batches).read, policy, {
      hash: nodeHash, onEntry: (index) => visited.push(index),
    })
    const size = batches.reduce((sum, count) => sum + count, 0)
    t.equal(trusted.checkpoint.size, BigInt(size))
    t.ok(visited.length === size && visited.every((index, at) => index === BigInt(at)), `${size} entries`)
  }
})

t.test('the platform hashes as we do', async (t) => {
  for (let size = 0; size < 200; size++) {
    const bytes = new Uint8Array(size).fill(size)
    t.equal(encodeHex(nodeHash(bytes)), encodeHex(sha256(bytes)))
  }
})

t.test('any changed byte and any lost file is noticed', async (t) => {
  const log = logOf(200, 400)
  const needed = [
    CHECKPOINT_PATH, 'tile/0/000', 'tile/0/001', 'tile/0/002.p/88', 'tile/1/000.p/2',
    'tile/entries/000', 'tile/entries/001', 'tile/entries/002.p/88',
  ]
  for (const path of needed) {
    const bytes = log.files.get(path)
    if (bytes === undefined) throw new Error(path)
    for (const at of [0, 1, 2, 35, bytes.length >> 1, bytes.length - 1]) {
      log.files.set(path, bytes.with(at, (bytes[at] ?? 0) ^ 0x10))
      await t.rejects(verifyLog(log.read, policy), { name: 'ProtocolError' }, `${path} at ${at}`)
    }
    log.files.set(path, bytes.subarray(0, -1))
    await t.rejects(verifyLog(log.read, policy), { name: 'ProtocolError' }, `${path} cut short`)
    log.files.delete(path)
    await t.rejects(verifyLog(log.read, policy), { code: 'missing-tile' }, `${path} gone`)
    log.files.set(path, bytes)
  }
  t.equal((await verifyLog(log.read, policy)).checkpoint.size, 600n)
})

t.test('entries and tiles changed together still do not fit the checkpoint', async (t) => {
  const log = logOf(300)
  const other = logOf(299)
  other.append([listedEntry(999)])
  for (const [path, bytes] of other.files) if (path !== CHECKPOINT_PATH) log.files.set(path, bytes)
  await t.rejects(verifyLog(log.read, policy), { code: 'bad-proof' })
})

t.test('a partial tile that was replaced by the full one is found there', async (t) => {
  const log = logOf(100)
  const older = log.files.get(CHECKPOINT_PATH)
  log.append(Array.from({ length: 200 }, (_, at) => listedEntry(100 + at)))
  for (const path of log.files.keys()) if (path.includes('.p/100')) log.files.delete(path)
  if (older !== undefined) log.files.set(CHECKPOINT_PATH, older)
  t.equal((await verifyLog(log.read, policy)).checkpoint.size, 100n)
})

t.test('the vault\'s own events are found among others, in order and complete', async (t) => {
  const scanner = new TagScanner(VAULT_TAG_KEY)
  const another = sha256(Uint8Array.of(1)).subarray(0, 16)
  const tags = [vaultTag(VAULT_TAG_KEY, 1), another, vaultTag(VAULT_TAG_KEY, 2)]
  t.same(tags.map((tag, index) => scanner.scan(BigInt(index), tag)), [true, false, true])
  t.same(scanner.tagged, [{ index: 0n, sequence: 1 }, { index: 2n, sequence: 2 }])
  t.same(scanner.problems, [])
  t.equal(scanner.nextSequence, 3)
  const later = new TagScanner(VAULT_TAG_KEY, { nextSequence: 3 })
  t.ok(later.scan(9n, vaultTag(VAULT_TAG_KEY, 3)))
  t.same(later.problems, [])
})

t.test('events that were hidden, doubled or moved show', async (t) => {
  const scan = (sequences: number[], next = 1) => {
    const scanner = new TagScanner(VAULT_TAG_KEY, { nextSequence: next })
    sequences.forEach((sequence, at) => scanner.scan(BigInt(at), vaultTag(VAULT_TAG_KEY, sequence)))
    return scanner.problems.map(({ kind, sequence }) => `${kind} ${sequence}`)
  }
  t.same(scan([1, 2, 3]), [])
  t.same(scan([1, 3]), ['missing 2'])
  t.same(scan([2]), ['missing 1'])
  t.same(scan([1, 2, 2, 3]), ['doubled 2'])
  t.same(scan([1, 3, 2]), ['missing 2', 'out-of-order 2'])
  t.same(scan([2, 4], 4), ['doubled 2'])
  t.same(scan([1000]).length, 999)
})

t.test('tags are read from the entries of a log', async (t) => {
  const log = new WrittenLog()
  const event = {
    type: 'auditor.read', id: '01890a5d-ac96-774b-bcce-b302099a8057', log: 'log.sealdeck.example/2026',
    at: '2026-11-22T14:31:05.120Z', actor: 'server', vault: '01890a5d-ac96-774b-bcce-b302099a8057',
  } as const
  for (let count = 0; count < 5; count++) log.appendEvent(event)
  const scanner = new TagScanner(VAULT_TAG_KEY)
  await verifyLog(log.read, policy, {
    onEntry: (index, entry) => { scanner.scan(index, decodeEntry(entry).vaultTag) },
  })
  t.same(scanner.tagged.map(({ sequence }) => sequence), [1, 2, 3, 4, 5])
  t.same(scanner.problems, [])
})

t.test('the stream hash and the one-shot hash of the platform agree', async (t) => {
  const bytes = new Uint8Array(65).fill(3)
  t.same(nodeHash(bytes), createHash('sha256').update(bytes).digest())
})
