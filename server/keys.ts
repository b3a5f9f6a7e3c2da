/**
 * The server's own keys: made at the first start in DATA_DIR/keys (mode 0600), or given by settings where
 * several instances share them. Founders' and investors' keys are never here.
 */
import { createPrivateKey, createPublicKey, randomBytes } from 'node:crypto'
import { link, mkdir, readFile, unlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ready as opaqueReady, server as opaqueServer } from '@serenity-kit/opaque'
import { decodeBase64Url, encodeBase64Url } from '../protocol/bytes.js'
import { assert } from '../protocol/errors.js'
import {
  ed25519Signer, formatSecretKey, formatVkey, parseSecretKey, parseVkey, type NoteSigner,
} from '../protocol/log/note.js'
import { logFolder } from '../protocol/log/tile.js'
import { ready as sodiumReady } from '../protocol/sodium.js'
import type { Config } from './config.js'
import { SettingError } from './config.js'
import { LOGS_PREFIX } from './object-keys.js'
import type { Clock } from './world.js'

export interface ServerKeys {
  /**
   * Signs checkpoints and nothing else; its name is the log's origin. Always that of the newest log (logs.ts), and
   * without signers where this process was not given its key.
   */
  readonly log: LogKey
  /** Of all logs that this process was given keys for. */
  readonly logs: readonly LogKey[]
  /** From now on `log` is this one. */
  useLog(log: { readonly origin: string, readonly vkey: string }): void
  /** Ed25519 in PEM, for access tokens. */
  readonly token: { readonly private: string, readonly public: string }
  readonly opaqueServerSetup: string
}

export interface LogKey {
  readonly origin: string
  /** The oldest key that still signs: what new grants pin, and what is in every checkpoint of today. */
  readonly vkey: string
  readonly signer: NoteSigner
  /** All that sign, oldest first: two while the key is being rotated (rotations.ts). */
  readonly signers: readonly NoteSigner[]
  /** Folder of the log's files in the bucket and below PUBLIC_URL: `log/2026`. */
  readonly prefix: string
}

const SEED_SIZE_BYTES = 32
const MAX_SIGNER_COUNT = 2
const MAX_LOG_COUNT = 2
const ED25519_PKCS8_PREFIX = '302e020100300506032b657004220420'

/** @throws SettingError if a given key cannot be used. */
export async function openKeys(config: Config, clock: Clock): Promise<ServerKeys> {
  await Promise.all([sodiumReady(), opaqueReady])
  const folder = join(config.dataFolder, 'keys')
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const origin = config.logOrigin ?? defaultOrigin(config, clock)
  const [logKey, tokenKey, opaqueServerSetup] = await Promise.all([
    config.logKey ?? readOrMake(logKeyPath(config), () => makeLogKey(origin)),
    config.tokenKey ?? readOrMake(join(folder, 'token.key'), () => encodeBase64Url(randomBytes(SEED_SIZE_BYTES))),
    config.opaqueServerSetup ?? readOrMake(join(folder, 'opaque.setup'), () => opaqueServer.createSetup()),
  ])
  const logs = openLogKeys(logKey)
  const [first] = logs
  assert(first !== undefined, 'there is a key in every text')
  let log: LogKey = first
  return {
    logs, token: openTokenKey(tokenKey), opaqueServerSetup,
    get log() { return log },
    useLog(named) { log = logs.find((one) => one.origin === named.origin) ?? watchedKey(named) },
  }
}

/** A log whose key is elsewhere: read and proved from, never signed. */
function watchedKey({ origin, vkey }: { origin: string, vkey: string }): LogKey {
  const sign = (): never => { throw new Error(`no key of ${origin} is here`) }
  const signer = { key: parseVkey(vkey), sign }
  return { origin, vkey, signer, signers: [], prefix: logPrefix(origin) }
}

/** The folder of a log's files, as its origin names it. */
export function logPrefix(origin: string): string {
  return `${LOGS_PREFIX}${logFolder(origin)}`
}

function defaultOrigin(config: Config, clock: Clock): string {
  return `${new URL(config.publicUrl).host}/log/${new Date(clock.nowMs()).getUTCFullYear()}`
}

export function logKeyPath({ dataFolder }: Pick<Config, 'dataFolder'>): string {
  return join(dataFolder, 'keys', 'log.key')
}

/** A new secret key for a log of this origin, in the form of LOG_KEY. */
export function makeLogKey(origin: string): string {
  const seed = randomBytes(SEED_SIZE_BYTES)
  return formatSecretKey(ed25519Signer(origin, seed).key, seed)
}

/**
 * One key, or while it is being rotated two of one name, oldest first, with spaces or lines between; after them, while the
 * log is being closed, the key of the next log.
 */
function openLogKeys(text: string): LogKey[] {
  const signers = text.trim().split(/\s+/).map(parseLogKey)
    .map(({ key, seed }) => ed25519Signer(key.name, seed))
  const origins = [...new Set(signers.map(({ key }) => key.name))]
  if (origins.length > MAX_LOG_COUNT) throw wrongLogKey('holds keys of more than two logs')
  return origins.map((origin) =>
    openLogKey(origin, signers.filter(({ key }) => key.name === origin)))
}

function openLogKey(origin: string, signers: readonly NoteSigner[]): LogKey {
  const [signer, second] = signers
  if (signer === undefined || signers.length > MAX_SIGNER_COUNT) {
    throw wrongLogKey('holds more than two keys of one log')
  }
  if (second?.key.id === signer.key.id) throw wrongLogKey('must hold two different keys of one log')
  return { origin, vkey: formatVkey(signer.key), signer, signers, prefix: logPrefix(origin) }
}

function wrongLogKey(what: string, cause?: unknown): SettingError {
  return new SettingError(`LOG_KEY (or DATA_DIR/keys/log.key) ${what}`, { cause })
}

function parseLogKey(text: string): ReturnType<typeof parseSecretKey> {
  try {
    return parseSecretKey(text)
  } catch (error) {
    throw wrongLogKey('is not a note signing key', error)
  }
}

function openTokenKey(text: string): ServerKeys['token'] {
  const seed = decodeBase64Url(text)
  const der = Buffer.concat([Buffer.from(ED25519_PKCS8_PREFIX, 'hex'), seed])
  const key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
  return {
    private: key.export({ format: 'pem', type: 'pkcs8' }).toString(),
    public: createPublicKey(key).export({ format: 'pem', type: 'spki' }).toString(),
  }
}

/** The file's text, made first if there is none. Two processes that start together agree on one. */
async function readOrMake(path: string, make: () => string): Promise<string> {
  const existing = await readIfThere(path)
  if (existing !== undefined) return existing.trim()
  const draft = `${path}.${randomBytes(8).toString('hex')}`
  await writeFile(draft, `${make()}\n`, { mode: 0o600, flush: true })
  try {
    await link(draft, path)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
  } finally {
    await unlink(draft)
  }
  return (await readFile(path, 'utf8')).trim()
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}
