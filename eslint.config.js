/**
 * What the compiler cannot see and one file can show: the manner (neostandard) and the words that
 * must not be written, each with the reason. What takes several files to see is in scripts/tidy.ts.
 */
import hooks from 'eslint-plugin-react-hooks'
import neostandard from 'neostandard'

const CODE = ['**/*.ts', '**/*.tsx']
const TESTS = ['test/**']

const everywhere = [
  ['TSEnumDeclaration', 'Write a union of strings: an enum leaves code behind.'],
  ['TSParameterProperty', 'Write the field out: types are to be strippable.'],
  ['MemberExpression[object.name="Math"][property.name="random"]', 'Random bytes come from the crypto library.'],
  ['NewExpression[callee.name="Function"]', 'No code from text.'],
]

const transactions = [
  ['CallExpression[callee.property.name="transaction"]', 'What must be atomic is one statement.'],
  ['CallExpression[callee.property.name="begin"]', 'What must be atomic is one statement.'],
  ['CallExpression[callee.property.name="reserve"]', 'What must be atomic is one statement.'],
]

const environment = [
  ['MemberExpression[object.name="process"][property.name="env"]', 'Settings are read in server/config.ts.'],
]

const clock = [
  ['CallExpression[callee.object.name="Date"][callee.property.name="now"]', 'The time comes from world.clock.'],
  ['NewExpression[callee.name="Date"][arguments.length=0]', 'The time comes from world.clock.'],
]

const requests = [
  ['CallExpression[callee.name="fetch"]', 'Requests are made in web/api.ts.'],
  ['CallExpression[callee.property.name="sendBeacon"]', 'Requests are made in web/api.ts.'],
  ['NewExpression[callee.name=/^(XMLHttpRequest|WebSocket|EventSource|WebTransport)$/]', 'Requests are made in web/api.ts.'],
]

const page = [
  ['Identifier[name="RTCPeerConnection"]', 'It leaks past the Content-Security-Policy.'],
  ['MemberExpression[property.name=/^(innerHTML|outerHTML|insertAdjacentHTML|srcdoc)$/]', 'Text goes in as text.'],
  ['JSXAttribute[name.name=/^(dangerouslySetInnerHTML|srcDoc)$/]', 'Text goes in as text.'],
  ['CallExpression[callee.object.name="document"][callee.property.name=/^write/]', 'Text goes in as text.'],
]

/** One block, because a later `no-restricted-syntax` replaces an earlier one. */
function banned(...groups) {
  const options = groups.flat().map(([selector, message]) => ({ selector, message }))
  return { 'no-restricted-syntax': ['error', ...options] }
}

const manner = {
  '@stylistic/space-before-function-paren': ['error', { named: 'never', anonymous: 'always', asyncArrow: 'always' }],
  '@stylistic/comma-dangle': ['error', 'only-multiline'],
  '@stylistic/generator-star-spacing': 'off',
  '@stylistic/max-len': ['error', {
    code: 100, ignoreUrls: true, ignoreStrings: true, ignoreTemplateLiterals: true,
    ignoreRegExpLiterals: true, ignoreComments: true,
  }],
  '@stylistic/quote-props': 'off',
  '@stylistic/multiline-ternary': 'off',
  '@stylistic/object-property-newline': 'off',
  '@stylistic/object-curly-newline': ['error', { consistent: true }],
  'accessor-pairs': ['error', { setWithoutGet: false }],
  'react/jsx-handler-names': 'off',
  // A promise that nobody waits for is marked so.
  'no-void': 'off',
  // Refusing control characters is what such expressions are for.
  'no-control-regex': 'off',
  'no-empty': ['error', { allowEmptyCatch: false }],
  'no-eval': 'error',
  'no-implied-eval': 'error',
  'prefer-const': 'error',
}

const types = {
  '@typescript-eslint/no-explicit-any': 'error',
  '@typescript-eslint/no-non-null-assertion': 'error',
  '@typescript-eslint/ban-ts-comment': 'error',
  // The compiler checks these, and knows types as well as values.
  'no-undef': 'off',
  'no-redeclare': 'off',
  '@typescript-eslint/no-redeclare': 'off',
  'no-use-before-define': 'off',
}

export default [
  ...neostandard({ ts: true, ignores: ['dist/**', 'node_modules/**', '.tap/**', 'data/**'] }),
  { linterOptions: { noInlineConfig: true }, rules: manner },
  { files: CODE, rules: types },
  { files: [...CODE, '**/*.mjs'], ignores: TESTS, rules: banned(everywhere) },
  { files: ['protocol/**/*.ts'], rules: { ...banned(everywhere, environment, clock), 'no-console': 'error' } },
  { files: ['db/**/*.ts', 'server/**/*.ts'], rules: banned(everywhere, environment, clock, transactions) },
  { files: ['scripts/**/*.ts'], rules: banned(everywhere, environment, transactions) },
  { files: ['web/**/*.ts', 'web/**/*.tsx'], rules: { ...banned(everywhere, environment, page, requests), 'no-console': 'error' } },
  { files: ['web/**/*.ts', 'web/**/*.tsx'], plugins: { 'react-hooks': hooks }, rules: hooks.configs.recommended.rules },
  // The one owner of each.
  { files: ['web/api.ts'], rules: banned(everywhere, environment, page) },
  { files: ['server/config.ts'], rules: banned(everywhere, clock, transactions) },
  { files: ['server/world.ts'], rules: banned(everywhere, environment, transactions) },
  // It asks whether the machine's own clock is right.
  { files: ['server/use-cases/check-readiness.ts'], rules: banned(everywhere, environment, transactions) },
  // Migrations are applied under a lock that needs a connection of its own.
  { files: ['db/client.ts'], rules: banned(everywhere, environment, clock) },
]
