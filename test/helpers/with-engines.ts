/**
 * Starts the engines that test files share, runs the command that stands after it with their
 * addresses in its environment, stops them, and ends as the command ended.
 *
 *     tsx test/helpers/with-engines.ts tap run ...
 */
import { spawn } from 'node:child_process'
import { findPostgres, startPostgres } from './postgres.js'
import { hasS3, startS3 } from './s3.js'

interface Running { readonly name: string, readonly url: string, stop(): Promise<void> }

async function startEngines(): Promise<Running[]> {
  const starts: Promise<Running>[] = []
  if (findPostgres() !== undefined) {
    starts.push(startPostgres().then(({ url, stop }) => ({ name: 'TEST_POSTGRES_URL', url, stop })))
  }
  if (hasS3()) starts.push(startS3().then(({ url, stop }) => ({ name: 'TEST_S3_URL', url, stop })))
  return await Promise.all(starts)
}

async function runCommand(
  command: readonly string[], engines: readonly Running[],
): Promise<number> {
  const addresses = Object.fromEntries(engines.map(({ name, url }) => [name, url]))
  const env = { ...process.env, ...addresses }
  const child = spawn(process.execPath, [...command], { stdio: 'inherit', env })
  const forward = (signal: NodeJS.Signals): void => { child.kill(signal) }
  process.on('SIGINT', forward).on('SIGTERM', forward)
  return await new Promise((resolve) => {
    child.once('exit', (code) => resolve(code ?? 1))
  })
}

const engines = await startEngines()
process.exitCode = await runCommand(process.argv.slice(2), engines)
for (const engine of engines) await engine.stop()
