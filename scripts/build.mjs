/**
 * Makes dist/ from the sources: the server by tsc, the web client and its viewer by Vite, side by
 * side. Builds only what changed: each half keeps a stamp, the hash of its sources' names, sizes and
 * times. `node scripts/build.mjs` builds; start.mjs and test.mjs call it too.
 */
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const node = process.execPath
const tsc = join(root, 'node_modules/typescript/bin/tsc')
const vite = join(root, 'node_modules/vite/bin/vite.js')

const SETTINGS = ['package-lock.json', 'tsconfig.json', 'scripts/build.mjs']
const HALVES = [
  {
    name: 'server',
    sources: ['protocol', 'db', 'server', 'scripts', ...SETTINGS],
    outputs: ['protocol', 'db', 'server', 'scripts'],
    build: buildServer,
  },
  { name: 'web', sources: ['protocol', 'web', ...SETTINGS], outputs: ['web'], build: buildWeb },
]

/** Builds what is older than its sources. @returns {Promise<boolean>} whether anything was built */
export async function build() {
  const stale = HALVES.map((half) => ({ ...half, stamp: stampOf(half.sources) })).filter(isStale)
  if (stale.length === 0) return false
  console.log(`Building ${stale.map(({ name }) => name).join(' and ')} ...`)
  // Both to their end, so that one half's mistake does not leave the other half-written.
  const results = await Promise.allSettled(stale.map(rebuild))
  const failure = results.find(({ status }) => status === 'rejected')
  if (failure !== undefined) throw failure.reason
  return true
}

function isStale({ name, stamp }) {
  const path = stampPath(name)
  return !existsSync(path) || readFileSync(path, 'utf8') !== stamp
}

async function rebuild({ name, outputs, stamp, build }) {
  rmSync(stampPath(name), { force: true })
  for (const output of outputs) rmSync(join(root, 'dist', output), { recursive: true, force: true })
  await build()
  mkdirSync(join(root, 'dist'), { recursive: true })
  writeFileSync(stampPath(name), stamp)
}

function stampPath(name) {
  return join(root, `dist/.${name}-stamp`)
}

async function buildServer() {
  await run('the server', [tsc, '-p', 'server/tsconfig.json'])
  cpSync(join(root, 'db/migrations'), join(root, 'dist/db/migrations'), { recursive: true })
}

// One after the other: the first empties the folder, the last compresses what all have written.
async function buildWeb() {
  for (const mode of ['app', 'gate', 'verify', 'viewer']) {
    await run('the web client', [vite, 'build', '--config', 'web/vite.config.ts', '--mode', mode, '--logLevel', 'warn'])
  }
}

async function run(what, args) {
  const env = { ...process.env, NODE_ENV: 'production' }
  const child = spawn(node, args, { cwd: root, env, stdio: ['ignore', 'inherit', 'inherit'] })
  const code = await new Promise((resolve) => child.once('exit', resolve))
  if (code !== 0) throw new Error(`${what} could not be built; what is wrong stands above`)
}

function stampOf(sources) {
  const hash = createHash('sha256')
  for (const path of sources.flatMap(listFiles)) {
    const { size, mtimeMs } = statSync(join(root, path))
    hash.update(`${path}\0${size}\0${mtimeMs}\n`)
  }
  return hash.digest('hex')
}

function listFiles(path) {
  if (!statSync(join(root, path)).isDirectory()) return [path]
  const names = readdirSync(join(root, path), { recursive: true, encoding: 'utf8' }).sort()
  return names.map((name) => `${path}/${name}`).filter((file) => statSync(join(root, file)).isFile())
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const isBuilt = await build().catch(fail)
  if (!isBuilt) console.log('Nothing to build.')
}

function fail(error) {
  console.error(error.message)
  process.exit(1)
}
