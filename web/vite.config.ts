/**
 * How the browser's code is built, in four builds that share nothing, so that none carries what
 * another needs: the app (`index.html`) and the investor's gate (`gate.html`) into dist/web, the viewer,
 * which is served from another origin, into dist/web/viewer, and the verifier as one file, `verify.html`,
 * with the font of certificates beside it. What is served as a page must never hold an inline script or style, a data: address or eval: the server's
 * Content-Security-Policy refuses them.
 *
 * [Note: One file] verify.html is a download, never a page of ours. It holds its script and style inside, and a
 * policy that names these two by their hashes and allows nothing else: no network, no frame, no form.
 *
 * [Note: Names the server relies on] /assets/worker-*.js are the workers' own scripts, which get the
 * one policy that allows WebAssembly. Everything in an `assets` folder carries its hash in its name
 * and may be kept for ever. What shrinks has a `.br` copy beside it.
 */
import { createHash } from 'node:crypto'
import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { brotliCompress, constants } from 'node:zlib'
import { defineConfig, type Plugin, type Rolldown, type UserConfig } from 'vite'

const web = fileURLToPath(new URL('.', import.meta.url))
const out = fileURLToPath(new URL('../dist/web/', import.meta.url))
const certificateFont = fileURLToPath(
  import.meta.resolve('@expo-google-fonts/noto-sans/400Regular/NotoSans_400Regular.ttf'))
const pdfjs = dirname(fileURLToPath(import.meta.resolve('pdfjs-dist/package.json')))

/** What pdf.js fetches while it draws: decoders, character maps, the fourteen standard fonts. */
const PDFJS_FOLDERS = ['wasm', 'cmaps', 'standard_fonts', 'iccs']
/** Scripting inside PDFs stays out of the build altogether. */
const PDFJS_UNWANTED = /quickjs|sandbox/i

const SHRINKABLE = /\.(?:js|mjs|css|html|svg|json|wasm|ttf)$/
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

function verifier(): UserConfig {
  const config = page('verify', [oneFile(), withFont()])
  return {
    ...config,
    build: {
      ...config.build, cssCodeSplit: false, modulePreload: false,
      rolldownOptions: { ...config.build?.rolldownOptions, output: { codeSplitting: false } },
    },
  }
}

/** [Note: One file] */
function oneFile(): Plugin {
  return {
    name: 'one-file',
    enforce: 'post',
    generateBundle(_options, bundle) {
      const [script = '', style = ''] = [/\.js$/, /\.css$/].map((ending) => takeText(bundle, ending))
      const html = bundle['verify.html']
      if (html?.type !== 'asset' || script === '' || style === '') throw new Error('not one page, script and style')
      html.source = inline(String(html.source), { script, style })
    },
  }
}

/** The one file with that ending, out of the bundle. */
function takeText(bundle: Rolldown.OutputBundle, ending: RegExp): string {
  const names = Object.keys(bundle).filter((name) => ending.test(name))
  const [file] = names.map((name) => bundle[name])
  if (names.length !== 1 || file === undefined) throw new Error(`${names.length} files end with ${ending.source}`)
  for (const name of names) delete bundle[name]
  return file.type === 'chunk' ? file.code : String(file.source)
}

function inline(html: string, { script, style }: { script: string, style: string }): string {
  // Inside a script only these two could end it or hide its end; in a string a backslash changes nothing.
  const safe = script.trim().replace(/<\/(?=script)/gi, '<\\/').replace(/<!--/g, '<\\!--')
  const css = style.trim()
  const policy = [
    "default-src 'none'", `script-src '${hashSource(safe)}' 'wasm-unsafe-eval'`, `style-src '${hashSource(css)}'`,
    "base-uri 'none'", "form-action 'none'", "require-trusted-types-for 'script'", "trusted-types 'none'",
  ].join('; ')
  const meta = `<meta http-equiv="Content-Security-Policy" content="${policy}">`
  return html
    .replace(/\s*<script[^>]*src=[^>]*><\/script>/, '').replace(/\s*<link[^>]*rel="stylesheet"[^>]*>/, '')
    .replace('<meta charset="utf-8">', (charset) => `${charset}\n    ${meta}`)
    .replace('</head>', () => `  <style>${css}</style>\n  </head>`)
    .replace('</body>', () => `  <script type="module">${safe}</script>\n  </body>`)
}

function hashSource(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`
}

/** For certificates, wherever packs are made; they carry the letters they use and no more of it. */
function withFont(): Plugin {
  return {
    name: 'certificate-font',
    async buildStart() {
      this.emitFile({ type: 'asset', fileName: 'certificate.ttf', source: await readFile(certificateFont) })
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
  verify: verifier,
  viewer,
}

export default defineConfig(({ mode }) => {
  const build = BUILDS[mode]
  if (build === undefined) throw new Error(`--mode is one of ${Object.keys(BUILDS).join(', ')}`)
  return build()
})
