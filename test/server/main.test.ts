// Goal: the server starts by one command, says where everything is, says in one line why it cannot,
// and ends cleanly; what was there before is there after.
// Method: the real program as a child process, on the embedded default and a folder of its own.
import { spawn, type ChildProcess } from 'node:child_process'
import { chmod, mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { findSparePort, makeFolder } from '../helpers/engine.js'

const MAIN = fileURLToPath(new URL('../../server/main.ts', import.meta.url))
const READY = /verify with .+/

interface Run {
  readonly child: ChildProcess
  readonly output: () => string
  readonly ended: Promise<number | null>
}

function run(
  t: Test, settings: NodeJS.ProcessEnv, account: { uid?: number, gid?: number } = {},
): Run {
  const env = { PATH: process.env.PATH, LOG_LEVEL: 'info', ...settings }
  const child = spawn(process.execPath, ['--import=tsx', MAIN], { env, stdio: ['ignore', 'pipe', 'pipe'], ...account })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => { output += chunk.toString() })
  const ended = new Promise<number | null>((resolve) => { child.once('exit', resolve) })
  t.teardown(() => { child.kill('SIGKILL') })
  return { child, output: () => output, ended }
}

async function untilReady({ output, child }: Run): Promise<void> {
  for (let attempt = 0; attempt < 600 && !READY.test(output()); attempt++) {
    if (child.exitCode !== null) throw new Error(`ended instead of starting: ${output()}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

async function settings(t: Test): Promise<{ DATA_DIR: string, PORT: string, VIEWER_PORT: string }> {
  const folder = await makeFolder('main')
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  return { DATA_DIR: join(folder, 'data'), PORT: String(await findSparePort()), VIEWER_PORT: String(await findSparePort()) }
}

t.test('starting, ending and starting again', async (t) => {
  const env = await settings(t)
  const first = run(t, env)
  await untilReady(first)
  for (const expected of [`http://localhost:${env.PORT}`, `http://127.0.0.1:${env.VIEWER_PORT}`, env.DATA_DIR, '/outbox', 'log.key']) {
    t.match(first.output(), expected, 'it prints where this is')
  }
  const address = `http://127.0.0.1:${env.PORT}`
  t.equal((await fetch(`${address}/readyz`)).status, 200)
  const checkpoint = await (await fetch(`${address}/log/${new Date().getUTCFullYear()}/checkpoint`)).text()

  const [port, viewerPort] = [await findSparePort(), await findSparePort()]
  const rival = run(t, { ...env, PORT: String(port), VIEWER_PORT: String(viewerPort) })
  t.equal(await rival.ended, 1, 'a second process on the same folder is refused')
  t.match(rival.output(), /^Sealdeck cannot start\. .*in use by another Sealdeck \(process \d+\)\n$/m)

  first.child.kill('SIGINT')
  t.equal(await first.ended, 0, 'Ctrl-C ends it')
  t.notMatch((await readdir(env.DATA_DIR)).join(), 'lock', 'and gives the folder back')

  const second = run(t, env)
  await untilReady(second)
  t.equal(await (await fetch(`${address}/log/${new Date().getUTCFullYear()}/checkpoint`)).text(), checkpoint, 'and finds the same log')

  second.child.kill('SIGKILL')
  await second.ended
  const third = run(t, env)
  await untilReady(third)
  t.equal((await fetch(`${address}/readyz`)).status, 200, 'a crash leaves nothing in the way')
  third.child.kill('SIGTERM')
  t.equal(await third.ended, 0)
})

t.test('each thing that keeps it from starting is one line', async (t) => {
  const env = await settings(t)
  const occupied = createServer()
  await new Promise<void>((resolve) => { occupied.listen(0, '127.0.0.1', resolve) })
  t.teardown(() => { occupied.close() })
  const address = occupied.address()
  const port = typeof address === 'object' && address !== null ? String(address.port) : ''
  const file = join(await makeFolder('main'), 'file')
  await writeFile(file, '')
  t.teardown(() => rm(join(file, '..'), { recursive: true, force: true }))

  const cases = [
    { change: { PORT: port }, line: new RegExp(`Port ${port} is taken`) },
    { change: { PORT: 'eighty' }, line: /PORT must be a whole number from 0 to 65535/ },
    { change: { PUBLIC_URL: 'http://deck.example' }, line: /PUBLIC_URL must be https/ },
    { change: { DATA_DIR: join(file, 'data') }, line: /is no folder\. Set DATA_DIR/ },
    { change: { DATABASE_URL: 'postgres://127.0.0.1:1/x' }, line: /DATABASE_URL: no PostgreSQL answers/ },
    { change: { LOG_KEY: 'PRIVATE+KEY+nonsense' }, line: /LOG_KEY .* is not a note signing key/ },
  ]
  for (const { change, line } of cases) {
    const refused = run(t, { ...env, ...change })
    t.equal(await refused.ended, 1)
    t.match(refused.output(), line)
    const told = refused.output().split('\n').filter((one) => one.startsWith('Sealdeck cannot start. '))
    t.equal(told.length, 1, 'one line')
    t.notMatch(refused.output(), /\n\s+at /, 'without a stack')
  }
})

t.test('a folder that cannot be written is one line too', async (t) => {
  const env = await settings(t)
  await mkdir(env.DATA_DIR, { mode: 0o555 })
  await chmod(join(env.DATA_DIR, '..'), 0o755)
  // Root writes everywhere, so it borrows the account of nobody.
  const refused = run(t, env, process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {})
  t.equal(await refused.ended, 1)
  t.match(refused.output(), /^Sealdeck cannot start\. .* cannot be written\. Set DATA_DIR/m)
})
