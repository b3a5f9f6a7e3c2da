// Goal: every setting has a default that works, and a wrong one is refused by its name.
// Method: one wrong value per setting; the list for the README against what is read.
import { readFile } from 'node:fs/promises'
import t from 'tap'
import { readConfig, SettingError, SETTINGS } from '../../server/config.js'

t.test('without any setting', async (t) => {
  const config = readConfig({})
  t.match(config, {
    host: '127.0.0.1', port: 4870, publicUrl: 'http://localhost:4870', viewerUrl: 'http://127.0.0.1:4871', databaseUrl: undefined,
    s3: undefined, smtpUrl: undefined, logPublishIntervalMs: 20,
  })
  t.same(readConfig({ PORT: '', S3_BUCKET: '', LOG_KEY: '' }), config, 'an empty setting is none')
})

t.test('a wrong setting is named', async (t) => {
  const s3 = { S3_BUCKET: 'decks', S3_ACCESS_KEY_ID: 'a', S3_SECRET_ACCESS_KEY: 'b' }
  const wrong: [string, Record<string, string>][] = [
    ['PORT', { PORT: '65536' }], ['PORT', { PORT: '-1' }], ['PORT', { PORT: '80.0' }], ['VIEWER_PORT', { VIEWER_PORT: '4870' }],
    ['PUBLIC_URL', { PUBLIC_URL: 'deck.example' }], ['PUBLIC_URL', { PUBLIC_URL: 'http://deck.example' }], ['PUBLIC_URL', { PUBLIC_URL: 'https://deck.example/x' }],
    ['PUBLIC_URL', { PUBLIC_URL: 'ftp://deck.example' }], ['VIEWER_URL', { VIEWER_URL: 'http://localhost:4870' }], ['TRUST_PROXY', { TRUST_PROXY: 'everybody' }],
    ['DATABASE_URL', { DATABASE_URL: 'mysql://x/y' }], ['DATABASE_MAX_CONNECTIONS', { DATABASE_MAX_CONNECTIONS: '1' }], ['S3_BUCKET', { ...s3, S3_BUCKET: 'A_B' }],
    ['S3_ENDPOINT', { ...s3, S3_ENDPOINT: 'localhost' }], ['S3_ACCESS_KEY_ID', { S3_BUCKET: 'decks' }], ['S3_SECRET_ACCESS_KEY', { ...s3, S3_SECRET_ACCESS_KEY: '' }],
    ['S3_PATH_STYLE', { ...s3, S3_PATH_STYLE: 'yes' }], ['SMTP_URL', { SMTP_URL: 'mail.example' }],
    ['MAIL_FROM', { MAIL_FROM: 'a\nBcc: b' }], ['MAX_FILE_SIZE_BYTES', { MAX_FILE_SIZE_BYTES: '1GB' }], ['RATE_LIMIT_PER_MINUTE', { RATE_LIMIT_PER_MINUTE: '0' }],
    ['LOG_ORIGIN', { LOG_ORIGIN: 'a b' }], ['LOG_PUBLISH_INTERVAL_MS', { LOG_PUBLISH_INTERVAL_MS: '60001' }], ['LOG_WAIT_TIMEOUT_MS', { LOG_WAIT_TIMEOUT_MS: '5' }],
    ['WITNESS_INTERVAL_MS', { WITNESS_INTERVAL_MS: '5' }], ['WITNESSES', { WITNESSES: 'a\nb' }],
    ['TOKEN_KEY', { TOKEN_KEY: 'short' }], ['OPAQUE_SERVER_SETUP', { OPAQUE_SERVER_SETUP: '!' }], ['METRICS_TOKEN', { METRICS_TOKEN: 'short' }], ['LOG_LEVEL', { LOG_LEVEL: 'loud' }],
  ]
  for (const [name, environment] of wrong) {
    t.throws(() => readConfig(environment), new SettingError(''), name)
    t.throws(() => readConfig(environment), new RegExp(`^${name}\\b|${name}`), `${name} is named`)
  }
})

t.test('settings that go together', async (t) => {
  t.match(readConfig({ PUBLIC_URL: 'https://deck.example', VIEWER_URL: 'https://view.example', TRUST_PROXY: '10.0.0.1, 10.0.0.2' }), {
    publicUrl: 'https://deck.example', trustProxy: ['10.0.0.1', '10.0.0.2'], mailFrom: 'Sealdeck <sealdeck@deck.example>',
  })
  const s3 = { S3_BUCKET: 'decks', S3_ACCESS_KEY_ID: 'a', S3_SECRET_ACCESS_KEY: 'b' }
  t.equal(readConfig(s3).s3?.isPathStyle, false, 'Amazon has the bucket in the host name')
  t.equal(readConfig({ ...s3, S3_ENDPOINT: 'http://127.0.0.1:9000' }).s3?.isPathStyle, true)
})

t.test('the README lists every setting', async (t) => {
  const readme = await readFile(new URL('../../README.md', import.meta.url), 'utf8')
  const rows = SETTINGS.map(({ name, fallback, meaning }) => `| \`${name}\` | ${fallback === '' ? '' : `\`${fallback}\``} | ${meaning} |`)
  const table = ['| setting | default | meaning |', '|---|---|---|', ...rows].join('\n')
  t.match(readme, `<!-- settings -->\n${table}\n<!-- /settings -->`)
})
