/** The built web client as files: which there are, and one hash over all of them. */
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join, sep } from 'node:path'

const MAX_FILE_COUNT = 5_000

/** Paths below the folder, with slashes, sorted; the `.br` copies are left out. Empty if nothing was built. */
export function listWebFiles(folder: string): string[] {
  if (!existsSync(folder)) return []
  const paths = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => !path.endsWith('.br') && statSync(join(folder, path)).isFile())
  if (paths.length > MAX_FILE_COUNT) throw new Error(`more than ${MAX_FILE_COUNT} files in ${folder}`)
  return paths.map((path) => path.split(sep).join('/')).sort()
}

/** SHA-256 over `<sha256 of the file, hex>  <path>\n` of each file: what `sha256sum` prints. */
export function hashWebFiles(folder: string): Uint8Array {
  const manifest = createHash('sha256')
  for (const path of listWebFiles(folder)) {
    const digest = createHash('sha256').update(readFileSync(join(folder, path))).digest('hex')
    manifest.update(`${digest}  ${path}\n`)
  }
  return Uint8Array.from(manifest.digest())
}
