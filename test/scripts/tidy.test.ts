// Goal: each house rule catches the file that breaks it, and leaves alone the one that keeps it.
// Method: for each rule one small bad tree and one good one; then the findings are compared whole.
import t from 'tap'
import { checkCode } from '../../scripts/tidy/code.js'
import type { Rule } from '../../scripts/tidy/finding.js'
import { checkImports } from '../../scripts/tidy/imports.js'
import { checkTexts } from '../../scripts/tidy/text.js'

type Tree = Readonly<Record<string, string>>

/** What a rule says of a tree, as `path:line message`. */
function say(rule: Rule, tree: Tree): string[] {
  const files = Object.entries(tree).map(([path, text]) => ({ path, text }))
  return rule(files).map(({ path, line, message }) => `${path}:${line} ${message}`)
}

/** A tree that has what every tree must have. */
const whole: Tree = {
  'README.md': '', 'ARCHITECTURE.md': '', 'SPEC.md': '# 1 Bytes\n## 1.2 Text\n', 'THREATS.md': '', 'CHANGELOG.md': '',
  'docs/decisions/0001-driver.md': '',
}

const saysOfText = (tree: Tree): string[] => say(checkTexts, { ...whole, ...tree })

t.test('imports', async (t) => {
  t.test('go down the layers, never up', async (t) => {
    t.same(say(checkImports, { 'protocol/a.ts': "import '../db/b.js'", 'db/b.ts': '' }), [
      'protocol/a.ts:1 protocol never imports from db',
    ])
    t.same(say(checkImports, { 'web/a.tsx': "\nimport x from '../server/b.js'" }), [
      'web/a.tsx:2 web never imports from server',
    ])
    t.same(say(checkImports, { 'scripts/a.mjs': "await import('../test/b.js')" }), [
      'scripts/a.mjs:1 scripts never imports from test',
    ])
    t.same(say(checkImports, { 'server/a.ts': "import '../db/b.js'", 'test/c.ts': "import '../web/d.js'" }), [])
  })

  t.test('of a type alone count as well', async (t) => {
    t.same(say(checkImports, { 'db/a.ts': "import type { W } from '../server/world.js'" }), [
      'db/a.ts:1 db never imports from server',
    ])
  })

  t.test('stop at the walls inside the server and the web client', async (t) => {
    t.same(say(checkImports, {
      'server/routes/a.ts': "import '../../db/queries/a.js'",
      'server/use-cases/b.ts': "import 'fastify'\nimport { c } from './c.js'",
      'server/use-cases/c.ts': '',
      'web/viewer/d.ts': "import '../api.js'",
    }), [
      'server/routes/a.ts:1 imports db/queries/a.js: a route never touches the database: call a use-case',
      'server/use-cases/b.ts:1 imports fastify: a use-case never touches Fastify',
      'server/use-cases/b.ts:2 imports server/use-cases/c.ts: use-cases never touch each other',
      'web/viewer/d.ts:1 imports web/api.js: the viewer stands on another origin, without the app',
    ])
    t.same(say(checkImports, { 'server/use-cases/b.ts': "import '../../db/queries/a.js'" }), [])
  })

  t.test('of a package that has an owner are the owner\'s', async (t) => {
    t.same(say(checkImports, { 'web/worker.ts': "import 'libsodium-wrappers'" }), [
      'web/worker.ts:1 libsodium-wrappers belongs to protocol/sodium.ts',
    ])
    t.same(say(checkImports, { 'server/a.ts': "import postgres from 'postgres'\nimport '@aws-sdk/client-s3'" }), [
      'server/a.ts:1 postgres belongs to db/client.ts', 'server/a.ts:2 @aws-sdk/client-s3 belongs to server/s3-bucket.ts',
    ])
    t.same(say(checkImports, { 'protocol/sodium.ts': "import 'libsodium-wrappers'", 'test/x.ts': "import 'postgres'" }), [])
  })

  t.test('carry the ending that will be there once compiled', async (t) => {
    t.same(say(checkImports, { 'db/a.ts': "import './b'" }), ['db/a.ts:1 write ./b with its ending, .js'])
    t.same(say(checkImports, { 'db/a.ts': "import './b.ts'" }), ['db/a.ts:1 write ./b.ts with its ending, .js'])
    t.same(say(checkImports, { 'web/a.tsx': "import './b.module.css'\nimport u from './w.ts?worker&url'" }), [])
    t.same(say(checkImports, { 'scripts/a.mjs': "await import('./a.ts')" }), [])
  })

  t.test('never come back to where they started', async (t) => {
    t.same(say(checkImports, {
      'db/a.ts': "import { b } from './b.js'", 'db/b.ts': "export { c } from './c.js'", 'db/c.ts': "import './a.js'",
    }), ['db/a.ts:1 imports itself by way of db/a.ts -> db/b.ts -> db/c.ts -> db/a.ts'])
    t.same(say(checkImports, {
      'db/a.ts': "import { b } from './b.js'", 'db/b.ts': "import type { A } from './a.js'",
    }), [], 'types are gone when the program runs')
  })
})

t.test('code', async (t) => {
  const body = (count: number): string => `// A file.\nfunction act() {\n${'  act()\n'.repeat(count)}}`

  t.test('has functions of seventy lines at most', async (t) => {
    t.same(say(checkCode, { 'db/a.ts': body(68) }), [])
    t.same(say(checkCode, { 'db/a.ts': body(69) }), ['db/a.ts:2 a function of 71 lines; 70 is the limit, ten the habit'])
    t.same(say(checkCode, { 'web/A.tsx': `// A\nconst act = () => {\n${'  act()\n'.repeat(69)}}` }).length, 1)
    t.same(say(checkCode, { 'db/a.ts': `// A\nclass A {\n  act() {\n${'  act()\n'.repeat(69)}}}` }).length, 1)
    t.same(say(checkCode, { 'test/a.ts': `// A\nt.test('list', async (t) => {\n${'  act()\n'.repeat(99)}})` }), [])
  })

  t.test('has names that say something', async (t) => {
    t.same(say(checkCode, { 'db/a.ts': '// A\nclass GrantManager {}\ninterface IGrant {}\ntype GrantInfo = 1' }), [
      'db/a.ts:2 GrantManager: say what it is; "Manager" says nothing',
      'db/a.ts:3 IGrant: leave the I away',
      'db/a.ts:4 GrantInfo: say what it is; "Info" says nothing',
    ])
    t.same(say(checkCode, { 'db/a.ts': '// A\nclass Grant {}\ninterface Identity {}\nfunction info() {}' }), [])
  })

  t.test('casts only where a brand is minted', async (t) => {
    t.same(say(checkCode, { 'db/a.ts': '// A\nconst key = bytes as FileKey' }), [
      'db/a.ts:2 "as FileKey" talks the compiler out of checking',
    ])
    const minted = "// A\ntype FileKey = Uint8Array & { brand: 'FileKey' }\nconst key = bytes as FileKey\nconst a = [1] as const"
    t.same(say(checkCode, { 'db/a.ts': minted }), [])
  })

  t.test('is imported from where it stands', async (t) => {
    const message = 'a barrel: import from where the thing is'
    t.same(say(checkCode, { 'db/a.ts': "// A\nexport * from './b.js'\nconst a = 1" }), [`db/a.ts:1 ${message}`])
    t.same(say(checkCode, { 'db/a.ts': "// A\nexport { b } from './b.js'" }), [`db/a.ts:1 ${message}`])
    t.same(say(checkCode, { 'db/a.ts': "// A\nexport { b } from './b.js'\nexport const a = 1" }), [])
  })

  t.test('begins with what it is', async (t) => {
    t.same(say(checkCode, { 'db/a.ts': 'const a = 1' }), [
      'db/a.ts:1 a file starts with a comment: what this is, and what it must not do',
    ])
    t.same(say(checkCode, { 'test/a.test.ts': '// Goal: x\nconst a = 1' }), [
      'test/a.test.ts:1 a test starts with "// Goal:" and "// Method:"',
    ])
    t.same(say(checkCode, { 'test/a.test.ts': '// Goal: x\n// goes on.\n// Method: y', 'scripts/b.mjs': '#!/usr/bin/env node\n/** B */' }), [])
  })

  t.test('has one verb in each use-case', async (t) => {
    const path = 'server/use-cases/sign-nda.ts'
    t.same(say(checkCode, { [path]: '// A\nexport async function signNda() {}\nfunction check() {}' }), [])
    t.same(say(checkCode, { [path]: '// A\nexport function signNda() {}\nexport function other() {}' }), [
      `${path}:1 a use-case exports one function, signNda; this has signNda, other`,
    ])
    t.same(say(checkCode, { [path]: '// A\nexport function sign() {}' }).length, 1)
  })
})

t.test('texts', async (t) => {
  t.test('are whole as they stand', async (t) => {
    t.same(saysOfText({}), [])
  })

  t.test('have good names', async (t) => {
    t.same(saysOfText({ 'db/grantTable.ts': '' }), ['db/grantTable.ts:1 file names are kebab-case, components PascalCase'])
    t.same(saysOfText({ 'db/grant-utils.ts': '' }), ['db/grant-utils.ts:1 the name says nothing: what is in it?'])
    t.same(saysOfText({ 'web/ui/Button.tsx': '', 'web/ui/Button.module.css': '', 'db/data-lock.ts': '', 'web/vite.config.ts': '' }), [])
  })

  const banned: ReadonlyArray<[string, string]> = [
    ['see /home/ada/notes', 'a path of one machine'],
    ['from https://registry.npmjs.org/x', 'the address of a package registry'],
    ['written by a sub-agent', 'the repository speaks of Sealdeck alone'],
    ['see issue #12', 'the number of an issue means nothing to a reader'],
    ['// FIXME later', 'left for later'],
    ['// @ts-ignore', 'talks a checker out of checking'],
    ['const a = b as any', 'talks a checker out of checking'],
    ['try { a() } catch (error) {}', 'swallows an error'],
  ]
  for (const [text, message] of banned) {
    t.test(`do not say "${text}"`, async (t) => {
      t.match(saysOfText({ 'db/a.ts': `// A\n${text}` }), [new RegExp(`^db/a\\.ts:2 .*${message}$`)])
    })
  }

  t.test('may say what only looks like it', async (t) => {
    const innocent = '/api/work/1 the homework/x issues a header; hackathon; https://sealdeck.example/root/x catch { return null }'
    t.same(saysOfText({ 'db/a.ts': innocent }), [])
  })

  t.test('leave no test switched off', async (t) => {
    t.same(saysOfText({ 'test/a.test.ts': "t.only('x')" }), ['test/a.test.ts:1 "t.only(": a test that is switched off or alone'])
  })

  t.test('include every document', async (t) => {
    t.same(say(checkTexts, { 'README.md': '', 'SPEC.md': '' }), [
      'ARCHITECTURE.md:1 is missing', 'THREATS.md:1 is missing', 'CHANGELOG.md:1 is missing', 'docs/decisions/:1 is missing',
    ])
  })

  t.test('include every migration, in the journal and as a file', async (t) => {
    const journal = '{ "entries": [{ "tag": "0000_a" }, { "tag": "0001_b" }] }'
    t.same(saysOfText({ 'db/migrations/meta/_journal.json': journal, 'db/migrations/0000_a.sql': '', 'db/migrations/0002_c.sql': '' }), [
      'db/migrations/0002_c.sql:1 is not in the journal', 'db/migrations/0001_b.sql:1 is in the journal, but missing',
    ])
  })

  t.test('pin versions exactly', async (t) => {
    t.same(saysOfText({ 'package.json': '{ "engines": { "node": ">=20" },\n"tap": "^21.0.0", "react": "19.3.1" }' }), [
      'package.json:2 ""tap": "^21.0.0"": pin the exact version',
    ])
  })

  t.test('link and cite what is there', async (t) => {
    t.same(saysOfText({ 'docs/a.md': '[spec](../SPEC.md#x) [out](https://example.org) [decisions](decisions/)' }), [])
    t.same(saysOfText({ 'docs/a.md': '\n[gone](gone.md)' }), ['docs/a.md:2 links to gone.md, which is not there'])
    t.same(saysOfText({ 'db/a.ts': '/** SPEC.md § 1.2 */' }), [])
    t.same(saysOfText({ 'db/a.ts': '/** SPEC.md § 1.3 */' }), ['db/a.ts:1 SPEC.md has no section 1.3'])
  })
})
