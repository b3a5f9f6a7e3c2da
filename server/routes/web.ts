/**
 * The web client: files of dist/web, listed once at start, sent as they are. No page is made here, so
 * what one visitor gets is byte for byte what all get.
 */
import fastifyStatic from '@fastify/static'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Refusal } from '../../protocol/refusals.js'
import type { App } from '../app.js'
import { headersFor, type FileClass } from '../headers.js'
import { listWebFiles } from '../web-files.js'
import type { World } from '../world.js'

const STATIC_OPTIONS = { serve: false, preCompressed: true, cacheControl: false }

/** A screen's path has no file name in it; which screen it is, and whether there is one, the page itself says. */
const APP_PAGE = /^(?!api\/|log\/|g\/|viewer\/)(?:[A-Za-z0-9_-]+(?:\/[A-Za-z0-9_-]+)*)?\/?$/

/** The one-file verifier, as web/vite.config.ts builds it. */
const VERIFIER_NAME = 'verify.html'

export async function webRoutes(app: App, world: World): Promise<void> {
  const root = world.config.webFolder
  const files = new Set(listWebFiles(root).filter((path) => !path.startsWith('viewer/')))
  await app.register(fastifyStatic, { root, ...STATIC_OPTIONS })

  app.get('/g/:grantId', { schema: { hide: true } }, (request, reply) => sendPage(request, reply, 'gate.html'))
  // Its scripts stand inside it, so it never runs here: a browser only ever saves it.
  app.get(`/${VERIFIER_NAME}`, { schema: { hide: true } }, (_request, reply) => {
    if (!files.has(VERIFIER_NAME)) throw new Refusal('not-found')
    return sendFile(reply.header('content-disposition', 'attachment; filename="sealdeck-verify.html"'), VERIFIER_NAME, 'download')
  })
  app.get('/*', { schema: { hide: true } }, (request, reply) => {
    const path = pathOf(request)
    if (APP_PAGE.test(path)) return sendPage(request, reply, 'index.html')
    if (!files.has(path) || path.endsWith('.html') || isServiceWorker(request)) throw new Refusal('not-found')
    return sendFile(reply, path, classOf(path, 'app'))
  })

  function sendPage(request: FastifyRequest, reply: FastifyReply, path: string): FastifyReply {
    if (!files.has(path) || isServiceWorker(request)) throw new Refusal('not-found')
    return sendFile(reply, path, 'app-page')
  }

  function sendFile(reply: FastifyReply, path: string, fileClass: FileClass): FastifyReply {
    return reply.headers(headersFor(world.config, fileClass, isHashed(path))).sendFile(path)
  }
}

/** The viewer's files, under /viewer/ as its build names them. A query is refused: nothing here has one. */
export async function viewerRoutes(app: App, world: World): Promise<void> {
  const root = world.config.webFolder
  const files = new Set(listWebFiles(root).filter((path) => path.startsWith('viewer/')))
  await app.register(fastifyStatic, { root, ...STATIC_OPTIONS })
  app.get('/*', (request, reply) => {
    const path = pathOf(request)
    if (!files.has(path) || request.url.includes('?') || isServiceWorker(request)) throw new Refusal('not-found')
    return reply.headers(headersFor(world.config, classOf(path, 'viewer'), isHashed(path))).sendFile(path)
  })
}

function pathOf(request: FastifyRequest): string {
  const path: unknown = Reflect.get(Object(request.params), '*')
  return typeof path === 'string' ? path : ''
}

/** No script of ours may become a service worker: it would outlive the page it came with. */
function isServiceWorker(request: FastifyRequest): boolean {
  return request.headers['service-worker'] !== undefined
}

function classOf(path: string, side: 'app' | 'viewer'): FileClass {
  if (path.endsWith('.html')) return `${side}-page`
  const isWorker = /(?:^|\/)assets\/worker-[^/]*\.js$/.test(path) || path === 'viewer/pdfjs/pdf.worker.min.mjs'
  return isWorker ? `${side}-worker` : `${side}-file`
}

/** The build puts a file's hash into its name in every `assets` folder. */
function isHashed(path: string): boolean {
  return /(?:^|\/)assets\//.test(path)
}
