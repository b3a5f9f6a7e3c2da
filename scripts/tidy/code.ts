/**
 * What a single source file shows to the compiler's parser: lengths, names, casts, barrels, headers.
 * Pure.
 */
import ts from 'typescript'
import { isCode, isTest, lineAt, type File, type Finding } from './finding.js'

const MAX_FUNCTION_LINE_COUNT = 70
const VAGUE_WORDS = ['Util', 'Utils', 'Helper', 'Helpers', 'Manager', 'Service', 'Info', 'Data', 'Impl']
/** Words of WebAuthn, which has them from its specification. */
const TERMS = ['authenticatorData', 'clientData']

export function checkCode(files: readonly File[]): Finding[] {
  return files.filter(({ path }) => isCode(path)).flatMap(checkFile)
}

function checkFile(file: File): Finding[] {
  const source = ts.createSourceFile(file.path, file.text, ts.ScriptTarget.ES2023, true)
  const findings = [
    ...checkHeader(file), ...checkBarrel(file, source), ...checkUseCase(file, source),
  ]
  const brands = listBrands(source)
  visit(source)
  return findings

  function visit(node: ts.Node): void {
    const messages = [checkLength(node, source), checkName(node), checkCast(node, { file, brands })]
    for (const message of messages) {
      if (message === null) continue
      findings.push({ path: file.path, line: lineAt(file.text, node.getStart(source)), message })
    }
    ts.forEachChild(node, visit)
  }
}

// In a test the function that holds the tests is a list, not a deed.
function checkLength(node: ts.Node, source: ts.SourceFile): string | null {
  if (!ts.isFunctionLike(node) || !('body' in node) || node.body === undefined) return null
  if (isTest(source.fileName) && ts.isArrowFunction(node)) return null
  const start = source.getLineAndCharacterOfPosition(node.getStart(source)).line
  const end = source.getLineAndCharacterOfPosition(node.end).line
  const count = end - start + 1
  return count > MAX_FUNCTION_LINE_COUNT
    ? `a function of ${count} lines; ${MAX_FUNCTION_LINE_COUNT} is the limit, ten the habit`
    : null
}

function checkName(node: ts.Node): string | null {
  const isNamed = ts.isClassDeclaration(node) || ts.isInterfaceDeclaration(node) ||
    ts.isTypeAliasDeclaration(node) || ts.isFunctionDeclaration(node)
  const name = isNamed ? node.name?.text ?? '' : ''
  if (ts.isInterfaceDeclaration(node) && /^I[A-Z][a-z]/.test(name)) return `${name}: leave the I away`
  const last = /[A-Z][a-z]+$/.exec(name)?.[0] ?? ''
  return VAGUE_WORDS.includes(last) && !TERMS.includes(name) ? `${name}: say what it is; "${last}" says nothing` : null
}

interface Place { readonly file: File, readonly brands: ReadonlySet<string> }

/** A brand is a type of this file made by `&`; only its own file mints it. */
function checkCast(node: ts.Node, { file, brands }: Place): string | null {
  const isCast = ts.isAsExpression(node) || ts.isTypeAssertionExpression(node)
  if (isTest(file.path) || !isCast) return null
  const type = node.type.getText()
  return type === 'const' || brands.has(type) ? null : `"as ${type}" talks the compiler out of checking`
}

function listBrands(source: ts.SourceFile): Set<string> {
  const aliases = source.statements.filter((statement) => ts.isTypeAliasDeclaration(statement))
  return new Set(aliases.filter(({ type }) => ts.isIntersectionTypeNode(type))
    .map(({ name }) => name.text))
}

function checkBarrel(file: File, source: ts.SourceFile): Finding[] {
  const isPassing = (statement: ts.Statement): boolean =>
    ts.isImportDeclaration(statement) ||
      (ts.isExportDeclaration(statement) && statement.moduleSpecifier !== undefined)
  const stars = source.statements.filter((statement) =>
    ts.isExportDeclaration(statement) && statement.exportClause === undefined)
  const exports = source.statements.filter((statement) => ts.isExportDeclaration(statement))
  const isBarrel = stars.length > 0 || (exports.length > 0 && source.statements.every(isPassing))
  return isBarrel ? [{ path: file.path, line: 1, message: 'a barrel: import from where the thing is' }] : []
}

function checkHeader({ path, text }: File): Finding[] {
  const bare = text.replace(/^#!.*\n/, '')
  if (path.endsWith('.test.ts')) {
    return /^\/\/ Goal: .*\n(?:\/\/ {2,}.*\n|\/\/ (?!Method:).*\n)*\/\/ Method: /.test(bare)
      ? []
      : [{ path, line: 1, message: 'a test starts with "// Goal:" and "// Method:"' }]
  }
  return /^(?:\/\*\*|\/\/)/.test(bare)
    ? []
    : [{ path, line: 1, message: 'a file starts with a comment: what this is, and what it must not do' }]
}

function isExported({ modifiers }: ts.FunctionDeclaration): boolean {
  return modifiers?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword) ?? false
}

/** One exported verb, named as the file. */
function checkUseCase({ path }: File, source: ts.SourceFile): Finding[] {
  const verb = /^server\/use-cases\/([a-z0-9-]+)\.ts$/.exec(path)?.[1]
  if (verb === undefined) return []
  const names = source.statements.filter((statement) => ts.isFunctionDeclaration(statement))
    .filter(isExported)
    .map(({ name }) => name?.text ?? '')
  const wanted = verb.replace(/-([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())
  return names.length === 1 && names[0] === wanted
    ? []
    : [{ path, line: 1, message: `a use-case exports one function, ${wanted}; this has ${names.join(', ') || 'none'}` }]
}
