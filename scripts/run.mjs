/**
 * Runs one of the programs of some folders by its name: `npm run bench -- seal`, `npm run fault -- engines`.
 * What stands after the name is handed on.
 */
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const [places = '', name = '', ...rest] = process.argv.slice(2)

function listPrograms(folder) {
  return readdirSync(join(root, folder)).filter((file) => /^[a-z0-9-]+\.ts$/.test(file))
    .map((file) => ({ name: file.slice(0, -'.ts'.length), path: join(root, folder, file) }))
}

const programs = places.split(',').flatMap(listPrograms)
const program = programs.find((one) => one.name === name)?.path
if (program === undefined) {
  console.error(`Which one? ${programs.map((one) => one.name).join(', ')}`)
  process.exit(1)
}
const { status } = spawnSync(process.execPath, ['--import', 'tsx', program, ...rest], { cwd: root, stdio: 'inherit' })
process.exit(status ?? 1)
