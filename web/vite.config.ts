/**
 * How the browser's code is built, in three builds that share nothing, so that none carries what
 * another needs: the app (`index.html`) and the investor's gate (`gate.html`) into dist/web, and the
 * viewer, which is served from another origin, into dist/web/viewer. Must never emit an inline script or style, a data: address or eval: the server's
 * Content-Security-Policy refuses them.
 *
 * [Note: Names the server relies on] /assets/worker-*.js are the workers' own scripts, which get the
 * one policy that allows WebAssembly. Everything in an `assets` folder carries its hash in its name
 * and may be kept for ever. What shrinks has a `.br` copy beside it.
 */
import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { brotliCompress, constants } from 'node:zlib'
import { defineConfig, type Plugin, type Rolldown, type UserConfig } from 'vite'

const web = fileURLToPath(new URL('.', import.meta.url))
const out = fileURLToPath(new URL('../dist/web/', import.meta.url))
const pdfjs = dirname(fileURLToPath(import.meta.resolve('pdfjs-dist/package.json')))

/** What pdf.js fetches while it draws: decoders, character maps, the fourteen standard fonts. */
const PDFJS_FOLDERS = ['wasm', 'cmaps', 'standard_fonts', 'iccs']
/** Scripting inside PDFs stays out of the build altogether. */
const PDFJS_UNWANTED = /quickjs|sandbox/i

const SHRINKABLE = /\.(?:js|mjs|css|html|svg|json|wasm)$/
const MIN_COMPRESSED_SIZE_BYTES = 1024
const compress = promisify(brotliCompress)

/** "use client" means nothing in a browser, and how long a plugin took is nobody's concern. */
const UNWANTED_WARNINGS: readonly unknown[] = ['MODULE_LEVEL_DIRECTIVE', 'PLUGIN_TIMINGS']
const showWarning: NonNullable<Rolldown.RolldownOptions['onLog']> = (level, log, show) => {
  if (!UNWANTED_WARNINGS.includes(log.code)) show(level, log)
}

function common(): UserConfig {
  return {
    root: web,
    publicDir: false,
    build: {
      target: 'es2023',
      emptyOutDir: false,
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
      reportCompressedSize: false,
      chunkSizeWarningLimit: 1024,
    },
    worker: {
      format: 'es',
      rolldownOptions: {
        output: {
          entryFileNames: ({ name }) => `assets/worker-${name === 'worker' ? '' : `${name}-`}[hash].js`,
          chunkFileNames: 'assets/[name]-[hash].js',
        },
      },
    },
  }
}

function page(name: string, plugins: readonly Plugin[]): UserConfig {
  const { build, ...rest } = common()
  const rolldownOptions = { input: join(web, `${name}.html`), onLog: showWarning }
  return { ...rest, base: '/', plugins: [...plugins], build: { ...build, outDir: out, rolldownOptions } }
}

function viewer(): UserConfig {
  const { build, ...rest } = common()
  const folder = join(out, 'viewer')
  return {
    ...rest,
    root: join(web, 'viewer'),
    base: '/viewer/',
    plugins: [withPdfjs(folder), compressed(out)],
    build: {
      ...build, outDir: folder, rolldownOptions: { input: join(web, 'viewer/index.html'), onLog: showWarning },
    },
  }
}

// Not Vite's emptyOutDir, which refuses a folder outside the root.
function cleaned(folder: string): Plugin {
  return { name: 'cleaned', async buildStart() { await rm(folder, { recursive: true, force: true }) } }
}

function withPdfjs(folder: string): Plugin {
  return {
    name: 'pdfjs',
    async buildStart() {
      const to = join(folder, 'pdfjs')
      await mkdir(to, { recursive: true })
      await cp(join(pdfjs, 'legacy/build/pdf.worker.min.mjs'), join(to, 'pdf.worker.min.mjs'))
      for (const name of PDFJS_FOLDERS) {
        const filter = (path: string): boolean => !PDFJS_UNWANTED.test(path)
        await cp(join(pdfjs, name), join(to, name), { recursive: true, filter })
      }
    },
  }
}

/** Writes a brotli copy beside each file that shrinks, of all three builds; never done per request. */
function compressed(folder: string): Plugin {
  return {
    name: 'compressed',
    async closeBundle() {
      const paths = await readdir(folder, { recursive: true })
      await Promise.all(paths.filter((path) => SHRINKABLE.test(path))
        .map((path) => compressFile(join(folder, path))))
    },
  }
}

async function compressFile(path: string): Promise<void> {
  const bytes = await readFile(path)
  if (bytes.length < MIN_COMPRESSED_SIZE_BYTES) return
  const params = { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY }
  const small = await compress(bytes, { params })
  if (small.length < bytes.length) await writeFile(`${path}.br`, small)
}

/** In the order in which they are built: the first empties the folder. */
const BUILDS: Readonly<Record<string, () => UserConfig>> = {
  app: () => page('index', [cleaned(out)]),
  gate: () => page('gate', []),
  viewer,
}

export default defineConfig(({ mode }) => {
  const build = BUILDS[mode]
  if (build === undefined) throw new Error(`--mode is one of ${Object.keys(BUILDS).join(', ')}`)
  return build()
})
