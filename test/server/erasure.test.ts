// Goal: a hundred erasures leave every other proof valid, and nothing of the erased can be confirmed by
// whoever has the whole database and the log, and tries all addresses there are.
// Method: two investors through the real app and 108 with rows like theirs, on both sets of engines; 100
// are erased; the log is checked whole; then everything left is searched for each address in plain and
// in the forms that give it away, and each salt left is tried with each address. The same search
// before finds them.
import { createHash, randomBytes } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { sql } from 'drizzle-orm'
import t, { type Test } from 'tap'
import { uuidv7 } from 'uuidv7'
import { queryRows } from '../../db/client.js'
import { insertEvents } from '../../db/queries/outbox.js'
import { acceptances, auditOpening, devices, people } from '../../db/schema.js'
import { encodeHex, encodeUtf8 } from '../../protocol/bytes.js'
import { encodeDetails, formatTime, sealEvent } from '../../protocol/log/event.js'
import { policyOfLog } from '../../protocol/log/policy.js'
import { verifyProof } from '../../protocol/log/proof.js'
import { Refusal } from '../../protocol/refusals.js'
import { eraseFromInstance } from '../../scripts/admin/erase.js'
import { checkWholeLog } from '../../server/log-check.js'
import { erasePerson } from '../../server/use-cases/erase-person.js'
import type { World } from '../../server/world.js'
import { Investor } from '../helpers/investor.js'
import { Founder, type Link } from '../helpers/people.js'
import { ENGINES, startWorld } from '../helpers/world.js'

const PERSON_COUNT = 108
const ERASED_COUNT = 98
const AT_ONCE = 7

interface Written { readonly id: string, readonly email: string, readonly name: string }

function personOf(number: number): Written {
  return { id: uuidv7(), email: `person${number}@fund.example`, name: `Ada Lovelace the ${number}th` }
}

/** Rows as a signature leaves them. @returns the events' ids. */
async function signAs(
  world: World, { grantId, vaultId: vault }: Link, { id, email, name }: Written,
): Promise<string[]> {
  const [nowMs, deviceId] = [world.clock.nowMs(), uuidv7()]
  const at = formatTime(nowMs)
  const base = { log: world.keys.log.origin, at, actor: `person/${id}`, vault, party: id, grant: grantId }
  const note = `accepted by ${name} <${email}> ${randomBytes(32).toString('hex')}\n`
  const events = [
    sealEvent({ ...base, type: 'email.verified', id: uuidv7() }, { email, name }),
    sealEvent({ ...base, type: 'nda.declined', id: uuidv7(), agreementSha256: 'a'.repeat(64) }, { email, name, note, address: '10.0.0.1' }),
  ]
  await world.db.insert(people).values({ id, grantId, email, name, organisation: `${name} Ltd`, tagKey: randomBytes(32), createdAtMs: nowMs })
  await world.db.insert(devices).values({
    id: deviceId, personId: id, grantId, signingPublicKey: randomBytes(32), recipient: 'age1pq1x', recipientSha256: randomBytes(32),
    enrolmentNote: note, eventId: uuidv7(), createdAtMs: nowMs,
  })
  await world.db.insert(acceptances).values({
    id: uuidv7(), vaultId: vault, grantId, revision: 1, personId: id, deviceId, ndaSha256: randomBytes(32), note, status: 'accepted',
    sha256: createHash('sha256').update(note).digest(), eventId: uuidv7(), createdAtMs: nowMs,
  })
  await insertEvents(world.db, events)
  return events.map((event) => event.id)
}

/** Every row of every table as text, and every mail that lies in the folder. */
async function readEverything(world: World): Promise<string> {
  const tables = await queryRows(world.db, sql`select table_name from information_schema.tables where table_schema = 'public'`)
  const texts: string[] = []
  for (const { table_name: table } of tables) {
    const rows = await queryRows(world.db, sql.raw(`select t::text as row from "${String(table)}" t`))
    texts.push(...rows.map(({ row }) => String(row)))
  }
  for (const name of await readdir(world.config.outboxFolder).catch(() => [])) {
    texts.push(await readFile(`${world.config.outboxFolder}/${name}`, 'utf8'))
  }
  return texts.join('\n').toLowerCase()
}

/** What gives an address away to who tries it. */
function tracesOf(text: string): string[] {
  const hashes = ['sha256', 'sha512', 'sha1', 'md5'].map((name) => createHash(name).update(text).digest('hex'))
  const bytes = Buffer.from(text)
  const encoded = [bytes.toString('hex'), bytes.toString('base64').slice(0, -4)]
  return [text, ...encoded, ...hashes].map((trace) => trace.toLowerCase())
}

function findTraces(everything: string, { id, email, name }: Written): string[] {
  return [email, name].flatMap(tracesOf).filter((trace) => everything.includes(trace)).map((trace) => `${id}: ${trace}`)
}

/** Guess details and events: each 32 bytes left, taken as a salt, with what is known of whoever has an address. */
function confirmByGuess(everything: string, persons: readonly Written[]): number {
  const known = listCommitments(everything)
  const found = everything.match(/(?<=\\x)[0-9a-f]{64}(?![0-9a-f])/g) ?? []
  const salts = [...new Set(found)].map((hex) => Buffer.from(hex, 'hex'))
  const guesses = persons.map(({ email, name }) => encodeDetails({ email, name }))
  const labels = ['details', 'event-commitment'].map((label) => encodeUtf8(`sealdeck/${label}/v1\n`))
  let count = 0
  for (const salt of salts) {
    for (const guess of guesses) {
      for (const label of labels) {
        const commitment = createHash('sha256').update(label).update(salt).update(guess).digest('hex')
        if (known.has(commitment)) count++
      }
    }
  }
  return count
}

/** In entries behind their version; in event bytes, which are hex here, as text after the field's name. */
function listCommitments(everything: string): ReadonlySet<string> {
  const ofEvents = everything.matchAll(/\\x01([0-9a-f]{64})[0-9a-f]{64}(?![0-9a-f])/g)
  const field = encodeHex(encodeUtf8('"details":"'))
  const ofDetails = everything.matchAll(new RegExp(`${field}([0-9a-f]{128})`, 'g'))
  return new Set([
    ...[...ofEvents].map(([, hex]) => hex ?? ''),
    ...[...ofDetails].map(([, hex]) => Buffer.from(hex ?? '', 'hex').toString()),
  ])
}

async function prove(t: Test, world: World, eventIds: readonly string[]): Promise<void> {
  for (const eventId of eventIds) {
    const proof = await world.sequencer.proofFor(eventId)
    t.equal(verifyProof(proof?.proof ?? '', policyOfLog(world.keys.log.vkey)).event.id, eventId)
  }
}

for (const engines of ENGINES) {
  t.test(`a hundred erasures on ${engines} engines`, async (t) => {
    const test = await startWorld(t, { engines, settings: { EMAIL_CODES_PER_NETWORK: '1000' } })
    const { world } = test
    const founder = new Founder(test)
    await founder.signsUp()
    const link = await founder.sharesDeck()
    const [gone, kept] = [
      new Investor(test, { name: 'Grace Hopper', email: 'grace@fund.example' }), new Investor(test, { name: 'Mary Shelley', email: 'mary@fund.example' }),
    ]
    for (const investor of [gone, kept]) {
      await investor.enters(link)
      await investor.signsNda(link)
    }
    const persons = Array.from({ length: PERSON_COUNT }, (_, number) => personOf(1000 + number))
    const eventIds = new Map<string, string[]>()
    for (const person of persons) {
      eventIds.set(person.id, await signAs(world, link, person))
    }
    await world.sequencer.published([...eventIds.values()].flat())

    const erased = persons.slice(0, ERASED_COUNT)
    const others = persons.slice(ERASED_COUNT)
    const before = await readEverything(world)
    t.ok(erased.every((person) => findTraces(before, person).length > 0), 'before, the search finds everybody')
    t.ok(confirmByGuess(before, erased) >= ERASED_COUNT, 'and guessing confirms them')
    const [grace] = await world.db.select().from(people).where(sql`email = ${gone.email}`)
    const held = await world.sequencer.proofFor(eventIds.get(erased[0]?.id ?? '')?.[0] ?? '')

    const lines: string[] = []
    const out = (line: string) => { lines.push(line) }
    const terminal = { out, err: () => {}, isWatched: false }
    for (let start = 0; start < erased.length; start += AT_ONCE) {
      await Promise.all(erased.slice(start, start + AT_ONCE).map(async ({ id, email }, at) =>
        await erasePerson(world, at % 2 === 0 ? { email } : { personId: id })))
    }
    const personId = grace?.id ?? ''
    const { personCount, eventCount } = await erasePerson(world, { personId })
    t.equal(personCount, 1)
    t.ok(eventCount >= 3, 'verification, enrolment, acceptance, release')
    await world.sequencer.stop()
    t.equal(await eraseFromInstance(world, ['--person', 'MARY@fund.example'], terminal), 0, 'and by the command')
    t.match(lines[0], /^ERASED: 1 person, [3-9] events/)
    t.equal(await eraseFromInstance(world, ['--person', 'nobody@fund.example'], terminal), 1)

    const report = await checkWholeLog(world)
    t.same(report.problems, [], 'the whole log is right')
    t.ok(report.erasedCount >= 2 * ERASED_COUNT + 6)
    const after = await readEverything(world)
    t.same(erased.flatMap((person) => findTraces(after, person)), [], 'no trace is left')
    const real = [gone, kept].map(({ email, name }) => ({ id: name, email, name }))
    t.same(real.flatMap((person) => findTraces(after, person)), [], 'nor of those who really came')
    t.equal(confirmByGuess(after, [...erased, ...real]), 0, 'and nothing can be confirmed by trying')
    t.ok(others.every((person) => findTraces(after, person).length > 0), 'the others are still there')
    verifyProof(held?.proof ?? '', policyOfLog(world.keys.log.vkey))
    await prove(t, world, others.flatMap(({ id }) => eventIds.get(id) ?? []))
    const types = await world.db.select({ type: auditOpening.type }).from(auditOpening)
    const told = types.filter(({ type }) => type === 'erasure.done')
    t.equal(told.length, 100, 'the log says a hundred times that it was done')

    t.same(await erasePerson(world, { personId }), { personCount: 1, eventCount: 0 }, 'again does nothing')
    await t.rejects(erasePerson(world, { email: gone.email }), new Refusal('not-found'), 'the address is gone')
    t.equal((await gone.asksToReturn(link)).statusCode, 403, 'her device opens nothing any more')
  })
}
