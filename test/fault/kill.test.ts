// Goal: killed at any moment, the server loses nothing that it has answered: an upload goes on from the parts that
// are there, a signature is wholly there or not at all, and the log is one that anybody can check.
// Method: the built program, SIGKILL in the middle of a part and within the time that a signature takes, and a new start on the
// same folder, again and again; after each the whole log is read from the disk.
import { hash, randomBytes, randomInt } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import t, { type Test } from 'tap'
import type { EventList, PersonList, Release, StoredVersion, Upload } from '../../protocol/api.js'
import { encodeBase64Url, equalBytes } from '../../protocol/bytes.js'
import { PART_SIZE_BYTES } from '../../protocol/limits.js'
import { policyOfLog } from '../../protocol/log/policy.js'
import { verifyLog } from '../../protocol/log/whole-log.js'
import { ready } from '../../protocol/sodium.js'
import { Investor } from '../helpers/investor.js'
import { Founder, type Answer, type BegunUpload, type Link } from '../helpers/people.js'
import { startServer, type Server, type ServerOptions } from '../helpers/server.js'

const UPLOAD_ROUNDS = 2
/** Each is a start of the whole program; the log's own steps are met in log.test.ts. */
const SIGNATURE_ROUNDS = 4
const SIGNATURE_ROUNDS_REAL = 2
const MIN_WINDOW_MS = 60
const TIMEOUT_MS = 800_000
const SETTINGS = { EMAIL_CODES_PER_NETWORK: '1000' }

await ready()

/** Sends, kills after a moment, starts again. @returns the answer, if it came in time. */
async function killsAmid(
  server: Server, afterMs: number, send: () => Promise<Answer>,
): Promise<Answer | null> {
  const sending = send().catch((error: unknown) => {
    if (error instanceof TypeError) return null // The line broke.
    throw error
  })
  await delay(afterMs)
  await server.kill()
  const answer = await sending
  await server.start()
  return answer
}

/** Every entry and tile on the disk, against the signed root. */
async function checksLog(server: Server): Promise<bigint> {
  const year = server.world.keys.log.origin.split('/').at(-1) ?? ''
  const folder = join(server.dataFolder, 'bucket', 'log', year)
  const read = async (path: string): Promise<Uint8Array | null> => {
    try {
      return await readFile(join(folder, path))
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
      throw error
    }
  }
  const { checkpoint } = await verifyLog(read, policyOfLog(server.vkey))
  return checkpoint.size
}

async function putsPart(founder: Founder, begun: BegunUpload, index: number): Promise<Answer> {
  const bytes = begun.parts[index] ?? new Uint8Array()
  const sha256 = encodeBase64Url(hash('sha256', bytes, 'buffer'))
  const url = `/api/uploads/${begun.upload.versionId}/parts/${index}`
  return await founder.asks('PUT', url, bytes, { 'x-content-sha256': sha256 })
}

t.test('a server killed in the middle of an upload', { timeout: TIMEOUT_MS }, async (t) => {
  const server = await startServer(t, { settings: SETTINGS })
  const founder = await new Founder(server).signsUp()
  const vault = await founder.makesVault()
  const file = randomBytes(UPLOAD_ROUNDS * PART_SIZE_BYTES)
  const begun = await founder.beginsUpload(vault, { file })
  t.equal(begun.parts.length, UPLOAD_ROUNDS + 1)

  const answered: number[] = []
  for (let round = 0; round < UPLOAD_ROUNDS; round++) {
    const afterMs = randomInt(MIN_WINDOW_MS)
    const answer = await killsAmid(server, afterMs, () => putsPart(founder, begun, round))
    if (answer?.statusCode === 200) answered.push(round)
    const { parts } = await founder.gets<Upload>(`/api/uploads/${begun.upload.versionId}`)
    const stored = parts.filter(({ isStored }) => isStored).map(({ index }) => index)
    t.same(answered.filter((index) => !stored.includes(index)), [], 'no part that was answered is gone')
    if (!stored.includes(round)) t.equal((await putsPart(founder, begun, round)).statusCode, 200, 'a part that was cut off is taken again')
    await checksLog(server)
  }

  const { parts } = await founder.gets<Upload>(`/api/uploads/${begun.upload.versionId}`)
  t.same(parts.filter(({ isStored }) => !isStored).map(({ index }) => index), [UPLOAD_ROUNDS], 'only the last part is to be sent')
  await founder.sendsParts(begun)
  const stored = await founder.posts<StoredVersion>(`/api/uploads/${begun.upload.versionId}/complete`, founder.record(begun))
  for (const [index, part] of begun.parts.entries()) {
    const start = index * PART_SIZE_BYTES
    const { rawPayload } = await founder.does('GET', `/api/versions/${stored.versionId}/payload`, undefined, { range: `bytes=${start}-${start + part.length - 1}` })
    t.ok(equalBytes(rawPayload, part), 'what comes back is what was sealed')
  }
})

interface Signing {
  readonly founder: Founder
  readonly investor: Investor
  readonly link: Link
}

/** The types of what the log holds about this person, in order. */
async function listEvents({ founder, investor, link }: Signing): Promise<string[]> {
  const { people } = await founder.gets<PersonList>(`/api/vaults/${link.vaultId}/people?limit=100`)
  const personId = people.find(({ email }) => email === investor.email)?.personId ?? ''
  const url = `/api/vaults/${link.vaultId}/events?personId=${personId}&limit=100`
  const { events } = await founder.gets<EventList>(url)
  return events.map(({ type }) => type).reverse()
}

/** What a signature leaves: the acceptance first, then open slides and whole deck, as they are opened by it. */
const EARNED = ['nda.accepted', 'header.released', 'header.released']

/** A signature that nobody disturbs. @returns how long it took, and half as long again. */
async function measuresSignature(server: Server, link: Link): Promise<number> {
  const investor = new Investor(server, { name: 'Grace', email: 'grace@fund.example' })
  await investor.enters(link)
  const acceptance = await investor.acceptanceFor(link)
  const startMs = performance.now()
  await investor.asksToAccept(link, acceptance)
  return Math.max(MIN_WINDOW_MS, Math.ceil(1.5 * (performance.now() - startMs)))
}

/** Numbers in the log, which are for ever. */
function placesOf({ receipts }: Release): string[] {
  return receipts.map(({ eventType, proof }) => `${eventType} ${/^index \d+$/m.exec(proof)?.[0] ?? 'nowhere'}`)
}

async function survivesSignatures(t: Test, options: ServerOptions, rounds: number): Promise<void> {
  const server = await startServer(t, { ...options, settings: SETTINGS })
  const founder = await new Founder(server).signsUp()
  const link = await founder.sharesDeck()
  const windowMs = await measuresSignature(server, link)
  const outcomes = { answered: 0, kept: 0, lost: 0 }

  for (let round = 0; round < rounds; round++) {
    const investor = new Investor(server, { name: `Grace ${round}`, email: `grace${round}@fund.example` })
    await investor.enters(link)
    const acceptance = await investor.acceptanceFor(link)
    const signing = { founder, investor, link }
    // Somewhere in its own part of the window, so that a few rounds meet the whole of it.
    const afterMs = (round + randomInt(1_000) / 1_000) * windowMs / rounds
    const { length: knownCount } = await listEvents(signing)
    const answer = await killsAmid(server, afterMs, () => investor.asksToAccept(link, acceptance))
    const before = (await listEvents(signing)).slice(knownCount)
    t.ok([0, EARNED.length].includes(before.length), `wholly there or not at all: ${before.join(', ') || 'nothing'}`)
    if (answer?.statusCode === 201) outcomes.answered++
    else outcomes[before.length > 0 ? 'kept' : 'lost']++

    const again = await investor.asksToAccept(link, acceptance)
    t.equal(again.statusCode, 201, 'the same note is taken again')
    t.same((await listEvents(signing)).slice(knownCount), EARNED, 'and stands in the log once')
    if (answer?.statusCode === 201) t.same(placesOf(again.json<Release>()), placesOf(answer.json<Release>()), 'with the receipt that was given before')
    const headers = again.json<Release>().headers
    t.ok(headers.length > 0 && headers.every((header) => investor.opens(link, header) !== null), 'the key opens the deck')
    if (options.engines !== 'real') await checksLog(server)
  }
  t.comment(`${outcomes.answered} were answered, ${outcomes.kept} kept without an answer, ${outcomes.lost} never began`)
  t.ok(outcomes.answered < rounds, 'not all of them were answered in time')
}

t.test('a server killed in the middle of a signature', { timeout: TIMEOUT_MS }, async (t) => {
  await survivesSignatures(t, {}, SIGNATURE_ROUNDS)
})

t.test('the same on PostgreSQL and S3', { timeout: TIMEOUT_MS }, async (t) => {
  await survivesSignatures(t, { engines: 'real' }, SIGNATURE_ROUNDS_REAL)
})
