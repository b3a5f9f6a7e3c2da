/**
 * Who cosigns this log: the file that WITNESSES names, in the form of c2sp.org/tlog-policy, read once at the
 * start and strictly (SPEC.md § 7.7). Must not give the witnesses' addresses away: they may be private.
 *
 *   witness <name> <vkey> <address>
 *   group <name> all|any|<k> <name>...
 *   quorum <name>
 */
import { readFile } from 'node:fs/promises'
import { encodeUtf8, equalBytes } from '../protocol/bytes.js'
import { ProtocolError } from '../protocol/errors.js'
import { sha256 } from '../protocol/hash.js'
import { MAX_WITNESS_COUNT } from '../protocol/limits.js'
import { type NoteKey } from '../protocol/log/note.js'
import {
  countForQuorum, formatPolicy, formatWitnesses, parsePolicy, policyOfLog, type Policy,
  type PolicyWitness,
} from '../protocol/log/policy.js'
import { isWitnessed } from '../protocol/log/witness.js'
import { SettingError, type Config } from './config.js'
import type { ServerKeys } from './keys.js'
import type { Logs } from './logs.js'

export interface WitnessPolicy {
  /** This log, its witnesses and their quorum. */
  readonly policy: Policy
  readonly members: readonly WitnessMember[]
  /** What grants sign the hash of ([Note: Pinned witnesses] in protocol/deck/policy.ts). */
  readonly text: string
  readonly sha256: Uint8Array
  readonly quorumCount: number
}

export interface WitnessMember {
  readonly name: string
  readonly key: NoteKey
  /** Where checkpoints are sent. */
  readonly submitUrl: string
}

/** Which logs are ours, and with which keys. */
interface OwnLogs {
  readonly keys: Pick<ServerKeys, 'log' | 'logs'>
  readonly logs: Pick<Logs, 'list'>
}

/**
 * The policy, or `undefined` where WITNESSES is not set.
 * @throws SettingError saying what is wrong, with the line where there is one.
 */
export async function openWitnessPolicy(
  { witnessesFile }: Pick<Config, 'witnessesFile'>, { keys, logs: ours }: OwnLogs,
): Promise<WitnessPolicy | undefined> {
  const { log } = keys
  if (witnessesFile === undefined) return undefined
  const { logs, witnesses, groups, quorum } = await readPolicyFile(witnessesFile)
  const names = [...keys.logs, ...ours.list()].map(({ origin }) => origin)
  if (logs.some(({ key }) => !names.includes(key.name))) { // By its name: keys are rotated.
    throw wrong(`it names another log than this server's, ${log.vkey}`)
  }
  if (quorum === null) throw wrong('a quorum of none asks for no witness; name one, or a group')
  if (witnesses.length > MAX_WITNESS_COUNT) throw wrong(`at most ${MAX_WITNESS_COUNT} witnesses`)
  const isOwn = (publicKey: Uint8Array): boolean =>
    keys.logs.some(({ signers }) =>
      signers.some(({ key }) => equalBytes(key.publicKey, publicKey)))
  if (witnesses.some(({ key }) => isOwn(key.publicKey))) {
    throw wrong('the log\'s own key is no witness')
  }
  const policy = { ...policyOfLog(log.vkey), witnesses, groups, quorum }
  const text = formatWitnesses(policy)
  return {
    policy, members: witnesses.map(openMember), text, sha256: sha256(encodeUtf8(text)),
    quorumCount: countForQuorum(policy),
  }
}

/** What a log's last checkpoint needs before the next one begins: the witnesses' quorum, where there are witnesses. */
export function closableBy(
  witnesses: WitnessPolicy | undefined, keys: ServerKeys,
): (checkpoint: string) => boolean {
  return (checkpoint) => witnesses === undefined ||
    isWitnessedBy(checkpoint, ofLog(witnesses.policy, keys.log.vkey))
}

/** The same witnesses, for the log of this key. */
export function ofLog(policy: Policy, logVkey: string): Policy {
  return { ...policy, logs: policyOfLog(logVkey).logs }
}

/** What was cosigned under a key that the log has given up since is not enough, and no error. */
export function isWitnessedBy(checkpoint: string, policy: Policy): boolean {
  try {
    return isWitnessed(checkpoint, policy)
  } catch (error) {
    if (error instanceof ProtocolError) return false
    throw error
  }
}

function wrong(detail: string): SettingError {
  return new SettingError(`WITNESSES: ${detail}`)
}

async function readPolicyFile(path: string): Promise<Policy> {
  try {
    return parsePolicy(await readFile(path))
  } catch (error) {
    if (error instanceof ProtocolError) throw wrong(`${path}: ${error.message}`)
    throw wrong(`${path} cannot be read`)
  }
}

function openMember({ name, key, url }: PolicyWitness): WitnessMember {
  if (url === undefined) throw wrong(`witness ${name} needs an address, to be asked at`)
  if (!isPlainAddress(url)) {
    throw wrong(`the address of witness ${name} must start with http:// or https:// and hold no query, fragment or password`)
  }
  return { name, key, submitUrl: `${url.replace(/\/$/, '')}/add-checkpoint` }
}

function isPlainAddress(url: string): boolean {
  if (!URL.canParse(url) || /[?#]/.test(url)) return false
  const { protocol, username, password } = new URL(url)
  return (protocol === 'http:' || protocol === 'https:') && username === '' && password === ''
}

/**
 * The policy as a file for whoever keeps receipts: the log with all keys it ever had, where it is read, and who must have
 * cosigned.
 */
export function formatPolicyFile(
  log: { keys: readonly NoteKey[], urlOf: (origin: string) => string },
  witnesses: WitnessPolicy | undefined,
): string {
  const logs = log.keys.map((key) => ({ key, url: log.urlOf(key.name) }))
  const members = witnesses?.policy.witnesses.map(({ name, key }) => ({ name, key })) ?? []
  return formatPolicy({
    groups: [], quorum: null, ...witnesses?.policy, logs, witnesses: members,
  })
}
