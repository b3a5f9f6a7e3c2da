/**
 * The investor's side of a link: check the gate, enrol this device, sign, receive headers
 * (SPEC.md § 3.5 to § 3.8, § 9). Must not show or sign anything before `verifyGate` has tied it to
 * the founder that the fragment pins.
 */
import type { GateView, ReleasedHeader } from '../../protocol/api.js'
import {
  ByteReader, concatBytes, decodeBase64Url, encodeBase64Url, encodeHex, encodeU64, encodeUtf8,
  equalBytes,
} from '../../protocol/bytes.js'
import { openCard } from '../../protocol/deck/card.js'
import { openReleasedHeader } from '../../protocol/deck/deck.js'
import { decodeWrap, grantSha256, requireNewerGrant, verifyGrant, type Grant, type WrapRecord } from '../../protocol/deck/grant.js'
import { wrapFileKey } from '../../protocol/deck/header.js'
import {
  deriveDeviceKeys, deriveLinkKeys, FINGERPRINT_SIZE_BYTES, formatRecipient, LINK_SECRET_SIZE_BYTES,
  makeDeviceSeed, parseFragment, type DeviceKeys, type Identity, type LinkKeys,
} from '../../protocol/deck/identity.js'
import { PARTS, type VersionRecord } from '../../protocol/deck/record.js'
import type { Signed } from '../../protocol/deck/signature.js'
import type { FileKey } from '../../protocol/deck/stanza.js'
import { ProtocolError, assert } from '../../protocol/errors.js'
import { sha256 } from '../../protocol/hash.js'
import { ACCEPTANCE_TTL_MS } from '../../protocol/limits.js'
import {
  cleanName, formatAcceptance, formatAccessRequest, formatConsent, formatDecline, formatEnrolment,
  formatSession,
  hashRecipient, roleKey, signStatement, type Freshness, type Signatory,
} from '../../protocol/log/acceptance.js'
import { ed25519Signer, formatVkey, parseVkey, type NoteSigner } from '../../protocol/log/note.js'
import {
  countForQuorum, formatPolicy, parseWitnesses, policyOfLog, type Policy as LogPolicy,
} from '../../protocol/log/policy.js'
import { wipe } from '../../protocol/sodium.js'
import type { Acceptance, CryptoWorker, VerifiedGate } from '../crypto.js'
import { describeCard, describePolicy, encodeHash, hashNote } from './granting.js'
import type { LogKeys } from './log-keys.js'
import type { Platform } from './platform.js'
import { decodeVisit, encodeVisit, mergeVisits, type KeptVisit } from './visit.js'
import { equalRecipients } from '../../protocol/deck/wrapped.js'

type VisitMethods = Pick<CryptoWorker,
  'takeFragment' | 'recallLink' | 'verifyGate' | 'signAccessRequest' | 'signSession' | 'previewAcceptance' |
  'signAcceptance' | 'signDecline' | 'receiveHeaders' | 'forgetDevice'>

/** One version that this device may open. */
export interface Received {
  readonly fileKey: FileKey, readonly record: VersionRecord, readonly sha256: Uint8Array,
}

interface Gate {
  readonly grant: Grant, readonly signed: Signed, readonly founderKey: Uint8Array,
  readonly trust: LogPolicy,
  readonly agreement: string | null,
  /** The log that goes on now, of the line that the grant names. */
  readonly origin: string,
}

interface Visit {
  readonly grantId: string
  readonly linkSecret: Uint8Array
  readonly fingerprint: Uint8Array
  readonly link: LinkKeys
  kept: KeptVisit | null
  device: DeviceKeys | null
  gate: Gate | null
  readonly received: Map<string, Received>
}

/** What every event about this device, through this link, names. */
export interface VisitScope {
  /** Whom to believe about the log. */
  readonly trust: LogPolicy
  readonly vaultId: string
  readonly grantId: string
  readonly deviceKey: string
  readonly recipientSha256: string
  /** `undefined` where the grant asks for no NDA. */
  readonly agreementSha256: string | undefined
}

export interface Visiting {
  readonly methods: VisitMethods
  scope(grantId: string): VisitScope
  /** @throws ProtocolError `wrong-header` if no header of the version was received. */
  received(grantId: string, versionId: string): Received
  forget(): void
}

export function createVisiting(platform: Platform, logKeys: LogKeys): Visiting {
  const visits = new Map<string, Visit>()

  function visitOf(grantId: string): Visit {
    const visit = visits.get(grantId)
    assert(visit !== undefined, 'a link is taken or recalled before it is used')
    return visit
  }
  return {
    methods: {
      ...linkMethods(visits, platform, logKeys),
      ...noteMethods(visitOf, platform),
      receiveHeaders: async ({ grantId, headers }) => receive(visitOf(grantId), headers, platform),
    },
    // Keys that were learnt since the gate was verified count, too.
    scope(grantId) {
      const scope = scopeOf(visitOf(grantId))
      return { ...scope, trust: logKeys.trust(scope.trust) }
    },
    received(grantId, versionId) {
      const received = visitOf(grantId).received.get(versionId)
      if (received === undefined) throw new ProtocolError('wrong-header', 'none was received')
      return received
    },
    forget() {
      for (const visit of visits.values()) forgetVisit(visit)
      visits.clear()
    },
  }
}

function forgetVisit(visit: Visit): void {
  wipe(
    visit.linkSecret, visit.link.signing.secretKey, visit.link.identity.secret, visit.link.cardKey,
  )
  for (const { fileKey } of visit.received.values()) wipe(fileKey)
  visit.received.clear()
}

// ---- The link and its gate ----

function openVisit(
  grantId: string, secret: { linkSecret: Uint8Array, fingerprint: Uint8Array },
  kept: KeptVisit | null,
): Visit {
  const id = decodeBase64Url(grantId)
  return {
    grantId,
    ...secret,
    link: deriveLinkKeys(secret.linkSecret, id),
    kept,
    device: kept === null ? null : deriveDeviceKeys(kept.deviceSeed, id),
    gate: null,
    received: new Map(),
  }
}

interface LinkSecret { readonly linkSecret: Uint8Array, readonly fingerprint: Uint8Array }

function isSameLink(a: LinkSecret, b: LinkSecret): boolean {
  return equalBytes(a.linkSecret, b.linkSecret) && equalBytes(a.fingerprint, b.fingerprint)
}

function storeName(grantId: string): string {
  return `grant/${grantId}`
}

function pendingName(grantId: string): string {
  return `link/${grantId}`
}

/**
 * [Note: A link on its way] Whoever turns to the mail for the code may find the page reloaded: phones
 * discard what is not in view, and the address no longer has the fragment. So a verified link is kept,
 * locked like everything here, until a device is enrolled with it, and for an hour at most.
 */
const PENDING_LINK_TTL_MS = 3_600_000

async function keepPending(visit: Visit, platform: Platform): Promise<void> {
  const pending = await recallPending(platform, visit.grantId)
  const isKept = visit.kept !== null || (pending !== null && isSameLink(pending, visit))
  if (isKept) return
  const untilMs = encodeU64(platform.nowMs() + PENDING_LINK_TTL_MS)
  await platform.store.write(
    pendingName(visit.grantId), concatBytes(untilMs, visit.linkSecret, visit.fingerprint))
}

async function recallPending(platform: Platform, grantId: string): Promise<LinkSecret | null> {
  const bytes = await platform.store.read(pendingName(grantId))
  if (bytes === null) return null
  const reader = new ByteReader(bytes)
  const isPast = reader.takeU64() <= BigInt(platform.nowMs())
  if (isPast) {
    await platform.store.remove(pendingName(grantId))
    return null
  }
  return {
    linkSecret: reader.take(LINK_SECRET_SIZE_BYTES),
    fingerprint: reader.take(FINGERPRINT_SIZE_BYTES),
  }
}

async function recall(platform: Platform, grantId: string): Promise<KeptVisit | null> {
  const bytes = await platform.store.read(storeName(grantId))
  return bytes === null ? null : decodeVisit(bytes)
}

function linkMethods(visits: Map<string, Visit>, platform: Platform, logKeys: LogKeys) {
  return {
    async takeFragment({ grantId, fragment }) {
      const secret = findFragment(fragment)
      if (secret === null) return null
      const kept = await recall(platform, grantId)
      // Another secret for the same grant is another link: what was kept says nothing about it.
      const isSame = kept !== null && isSameLink(kept, secret)
      visits.set(grantId, openVisit(grantId, secret, isSame ? kept : null))
      return { founderFingerprint: encodeBase64Url(secret.fingerprint) }
    },
    async recallLink(grantId) {
      if (visits.has(grantId)) return true
      const kept = await recall(platform, grantId)
      const secret = kept ?? await recallPending(platform, grantId)
      if (secret === null) return false
      const { linkSecret, fingerprint } = secret
      visits.set(grantId, openVisit(grantId, { linkSecret, fingerprint }, kept))
      return true
    },
    async verifyGate(view) {
      const visit = visits.get(view.grantId)
      assert(visit !== undefined, 'a link is taken or recalled before its gate is verified')
      const known = await recallSame(visit, platform)
      const verified = verifyGate(visit, view, { logKeys, kept: known })
      // Kept at once: whoever reloads before the next signature is shown no older grant either.
      if (known !== null) await keep(visit, { ...known, grant: gateOf(visit).signed }, platform)
      await keepPending(visit, platform)
      return verified
    },
    async forgetDevice(grantId) {
      const visit = visits.get(grantId)
      if (visit !== undefined) forgetVisit(visit)
      visits.delete(grantId)
      await platform.store.remove(storeName(grantId))
      await platform.store.remove(pendingName(grantId))
    },
  } satisfies Partial<CryptoWorker>
}

function findFragment(text: string): { linkSecret: Uint8Array, fingerprint: Uint8Array } | null {
  try {
    return parseFragment(text)
  } catch (error) {
    if (error instanceof ProtocolError) return null
    throw error
  }
}

/** Everything the gate shows hangs on this: the grant is the pinned founder's, the link's and this vault's. */
function verifyGate(
  visit: Visit, view: GateView, { logKeys, kept }: { logKeys: LogKeys, kept: KeptVisit | null },
): VerifiedGate {
  const signed = {
    bytes: decodeBase64Url(view.grant), signature: decodeBase64Url(view.grantSignature),
  }
  const founderKey = decodeBase64Url(view.signingKey)
  const grant = verifyGrant(signed, { signingKey: founderKey, fingerprint: visit.fingerprint })
  requireGrantOfLink(visit, grant)
  if (grant.vaultId !== view.vaultId) throw new ProtocolError('wrong-vault', 'gate')
  // The server may name a key that came after or before the pinned one, if the log itself has said so.
  const isSameLog = logKeys.linkedTo(grant.logVkey).includes(view.logVkey)
  if (!isSameLog) throw new ProtocolError('wrong-origin', 'the grant names another log')
  if (view.nda !== null && view.nda.sha256 !== encodeHash(grant.ndaSha256)) throw new ProtocolError('wrong-grant', 'another NDA')
  for (const seen of [visit.gate?.signed, kept?.grant]) {
    if (seen !== undefined) requireNewerGrant(seen, signed)
  }
  const card = openCard(decodeBase64Url(view.cardSealed), visit.link.cardKey, grant)
  const named = logKeys.trust(policyNamed(grant, view.witnesses))
  // Witnesses for whom only the server vouches are counted, never demanded.
  const trust = grant.policy.witnessesSha256 === null ? { ...named, quorum: null } : named
  // The log goes on under another name where its own statements say so: what is signed now is for that one.
  const origin = parseVkey(logKeys.linkedTo(grant.logVkey).at(-1) ?? grant.logVkey).name
  visit.gate = { grant, signed, founderKey, trust, origin, agreement: view.nda?.title ?? null }
  return {
    card: describeCard(card),
    policy: describePolicy(grant.policy),
    founderFingerprint: encodeBase64Url(visit.fingerprint),
    revision: grant.revision,
    ndaSha256: encodeHash(grant.ndaSha256),
    logOrigin: origin,
    logPolicy: formatPolicy(named),
    hasWitnesses: trust.witnesses.length > 0,
    demandedWitnessCount: countForQuorum(trust),
  }
}

/**
 * The log whose key the grant names, and who cosigns it: whom the grant pins ([Note: Pinned witnesses] in
 * protocol/deck/policy.ts), else whom the server names.
 */
function policyNamed(grant: Grant, witnesses: string | null): LogPolicy {
  const pinned = grant.policy.witnessesSha256
  const isPinned = pinned === null ||
    (witnesses !== null && equalBytes(sha256(encodeUtf8(witnesses)), pinned))
  if (!isPinned) throw new ProtocolError('wrong-grant', 'other witnesses than the founder signed')
  return witnesses === null ? policyOfLog(grant.logVkey) : parseWitnesses(witnesses, grant.logVkey)
}

function requireGrantOfLink(visit: Visit, grant: Grant): void {
  const isOfLink = encodeBase64Url(grant.grantId) === visit.grantId &&
    equalBytes(grant.linkSigningKey, visit.link.signing.publicKey) &&
    equalRecipients(grant.linkRecipient, visit.link.identity.recipient)
  if (!isOfLink) throw new ProtocolError('wrong-grant', 'not the link of this fragment')
}

function gateOf(visit: Visit): Gate {
  assert(visit.gate !== null, 'the gate is verified before anything is signed or received')
  return visit.gate
}

// ---- Notes ----

function scopeOf(visit: Visit): VisitScope {
  const { grant, trust } = gateOf(visit)
  const { identity } = deviceOf(visit)
  return {
    trust, vaultId: grant.vaultId, grantId: visit.grantId,
    deviceKey: keysOf(visit).deviceKey,
    recipientSha256: hashRecipient(formatRecipient(identity.recipient)),
    agreementSha256: grant.ndaSha256 === null ? undefined : encodeHex(grant.ndaSha256),
  }
}

interface Signers { readonly link: NoteSigner, readonly device: NoteSigner }

function noteMethods(visitOf: (grantId: string) => Visit, platform: Platform) {
  return {
    async signAccessRequest({ grantId, name, email, nonce }) {
      const visit = visitOf(grantId)
      const signatory = email === null ? null : { name: cleanName(name), email }
      await enrolDevice(visit, signatory, platform)
      return signBoth(visit, signatory, freshness(visit, nonce, platform))
    },
    async signSession({ grantId, nonce }) {
      const visit = visitOf(grantId)
      if (visit.device === null) return null
      const { device } = signersOf(visit)
      const text = formatSession(
        { grant: grantId, deviceKey: formatVkey(device.key), ...freshness(visit, nonce, platform) },
      )
      return {
        deviceSigningKey: encodeBase64Url(device.key.publicKey),
        sessionNote: signStatement(text, [device]),
      }
    },
    async previewAcceptance({ grantId, acceptance }) {
      return { text: writeAcceptance(visitOf(grantId), acceptance, platform) }
    },
    async signAcceptance({ grantId, acceptance }) {
      const visit = visitOf(grantId)
      const { link, device } = signersOf(visit)
      const note = signStatement(writeAcceptance(visit, acceptance, platform), [link, device])
      const kept = keptOf(visit)
      await keep(visit, { ...kept, acceptances: [...kept.acceptances, hashNote(note)] }, platform)
      return { acceptance: note }
    },
    async signDecline({ grantId, nonce }) {
      const visit = visitOf(grantId)
      const { link, device } = signersOf(visit)
      return { decline: signStatement(writeDecline(visit, nonce, platform), [link, device]) }
    },
  } satisfies Partial<CryptoWorker>
}

/** Keys are kept before they are named to anybody: a device that forgets its own key is locked out. */
async function enrolDevice(visit: Visit, signatory: KeptVisit['signatory'], platform: Platform): Promise<void> {
  const { signed } = gateOf(visit)
  const { linkSecret, fingerprint } = visit
  const known = await recallSame(visit, platform)
  const before = known !== null && isSamePerson(known.signatory, signatory) ? known : null
  const deviceSeed = before?.deviceSeed ?? makeDeviceSeed()
  await keep(visit, {
    acceptances: [], seen: new Map(), ...before, linkSecret, fingerprint, deviceSeed,
    // Who asks again by the link alone stays who she was.
    signatory: signatory ?? before?.signatory ?? null, grant: signed,
  }, platform)
  await platform.store.remove(pendingName(visit.grantId))
  visit.device = deriveDeviceKeys(deviceSeed, decodeBase64Url(visit.grantId))
}

/** Another address is another person, and gets a device of its own: a server lends nobody's to anybody. */
function isSamePerson(a: KeptVisit['signatory'], b: KeptVisit['signatory']): boolean {
  return a === null || b === null || a.email.toLowerCase() === b.email.toLowerCase()
}

/** What another tab may have kept meanwhile for the same link, else what this one knows. */
async function recallSame(visit: Visit, platform: Platform): Promise<KeptVisit | null> {
  const kept = await recall(platform, visit.grantId)
  return kept !== null && isSameLink(kept, visit) ? kept : visit.kept
}

/** Adds to what is kept and takes nothing away: two tabs of one link write in turn. */
async function keep(visit: Visit, kept: KeptVisit, platform: Platform): Promise<void> {
  const before = await recallSame(visit, platform)
  const merged = before === null ? kept : mergeVisits(before, kept)
  await platform.store.write(storeName(visit.grantId), encodeVisit(merged))
  visit.kept = merged
}

function keptOf(visit: Visit): KeptVisit {
  assert(visit.kept !== null, 'a device is enrolled before it signs or receives')
  return visit.kept
}

function deviceOf(visit: Visit): DeviceKeys {
  assert(visit.device !== null, 'a device is enrolled before it signs or receives')
  return visit.device
}

function signersOf(visit: Visit): Signers {
  const device = deviceOf(visit).signing
  const link = visit.link.signing
  return {
    link: ed25519Signer(roleKey('link', link.publicKey).name, seedOf(link.secretKey)),
    device: ed25519Signer(roleKey('device', device.publicKey).name, seedOf(device.secretKey)),
  }
}

/** libsodium keeps a secret key as seed ‖ public key. */
function seedOf(secretKey: Uint8Array): Uint8Array {
  return secretKey.subarray(0, 32)
}

function freshness(visit: Visit, nonce: string, platform: Platform): Freshness {
  const nowMs = platform.nowMs()
  return {
    log: gateOf(visit).origin,
    signedAt: new Date(nowMs).toISOString(),
    expiresAt: new Date(nowMs + ACCEPTANCE_TTL_MS).toISOString(),
    nonce: encodeHex(decodeBase64Url(nonce)),
  }
}

function keysOf(visit: Visit) {
  const { link, device } = signersOf(visit)
  return { linkKey: formatVkey(link.key), deviceKey: formatVkey(device.key) }
}

function signBoth(visit: Visit, signatory: KeptVisit['signatory'], fresh: Freshness) {
  const { grant, signed, founderKey } = gateOf(visit)
  const { link, device } = signersOf(visit)
  const recipient = formatRecipient(deviceOf(visit).identity.recipient)
  const scope = { vault: grant.vaultId, grant: visit.grantId, ...keysOf(visit), ...fresh }
  const request = formatAccessRequest({
    ...scope,
    ...(signatory === null ? {} : { signatory }),
    grantSha256: encodeHex(grantSha256(signed)),
    founderKey: formatVkey(roleKey('founder', founderKey)),
    recipientSha256: hashRecipient(recipient),
  })
  return {
    accessRequest: signStatement(request, [link, device]),
    enrolment: signStatement(formatEnrolment({ ...scope, recipient }), [link, device]),
  }
}

function agreementOf(
  visit: Visit,
): { agreement: string, agreementSha256: string, vault: string, grantSha256: string } {
  const { grant, signed, agreement } = gateOf(visit)
  if (grant.ndaSha256 === null || agreement === null) throw new ProtocolError('wrong-grant', 'the link asks for no NDA')
  return {
    agreement,
    agreementSha256: encodeHex(grant.ndaSha256),
    vault: grant.vaultId,
    grantSha256: encodeHex(grantSha256(signed)),
  }
}

/** @throws ProtocolError `malformed-nda` if the text that was shown is not the one the founder signed. */
function writeAcceptance(visit: Visit, acceptance: Acceptance, platform: Platform): string {
  const terms = agreementOf(visit)
  if (encodeHex(sha256(encodeUtf8(acceptance.agreementText))) !== terms.agreementSha256) {
    throw new ProtocolError('malformed-nda', 'not the text that the grant names')
  }
  const organisation = cleanName(acceptance.signingFor)
  return formatAcceptance({
    ...terms,
    agreement: cleanName(acceptance.agreementTitle),
    name: cleanName(acceptance.signerName),
    email: acceptance.signerEmail,
    ...(organisation === '' ? {} : { organisation }),
    recordSha256s: [...visit.received.values()].map(({ sha256: hash }) => encodeHex(hash)),
    founderKey: formatVkey(roleKey('founder', gateOf(visit).founderKey)),
    ...keysOf(visit),
    recipientSha256: hashRecipient(formatRecipient(deviceOf(visit).identity.recipient)),
    consent: formatConsent(acceptance.consentVersion),
    ...freshness(visit, acceptance.nonce, platform),
  })
}

function writeDecline(visit: Visit, nonce: string, platform: Platform): string {
  const signatory: Signatory | null = keptOf(visit).signatory
  assert(signatory !== null, 'who declines an NDA has given a name and an address')
  return formatDecline(
    { ...signatory, ...agreementOf(visit), ...keysOf(visit), ...freshness(visit, nonce, platform) },
  )
}

// ---- Headers ----

/** The newest header of each document part: an older version is history, not something to open. */
function newestOf(headers: readonly ReleasedHeader[]): ReleasedHeader[] {
  const newest = new Map<string, number>()
  for (const { documentId, part, version } of headers) {
    const key = seenKey(documentId, part)
    newest.set(key, Math.max(version, newest.get(key) ?? 0))
  }
  return headers.filter(
    ({ documentId, part, version }) => newest.get(seenKey(documentId, part)) === version,
  )
}

function seenKey(documentId: string, part: 0 | 1): string {
  return `${documentId}/${part}`
}

async function receive(visit: Visit, headers: readonly ReleasedHeader[], platform: Platform) {
  const isRepeated = new Set(headers.map(({ versionId }) => versionId)).size < headers.length
  if (isRepeated) throw new ProtocolError('broken-chain', 'a version is released twice')
  const kept = keptOf(visit)
  const seen = new Map(kept.seen)
  const deviceHeaders: { versionId: string, header: string }[] = []
  for (const released of newestOf(headers)) {
    const received = hold(visit, released.versionId, openReleased(visit, released, kept))
    seen.set(
      seenKey(released.documentId, released.part),
      { version: received.record.version, sha256: received.sha256 },
    )
    // A header of our own making comes back without the founder's wrap: it needs no other.
    if (released.wrap !== null) {
      deviceHeaders.push(
        rewrap(visit, released.versionId, received.fileKey),
      )
    }
  }
  await keep(visit, { ...kept, seen, grant: gateOf(visit).signed }, platform)
  return { deviceHeaders }
}

/** A version received again stays as it is held: its key may be in use. */
function hold(visit: Visit, versionId: string, received: Received): Received {
  const held = visit.received.get(versionId)
  if (held !== undefined) {
    wipe(received.fileKey)
    const isSame = equalBytes(held.sha256, received.sha256)
    if (!isSame) throw new ProtocolError('broken-chain', 'another version under its name')
    return held
  }
  visit.received.set(versionId, received)
  return received
}

function rewrap(
  visit: Visit, versionId: string, fileKey: FileKey,
): { versionId: string, header: string } {
  return {
    versionId, header: encodeBase64Url(wrapFileKey(fileKey, deviceOf(visit).identity.recipient)),
  }
}

function openReleased(visit: Visit, released: ReleasedHeader, kept: KeptVisit): Received {
  const { grant } = gateOf(visit)
  const wrap = released.wrap === null ? null : signedOf(released.wrap.wrap, released.wrap.signature)
  const named = wrap === null ? null : decodeWrap(wrap.bytes)
  const { record, seen, fileKey } = openReleasedHeader({
    header: decodeBase64Url(released.header),
    identity: identityFor(visit, named),
    records: released.records.map(({ record: bytes, signature }) => signedOf(bytes, signature)),
    fingerprint: visit.fingerprint,
    vaultId: grant.vaultId,
    seen: kept.seen.get(seenKey(released.documentId, released.part)) ?? null,
    wrap: wrap === null
      ? null
      : { signed: wrap, grant, acceptanceSha256: ownAcceptance(kept, named) },
  })
  if (!isStated(released, record)) {
    wipe(fileKey)
    throw new ProtocolError('broken-chain', 'the server states another version')
  }
  return { fileKey, record, sha256: seen.sha256 }
}

function signedOf(bytes: string, signature: string): Signed {
  return { bytes: decodeBase64Url(bytes), signature: decodeBase64Url(signature) }
}

/** What stands beside a record must be what the record says. */
function isStated(released: ReleasedHeader, record: VersionRecord): boolean {
  return record.documentId === released.documentId &&
    PARTS.indexOf(record.part) === released.part &&
    record.version === released.version && record.gate === released.gate &&
    record.payloadLength === released.payloadLength
}

/** The founder wraps to this link or to this device; without her wrap the header is this device's own. */
function identityFor(visit: Visit, named: WrapRecord | null): Identity {
  const { link } = visit
  const isForLink = named !== null && equalRecipients(named.recipient, link.identity.recipient)
  return isForLink ? link.identity : deviceOf(visit).identity
}

/** The acceptance that a wrap names, if it was signed here. */
function ownAcceptance(kept: KeptVisit, named: WrapRecord | null): Uint8Array | null {
  const hash = named?.acceptanceSha256
  return hash != null && kept.acceptances.some((own) => equalBytes(own, hash)) ? hash : null
}
