/**
 * The page's side of the crypto worker: what may be asked of it, as types, and how it is started.
 * Keys, passphrases, fragments and plaintext live in the worker only ([Note: Keys stay in the worker]);
 * what comes back is public, sealed, or meant to be shown. The worker has no network: the page sends
 * what it made and fetches what it needs (web/api.ts).
 *
 * Every method rejects with an Error whose `message` starts with a ProtocolErrorCode when bytes are
 * refused; `attempt` turns that into `{ ok: false, code }` for screens.
 *
 * [Note: Keys stay in the worker] The page is the larger target: it draws, routes and speaks to the
 * network. What it never holds it cannot leak. Secrets that must arise in it (a typed passphrase, a
 * passkey's PRF output) are handed over in the same tick, and their buffers are transferred.
 */
import { proxy, transfer, wrap, type Remote } from 'comlink'
import type {
  AccessRequest, Approval, AskStatements, EventList, GateView, GrantSummary, KeyringRow,
  LoggedEvent, ReleasedHeader, Statements, StoredVersion, VaultDetail, WrappedHeader,
} from '../protocol/api.js'
import type { OlderState } from '../protocol/deck/newest.js'
import type { Anomaly } from '../protocol/log/anomalies.js'
import type { TagProblem } from '../protocol/log/completeness.js'
import type { Details, Event } from '../protocol/log/event.js'
import { ProtocolError, type ProtocolErrorCode } from '../protocol/errors.js'
import type { EventPage, EventRange, FindingKind } from '../protocol/log/watch.js'
import type { Api, ApiFailure } from './api.js'
import { protocolErrorCode } from './protocol-error-code.js'
import { startWorker } from './trusted-worker.js'
import workerUrl from './worker.ts?worker&url'

export type Outcome<T> = { ok: true, value: T } | { ok: false, code: ProtocolErrorCode }

export interface OwnerPublic { signingKey: string, recipient: string, fingerprint: string }

/** What the gate shows before any key: sealed under the link, hashed into the grant's policy. */
export interface Card { founder: string, title: string, pageCount?: number }

export interface Policy {
  gate: 'link' | 'email' | 'nda'
  openGate: 'link' | 'email'
  release: 'on-signature' | 'on-approval'
  expiresAtMs: number | null
  watermark: boolean
  download: boolean
  /** SHA-256 of the text that names who must have cosigned before a header leaves; null for nobody. */
  witnessesSha256: string | null
}

export interface PageSize { widthPt: number, heightPt: number }
/** As the viewer drew it; all thumbnails of one file have one type. */
export interface SealThumbnail { width: number, height: number, image: Blob }

/** One file to be sealed as one part of a version. */
export interface SealInput {
  vaultId: string
  documentId: string
  part: 0 | 1
  gate: 'link' | 'email' | 'nda'
  version: number
  /** The record of the version before, of the same document and part; null for the first. */
  previousRecord: string | null
  title: string
  fileName: string
  mediaType: string
  file: Blob
  /** In page order; empty where there is no viewer for the type. */
  pageSizes: readonly PageSize[]
  thumbnails: readonly SealThumbnail[]
  /** Pages below the lock line that are not in this file (part 1). */
  lockedPageCount?: number
  /** What a viewer reads for its first page, so that it can be fetched at once. */
  prefetch?: readonly { offset: number, length: number }[]
}

/** A seal in progress. `beginUpload` fields go to the server as they are. */
export interface SealBegun {
  sealId: string
  partCount: number
  beginUpload: { documentId: string, nameSealed: string, part: 0 | 1, gate: 'link' | 'email' | 'nda', version: number,
    payloadLength: number, nonce: string, ownerHeader: string, draftSealed: string }
}
export interface SealedPart { index: number, bytes: Uint8Array<ArrayBuffer>, sha256: string }
export interface SealFinished {
  hashList: Uint8Array<ArrayBuffer>, record: string, recordSignature: string,
}

/**
 * How a version's ciphertext reaches the worker: the page fetches, the worker checks.
 * Rejects with an Error whose message is a SourceErrorCode (web/viewer/ports.ts); see `sourceOf`.
 */
export interface CiphertextSource {
  readHashList(): Promise<Uint8Array<ArrayBuffer>>
  /** Bytes `start` up to but not including `end` of the payload. */
  readPayload(start: number, end: number): Promise<Uint8Array<ArrayBuffer>>
}

/** One of the owner's versions as the server keeps it, with the records before it, oldest first. */
export interface OwnVersion {
  vaultId: string
  version: StoredVersion
  previousRecords: readonly { record: string, signature: string }[]
}

export interface OpenedVersion {
  title: string, fileName: string, mediaType: string, sizeBytes: number, pageCount: number | null
}

/** What a grant says, and which versions get its link's headers at once. */
export interface GrantTerms {
  vaultId: string
  policy: Policy
  ndaSha256: string | null
  card: Card
  logVkey: string
  versions: readonly StoredVersion[]
}

export interface SignedGrant {
  grant: string, grantSignature: string, cardSealed: string, headers: WrappedHeader[],
}

/** The gate as this browser has verified it: signature, fingerprint, card, policy. */
export interface VerifiedGate {
  card: Card
  policy: Policy
  founderFingerprint: string
  revision: number
  ndaSha256: string | null
  logOrigin: string
  /** That log and its witnesses as a file, to check receipts by. */
  logPolicy: string
  /** Whether receipts here come to be cosigned. */
  hasWitnesses: boolean
  /** How many witnesses must have cosigned before a header is taken; 0 where the log's word is enough. */
  demandedWitnessCount: number
}

export interface Acceptance {
  agreementTitle: string
  agreementText: string
  signerName: string
  signerEmail: string
  signingFor: string
  nonce: string
  consentVersion: number
}

/** `cosignedBy`: names of the witnesses whose signatures were checked. */
export interface CheckedReceipt {
  index: number, treeSize: number, event: unknown, cosignedBy: readonly string[],
}
/** `event` is null where it is unproven, and where it was erased: then the entry alone is proven. */
export interface CheckedEvent {
  index: number, isProven: boolean, event: Event | null, details: Details | null
  /** Lower-case hex; what `because` of a later event names. Only of what is proven. */
  commitment: string
  /** The number that the vault's tag was found to carry; null where no tag key is known. */
  vaultSequence: number | null
}
export interface CheckedLog {
  origin: string, treeSize: number, rootHash: string, events: CheckedEvent[]
  /** Size of the checkpoint this browser remembered before; a consistency proof was demanded from it. */
  rememberedSize: number | null
  /** What a careful reader should look at; exports only. Its proofs hold all the same. */
  findings: readonly Anomaly[]
}

/** One event's way to the root, to be drawn; hashes in base64, as tiles and checkpoints write them. */
export interface TracedEvent {
  /** In the log of that origin. */
  index: number
  origin: string, treeSize: number, rootHash: string, leafHash: string
  steps: { side: 'left' | 'right', neighbour: string, start: number, end: number, node: string }[]
}

/** What a walk over all public files of a log has shown. */
export interface WholeLog {
  origin: string, treeSize: number, rootHash: string
  /** Entries that carry the vault's tags; null without its tag key. */
  taggedCount: number | null
  /** Missing, doubled, out of order; the first few. */
  problems: { kind: TagProblem['kind'], sequence: number, index: number }[]
}

/** A file below the log's prefix, fetched by the page; null if it is not there. Rejects to stop. */
export type ReadLogFile = (
  path: string, origin: string,
) => Promise<Uint8Array<ArrayBuffer> | null>

/**
 * What a sealed label is, and whose: moved to another place it does not open. `document-name` is
 * sealed by `beginSeal` itself, under the document's id.
 */
export type LabelContext = `${'vault-title' | 'document-name' | 'grant-name'}:${string}`

export interface CryptoWorker {
  // ---------------------------------------------------------- owner: making and unlocking the root
  /** Makes a new root and holds it. */
  createRoot(): Promise<OwnerPublic>
  /** Wraps the held root. `secret`: PRF output (32 bytes); the buffer is transferred and wiped. */
  lockRootWithPasskey(
    input: { userId: string, rowId: string, secret: Uint8Array<ArrayBuffer> },
  ): Promise<KeyringRow>
  unlockRootWithPasskey(
    input: { userId: string, row: KeyringRow, secret: Uint8Array<ArrayBuffer> },
  ): Promise<OwnerPublic>
  startPassphraseRegistration(passphrase: string): Promise<{ registrationRequest: string }>
  finishPassphraseRegistration(
    input: { registrationResponse: string, userId: string, rowId: string },
  ): Promise<{ registrationRecord: string, row: KeyringRow }>
  startPassphraseLogin(passphrase: string): Promise<{ startLoginRequest: string }>
  /** null: wrong passphrase, or no such account (the same to the outside). Holds the export key. */
  finishPassphraseLogin(
    input: { loginResponse: string },
  ): Promise<{ finishLoginRequest: string } | null>
  unlockRootWithPassphrase(input: { userId: string, row: KeyringRow }): Promise<OwnerPublic>
  /** A new recovery code for the held root: shown once, in groups. */
  createRecoveryCode(
    input: { userId: string, rowId: string },
  ): Promise<{ code: string, row: KeyringRow, authSha256: string }>
  /** Reads a typed code; null if it is not one. Holds it for unlockRootWithRecovery. */
  readRecoveryCode(code: string): Promise<{ recoveryAuth: string } | null>
  unlockRootWithRecovery(input: { userId: string, row: KeyringRow }): Promise<OwnerPublic>
  owner(): Promise<OwnerPublic | null>
  /** Forgets root, links, file keys: sign-out. */
  forgetAll(): Promise<void>

  // ---------------------------------------------------------- founder: labels, sealing, grants
  /** Titles and names that only the owner reads. `context` binds them to their place. */
  sealLabel(input: { label: string, context: LabelContext }): Promise<string>
  openLabel(input: { sealed: string, context: LabelContext }): Promise<string>
  vaultTagKey(vaultId: string): Promise<string>
  beginSeal(
    input: SealInput, onHashed: (doneBytes: number, totalBytes: number) => void,
  ): Promise<SealBegun>
  /** Takes up an interrupted seal with its own key; null if the file is not the one that was begun. */
  resumeSeal(
    input: SealInput & { draftSealed: string, nonce: string, ownerHeader: string },
    onHashed: (doneBytes: number, totalBytes: number) => void,
  ): Promise<SealBegun | null>
  /** The next sealed part in order, or null at the end. Back-pressure: ask when the last was sent. */
  nextPart(sealId: string): Promise<SealedPart | null>
  finishSeal(sealId: string): Promise<SealFinished>
  cancelSeal(sealId: string): Promise<void>
  /** Opens one of the owner's own versions and serves it to the viewer's port. */
  openOwnVersion(
    input: OwnVersion, source: CiphertextSource, viewerPort: MessagePort,
  ): Promise<OpenedVersion>
  /** One of the owner's own versions as an age file, opened on the way so that it is known to open. */
  exportVersion(
    input: OwnVersion, source: CiphertextSource,
    onBytes: (doneBytes: number, totalBytes: number) => void,
  ): Promise<Blob>
  /** The owner's age identity: opens every deck of hers. Only when she asked for it. */
  exportKeyFile(): Promise<string>
  makeGrant(input: GrantTerms): Promise<SignedGrant & { grantId: string, fragment: string }>
  reviseGrant(input: GrantTerms & { previous: GrantSummary }): Promise<SignedGrant>
  readGrant(
    input: { vaultId: string, summary: GrantSummary },
  ): Promise<{ policy: Policy, ndaSha256: string | null, card: Card, fragment: string }>
  /** The link's headers of new versions, as the grant's policy allows (none above the NDA on approval). */
  headersForGrant(
    input: { vaultId: string, summary: GrantSummary, versions: readonly StoredVersion[] },
  ): Promise<WrappedHeader[]>
  /** Checks acceptance and enrolment against her own grant, pins the device, makes its headers. */
  approve(input: {
    vaultId: string, summary: GrantSummary, request: AccessRequest,
    versions: readonly StoredVersion[],
  }): Promise<{ headers: WrappedHeader[] }>
  /** Headers of newer versions for somebody whom she let in before: her own wrap record must say so. */
  approveAgain(input: {
    vaultId: string, summary: GrantSummary, approval: Approval, versions: readonly StoredVersion[],
  }): Promise<{ headers: WrappedHeader[] }>
  auditorFragment(logVkey: string): Promise<string>

  // ---------------------------------------------------------- founder: watching her own log
  /** One look at the log, from where this device stopped; bounded, and each after the other. */
  watch(input: WatchInput, reads: WatchReads): Promise<WatchReport>
  /** She has dealt with these findings: they are not shown on this device again. */
  settleFindings(logVkey: string, keys: readonly string[]): Promise<void>
  /** Everything that shows the findings of this log, as text for a file. */
  watchEvidence(logVkey: string): Promise<string>
  /** Compares what the server shows of a vault with the newest that this device has seen, and remembers it. */
  compareVault(vault: VaultDetail): Promise<OlderState[]>
  /** Ids of links or persons that she has just revoked. */
  noteRevoked(ids: readonly string[]): Promise<void>
  forgetVault(logVkey: string, vaultId: string): Promise<void>

  // ---------------------------------------------------------- investor: link, device, signing, opening
  /** Takes the fragment (transferred out of the page at once); null if it is not a link's. */
  takeFragment(
    input: { grantId: string, fragment: string },
  ): Promise<{ founderFingerprint: string } | null>
  /** True if this device has been here before and can go on without the fragment. */
  recallLink(grantId: string): Promise<boolean>
  verifyGate(view: GateView): Promise<VerifiedGate>
  /** Loads or makes this device's keys for the grant and signs both notes with link key and device key. */
  signAccessRequest(
    input: { grantId: string, name: string, email: string | null, nonce: string },
  ): Promise<{ accessRequest: string, enrolment: string }>
  signSession(
    input: { grantId: string, nonce: string },
  ): Promise<{ deviceSigningKey: string, sessionNote: string } | null>
  /** The exact text that would be signed, to be shown. */
  previewAcceptance(input: { grantId: string, acceptance: Acceptance }): Promise<{ text: string }>
  signAcceptance(
    input: { grantId: string, acceptance: Acceptance },
  ): Promise<{ acceptance: string }>
  signDecline(input: { grantId: string, nonce: string }): Promise<{ decline: string }>
  /** Checks wraps, MACs, commitments, records and their chain; keeps the file keys; re-wraps them to the device. */
  receiveHeaders(
    input: { grantId: string, headers: readonly ReleasedHeader[] },
  ): Promise<{ deviceHeaders: { versionId: string, header: string }[] }>
  openVersion(
    input: { grantId: string, versionId: string }, source: CiphertextSource,
    viewerPort: MessagePort,
  ): Promise<OpenedVersion>
  /** The original file as it was sealed, where the policy allows a download. */
  saveVersion(
    input: { grantId: string, versionId: string }, source: CiphertextSource,
    onBytes: (doneBytes: number, totalBytes: number) => void,
  ): Promise<{ fileName: string, mediaType: string, file: Blob }>
  forgetDevice(grantId: string): Promise<void>

  // ---------------------------------------------------------- anyone: the log
  /**
   * Take the statements by which the server's log took other keys, before anything of it is checked. Answers all keys that
   * they link to `logVkey`, oldest first. Which of them to believe, pins say.
   */
  learnLogKeys(input: { logVkey: string, statements: readonly string[] }): Promise<string[]>
  takeAuditorFragment(
    fragment: string,
  ): Promise<{ founderFingerprint: string, logKeySha256: string } | null>
  /** `witnesses`: whose signatures to count, as the server offers them. */
  checkReceipt(
    input: { logVkey: string, proof: string, witnesses?: string | null },
  ): Promise<CheckedReceipt>
  /**
   * The same for several of one visit, by the log that the grant names: each must be about this device and this
   * link, and each checkpoint must agree with the one this browser remembered.
   */
  checkReceipts(
    input: { grantId: string, proofs: readonly string[], readConsistency: ReadConsistency },
  ): Promise<CheckedReceipt[]>
  /**
   * Checks checkpoint, consistency with the one remembered, each event's inclusion and its vault's tag.
   * `vaultId` null: events of any vault.
   */
  checkEvents(input: {
    vaultId: string | null, logVkey: string, list: EventList, readConsistency: ReadConsistency,
  }): Promise<CheckedLog>
  /** One event of a list once more, with each step on its way to the root; null if it is not proven. */
  traceEvent(input: {
    vaultId: string | null, logVkey: string, checkpoint: string, logged: LoggedEvent,
  }): Promise<TracedEvent | null>
  /** Every entry and every tile of the log, hashed again; the vault's entries found by their tags. */
  checkWholeLog(
    input: { logVkey: string, vaultTagKey: string | null }, readFile: ReadLogFile,
    onProgress: (doneCount: number, totalCount: number) => void, readConsistency: ReadConsistency,
  ): Promise<WholeLog>
  /** After `forked-log`: the two checkpoints that cannot both be true, to be kept as evidence. */
  forkEvidence(origin: string): Promise<ForkEvidence | null>
  /** The checkpoint that this browser remembers, to be shown to others; `null` before the first. */
  rememberedCheckpoint(origin: string): Promise<string | null>
  /** The server answered that what is remembered does not fit its log: its own checkpoint, kept as evidence. */
  takeGossip(input: { logVkey: string, checkpoint: string }): Promise<void>
  /** The same for an exported file; every event must hold. `logVkey` null: the one the file names. */
  checkExport(input: { text: string, logVkey: string | null }): Promise<CheckedLog>
}

// ---------------------------------------------------------------------------- watching her own log

/** After a fork: two checkpoints by one key that cannot both be true. */
export interface ForkEvidence { remembered: string, offered: string }

export interface WatchInput {
  logVkey: string
  /** As the log names her: `account/<id>`. */
  accountId: string
  /** All of hers: one walk over the log serves them all. */
  vaultIds: readonly string[]
  /** Entries that this look walks at most; the next look goes on. */
  maxEntryCount?: number
}

/** What the page reads for the worker. Each rejects with `missing-tile` where nothing came. */
export interface WatchReads {
  readFile(path: string, origin: string): Promise<Uint8Array | null>
  listEvents(vaultId: string, range: EventRange): Promise<EventPage>
  readStatements(vaultId: string, asked: AskStatements): Promise<Statements>
  readConsistency: ReadConsistency
  onProgress(doneCount: number, totalCount: number): void
}

/** Something that should not be; `vault-gone` and `fork` are about no entry. */
export interface WatchFinding {
  key: string
  kind: FindingKind | 'fork' | 'vault-gone'
  vaultId: string
  index: number | null
  sequence: number | null
  eventId: string | null
  eventType: string | null
  at: string | null
  party: string | null
  grantId: string | null
  /** The address or name that the event's details hold. */
  who: string | null
}

export interface WatchReport {
  origin: string
  /** Entries that were looked at, of how many; 0 before the first look. */
  checkedSize: number
  treeSize: number
  atMs: number
  /** How many of them are hers. */
  eventCount: number
  /** What she has not dealt with yet, from this look and earlier ones. */
  findings: WatchFinding[]
}

export type ReadConsistency = (from: number, to: number, origin: string) => Promise<string[]>

/** What the worker exposes: a function inside an object cannot cross, so it goes beside it. */
export interface WorkerWire extends Omit<CryptoWorker, 'checkEvents' | 'checkReceipts'> {
  checkReceipts(
    input: { grantId: string, proofs: readonly string[] }, readConsistency?: ReadConsistency,
  ): Promise<CheckedReceipt[]>
  checkEvents(
    input: { vaultId: string | null, logVkey: string, list: EventList },
    readConsistency?: ReadConsistency,
  ): Promise<CheckedLog>
}

// ---------------------------------------------------------------------------- starting it

/**
 * Start the worker and answer its methods. They wait until libsodium has proven itself, and reject if
 * the worker could not be loaded or refused to start.
 */
export function startCrypto(): CryptoWorker {
  const worker = startWorker(workerUrl, 'crypto')
  const started = whenStarted(worker)
  const remote = wrap<WorkerWire>(worker)
  const handedOver = handOver(remote)
  return new Proxy(remote, {
    get(target, name) {
      // Not a promise, though Comlink's proxies answer to every name.
      if (typeof name !== 'string' || name === 'then') return undefined
      const method: unknown = Reflect.get(handedOver, name) ?? Reflect.get(target, name)
      if (typeof method !== 'function') return method
      return async (...input: unknown[]) => {
        await started
        return Reflect.apply(method, undefined, input)
      }
    },
  })
}

function whenStarted(worker: Worker): Promise<void> {
  const started = new Promise<void>((resolve, reject) => {
    worker.addEventListener('message', ({ data }) => {
      if (data === 'started') resolve()
      if (data === 'unsafe') reject(new Error('the crypto worker refused to start'))
    })
    worker.addEventListener('error', () => reject(new Error('the crypto worker did not load')))
  })
  started.catch(() => undefined) // Each call reports it; nobody need call.
  return started
}

/** Methods whose arguments cannot be copied: buffers and ports move, functions stay and are called. */
function handOver(remote: Remote<WorkerWire>): Partial<CryptoWorker> {
  return {
    lockRootWithPasskey: (input) => remote.lockRootWithPasskey(
      transfer(input, [input.secret.buffer]),
    ),
    unlockRootWithPasskey: (input) => remote.unlockRootWithPasskey(
      transfer(input, [input.secret.buffer]),
    ),
    beginSeal: (input, onHashed) => remote.beginSeal(input, proxy(onHashed)),
    resumeSeal: (input, onHashed) => remote.resumeSeal(input, proxy(onHashed)),
    openOwnVersion: (input, source, port) =>
      remote.openOwnVersion(input, proxy(movingBytes(source)), transfer(port, [port])),
    openVersion: (input, source, port) =>
      remote.openVersion(input, proxy(movingBytes(source)), transfer(port, [port])),
    exportVersion: (input, source, onBytes) =>
      remote.exportVersion(input, proxy(movingBytes(source)), proxy(onBytes)),
    saveVersion: (input, source, onBytes) =>
      remote.saveVersion(input, proxy(movingBytes(source)), proxy(onBytes)),
    checkEvents: ({ vaultId, logVkey, list, readConsistency }) =>
      remote.checkEvents({ vaultId, logVkey, list }, proxy(readConsistency)),
    checkWholeLog: (input, readFile, onProgress, readConsistency) => remote.checkWholeLog(
      input, proxy(movingFile(readFile)), proxy(onProgress), proxy(readConsistency)),
    watch: (input, reads) => remote.watch(input, proxy(reads)),
    checkReceipts: ({ grantId, proofs, readConsistency }) =>
      remote.checkReceipts({ grantId, proofs }, proxy(readConsistency)),
  }
}

function movingFile(readFile: ReadLogFile): ReadLogFile {
  return async (path, origin) => {
    const bytes = await readFile(path, origin)
    return bytes === null ? null : transfer(bytes, [bytes.buffer])
  }
}

function movingBytes(source: CiphertextSource): CiphertextSource {
  async function moved(
    reading: Promise<Uint8Array<ArrayBuffer>>,
  ): Promise<Uint8Array<ArrayBuffer>> {
    const bytes = await reading
    return transfer(bytes, [bytes.buffer])
  }
  return {
    readHashList: () => moved(source.readHashList()),
    readPayload: (start, end) => moved(source.readPayload(start, end)),
  }
}

// ---------------------------------------------------------------------------- its answers, for screens

/**
 * Run something that asks the worker; a refusal of bytes becomes a value. Anything else is our bug
 * and goes on to the shell, which says so.
 */
export async function attempt<T>(run: () => Promise<T>): Promise<Outcome<T>> {
  try {
    return { ok: true, value: await run() }
  } catch (error) {
    const code = protocolErrorCode(error)
    if (code === null) throw error
    return { ok: false, code }
  }
}

/** The proof between two sizes of the log, fetched by the page for the worker. */
export function consistencyOf(api: Pick<Api, 'readConsistency'>): ReadConsistency {
  return async (from, to, log) => {
    const proof = await api.readConsistency({ from, to, log })
    // Not an empty proof, which would be a wrong one: a lost connection is no second history.
    if (!proof.ok) throw new ProtocolError('missing-tile', `no consistency proof: ${proof.code}`)
    return proof.value.hashes
  }
}

/** A stored version's ciphertext, fetched by the page for the worker. */
export function sourceOf(
  api: Pick<Api, 'readHashList' | 'readPayload'>, versionId: string,
): CiphertextSource {
  return {
    async readHashList() {
      const read = await api.readHashList(versionId)
      if (!read.ok) throw new Error(sourceErrorCode(read.code))
      return read.value
    },
    async readPayload(start, end) {
      const read = await api.readPayload(versionId, { start, end })
      if (!read.ok) throw new Error(sourceErrorCode(read.code))
      return read.value
    },
  }
}

/** `attempt` for what reads a source: that the ciphertext could not be had is a value, too. */
export async function attemptReading<T>(
  run: () => Promise<T>,
): Promise<Outcome<T> | { ok: false, code: ApiFailure }> {
  try {
    return await attempt(run)
  } catch (error) {
    const code = error instanceof Error ? SOURCE_FAILURES.get(error.message) : undefined
    if (code === undefined) throw error
    return { ok: false, code }
  }
}

const SOURCE_FAILURES: ReadonlyMap<string, ApiFailure> = new Map([
  ['offline', 'offline'], ['busy', 'not-ready'], ['refused', 'version-not-found'],
])

function sourceErrorCode(code: ApiFailure): 'offline' | 'busy' | 'refused' {
  if (code === 'offline' || code === 'answer-too-long') return 'offline'
  return ['too-many-requests', 'not-ready', 'log-unavailable', 'internal-error'].includes(code) ? 'busy' : 'refused'
}
