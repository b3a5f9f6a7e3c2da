/**
 * An investor's visit as steps over server and worker: open the link, prove an address, ask, sign, receive.
 * Draws nothing. What the server hands over is used only after the worker has checked it, and headers only
 * after every receipt has shown that the log had their events first.
 */
import type { EmailChallenge, GateSession, Receipt, Release, ReleasedHeader, Standing } from '../../protocol/api.js'
import { decodeBase64Url, encodeBase64Url, encodeHex, encodeUtf8 } from '../../protocol/bytes.js'
import { parseNdaText, type NdaBlock } from '../../protocol/nda/markup.js'
import { createGateApi, type ApiFailure, type GateApi } from '../api.js'
import {
  attempt, consistencyOf, startCrypto, type CheckedReceipt, type CryptoWorker, type Outcome,
  type VerifiedGate,
} from '../crypto.js'
import type { Failure } from '../failure-words.js'
import { gossip } from '../gossip.js'
import { isOfLaterLog } from '../protocol-error-code.js'

/** Version of the consent to electronic signatures whose words stand in web/copy/investor.ts. */
export const CONSENT_VERSION = 1

/** Each lasts as long as the server lets a request wait. */
const MAX_WITNESS_TRIES = 12

type Asked<T> = { ok: true, value: T } | { ok: false, code: ApiFailure }
export type Result<T> = { ok: true, value: T } | { ok: false, code: Failure }

/** One document that is open here, with the widest part of it that this person may read. */
export interface OpenDocument {
  readonly documentId: string
  readonly versionId: string
  readonly version: number
  /** True while slides of it wait behind the NDA. */
  readonly isPartial: boolean
}

/** What is open now, and what proves it. */
export interface Opened {
  readonly standing: Standing
  readonly documents: readonly OpenDocument[]
  readonly receipts: readonly KeptReceipt[]
}

/** A receipt that was checked here, with the witnesses whose signatures it carries. */
export interface KeptReceipt extends Receipt { readonly cosignedBy: readonly string[] }

export interface Person { readonly name: string, readonly email: string | null }

export interface VisitTools {
  readonly api: GateApi
  readonly crypto: CryptoWorker
  readonly grantId: string
}

/** What opening the link came to. */
export type Arrival =
  | { readonly step: 'key-missing' }
  | { readonly step: 'closed', readonly code: Failure, readonly logOrigin?: string }
  | { readonly step: 'new', readonly gate: Gate }
  | { readonly step: 'known', readonly gate: Gate, readonly person: Person, readonly opened: Opened }

export interface Gate {
  readonly verified: VerifiedGate
  readonly nda: { readonly sha256: string, readonly title: string, readonly language: 'en' | 'ru' } | null
  readonly viewerOrigin: string
  readonly outboxPath: string | null
  readonly parts: readonly { readonly documentId: string, readonly part: 0 | 1, readonly gate: 'link' | 'email' | 'nda' }[]
}

/** An agreement that was read whole: its title is the text's own, whatever the server calls it. */
export interface ReadNda {
  readonly text: string
  readonly title: string
  readonly language: 'en' | 'ru'
  readonly blocks: readonly NdaBlock[]
}

/** Tools for one link. The session is renewed by the device's key, so nobody types a second code. */
export function openVisit(grantId: string): VisitTools {
  const crypto = startCrypto()
  const api = createGateApi(async (line) => {
    const session = await renewSession({ api: line, crypto, grantId })
    if (session.ok) return session.value
    return session.code === 'offline' ? 'offline' : null
  })
  return { api, crypto, grantId }
}

/** True if something opens with the link alone. */
export function isLinkEnough(gate: Gate): boolean {
  return gate.parts.some((part) => part.gate === 'link')
}

export function hasNda(gate: Gate): boolean {
  return gate.nda !== null && gate.parts.some((part) => part.gate === 'nda')
}

/** Open the link: check what the server says of it, and go on where this device was. */
export async function arrive(tools: VisitTools, fragment: string | null): Promise<Arrival> {
  const { api, crypto, grantId } = tools
  if (grantId === '') return { step: 'closed', code: 'grant-not-found' }
  api.holdSession(null)
  const taken = fragment === null ? null : await crypto.takeFragment({ grantId, fragment })
  if (taken === null && !(await crypto.recallLink(grantId))) return { step: 'key-missing' }
  const [view, config] = await Promise.all([api.readGate(grantId), api.readConfig()])
  if (!view.ok) return { step: 'closed', code: view.code }
  if (!config.ok) return { step: 'closed', code: config.code }
  const { logVkey, logRotations: statements } = config.value
  const learnt = await attempt(() => crypto.learnLogKeys({ logVkey, statements }))
  if (!learnt.ok) return { step: 'closed', code: learnt.code }
  // The gate may be of a log that has begun since.
  const verified = await judge(tools, () => crypto.verifyGate(view.value))
  if (!verified.ok) return { step: 'closed', code: verified.code }
  const gate: Gate = {
    verified: verified.value, nda: view.value.nda,
    parts: view.value.parts,
    viewerOrigin: config.value.viewerOrigin, outboxPath: config.value.outboxPath,
  }
  const { logOrigin } = verified.value
  if (await gossip(tools, logVkey)) return { step: 'closed', code: 'forked-log', logOrigin }
  return await goOn(tools, gate)
}

/** A device that was here before needs no code: its key signs a fresh nonce. */
async function goOn(tools: VisitTools, gate: Gate): Promise<Arrival> {
  const session = await renewSession(tools)
  if (!session.ok) {
    const isStranger = session.code === 'device-mismatch'
    return isStranger ? { step: 'new', gate } : { step: 'closed', code: session.code }
  }
  const opened = await receiveAgain(tools, gate)
  if (!opened.ok) return { step: 'closed', code: opened.code, logOrigin: gate.verified.logOrigin }
  const { name, email } = session.value
  return { step: 'known', gate, person: { name, email }, opened: opened.value }
}

async function renewSession({ api, crypto, grantId }: VisitTools): Promise<Result<GateSession>> {
  const nonce = await api.requestNonce(grantId)
  if (!nonce.ok) return nonce
  const signed = await crypto.signSession({ grantId, nonce: nonce.value.nonce })
  if (signed === null) return { ok: false, code: 'device-mismatch' }
  const session = await api.renewGateSession(grantId, signed)
  if (session.ok) api.holdSession(session.value)
  return session
}

/** Ask again for what this device has earned: after an approval, or on a later visit. */
export async function receiveAgain(tools: VisitTools, gate: Gate): Promise<Result<Opened>> {
  const release = await untilWitnessed(() => tools.api.requestReleases(tools.grantId))
  return release.ok ? await receive(tools, gate, release.value) : release
}

/** Send a code to an address. */
export async function sendCode(
  { api, grantId }: VisitTools, person: { name: string, email: string, locale: 'en' | 'ru' },
): Promise<Result<EmailChallenge>> {
  return await api.requestGateCode(grantId, person)
}

/** The code came: prove the address, ask for access in writing, receive what is open. */
export async function enterWithCode(
  tools: VisitTools, gate: Gate,
  answer: { challengeId: string, code: string, name: string, email: string },
): Promise<Result<{ person: Person, opened: Opened }>> {
  const { challengeId, code, name, email } = answer
  const proven = await tools.api.proveGateEmail(tools.grantId, { challengeId, code })
  if (!proven.ok) return proven
  const { nonce, emailProof } = proven.value
  return await ask(tools, gate, { name, email, nonce, emailProof })
}

/** The link is enough: ask for access in writing, without a name. */
export async function enterWithLink(
  tools: VisitTools, gate: Gate,
): Promise<Result<{ person: Person, opened: Opened }>> {
  const nonce = await tools.api.requestNonce(tools.grantId)
  return nonce.ok ? await ask(tools, gate, { name: '', email: null, nonce: nonce.value.nonce }) : nonce
}

async function ask(
  tools: VisitTools, gate: Gate,
  asked: { name: string, email: string | null, nonce: string, emailProof?: string },
): Promise<Result<{ person: Person, opened: Opened }>> {
  const { api, crypto, grantId } = tools
  const { name, email, nonce, emailProof } = asked
  const notes = await attempt(() => crypto.signAccessRequest({ grantId, name, email, nonce }))
  if (!notes.ok) return notes
  const access = await api.requestAccess(grantId, {
    ...notes.value, ...(emailProof === undefined ? {} : { emailProof }),
  })
  if (!access.ok && access.code === 'witnesses-awaited') return await goOnAsked(tools, gate, { name, email })
  if (!access.ok) return access
  api.holdSession(access.value.session)
  const opened = await receive(tools, gate, access.value.release, 'device.enrolled')
  return opened.ok ? { ok: true, value: { person: { name, email }, opened: opened.value } } : opened
}

/** The device is enrolled, and what it asked for waits for witnesses: it goes on as on a later visit. */
async function goOnAsked(
  tools: VisitTools, gate: Gate, person: Person,
): Promise<Result<{ person: Person, opened: Opened }>> {
  const session = await renewSession(tools)
  if (!session.ok) return session
  const opened = await receiveAgain(tools, gate)
  return opened.ok ? { ok: true, value: { person, opened: opened.value } } : opened
}

/**
 * Check receipts and headers in the worker, and keep the file keys for this device's next visit.
 *
 * @param act - what was just done here: without its receipt it is not taken as done.
 */
async function receive(
  tools: VisitTools, gate: Gate, release: Release, act?: 'device.enrolled' | 'nda.accepted',
): Promise<Result<Opened>> {
  const { api, crypto, grantId } = tools
  const checked = await checkProofs(tools, release.receipts.map(({ proof }) => proof))
  if (!checked.ok) return checked
  const isActLogged = act === undefined ||
    checked.value.some((receipt) => typeOf(receipt) === act)
  const isLogged = isActLogged && await areLogged(release.headers, checked.value)
  if (!isLogged) return { ok: false, code: 'bad-proof' }
  const received = await attempt(() => crypto.receiveHeaders({ grantId, headers: release.headers }))
  if (!received.ok) return received
  const { deviceHeaders } = received.value
  // Only a convenience for the next visit: if it fails, the link's header is still there.
  if (deviceHeaders.length > 0) await api.keepDeviceHeaders(grantId, { headers: deviceHeaders })
  return {
    ok: true,
    value: {
      standing: release.standing,
      receipts: release.receipts.map((receipt, at) => withWitnesses(receipt, checked.value[at])),
      documents: documentsOf(release.headers, gate),
    },
  }
}

function withWitnesses(receipt: Receipt, checked: CheckedReceipt | undefined): KeptReceipt {
  return { ...receipt, cosignedBy: checked?.cosignedBy ?? [] }
}

/** Receipts under a key that the log has taken since the link was opened are judged once more. */
async function checkProofs(
  tools: VisitTools, proofs: readonly string[],
): Promise<Outcome<CheckedReceipt[]>> {
  const { api, crypto, grantId } = tools
  return await judge(tools, () => (
    crypto.checkReceipts({ grantId, proofs, readConsistency: consistencyOf(api) })))
}

/** The log may have taken another key since its statements were read, or another log may go on. */
async function judge<T>({ api, crypto }: VisitTools, check: () => Promise<T>): Promise<Outcome<T>> {
  const judged = await attempt(check)
  if (judged.ok || !isOfLaterLog(judged.code)) return judged
  const { learnLaterKeys } = await import('./later-keys.js')
  return await attempt(() => learnLaterKeys(api, crypto).then(check))
}

/** The same receipt as it can be had now: later it carries the witnesses' signatures, too. */
export async function readReceipt(
  tools: VisitTools, eventId: string,
): Promise<Result<KeptReceipt>> {
  const read = await tools.api.readReceipt(eventId)
  if (!read.ok) return read
  const checked = await checkProofs(tools, [read.value.proof])
  return checked.ok ? { ok: true, value: withWitnesses(read.value, checked.value[0]) } : checked
}

/**
 * A link may demand that witnesses confirm the log before a key leaves. What was sent stands and is not
 * sent anew: one asks until they have, or for as long as anybody would look on.
 */
async function untilWitnessed<T>(ask: () => Promise<Asked<T>>): Promise<Asked<T>> {
  for (let tryIndex = 1; ; tryIndex++) {
    const asked = await ask()
    const isAwaited = !asked.ok && asked.code === 'witnesses-awaited'
    if (!isAwaited || tryIndex === MAX_WITNESS_TRIES) return asked
  }
}

/** No key without its proof: each header is the one that an event of the log says was released. */
async function areLogged(
  headers: readonly ReleasedHeader[], receipts: readonly CheckedReceipt[],
): Promise<boolean> {
  const released = receipts.filter((receipt) => typeOf(receipt) === 'header.released')
    .map(({ event }): unknown => Reflect.get(Object(event), 'headerSha256'))
  const hashes = await Promise.all(headers.map(({ header }) => hashHex(decodeBase64Url(header))))
  return hashes.every((hash) => released.includes(hash))
}

function typeOf({ event }: CheckedReceipt): unknown {
  return Reflect.get(Object(event), 'type')
}

async function hashHex(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return encodeHex(new Uint8Array(await crypto.subtle.digest('SHA-256', bytes)))
}

/** Per document the whole file if it is there, else its open slides. */
function documentsOf(headers: readonly ReleasedHeader[], gate: Gate): OpenDocument[] {
  const ids = [...new Set(headers.map(({ documentId }) => documentId))]
  return ids.flatMap((documentId) => {
    const mine = headers.filter((header) => header.documentId === documentId)
      .sort((a, b) => a.part - b.part)
    const [widest] = mine
    if (widest === undefined) return []
    const hasWhole = gate.parts.some((part) => part.documentId === documentId && part.part === 0)
    return [{
      documentId, versionId: widest.versionId, version: widest.version,
      isPartial: widest.part === 1 && hasWhole,
    }]
  })
}

/** The agreement as the founder signed it; what is not that text, byte for byte, is not shown. */
export async function readNda({ api, grantId }: VisitTools, gate: Gate): Promise<Result<ReadNda>> {
  const read = await api.readGateNda(grantId)
  if (!read.ok) return read
  const { text, language } = read.value
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', encodeUtf8(text)))
  if (encodeBase64Url(hash) !== gate.verified.ndaSha256) return { ok: false, code: 'malformed-nda' }
  const blocks = await attempt(async () => parseNdaText(text))
  if (!blocks.ok) return blocks
  const title = blocks.value.find(({ kind }) => kind === 'title')?.text ?? ''
  return { ok: true, value: { text, language, title, blocks: blocks.value } }
}

/** What is signed, as the person typed it. */
export interface Signature {
  readonly nda: ReadNda
  readonly name: string
  readonly email: string
  readonly signingFor: string
}

/** The exact text that a signature would cover. */
export async function previewSignature(
  tools: VisitTools, signature: Signature,
): Promise<Result<string>> {
  const prepared = await prepare(tools, signature)
  if (!prepared.ok) return prepared
  const shown = await attempt(() => tools.crypto.previewAcceptance(prepared.value))
  return shown.ok ? { ok: true, value: shown.value.text } : shown
}

/** Sign the NDA with link key and device key, and receive what it earns; what was open before stays open. */
export async function sign(
  tools: VisitTools, gate: Gate,
  { signature, before }: { signature: Signature, before: Opened },
): Promise<Result<{ note: string, opened: Opened }>> {
  const prepared = await prepare(tools, signature)
  if (!prepared.ok) return prepared
  const signed = await attempt(() => tools.crypto.signAcceptance(prepared.value))
  if (!signed.ok) return signed
  const release = await sendSignature(tools, signed.value.acceptance)
  if (!release.ok) return release
  const earned = await receive(tools, gate, release.value, 'nda.accepted')
  if (!earned.ok) return earned
  const documents = joinDocuments(before.documents, earned.value.documents)
  const opened = { ...earned.value, documents }
  return { ok: true, value: { note: signed.value.acceptance, opened } }
}

/** Each document once, as far as it is open now. */
function joinDocuments(
  before: readonly OpenDocument[], earned: readonly OpenDocument[],
): OpenDocument[] {
  const byId = new Map([...before, ...earned].map((one) => [one.documentId, one]))
  return [...byId.values()]
}

/** A lost answer is asked for again with the same note, which the server knows: nobody signs twice. */
async function sendSignature(
  { api, grantId }: VisitTools, acceptance: string,
): Promise<{ ok: true, value: Release } | { ok: false, code: ApiFailure }> {
  const first = await api.acceptNda(grantId, { acceptance })
  const isLost = !first.ok && (first.code === 'offline' || first.code === 'log-unavailable')
  const isAwaited = !first.ok && first.code === 'witnesses-awaited'
  return isLost || isAwaited
    ? await untilWitnessed(() => api.acceptNda(grantId, { acceptance }))
    : first
}

async function prepare({ api, grantId }: VisitTools, signature: Signature) {
  const nonce = await api.requestNonce(grantId)
  if (!nonce.ok) return nonce
  const { nda, name, email, signingFor } = signature
  return {
    ok: true as const,
    value: {
      grantId,
      acceptance: {
        agreementTitle: nda.title, agreementText: nda.text, signerName: name, signerEmail: email,
        signingFor,
        nonce: nonce.value.nonce, consentVersion: CONSENT_VERSION,
      },
    },
  }
}

export async function decline(tools: VisitTools): Promise<Result<Standing>> {
  const { api, crypto, grantId } = tools
  const nonce = await api.requestNonce(grantId)
  if (!nonce.ok) return nonce
  const signed = await attempt(() => crypto.signDecline({ grantId, nonce: nonce.value.nonce }))
  if (!signed.ok) return signed
  const done = await api.declineNda(grantId, signed.value)
  return done.ok ? { ok: true, value: done.value.standing } : done
}
