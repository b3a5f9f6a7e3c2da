/**
 * Who may import whom: `protocol <- db <- server <- scripts`, and `web -> protocol` only; nothing
 * imports test; one owner for each dangerous package; no cycles but of types, which are gone when the
 * program runs. Pure.
 */
import { posix } from 'node:path'
import ts from 'typescript'
import { isCode, isTest, type File, type Finding } from './finding.js'

/** For each folder at the top, the folders it may import from. */
const LAYERS: Readonly<Record<string, readonly string[]>> = {
  protocol: ['protocol'],
  db: ['db', 'protocol'],
  server: ['server', 'db', 'protocol'],
  scripts: ['scripts', 'server', 'db', 'protocol'],
  web: ['web', 'protocol'],
  test: ['test', 'scripts', 'web', 'server', 'db', 'protocol'],
}

/** Narrower rules inside a folder: files under `from` never import what matches `to`. */
const WALLS: ReadonlyArray<{ from: string, to: RegExp, message: string }> = [
  { from: 'server/routes/', to: /^db\//, message: 'a route never touches the database: call a use-case' },
  { from: 'server/use-cases/', to: /^(?:fastify|@fastify\/.*)$/, message: 'a use-case never touches Fastify' },
  { from: 'server/use-cases/', to: /^server\/use-cases\//, message: 'use-cases never touch each other' },
  { from: 'server/use-cases/', to: /^server\/routes\//, message: 'a use-case never touches a route' },
  { from: 'web/viewer/', to: /^web\/(?:founder|investor|auditor|api\.|worker\.)/, message: 'the viewer stands on another origin, without the app' },
]

/** Packages that one place owns; tests look where they like. */
const OWNERS: ReadonlyArray<{ name: RegExp, owner: RegExp, says: string }> = [
  { name: /^libsodium/, owner: /^protocol\/sodium\.ts$/, says: 'protocol/sodium.ts' },
  { name: /^@noble\/hashes/, owner: /^(?:protocol\/hash|scripts\/age\/passphrase)\.ts$/, says: 'protocol/hash.ts (scrypt: scripts/age/passphrase.ts)' },
  { name: /^(?:postgres|@electric-sql\/pglite)(?:\/|$)/, owner: /^(?:db\/client\.ts|scripts\/bench\/.*)$/, says: 'db/client.ts' },
  { name: /^@aws-sdk\//, owner: /^(?:server\/(?:s3-)?bucket\.ts|scripts\/bench\/.*)$/, says: 'server/s3-bucket.ts' },
  { name: /^(?:nodemailer|smtp-server)/, owner: /^server\/mailer\.ts$/, says: 'server/mailer.ts' },
  { name: /^pdfjs-dist/, owner: /^web\/(?:viewer\/.*|vite\.config\.ts)$/, says: 'web/viewer' },
  { name: /^(?:react|react-dom|react-router|react-aria.*)(?:\/|$)/, owner: /^web\/(?!viewer\/.*\.ts$)/, says: 'web, but for the viewer' },
]

interface Import {
  readonly path: string
  readonly line: number
  /** As written. */
  readonly specifier: string
  /** The file of ours it means, or else the package's name. */
  readonly target: string
  readonly isType: boolean
}

export function checkImports(files: readonly File[]): Finding[] {
  const paths = new Set(files.map(({ path }) => path))
  const imports = files.filter(({ path }) => isCode(path))
    .flatMap((file) => listImports(file, paths))
  return [...imports.flatMap(checkImport), ...findCycles(imports)]
}

function checkImport(one: Import): Finding[] {
  const messages = [checkLayer(one), checkWall(one), checkOwner(one), checkEnding(one)]
  return messages.filter((message) => message !== null)
    .map((message) => ({ path: one.path, line: one.line, message }))
}

function checkLayer({ path, specifier, target }: Import): string | null {
  const allowed = LAYERS[topFolder(path)]
  if (allowed === undefined || !specifier.startsWith('.')) return null
  const folder = topFolder(target)
  return allowed.includes(folder) ? null : `${topFolder(path)} never imports from ${folder}`
}

function checkWall({ path, target }: Import): string | null {
  const wall = WALLS.find(({ from, to }) => path.startsWith(from) && to.test(target))
  return wall === undefined ? null : `imports ${target}: ${wall.message}`
}

function checkOwner({ path, target }: Import): string | null {
  if (isTest(path)) return null
  const owned = OWNERS.find(({ name }) => name.test(target))
  return owned === undefined || owned.owner.test(path) ? null : `${target} belongs to ${owned.says}`
}

function checkEnding({ path, specifier }: Import): string | null {
  if (!specifier.startsWith('.')) return null
  // Vite looks for a worker under its real name, and plain JavaScript may run a source as it is.
  const isRealName = specifier.includes('.ts?worker') || (path.endsWith('.mjs') && specifier.endsWith('.ts'))
  const isWhole = isRealName || /\.(?:js|mjs|css|svg|json)(?:\?.*)?$/.test(specifier)
  return isWhole ? null : `write ${specifier} with its ending, .js`
}

function topFolder(path: string): string {
  return path.split('/')[0] ?? ''
}

function listImports(file: File, paths: ReadonlySet<string>): Import[] {
  const { importedFiles } = ts.preProcessFile(file.text, true, true)
  const types = listTypeSpecifiers(file)
  return importedFiles.map(({ fileName: specifier, pos }) => ({
    path: file.path,
    line: file.text.slice(0, pos).split('\n').length,
    specifier,
    target: specifier.startsWith('.') ? resolveImport(file.path, specifier, paths) : specifier,
    isType: types.has(specifier),
  }))
}

/** What a file imports by `import type` alone. */
function listTypeSpecifiers(file: File): Set<string> {
  const source = ts.createSourceFile(file.path, file.text, ts.ScriptTarget.ES2023)
  const imports = source.statements.filter((statement) => ts.isImportDeclaration(statement))
  const named = (isType: boolean): string[] => imports
    .filter(
      ({ importClause }) => (importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword) === isType,
    )
    .map(({ moduleSpecifier }) => ts.isStringLiteral(moduleSpecifier) ? moduleSpecifier.text : '')
  const values = named(false)
  return new Set(named(true).filter((specifier) => !values.includes(specifier)))
}

// `./proof.js` is written for ./proof.ts: what a program will find once it is compiled.
function resolveImport(from: string, specifier: string, paths: ReadonlySet<string>): string {
  const bare = specifier.replace(/\?.*$/, '')
  const path = posix.join(posix.dirname(from), bare)
  const candidates = [path, path.replace(/\.js$/, '.ts'), path.replace(/\.js$/, '.tsx')]
  return candidates.find((candidate) => paths.has(candidate)) ?? path
}

/** Each cycle once, told at the file of it that sorts first. */
function findCycles(imports: readonly Import[]): Finding[] {
  const targets = new Map<string, string[]>()
  for (const { path, target, isType } of imports) {
    if (!isType) targets.set(path, [...targets.get(path) ?? [], target])
  }
  const done = new Set<string>()
  const cycles = new Map<string, Finding>()
  for (const path of targets.keys()) walk(path, [])
  return [...cycles.values()]

  function walk(path: string, trail: readonly string[]): void {
    const start = trail.indexOf(path)
    if (start !== -1) {
      const cycle = trail.slice(start)
      const first = [...cycle].sort()[0] ?? path
      const message = `imports itself by way of ${[...cycle, path].join(' -> ')}`
      cycles.set([...cycle].sort().join(), { path: first, line: 1, message })
      return
    }
    if (done.has(path)) return
    for (const target of targets.get(path) ?? []) walk(target, [...trail, path])
    done.add(path)
  }
}
