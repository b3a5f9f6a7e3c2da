/**
 * What every text of the repository must not say, how files are named, and what must be there:
 * documents, migrations in their journal, exact versions, links and citations that lead somewhere.
 * Pure.
 */
import { posix } from 'node:path'
import { isTest, lineAt, type File, type Finding } from './finding.js'

const DOCUMENTS = ['README.md', 'ARCHITECTURE.md', 'SPEC.md', 'THREATS.md', 'CHANGELOG.md']
const VAGUE_FILE_WORDS = /(?:^|[-.])(?:utils?|helpers?|managers?|services?|info|data|common|misc)(?:\.test)?\.\w+$/i

/** Lists of words and other people's vectors; and this file, which must name what it bans. */
const UNREAD = /^(?:package-lock\.json|scripts\/tidy\/text\.ts|test\/scripts\/tidy\.test\.ts|test\/.*vectors\/.*)$/

const BANNED_WORDS: ReadonlyArray<{ pattern: RegExp, message: string }> = [
  { pattern: /(?<![\w.@}-])\/(?:work|home|root|Users|farm|mnt|tmp)\/\w/g, message: 'a path of one machine' },
  { pattern: /\b[\w.-]*(?:npmjs|yarnpkg|artifactory|verdaccio|jfrog|crates)\.(?:org|com|io)\b/g, message: 'the address of a package registry' },
  { pattern: /\b(?:sub-?agents?|claude|anthropic|chatgpt|openai|copilot|llms?)\b/gi, message: 'the repository speaks of Sealdeck alone' },
  { pattern: /\bissues? ?#?\d+\b/gi, message: 'the number of an issue means nothing to a reader' },
  { pattern: /\b(?:TODO|FIXME|XXX|HACK)\b/g, message: 'left for later' },
  { pattern: /\bas any\b|@ts-(?:ignore|nocheck|expect-error)|\beslint-disable\b/g, message: 'talks a checker out of checking' },
  { pattern: /\bcatch *(?:\(\w*\))? *\{ *\}/g, message: 'swallows an error' },
]

const BANNED_IN_TESTS = /\bt\.(?:only|todo)\(|\b(?:skip|todo|only): *true\b/g

export function checkTexts(files: readonly File[]): Finding[] {
  return [
    ...files.flatMap(checkFileName),
    ...files.filter(({ path }) => !UNREAD.test(path)).flatMap(checkWords),
    ...checkDocuments(files),
    ...checkMigrations(files),
    ...files.filter(({ path }) => path === 'package.json').flatMap(checkVersions),
    ...checkLinks(files),
    ...checkCitations(files),
  ]
}

function checkFileName({ path }: File): Finding[] {
  const name = posix.basename(path)
  if (!/\.(?:ts|tsx|mjs|css|html|svg)$/.test(name)) return []
  const isComponent = /\.(?:tsx|module\.css)$/.test(name)
  const isNamedWell = /^[a-z0-9]+(?:[-.][a-z0-9]+)*$/.test(name) || (isComponent && /^[A-Z][A-Za-z0-9]*(?:\.[a-z]+)+$/.test(name))
  const findings: Finding[] = []
  if (!isNamedWell) findings.push({ path, line: 1, message: 'file names are kebab-case, components PascalCase' })
  if (VAGUE_FILE_WORDS.test(name)) findings.push({ path, line: 1, message: 'the name says nothing: what is in it?' })
  return findings
}

function checkWords({ path, text }: File): Finding[] {
  const banned = BANNED_WORDS.flatMap(
    ({ pattern, message }) => findAll({ path, text }, pattern, message),
  )
  const inTests = isTest(path) ? findAll({ path, text }, BANNED_IN_TESTS, 'a test that is switched off or alone') : []
  return [...banned, ...inTests]
}

function findAll({ path, text }: File, pattern: RegExp, message: string): Finding[] {
  return [...text.matchAll(pattern)].map((match) => ({
    path, line: lineAt(text, match.index), message: `"${match[0]}": ${message}`,
  }))
}

function checkDocuments(files: readonly File[]): Finding[] {
  const paths = new Set(files.map(({ path }) => path))
  const missing = DOCUMENTS.filter((path) => !paths.has(path))
  if (![...paths].some((path) => /^docs\/decisions\/.*\.md$/.test(path))) missing.push('docs/decisions/')
  return missing.map((path) => ({ path, line: 1, message: 'is missing' }))
}

/** drizzle applies what the journal lists: a file beside it is a change that never happens. */
function checkMigrations(files: readonly File[]): Finding[] {
  const folder = 'db/migrations/'
  const journalPath = `${folder}meta/_journal.json`
  const journal = files.find(({ path }) => path === journalPath)?.text ?? ''
  const listed = [...journal.matchAll(/"tag": *"([^"]+)"/g)].map((match) => `${folder}${match[1]}.sql`)
  const present = files.map(({ path }) => path).filter((path) => path.startsWith(folder) && path.endsWith('.sql'))
  return [
    ...present.filter((path) => !listed.includes(path)).map((path) => ({ path, line: 1, message: 'is not in the journal' })),
    ...listed.filter((path) => !present.includes(path)).map((path) => ({ path, line: 1, message: 'is in the journal, but missing' })),
  ]
}

function checkVersions({ path, text }: File): Finding[] {
  return findAll({ path, text }, /"[@\w/.-]+": *"[~^>*][^"]*\d[^"]*"/g, 'pin the exact version')
    .filter(({ message }) => !message.startsWith('""node"'))
}

function checkLinks(files: readonly File[]): Finding[] {
  const paths = new Set(files.flatMap(({ path }) => [path, ...parentsOf(path)]))
  return files.filter(({ path }) => path.endsWith('.md')).flatMap((file) =>
    [...file.text.matchAll(/\]\((?!https?:|mailto:|#)([^)\s#]+)[^)]*\)/g)]
      .filter((match) => !paths.has(posix.join(posix.dirname(file.path), match[1] ?? '').replace(/\/$/, '')))
      .map((match) => ({
        path: file.path, line: lineAt(file.text, match.index), message: `links to ${match[1]}, which is not there`,
      })))
}

function parentsOf(path: string): string[] {
  const parent = posix.dirname(path)
  return parent === '.' ? [] : [parent, ...parentsOf(parent)]
}

/** `SPEC.md § 3.2` needs a heading that starts with that number. */
function checkCitations(files: readonly File[]): Finding[] {
  const spec = files.find(({ path }) => path === 'SPEC.md')?.text
  if (spec === undefined) return []
  const sections = new Set([...spec.matchAll(/^#+ (?:§ ?)?(\d+(?:\.\d+)*)\b/gm)].map((match) => match[1]))
  return files.filter(({ path }) => !UNREAD.test(path)).flatMap((file) =>
    [...file.text.matchAll(/SPEC\.md §§? ?(\d+(?:\.\d+)*)/g)]
      .filter((match) => !sections.has(match[1]))
      .map((match) => ({
        path: file.path, line: lineAt(file.text, match.index), message: `SPEC.md has no section ${match[1]}`,
      })))
}
