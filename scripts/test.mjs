/**
 * `npm test`: everything that must hold, from the compiler to people in browsers. The last line is
 * `N passed, N failed, N skipped`; the exit code is 0 only if something passed, nothing failed and,
 * where CI is set, nothing was left out.
 *
 *     npm test                              all of it
 *     npm test -- --only unit               one group (or several: static,unit)
 *     npm test -- test/server/x.test.ts     these files, with the engines they need
 */
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { build } from './build.mjs'
import { ensureEngines } from './engines.mjs'
import { tapLines } from './tap-lines.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const modules = join(root, 'node_modules')
const tap = join(modules, 'tap/dist/esm/run.mjs')
const isCi = !['', '0', 'false', undefined].includes(process.env.CI)

/** How many programs run at a time: the machine we promise to run on has two cores. */
const JOBS = 2
const MAX_ERROR_LINE_COUNT = 100

const TEST_FOLDERS = {
  unit: ['protocol', 'db', 'scripts', 'helpers'],
  api: ['server', 'evil', 'fault'],
  flow: ['web', 'flow'],
}
/** These never look at what is built. */
const RUNS_FROM_SOURCE = /^test\/(?:protocol|db|scripts|helpers)\//
const GROUPS = ['static', ...Object.keys(TEST_FOLDERS)]

const STATIC_CHECKS = [
  { name: 'types of the server and its tests', command: typecheck('tsconfig.json') },
  { name: 'types of the protocol on its own', command: typecheck('protocol/tsconfig.json') },
  { name: 'types of the web client', command: typecheck('web/tsconfig.json') },
  { name: 'types of the web client\'s tests', command: typecheck('test/web/tsconfig.json') },
  { name: 'lint', command: [join(modules, 'eslint/bin/eslint.js'), '.'] },
  { name: 'tidy', command: ['--import', 'tsx', 'scripts/tidy.ts'] },
]

function typecheck(project) {
  const memory = join('.cache', `${project.replaceAll('/', '-')}.tsbuildinfo`)
  return [join(modules, 'typescript/bin/tsc'), '-p', project, '--noEmit', '--incremental', '--tsBuildInfoFile', memory]
}

function parseArguments(args) {
  const files = args.filter((arg) => arg.endsWith('.test.ts'))
  const only = args[args.indexOf('--only') + 1]
  const groups = args.includes('--only') ? (only ?? '').split(',') : files.length > 0 ? [] : GROUPS
  const unknown = groups.filter((group) => !GROUPS.includes(group))
  if (unknown.length > 0) throw new Error(`--only takes one or more of ${GROUPS.join(', ')}`)
  return { groups, files: [...files, ...groups.flatMap(listTests)] }
}

function listTests(group) {
  return (TEST_FOLDERS[group] ?? []).flatMap((folder) => {
    const path = join(root, 'test', folder)
    const names = existsSync(path) ? readdirSync(path, { recursive: true, encoding: 'utf8' }) : []
    return names.filter((name) => name.endsWith('.test.ts')).sort().map((name) => `test/${folder}/${name}`)
  })
}

async function runStaticChecks() {
  const waiting = [...STATIC_CHECKS]
  const results = []
  async function work() {
    for (let check = waiting.shift(); check !== undefined; check = waiting.shift()) {
      results.push(await runCheck(check))
    }
  }
  await Promise.all(Array.from({ length: JOBS }, work))
  const passed = results.filter(Boolean).length
  return { passed, failed: results.length - passed, skipped: 0 }
}

async function runCheck({ name, command }) {
  const startMs = performance.now()
  const output = []
  const code = await run(command, (line) => output.push(line))
  const seconds = ((performance.now() - startMs) / 1000).toFixed(1)
  console.log(`${code === 0 ? 'ok' : 'NOT OK'}: ${name} (${seconds} s)`)
  if (code !== 0) console.log(output.join('\n'))
  return code === 0
}

async function runTap(files) {
  if (files.length === 0) return { passed: 0, failed: 0, skipped: 0 }
  // tap is compiled with its plugins; the run that notices a change still has the old ones.
  if (!existsSync(join(modules, '@tapjs/test/test-built/node_modules'))) await run([tap, 'build'], () => {})
  const show = tapLines(console.log)
  const errors = []
  let totals = ''
  const code = await run(['--import', 'tsx', 'test/helpers/with-engines.ts', tap, 'run', '--disable-coverage', ...files], (line) => {
    // Each file has such a line, indented or not; the last one is the run's.
    if (line.startsWith('# { total: ')) totals = line
    show(line)
  }, (line) => errors.push(line))
  if (code !== 0) console.log(['What was written to standard error:', ...errors.slice(-MAX_ERROR_LINE_COUNT)].join('\n'))
  const counts = parseTotals(totals)
  // tap can fail without a failed assertion: a file that crashed before its first one.
  return code !== 0 && counts.failed === 0 ? { ...counts, failed: 1 } : counts
}

function parseTotals(totals) {
  const count = (word) => Number(new RegExp(`\\b${word}: (\\d+)`).exec(totals)?.[1] ?? 0)
  return { passed: count('pass'), failed: count('fail'), skipped: count('skip') + count('todo') }
}

/** Runs Node and hands every line it prints to `take`. @returns its exit code */
async function run(command, take, takeError = take) {
  const child = spawn(process.execPath, command, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
  createInterface({ input: child.stdout }).on('line', take)
  createInterface({ input: child.stderr }).on('line', takeError)
  return await new Promise((resolve) => child.once('close', resolve))
}

function add(one, other) {
  return {
    passed: one.passed + other.passed, failed: one.failed + other.failed,
    skipped: one.skipped + other.skipped,
  }
}

function sayWhatIsMissing(missing) {
  if (missing.length === 0) return
  console.log('\n' + '!'.repeat(72))
  console.log(`LEFT OUT, because it is not installed here: ${missing.join(', ')}.`)
  console.log('The tests that need it are skipped. As root on Debian it is installed by itself.')
  console.log('!'.repeat(72) + '\n')
}

function end({ passed, failed, skipped }) {
  if (isCi && skipped > 0) console.log('Nothing may be skipped where CI is set.')
  console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`)
  process.exitCode = passed === 0 || failed > 0 || (isCi && skipped > 0) ? 1 : 0
}

async function main() {
  const { groups, files } = parseArguments(process.argv.slice(2))
  mkdirSync(join(root, '.cache'), { recursive: true })
  const missing = files.length > 0 ? ensureEngines() : []
  sayWhatIsMissing(missing)
  let counts = groups.includes('static') ? await runStaticChecks() : { passed: 0, failed: 0, skipped: 0 }
  if (!files.every((file) => RUNS_FROM_SOURCE.test(file))) await build()
  counts = add(counts, await runTap(files))
  sayWhatIsMissing(missing)
  end(counts)
}

await main().catch((error) => {
  console.error(error.message)
  end({ passed: 0, failed: 1, skipped: 0 })
})
