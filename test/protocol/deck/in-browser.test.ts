// Goal: the format's code does in a real browser what it does in Node: every vector of the age test kit,
// and the same bytes from the platform's cipher as from libsodium's.
// Method: the same sources, bundled for the browser, run on a page of its own in Chromium.
import { createServer } from 'node:http'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import type { Test } from 'tap'
import { build } from 'vite'
import { findChromium, openProfile, useChromium } from '../../helpers/chromium.js'

const ENTRY = fileURLToPath(new URL('in-browser/page.ts', import.meta.url))
const PAGE = '<!doctype html><title>vectors</title><script type="module" src="/page.js"></script>'

async function bundle(): Promise<string> {
  const built = await build({
    configFile: false,
    logLevel: 'silent',
    build: {
      write: false, minify: false, target: 'es2023', modulePreload: false,
      rolldownOptions: { input: ENTRY, output: { format: 'es', codeSplitting: false } },
    },
  })
  const [output] = Array.isArray(built) ? built : [built]
  if (output === undefined || !('output' in output)) throw new Error('nothing was built')
  return output.output[0].code
}

async function serve(t: Test, script: string): Promise<string> {
  const server = createServer((request, response) => {
    const isScript = request.url === '/page.js'
    response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html')
    response.end(isScript ? script : PAGE)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(async () => { server.close() })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return `http://localhost:${address.port}/`
}

t.test('in Chromium', {
  skip: findChromium() === undefined ? 'CHROMIUM IS NOT INSTALLED HERE' : false,
}, async (t) => {
  const browser = await useChromium(t)
  const url = await serve(t, await bundle())
  const { page, complaints, close } = await openProfile(browser, { passkey: 'none' })
  await page.goto(url)
  await page.waitForFunction('globalThis.runCiphers !== undefined')

  const kit: unknown = await page.evaluate('runKit()')
  t.same(kit, { count: 143, faults: [] }, 'every vector, whole, in pieces and byte by byte')

  const ciphers: unknown = await page.evaluate('runCiphers()')
  const { sodium, platform } = Object(ciphers)
  t.match(sodium, /^[0-9a-f]{64}$/)
  if (platform === null) t.comment('THIS CHROMIUM HAS NO CHACHA20-POLY1305: libsodium alone')
  else t.equal(platform, sodium, 'the platform seals to the same bytes')
  t.same(complaints, [])
  await close()
})
