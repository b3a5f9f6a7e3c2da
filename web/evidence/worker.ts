/**
 * Makes evidence packs and checks them, away from the page: its response's policy gives it no network, and
 * it is never given a key. What is made here has been checked here first.
 */
import { encodeUtf8 } from '../../protocol/bytes.js'
import { ProtocolError, type ProtocolErrorCode } from '../../protocol/errors.js'
import type { EvidenceLanguage } from '../../protocol/evidence/account.js'
import {
  buildPack, listStampable, type PackInput, type ProofSource,
} from '../../protocol/evidence/pack.js'
import type { StampableEntry, StampSource } from '../../protocol/evidence/stamps.js'
import { parsePolicy, parseWitnesses, policyOfLog, type Policy } from '../../protocol/log/policy.js'
import { verifyRotation, withLinkedKeys } from '../../protocol/log/rotation.js'
import { ready } from '../../protocol/sodium.js'
import { checkHere, type CheckedGroup, type CheckInput } from '../verify/check-here.js'

/** Whom the pack's reader is told to believe: a policy file, or a log and who cosigns it. */
export type Believed =
  | { readonly policyText: string }
  | { readonly logVkey: string, readonly witnesses: string | null }

export interface BuildInput {
  readonly proofs: ProofSource
  readonly agreements: readonly string[]
  readonly believed: Believed
  /** Statements by which the log took new keys. */
  readonly rotations: readonly string[]
  readonly stamps: readonly StampSource[]
  readonly madeAt: string
  readonly language: EvidenceLanguage
  readonly verifier: Uint8Array
  readonly font: Uint8Array
}

/** One worker does one task. */
export type EvidenceTask =
  | { readonly task: 'list', readonly input: ProofSource }
  | { readonly task: 'build', readonly input: BuildInput }
  | { readonly task: 'check', readonly input: CheckInput }

export type EvidenceAnswer<T> =
  | { readonly ok: true, readonly value: T }
  | { readonly ok: false, readonly code: ProtocolErrorCode }

async function perform(
  { task, input }: EvidenceTask,
): Promise<Uint8Array | StampableEntry[] | CheckedGroup[]> {
  await ready()
  if (task === 'list') return listStampable(input)
  if (task === 'check') return checkHere(input)
  const { believed, rotations, agreements, ...rest } = input
  const policy = withLinkedKeys(policyOf(believed), rotations.map(verifyRotation))
  return await buildSeen({ ...rest, policy, agreements: agreements.map(encodeUtf8) })
}

function policyOf(believed: Believed): Policy {
  if ('policyText' in believed) return parsePolicy(encodeUtf8(believed.policyText))
  const { logVkey, witnesses } = believed
  return witnesses === null ? policyOfLog(logVkey) : parseWitnesses(witnesses, logVkey)
}

/** Witnesses take a while: until enough have seen the log, its own word has to do, and the pack says so. */
async function buildSeen(input: PackInput): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return await buildPack(input)
  } catch (error) {
    if (!(error instanceof ProtocolError) || error.code !== 'quorum-missing') throw error
    return await buildPack({ ...input, policy: { ...input.policy, quorum: null } })
  }
}

async function answer(task: EvidenceTask): Promise<EvidenceAnswer<unknown>> {
  try {
    return { ok: true, value: await perform(task) }
  } catch (error) {
    if (error instanceof ProtocolError) return { ok: false, code: error.code }
    throw error
  }
}

addEventListener('message', ({ data }: MessageEvent<EvidenceTask>) => {
  // What is no refusal is our bug: thrown from a timer, it reaches the page as the worker's error.
  answer(data).then(
    (done) => postMessage(done), (error: unknown) => setTimeout(() => { throw error }))
})
