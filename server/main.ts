/** Starts the server, says where everything is, and ends it cleanly. The one file with a top. */
import { join } from 'node:path'
import { DataFolderLocked } from '../db/data-lock.js'
import { buildApp, buildViewer, type App } from './app.js'
import { hasOutboxPage, readConfig, SettingError, type Config } from './config.js'
import { LogContradiction } from './integrator.js'
import { openWorld, type OpenWorld } from './open-world.js'
import { recordClient } from './use-cases/record-client.js'
import type { World } from './world.js'

const STOP_TIMEOUT_MS = 5_000

interface Running {
  stop(): Promise<void>
}

/** @throws what `describeFailure` puts into one line. */
async function start(config: Config): Promise<Running> {
  const open = await openWorld(config)
  const servers: App[] = []
  try {
    servers.push(await buildApp(open.world), await buildViewer(open.world))
    await recordClient(open.world) // What is served stands in the log before anybody can load it.
    const [app, viewer] = servers
    await app?.listen({ host: config.host, port: config.port })
    await viewer?.listen({ host: config.viewerHost, port: config.viewerPort })
  } catch (error) {
    await stopAll(open, servers)
    throw error
  }
  print(open.world)
  return { stop: () => stopAll(open, servers) }
}

async function stopAll(open: OpenWorld, servers: readonly App[]): Promise<void> {
  await Promise.all(servers.map((server) => server.close()))
  await open.close()
}

function print({ config, keys }: World): void {
  const lines = [
    ['Sealdeck', config.publicUrl],
    ['viewer', config.viewerUrl],
    ['data', config.dataFolder],
    ['database', config.databaseUrl === undefined ? 'PGlite in the data folder' : new URL(config.databaseUrl).host],
    ['objects', config.s3 === undefined ? 'a folder in the data folder' : `bucket ${config.s3.bucket}`],
    ['mail', mailPlace(config)],
    ['log', `${config.publicUrl}/${keys.log.prefix}/checkpoint`],
    ['log key', config.logKey === undefined ? join(config.dataFolder, 'keys', 'log.key') : 'from LOG_KEY'],
    ['verify with', keys.log.vkey],
  ]
  process.stdout.write(`${lines.map(([name, value]) => `  ${(name ?? '').padEnd(12)}${value ?? ''}`).join('\n')}\n`)
}

/** One clear line for what an operator can mend; `undefined` for anything else. */
function describeFailure(error: unknown, config: Config | undefined): string | undefined {
  const kinds = [SettingError, DataFolderLocked, LogContradiction]
  if (error instanceof Error && kinds.some((kind) => error instanceof kind)) return error.message
  const code: unknown = Reflect.get(Object(error), 'code')
  const port: unknown = Reflect.get(Object(error), 'port')
  const path: unknown = Reflect.get(Object(error), 'path')
  switch (code) {
    case 'EADDRINUSE': return `Port ${String(port)} is taken. Set PORT or VIEWER_PORT to another one, or stop what listens there.`
    case 'EADDRNOTAVAIL': return `HOST ${config?.host ?? ''} is no address of this machine.`
    case 'EACCES': case 'EPERM': case 'EROFS':
      return port === undefined
        ? `${String(path ?? config?.dataFolder)} cannot be written. Set DATA_DIR to a folder that can.`
        : `Port ${String(port)} needs more rights. Set PORT or VIEWER_PORT to one above 1023.`
    case 'ENOTDIR': case 'EEXIST': return `${String(path ?? config?.dataFolder)} is no folder. Set DATA_DIR to one.`
    case 'ENOSPC': return 'The disk is full.'
    case 'ECONNREFUSED': case 'CONNECT_TIMEOUT': case 'ENOTFOUND': return 'DATABASE_URL: no PostgreSQL answers there.'
    default: return undefined
  }
}

async function main(): Promise<void> {
  let config: Config | undefined
  let running: Running
  try {
    config = readConfig()
    running = await start(config)
  } catch (error) {
    const line = describeFailure(error, config)
    process.stderr.write(`Sealdeck cannot start. ${line ?? (error instanceof Error ? error.stack : String(error))}\n`)
    process.exit(1)
  }
  let ending: Promise<void> | undefined
  // npm passes on what the terminal has already sent, so a signal may come twice.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => { ending ??= end(running) })
}

async function end(running: Running): Promise<void> {
  const timer = setTimeout(() => {
    process.stderr.write(`Sealdeck did not end within ${STOP_TIMEOUT_MS / 1_000} s and is stopped as it is.\n`)
    process.exit(1)
  }, STOP_TIMEOUT_MS)
  try {
    await running.stop()
  } catch (error) {
    process.stderr.write(`Sealdeck ended with an error: ${error instanceof Error ? error.message : String(error)}\n`)
    process.exitCode = 1
  }
  clearTimeout(timer)
  process.exit()
}

await main()

function mailPlace(config: Config): string {
  if (config.smtpUrl !== undefined) return new URL(config.smtpUrl).host
  return hasOutboxPage(config) ? `${config.publicUrl}/outbox (${config.outboxFolder})` : config.outboxFolder
}
