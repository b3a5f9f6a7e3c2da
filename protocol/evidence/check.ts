/**
 * The one check of evidence, for the command line, the app and the file that works without either
 * (SPEC.md § 12): takes files of any mix, says of each what it is and whether it holds, and of all
 * together who agreed to what. Pure, without network; must not state what it has not proved.
 *
 * [Note: Proved and unchanged] A receipt, a signed note, a checkpoint, an agreement are *proved*: by
 * signatures, by their place in the tree, by a hash that something proved names. A cover page, a
 * certificate, a program are at best *unchanged* since the pack was made, and say nothing by themselves.
 * A time-stamp *fits*: it is over a checkpoint that is here, but whose signature it bears is for OpenSSL to say.
 */
import { decodeUtf8, encodeHex, encodeUtf8, equalBytes } from '../bytes.js'
import { ProtocolError, type ProtocolErrorCode } from '../errors.js'
import { sha256 } from '../hash.js'
import {
  MAX_ADD_CHECKPOINT_SIZE_BYTES, MAX_DETAILS_SIZE_BYTES, MAX_NOTE_SIZE_BYTES,
  MAX_RECEIPT_SIZE_BYTES,
} from '../limits.js'
import {
  ACCEPTANCE_CONTEXT, ACCESS_REQUEST_CONTEXT, DECLINE_CONTEXT, ENROLMENT_CONTEXT,
  requireSameAcceptance, SESSION_CONTEXT, verifyAcceptance, verifyAccessRequest, verifyDecline,
  verifyEnrolment, verifySession, type Acceptance,
} from '../log/acceptance.js'
import { ALARM_KINDS, findAnomalies } from '../log/anomalies.js'
import { parseCheckpoint, type Checkpoint } from '../log/checkpoint.js'
import {
  commitDetails, commitEvent, parseDetails, type Details, type Event,
} from '../log/event.js'
import {
  EXPORT_FORMAT, exportPolicy, parseDetailsFile, parseExport, verifyExport, type Finding,
} from '../log/export.js'
import { firstIndexOf, listOrigins, spanAt } from '../log/line.js'
import { verifyConsistency } from '../log/merkle.js'
import { parseNote } from '../log/note.js'
import {
  parsePolicy, policyOfLog, verifyCheckpoint, type Policy, type TrustedCheckpoint,
} from '../log/policy.js'
import { verifyProof } from '../log/proof.js'
import { isBorder, verifyRotation, withLinkedKeys } from '../log/rotation.js'
import { formatPem, readTimeStamp } from '../log/time-stamp.js'
import { parseAddCheckpoint } from '../log/witness.js'
import { CHECKSUMS_NAME, parseChecksums } from './checksums.js'
import { isZip, parseZip, type PackFile } from './zip.js'

export type FileKind =
  | 'receipt' | 'export' | 'statement' | 'details' | 'agreement' | 'checkpoint' | 'policy' | 'checksums'
  /** A stamped checkpoint, the authority's answer, its certificates, and how two trees hang together. */
  | 'stamped' | 'timestamp' | 'certificates' | 'growth'
  /** Words, pictures, programs: nothing that proves. */
  | 'other'

/** See [Note: Proved and unchanged]. `unjudged`: nothing here says whether it is true. */
export type Verdict = 'proved' | 'fits' | 'unchanged' | 'unjudged' | 'failed'

export interface CheckedFile {
  readonly name: string
  readonly kind: FileKind
  readonly verdict: Verdict
  /** Why it failed. */
  readonly code?: ProtocolErrorCode
  readonly reason?: string
}

/** An event that a receipt or an export has proved, and under which checkpoint. */
export interface ProvenEvent {
  /** Over all logs, as far as the files lead through them. */
  readonly index: bigint
  /** In the log that `seen` is of. */
  readonly indexInLog: bigint
  /** `null` where it was erased: the entry is there, of what nobody knows. */
  readonly event: Event | null
  /** Lower-case hex. */
  readonly commitment: string
  readonly details: Details | null
  readonly seen: TrustedCheckpoint
}

/** An authority's answer over a checkpoint of the log; its signature was not checked. */
export interface FoundStamp {
  /** Of the two files, for OpenSSL. */
  readonly tokenFile: string
  readonly checkpointFile: string
  readonly token: Uint8Array
  /** SHA-256 of the checkpoint's file. */
  readonly sha256: Uint8Array
  readonly atMs: number
  readonly checkpoint: Checkpoint
}

/** Who agreed to what. `proof` is `null` if only the signed note is here, and no receipt. */
export interface ProvenAcceptance {
  readonly proof: ProvenEvent | null
  /** `null` where the signed note is not here, or was erased. */
  readonly acceptance: Acceptance | null
  readonly agreementSha256: string
  /** The name of the file that is the agreement, byte for byte. */
  readonly agreementFile: string | null
  /** How the address was proven, before. */
  readonly emailProof: ProvenEvent | null
  /** What the signature released, by index. */
  readonly releases: readonly ProvenEvent[]
  /** The earliest over the event, under a tree that is known to hang together with the event's own. */
  readonly stamp: FoundStamp | null
}

/** Whose word it is that the key is the log's. */
export type Trust = 'named' | 'files' | 'none'

export interface EvidenceReport {
  readonly trust: Trust
  readonly policy: Policy | null
  /** An evidence pack, whole; else loose files. */
  readonly isPack: boolean
  readonly files: readonly CheckedFile[]
  readonly acceptances: readonly ProvenAcceptance[]
  /** By index. */
  readonly events: readonly ProvenEvent[]
  /** The newest of each log and size. */
  readonly checkpoints: readonly TrustedCheckpoint[]
  /** The earliest first. */
  readonly stamps: readonly FoundStamp[]
  readonly findings: readonly Finding[]
  readonly outcome: 'verified' | 'failed' | 'nothing'
}

/**
 * Check files against each other and against a policy.
 *
 * @param files - one evidence pack, or any mix of loose files.
 * @param named - the policy that the reader brought; `null` takes what the files say of themselves,
 * which proves only that they fit together (`trust` says so).
 */
export function checkEvidence(files: readonly PackFile[], named: Policy | null): EvidenceReport {
  const [only] = files
  if (files.length !== 1 || only === undefined || !isArchive(only)) {
    return new Check(files, { named, isPack: false }).report()
  }
  try {
    return checkPack(parseZip(only.bytes), named)
  } catch (error) {
    return brokenPack(only.name, requireProtocolError(error))
  }
}

/** A damaged archive must not pass for a file of some other kind. */
export function isArchive({ name, bytes }: PackFile): boolean {
  return isZip(bytes) || /\.zip$/i.test(name)
}

/** As `checkEvidence`, for the files of one pack: each must be where it belongs, and listed. */
export function checkPack(files: readonly PackFile[], named: Policy | null): EvidenceReport {
  return new Check(files, { named, isPack: true }).report()
}

function brokenPack(name: string, { code, message }: ProtocolError): EvidenceReport {
  const file: CheckedFile = { name, kind: 'other', verdict: 'failed', code, reason: message }
  return {
    trust: 'none', policy: null, isPack: true, files: [file], acceptances: [], events: [],
    checkpoints: [], stamps: [], findings: [], outcome: 'failed',
  }
}

function requireProtocolError(error: unknown): ProtocolError {
  if (error instanceof ProtocolError) return error
  throw error
}

// ---- What a file is, by its content: names can be changed by anybody

const STATEMENTS: Readonly<Record<string, (note: string) => object>> = {
  [ACCEPTANCE_CONTEXT]: verifyAcceptance,
  [DECLINE_CONTEXT]: verifyDecline,
  [ACCESS_REQUEST_CONTEXT]: verifyAccessRequest,
  [ENROLMENT_CONTEXT]: verifyEnrolment,
  [SESSION_CONTEXT]: verifySession,
}

/** Longest of what is read as a text; what is longer is an export or nothing of ours. */
const MAX_SNIFFED_SIZE_BYTES = 1024

const BEGINNINGS: ReadonlyArray<readonly [FileKind, RegExp]> = [
  ['receipt', /^c2sp\.org\/tlog-proof@v1\n/],
  ['export', new RegExp(`^\\{"format":"${EXPORT_FORMAT}"`)],
  ['details', /^\{"bytes":"/],
  ['statement', new RegExp(`^(?:${Object.keys(STATEMENTS).join('|')})\n`)],
  ['checksums', /^[0-9a-f]{64} {2}\S/],
  ['growth', /^old (?:0|[1-9][0-9]*)\n/],
  ['certificates', /^-----BEGIN CERTIFICATE-----\n/],
  ['policy', /^(?:#[^\n]*\n|[ \t]*\n)*(?:log|witness|group|quorum)[ \t]/],
  ['checkpoint', /^[^\s+]+\n(?:0|[1-9][0-9]*)\n[A-Za-z0-9+/=]{44}\n/],
  ['agreement', /^# /],
]

/** In a pack the place counts: a damaged file must not pass for one that proves nothing. */
const PLACES: ReadonlyArray<readonly [FileKind, RegExp]> = [
  ['receipt', /^receipts\/.*\.tlog-proof$/],
  ['details', /^receipts\/.*\.details\.json$/],
  ['statement', /^acceptances\//],
  ['agreement', /^agreements\//],
  ['checkpoint', /^checkpoints\//],
  ['stamped', /^timestamps\/.*\.checkpoint$/],
  ['timestamp', /^timestamps\/.*\.tsr$/],
  ['certificates', /^timestamps\/.*\.pem$/],
  ['growth', /^timestamps\/.*\.growth$/],
  ['export', /^events\.json$/],
  ['policy', /^policy\.txt$/],
  ['checksums', new RegExp(`^${CHECKSUMS_NAME}$`)],
]

/** Outside a pack, too, a name that promises a proof is held to it. */
const ENDINGS: ReadonlyArray<readonly [FileKind, RegExp]> = [
  ['receipt', /\.tlog-proof$/], ['details', /\.details\.json$/], ['checksums', /(?:^|\/)SHA256SUMS$/],
  ['policy', /(?:^|\/)policy\.txt$/], ['stamped', /\.checkpoint$/], ['timestamp', /\.tsr$/],
]

function kindOf({ name, bytes }: PackFile, isPack: boolean): FileKind {
  const places = isPack ? PLACES : ENDINGS
  const placed = places.find(([, pattern]) => pattern.test(name))?.[0]
  if (placed !== undefined || isPack) return placed ?? 'other'
  const head = latinOf(bytes.subarray(0, MAX_SNIFFED_SIZE_BYTES))
  return BEGINNINGS.find(([, pattern]) => pattern.test(head))?.[0] ?? 'other'
}

/** One character a byte: enough to look at a beginning, and never fails. */
function latinOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => String.fromCharCode(byte)).join('')
}

// ---- The check

/** In this order. */
const PROVING_KINDS: readonly FileKind[] = [
  'checkpoint', 'export', 'receipt', 'stamped', 'growth', 'timestamp', 'certificates',
  'details', 'statement', 'agreement',
]

interface Placed extends PackFile {
  readonly kind: FileKind
}

/** `name`: of its file. */
interface Stamped {
  readonly name: string
  readonly checkpoint: Checkpoint
}

interface Signed {
  readonly name: string
  readonly note: string
  readonly acceptance: Acceptance
}

class Check {
  readonly #files: readonly Placed[]
  readonly #isPack: boolean
  readonly #verdicts = new Map<string, CheckedFile>()
  readonly #events = new Map<string, ProvenEvent>()
  /** Keys of events by the commitment to their details. */
  readonly #byDetails = new Map<string, string>()
  readonly #checkpoints = new Map<string, TrustedCheckpoint>()
  /** By the SHA-256 of the file, as a token names it. */
  readonly #stamped = new Map<string, Stamped>()
  readonly #stamps: FoundStamp[] = []
  /** `origin/size/size`, the smaller first. */
  readonly #growths = new Set<string>()
  readonly #signed: Signed[] = []
  readonly #agreements = new Map<string, string>()
  readonly #sums: ReadonlyMap<string, string>
  /** Made when all events are known. */
  #logged: { notes: ReadonlySet<string>, isWhole: boolean } | null = null
  /** A loose receipt names a permission that nobody promised to bring along. */
  #isWholeExport = false
  #policy: Policy | null
  #trust: Trust

  constructor(
    files: readonly PackFile[], { named, isPack }: { named: Policy | null, isPack: boolean },
  ) {
    this.#files = files.map((file) => ({ ...file, kind: kindOf(file, isPack) }))
    this.#isPack = isPack
    this.#policy = named
    this.#trust = named === null ? 'none' : 'named'
    this.#sums = this.#readChecksums()
    this.#findPolicy()
    this.#followLogs()
    // What others lean on comes first: events before what they commit to.
    for (const kind of PROVING_KINDS) {
      for (const file of this.#files) {
        if (file.kind === kind && !this.#verdicts.has(file.name)) this.#judge(file)
      }
    }
    this.#judgeRest()
  }

  // -- files

  #set(file: Placed, verdict: Verdict, error?: ProtocolError): void {
    const { name, kind } = file
    const why = error === undefined ? {} : { code: error.code, reason: error.message }
    this.#verdicts.set(name, { name, kind, verdict, ...why })
  }

  #judge(file: Placed): void {
    try {
      this.#set(file, this.#verify(file))
    } catch (error) {
      this.#set(file, 'failed', requireProtocolError(error))
    }
  }

  #verify(file: Placed): Verdict {
    this.#requireUnchanged(file)
    switch (file.kind) {
      case 'receipt': return this.#verifyReceipt(file)
      case 'export': return this.#verifyExport(file)
      case 'checkpoint': return this.#verifyCheckpoint(file)
      case 'stamped': return this.#verifyStamped(file)
      case 'growth': return this.#verifyGrowth(file)
      case 'timestamp': return this.#verifyTimeStamp(file)
      case 'certificates': return this.#verifyCertificates(file)
      case 'details': return this.#verifyDetails(file)
      case 'statement': return this.#verifyStatement(file)
      case 'agreement': return this.#verifyAgreement(file)
      default: return this.#sums.has(file.name) ? 'unchanged' : 'unjudged'
    }
  }

  #judgeRest(): void {
    for (const file of this.#files) if (!this.#verdicts.has(file.name)) this.#judge(file)
  }

  // -- checksums

  #readChecksums(): ReadonlyMap<string, string> {
    const file = this.#files.find(({ kind }) => kind === 'checksums')
    if (file === undefined) {
      if (this.#isPack) this.#fail(CHECKSUMS_NAME, 'not in the pack')
      return new Map()
    }
    try {
      const sums = parseChecksums(file.bytes)
      const names = new Set(this.#files.map(({ name }) => name))
      const absent = [...sums.keys()].filter((name) => !names.has(name))
      if (this.#isPack && absent.length > 0) {
        throw new ProtocolError('changed-file', `not in the pack: ${absent.join(', ')}`)
      }
      this.#set(file, 'unchanged')
      return sums
    } catch (error) {
      this.#set(file, 'failed', requireProtocolError(error))
      return new Map()
    }
  }

  #fail(name: string, reason: string): void {
    this.#verdicts.set(name, { name, kind: 'checksums', verdict: 'failed', code: 'malformed-pack', reason })
  }

  #requireUnchanged({ name, bytes, kind }: Placed): void {
    if (kind === 'checksums') return
    const stated = this.#sums.get(name)
    const isUnlisted = stated === undefined && this.#isPack && this.#sums.size > 0
    if (isUnlisted) throw new ProtocolError('changed-file', `${CHECKSUMS_NAME} does not know it`)
    if (stated !== undefined && stated !== encodeHex(sha256(bytes))) {
      throw new ProtocolError('changed-file', `not as ${CHECKSUMS_NAME} says`)
    }
  }

  // -- whom to believe

  #findPolicy(): void {
    for (const file of this.#files.filter(({ kind }) => kind === 'policy')) {
      try {
        this.#requireUnchanged(file)
        const policy = parsePolicy(file.bytes)
        this.#set(file, this.#sums.has(file.name) ? 'unchanged' : 'unjudged')
        if (this.#policy === null) this.#trustFiles(policy)
      } catch (error) {
        this.#set(file, 'failed', requireProtocolError(error))
      }
    }
  }

  #trustFiles(policy: Policy): void {
    this.#policy = policy
    this.#trust = 'files'
  }

  /** What leads from a log to the next counts before anything that stands in one of them. */
  #followLogs(): void {
    for (const file of this.#files.filter(({ kind }) => kind === 'receipt')) {
      try {
        const text = textOf(file.bytes, MAX_RECEIPT_SIZE_BYTES, 'malformed-proof')
        if (!isBorder(text)) continue
        this.#requireUnchanged(file)
        const link = verifyRotation(text)
        if (this.#policy !== null) this.#policy = withLinkedKeys(this.#policy, [link])
        this.#set(file, 'proved')
      } catch (error) {
        this.#set(file, 'failed', requireProtocolError(error))
      }
    }
  }

  // -- what proves

  #verifyReceipt({ bytes }: Placed): Verdict {
    const text = textOf(bytes, MAX_RECEIPT_SIZE_BYTES, 'malformed-proof')
    if (this.#policy === null) return 'unjudged'
    const receipt = verifyProof(text, this.#policy)
    const { index, event, opening } = receipt
    const commitment = encodeHex(commitEvent(opening.salt, opening.eventBytes))
    const firstIndex = firstIndexOf(this.#policy, receipt.checkpoint.origin)
    this.#keepEvent({
      index: firstIndex + index, indexInLog: index, event, commitment, details: null,
      seen: trustedOf(receipt),
    })
    return 'proved'
  }

  #verifyExport({ bytes }: Placed): Verdict {
    const audit = parseExport(decodeUtf8(bytes))
    if (this.#policy === null) this.#trustFiles(policyOfLog(audit.vkey))
    if (this.#policy === null) return 'unjudged'
    this.#policy = exportPolicy(audit, this.#policy)
    const verified = verifyExport(audit, this.#policy)
    this.#isWholeExport ||= audit.filter === undefined
    for (const { index, event, commitment, details } of verified.events) {
      const { trusted: seen, firstIndex } = spanAt(verified.spans, index)
      const place = { index, indexInLog: index - firstIndex }
      this.#keepEvent({ ...place, event, commitment, details: details ?? null, seen })
      this.#keepNote(event, details?.note)
    }
    return 'proved'
  }

  #verifyCheckpoint({ bytes }: Placed): Verdict {
    const note = textOf(bytes, MAX_NOTE_SIZE_BYTES, 'malformed-checkpoint')
    if (this.#policy === null) return 'unjudged'
    this.#keepCheckpoint(verifyCheckpoint(note, this.#policy))
    return 'proved'
  }

  /** Two checkpoints of one size and two roots: somebody was shown another history. */
  #keepCheckpoint(seen: TrustedCheckpoint): void {
    const { origin, size, root } = seen.checkpoint
    const key = `${origin}/${size}`
    const known = this.#checkpoints.get(key)
    const isFork = known !== undefined && encodeHex(known.checkpoint.root) !== encodeHex(root)
    if (isFork) throw new ProtocolError('forked-log', `two trees of ${size} entries`)
    if (known === undefined || known.cosignatures.length < seen.cosignatures.length) {
      this.#checkpoints.set(key, seen)
    }
  }

  /** The authority may have been faster than the witnesses: the log's own signature suffices for what was stamped. */
  #verifyStamped({ name, bytes }: Placed): Verdict {
    const note = textOf(bytes, MAX_NOTE_SIZE_BYTES, 'malformed-checkpoint')
    if (this.#policy === null) return 'unjudged'
    const { checkpoint } = verifyCheckpoint(note, { ...this.#policy, quorum: null })
    this.#requireSameTree(checkpoint)
    this.#stamped.set(encodeHex(sha256(bytes)), { name, checkpoint })
    return 'proved'
  }

  /** Every tree that is known by this size must be this one; whether there is one is the answer. */
  #requireSameTree({ origin, size, root }: Checkpoint): boolean {
    const known = [
      ...[...this.#checkpoints.values()].map(({ checkpoint }) => checkpoint),
      ...[...this.#stamped.values()].map(({ checkpoint }) => checkpoint),
    ].filter((other) => other.origin === origin && other.size === size)
    if (known.some((other) => !equalBytes(other.root, root))) {
      throw new ProtocolError('forked-log', `two trees of ${size} entries`)
    }
    return known.length > 0
  }

  #verifyGrowth({ bytes }: Placed): Verdict {
    const { oldSize, proof, note } = parseAddCheckpoint(
      textOf(bytes, MAX_ADD_CHECKPOINT_SIZE_BYTES, 'malformed-request'))
    if (this.#policy === null) return 'unjudged'
    const { origin, size, root } = parseCheckpoint(parseNote(note).text)
    const older = this.#findTree(origin, oldSize)
    if (older === undefined || !this.#requireSameTree({ origin, size, root })) {
      throw new ProtocolError('bad-proof', 'between trees that are not here')
    }
    verifyConsistency({ oldSize, oldRoot: older.root, size, root, proof })
    this.#growths.add(`${origin}/${oldSize}/${size}`)
    return 'proved'
  }

  #findTree(origin: string, size: bigint): Checkpoint | undefined {
    return this.#checkpoints.get(`${origin}/${size}`)?.checkpoint ??
      [...this.#stamped.values()].map(({ checkpoint }) => checkpoint)
        .find((other) => other.origin === origin && other.size === size)
  }

  #verifyTimeStamp({ name, bytes }: Placed): Verdict {
    const { sha256: stampedHash, atMs } = readTimeStamp(bytes)
    const stamped = this.#stamped.get(encodeHex(stampedHash))
    if (stamped === undefined) {
      if (this.#stamped.size === 0 && !this.#isPack) return 'unjudged'
      throw new ProtocolError('bad-time-stamp', 'over no checkpoint that is here')
    }
    this.#stamps.push({
      tokenFile: name, checkpointFile: stamped.name, token: bytes, sha256: stampedHash, atMs,
      checkpoint: stamped.checkpoint,
    })
    return 'fits'
  }

  /** Nobody should look for a signer in certificates that no token brought. */
  #verifyCertificates({ bytes }: Placed): Verdict {
    const isCarried = this.#stamps.some(({ token }) =>
      equalBytes(encodeUtf8(formatPem(readTimeStamp(token).certificates)), bytes))
    if (isCarried) return 'fits'
    if (!this.#isPack) return 'unjudged'
    throw new ProtocolError('bad-time-stamp', 'certificates that no time-stamp here carries')
  }

  #findStamp({ indexInLog: index, seen }: ProvenEvent): FoundStamp | null {
    const { origin, size } = seen.checkpoint
    return listByTime(this.#stamps).find(({ checkpoint }) => {
      const sizes = [size, checkpoint.size].sort((a, b) => a < b ? -1 : 1)
      const isLinked = checkpoint.size === size || this.#growths.has([origin, ...sizes].join('/'))
      return checkpoint.origin === origin && checkpoint.size > index && isLinked
    }) ?? null
  }

  #keepEvent(proven: ProvenEvent): void {
    this.#keepCheckpoint(proven.seen)
    const key = `${proven.seen.checkpoint.origin}/${proven.indexInLog}`
    const known = this.#events.get(key)
    if (known !== undefined && known.commitment !== proven.commitment) {
      throw new ProtocolError('forked-log', `two entries at index ${proven.index}`)
    }
    const isOlder = known !== undefined &&
      known.seen.checkpoint.size > proven.seen.checkpoint.size
    if (proven.event?.details !== undefined) this.#byDetails.set(proven.event.details, key)
    this.#events.set(key, {
      ...proven,
      event: proven.event ?? known?.event ?? null,
      details: known?.details ?? proven.details,
      seen: isOlder ? known.seen : proven.seen,
    })
  }

  #verifyDetails({ bytes }: Placed): Verdict {
    const file = parseDetailsFile(textOf(bytes, 2 * MAX_DETAILS_SIZE_BYTES, 'malformed-export'))
    const commitment = encodeHex(commitDetails(file.salt, file.bytes))
    const key = this.#byDetails.get(commitment) ?? ''
    const proven = this.#events.get(key)
    if (proven === undefined) {
      if (this.#events.size === 0) return 'unjudged'
      throw new ProtocolError('bad-details', 'no event here commits to them')
    }
    const details = parseDetails(file.bytes)
    this.#events.set(key, { ...proven, details })
    this.#keepNote(proven.event, details.note)
    return 'proved'
  }

  /** The signed acceptance inside details: it must be of the event that commits to it. */
  #keepNote(event: Event | null, note: string | undefined): void {
    if (note === undefined || event?.type !== 'nda.accepted') return
    const acceptance = verifyAcceptance(note)
    requireSameAcceptance(event, acceptance, this.#originsOf(event))
    this.#signed.push({ name: '', note, acceptance })
  }

  #originsOf({ log }: Event): string[] {
    return this.#policy === null ? [log] : listOrigins(this.#policy, log)
  }

  #verifyStatement({ name, bytes }: Placed): Verdict {
    const note = textOf(bytes, MAX_NOTE_SIZE_BYTES, 'malformed-note')
    const context = note.slice(0, Math.max(0, note.indexOf('\n')))
    const verify = Object.hasOwn(STATEMENTS, context) ? STATEMENTS[context] : undefined
    if (verify === undefined) throw new ProtocolError('malformed-statement', 'none of ours')
    verify(note)
    if (context !== ACCEPTANCE_CONTEXT) return 'proved'
    this.#requireAsLogged(note)
    this.#signed.push({ name, note, acceptance: verifyAcceptance(note) })
    return 'proved'
  }

  /** Where the log's own copy is here, another note over the same keys is not the one that was logged. */
  #requireAsLogged(note: string): void {
    this.#logged ??= notesIn(this.#events.values())
    if (this.#logged.isWhole && !this.#logged.notes.has(note)) {
      throw new ProtocolError('bad-details', 'the log holds another acceptance')
    }
  }

  #verifyAgreement({ name, bytes }: Placed): Verdict {
    const hash = encodeHex(sha256(bytes))
    const named = [
      ...[...this.#events.values()].map(({ event }) => event?.agreementSha256),
      ...this.#signed.map(({ acceptance }) => acceptance.agreementSha256),
    ]
    if (named.includes(hash)) {
      this.#agreements.set(hash, name)
      return 'proved'
    }
    if (named.every((other) => other === undefined)) return 'unjudged'
    throw new ProtocolError('bad-details', 'nobody here agreed to this text')
  }

  // -- together

  report(): EvidenceReport {
    const events = [...this.#events.values()].sort((a, b) => a.index < b.index ? -1 : 1)
    const names = [...new Set([...this.#files.map(({ name }) => name), ...this.#verdicts.keys()])]
    const files = names.flatMap((name) => this.#verdicts.get(name) ?? [])
    return {
      trust: this.#trust, policy: this.#policy, isPack: this.#isPack, files, events,
      acceptances: this.#listAcceptances(events),
      checkpoints: [...this.#checkpoints.values()],
      stamps: listByTime(this.#stamps),
      findings: findAlarms(events, this.#isPack || this.#isWholeExport),
      outcome: outcomeOf(files),
    }
  }

  #listAcceptances(events: readonly ProvenEvent[]): ProvenAcceptance[] {
    const related = relate(events)
    const logged = events.filter(({ event }) => event?.type === 'nda.accepted')
      .map((proof) => this.#describe(proof, related))
    const known = new Set(logged.map(({ acceptance }) => acceptance?.nonce))
    const unlogged = this.#signed
      .filter(({ name, acceptance }) => name !== '' && !known.has(acceptance.nonce))
    return [...logged, ...unlogged.map(({ acceptance }): ProvenAcceptance => ({
      proof: null, acceptance, agreementSha256: acceptance.agreementSha256,
      agreementFile: this.#agreements.get(acceptance.agreementSha256) ?? null,
      emailProof: null, releases: [], stamp: null,
    }))]
  }

  #describe(proof: ProvenEvent, { releases, emailProofs }: Related): ProvenAcceptance {
    const { event, details, commitment, index } = proof
    const signed = this.#signed.find(({ note, acceptance }) => details?.note === undefined
      ? event !== null && isSame(event, acceptance, this.#originsOf(event))
      : details.note === note)
    const agreementSha256 = event?.agreementSha256 ?? ''
    const before = emailProofs.get(personOf(event))?.filter((other) => other.index < index) ?? []
    return {
      proof, agreementSha256,
      acceptance: signed?.acceptance ?? null,
      agreementFile: this.#agreements.get(agreementSha256) ?? null,
      emailProof: before.at(-1) ?? null,
      releases: releases.get(commitment) ?? [],
      stamp: this.#findStamp(proof),
    }
  }
}

interface Related {
  /** By the commitment that permits them. */
  readonly releases: ReadonlyMap<string, ProvenEvent[]>
  readonly emailProofs: ReadonlyMap<string, ProvenEvent[]>
}

function relate(events: readonly ProvenEvent[]): Related {
  const releases = new Map<string, ProvenEvent[]>()
  const emailProofs = new Map<string, ProvenEvent[]>()
  for (const proven of events) {
    const { event } = proven
    if (event?.because !== undefined) addTo(releases, event.because, proven)
    if (event?.type === 'email.verified') addTo(emailProofs, personOf(event), proven)
  }
  return { releases, emailProofs }
}

function addTo(lists: Map<string, ProvenEvent[]>, key: string, proven: ProvenEvent): void {
  const list = lists.get(key)
  if (list === undefined) lists.set(key, [proven])
  else list.push(proven)
}

/** A person behind one link. */
function personOf(event: Event | null): string {
  return `${event?.party ?? ''}/${event?.grant ?? ''}`
}

/** The signed acceptances that the log committed to; whole if none of them is withheld or erased. */
function notesIn(events: Iterable<ProvenEvent>): { notes: Set<string>, isWhole: boolean } {
  const accepted = [...events].filter(({ event }) => event?.type === 'nda.accepted')
  const notes = accepted.flatMap(({ details }) => details?.note ?? [])
  return { notes: new Set(notes), isWhole: notes.length > 0 && notes.length === accepted.length }
}

function isSame(event: Event, acceptance: Acceptance, origins: readonly string[]): boolean {
  try {
    requireSameAcceptance(event, acceptance, origins)
    return true
  } catch (error) {
    requireProtocolError(error)
    return false
  }
}

function listByTime(stamps: readonly FoundStamp[]): FoundStamp[] {
  return [...stamps].sort((a, b) => a.atMs - b.atMs)
}

function textOf(bytes: Uint8Array, maxSizeBytes: number, code: ProtocolErrorCode): string {
  if (bytes.length > maxSizeBytes) throw new ProtocolError(code, 'over its size limit')
  return decodeUtf8(bytes)
}

function trustedOf({ checkpoint, logKey, cosignatures }: TrustedCheckpoint): TrustedCheckpoint {
  return { checkpoint, logKey, cosignatures }
}

function findAlarms(events: readonly ProvenEvent[], isWhole: boolean): Finding[] {
  const seen = events.map((event) => ({ ...event, index: Number(event.index) }))
  return findAnomalies(seen, isWhole).flatMap(({ kind, index }) => {
    const alarm = ALARM_KINDS.find((known) => known === kind)
    return alarm === undefined ? [] : [{ kind: alarm, index: BigInt(index) }]
  })
}

function outcomeOf(files: readonly CheckedFile[]): EvidenceReport['outcome'] {
  if (files.some(({ verdict }) => verdict === 'failed')) return 'failed'
  return files.some(({ verdict }) => verdict === 'proved') ? 'verified' : 'nothing'
}
