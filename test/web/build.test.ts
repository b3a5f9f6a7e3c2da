// Goal: what is built keeps the promises that the server's headers and the gate's readers rely on.
// Method: build as npm start does, then read the files of dist/web as a browser would find them.
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { brotliDecompressSync } from 'node:zlib'
import t from 'tap'

/** The aim is 90,000, viewer not counted; react-dom alone is 57,000 of it. Never more than this. */
const GATE_LIMIT_BYTES = 92_400

const root = fileURLToPath(new URL('../..', import.meta.url))
const dist = join(root, 'dist/web')
const pages = ['index.html', 'gate.html', 'viewer/index.html']

const built = spawnSync(process.execPath, ['scripts/build.mjs'], { cwd: root, encoding: 'utf8' })
t.equal(built.status, 0, built.stderr)

const files = readdirSync(dist, { recursive: true, encoding: 'utf8' })
  .filter((path) => statSync(join(dist, path)).isFile())

function read(path: string): string {
  return readFileSync(join(dist, path), 'utf8')
}

/** What a page needs before it runs: its scripts, their static imports, its styles. */
function listNeeded(page: string): string[] {
  const paths = [...read(page).matchAll(/(?:src|href)="\/([^"]+\.(?:js|css))"/g)].map((match) => match[1] ?? '')
  return [...new Set(paths)]
}

function sizeOnTheWire(path: string): number {
  const small = join(dist, `${path}.br`)
  return statSync(existsSync(small) ? small : join(dist, path)).size
}

t.test('pages carry no script, style or handler of their own', async (t) => {
  for (const page of pages) {
    const html = read(page)
    t.notMatch(html, /<script(?![^>]*\bsrc=)[^>]*>/i, page)
    t.notMatch(html, /<style|\sstyle=|\son[a-z]+=|javascript:|src="data:/i, page)
    t.ok(listNeeded(page).length > 0, `${page} loads its script from a file`)
    t.ok(listNeeded(page).every((path) => files.includes(path)), `${page} finds all it names`)
  }
})

t.test('pages load from their own origin alone', async (t) => {
  for (const page of pages) t.notMatch(read(page), /(?:src|href)="(?:https?:)?\/\//, page)
})

t.test('everything in an assets folder has its hash in its name', async (t) => {
  const assets = files.filter((path) => /(?:^|\/)assets\//.test(path))
  t.ok(assets.length > 5)
  t.same(assets.filter((path) => !/-[\w-]{8}\.\w+(?:\.br)?$/.test(path)), [])
})

t.test('workers are scripts of their own, by the name the server knows', async (t) => {
  const workers = files.filter((path) => /^assets\/worker-[\w-]+\.js$/.test(path))
  t.ok(workers.some((path) => read(path).includes('sealdeck/v1/')), 'the one that holds the keys')
  for (const page of pages) {
    t.same(listNeeded(page).filter((path) => workers.includes(path)), [], `${page} does not load one as a page's script`)
  }
})

t.test('no script makes code from text', async (t) => {
  const scripts = files.filter((path) => path.startsWith('assets/') && path.endsWith('.js'))
  t.same(scripts.filter((path) => /\beval\(|\bnew Function\(/.test(read(path))), [])
})

t.test('the gate is small', async (t) => {
  const sizeBytes = listNeeded('gate.html').map(sizeOnTheWire).reduce((sum, size) => sum + size, 0)
  t.comment(`${sizeBytes} bytes`)
  t.ok(sizeBytes <= GATE_LIMIT_BYTES, `${sizeBytes} bytes of ${GATE_LIMIT_BYTES}`)
})

t.test('each compressed copy is the file beside it', async (t) => {
  const copies = files.filter((path) => path.endsWith('.br'))
  t.ok(copies.length > 5)
  for (const path of copies) {
    const original = readFileSync(join(dist, path.slice(0, -'.br'.length)))
    t.ok(brotliDecompressSync(readFileSync(join(dist, path))).equals(original), path)
  }
})

t.test('the viewer has what pdf.js asks for, and no means to run scripts inside PDFs', async (t) => {
  for (const path of [
    'pdf.worker.min.mjs', 'wasm/openjpeg.wasm', 'wasm/jbig2.wasm', 'wasm/qcms_bg.wasm',
    'cmaps/UniGB-UCS2-H.bcmap', 'standard_fonts/FoxitSerif.pfb',
  ]) t.ok(files.includes(`viewer/pdfjs/${path}`), path)
  t.same(files.filter((path) => /quickjs|sandbox/i.test(path)), [])
})
