// Goal: this browser believes a log only as far as it can prove it, and notices a second history.
// Method: a small log made in memory, whose answers are changed one by one before the worker sees them.
import t from 'tap'
import { uuidv7 } from 'uuidv7'
import type { EventList, LoggedEvent } from '../../protocol/api.js'
import { encodeBase64Url } from '../../protocol/bytes.js'
import { signCheckpoint } from '../../protocol/log/checkpoint.js'
import { encodeEntry, sealEvent, type SealedEvent } from '../../protocol/log/event.js'
import {
  buildConsistencyProof, buildInclusionProof, hashLeaf, rootOfLeaves, type TreeNode,
} from '../../protocol/log/merkle.js'
import { ed25519Signer, formatVkey } from '../../protocol/log/note.js'
import { ready } from '../../protocol/sodium.js'
import { makeClient } from './founder-fixture.js'
import { createMemoryStore } from './memory-platform.js'

await ready()

const ORIGIN = 'log.test/2026'
const VAULT_ID = uuidv7()
const signer = ed25519Signer(ORIGIN, new Uint8Array(32).fill(7))
const logVkey = formatVkey(signer.key)
const TAG = new Uint8Array(16)

function makeEvent(): SealedEvent {
  return sealEvent({
    type: 'export.made', id: uuidv7(), log: ORIGIN, at: '2026-11-22T14:30:00.000Z', actor: 'server', vault: VAULT_ID,
  }, { name: 'Grace Hopper' })
}

/** A log of these events; `size` entries of it at a time. */
function makeLog(events: readonly SealedEvent[]) {
  const leaves = events.map(({ commitment }) =>
    hashLeaf(encodeEntry({ commitment, vaultTag: TAG, partyTag: TAG })))
  function nodeHash({ level, index }: TreeNode): Uint8Array {
    const width = 2n ** BigInt(level)
    return rootOfLeaves(leaves.slice(Number(index * width), Number((index + 1n) * width)))
  }
  function logged(event: SealedEvent, index: number, size: number): LoggedEvent {
    const { id, type, atMs, bytes, salt, commitment, details, detailsSalt } = event
    const proof = buildInclusionProof({ index: BigInt(index), size: BigInt(size) }, nodeHash)
    return {
      index, eventId: id, type, atMs, event: encodeBase64Url(bytes), salt: encodeBase64Url(salt),
      commitment: encodeBase64Url(commitment),
      vaultTag: encodeBase64Url(TAG), partyTag: encodeBase64Url(TAG), vaultSequence: null,
      proof: proof.map(encodeBase64Url),
      details: details === undefined || detailsSalt === undefined
        ? null
        : { bytes: encodeBase64Url(details), salt: encodeBase64Url(detailsSalt) },
    }
  }
  return {
    list(size: number): EventList {
      const root = rootOfLeaves(leaves.slice(0, size))
      return {
        events: events.slice(0, size).map((event, index) => logged(event, index, size)),
        checkpoint: signCheckpoint({ origin: ORIGIN, size: BigInt(size), root }, [signer]),
        totalCount: size, next: null, newest: size - 1, vaultTagKey: null,
      }
    },
    async readConsistency(from: number, to: number) {
      const sizes = { oldSize: BigInt(from), size: BigInt(to) }
      return buildConsistencyProof(sizes, nodeHash).map(encodeBase64Url)
    },
  }
}

const events = Array.from({ length: 7 }, makeEvent)
const log = makeLog(events)
const { readConsistency } = log

t.test('every event that is there is proven, with its details', async (t) => {
  const { crypto } = makeClient()
  const checked = await crypto.checkEvents({
    vaultId: VAULT_ID, logVkey, list: log.list(7), readConsistency,
  })
  t.match(checked, { origin: ORIGIN, treeSize: 7, rememberedSize: null })
  t.ok(checked.events.every(({ isProven }) => isProven))
  t.match(checked.events[0], { event: { type: 'export.made' }, details: { name: 'Grace Hopper' } })
})

t.test('an event that was changed is shown as unproven, and the others stay', async (t) => {
  const { crypto } = makeClient()
  const zeros = encodeBase64Url(new Uint8Array(32))
  const changes: Partial<LoggedEvent>[] = [
    { salt: zeros }, { index: 3 }, { proof: [] }, { proof: [zeros, zeros, zeros] }, { type: 'header.released' },
    { vaultTag: encodeBase64Url(new Uint8Array(16).fill(1)) },
    { event: null, salt: null, commitment: zeros },
    { details: { bytes: encodeBase64Url(new Uint8Array([123, 125])), salt: zeros } },
  ]
  for (const change of changes) {
    const list = log.list(7)
    const changed = list.events.map((event, at) => at === 2 ? { ...event, ...change } : event)
    const offered = { ...list, events: changed }
    const checked = await crypto.checkEvents({
      vaultId: VAULT_ID, logVkey, list: offered, readConsistency,
    })
    const proven = checked.events.map(({ isProven }) => isProven)
    t.same(proven, [true, true, false, true, true, true, true], Object.keys(change).join())
    t.equal(checked.events[2]?.event, null, 'and nothing of it is shown as said by the log')
  }
})

t.test('an event that was erased is proven to be there, and nothing is said of it', async (t) => {
  const { crypto } = makeClient()
  const list = log.list(7)
  const erased = { event: null, salt: null, details: null }
  const changed = list.events.map((event, at) => at === 2 ? { ...event, ...erased } : event)
  const checked = await crypto.checkEvents({
    vaultId: VAULT_ID, logVkey, list: { ...list, events: changed }, readConsistency,
  })
  t.match(checked.events[2], { index: 2, isProven: true, event: null, details: null })
})

t.test('a checkpoint by another key, or of another log, is refused', async (t) => {
  const { crypto } = makeClient()
  const other = ed25519Signer(ORIGIN, new Uint8Array(32).fill(8))
  const list = log.list(7)
  const wrongKey = { vaultId: VAULT_ID, logVkey: formatVkey(other.key), list, readConsistency }
  await t.rejects(crypto.checkEvents(wrongKey), { message: /^unknown-signer/ })
  const elsewhere = formatVkey(ed25519Signer('other.test', new Uint8Array(32).fill(7)).key)
  await t.rejects(crypto.checkEvents({ ...wrongKey, logVkey: elsewhere }), { message: /^wrong-origin/ })
})

t.test('the tree must have grown out of the one that was seen last', async (t) => {
  const store = createMemoryStore()
  const check = (list: EventList, read = readConsistency) =>
    makeClient(store).crypto.checkEvents({
      vaultId: VAULT_ID, logVkey, list, readConsistency: read,
    })
  t.equal((await check(log.list(3))).rememberedSize, null)
  t.equal((await check(log.list(7))).rememberedSize, 3)
  t.equal((await check(log.list(5))).rememberedSize, 7, 'an older one of the same history is no harm')
  t.equal((await check(log.list(7))).rememberedSize, 7, 'and does not take its place')
  const offline = async () => { throw new Error('missing-tile: offline') }
  await check(log.list(7), offline)
  await t.rejects(check(log.list(6), offline), { message: /^missing-tile/ }, 'a lost connection is no fork')
})

t.test('a second history is an alarm, with both checkpoints as evidence', async (t) => {
  const others = Array.from({ length: 4 }, makeEvent)
  const forked = makeLog([...events.slice(0, 4), ...others])
  for (const size of [7, 8, 5]) {
    const { crypto } = makeClient()
    await crypto.checkEvents({ vaultId: VAULT_ID, logVkey, list: log.list(6), readConsistency })
    const offered = forked.list(size)
    const { readConsistency: read } = forked
    const fork = { vaultId: VAULT_ID, logVkey, list: offered, readConsistency: read }
    await t.rejects(crypto.checkEvents(fork), { message: /^forked-log/ }, `at ${size} entries`)
    t.same(await crypto.forkEvidence(ORIGIN), {
      remembered: log.list(6).checkpoint, offered: offered.checkpoint,
    })
    await t.rejects(crypto.checkEvents(fork), { message: /^forked-log/ }, 'and it stays one')
  }
})

t.test('an event of another vault, or said to be another, is not this vault\'s', async (t) => {
  const { crypto } = makeClient()
  const list = log.list(7)
  const elsewhere = await crypto.checkEvents({
    vaultId: uuidv7(), logVkey, list, readConsistency,
  })
  t.ok(elsewhere.events.every(({ isProven, event }) => !isProven && event === null))
  for (const change of [{ eventId: uuidv7() }, { atMs: 0 }]) {
    const changed = list.events.map((event) => ({ ...event, ...change }))
    const checked = await crypto.checkEvents({
      vaultId: VAULT_ID, logVkey, list: { ...list, events: changed }, readConsistency,
    })
    t.ok(checked.events.every(({ isProven }) => !isProven), Object.keys(change).join())
  }
})

t.test('two histories offered side by side do not both pass', async (t) => {
  const forked = makeLog([...events.slice(0, 4), makeEvent(), makeEvent()])
  for (const isSeenBefore of [false, true]) {
    const { crypto } = makeClient()
    const check = (from: typeof log, size: number) => crypto.checkEvents({
      vaultId: VAULT_ID, logVkey, list: from.list(size), readConsistency: from.readConsistency,
    })
    if (isSeenBefore) await check(log, 3)
    const results = await Promise.allSettled([check(log, 6), check(forked, 6)])
    t.same(results.map(({ status }) => status), ['fulfilled', 'rejected'])
    t.not(await crypto.forkEvidence(ORIGIN), null)
  }
})
