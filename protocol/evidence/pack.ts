/**
 * Evidence packs: one zip that proves, without us and without a network, who agreed to what and what it
 * opened (SPEC.md § 12). Made by whoever holds the proofs, in a browser or on the command line. Pure;
 * must not put anything into a pack that it has not checked first.
 */
import { encodeHex, encodeUtf8 } from '../bytes.js'
import { ProtocolError } from '../errors.js'
import { sha256 } from '../hash.js'
import { MAX_PACK_RECEIPT_COUNT } from '../limits.js'
import { parseCheckpoint } from '../log/checkpoint.js'
import type { EventType } from '../log/event-types.js'
import { parseDetails, parseEvent, type Event } from '../log/event.js'
import {
  exportPolicy, formatDetailsFile, formatExport, parseExport, type AuditExport,
  type ExportedEvent, type Salted,
} from '../log/export.js'
import { firstIndexOf, spanAt, verifyLine, type Span } from '../log/line.js'
import { parseNote } from '../log/note.js'
import { formatPolicy, policyOfLog, type Policy } from '../log/policy.js'
import { buildProof, decodeOpening, parseProof } from '../log/proof.js'
import {
  EVIDENCE_WORDS, tellAcceptances, tellChecks, tellEvents, type EvidenceLanguage, type Section,
} from './account.js'
import { formatCertificate } from './certificate.js'
import { checkPack, type EvidenceReport } from './check.js'
import { checksumsOf } from './checksums.js'
import { formatHowToCheck } from './how-to-check.js'
import { processEnglish } from './process-en.js'
import { processRussian } from './process-ru.js'
import { filesOfStamps, type StampableEntry, type StampSource } from './stamps.js'
import type { EvidenceWords } from './words-en.js'
import { formatZip, type PackFile } from './zip.js'

/** One event's receipt, and its details where the maker of the pack may see them. */
export interface ReceiptSource {
  readonly proof: string
  readonly details: Salted | null
}

/** What the proofs are: a vault's export, or the receipts that a reader was given. */
export type ProofSource =
  /** `party`: one person's events alone, and those that they rest on. */
  | { readonly exportText: string, readonly party: string | null }
  | { readonly receipts: readonly ReceiptSource[] }

export interface PackInput {
  readonly proofs: ProofSource
  /** Texts of agreements as UTF-8; those that nobody in the pack agreed to are left out. */
  readonly agreements: readonly Uint8Array[]
  readonly policy: Policy
  /** Of entries that `listStampable` names; none where the log has no time-stamp authority. */
  readonly stamps?: readonly StampSource[]
  /** UTC with milliseconds. */
  readonly madeAt: string
  /** Of the certificate; the cover is in both. */
  readonly language: EvidenceLanguage
  /** The one-file verifier, and the certificate's font: `verify.html` and `certificate.ttf` of the web client. */
  readonly verifier: Uint8Array
  readonly font: Uint8Array
}

/**
 * The pack, as the bytes of a zip; same input, same bytes.
 * @throws ProtocolError whatever is wrong with the proofs: nothing is packed that does not hold.
 */
export async function buildPack(input: PackInput): Promise<Uint8Array<ArrayBuffer>> {
  const evidence = listEvidence(input)
  const report = checkPack([...evidence, checksumsOf(evidence)], input.policy)
  requireVerified(report)
  const files = [...await describe(report, evidence, input), ...evidence]
  return formatZip([...files, checksumsOf(files)])
}

function requireVerified({ files, outcome }: EvidenceReport): void {
  const failed = files.find(({ verdict }) => verdict === 'failed')
  if (failed?.code !== undefined) {
    throw new ProtocolError(failed.code, `${failed.name}: ${failed.reason ?? ''}`)
  }
  if (outcome !== 'verified') throw new ProtocolError('bad-proof', 'nothing here proves anything')
}

// ---- What proves

/** An event ready to be written out as files. */
interface Source extends ReceiptSource {
  /** Over all logs. */
  readonly index: bigint
  readonly indexInLog: bigint
  readonly event: Event
  readonly checkpoint: string
}

/** The entries that the pack will prove, for their time-stamps to be asked for. */
export function listStampable(proofs: ProofSource): StampableEntry[] {
  return readProofs(proofs).sources.map(({ indexInLog, event, checkpoint }) => ({
    index: Number(indexInLog), size: Number(parseCheckpoint(parseNote(checkpoint).text).size),
    type: event.type, log: event.log,
  }))
}

interface ReadProofs {
  /** `null` where the proofs are receipts. */
  readonly audit: AuditExport | null
  readonly sources: readonly Source[]
  /** With what the proofs' own statements lead to. */
  readonly policy: Policy
}

/** @param given - whom to believe; left out, what the proofs name: nothing is verified then. */
function readProofs(proofs: ProofSource, given?: Policy): ReadProofs {
  if ('receipts' in proofs) {
    const policy = given ?? { logs: [], witnesses: [], groups: [], quorum: null }
    const sources = proofs.receipts.map((receipt) => sourceOfReceipt(receipt, policy))
    return { audit: null, policy, sources }
  }
  const audit = selectExport(proofs)
  const policy = exportPolicy(audit, given ?? policyOfLog(audit.vkey))
  return { audit, policy, sources: sourcesOfExport(audit, policy) }
}

function listEvidence({ proofs, agreements, policy: given, stamps = [] }: PackInput): PackFile[] {
  const { audit, sources, policy } = readProofs(proofs, given)
  const notes = [
    ...sources.map(({ checkpoint }) => checkpoint), ...audit === null ? [] : [audit.checkpoint],
  ]
  return [
    ...filesOfAgreements(agreements, sources),
    ...chooseReceipts(sources, 'receipts' in proofs).flatMap(filesOfSource),
    ...audit === null ? [] : [textFile('events.json', formatExport(audit))],
    ...filesOfCheckpoints(notes),
    ...filesOfStamps(stamps, notes),
    ...filesOfBorders(policy, sources),
    textFile('policy.txt', formatPolicy(policy)),
  ]
}

/** What leads from each log to the next: a reader who knows one key follows to the others. */
function filesOfBorders(policy: Policy, sources: readonly Source[]): PackFile[] {
  const origins = new Set(sources.map(({ event }) => event.log))
  const isNeeded = [...origins].some((origin) => firstIndexOf(policy, origin) > 0n)
  return !isNeeded ? [] : (policy.closings ?? []).map(({ statement }, at) =>
    textFile(`receipts/next-log-${at + 1}.tlog-proof`, statement))
}

function textFile(name: string, text: string): PackFile {
  return { name, bytes: encodeUtf8(text) }
}

function sourceOfReceipt({ proof, details }: ReceiptSource, policy: Policy): Source {
  const { index, extra, checkpoint } = parseProof(proof)
  if (extra === undefined) throw new ProtocolError('malformed-proof', 'no opening of an event')
  const event = parseEvent(decodeOpening(extra).eventBytes)
  const place = { index: firstIndexOf(policy, event.log) + index, indexInLog: index }
  return { ...place, event, checkpoint, proof, details }
}

function sourcesOfExport(audit: AuditExport, policy: Policy): Source[] {
  const spans = verifyLine(audit.checkpoint, policy)
  return audit.events.flatMap((exported) =>
    sourceOfExported(exported, spanAt(spans, exported.index)))
}

function sourceOfExported(
  exported: ExportedEvent, { note: checkpoint, firstIndex }: Span,
): Source[] {
  const { index, opened, vaultTag, partyTag, path, details = null } = exported
  if ('commitment' in opened) return []
  const event = parseEvent(opened.bytes)
  const opening = { salt: opened.salt, vaultTag, partyTag, eventBytes: opened.bytes }
  const indexInLog = index - firstIndex
  const proof = buildProof({ index: indexInLog, path, checkpoint, opening })
  return [{ index, indexInLog, event, checkpoint, details, proof }]
}

/** Signatures first: what they opened, and how an address was proven, is in the export too. */
const RECEIPT_TYPES: readonly EventType[] = [
  'nda.accepted', 'nda.declined', 'header.released', 'email.verified', 'access.revoked',
]

function chooseReceipts(sources: readonly Source[], isWhole: boolean): Source[] {
  if (isWhole) return [...sources]
  const chosen = RECEIPT_TYPES.flatMap((type) => sources.filter(({ event }) => event.type === type))
  return chosen.slice(0, MAX_PACK_RECEIPT_COUNT).sort((a, b) => a.index < b.index ? -1 : 1)
}

function filesOfSource({ index, event, proof, details }: Source): PackFile[] {
  const number = `${index}`.padStart(8, '0')
  const name = `receipts/${number}-${event.type}`
  const note = details === null ? null : noteIn(details)
  return [
    ...note === null || event.type !== 'nda.accepted' ? []
      : [textFile(`acceptances/${number}.txt`, note)],
    textFile(`${name}.tlog-proof`, proof),
    ...details === null ? [] : [textFile(`${name}.details.json`, formatDetailsFile(details))],
  ]
}

/** The signed acceptance inside details; what is wrong with them is found when the pack is checked. */
function noteIn({ bytes }: Salted): string | null {
  return parseDetails(bytes).note ?? null
}

function filesOfCheckpoints(notes: readonly string[]): PackFile[] {
  return [...new Set(notes)].map((note, at) => textFile(`checkpoints/${at + 1}.txt`, note))
}

function filesOfAgreements(texts: readonly Uint8Array[], sources: readonly Source[]): PackFile[] {
  const agreed = new Set(sources.map(({ event }) => event.agreementSha256))
  const files = texts.map((bytes) => ({ name: encodeHex(sha256(bytes)), bytes }))
    .filter(({ name }) => agreed.has(name))
  return [...new Map(files.map(({ name, bytes }) =>
    [name, { name: `agreements/${name}.txt`, bytes }])).values()]
}

// ---- One person of a vault

function selectExport(
  { exportText, party }: { exportText: string, party: string | null },
): AuditExport {
  const audit = parseExport(exportText)
  return party === null ? audit : selectPerson(audit, party)
}

/** A person's events, and of the vault's own those that they name: agreement, link, versions. */
function selectPerson(audit: AuditExport, party: string): AuditExport {
  const opened = audit.events.flatMap((exported) => 'bytes' in exported.opened
    ? [{ exported, event: parseEvent(exported.opened.bytes) }]
    : [])
  const own = opened.filter(({ event }) => event.party === party)
  const named = new Set(own.flatMap(({ event }) => namesIn(event)))
  const chosen = opened.filter(({ event }) => event.party === party ||
    (event.party === undefined && namesIn(event).some((name) => named.has(name))))
  return {
    ...audit, filter: audit.filter ?? `personId=${party}`,
    events: chosen.map(({ exported }) => exported),
  }
}

function namesIn({ agreementSha256, grant, recordSha256 }: Event): string[] {
  return [agreementSha256, grant, recordSha256].filter((name) => name !== undefined)
}

// ---- What explains

async function describe(
  report: EvidenceReport, evidence: readonly PackFile[], input: PackInput,
): Promise<PackFile[]> {
  const { madeAt, language, font, verifier } = input
  const words = EVIDENCE_WORDS[language]
  const title = titleOf(report, words)
  const sections = sectionsOf(report, words, madeAt)
  const certificate = await formatCertificate({ title, madeAt, sections, words, font })
  return [
    textFile('README.txt', formatCover(report, madeAt)),
    { name: 'certificate.pdf', bytes: certificate },
    textFile('HOW-TO-CHECK.txt', formatHowToCheck({
      receipt: nameOr(evidence, /\.tlog-proof$/, 'receipts/NAME.tlog-proof'),
      agreement: nameOr(evidence, /^agreements\//, 'agreements/NAME.txt'),
      stamps: report.stamps,
    })),
    textFile('process-en.txt', processEnglish),
    textFile('process-ru.txt', processRussian),
    { name: 'verify.html', bytes: verifier },
  ]
}

function nameOr(files: readonly PackFile[], pattern: RegExp, otherwise: string): string {
  return files.find(({ name }) => pattern.test(name))?.name ?? otherwise
}

function titleOf({ acceptances }: EvidenceReport, words: EvidenceWords): string {
  return acceptances.length === 1 ? words.certificateTitle : words.vaultTitle
}

function sectionsOf(report: EvidenceReport, words: EvidenceWords, madeAt: string): Section[] {
  const vault = report.events.find(({ event }) => event?.vault !== undefined)?.event?.vault
  return [
    {
      title: words.acceptances(report.acceptances.length),
      facts: [
        ...vault === undefined ? [] : [{ name: words.vault, value: vault, isCode: true }],
        { name: words.madeAt, value: `${madeAt.slice(0, 10)} ${madeAt.slice(11, 19)} UTC` },
      ],
    },
    ...tellAcceptances(report, words),
    tellEvents(report, words),
    ...tellChecks(report, words),
  ]
}

/** README.txt: English, then Russian. */
function formatCover(report: EvidenceReport, madeAt: string): string {
  return Object.values(EVIDENCE_WORDS)
    .map((words) => formatCoverIn(report, words, madeAt))
    .join(`\n${'='.repeat(96)}\n\n`)
}

function formatCoverIn(report: EvidenceReport, words: EvidenceWords, madeAt: string): string {
  const sections = sectionsOf(report, words, madeAt)
  const contents: Section = {
    title: words.contentsTitle, facts: words.contents.map(([name = '', value = '']) => ({ name, value })),
  }
  return [
    words.coverTitle.toUpperCase(), '', words.readFirst, '',
    ...[...sections, contents].flatMap(formatSection),
  ].join('\n')
}

/** Names in a column; values as they are. */
const COLUMN_WIDTH = 36

function formatSection({ title, facts = [], lines = [] }: Section): string[] {
  return [
    title, '-'.repeat(Math.min(96, [...title].length)),
    ...facts.map(({ name, value }) => `  ${name.padEnd(COLUMN_WIDTH)} ${value}`),
    ...lines.map((line) => `  ${line}`), '',
  ]
}
