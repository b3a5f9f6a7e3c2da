#!/usr/bin/env node
/**
 * Starts the command line: the built one if there is one, or else the sources through tsx, so that
 * it works from a fresh clone.
 */
import { existsSync } from 'node:fs'

const built = new URL('../dist/scripts/sealdeck.js', import.meta.url)

async function load() {
  if (existsSync(built)) return await import(built.href)
  const { register } = await import('tsx/esm/api')
  register()
  return await import('./sealdeck.ts')
}

const { main } = await load()
process.exitCode = await main(process.argv.slice(2))
