// Goal: events are published in their order, once, under signed checkpoints that always extend each
// other; whoever waits is answered only then; a crash anywhere loses and doubles nothing.
// Method: the real world on both sets of engines; the whole log is checked after each step.
import { randomBytes } from 'node:crypto'
import t from 'tap'
import { uuidv7 } from 'uuidv7'
import { insertEvents } from '../../db/queries/outbox.js'
import { insertVault } from '../../db/queries/vaults.js'
import { auditEntry, grants, people, tlogHead, tlogPublished, users } from '../../db/schema.js'
import { type EventType } from '../../protocol/log/event-types.js'
import { formatTime, sealEvent, type SealedEvent } from '../../protocol/log/event.js'
import { policyOfLog } from '../../protocol/log/policy.js'
import { verifyProof } from '../../protocol/log/proof.js'
import { Refusal } from '../../protocol/refusals.js'
import { LogContradiction } from '../../server/integrator.js'
import { startSequencer } from '../../server/sequencer.js'
import type { World } from '../../server/world.js'
import { checkLog, ENGINES, startWorld } from '../helpers/world.js'

function makeEvent(world: World, place: { vault?: string, party?: string } = {}): SealedEvent {
  const type: EventType = place.vault === undefined ? 'admin.acted' : 'export.made'
  return sealEvent({
    type, id: uuidv7(), log: world.keys.log.origin, at: formatTime(world.clock.nowMs()), actor: 'server',
    ...(place.vault === undefined ? { action: 'test' } : place),
  }, { name: 'Ada' })
}

async function makeVault(world: World): Promise<string> {
  const nowMs = world.clock.nowMs()
  const ownerId = uuidv7()
  await world.db.insert(users).values({
    id: ownerId, email: `${ownerId}@fund.example`, name: 'Ada', locale: 'en', signingPublicKey: randomBytes(32), recipient: 'age1pq1', createdAtMs: nowMs,
  })
  const id = uuidv7()
  const [tagKey, titleSealed] = [randomBytes(32), randomBytes(40)]
  await insertVault(world.db, { id, ownerId, tagKey, titleSealed, createdAtMs: nowMs })
  const event = makeEvent(world, { vault: id })
  await insertEvents(world.db, [event])
  await world.sequencer.published([event.id])
  return id
}

async function makePerson(world: World, vaultId: string): Promise<string> {
  const [grantId, id, nowMs] = [randomBytes(16).toString('base64url'), uuidv7(), world.clock.nowMs()]
  await world.db.insert(grants).values({
    id: grantId, vaultId, revision: 1, createdAtMs: nowMs,
    nameSealed: randomBytes(9), cardSealed: randomBytes(9),
  })
  await world.db.insert(people).values({ id, grantId, tagKey: randomBytes(32), createdAtMs: nowMs })
  return id
}

for (const engines of ENGINES) {
  t.test(`the log on ${engines} engines`, async (t) => {
    const { world } = await startWorld(t, { engines })
    await checkLog(t, world, { events: [] })

    const vaultId = await makeVault(world)
    const partyId = await makePerson(world, vaultId)
    const place = { vault: vaultId, party: partyId }
    const pair = [makeEvent(world, place), makeEvent(world, place)]
    await insertEvents(world.db, pair)
    const receipts = await world.sequencer.published(pair.map(({ id }) => id))
    t.same(receipts.map(({ index }) => index), [2, 3], 'in the order of the statement')
    for (const [at, { proof }] of receipts.entries()) {
      const verified = verifyProof(proof, policyOfLog(world.keys.log.vkey))
      t.equal(verified.event.id, pair[at]?.id, 'the receipt proves the event')
    }
    t.same((await world.sequencer.proofFor(pair[0]?.id ?? ''))?.index, 2, 'and can be had again')
    t.same(await world.sequencer.published(pair.map(({ id }) => id).reverse()), [...receipts].reverse(), 'asked again, answered again')
    t.equal(await world.sequencer.proofFor(uuidv7()), undefined, 'an unknown event has no proof')
    await checkLog(t, world, { events: ['export.made', 'export.made', 'export.made'] })
  })

  t.test(`700 events by 20 writers at once on ${engines} engines`, async (t) => {
    const { world, logLines } = await startWorld(t, { engines })
    const vaults = [await makeVault(world), await makeVault(world)]
    await Promise.all(Array.from({ length: 20 }, async (_, writer) => {
      for (let step = 0; step < 35; step++) {
        const vault = vaults[(writer + step) % 3]
        const event = makeEvent(world, vault === undefined ? {} : { vault })
        await insertEvents(world.db, [event])
        const [receipt] = await world.sequencer.published([event.id])
        verifyProof(receipt?.proof ?? '', policyOfLog(world.keys.log.vkey))
      }
    }))
    t.equal((await world.sequencer.current()).size, 703)
    t.same(logLines.filter((line) => line.includes('stumbled')), [], 'without a stumble')
    await checkLog(t, world)
  })

  t.test(`entries that were committed and never published, on ${engines} engines`, async (t) => {
    const first = await startWorld(t, { engines, isOnDisk: true })
    const events = Array.from({ length: 300 }, () => makeEvent(first.world))
    // As if the process had died right after the commit: the writes after it fail.
    const { bucket } = first.world
    const replace = bucket.replace.bind(bucket)
    bucket.replace = async () => { throw new Error('the power is gone') }
    await insertEvents(first.world.db, events)
    first.world.sequencer.wake()
    await untilHead(first.world, 301)
    t.equal((await first.world.db.select().from(tlogPublished))[0]?.size, 1, 'nothing is published')
    bucket.replace = replace

    const second = await first.restart()
    t.equal((await second.world.sequencer.published(events.map(({ id }) => id))).length, 300)
    await checkLog(t, second.world, { events: events.map(({ type }) => type) })
  })

  t.test(`a database older than the published checkpoint, on ${engines} engines`, async (t) => {
    const first = await startWorld(t, { engines, isOnDisk: true })
    const events = [makeEvent(first.world), makeEvent(first.world)]
    await insertEvents(first.world.db, events)
    await first.world.sequencer.published(events.map(({ id }) => id))
    await first.world.sequencer.stop()
    const [head] = await first.world.database.logDb.select().from(tlogHead)

    await setHead(first.world, { size: 2 })
    await t.rejects(startSequencer(first.world), LogContradiction, 'is refused')
    await t.rejects(startSequencer(first.world), /ends at entry 2, but 3 entries are published.*fsck --repair/)
    await setHead(first.world, { size: 3, root: randomBytes(32) })
    await t.rejects(startSequencer(first.world), /not those that were published/, 'and so is another history')
    await setHead(first.world, { size: 3, root: head?.root ?? randomBytes(32) })
    const again = await startSequencer(first.world)
    await again.stop()
  })

  t.test(`a log that cannot publish, on ${engines} engines`, async (t) => {
    const { world } = await startWorld(t, { engines, settings: { LOG_WAIT_TIMEOUT_MS: '600' } })
    const put = world.bucket.put.bind(world.bucket)
    world.bucket.put = async () => { throw new Error('the bucket is away') }
    const event = makeEvent(world)
    await insertEvents(world.db, [event])
    await t.rejects(world.sequencer.published([event.id]), new Refusal('log-unavailable'), 'nobody is answered')
    t.throws(() => { world.sequencer.requireWorking() }, 'and it says so')
    world.bucket.put = put
    await t.resolves(retry(() => world.sequencer.published([event.id])), 'it heals by itself')
    world.sequencer.requireWorking()
    await checkLog(t, world, { events: ['admin.acted'] })
  })
}

t.test('two instances on one database and bucket', async (t) => {
  const { world } = await startWorld(t, { engines: 'real' })
  const other = await startSequencer(world)
  const events = Array.from({ length: 40 }, () => makeEvent(world))
  await Promise.all(events.map(async (event, at) => {
    await insertEvents(world.db, [event])
    await (at % 2 === 0 ? world.sequencer : other).published([event.id])
  }))
  await checkLog(t, world, { events: events.map(({ type }) => type) })

  await world.sequencer.stop()
  const late = makeEvent(world)
  await insertEvents(world.db, [late])
  t.equal((await other.published([late.id]))[0]?.index, 41, 'the other takes over')
  const types = [...events, late].map(({ type }) => type)
  await checkLog(t, { ...world, sequencer: other }, { events: types })
  await other.stop()
})

t.test('a published file with other bytes stops the log', async (t) => {
  const { world } = await startWorld(t, { settings: { LOG_WAIT_TIMEOUT_MS: '300' } })
  await world.bucket.put(`${world.keys.log.prefix}/tile/0/000.p/2`, randomBytes(64))
  const event = makeEvent(world)
  await insertEvents(world.db, [event])
  await t.rejects(world.sequencer.published([event.id]), new Refusal('log-unavailable'))
  t.throws(() => { world.sequencer.requireWorking() })
})

t.test('entries are kept as they are', async (t) => {
  for (const engines of ENGINES) {
    const { world } = await startWorld(t, { engines })
    await t.rejects(world.database.logDb.update(auditEntry).set({ entry: randomBytes(65) }), `no update on ${engines}`)
    await t.rejects(world.database.logDb.delete(auditEntry), `no delete on ${engines}`)
  }
})

t.test('the role of requests cannot touch the log', async (t) => {
  const { world } = await startWorld(t, { engines: 'real' })
  await t.rejects(world.db.insert(auditEntry).values({ index: 9, eventId: uuidv7(), entry: randomBytes(65) }), /Failed query/)
  await t.rejects(world.db.update(tlogHead).set({ size: 9 }), /Failed query/)
  await t.rejects(world.db.update(tlogPublished).set({ size: 9 }), /Failed query/)
  await checkLog(t, world, { events: [] })
})

async function setHead(world: World, head: { size: number, root?: Uint8Array }): Promise<void> {
  await world.database.logDb.update(tlogHead).set(head)
}

async function untilHead(world: World, size: number): Promise<void> {
  await retry(async () => {
    const [head] = await world.db.select().from(tlogHead)
    if (head?.size !== size) throw new Error(`the head is at ${head?.size}`)
  })
}

async function retry<T>(action: () => Promise<T>): Promise<T> {
  for (let attempt = 0; attempt < 40; attempt++) {
    try {
      return await action()
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }
  return await action()
}
