/**
 * Every setting: an environment variable, its default, its meaning. The one file that reads
 * `process.env`. A wrong value is refused by name; nothing else in the server guesses.
 */
import { homedir } from 'node:os'
import { isAbsolute, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { MAX_FILE_SIZE_BYTES } from '../protocol/limits.js'

export interface S3Settings {
  readonly endpoint: string | undefined
  readonly region: string
  readonly bucket: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly isPathStyle: boolean
  /** Where browsers reach it, for direct transfers. */
  readonly publicEndpoint: string | undefined
}

export const TRANSFERS = ['server', 'direct'] as const
/** How ciphertext travels: through the server, or between browser and bucket. */
export type Transfer = typeof TRANSFERS[number]

export interface Config {
  readonly host: string
  readonly port: number
  readonly viewerHost: string
  readonly viewerPort: number
  /** The app's origin, without a slash at the end. */
  readonly publicUrl: string
  readonly viewerUrl: string
  readonly trustProxy: readonly string[]
  readonly dataFolder: string
  /** Used without DATABASE_URL, S3_BUCKET and SMTP_URL. */
  readonly databaseFolder: string
  readonly bucketFolder: string
  readonly outboxFolder: string
  readonly webFolder: string
  readonly databaseUrl: string | undefined
  readonly databaseMaxConnections: number
  readonly s3: S3Settings | undefined
  readonly uploads: Transfer
  readonly downloads: Transfer
  readonly smtpUrl: string | undefined
  readonly mailFrom: string
  readonly maxFileSizeBytes: number
  readonly rateLimitPerMinute: number
  readonly maxEventLoopDelayMs: number
  readonly emailCodesPerNetwork: number
  readonly accountQuotaBytes: number
  /** Of all accounts together; `undefined`: as much as the bucket holds. */
  readonly instanceQuotaBytes: number | undefined
  readonly unfinishedUploadHours: number
  readonly mailRecordDays: number
  /** `undefined`: kept until somebody is erased. */
  readonly detailsRetentionDays: number | undefined
  /** Given only on the first start; then the stored key's name counts. */
  readonly logOrigin: string | undefined
  readonly logKey: string | undefined
  readonly logPublishIntervalMs: number
  readonly logWaitTimeoutMs: number
  /** Path of a c2sp.org/tlog-policy file; `undefined`: nobody cosigns. */
  readonly witnessesFile: string | undefined
  readonly witnessIntervalMs: number
  /** Where checkpoints are time-stamped (RFC 3161), and in PEM whom that must lead to. */
  readonly timestampUrl: string | undefined
  readonly timestampCaFile: string | undefined
  readonly timestampIntervalMinutes: number
  readonly tokenKey: string | undefined
  readonly opaqueServerSetup: string | undefined
  readonly metricsToken: string | undefined
  readonly otlpEndpoint: string | undefined
  readonly logLevel: LogLevel
}

const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const
export type LogLevel = typeof LOG_LEVELS[number]

/** A setting that cannot be used; the message is one line for the operator. */
export class SettingError extends Error {
  override readonly name = 'SettingError'
}

export interface Setting {
  readonly name: string
  /** As it stands in the README; empty where there is none. */
  readonly fallback: string
  readonly meaning: string
}

const DEFAULT_PORT = 4870
const DEFAULT_VIEWER_PORT = 4871
const MAX_INTERVAL_MS = 60_000
const MAX_WITNESS_INTERVAL_MS = 3_600_000
const DEFAULT_QUOTA_BYTES = 20 * 1024 ** 3
const MAX_UPLOAD_HOURS = 24 * 365
const MAX_STAMP_INTERVAL_MINUTES = 7 * 24 * 60
const MAX_RETENTION_DAYS = 100 * 365

/** The settings in the order of the README's table, which is written from this list. */
export const SETTINGS = [
  { name: 'HOST', fallback: '127.0.0.1', meaning: 'address to listen on; `0.0.0.0` for all' },
  { name: 'PORT', fallback: String(DEFAULT_PORT), meaning: 'port of the app and its API' },
  { name: 'VIEWER_PORT', fallback: String(DEFAULT_VIEWER_PORT), meaning: 'port of the viewer, which needs an origin of its own' },
  { name: 'PUBLIC_URL', fallback: 'http://localhost:PORT', meaning: 'the address people open; https, unless it is localhost' },
  { name: 'VIEWER_URL', fallback: 'http://127.0.0.1:VIEWER_PORT', meaning: 'the viewer\'s address; another origin than PUBLIC_URL, best another domain' },
  { name: 'TRUST_PROXY', fallback: '', meaning: 'addresses of the proxies in front, separated by commas; their X-Forwarded headers count' },
  { name: 'DATA_DIR', fallback: './data', meaning: 'folder for keys and, in the embedded default, database, bucket and mail' },
  { name: 'DATABASE_URL', fallback: '', meaning: 'PostgreSQL 15 or later; without it PGlite in DATA_DIR' },
  { name: 'DATABASE_MAX_CONNECTIONS', fallback: '20', meaning: 'PostgreSQL connections of this instance' },
  { name: 'S3_BUCKET', fallback: '', meaning: 'bucket for ciphertext and the log\'s files; without it a folder in DATA_DIR' },
  { name: 'S3_ENDPOINT', fallback: '', meaning: 'address of the S3 server; without it Amazon\'s' },
  { name: 'S3_REGION', fallback: 'us-east-1', meaning: 'region of the bucket' },
  { name: 'S3_ACCESS_KEY_ID', fallback: '', meaning: 'access key; needed with S3_BUCKET' },
  { name: 'S3_SECRET_ACCESS_KEY', fallback: '', meaning: 'its secret; needed with S3_BUCKET' },
  { name: 'S3_PATH_STYLE', fallback: 'true with S3_ENDPOINT', meaning: '`true`: the bucket stands in the path; `false`: in the host name' },
  { name: 'S3_PUBLIC_ENDPOINT', fallback: 'S3_ENDPOINT', meaning: 'address at which browsers reach the S3 server, for direct transfers' },
  { name: 'UPLOADS', fallback: 'server', meaning: '`direct`: browsers put parts straight into the S3 bucket (first `npx sealdeck admin allow-origin`)' },
  { name: 'DOWNLOADS', fallback: 'server', meaning: '`direct`: browsers read ciphertext from the S3 bucket; a revocation is then acknowledged 16 seconds later' },
  { name: 'SMTP_URL', fallback: '', meaning: 'mail server, `smtp://` or `smtps://`; without it mail is written to DATA_DIR/outbox' },
  { name: 'MAIL_FROM', fallback: 'Sealdeck <sealdeck@PUBLIC_URL\'s host>', meaning: 'sender of the mails' },
  { name: 'MAX_FILE_SIZE_BYTES', fallback: String(MAX_FILE_SIZE_BYTES), meaning: 'largest file that can be sealed' },
  { name: 'RATE_LIMIT_PER_MINUTE', fallback: '6000', meaning: 'requests from one address to one instance' },
  {
    name: 'MAX_EVENT_LOOP_DELAY_MS', fallback: '2000',
    meaning: 'busier than this, the server answers 503 and asks to try again',
  },
  { name: 'EMAIL_CODES_PER_NETWORK', fallback: '20', meaning: 'codes by mail that one network (/24 or /48) can ask for in an hour' },
  { name: 'ACCOUNT_QUOTA_BYTES', fallback: String(DEFAULT_QUOTA_BYTES), meaning: 'ciphertext that one account can store' },
  { name: 'INSTANCE_QUOTA_BYTES', fallback: '', meaning: 'ciphertext that all accounts together can store; without it no limit but the bucket\'s' },
  { name: 'UNFINISHED_UPLOAD_HOURS', fallback: '168', meaning: 'how long an upload may stay unfinished before it is given up' },
  { name: 'MAIL_RECORD_DAYS', fallback: '30', meaning: 'how long it is kept that a mail went to an address; its text is deleted when it is sent' },
  { name: 'DETAILS_RETENTION_DAYS', fallback: '', meaning: 'age at which names, addresses and notes in the log\'s details are erased; without it they stay until a person is erased' },
  { name: 'LOG_ORIGIN', fallback: 'PUBLIC_URL\'s host/log/YEAR', meaning: 'name of the transparency log, fixed by the first start' },
  { name: 'LOG_KEY', fallback: 'DATA_DIR/keys/log.key', meaning: 'the log\'s signing key, `PRIVATE+KEY+...`; while it is rotated, or the log is closed, the old one, a space, the new one; the same for all instances' },
  { name: 'LOG_PUBLISH_INTERVAL_MS', fallback: '20', meaning: 'how long events that come one by one wait for each other, at most, to share a checkpoint' },
  { name: 'LOG_WAIT_TIMEOUT_MS', fallback: '10000', meaning: 'how long a request waits for its event to be published' },
  { name: 'TIMESTAMP_URL', fallback: '', meaning: 'a time-stamp authority (RFC 3161) that stamps checkpoints; without it none are stamped' },
  { name: 'TIMESTAMP_CA_FILE', fallback: '', meaning: 'certificates in PEM that the authority\'s must lead to; without it any signer is taken' },
  { name: 'TIMESTAMP_INTERVAL_MINUTES', fallback: '60', meaning: 'time between two stamps' },
  { name: 'WITNESSES', fallback: '', meaning: 'file that says who cosigns the log, in lines `witness NAME VKEY URL`, `group`, `quorum` (c2sp.org/tlog-policy); without it nobody does' },
  { name: 'WITNESS_INTERVAL_MS', fallback: '10000', meaning: 'longest time between a checkpoint and asking the witnesses about it; at once while a link waits for them' },
  { name: 'TOKEN_KEY', fallback: 'DATA_DIR/keys/token.key', meaning: '32 bytes, base64url, that sign access tokens; the same for all instances' },
  { name: 'OPAQUE_SERVER_SETUP', fallback: 'DATA_DIR/keys/opaque.setup', meaning: 'OPAQUE\'s server secret: losing it locks every passphrase out; the same for all instances' },
  { name: 'METRICS_TOKEN', fallback: '', meaning: 'bearer token for /metrics; without it only this machine may read them' },
  { name: 'OTEL_EXPORTER_OTLP_ENDPOINT', fallback: '', meaning: 'OpenTelemetry collector (OTLP over HTTP) that gets traces, without addresses, queries or bodies; without it none are made' },
  { name: 'LOG_LEVEL', fallback: 'info', meaning: LOG_LEVELS.map((level) => `\`${level}\``).join(', ') },
] as const satisfies readonly Setting[]

/** Where the command line keeps its session: the folder for settings of this user. */
export function readSessionFolder(environment: Environment = process.env): string {
  const named = environment.XDG_CONFIG_HOME
  const folder = named !== undefined && isAbsolute(named) ? named : join(homedir(), '.config')
  return join(folder, 'sealdeck')
}

type SettingName = typeof SETTINGS[number]['name']
export type Environment = Readonly<Record<string, string | undefined>>

/** @throws SettingError naming the first wrong setting. */
export function readConfig(environment: Environment = process.env): Config {
  const source = new Source(environment)
  const port = source.port('PORT', DEFAULT_PORT)
  const viewerPort = source.port('VIEWER_PORT', DEFAULT_VIEWER_PORT)
  const publicUrl = source.origin('PUBLIC_URL', `http://localhost:${port}`)
  const dataFolder = resolve(source.text('DATA_DIR') ?? 'data')
  const host = source.text('HOST') ?? '127.0.0.1'
  const config: Config = {
    host, port, viewerHost: host, viewerPort, publicUrl,
    viewerUrl: source.origin('VIEWER_URL', `http://127.0.0.1:${viewerPort}`),
    trustProxy: source.list('TRUST_PROXY'),
    dataFolder,
    databaseFolder: join(dataFolder, 'database'),
    bucketFolder: join(dataFolder, 'bucket'),
    outboxFolder: join(dataFolder, 'outbox'),
    webFolder: findWebFolder(),
    databaseUrl: source.url('DATABASE_URL', ['postgres:', 'postgresql:']),
    databaseMaxConnections: source.integer('DATABASE_MAX_CONNECTIONS', { fallback: 20, min: 2, max: 1000 }),
    s3: readS3(source),
    uploads: source.choice('UPLOADS', TRANSFERS, 'server'),
    downloads: source.choice('DOWNLOADS', TRANSFERS, 'server'),
    smtpUrl: source.url('SMTP_URL', ['smtp:', 'smtps:']),
    mailFrom: source.line('MAIL_FROM') ?? `Sealdeck <sealdeck@${new URL(publicUrl).hostname}>`,
    maxFileSizeBytes: source.integer('MAX_FILE_SIZE_BYTES', { fallback: MAX_FILE_SIZE_BYTES, min: 1024, max: MAX_FILE_SIZE_BYTES }),
    maxEventLoopDelayMs: source.integer('MAX_EVENT_LOOP_DELAY_MS', {
      fallback: 2_000, min: 100, max: MAX_INTERVAL_MS,
    }),
    rateLimitPerMinute: source.integer('RATE_LIMIT_PER_MINUTE', { fallback: 6_000, min: 10, max: 100_000_000 }),
    emailCodesPerNetwork: source.integer('EMAIL_CODES_PER_NETWORK', { fallback: 20, min: 1, max: 1_000_000 }),
    accountQuotaBytes: source.integer('ACCOUNT_QUOTA_BYTES', { fallback: DEFAULT_QUOTA_BYTES, min: 0, max: Number.MAX_SAFE_INTEGER }),
    instanceQuotaBytes: source.optionalInteger('INSTANCE_QUOTA_BYTES', { min: 0, max: Number.MAX_SAFE_INTEGER }),
    mailRecordDays: source.integer('MAIL_RECORD_DAYS', { fallback: 30, min: 1, max: MAX_RETENTION_DAYS }),
    detailsRetentionDays: source.optionalInteger('DETAILS_RETENTION_DAYS', { min: 1, max: MAX_RETENTION_DAYS }),
    unfinishedUploadHours: source.integer('UNFINISHED_UPLOAD_HOURS', { fallback: 168, min: 1, max: MAX_UPLOAD_HOURS }),
    logOrigin: source.pattern('LOG_ORIGIN', /^[^\s+]{1,200}$/, 'a name without spaces and "+"'),
    logKey: source.line('LOG_KEY'),
    logPublishIntervalMs: source.integer('LOG_PUBLISH_INTERVAL_MS', { fallback: 20, min: 0, max: MAX_INTERVAL_MS }),
    logWaitTimeoutMs: source.integer('LOG_WAIT_TIMEOUT_MS', { fallback: 10_000, min: 100, max: MAX_INTERVAL_MS }),
    timestampUrl: source.url('TIMESTAMP_URL', ['http:', 'https:']),
    timestampCaFile: source.line('TIMESTAMP_CA_FILE'),
    timestampIntervalMinutes: source.integer('TIMESTAMP_INTERVAL_MINUTES', {
      fallback: 60, min: 1, max: MAX_STAMP_INTERVAL_MINUTES,
    }),
    witnessesFile: source.line('WITNESSES'),
    witnessIntervalMs: source.integer('WITNESS_INTERVAL_MS', {
      fallback: 10_000, min: 10, max: MAX_WITNESS_INTERVAL_MS,
    }),
    tokenKey: source.pattern('TOKEN_KEY', /^[A-Za-z0-9_-]{43}$/, '32 bytes in base64url'),
    opaqueServerSetup: source.pattern('OPAQUE_SERVER_SETUP', /^[A-Za-z0-9_-]{20,1000}$/, 'base64url'),
    metricsToken: source.pattern('METRICS_TOKEN', /^[A-Za-z0-9._~+/=-]{16,200}$/, '16 or more letters and digits'),
    otlpEndpoint: source.url('OTEL_EXPORTER_OTLP_ENDPOINT', ['http:', 'https:']),
    logLevel: source.choice('LOG_LEVEL', LOG_LEVELS, 'info'),
  }
  requireWorkable(config)
  return config
}

function readS3(source: Source): S3Settings | undefined {
  const bucket = source.pattern('S3_BUCKET', /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, 'a bucket\'s name')
  if (bucket === undefined) return undefined
  const endpoint = source.url('S3_ENDPOINT', ['http:', 'https:'])
  return {
    bucket,
    endpoint,
    publicEndpoint: source.url('S3_PUBLIC_ENDPOINT', ['http:', 'https:']) ?? endpoint,
    region: source.line('S3_REGION') ?? 'us-east-1',
    accessKeyId: source.required('S3_ACCESS_KEY_ID', 'S3_BUCKET'),
    secretAccessKey: source.required('S3_SECRET_ACCESS_KEY', 'S3_BUCKET'),
    isPathStyle: source.choice('S3_PATH_STYLE', ['true', 'false'], endpoint === undefined ? 'false' : 'true') === 'true',
  }
}

/** What single settings cannot tell: whether they fit together. */
function requireWorkable(config: Config): void {
  const url = new URL(config.publicUrl)
  if (url.protocol === 'http:' && url.hostname !== 'localhost') {
    throw new SettingError('PUBLIC_URL must be https: browsers give no cryptography to plain http, except on localhost')
  }
  if (url.origin === new URL(config.viewerUrl).origin) {
    throw new SettingError('VIEWER_URL must be another origin than PUBLIC_URL: the viewer handles hostile files')
  }
  requireDirect(config)
  if (config.port === config.viewerPort && config.port !== 0) {
    throw new SettingError('VIEWER_PORT must differ from PORT')
  }
}

/** Browsers need a bucket, and a secure page reaches none over plain http. */
function requireDirect({ uploads, downloads, s3, publicUrl }: Config): void {
  if (uploads === 'server' && downloads === 'server') return
  if (s3 === undefined) throw new SettingError('UPLOADS and DOWNLOADS can be direct only with S3_BUCKET')
  if (publicUrl.startsWith('https:') && s3.publicEndpoint?.startsWith('http:') === true) {
    throw new SettingError('S3_PUBLIC_ENDPOINT must be https where PUBLIC_URL is')
  }
}

/** The origin at which browsers meet the bucket; `undefined` where all goes through the server. */
export function directOrigin({ uploads, downloads, s3 }: Config): string | undefined {
  if (s3 === undefined || (uploads === 'server' && downloads === 'server')) return undefined
  const base = new URL(s3.publicEndpoint ?? `https://s3.${s3.region}.amazonaws.com`)
  return s3.isPathStyle ? base.origin : `${base.protocol}//${s3.bucket}.${base.host}`
}

/** Built code lies beside the server's in dist; in development the server runs from its sources. */
export function findWebFolder(): string {
  const here = fileURLToPath(new URL('.', import.meta.url))
  const isBuilt = /[\\/]dist[\\/]server[\\/]$/.test(here)
  return resolve(here, isBuilt ? '../web' : '../dist/web')
}

/** Reads single variables; an empty one is one that is not there. */
class Source {
  readonly #environment: Environment

  constructor(environment: Environment) {
    this.#environment = environment
  }

  text(name: SettingName): string | undefined {
    const value = this.#environment[name]
    return value === '' ? undefined : value
  }

  pattern(name: SettingName, pattern: RegExp, expected: string): string | undefined {
    const value = this.text(name)
    if (value !== undefined && !pattern.test(value)) throw new SettingError(`${name} must be ${expected}`)
    return value
  }

  /** One line; secrets and names. */
  line(name: SettingName): string | undefined {
    return this.pattern(name, /^[^\r\n]{1,1000}$/, 'one line')
  }

  required(name: SettingName, because: SettingName): string {
    const value = this.line(name)
    if (value === undefined) throw new SettingError(`${name} is needed with ${because}`)
    return value
  }

  list(name: SettingName): string[] {
    const value = this.pattern(name, /^[0-9a-fA-F.:/, ]+$/, 'addresses, separated by commas')
    return value === undefined ? [] : value.split(',').map((item) => item.trim()).filter((item) => item !== '')
  }

  integer(name: SettingName, range: { fallback: number, min: number, max: number }): number {
    const value = this.text(name)
    if (value === undefined) return range.fallback
    const number = /^\d{1,15}$/.test(value) ? Number(value) : Number.NaN
    if (!(number >= range.min && number <= range.max)) {
      throw new SettingError(`${name} must be a whole number from ${range.min} to ${range.max}`)
    }
    return number
  }

  optionalInteger(name: SettingName, range: { min: number, max: number }): number | undefined {
    const isGiven = this.text(name) !== undefined
    return isGiven ? this.integer(name, { ...range, fallback: range.min }) : undefined
  }

  port(name: SettingName, fallback: number): number {
    return this.integer(name, { fallback, min: 0, max: 65_535 })
  }

  choice<T extends string>(name: SettingName, choices: readonly T[], fallback: T): T {
    const value = this.text(name)
    if (value === undefined) return fallback
    const choice = choices.find((one) => one === value)
    if (choice === undefined) throw new SettingError(`${name} must be one of ${choices.join(', ')}`)
    return choice
  }

  url(name: SettingName, protocols: readonly string[]): string | undefined {
    const value = this.text(name)
    if (value === undefined) return undefined
    if (!URL.canParse(value) || !protocols.includes(new URL(value).protocol)) {
      throw new SettingError(`${name} must be an address that starts with ${protocols.map((one) => `${one}//`).join(' or ')}`)
    }
    return value
  }

  /** Scheme, host and port; nothing after them. */
  origin(name: SettingName, fallback: string): string {
    const value = this.url(name, ['http:', 'https:']) ?? fallback
    const url = new URL(value)
    if (url.href !== `${url.origin}/`) throw new SettingError(`${name} must be scheme, host and port alone`)
    return url.origin
  }
}

/**
 * Whether mails are shown at /outbox: where none are sent, and people open this very machine. A public address
 * means a proxy, and behind one that does not name itself everybody looks near.
 */
export function hasOutboxPage({ smtpUrl, publicUrl }: Config): boolean {
  return smtpUrl === undefined && new URL(publicUrl).hostname === 'localhost'
}
