/**
 * The built server as users run it: a process of its own, on either set of engines, that can be killed and
 * started again on the same folder. All bytes between it and its browsers pass a recording line.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { InjectOptions } from 'fastify'
import type { Environment } from '../../server/config.js'
import { openS3Bucket } from '../../server/s3-bucket.js'
import { findSparePort, makeFolder, removeFolder, waitUntil, withDeathSignal } from './engine.js'
import type { Answer, Reach } from './people.js'
import { createDatabase, dropDatabase, usePostgres } from './postgres.js'
import { createBucket, useS3, type S3Access } from './s3.js'
import { startWire, type Wire } from './wire.js'

const MAIN = fileURLToPath(new URL('../../dist/server/main.js', import.meta.url))
const READY = /verify with +(\S+)/

interface Test { teardown(end: () => Promise<void>): void }

export interface ServerOptions {
  readonly engines?: 'embedded' | 'real'
  readonly settings?: Environment
}

export class Server implements Reach {
  readonly folder: string
  readonly wires: readonly Wire[]
  /** Where the rows and objects are, if not in the folder. */
  readonly databaseUrl: string | null
  readonly bucket: { readonly name: string, readonly access: S3Access } | null
  readonly clock = { nowMs: () => Date.now() }
  readonly app = { inject: async (request: InjectOptions) => await this.#ask(request) }
  readonly #environment: NodeJS.ProcessEnv
  #child: ChildProcess | null = null
  #output = ''

  constructor(setup: Pick<Server, 'folder' | 'wires' | 'databaseUrl' | 'bucket'> & { environment: NodeJS.ProcessEnv }) {
    this.folder = setup.folder
    this.wires = setup.wires
    this.databaseUrl = setup.databaseUrl
    this.bucket = setup.bucket
    this.#environment = setup.environment
  }

  get origin(): string {
    return this.#environment.PUBLIC_URL ?? ''
  }

  /** Past the recording line: for measurements. */
  get address(): string {
    return `http://127.0.0.1:${this.#environment.PORT ?? ''}`
  }

  /** To be frozen and thawed. */
  get pid(): number {
    return this.#child?.pid ?? -1
  }

  get dataFolder(): string {
    return join(this.folder, 'data')
  }

  /** Everything that it has printed and logged, over all its lives. */
  get output(): string {
    return this.#output
  }

  get config(): { publicUrl: string, outboxFolder: string } {
    return { publicUrl: this.origin, outboxFolder: join(this.dataFolder, 'outbox') }
  }

  get vkey(): string {
    return READY.exec(this.#output)?.[1] ?? ''
  }

  // One object for all time: the mailbox remembers by it which mails were taken.
  readonly world = this.#makeWorld()

  #makeWorld(): Reach['world'] {
    const server = () => this
    return {
      get config() { return server().config },
      keys: { log: { get vkey() { return server().vkey }, get origin() { return server().vkey.split('+', 1)[0] ?? '' } } },
    }
  }

  async start(): Promise<void> {
    const [program, ...args] = withDeathSignal([process.execPath, MAIN])
    const child = spawn(program, args, { env: this.#environment, stdio: ['ignore', 'pipe', 'pipe'] })
    this.#child = child
    const from = this.#output.length
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => { this.#output += chunk.toString() })
    await waitUntil('the server', async () => {
      if (child.exitCode !== null) throw new Error(`it ended instead of starting: ${this.#output.slice(from)}`)
      return READY.test(this.#output.slice(from))
    })
  }

  /** As an operator does; it must end by itself. @returns its exit code. */
  async stop(): Promise<number | null> {
    return await this.#end('SIGTERM')
  }

  /** As a power cut does to the process: nothing is tidied. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL')
  }

  async #end(signal: NodeJS.Signals): Promise<number | null> {
    const child = this.#child
    if (child === null || child.exitCode !== null ||
      child.signalCode !== null) return child?.exitCode ?? null
    const ended = new Promise<number | null>((resolve) => { child.once('close', resolve) })
    child.kill(signal)
    return await ended
  }

  async #ask({ method = 'GET', url, headers, payload }: InjectOptions): Promise<Answer> {
    const isOctets = payload instanceof Uint8Array
    const body = payload === undefined
      ? undefined
      : isOctets ? new Uint8Array(payload) : JSON.stringify(payload)
    const answer = await fetch(new URL(String(url), this.origin), {
      method,
      headers: { ...Object.fromEntries(Object.entries(headers ?? {}).map(([name, value]) => [name, String(value)])), ...payload === undefined || isOctets ? {} : { 'content-type': 'application/json' } },
      ...body === undefined ? {} : { body },
    })
    const rawPayload = Buffer.from(await answer.arrayBuffer())
    return {
      statusCode: answer.status, rawPayload, json: <T>(): T => JSON.parse(rawPayload.toString()),
      headers: { ...Object.fromEntries(answer.headers), 'set-cookie': answer.headers.getSetCookie() },
    }
  }
}

/** Starts a server that ends with the test, on a folder, ports and stores of its own. */
export async function startServer(t: Test, options: ServerOptions = {}): Promise<Server> {
  const folder = await makeFolder('server')
  t.teardown(async () => await removeFolder(folder))
  const [app, viewer] = [await findSparePort(), await findSparePort()]
  const wires = [await startWire(app), await startWire(viewer)] as const
  const stores = options.engines === 'real' ? await openStores(t) : null
  const server = new Server({
    folder, wires, databaseUrl: stores?.databaseUrl ?? null, bucket: stores?.bucket ?? null,
    environment: {
      PATH: process.env.PATH, HOST: '127.0.0.1', PORT: String(app), VIEWER_PORT: String(viewer), DATA_DIR: join(folder, 'data'),
      PUBLIC_URL: `http://localhost:${wires[0].port}`, VIEWER_URL: `http://127.0.0.1:${wires[1].port}`,
      // The most that it ever says is what secrets are looked for in.
      LOG_LEVEL: 'trace', MAX_EVENT_LOOP_DELAY_MS: '60000', ...stores?.settings, ...options.settings,
    },
  })
  t.teardown(async () => {
    await server.kill()
    for (const wire of wires) await wire.close()
  })
  await allowTransfers(server, options)
  await server.start()
  return server
}

/** What an operator does once, before transfers are direct. */
async function allowTransfers(
  { bucket, origin }: Server, { settings = {} }: ServerOptions,
): Promise<void> {
  const isDirect = [settings.UPLOADS, settings.DOWNLOADS].includes('direct')
  if (bucket === null || !isDirect) return
  const { access, name } = bucket
  const opened = openS3Bucket({
    ...access, bucket: name, isPathStyle: true, publicEndpoint: access.endpoint,
  })
  await opened.direct?.allowOrigin(origin)
  opened.close()
}

async function openStores(t: Test) {
  const [postgres, access] = [await usePostgres(t), await useS3(t)]
  const databaseUrl = await createDatabase(postgres)
  t.teardown(async () => await dropDatabase(postgres, databaseUrl))
  const bucket = { name: await createBucket(access), access }
  const settings = {
    DATABASE_URL: databaseUrl, S3_BUCKET: bucket.name, S3_ENDPOINT: access.endpoint,
    S3_REGION: access.region,
    S3_ACCESS_KEY_ID: access.accessKeyId, S3_SECRET_ACCESS_KEY: access.secretAccessKey,
  }
  return { databaseUrl, bucket, settings }
}
