// Goal: two workers make the bytes that one makes, refuse what one refuses, and one goes on alone when
// the other fails; the key is gone from both when the payload is done.
// Method: the second worker's own code behind a channel, its tasks and keys recorded.
import { setTimeout } from 'node:timers/promises'
import { MessageChannel } from 'node:worker_threads'
import t, { type Test } from 'tap'
import { concatBytes, equalBytes } from '../../protocol/bytes.js'
import { makeSodiumCipher, type MakeChunkCipher } from '../../protocol/deck/cipher.js'
import { hashPlaintext, openDeck, startSeal, type Sealer } from '../../protocol/deck/deck.js'
import { makeFileKey, makePayloadNonce } from '../../protocol/deck/identity.js'
import type { RangeOpener, SealedPart } from '../../protocol/deck/parts.js'
import type { VersionRecord } from '../../protocol/deck/record.js'
import { promisesOf } from '../../protocol/deck/upload.js'
import { hashBulk } from '../../protocol/hash.js'
import { ready } from '../../protocol/sodium.js'
import { archiveOf } from '../../web/crypto/plaintext.js'
import { createPool, serveTasks, type SecondWorker, type Task } from '../../web/crypto/pool.js'
import { sealInput } from './founder-fixture.js'

await ready()

interface Second {
  readonly tasks: Task[], readonly keys: Uint8Array[], ends: number, isHeard: boolean, fail(): void,
}

/** A second worker whose script runs here; `fail` is what an `error` event tells. */
function startSecond(t: Test): { start: () => SecondWorker, second: Second } {
  const { port1, port2 } = new MessageChannel()
  const second: Second = {
    tasks: [], keys: [], ends: 0, isHeard: false, fail: () => undefined,
  }
  const makeCipher: MakeChunkCipher = (payloadKey) => {
    second.keys.push(payloadKey)
    return makeSodiumCipher(payloadKey)
  }
  const serve = serveTasks({ makeCipher: Promise.resolve(makeCipher), hash: hashBulk },
    (done, moved) => port2.postMessage(done, moved))
  port2.on('message', (task: Task) => { second.tasks.push(task); void serve(task) })
  t.teardown(() => port1.close())
  return {
    second,
    start: () => ({
      post: (task, moved) => port1.postMessage(task, moved),
      listen(onMessage, onGone) {
        port1.on('message', (message) => {
          second.isHeard = true
          onMessage(message)
        })
        port2.postMessage('started')
        second.fail = onGone
      },
      end: () => { second.ends++ },
    }),
  }
}

const MAX_WAIT_COUNT = 500

/** Until the worker has said that it is there. */
async function started(second: Second): Promise<void> {
  for (let turn = 0; turn < MAX_WAIT_COUNT && !second.isHeard; turn++) await setTimeout(10)
}

function countOf(second: Second, kind: 'hash' | 'seal' | 'open'): number {
  return second.tasks.filter((task) => task.kind === 'work' && task.work.kind === kind).length
}

const original = Uint8Array.from({ length: 30_000_001 }, (_, index) => index % 251)
const input = sealInput({ file: new Blob([original]), thumbnails: [] })
const plaintext = await archiveOf(input)
const keys = { fileKey: makeFileKey(), nonce: makePayloadNonce() }
const alone = await startSeal({ ...keys, plaintext, hash: hashBulk })
const expected = await sealAll(alone)

function startShared(start: () => SecondWorker): Promise<Sealer> {
  const share = createPool(start).shareSealing({ input, nonce: keys.nonce })
  return startSeal({ ...keys, plaintext, hash: hashBulk, share })
}

/** As the crypto worker asks for parts: two on their way beside the one that is taken. */
async function sealAll(sealer: Sealer): Promise<SealedPart[]> {
  const indexes = Array.from({ length: sealer.partCount }, (_, index) => index)
  const parts: SealedPart[] = []
  for (let at = 0; at < indexes.length; at += 2) {
    const pair = indexes.slice(at, at + 2)
    parts.push(...await Promise.all(pair.map((index) => sealer.sealPart(index))))
  }
  return parts
}

/** Byte by byte, without the words that a test runner has for megabytes. */
function equalParts(parts: readonly (SealedPart | undefined)[], others = expected): boolean {
  return parts.length === others.length && parts.every((part, turn) => {
    const other = others[turn]
    return part !== undefined && other !== undefined && part.index === other.index &&
      equalBytes(part.bytes, other.bytes) && equalBytes(part.chunkHashes, other.chunkHashes) &&
      equalBytes(part.sha256, other.sha256)
  })
}

t.test('two fingerprint and seal the bytes that one does, each about half of them', async (t) => {
  const { start, second } = startSecond(t)
  const sealer = await startShared(start)
  await started(second)
  const hashed: number[] = []
  const fingerprint = await sealer.fingerprint((done) => hashed.push(done))
  t.same(fingerprint, await hashPlaintext(plaintext, hashBulk))
  t.same(hashed.toSorted((a, b) => a - b), hashed)
  t.equal(hashed.at(-1), plaintext.size)
  t.ok(equalParts(await sealAll(sealer)))
  t.equal(countOf(second, 'seal'), Math.floor(sealer.partCount / 2))
  t.ok(countOf(second, 'hash') >= 1, `${countOf(second, 'hash')} stretches there`)
  sealer.end()
  t.equal(second.ends, 1, 'ended with its last payload')
})

t.test('nobody waits for a worker that has not started', async (t) => {
  const { start, second } = startSecond(t)
  const sealer = await startShared(() => ({ ...start(), listen: () => undefined }))
  t.ok(equalParts(await sealAll(sealer)))
  t.equal(countOf(second, 'seal'), 0)
  sealer.end()
})

t.test('one goes on alone when the other fails', async (t) => {
  const { start, second } = startSecond(t)
  const sealer = await startShared(start)
  await started(second)
  const sealing = sealAll(sealer)
  second.fail()
  t.ok(equalParts(await sealing), 'what was on its way is done here')
  sealer.end()
})

t.test('what the other cannot do is done here, and says why', async (t) => {
  const { start, second } = startSecond(t)
  const elsewhere = { ...input, file: new Blob([new Uint8Array(5)]) }
  const share = createPool(start).shareSealing({ input: elsewhere, nonce: keys.nonce })
  const sealer = await startSeal({ ...keys, plaintext, hash: hashBulk, share })
  await started(second)
  const last = sealer.partCount - 1
  const parts = await Promise.all([sealer.sealPart(0), sealer.sealPart(last)])
  t.ok(equalParts(parts, [expected[0], expected[last]].filter((part) => part !== undefined)))
  sealer.end()
})

t.test('keys are wiped from messages, and nothing is sealed after the end', async (t) => {
  const { start, second } = startSecond(t)
  const pool = createPool(start)
  const open = (fill: number) => startSeal({
    plaintext, nonce: keys.nonce, fileKey: new Uint8Array(16).fill(fill), hash: hashBulk,
    share: pool.shareSealing({ input, nonce: keys.nonce }),
  })
  const one = await open(1)
  const other = await open(2)
  await started(second)
  t.same(second.keys, [new Uint8Array(32), new Uint8Array(32)])
  one.end()
  one.end()
  t.equal(second.ends, 0, 'another payload is open')
  other.end()
  t.equal(second.ends, 1)
  await t.rejects(one.sealPart(0), /asked for nothing/)
})

t.test('the message\'s key is wiped also where no cipher can be had', async (t) => {
  const payloadKey = new Uint8Array(32).fill(7)
  const failing = Promise.reject(new Error('no cipher'))
  failing.catch(() => undefined) // Nobody waits for it before a task comes.
  const serve = serveTasks({ makeCipher: failing, hash: hashBulk }, () => undefined)
  await serve({ kind: 'begin', payload: 0, payloadKey, toSeal: null })
  await serve({ kind: 'end', payload: 0 })
  t.same(payloadKey, new Uint8Array(32))
})

// ---- opening

const payload = concatBytes(...expected.map(({ bytes }) => bytes))
const hashList = concatBytes(...expected.map(({ chunkHashes }) => chunkHashes))
const record: VersionRecord = {
  vaultId: 'v', documentId: 'd', part: 0, gate: 'nda', version: 1, previousSha256: null,
  payloadLength: payload.length, nonce: keys.nonce, signingKey: new Uint8Array(32),
  ...promisesOf({ ...keys, payloadLength: payload.length, hashList }),
}

function openShared(start: () => SecondWorker, stored = payload) {
  const source = {
    readHashList: async () => hashList,
    readPayload: async (from: number, to: number) => stored.slice(from, to),
  }
  const share = createPool(start).shareOpening()
  return openDeck({ record, fileKey: keys.fileKey, source, hash: hashBulk, share })
}

/** Waits for the second worker once it was asked for, by the third range. */
async function readAll(stretches: AsyncIterable<Uint8Array>, second: Second): Promise<Uint8Array> {
  const pieces: Uint8Array[] = []
  for await (const piece of stretches) {
    pieces.push(piece)
    if (pieces.length === 1) await started(second)
  }
  return concatBytes(...pieces)
}

t.test('two open what one opens', async (t) => {
  const { start, second } = startSecond(t)
  const reader = await openShared(start)
  const whole = new Uint8Array(plaintext.size)
  await plaintext.read(0, whole)
  t.ok(equalBytes(await readAll(reader.stretches(), second), whole))
  t.ok(countOf(second, 'open') >= 1, `${countOf(second, 'open')} ranges there`)
  reader.close()
  t.equal(second.ends, 1)
  t.same(second.keys, [new Uint8Array(32)])
})

t.test('a reader of a few pages starts no second worker', async (t) => {
  const { start, second } = startSecond(t)
  const reader = await openShared(start)
  for (let page = 0; page < 7; page++) await reader.readFile(page * 1_000_000, 1_000_000)
  reader.close()
  t.same(second.tasks, [])
})

t.test('what is not authentic is refused, whoever had it', async (t) => {
  for (const at of [20_000_000, 24_500_000, 29_000_000]) {
    const { start, second } = startSecond(t)
    const stored = payload.slice()
    stored[at] = (stored[at] ?? 0) ^ 1
    const reader = await openShared(start, stored)
    await t.rejects(readAll(reader.stretches(), second), { code: 'bad-chunk-hash' })
    reader.close()
  }
})

t.test('the place of a chunk counts in the second worker too', async (t) => {
  const opener = await secondOpener(t)
  const first = payload.slice(16, 16 + 65_552)
  const range = { chunkCount: 1, hashes: hashList.slice(0, 32), read: async () => first.slice() }
  t.equal((await opener.open({ ...range, firstIndex: 0, isLastFinal: false })).length, 65_536)
  const places = [{ firstIndex: 1, isLastFinal: false }, { firstIndex: 0, isLastFinal: true }]
  for (const place of places) {
    await t.rejects(opener.open({ ...range, ...place }), { code: 'bad-chunk' })
  }
  opener.end()
})

t.test('what the second worker opened is taken only if it is all of it', async (t) => {
  const whole = new Uint8Array(plaintext.size)
  await plaintext.read(0, whole)
  for (const size of [0, 65_535]) {
    const { start, second } = startSecond(t)
    const shortened: () => SecondWorker = () => {
      const worker = start()
      return {
        ...worker,
        listen: (hear, onGone) => worker.listen((message) => hear(cut(message, size)), onGone),
      }
    }
    const reader = await openShared(shortened)
    t.ok(equalBytes(await readAll(reader.stretches(), second), whole), `${size} bytes from there`)
    t.ok(countOf(second, 'open') >= 1)
    reader.close()
  }
})

/** The same answer with another number of bytes. */
function cut(message: unknown, size: number): unknown {
  const result: unknown = Object(message).result
  if (!(result instanceof Uint8Array)) return message
  return { ...Object(message), result: new Uint8Array(size) }
}

t.test('a version that does not open leaves no key behind', async (t) => {
  const { start } = startSecond(t)
  const kept: Uint8Array<ArrayBuffer>[] = []
  const share = createPool(start).shareOpening()
  const opening = openDeck({
    record, fileKey: keys.fileKey, hash: hashBulk,
    source: {
      readHashList: async () => hashList,
      readPayload: async (from, to) => payload.slice(from, to).fill(0),
    },
    share(own, payloadKey) {
      const watched = Object.assign(payloadKey, {
        slice() {
          const copy = new Uint8Array(payloadKey)
          kept.push(copy)
          return copy
        },
      })
      return share(own, watched)
    },
  })
  await t.rejects(opening, { code: 'bad-chunk-hash' })
  t.same(kept, [new Uint8Array(32)])
})

/** The pool's opener after its second worker was wanted. */
async function secondOpener(t: Test): Promise<RangeOpener> {
  const { start } = startSecond(t)
  let opener: RangeOpener | null = null
  const share = createPool(start).shareOpening()
  await openDeck({
    record, fileKey: keys.fileKey, hash: hashBulk,
    source: {
      readHashList: async () => hashList,
      readPayload: async (from, to) => payload.slice(from, to),
    },
    share(own, payloadKey) {
      opener = share(own, payloadKey)
      return opener
    },
  })
  if (opener === null) throw new Error('an opener is shared')
  return opener
}
