/** Serves the crypto worker and a bare page on loopback, each under the policy that the product sends. */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'
import { build } from 'vite'
import { readConfig } from '../../../server/config.js'
import { headersFor } from '../../../server/headers.js'
import { findSparePort } from '../../helpers/engine.js'

const here = dirname(fileURLToPath(import.meta.url))

export interface WorkerStand {
  readonly origin: string
  /** How often the worker's script was asked for: once for each worker. */
  readonly startCount: () => number
}

export async function useWorkerStand(t: Test): Promise<WorkerStand> {
  const folder = await mkdtemp(join(tmpdir(), 'worker-stand-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  await buildInto(folder)
  const config = readConfig({})
  const port = await findSparePort()
  let startCount = 0
  const server = createServer((request, response) => {
    const path = request.url ?? '/'
    const isPage = path === '/'
    const isWorker = path.startsWith('/assets/worker-')
    if (isWorker) startCount++
    const headers = headersFor(config, isPage ? 'app-page' : isWorker ? 'app-worker' : 'app-file')
    readFile(join(folder, isPage ? 'index.html' : path)).then(
      (bytes) => response.writeHead(200, { ...headers, 'content-type': isPage ? 'text/html' : 'text/javascript', 'cache-control': 'no-store' }).end(bytes),
      () => response.writeHead(404, headers).end())
  })
  await new Promise<void>((resolve) => { server.listen(port, '127.0.0.1', resolve) })
  t.teardown(() => new Promise<void>((resolve) => {
    server.closeAllConnections()
    server.close(() => resolve())
  }))
  return { origin: `http://localhost:${port}`, startCount: () => startCount }
}

async function buildInto(folder: string): Promise<void> {
  await build({
    configFile: false,
    logLevel: 'error',
    root: here,
    publicDir: false,
    build: { outDir: folder, emptyOutDir: true, target: 'es2023', assetsInlineLimit: 0, modulePreload: { polyfill: false } },
    worker: { format: 'es', rolldownOptions: { output: { entryFileNames: 'assets/worker-[hash].js' } } },
  })
}
