// Goal: two workers make the bytes that one makes, refuse what one refuses, and one goes on alone when
// the other fails; the key is gone from both when the payload is done.
// Method: the second worker's own code behind a channel, its tasks and keys recorded.
import { setTimeout } from 'node:timers/promises'
import { MessageChannel } from 'node:worker_threads'
import t, { type Test } from 'tap'
import { makeSodiumCipher, type MakeChunkCipher } from '../../protocol/deck/cipher.js'
import { sealDeck, startSeal, type SealInput } from '../../protocol/deck/deck.js'
import { makeFileKey, makePayloadNonce } from '../../protocol/deck/identity.js'
import { hashBulk } from '../../protocol/hash.js'
import { ready } from '../../protocol/sodium.js'
import { createPool, serveTasks, type SecondWorker, type Task } from '../../web/crypto/pool.js'

await ready()

interface Second { readonly tasks: Task[], ends: number, fail(): void }

/** A second worker whose script runs here; `fail` is what an `error` event tells. */
function startSecond(t: Test): { start: () => SecondWorker, second: Second } {
  const { port1, port2 } = new MessageChannel()
  const second: Second = { tasks: [], ends: 0, fail: () => undefined }
  const serve = serveTasks(Promise.resolve(makeSodiumCipher),
    (done, moved) => port2.postMessage(done, moved))
  port2.on('message', (task: Task) => { second.tasks.push(task); void serve(task) })
  t.teardown(() => port1.close())
  return {
    second,
    start: () => ({
      post: (task, moved) => port1.postMessage(task, moved),
      listen(onMessage, onGone) {
        port1.on('message', onMessage)
        port2.postMessage('started')
        second.fail = onGone
      },
      end: () => { second.ends++ },
    }),
  }
}

/** The second worker has said that it is there. */
function poolOf(start: () => SecondWorker): MakeChunkCipher {
  const make = createPool(start)(makeSodiumCipher)
  return async (payloadKey) => {
    const cipher = await make(payloadKey)
    await setTimeout(20)
    return cipher
  }
}

function deckOf(size: number): SealInput {
  const bytes = Uint8Array.from({ length: size }, (_, index) => index % 251)
  return {
    plaintext: { size, read: async (offset, length) => bytes.subarray(offset, offset + length) },
    fileKey: makeFileKey(), nonce: makePayloadNonce(), hash: hashBulk,
  }
}

async function sealAll(input: SealInput): Promise<Uint8Array[]> {
  const parts: Uint8Array[] = []
  for await (const { bytes } of sealDeck(input)) parts.push(bytes)
  return parts
}

t.test('two seal the bytes that one seals, each about half of them', async (t) => {
  const { start, second } = startSecond(t)
  const input = deckOf(9_000_001)
  const makeCipher = poolOf(start)
  t.same(await sealAll({ ...input, makeCipher }), await sealAll(input))
  const sealed = second.tasks.filter(({ kind }) => kind === 'seal').length
  t.ok(Math.abs(sealed - 9_000_001 / 65_536 / 2) <= 2, `${sealed} chunks there`)
  t.equal(second.ends, 1, 'ended with its last payload')
})

t.test('nobody waits for a worker that has not started', async (t) => {
  const { start, second } = startSecond(t)
  const input = deckOf(1_000_000)
  const never = () => ({ ...start(), listen: () => undefined })
  const makeCipher = createPool(never)(makeSodiumCipher)
  t.same(await sealAll({ ...input, makeCipher }), await sealAll(input))
  t.same(second.tasks.filter(({ kind }) => kind === 'seal'), [])
})

t.test('what is not authentic is refused by both', async (t) => {
  const { start } = startSecond(t)
  const cipher = await poolOf(start)(new Uint8Array(32).fill(1))
  const sealed = new Uint8Array(65_552)
  await cipher.seal({ index: 0, isFinal: false }, new Uint8Array(65_536), sealed)
  for (const who of ['there', 'here']) {
    t.same(await cipher.open({ index: 0, isFinal: false }, sealed), new Uint8Array(65_536), who)
    t.equal(await cipher.open({ index: 1, isFinal: false }, sealed), null, 'moved to another place')
    t.equal(await cipher.open({ index: 0, isFinal: true }, sealed), null, 'made the last')
  }
  cipher.end()
})

t.test('one goes on alone when the other fails', async (t) => {
  const { start, second } = startSecond(t)
  const input = deckOf(3_000_000)
  const sealer = await startSeal({ ...input, makeCipher: poolOf(start) })
  const sealing = sealer.sealPart(0)
  second.fail()
  const [expected] = await sealAll(input)
  t.same((await sealing).bytes, expected, 'what was on its way is done here')
  t.same((await sealer.sealPart(0)).bytes, expected)
  sealer.end()
})

t.test('a key is handed over once, and nothing is sealed after the end', async (t) => {
  const { start, second } = startSecond(t)
  const makeCipher = poolOf(start)
  const one = await makeCipher(new Uint8Array(32).fill(1))
  const other = await makeCipher(new Uint8Array(32).fill(2))
  one.end()
  one.end()
  t.equal(second.ends, 0, 'another payload is open')
  other.end()
  t.equal(second.ends, 1)
  const seal = one.seal({ index: 0, isFinal: true }, new Uint8Array(1), new Uint8Array(17))
  await t.rejects(seal, /asked for nothing/)
  await t.rejects(one.open({ index: 0, isFinal: true }, new Uint8Array(17)), /asked for nothing/)
})
