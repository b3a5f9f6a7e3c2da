// Goal: checkpoints that people bring are told to be of one history, or of two with all of them as evidence; and the
// commands that make something remember the log, and make nothing where it has two histories.
// Method: logs in memory, written as a server writes them, their files in folders; one that forked, one that was cut,
// one whose key changed.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import t from 'tap'
import type { Config } from '../../protocol/api.js'
import { encodeHex, encodeUtf8 } from '../../protocol/bytes.js'
import { sha256 } from '../../protocol/hash.js'
import { ed25519Signer, formatVkey, parseNote } from '../../protocol/log/note.js'
import { buildProof } from '../../protocol/log/proof.js'
import { rotationPath } from '../../protocol/log/rotation.js'
import { ready } from '../../protocol/sodium.js'
import { requireNoFork } from '../../scripts/account/history.js'
import { main } from '../../scripts/sealdeck.js'
import { LOG_VKEY, ORIGIN, SIGNER_VKEY } from '../protocol/log/worked-example.js'
import { WrittenLog } from '../protocol/log/written-log.js'

await ready()
const folder = mkdtempSync(join(tmpdir(), 'sealdeck-gossip-'))
t.teardown(() => rmSync(folder, { recursive: true, force: true }))
process.env.XDG_CONFIG_HOME = join(folder, 'config')

function entries(count: number, fill: number): Uint8Array[] {
  return Array.from({ length: count }, (_, at) =>
    Uint8Array.from({ length: 65 }, (_byte, place) => place === 0 ? 1 : fill + at % 7))
}

/** Of so many entries, one batch after the other. */
function logOf(
  ...batches: readonly (readonly [number, number])[]
): { log: WrittenLog, notes: string[] } {
  const log = new WrittenLog()
  const notes = batches.map(([count, fill]) => {
    log.append(entries(count, fill))
    return log.checkpoint
  })
  return { log, notes }
}

function write(name: string, content: string | Uint8Array): string {
  const path = join(folder, name)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, content)
  return path
}

function writeLog(name: string, log: WrittenLog): string {
  for (const [path, bytes] of log.files) write(join(name, path), bytes)
  return join(folder, name)
}

async function gossips(...args: string[]) {
  const lines: string[] = []
  const say = (line: string): void => { lines.push(line) }
  const status = await main(['verify', 'gossip', ...args], { out: say, err: say, isWatched: false })
  return { status, said: lines.join('\n') }
}

const honest = logOf([3, 10], [300, 20], [5, 30])
const place = writeLog('honest', honest.log)
const [small = '', middle = '', large = ''] = honest.notes
const evidence = join(folder, 'fork.txt')

t.test('checkpoints of one history are, whatever their size', async (t) => {
  const files = [small, middle, large].map((note, at) => ['--checkpoint', write(`note-${at}`, note)]).flat()
  const { status, said } = await gossips(place, ...files, '--vkey', LOG_VKEY)
  t.equal(status, 0, said)
  t.match(said, 'VERIFIED: 4 checkpoints are of one history')
  t.match(said, '308 entries')
})

t.test('one of another history is an alarm, and all of them are kept', async (t) => {
  const forks = [logOf([3, 11]), logOf([3, 10], [300, 21]), logOf([308, 40])].map(({ notes }) => notes.at(-1) ?? '')
  for (const [at, note] of forks.entries()) {
    const path = write(`fork-${at}`, note)
    const { status, said } = await gossips(place, '--checkpoint', write('good', middle), '--checkpoint', path, '--vkey', LOG_VKEY, '--evidence', evidence)
    t.equal(status, 1, said)
    t.match(said, `from ${path} is of another history`)
    const kept = readFileSync(evidence, 'utf8')
    t.ok(kept.includes(note) && kept.includes(large), 'both signed checkpoints')
    t.notOk(kept.includes(middle), 'and none that fits')
  }
  t.equal((await gossips(place, '--checkpoint', write('good', middle), '--vkey', LOG_VKEY)).status, 0)
})

async function receiptOf(log: WrittenLog, at: number): Promise<string> {
  const written = log.events[at]
  if (written === undefined) throw new Error('no such event')
  const { opening } = written
  const index = BigInt(at)
  return buildProof({ opening, index, path: await log.path(index), checkpoint: log.checkpoint })
}

/** `log.closed` in the one and `log.started` in the next, and what leads over in both folders. */
async function closedLog() {
  const head = { id: '01890a5d-ac96-774b-bcce-000000000001', at: '2026-12-31T23:00:00.000Z', actor: 'operator' }
  const old = new WrittenLog()
  for (let count = 0; count < 2; count++) old.appendEvent({ ...head, type: 'admin.acted', log: ORIGIN, action: 'test' })
  const early = old.checkpoint
  const signer = ed25519Signer('log.sealdeck.example/2027', new Uint8Array(32).fill(0x61))
  const logKey = formatVkey(signer.key)
  old.appendEvent({ ...head, type: 'log.closed', log: ORIGIN, size: 3, nextLog: signer.key.name, logKey })
  const next = new WrittenLog(signer.key.name)
  next.signers = [signer]
  const end = old.checkpoint
  next.appendEvent({
    ...head, type: 'log.started', log: next.origin, logKey, previousLogKey: LOG_VKEY,
    checkpointSha256: encodeHex(sha256(encodeUtf8(parseNote(end).text))),
  })
  const statement = `${await receiptOf(old, 2)}${await receiptOf(next, 0)}`
  for (const log of [old, next]) log.files.set(rotationPath(1), encodeUtf8(statement))
  return { old, next, early, end }
}

t.test('checkpoints of a log that was closed are held against its end, from either folder', async (t) => {
  const { old, next, early, end } = await closedLog()
  const [before, after] = [writeLog('line/2026', old), writeLog('line/2027', next)]
  const files = [early, end, next.checkpoint]
    .flatMap((note, at) => ['--checkpoint', write(`line-${at}`, note)])
  for (const at of [before, after]) {
    const { status, said } = await gossips(at, ...files, '--vkey', LOG_VKEY)
    t.equal(status, 0, said)
    t.match(said, '2027, 1 entries')
  }
  old.append(entries(1, 30))
  const others = [logOf([1, 50]), logOf([3, 50])].map(({ log }) => log.checkpoint)
  for (const note of [old.checkpoint, ...others]) {
    const fork = write('beyond', note)
    const { status, said } = await gossips(after, '--checkpoint', fork, '--vkey', LOG_VKEY, '--evidence', evidence)
    t.equal(status, 1, said)
    t.match(said, `from ${fork}`)
    t.ok([note, end].every((one) => readFileSync(evidence, 'utf8').includes(one)), 'the end and what is no beginning of it')
  }
  writeLog('line/2026', old)
  t.match(await gossips(before, ...files, '--vkey', LOG_VKEY, '--evidence', evidence), { status: 1, said: /ALARM: the checkpoint of 4 entries/ }, 'a closed log that grows')
})

t.test('a log that shows less than it signed is an alarm, tiles that lead nowhere are no verdict', async (t) => {
  const cut = writeLog('cut', logOf([3, 10]).log)
  const { status, said } = await gossips(cut, '--checkpoint', write('newer', large), '--vkey', LOG_VKEY, '--evidence', evidence)
  t.equal(status, 1)
  t.match(said, 'has more entries than the log shows')
  const broken = writeLog('broken', honest.log)
  write('broken/tile/0/001.p/52', new Uint8Array(52 * 32))
  const unread = await gossips(broken, '--checkpoint', write('older', small), '--vkey', LOG_VKEY, '--evidence', join(folder, 'none'))
  t.equal(unread.status, 1)
  t.match(unread.said, 'bad-tile')
  t.throws(() => readFileSync(join(folder, 'none')), { code: 'ENOENT' }, 'an accusation needs proof')
})

t.test('who is believed must be said, and what is brought be signed', async (t) => {
  const path = write('good', middle)
  t.equal((await gossips(place, '--checkpoint', path)).status, 2)
  t.equal((await gossips(place, '--checkpoint', path, '--vkey', SIGNER_VKEY)).status, 1, 'another log')
  t.equal((await gossips(place, '--checkpoint', write('text', 'hello\n'), '--vkey', LOG_VKEY)).status, 1)
  t.equal((await gossips(join(folder, 'nowhere'), '--checkpoint', path, '--vkey', LOG_VKEY)).status, 2)
  t.equal((await gossips(place, '--checkpoint', join(folder, 'nowhere'), '--vkey', LOG_VKEY)).status, 2)
  t.equal((await gossips()).status, 2)
})

// ---- what makes something

const CONFIG: Config = {
  viewerOrigin: '', publicUrl: '', logVkey: LOG_VKEY, logOrigin: ORIGIN, logRotations: [], witnesses: null,
  maxFileSizeBytes: 1, outboxPath: null, version: '',
}

/** A look as `upload` and `share` begin with. */
async function looks(address: string, log: WrittenLog, config = CONFIG): Promise<string> {
  async function get<T>(): Promise<T> {
    const answer: T = JSON.parse(JSON.stringify(config))
    return answer
  }
  try {
    await requireNoFork({ address, line: { get }, read: log.read })
    return 'goes on'
  } catch (error) {
    return error instanceof Error ? error.message : ''
  }
}

t.test('a log that grows is remembered, one that does not stops whoever makes something', async (t) => {
  const at = 'https://deck.example'
  const log = new WrittenLog()
  log.append(entries(3, 10))
  t.equal(await looks(at, log), 'goes on')
  log.append(entries(300, 20))
  t.equal(await looks(at, log), 'goes on')
  t.equal(await looks(at, log), 'goes on', 'the same again')
  const fork = logOf([3, 10], [301, 21]).log
  t.match(await looks(at, fork), /^forked-log: .*log-[0-9a-f]{32}\.json/)
  t.match(await looks(at, log), /^forked-log/, 'and from then on, whatever is shown')
  const path = / (\S+\.json)/.exec(await looks(at, log))?.[1] ?? ''
  t.match(JSON.parse(readFileSync(path, 'utf8')), { checkpoint: log.checkpoint, fork: fork.checkpoint })
  t.equal(await looks('https://other.example', fork), 'goes on', 'another server is another log')
  rmSync(path)
  t.equal(await looks(at, log), 'goes on', 'once it was put aside')
})

t.test('another log is not taken for the one that was met, unless both say so', async (t) => {
  const [at, elsewhere] = ['https://line.example', 'https://false.example']
  const { old, next, end } = await closedLog()
  const statement = `${await receiptOf(old, 2)}${await receiptOf(next, 0)}`
  const [signer] = next.signers
  const logVkey = signer === undefined ? '' : formatVkey(signer.key)
  const config = { ...CONFIG, logVkey, logOrigin: next.origin }
  t.equal(await looks(at, old), 'goes on')
  t.equal(await looks(at, next, { ...config, logRotations: [statement] }), 'goes on')
  t.equal(old.checkpoint, end)
  t.match(await looks(at, old, { ...CONFIG, logRotations: [statement] }), /^forked-log/, 'nobody goes back over a border')
  t.equal(await looks(elsewhere, old), 'goes on')
  t.match(await looks(elsewhere, next, config), /^forked-log/, 'by the server\'s word')
  t.match(await looks(elsewhere, next, { ...config, logRotations: [statement] }), /^forked-log/, 'from then on')
  const past = 'https://past.example'
  t.equal(await looks(past, logOf([3, 50]).log), 'goes on')
  t.match(await looks(past, next, { ...config, logRotations: [statement] }), /^forked-log/, 'an end that is not what was remembered')
})

t.test('another key is not taken for the log\'s', async (t) => {
  const at = 'https://keys.example'
  const log = new WrittenLog()
  log.append(entries(3, 10))
  t.equal(await looks(at, log), 'goes on')
  const stolen = ed25519Signer(ORIGIN, new Uint8Array(32).fill(0x52))
  log.signers = [stolen]
  log.append(entries(3, 20))
  t.match(await looks(at, log, { ...CONFIG, logVkey: formatVkey(stolen.key) }), /^unknown-signer/)
})
