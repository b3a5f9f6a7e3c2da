/**
 * The house rules that neither the compiler nor the linter can check, over the whole repository:
 * imports, names, lengths, words, documents. Prints each finding and exits with 1 if there is one.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { checkCode } from './tidy/code.js'
import type { File } from './tidy/finding.js'
import { checkImports } from './tidy/imports.js'
import { checkTexts } from './tidy/text.js'

const SKIPPED_FOLDERS = ['node_modules', 'dist', 'data', '.git', '.tap', '.cache']
const TEXTS = /(?:\.(?:ts|tsx|mjs|js|json|md|sql|css|html|svg|yaml|yml|txt|conf)|\/run|Dockerfile|\.[a-z]+rc)$/

const root = fileURLToPath(new URL('..', import.meta.url))

function readTree(folder = ''): File[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`
    if (entry.isDirectory()) return SKIPPED_FOLDERS.includes(entry.name) ? [] : readTree(path)
    // Pictures have nothing to read, but documents link to them.
    if (path.endsWith('.png')) return [{ path, text: '' }]
    return TEXTS.test(`/${path}`) ? [{ path, text: readFileSync(join(root, path), 'utf8') }] : []
  })
}

const files = readTree()
const findings = [checkImports, checkCode, checkTexts].flatMap((check) => check(files))
for (const { path, line, message } of findings) console.log(`${path}:${line} ${message}`)
console.log(findings.length === 0 ? `${files.length} files are tidy.` : `${findings.length} things to tidy.`)
process.exitCode = findings.length === 0 ? 0 : 1
