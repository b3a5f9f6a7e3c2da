// Goal: a log takes another key and nobody is lost: what was pinned before leads to the new key, what was given out
// before still verifies, and no start, restored copy or other key makes a second history of it.
// Method: the operator's command and real servers on one folder and one database, which is put back from copies; each
// step of a rotation left undone in turn; the log checked whole after each; the command line as a stranger.
import { randomBytes } from 'node:crypto'
import { readFile, unlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { uuidv7 } from 'uuidv7'
import { openDb } from '../../db/client.js'
import { insertEvents } from '../../db/queries/outbox.js'
import { auditOpening } from '../../db/schema.js'
import { decodeUtf8 } from '../../protocol/bytes.js'
import { formatTime, sealEvent } from '../../protocol/log/event.js'
import { formatVkey } from '../../protocol/log/note.js'
import { policyOfLog, verifyCheckpoint } from '../../protocol/log/policy.js'
import { verifyProof } from '../../protocol/log/proof.js'
import { verifyRotation, withLinkedKeys } from '../../protocol/log/rotation.js'
import type { AdminRun } from '../../scripts/admin.js'
import { backUpInstance, restoreInstance } from '../../scripts/admin/backup.js'
import { checkInstance } from '../../scripts/admin/fsck.js'
import { rotateLogKey } from '../../scripts/admin/rotate-log-key.js'
import { main } from '../../scripts/sealdeck.js'
import { buildApp } from '../../server/app.js'
import { readConfig, SettingError } from '../../server/config.js'
import { LogContradiction } from '../../server/integrator.js'
import { logKeyPath, makeLogKey, openKeys } from '../../server/keys.js'
import { checkWholeLog } from '../../server/log-check.js'
import { openEngines, openLog, openWorld } from '../../server/open-world.js'
import { systemClock, type World } from '../../server/world.js'
import { makeFolder, removeFolder } from '../helpers/engine.js'
import { startWorld } from '../helpers/world.js'

const DAY_MS = 24 * 3_600_000
const STATEMENT = 'rotations/1.tlog-proof'

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

/** One instance over time: its folder, its rows while it is stopped, and its clock. */
class Instance {
  readonly folder: string
  readonly settings: Record<string, string>
  snapshot = migrated
  daysLater = 0

  constructor(folder: string) {
    this.folder = folder
    this.settings = {
      DATA_DIR: folder, PORT: '0', VIEWER_PORT: '0', PUBLIC_URL: 'http://localhost:4870', VIEWER_URL: 'http://127.0.0.1:4871',
      LOG_PUBLISH_INTERVAL_MS: '1', LOG_WAIT_TIMEOUT_MS: '30000', MAX_EVENT_LOOP_DELAY_MS: '60000', LOG_ORIGIN: 'localhost:4870/log/2026',
    }
  }

  static async make(t: Test): Promise<Instance> {
    const folder = await makeFolder('rotation')
    t.teardown(() => removeFolder(folder))
    return new Instance(folder)
  }

  #options() {
    return {
      clock: { nowMs: () => Date.now() + this.daysLater * DAY_MS }, log: openLog('silent'),
      database: { engine: 'pglite' as const, folder: null, snapshot: this.snapshot },
    }
  }

  get bucketFolder(): string {
    return join(this.folder, 'bucket', 'log', '2026')
  }

  keys(): Promise<string> {
    return readFile(logKeyPath({ dataFolder: this.folder }), 'utf8')
  }

  writeKeys(...keys: readonly string[]): Promise<void> {
    return writeFile(logKeyPath({ dataFolder: this.folder }), `${keys.join('\n')}\n`)
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
  async rotate(...args: readonly string[]): Promise<{ status: number, text: string }> {
    return await this.command(rotateLogKey, ...args)
  }

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

  async verify(
    kind: string, ...args: readonly string[]
  ): Promise<{ status: number, text: string }> {
    const lines: string[] = []
    const say = (line: string) => { lines.push(line) }
    const status = await main(['verify', kind, ...args], { out: say, err: say, isWatched: false })
    return { status, text: lines.join('\n') }
  }
}

async function append(world: World): Promise<string> {
  const event = sealEvent({
    type: 'admin.acted', id: uuidv7(), log: world.keys.log.origin, actor: 'operator',
    at: formatTime(world.clock.nowMs()), action: 'test',
  })
  await insertEvents(world.db, [event])
  const [published] = await world.sequencer.published([event.id])
  return published?.proof ?? ''
}

async function settled(world: World): Promise<void> {
  if (!await world.rotations.settle()) throw new Error('the rotation is not stated')
}

async function shownCheckpoint(world: World): Promise<string> {
  return decodeUtf8(await world.bucket.read(`${world.keys.log.prefix}/checkpoint`) ?? new Uint8Array())
}

async function countStated(world: World): Promise<number> {
  const rows = await world.db.select({ type: auditOpening.type }).from(auditOpening)
  return rows.filter(({ type }) => type === 'log.key-rotated').length
}

async function isWhole(t: Test, world: World): Promise<void> {
  t.same((await checkWholeLog(world)).problems, [], 'the whole log fits together')
}

t.test('the key is rotated, and whoever pinned the old one follows', async (t) => {
  const instance = await Instance.make(t)
  const before = await instance.serve(async (world) => {
    const receipt = await append(world)
    return { vkey: world.keys.log.vkey, receipt }
  })
  const pinned = policyOfLog(before.vkey)
  const begun = await instance.rotate()
  t.match(begun, { status: 0, text: /ROTATING: both keys sign/ })
  t.match(await instance.rotate('--finish'), { status: 1, text: /Both keys must sign until/ }, 'not before its time')

  const statement = await instance.serve(async (world) => {
    const [first, second] = world.keys.log.signers
    t.equal(formatVkey(first?.key ?? world.keys.log.signer.key), before.vkey)
    await append(world)
    const checkpoint = await shownCheckpoint(world)
    t.ok(verifyCheckpoint(checkpoint, pinned))
    t.ok(verifyCheckpoint(checkpoint, policyOfLog(second === undefined ? '' : formatVkey(second.key))), 'both have signed')
    t.equal(await countStated(world), 1)
    await isWhole(t, world)
    const [only, ...more] = world.rotations.statements()
    t.same(more, [])
    const app = await buildApp(world)
    t.match((await app.inject('/api/config')).json(), { logVkey: before.vkey, logRotations: [only] }, 'new links pin the old key until it goes')
    const file = await app.inject(`/${world.keys.log.prefix}/${STATEMENT}`)
    t.same([file.statusCode, file.body, file.headers['content-type']], [200, only, 'text/plain; charset=utf-8'])
    t.equal((await app.inject('/api/log/policy.txt')).body.match(/^log /gm)?.length, 2, 'the policy lists both')
    await app.close()
    return only ?? ''
  })

  instance.daysLater = 31
  t.match(await instance.rotate('--finish'), { status: 0, text: /FINISHED/ })
  await instance.serve(async (world) => {
    await append(world)
    const checkpoint = await shownCheckpoint(world)
    t.not(world.keys.log.vkey, before.vkey)
    t.throws(() => verifyCheckpoint(checkpoint, pinned), { code: 'unknown-signer' }, 'the old key signs no more')
    const followed = withLinkedKeys(pinned, [verifyRotation(statement)])
    t.ok(verifyCheckpoint(checkpoint, followed))
    t.ok(verifyProof(before.receipt, pinned), 'an old receipt holds under the old key')
    t.ok(verifyProof(before.receipt, world.rotations.trust(policyOfLog(world.keys.log.vkey))), 'and under the new one')
    t.ok(world.rotations.knows(before.vkey))
    t.notOk(world.rotations.knows(before.vkey.replace(/.$/, 'A')))
    await isWhole(t, world)
  })
  await followByCommand(t, instance, before)
})

t.test('a backup from before comes back under the new key, and the log\'s files are checked whole', async (t) => {
  const instance = await Instance.make(t)
  await instance.serve(append)
  const copies = join(instance.folder, 'copies')
  t.match(await instance.command(backUpInstance, copies), { status: 0 })
  await instance.rotate()
  instance.daysLater = 31
  await instance.rotate('--finish')
  await instance.serve(append)
  t.match(await instance.command(restoreInstance, copies, '--behind', '--yes'), { status: 0, text: /behind the published log/ })
  t.match(await instance.command(checkInstance, '--repair'), { status: 0, text: /REPAIRED(?:.|\n)*RIGHT/ })
  const file = join(instance.bucketFolder, STATEMENT)
  await writeFile(file, (await readFile(file, 'utf8')).replace(/^index \d+/m, 'index 0'))
  t.match(await instance.command(checkInstance), { status: 1, text: /WRONG: rotations\/1/ })
})

async function followByCommand(
  t: Test, instance: Instance, { vkey, receipt }: { vkey: string, receipt: string },
): Promise<void> {
  const log = instance.bucketFolder
  t.match(await instance.verify('log', log, '--vkey', vkey), { status: 0 }, 'the whole log, by the old key')
  const state = ['--vkey', vkey, '--state', join(instance.folder, 'state')]
  t.match(await instance.verify('monitor', log, ...state), { status: 0 })
  const path = join(instance.folder, 'new.tlog-proof')
  await writeFile(path, receipt)
  t.match(await instance.verify('receipt', path, '--vkey', vkey), { status: 0 })
  const now = await instance.serve(async (world) => {
    await writeFile(path, await append(world))
    return world.keys.log.vkey
  })
  t.match(await instance.verify('monitor', log, ...state), { status: 0 })
  t.match(await instance.verify('receipt', path, '--vkey', vkey), { status: 1 }, 'a new receipt, without the statement')
  t.match(await instance.verify('receipt', path, '--vkey', vkey, '--rotations', log), { status: 0 })
  t.match(await instance.verify('receipt', path, '--vkey', now), { status: 0 })
}

t.test('a rotation that stopped between any two steps goes on at the next start', async (t) => {
  const instance = await Instance.make(t)
  await instance.serve(append)
  const old = (await instance.keys()).trim()
  const next = makeLogKey('localhost:4870/log/2026')
  const copy = { snapshot: instance.snapshot }
  await instance.writeKeys(old, next) // Stopped once the file was replaced.
  await instance.serve(async (world) => {
    await settled(world)
    t.equal(await countStated(world), 1)
    await isWhole(t, world)
  })
  const file = join(instance.bucketFolder, STATEMENT)
  const statement = await readFile(file)
  await unlink(file) // Stopped when the event was published.
  await instance.serve(async (world) => {
    await settled(world)
    t.equal(await countStated(world), 1, 'the event that is there is stated')
    t.same((await readFile(file)).length > 0, true)
    await isWhole(t, world)
  })
  t.ok(statement.length > 0)

  const after = instance.snapshot
  instance.snapshot = copy.snapshot // A copy from before the rotation.
  await t.rejects(instance.serve(append), LogContradiction, 'an older database is refused')
  await instance.writeKeys(old)
  await t.rejects(instance.serve(append), LogContradiction, 'and by the old key alone')

  await writeFile(file, randomBytes(100).toString('base64'))
  await instance.writeKeys(old, next)
  instance.snapshot = after
  await t.rejects(instance.serve(append), { name: 'LogContradiction', message: /rotations\/1/ }, 'a broken statement is no statement')
})

t.test('an event in the outbox, or published under the old key alone, is enough to go on from', async (t) => {
  const instance = await Instance.make(t)
  const old = await instance.serve(async (world) => {
    await append(world)
    return world.keys.log.vkey
  })
  const secret = (await instance.keys()).trim()
  const next = makeLogKey('localhost:4870/log/2026')
  await instance.writeKeys(next)
  await t.rejects(instance.serve(append), { name: 'LogContradiction', message: /has not signed/ }, 'another key alone is refused')
  await instance.writeKeys(secret, next)
  const [, second] = (await openKeys(readConfig(instance.settings), systemClock)).log.signers
  const logKey = second === undefined ? '' : formatVkey(second.key)
  await instance.writeKeys(secret)
  await instance.serve(async (world) => { // Logged by an instance that has only the old key.
    const event = sealEvent({
      type: 'log.key-rotated', id: uuidv7(), log: world.keys.log.origin, actor: 'operator',
      at: formatTime(world.clock.nowMs()), logKey, previousLogKey: old,
    })
    await insertEvents(world.db, [event])
    await world.sequencer.published([event.id])
    t.same(world.rotations.statements(), [])
  })
  await instance.writeKeys(secret, next)
  await instance.serve(async (world) => {
    await settled(world)
    t.equal(world.rotations.keys().length, 2)
    await isWhole(t, world)
  })
  await instance.writeKeys(next, secret)
  await t.rejects(instance.serve(append), { name: 'SettingError', message: /older key first/ })
})

t.test('keys that do not belong together are refused', async (t) => {
  const instance = await Instance.make(t)
  const config = readConfig(instance.settings)
  const { log } = await openKeys(config, systemClock)
  const old = (await instance.keys()).trim()
  for (const keys of [[old, old], [old, makeLogKey('other/log'), makeLogKey('third/log')], [old, makeLogKey(log.origin), makeLogKey(log.origin)], ['nonsense']]) {
    await instance.writeKeys(...keys)
    await t.rejects(openKeys(config, systemClock), SettingError)
  }
})

t.test('where the key is a setting, a new one is made into a file and shown to nobody', async (t) => {
  const instance = await Instance.make(t)
  instance.settings['LOG_KEY'] = makeLogKey('localhost:4870/log/2026')
  await instance.serve(append)
  const { status, text } = await instance.rotate()
  t.equal(status, 0)
  t.notMatch(text, /PRIVATE/)
  const next = (await readFile(join(instance.folder, 'keys', 'log.key.next'), 'utf8')).trim()
  instance.settings['LOG_KEY'] = `${instance.settings['LOG_KEY']} ${next}`
  await instance.serve(async (world) => {
    await settled(world)
    await isWhole(t, world)
  })
  instance.daysLater = 31
  t.match(await instance.rotate('--finish'), { status: 0, text: /LOG_KEY may now be the new key alone/ })
  instance.settings['LOG_KEY'] = next
  const { log } = await openKeys(readConfig(instance.settings), systemClock)
  t.equal(log.signers.length, 1)
})

t.test('several instances take both keys, and then the new one, one after another', async (t) => {
  const origin = 'localhost:4870/log/2026'
  const [old, next] = [makeLogKey(origin), makeLogKey(origin)]
  const { world: first } = await startWorld(t, { engines: 'real', settings: { LOG_KEY: old } })
  const vkey = first.keys.log.vkey
  /** Another instance on the same engines. */
  async function startWith(logKey: string): Promise<World & { close: () => Promise<void> }> {
    const { world, close } = await openWorld({ ...first.config, logKey }, { log: openLog('silent') })
    let closing: Promise<void> | undefined
    const closeOnce = () => (closing ??= close())
    t.teardown(closeOnce)
    return { ...world, close: closeOnce }
  }
  await append(first)
  const second = await startWith(`${old} ${next}`)
  t.notOk(await second.rotations.settle(), 'the leader has the old key alone')
  t.same(second.rotations.statements(), [])
  await first.sequencer.stop()
  await append(second) // Waits until it leads.
  t.ok(await second.rotations.settle())
  const [statement = ''] = second.rotations.statements()
  const third = await startWith(next)
  t.equal(third.keys.log.vkey, formatVkey(verifyRotation(statement).next))
  t.equal(third.rotations.keys().length, 2)
  t.ok(verifyProof(await append(third), policyOfLog(vkey)), 'the second leads, and its line is there')
  await second.close()
  const receipt = await append(third)
  t.throws(() => verifyProof(receipt, policyOfLog(vkey)), { code: 'unknown-signer' })
  t.ok(verifyProof(receipt, third.rotations.trust(policyOfLog(vkey))))
  await isWhole(t, third)
})
