// Goal: checkpoints are cosigned in the background by whoever of WITNESSES answers rightly; nothing else counts,
// and nothing that a witness does or leaves undone holds up the log.
// Method: the client against answers of every kind, from a server that lies; then the real server with three of
// our own witnesses as processes, one of which is killed and comes back.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { uuidv7 } from 'uuidv7'
import { getPublished } from '../../db/queries/log.js'
import { insertEvents } from '../../db/queries/outbox.js'
import type { Config, GrantSummary, Receipt, Release } from '../../protocol/api.js'
import { decodeBase64Url, decodeUtf8 } from '../../protocol/bytes.js'
import { formatTime, sealEvent } from '../../protocol/log/event.js'
import {
  cosigner, ed25519Signer, formatVkey, parseNote, type NoteKey,
} from '../../protocol/log/note.js'
import { parsePolicy, parseWitnesses, verifyCheckpoint } from '../../protocol/log/policy.js'
import { verifyProof } from '../../protocol/log/proof.js'
import { formatCosignatures } from '../../protocol/log/witness.js'
import { randomBytes, ready } from '../../protocol/sodium.js'
import { SettingError } from '../../server/config.js'
import { askWitness, WitnessFailure } from '../../server/witness-client.js'
import { startSequencer } from '../../server/sequencer.js'
import { openWitnessPolicy } from '../../server/witness-policy.js'
import { startWitnesses } from '../../server/witnesses.js'
import type { World } from '../../server/world.js'
import { makeFolder, removeFolder } from '../helpers/engine.js'
import { Investor } from '../helpers/investor.js'
import { takeMail } from '../helpers/mailbox.js'
import { Founder, type Link } from '../helpers/people.js'
import { makeLogKey, startWitness, writePolicy, type RunningWitness } from '../helpers/witness.js'
import { checkLog, startWorld, type Engines, type TestWorld } from '../helpers/world.js'
import {
  listedEntry, LOG_SEED, LOG_VKEY, ORIGIN, WITNESS_NAME, WITNESS_SEED, WITNESS_VKEY,
} from '../protocol/log/worked-example.js'
import { WrittenLog } from '../protocol/log/written-log.js'

await ready()

/** Long for an answer on a machine that does ten things at once. */
const TIMEOUT_MS = 1_000
const PATIENCE_MS = 60_000
const signer = ed25519Signer(ORIGIN, LOG_SEED)
const log = { origin: ORIGIN, vkey: LOG_VKEY, signer, signers: [signer], prefix: 'log/2026' }
const ours = { keys: { log, logs: [log] }, logs: { list: () => [] } }

type Respond = (body: string, response: ServerResponse) => void

/** Somebody at the witness's address who answers as told. */
async function startLiar(t: Test, respond: Respond): Promise<string> {
  const server = createServer((request, response) => {
    void readText(request).then((body) => { respond(body, response) })
  })
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve) })
  t.teardown(() => { server.closeAllConnections(); server.close() })
  const address = server.address()
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/w`
}

async function readText(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = []
  for await (const part of request) parts.push(Buffer.from(part))
  return Buffer.concat(parts).toString()
}

/** The checkpoint as the log signs it, without anybody's cosignature. */
function plainOf(written: WrittenLog): string {
  const { text } = parseNote(written.checkpoint)
  return `${text}\n${written.checkpoint.split('\n')[4]}\n`
}

function writeLog(count: number): WrittenLog {
  const written = new WrittenLog()
  written.append(Array.from({ length: count }, (_, at) => listedEntry(at)))
  return written
}

t.test('an answer counts only if it is in time, small and signed by the witness\'s key', async (t) => {
  const written = writeLog(300)
  const current = { size: 300, checkpoint: plainOf(written) }
  const { key, ...rest } = cosigner(WITNESS_NAME, WITNESS_SEED, () => 1_795_357_868)
  const lines = formatCosignatures(current.checkpoint, [{ key, ...rest }])
  const stranger = cosigner('other.example', randomBytes(32), () => 1)
  const foreign = formatCosignatures(current.checkpoint, [stranger])

  async function ask(respond: Respond, by: NoteKey = key): Promise<string> {
    const submitUrl = `${await startLiar(t, respond)}/add-checkpoint`
    try {
      return await askWitness({ name: 'w', key: by, submitUrl }, {
        current, oldSize: 0, read: written.read, timeoutMs: TIMEOUT_MS,
        signal: new AbortController().signal,
      })
    } catch (error) {
      if (error instanceof WitnessFailure) return error.reason
      throw error
    }
  }
  function answer(status: number, body: string): Respond {
    return (_, response) => { response.writeHead(status).end(body) }
  }

  t.equal(await ask(answer(200, lines)), `${current.checkpoint}${lines}`)
  t.equal(await ask(answer(200, `${foreign}${lines}${lines}`)), `${current.checkpoint}${lines}`, 'strangers\' lines and repeats are left out')
  const bodies: string[] = []
  t.equal(await ask((body, response) => {
    bodies.push(body)
    const isFirst = bodies.length === 1
    response.writeHead(isFirst ? 409 : 200).end(isFirst ? '256\n' : lines)
  }), `${current.checkpoint}${lines}`)
  t.match(bodies[0], /^old 0\n\n/, 'asking from 0 is how the size is learnt')
  t.match(bodies[1], /^old 256\n(?:[A-Za-z0-9+/]{43}=\n)+\n/, 'then the proof begins where the witness is')

  const wrong: [string, Respond, string][] = [
    ['refused', answer(422, ''), 'it says that the tree did not grow'],
    ['refused', answer(403, ''), 'it does not know the key'],
    ['refused', answer(404, ''), 'it does not know the log'],
    ['refused', answer(500, ''), 'it is broken'],
    ['refused', answer(409, '7\n'), 'it tells a size, whatever it is sent'],
    ['ahead', answer(409, '301\n'), 'it has seen more than there is'],
    ['malformed', answer(409, '7'), 'no line feed'],
    ['malformed', answer(409, '07\n'), 'a leading zero'],
    ['malformed', answer(409, ''), 'no size'],
    ['unsigned', answer(200, ''), 'no line'],
    ['unsigned', answer(200, foreign), 'another key'],
    ['unsigned', answer(200, lines.replace('3xwKNQAAAABr', '3xwKNQAAAABs')), 'a wrong time'],
    ['unsigned', answer(200, 'hello\n'), 'no signature line'],
    ['malformed', answer(200, `${lines}${'x'.repeat(20_000)}\n`), 'too long'],
    ['malformed', (_, response) => { response.end(Buffer.of(0xff, 0xfe)) }, 'not text'],
    ['unreachable', (_, response) => { response.writeHead(302, { location: '/elsewhere' }).end() }, 'it sends us elsewhere'],
    ['unreachable', () => undefined, 'it says nothing'],
    ['unreachable', (_, response) => { response.writeHead(200).write(lines.slice(0, 20)) }, 'it drips'],
    ['unreachable', (_, response) => { response.destroy() }, 'it hangs up'],
  ]
  for (const [reason, respond, what] of wrong) t.equal(await ask(respond), reason, what)
  const other = cosigner(WITNESS_NAME, randomBytes(32), () => 1).key
  t.equal(await ask(answer(200, lines), other), 'unsigned', 'the same name with another key')
})

t.test('WITNESSES is read strictly, and a wrong one is said to be wrong', async (t) => {
  const folder = await makeFolder('policy')
  t.teardown(() => removeFolder(folder))
  const path = join(folder, 'witnesses.txt')
  const open = async (text: string | Uint8Array) => {
    await writeFile(path, text)
    return await openWitnessPolicy({ witnessesFile: path }, ours)
  }
  const line = `witness w ${WITNESS_VKEY} http://127.0.0.1:9/sub/`
  t.equal(await openWitnessPolicy({ witnessesFile: undefined }, ours), undefined)
  const read = await open(`# ours\nlog ${LOG_VKEY}\n${line}\ngroup g 1 w\nquorum g\n`)
  t.equal(read?.text, `witness w ${WITNESS_VKEY}\ngroup g 1 w\nquorum g\n`, 'without log and address')
  t.equal(read?.members[0]?.submitUrl, 'http://127.0.0.1:9/sub/add-checkpoint')
  t.equal(read?.quorumCount, 1)
  t.same(parseWitnesses(read?.text ?? '', LOG_VKEY).quorum, 'g')

  const own = cosigner('w', LOG_SEED, () => 1).key
  const foreignLog = ed25519Signer('other.example', randomBytes(32)).key
  const many = Array.from({ length: 17 }, (_, at) => {
    const { key } = cosigner(`w${at}`, randomBytes(32), () => 1)
    return `witness w${at} ${formatVkey(key)} http://127.0.0.1:9\n`
  })
  const wrong: [RegExp, string | Uint8Array][] = [
    [/no quorum line/, `${line}\n`],
    [/quorum of none/, `${line}\nquorum none\n`],
    [/line 1/, 'witness w nonsense http://127.0.0.1:9\nquorum w\n'],
    [/line 2/, `${line}\ngroup g 2 w\nquorum g\n`],
    [/no last newline/, `${line}\nquorum w`],
    [/needs an address/, `witness w ${WITNESS_VKEY}\nquorum w\n`],
    [/must start with http/, `witness w ${WITNESS_VKEY} ftp://127.0.0.1/\nquorum w\n`],
    [/must start with http/, `witness w ${WITNESS_VKEY} http://a:b@127.0.0.1/\nquorum w\n`],
    [/must start with http/, `witness w ${WITNESS_VKEY} http://127.0.0.1/?x\nquorum w\n`],
    [/another log/, `log ${formatVkey(foreignLog)}\n${line}\nquorum w\n`],
    [/own key is no witness/, `witness w ${formatVkey(own)} http://127.0.0.1:9\nquorum w\n`],
    [/at most 16/, `${many.join('')}quorum w0\n`],
    [/malformed/, Buffer.of(0xff)],
  ]
  for (const [what, text] of wrong) {
    await t.rejects(open(text), new SettingError(''), String(what))
    await t.rejects(open(text), what)
  }
  await t.rejects(openWitnessPolicy({ witnessesFile: join(folder, 'absent') }, ours), /WITNESSES: .* cannot be read/)
})

// ---- With our own witnesses ----

async function logSomething(world: World): Promise<string> {
  const event = sealEvent({
    type: 'admin.acted', id: uuidv7(), log: world.keys.log.origin, at: formatTime(world.clock.nowMs()), actor: 'server', action: 'test',
  })
  await insertEvents(world.db, [event])
  await world.sequencer.published([event.id])
  return event.id
}

async function until(what: string, isSo: () => Promise<boolean> | boolean): Promise<void> {
  const endsAtMs = performance.now() + PATIENCE_MS
  while (performance.now() < endsAtMs) {
    if (await isSo()) return
    await new Promise((resolve) => setTimeout(resolve, 25))
  }
  throw new Error(`not in time: ${what}`)
}

interface Stand { readonly test: TestWorld, readonly witnesses: readonly RunningWitness[] }

/** A server whose log three witnesses cosign, two of which are enough. */
async function startStand(
  t: Test, settings: Record<string, string> = {}, engines: Engines = 'embedded',
): Promise<Stand> {
  const folder = await makeFolder('policy')
  t.teardown(() => removeFolder(folder))
  const { LOG_KEY, vkey } = makeLogKey('localhost:4870/log/2026')
  const witnesses = await Promise.all(
    ['north', 'south', 'west'].map((name) => startWitness(t, name, vkey)))
  const test = await startWorld(t, { engines, settings: {
    LOG_KEY, WITNESSES: await writePolicy(folder, witnesses, 2), WITNESS_INTERVAL_MS: '50',
    ...settings,
  } })
  return { test, witnesses }
}

t.test('two of three witnesses are enough, and one that comes back catches up', async (t) => {
  const { test: { world, app, logLines }, witnesses } = await startStand(t)
  const [first, second, third] = witnesses
  const policy = world.witnesses.policy?.policy
  if (first === undefined || second === undefined || third === undefined) throw new Error('three')
  if (policy === undefined) throw new Error('there is one')
  const cosignersOf = (note: string) => verifyCheckpoint(note, policy).cosignatures
  const shown = async () => {
    const bytes = await world.bucket.read(`${world.keys.log.prefix}/checkpoint`)
    return decodeUtf8(bytes ?? new Uint8Array())
  }
  const cosignersOfShown = (note: string) =>
    verifyCheckpoint(note, { ...policy, quorum: null }).cosignatures.length

  const eventId = await logSomething(world)
  const { index } = await world.sequencer.proofFor(eventId) ?? { index: -1 }
  const cosigned = await world.witnesses.cosigned(index, policy)
  t.ok(cosigned.size > index && cosignersOf(cosigned.checkpoint).length >= 2)
  await until('all three on the newest checkpoint', async () => cosignersOfShown(await shown()) === 3)
  const [proof] = await world.sequencer.proofsUnder([eventId], cosigned)
  t.equal(verifyProof(proof?.proof ?? '', policy).event.id, eventId, 'the receipt satisfies the policy')
  await checkLog(t, world)

  await third.kill()
  const size = (await world.witnesses.newest()).size
  await logSomething(world)
  await until('two of three', async () => (await world.witnesses.newest()).size > size)
  t.equal(cosignersOf((await world.witnesses.newest()).checkpoint).length, 2)
  t.match(logLines.join(''), /a witness does not cosign/)

  await second.kill()
  const stuck = (await world.witnesses.newest()).size
  await logSomething(world)
  await logSomething(world)
  const published = await getPublished(world.db)
  t.ok(published.size > stuck, 'publishing goes on without witnesses')
  const ready = await app.inject({ url: '/readyz' })
  t.equal(ready.statusCode, 200, 'a witness that is down is no reason to stop')
  t.equal(ready.json<{ notCosigned: number }>().notCosigned, published.size - stuck)
  const failuresOf = (wanted: string) =>
    world.witnesses.standings().find(({ name }) => name === wanted)?.failureCount ?? 0
  await until('south is missed', () => failuresOf('south') > 0)
  const { payload } = await app.inject({ url: '/metrics' })
  t.match(payload, new RegExp(`^sealdeck_log_not_cosigned ${published.size - stuck}$`, 'm'))
  t.match(payload, /^sealdeck_witness_failures\{witness="south"\} [1-9]/m)
  t.equal(published.cosignedSize, stuck, 'and nothing is called cosigned that one alone has signed')
  world.sequencer.requireWorking()
  t.equal(failuresOf('north'), 0)

  await Promise.all([second.restart(), third.restart()])
  await until('all are back', async () => (await world.witnesses.newest()).size === published.size)
  t.match(logLines.join(''), /a witness cosigns again/)
  t.same(logLines.filter((line) => line.includes('stumbled')), [], 'the log never stumbled over it')
  await checkLog(t, world)
})

t.test('a link may demand witnesses: its keys wait for them, and for nothing else', async (t) => {
  const { test, witnesses } = await startStand(t, { WITNESS_INTERVAL_MS: '60000', LOG_WAIT_TIMEOUT_MS: '4000' })
  const { world, app } = test
  const { witnesses: offer } = (await app.inject({ url: '/api/config' })).json<Config>()
  t.same(offer?.names, ['north', 'south', 'west'])
  t.equal(offer?.quorumCount, 2)
  const file = await app.inject({ url: '/api/log/policy.txt' })
  const policy = parsePolicy(file.rawPayload)
  t.notMatch(file.payload, /127\.0\.0\.1/, 'the witnesses\' addresses are nobody\'s business')

  const founder = await new Founder(test).signsUp()
  const others = { witnessesSha256: randomBytes(32) }
  const wrong = await founder.sharesDeck({ policy: others }).catch(String)
  t.match(wrong, /409.*witnesses-mismatch/, 'other witnesses than this server has are refused')
  const witnessesSha256 = decodeBase64Url(offer?.sha256 ?? '')
  const link = await founder.sharesDeck({ policy: { witnessesSha256 } })
  const plainLink = await founder.sharesDeck()
  const investor = new Investor(test)
  t.equal((await investor.looksAt(link)).witnesses, offer?.text)
  const access = await investor.enters(link)
  t.equal(access.release.headers.length, 1)
  for (const { proof } of access.release.receipts) {
    t.ok(verifyProof(proof, policy).cosignatures.length >= 2, 'at once, not at the next interval')
  }

  await Promise.all(witnesses.map((one) => one.kill()))
  const acceptance = await investor.acceptanceFor(link)
  const early = await investor.asksToAccept(link, acceptance)
  t.same([early.statusCode, early.json<{ code: string }>().code], [503, 'witnesses-awaited'])
  t.ok(await takeMail(world, founder.email, /signed your agreement/), 'the founder is told nevertheless')
  const { size } = await world.sequencer.current()
  t.equal((await investor.asks('POST', `/api/gate/${link.grantId}/releases`, {})).statusCode, 503, 'nor by another way')
  t.equal((await world.sequencer.current()).size, size, 'asking again adds nothing to the log')
  const elsewhere = new Investor(test, { name: 'Barbara Liskov', email: 'barbara@fund.example' })
  const plain = await elsewhere.enters(plainLink)
  t.equal(plain.release.headers.length, 1, 'who asks for no witnesses waits for none')
  const [receipt] = plain.release.receipts
  t.equal(verifyProof(receipt?.proof ?? '', { ...policy, quorum: null }).cosignatures.length, 0)

  const [first, second] = witnesses
  await Promise.all([first?.restart(), second?.restart()])
  let release: Release | undefined
  await until('two are back', async () => {
    const answer = await investor.asksToAccept(link, acceptance)
    if (answer.statusCode === 201) release = answer.json<Release>()
    return answer.statusCode === 201
  })
  t.equal(release?.headers.some(({ part }) => part === 0), true, 'the same signature now opens the deck')
  t.same(release?.receipts.map(({ proof }) => verifyProof(proof, policy).event.type).slice(0, 2), ['nda.accepted', 'header.released'])
  const upgraded = await elsewhere.gets<Receipt>(`/api/receipts/${receipt?.eventId}`)
  t.ok(verifyProof(upgraded.proof, policy).cosignatures.length >= 2, 'a plain receipt can be had cosigned')
  await changesItsMind(t, {
    founder, link: plainLink, investor: elsewhere, witnessesSha256, witnesses,
  })
  const oldKey = { ...policy, logs: [{ key: ed25519Signer('localhost:4870/log/2026', randomBytes(32)).key }] }
  await t.rejects(world.witnesses.cosigned(0, oldKey), { code: 'witnesses-awaited' }, 'cosigned under a key that is not the log\'s')
  await checkLog(t, world)
})

interface Change {
  readonly founder: Founder, readonly link: Link, readonly investor: Investor
  readonly witnessesSha256: Uint8Array, readonly witnesses: readonly RunningWitness[]
}

/** A link that is out begins to demand witnesses, and ceases to. */
async function changesItsMind(
  t: Test, { founder, link, investor, ...change }: Change,
): Promise<void> {
  const { witnessesSha256, witnesses } = change
  const path = `/api/grants/${link.grantId}/revisions`
  const strangers = founder.preparesRevision(link, { witnessesSha256: randomBytes(32) })
  t.equal((await founder.asks('POST', path, strangers)).json<{ code: string }>().code, 'witnesses-mismatch')
  const demanding = founder.preparesRevision(link, { witnessesSha256 })
  const summary = await founder.posts<GrantSummary>(path, demanding)
  const revised = { ...link, summary }
  await Promise.all(witnesses.map((one) => one.kill()))
  const acceptance = await investor.acceptanceFor(revised)
  const early = await investor.asksToAccept(revised, acceptance)
  t.equal(early.json<{ code: string }>().code, 'witnesses-awaited', 'the new revision counts')
  const without = founder.preparesRevision(revised, { witnessesSha256: null }, 3)
  await founder.posts<GrantSummary>(path, without)
  const late = await investor.asksToAccept(revised, acceptance)
  t.equal(late.statusCode, 201, 'and the next')
}

t.test('an instance that does not lead waits for what the leader collects', async (t) => {
  const { test: { world } } = await startStand(t, { WITNESS_INTERVAL_MS: '60000' }, 'real')
  const { policy } = world.witnesses
  if (policy === undefined) throw new Error('there is one')
  const sequencer = await startSequencer(world)
  const follower = await startWitnesses({ ...world, sequencer, policy })
  t.teardown(async () => {
    await follower.stop()
    await sequencer.stop()
  })
  t.equal(sequencer.isLeading(), false)
  await logSomething({ ...world, sequencer })
  const { size } = await sequencer.current()
  const cosigned = await follower.cosigned(size - 1, policy.policy)
  t.ok(verifyCheckpoint(cosigned.checkpoint, policy.policy).cosignatures.length >= 2)
  t.same(follower.standings().map((one) => one.size), [0, 0, 0], 'it has asked nobody itself')
})

t.test('without WITNESSES a link cannot demand any', async (t) => {
  const test = await startWorld(t)
  const { witnesses } = (await test.app.inject({ url: '/api/config' })).json<Config>()
  t.equal(witnesses, null)
  const founder = await new Founder(test).signsUp()
  const some = { witnessesSha256: randomBytes(32) }
  const refused = await founder.sharesDeck({ policy: some }).catch(String)
  t.match(refused, /409.*witnesses-mismatch/)
  const { vkey } = test.world.keys.log
  t.equal((await test.app.inject({ url: '/api/log/policy.txt' })).payload, `log ${vkey} http://localhost:4870/log/2026\nquorum none\n`)
})
