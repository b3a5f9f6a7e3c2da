// Goal: a log closes and another goes on, and nobody is lost: what was pinned before leads there, nothing is integrated
// after the end, whatever waits comes over, and a crash between any two steps is mended by the next start.
// Method: the operator's command and real servers on one folder and one database, which is put back from copies; all logs
// checked whole after each; the command line as a stranger.
import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { uuidv7 } from 'uuidv7'
import { openDb } from '../../db/client.js'
import { insertEvents } from '../../db/queries/outbox.js'
import { listOrigins } from '../../db/queries/origins.js'
import type { Config, ConsistencyProof } from '../../protocol/api.js'
import { decodeUtf8, encodeHex } from '../../protocol/bytes.js'
import { commitEvent, formatTime, sealEvent } from '../../protocol/log/event.js'
import { listOrigins as originsOf } from '../../protocol/log/line.js'
import { EMPTY_ROOT } from '../../protocol/log/merkle.js'
import { ed25519Signer } from '../../protocol/log/note.js'
import { policyOfLog } from '../../protocol/log/policy.js'
import { verifyProof } from '../../protocol/log/proof.js'
import { verifyRotation } from '../../protocol/log/rotation.js'
import type { AdminRun } from '../../scripts/admin.js'
import { backUpInstance, restoreInstance } from '../../scripts/admin/backup.js'
import { closeLog } from '../../scripts/admin/close-log.js'
import { checkInstance } from '../../scripts/admin/fsck.js'
import { main } from '../../scripts/sealdeck.js'
import { buildApp } from '../../server/app.js'
import { crossBorder } from '../../server/border.js'
import { readConfig, SettingError } from '../../server/config.js'
import { Integrator, LogContradiction } from '../../server/integrator.js'
import { logKeyPath, makeLogKey, openKeys } from '../../server/keys.js'
import { checkWholeLog } from '../../server/log-check.js'
import { openEngines, openLog, openWorld } from '../../server/open-world.js'
import { startSequencer } from '../../server/sequencer.js'
import { TileCache } from '../../server/tile-cache.js'
import { systemClock, type World } from '../../server/world.js'
import { makeFolder, removeFolder } from '../helpers/engine.js'

const OLD = 'localhost:4870/log/2026'
const NEXT = 'localhost:4870/log/2027'
const BORDER = 'rotations/1.tlog-proof'

/** Migrating takes seconds, copying a migrated database a moment. */
const migrated = await makeSnapshot()

async function makeSnapshot(): Promise<Blob> {
  const database = await openDb({ engine: 'pglite', folder: null })
  try {
    return await database.dump()
  } finally {
    await database.close()
  }
}

/** One instance over time: its folder, and its rows while it is stopped. */
class Instance {
  readonly folder: string
  readonly settings: Record<string, string>
  snapshot = migrated

  constructor(folder: string) {
    this.folder = folder
    this.settings = {
      DATA_DIR: folder, PORT: '0', VIEWER_PORT: '0', PUBLIC_URL: 'http://localhost:4870', VIEWER_URL: 'http://127.0.0.1:4871',
      LOG_PUBLISH_INTERVAL_MS: '1', LOG_WAIT_TIMEOUT_MS: '30000', MAX_EVENT_LOOP_DELAY_MS: '60000', LOG_ORIGIN: OLD,
    }
  }

  static async make(t: Test): Promise<Instance> {
    const folder = await makeFolder('origins')
    t.teardown(() => removeFolder(folder))
    return new Instance(folder)
  }

  #options() {
    return { log: openLog('silent'), database: { engine: 'pglite' as const, folder: null, snapshot: this.snapshot } }
  }

  logFile(year: string, path: string): string {
    return join(this.folder, 'bucket', 'log', year, path)
  }

  get keyPath(): string {
    return logKeyPath({ dataFolder: this.folder })
  }

  /** Run a server for a while. Its rows are kept for the next. */
  async serve<T>(use: (world: World) => Promise<T>): Promise<T> {
    const { world, close } = await openWorld(readConfig(this.settings), this.#options())
    try {
      const result = await use(world)
      this.snapshot = await world.database.dump()
      return result
    } finally {
      await close()
    }
  }

  /** Give the operator's command while no server runs. */
  async command(
    run: AdminRun, ...args: readonly string[]
  ): Promise<{ status: number, text: string }> {
    const { parts, close } = await openEngines(readConfig(this.settings), this.#options())
    const lines: string[] = []
    const say = (line: string) => { lines.push(line) }
    try {
      const status = await run(parts, args, { out: say, err: say, isWatched: false })
      this.snapshot = await parts.database.dump()
      return { status, text: lines.join('\n') }
    } finally {
      await close()
    }
  }
}

async function verify(
  kind: string, ...args: readonly string[]
): Promise<{ status: number, text: string }> {
  const lines: string[] = []
  const say = (line: string) => { lines.push(line) }
  const status = await main(['verify', kind, ...args], { out: say, err: say, isWatched: false })
  return { status, text: lines.join('\n') }
}

async function append(world: World, log = world.keys.log.origin): Promise<string> {
  const event = sealEvent({
    type: 'admin.acted', id: uuidv7(), log, actor: 'operator', at: formatTime(world.clock.nowMs()), action: 'test',
  })
  await insertEvents(world.db, [event])
  const [published] = await world.sequencer.published([event.id])
  return published?.proof ?? ''
}

/** One that was made for the log before, about a person, and names another. @returns its commitment, and whom it names. */
async function actLate(world: World, party: string, because?: string) {
  const event = sealEvent({
    type: 'admin.acted', id: uuidv7(), log: OLD, actor: 'operator', at: formatTime(world.clock.nowMs()), action: 'test', party,
    ...because === undefined ? {} : { because },
  })
  await insertEvents(world.db, [event])
  const [published] = await world.sequencer.published([event.id])
  const { opening, event: logged } = verifyProof(published?.proof ?? '', policyOfLog(world.keys.log.vkey))
  const commitment = encodeHex(commitEvent(opening.salt, opening.eventBytes))
  return { made: encodeHex(event.commitment), commitment, because: logged.because }
}

async function isWhole(t: Test, world: World): Promise<void> {
  t.same((await checkWholeLog(world)).problems, [], 'all logs fit together')
}

const borderOf = async (instance: Instance, year: string): Promise<string> =>
  await readFile(instance.logFile(year, BORDER), 'utf8')

t.test('a log is closed, another goes on, and whoever pinned the first one follows', async (t) => {
  const instance = await Instance.make(t)
  const before = await instance.serve(
    async (world) => ({ vkey: world.keys.log.vkey, receipt: await append(world) }))
  const oldKey = (await readFile(instance.keyPath, 'utf8')).trim()
  const state = join(instance.folder, 'monitor')
  const oldLog = join(instance.folder, 'bucket', 'log', '2026')
  t.match(await verify('monitor', oldLog, '--vkey', before.vkey, '--state', state), { status: 0, text: /from 0 to 2/ })

  t.match(await instance.command(closeLog, '--next', NEXT), { status: 0, text: /2026, 3 entries[^]*CLOSED/ })
  t.match(await instance.command(closeLog, '--next', NEXT), { status: 0, text: /2026, 3 entries[^]*CLOSED/ }, 'given again, it changes nothing')
  t.notMatch(await readFile(instance.keyPath, 'utf8'), oldKey, 'the old key is not kept')
  await t.rejects(instance.command(closeLog, '--next', 'elsewhere/2026'), /folder/, 'no folder is used twice')

  const statement = await borderOf(instance, '2026')
  t.equal(await borderOf(instance, '2027'), statement, 'both folders lead over')
  const link = verifyRotation(statement)
  const closed = await readFile(instance.logFile('2026', 'checkpoint'), 'utf8')
  t.equal(link.closing?.note, closed)

  await instance.serve(async (world) => {
    t.equal(world.keys.log.origin, NEXT)
    const late = await append(world, OLD)
    const policy = world.rotations.trust(policyOfLog(before.vkey))
    t.same(originsOf(policy, NEXT), [OLD, NEXT])
    t.equal(verifyProof(late, policy).event.log, NEXT, 'what was made for the old log stands in the next one')
    t.equal(verifyProof(before.receipt, policyOfLog(before.vkey)).event.log, OLD, 'old receipts need nothing')
    await isWhole(t, world)
    const app = await buildApp(world)
    t.teardown(() => app.close())
    const config = (await app.inject('/api/config')).json<Config>()
    t.equal(config.logOrigin, NEXT)
    t.same(config.logRotations, [statement])
    t.equal((await app.inject('/log/2026/checkpoint')).body, closed, 'the old log is served as it was')
    t.equal((await app.inject('/log/2026/tile/entries/000.p/3')).statusCode, 200)
    t.equal((await app.inject('/log/2025/checkpoint')).statusCode, 404)
    t.match((await app.inject('/api/log/policy.txt')).body, `${link.previous.name}+`)
    const proofIn = async (log: string) => (await app.inject({ url: '/api/log/consistency', query: { from: '1', to: '2', log } }))
    t.equal((await proofIn(OLD)).json<ConsistencyProof>().hashes.length, 1)
    t.equal((await proofIn('other/log')).statusCode, 400)
    const gossip = await app.inject({
      method: 'POST', url: '/api/log/gossip', payload: { checkpoint: closed }, headers: { 'x-sealdeck': '1' },
    })
    t.match(gossip.json(), { outcome: 'consistent', checkpoint: closed }, gossip.body)
  })

  t.match(await verify('monitor', oldLog, '--vkey', before.vkey, '--state', state), { status: 0, text: /from 2 to 5/ }, 'the monitor follows')
  t.match(await verify('log', oldLog, '--vkey', before.vkey), { status: 0, text: /2027 goes on/ })
  t.match(await verify('log', join(instance.folder, 'bucket', 'log', '2027'), '--vkey', before.vkey), { status: 0 })
  await rm(instance.logFile('2026', BORDER))
  t.match(await verify('monitor', oldLog, '--vkey', before.vkey, '--state', state), { status: 1, text: /ALARM/ }, 'a log that goes back over the border is two histories')
})

t.test('each step that a crash leaves undone is done by the next start, once', async (t) => {
  const instance = await Instance.make(t)
  await instance.serve(append)
  await instance.serve(async (world) => {
    const next = await keyFor(instance)
    await insertEvents(world.db, [sealEvent({
      type: 'log.closed', id: uuidv7(), log: OLD, at: formatTime(world.clock.nowMs()), actor: 'operator', size: 0, nextLog: NEXT, logKey: next,
    })])
    await append(world)
    t.equal(world.keys.log.origin, OLD, 'without the next key nothing is closed')
  })
  const asked = instance.snapshot
  const old = (await readFile(instance.keyPath, 'utf8')).trim()
  await writeFile(instance.keyPath, `${old}\n${nextSecret}\n`)

  // The last entry, integrated and published, and nothing more.
  const { parts, close } = await openEngines(readConfig(instance.settings), {
    log: openLog('silent'), database: { engine: 'pglite', folder: null, snapshot: asked },
  })
  const tilesOf = ({ prefix }: { prefix: string }) => new TileCache(parts.bucket, prefix)
  const integrator = new Integrator(parts, tilesOf)
  const state = await integrator.recover()
  const { log } = parts.keys
  const second = ed25519Signer(OLD, new Uint8Array(32).fill(0x71))
  const rotating = { ...parts.keys, log: { ...log, signers: [...log.signers, second] } }
  t.equal(await new Integrator({ ...parts, keys: rotating }, tilesOf).turn(state), undefined, 'not while the key is being rotated')
  const silent = { out: () => undefined, err: () => undefined, isWatched: false }
  await t.rejects(closeLog(parts, ['--next', 'elsewhere/2030'], silent), /holds the key of/, 'one next log at a time')
  await parts.bucket.put('log/2031/checkpoint', new Uint8Array(1))
  const alone = { ...parts, keys: { ...parts.keys, logs: [log] } }
  await t.rejects(closeLog(alone, ['--next', 'elsewhere/2031'], silent), /folder/, 'and in no folder that holds something')
  const turn = await integrator.turn(state)
  t.match(turn?.state.ending, { origin: NEXT })
  await insertEvents(parts.database.logDb, [sealEvent({
    type: 'admin.acted', id: uuidv7(), log: OLD, actor: 'operator', at: formatTime(0), action: 'late',
  })])
  await t.rejects(integrator.turn({ ...state, ...turn?.state, ending: null }), { cause: /log was closed/ }, 'the database lets nothing follow')
  const stopped = await startSequencer(parts, { isClosable: () => false })
  await stopped.stop()
  t.equal((await listOrigins(parts.database.logDb)).length, 1, 'whoever stops while witnesses are waited for leaves it to the next start')

  // The row of the next log, and nothing more.
  const border = {
    log: parts.logs.current(), root: turn?.state.root ?? EMPTY_ROOT, size: 4, vkey: log.vkey,
    closing: turn?.state.checkpoint ?? '', next: turn?.state.ending ?? { origin: '', vkey: '' },
  }
  t.notOk(await crossBorder(parts, { ...border, root: EMPTY_ROOT }), 'another head')
  t.same((await listOrigins(parts.database.logDb)).map(({ closing }) => closing), [null], 'changes nothing')
  t.ok(await crossBorder(parts, border))
  const crossed = await parts.database.dump()
  await close()

  await writeFile(instance.keyPath, `${old}\n${makeLogKey(NEXT)}\n`)
  instance.snapshot = crossed
  await t.rejects(instance.serve(append), new SettingError(''), 'no other key than the one that the log was closed for')
  await writeFile(instance.keyPath, `${old}\n${nextSecret}\n`)
  instance.snapshot = crossed
  const begun = await instance.serve(async (world) => {
    const receipt = await append(world)
    t.equal(verifyProof(receipt, policyOfLog(world.keys.log.vkey)).index, 2n, 'started, what waited, and this')
    await isWhole(t, world)
    return (await listOrigins(world.db)).length
  })
  t.equal(begun, 2)
  const statement = await borderOf(instance, '2026')

  for (const gone of [[`2027/${BORDER}`], [`2026/${BORDER}`, `2027/${BORDER}`]]) {
    for (const file of gone) await rm(join(instance.folder, 'bucket', 'log', file))
    await instance.serve(async (world) => { await isWhole(t, world) })
    t.same(verifyRotation(await borderOf(instance, '2027')).closing?.note, verifyRotation(statement).closing?.note, 'stated again')
  }
})

t.test('a copy from before the border is brought over it, and never the other way', async (t) => {
  const instance = await Instance.make(t)
  await instance.serve(append)
  const backup = join(instance.folder, 'backup')
  t.match(await instance.command(backUpInstance, backup), { status: 0 })
  const old = instance.snapshot
  await instance.serve(append)
  await instance.command(closeLog, '--next', NEXT)
  await instance.serve(append)
  const newest = instance.snapshot

  instance.snapshot = old
  await t.rejects(instance.serve(append), new LogContradiction(''), 'an older database does not start')
  t.match(await instance.command(checkInstance, '--repair'), { status: 0, text: /end of a log that was closed[^]*RIGHT/ })
  await instance.serve(async (world) => {
    t.equal(world.keys.log.origin, NEXT)
    await append(world)
    await isWhole(t, world)
  })
  await t.rejects(instance.command(restoreInstance, backup, '--yes'), /closed after this backup/)

  const foreign = await Instance.make(t)
  foreign.snapshot = newest
  foreign.settings['LOG_ORIGIN'] = 'elsewhere/log/2030'
  await t.rejects(foreign.serve(append), new SettingError(''), 'a key of another log than the database\'s')
})

t.test('a backup over the border restores both logs', async (t) => {
  const instance = await Instance.make(t)
  await instance.serve(append)
  await instance.command(closeLog, '--next', NEXT)
  const party = uuidv7()
  const late = await instance.serve(async (world) => await actLate(world, party))
  const backup = join(instance.folder, 'backup')
  t.match(await instance.command(backUpInstance, backup), { status: 0 })
  const closed = await readFile(instance.logFile('2026', 'checkpoint'))
  await rm(join(instance.folder, 'bucket'), { recursive: true })
  instance.snapshot = migrated
  const restored = await instance.command(restoreInstance, backup, '--yes')
  t.match(restored, { status: 0 }, restored.text)
  await instance.serve(async (world) => {
    const { because } = await actLate(world, party, late.made)
    t.not(late.made, late.commitment)
    t.equal(because, late.commitment, 'what another process made again is named as it stands')
    await isWhole(t, world)
    t.equal(decodeUtf8(await world.bucket.read('log/2026/checkpoint') ?? new Uint8Array()), decodeUtf8(closed))
  })
})

let nextSecret = ''

/** A key for the next log, which the instance is not given yet. */
async function keyFor(instance: Instance): Promise<string> {
  nextSecret = makeLogKey(NEXT)
  const config = { ...readConfig(instance.settings), logKey: nextSecret }
  const keys = await openKeys(config, systemClock)
  return keys.log.vkey
}
