// Goal: the witness that one command starts answers over HTTP as c2sp.org/tlog-witness says, and never
// forgets what it has cosigned.
// Method: the real process, asked over HTTP; every status; many requests at once; SIGKILL between
// requests and a new start on the same state.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { encodeHex, encodeUtf8 } from '../../protocol/bytes.js'
import { sha256 } from '../../protocol/hash.js'
import { parseCheckpoint, signCheckpoint } from '../../protocol/log/checkpoint.js'
import {
  buildConsistencyProof, consistencyNodes, rootOfLeaves,
} from '../../protocol/log/merkle.js'
import {
  cosigner, ed25519Signer, formatSecretKey, parseNote, parseVkey, verifyNote, type NoteKey,
} from '../../protocol/log/note.js'
import { parsePolicy, verifyCheckpoint } from '../../protocol/log/policy.js'
import { readNodes } from '../../protocol/log/tile.js'
import { addCosignatures, formatAddCheckpoint } from '../../protocol/log/witness.js'
import { ready } from '../../protocol/sodium.js'
import { main } from '../../scripts/sealdeck.js'
import {
  LEAVES, listedEntry, LOG_SEED, LOG_VKEY, ORIGIN, WITNESS_NAME, WITNESS_SEED, WITNESS_VKEY,
} from '../protocol/log/worked-example.js'
import { WrittenLog } from '../protocol/log/written-log.js'

await ready()

const launcher = fileURLToPath(new URL('../../scripts/sealdeck.mjs', import.meta.url))
const CHECKPOINT_FILE = `${encodeHex(sha256(encodeUtf8(ORIGIN)))}.checkpoint`

interface Running {
  readonly url: string
  readonly key: NoteKey
  readonly process: ChildProcess
  post(body: string): Promise<{ status: number, type: string | null, body: string }>
  kill(signal: 'SIGKILL' | 'SIGTERM'): Promise<number | null>
}

function useFolder(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'sealdeck-witness-'))
  t.teardown(() => { rmSync(folder, { recursive: true, force: true }) })
  return folder
}

function witnessArguments(folder: string): string[] {
  return [
    'witness', '--log', LOG_VKEY, '--key', join(folder, 'key'), '--state', join(folder, 'state'),
    '--port', '0', '--name', WITNESS_NAME,
  ]
}

/** Starts the command and waits for the two lines that it announces itself with. */
async function startWitness(t: Test, folder: string): Promise<Running> {
  const child = spawn(process.execPath, [launcher, ...witnessArguments(folder)], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.teardown(() => { child.kill('SIGKILL') })
  const lines: string[] = []
  for await (const line of createInterface(child.stdout)) {
    lines.push(line)
    if (lines.length === 2) break
  }
  const url = /http:\S+/.exec(lines[0] ?? '')?.[0] ?? ''
  const key = parseVkey(/policies: (\S+)/.exec(lines[1] ?? '')?.[1] ?? '')
  return {
    url, key, process: child,
    async post(body) {
      const response = await fetch(`${url}add-checkpoint`, { method: 'POST', body })
      return {
        status: response.status, type: response.headers.get('content-type'), body: await response.text(),
      }
    },
    async kill(signal) {
      const ended = once(child, 'exit')
      child.kill(signal)
      await ended
      return child.exitCode
    },
  }
}

/** The request that takes a witness from `oldSize` to the log as it stands. */
async function requestFrom(log: WrittenLog, oldSize: bigint): Promise<string> {
  const size = log.edge.edge.size
  const nodes = consistencyNodes(oldSize, size)
  const nodeHash = await readNodes(log.read, { nodes, size })
  return formatAddCheckpoint({
    oldSize, proof: buildConsistencyProof({ oldSize, size }, nodeHash), note: log.checkpoint,
  })
}

function grow(log: WrittenLog, count: number): void {
  const start = Number(log.edge.edge.size)
  log.append(Array.from({ length: count }, (_, at) => listedEntry(start + at)))
}

function sign(size: bigint, root: Uint8Array, origin = ORIGIN): string {
  return signCheckpoint({ origin, size, root }, [ed25519Signer(origin, LOG_SEED)])
}

t.test('a witness makes its key once, for its owner alone', async (t) => {
  const folder = useFolder(t)
  const first = await startWitness(t, folder)
  t.equal(first.key.name, WITNESS_NAME)
  t.equal(statSync(join(folder, 'key')).mode & 0o777, 0o600)
  t.equal(await first.kill('SIGTERM'), 0, 'it ends cleanly')
  t.notOk(existsSync(join(folder, 'state/lock')))
  t.same((await startWitness(t, folder)).key, first.key)
})

t.test('every status over HTTP', async (t) => {
  const folder = useFolder(t)
  const { key } = cosigner(WITNESS_NAME, WITNESS_SEED, () => 1)
  writeFileSync(join(folder, 'key'), `${formatSecretKey(key, WITNESS_SEED)}\n`)
  const witness = await startWitness(t, folder)
  t.same(witness.key, parseVkey(WITNESS_VKEY))
  const log = new WrittenLog()
  grow(log, 5)

  const before = Math.floor(Date.now() / 1000)
  const first = await witness.post(await requestFrom(log, 0n))
  t.equal(first.status, 200)
  const { signatures } = verifyNote(`${parseNote(log.checkpoint).text}\n${first.body}`, [witness.key])
  const time = Number(signatures[0]?.timeSeconds)
  t.ok(time >= before && time <= Date.now() / 1000, 'at the present time')
  const policy = parsePolicy(encodeUtf8(`log ${LOG_VKEY}\nwitness w ${WITNESS_VKEY}\nquorum w\n`))
  const plain = `${parseNote(log.checkpoint).text}\n${log.checkpoint.split('\n')[4]}\n`
  const cosigned = addCosignatures(plain, first.body, [witness.key])
  t.equal(verifyCheckpoint(cosigned, policy).cosignatures.length, 1)

  grow(log, 300)
  const behind = await witness.post(await requestFrom(log, 0n))
  t.same(behind, { status: 409, type: 'text/x.tlog.size', body: '5\n' })
  t.equal((await witness.post(await requestFrom(log, 5n))).status, 200)
  t.equal((await witness.post(await requestFrom(log, 305n))).status, 200, 'the same again')
  t.equal((await witness.post('nonsense')).status, 400)
  t.equal((await witness.post(`old 306\n\n${log.checkpoint}`)).status, 400)
  t.equal((await witness.post(`old 305\n\n${sign(305n, rootOfLeaves(LEAVES))}`)).status, 422)
  t.equal((await witness.post(`old 0\n\n${sign(3n, rootOfLeaves(LEAVES), 'other.example')}`)).status, 404)
  t.equal((await witness.post((await requestFrom(log, 305n)).replace('7UBa6', '7UBa7'))).status, 403)
  t.equal((await witness.post('x'.repeat(40_000))).status, 413)

  const shown = await fetch(`${witness.url}${CHECKPOINT_FILE.replace('.', '/')}`)
  t.equal(shown.status, 200)
  const text = await shown.text()
  t.equal(verifyCheckpoint(text, policy).checkpoint.size, 305n)
  t.equal(text, readFileSync(join(folder, 'state', CHECKPOINT_FILE), 'utf8'))
  t.equal((await fetch(`${witness.url}${'0'.repeat(64)}/checkpoint`)).status, 404)
  t.equal((await fetch(`${witness.url}add-checkpoint`)).status, 404)
  t.equal((await fetch(witness.url)).status, 404)
})

t.test('of many requests from one size one is cosigned, and no fork', async (t) => {
  const witness = await startWitness(t, useFolder(t))
  const logs = Array.from({ length: 12 }, (_, at) => {
    const log = new WrittenLog()
    log.append([listedEntry(at), listedEntry(at + 1)])
    return log
  })
  const answers = await Promise.all(
    logs.map(async (log) => await witness.post(await requestFrom(log, 0n))))
  t.equal(answers.filter(({ status }) => status === 200).length, 1)
  t.equal(answers.filter(({ status, body }) => status === 409 && body === '2\n').length, 11)
})

t.test('killed at any moment, it remembers every size that it has cosigned', async (t) => {
  const folder = useFolder(t)
  const log = new WrittenLog()
  let cosigned = 0n
  for (let round = 0; round < 4; round++) {
    const witness = await startWitness(t, folder)
    for (let step = 0; step < 3; step++) {
      grow(log, 7)
      t.equal((await witness.post(await requestFrom(log, cosigned))).status, 200)
      cosigned = log.edge.edge.size
    }
    // The last request is cut off: it may have been stored or not, but whatever was answered stands.
    grow(log, 3)
    const cut = witness.post(await requestFrom(log, cosigned)).then(({ status }) => status, () => 0)
    await witness.kill('SIGKILL')
    const answered = await cut
    const stored = readFileSync(join(folder, 'state', CHECKPOINT_FILE), 'utf8')
    const { size } = parseCheckpoint(verifyNote(stored, [witness.key]).text)
    t.ok(size === log.edge.edge.size || (answered !== 200 && size === cosigned))
    cosigned = size
  }
  t.ok(existsSync(join(folder, 'state/lock')), 'a killed witness leaves its lock, and the next one takes over')
  t.ok(readdirSync(join(folder, 'state')).includes(CHECKPOINT_FILE))
})

t.test('two witnesses never share a state', async (t) => {
  const folder = useFolder(t)
  const first = await startWitness(t, folder)
  const errors: string[] = []
  const status = await main(witnessArguments(folder), {
    out: () => undefined, err: (line) => errors.push(line), isWatched: false,
  })
  t.equal(status, 2)
  t.match(errors.join(), new RegExp(`process ${first.process.pid} already uses this state`))
  t.ok(existsSync(join(folder, 'state/lock')), 'the first one\'s lock is left alone')
})

t.test('wrong settings and damaged state end with one line', async (t) => {
  const folder = useFolder(t)
  const start = async (...args: string[]) => {
    const errors: string[] = []
    const status = await main(['witness', ...args], {
      out: () => undefined, err: (line) => errors.push(line), isWatched: false,
    })
    return `${status} ${errors.join()}`
  }
  const rest = ['--key', join(folder, 'key'), '--state', join(folder, 'state')]
  t.match(await start(), /^2 usage/)
  t.match(await start('--log', LOG_VKEY, ...rest), /^2 usage/)
  t.match(await start('--log', LOG_VKEY, ...rest, '--port', '70000'), /^2 --port/)
  t.match(await start('--log', WITNESS_VKEY, ...rest, '--port', '0'), /^2 --log takes the key of a log/)
  writeFileSync(join(folder, 'log-key'), formatSecretKey(ed25519Signer(ORIGIN, LOG_SEED).key, LOG_SEED))
  t.match(await start('--log', LOG_VKEY, '--key', join(folder, 'log-key'), '--state', join(folder, 'state'), '--port', '0'), /^2 .*not the key of a witness/)
  writeFileSync(join(folder, 'state', CHECKPOINT_FILE), sign(3n, rootOfLeaves(LEAVES)))
  t.match(await start('--log', LOG_VKEY, ...rest, '--port', '0'), /^1 NOT VERIFIED: unknown-signer/)
  t.notOk(existsSync(join(folder, 'state/lock')))
})
