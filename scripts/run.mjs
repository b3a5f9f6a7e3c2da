/**
 * Runs one of the programs of a folder by its name: `npm run bench -- seal`, `npm run fault -- engines`.
 * What stands after the name is handed on.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const [folder = '', name = '', ...rest] = process.argv.slice(2)

function listNames() {
  const files = existsSync(join(root, folder)) ? readdirSync(join(root, folder)) : []
  return files.filter((file) => /^[a-z0-9-]+\.ts$/.test(file)).map((file) => file.slice(0, -'.ts'.length))
}

const names = listNames()
if (!names.includes(name)) {
  console.error(`Which one? ${names.length === 0 ? `There is none in ${folder} yet.` : names.join(', ')}`)
  process.exit(1)
}
const program = join(root, folder, `${name}.ts`)
const { status } = spawnSync(process.execPath, ['--import', 'tsx', program, ...rest], { cwd: root, stdio: 'inherit' })
process.exit(status ?? 1)
