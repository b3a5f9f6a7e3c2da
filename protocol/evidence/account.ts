/**
 * An evidence report as people read it: titles, facts and sentences, the same on the cover, on the
 * certificate, in the command line and in the verifier (SPEC.md § 12.3). Pure; must not add a fact that
 * the report has not proved.
 */
import { encodeHex } from '../bytes.js'
import type { Signatory } from '../log/acceptance.js'
import { parseVkey } from '../log/note.js'
import type { TrustedCheckpoint } from '../log/policy.js'
import type {
  CheckedFile, EvidenceReport, FileKind, FoundStamp, ProvenAcceptance, ProvenEvent, Verdict,
} from './check.js'
import { english, type EvidenceWords } from './words-en.js'
import { russian } from './words-ru.js'

export const EVIDENCE_LANGUAGES = ['en', 'ru'] as const

export type EvidenceLanguage = typeof EVIDENCE_LANGUAGES[number]

export const EVIDENCE_WORDS: Readonly<Record<EvidenceLanguage, EvidenceWords>> = {
  en: english, ru: russian,
}

/** `isCode`: hashes and keys, which people compare letter by letter. */
export interface Fact {
  readonly name: string
  readonly value: string
  readonly isCode?: boolean
}

export interface Section {
  readonly title: string
  readonly facts?: readonly Fact[]
  readonly lines?: readonly string[]
}

/** Enough for any page; the rest is in the files. */
const MAX_SHOWN_RELEASE_COUNT = 12
const MAX_SHOWN_EVENT_COUNT = 200

/** `2026-11-22T14:31:05.120Z` as `2026-11-22 14:31:05 UTC`. */
export function sayTime(time: string): string {
  return `${time.slice(0, 10)} ${time.slice(11, 19)} UTC`
}

export function saySeconds(timeSeconds: bigint): string {
  const timeMs = Number(timeSeconds) * 1000
  // A witness may claim any time at all; Date ends in the year 275760.
  return timeMs > 8.64e15 ? `second ${timeSeconds}` : sayTime(new Date(timeMs).toISOString())
}

export function saySignatory({ name, email, organisation }: Signatory): string {
  return `${name} <${email}>${organisation === undefined ? '' : `, ${organisation}`}`
}

/** Who agreed to what, one section each. */
export function tellAcceptances(report: EvidenceReport, words: EvidenceWords): Section[] {
  return report.acceptances.map((one) =>
    ({ title: titleOf(one, words), facts: factsOf(one, words) }))
}

function titleOf({ proof, acceptance }: ProvenAcceptance, words: EvidenceWords): string {
  if (acceptance === null) return words.acceptedBySomebody(proof?.event?.party ?? '?')
  const who = saySignatory(acceptance)
  return proof === null ? words.signedOnly(who) : words.accepted(who)
}

function factsOf(one: ProvenAcceptance, words: EvidenceWords): Fact[] {
  return [
    ...signedFacts(one, words),
    ...one.proof === null ? [] : loggedFacts(one.proof, one.stamp, words),
    ...one.proof === null ? [] : [
      { name: words.emailProof, value: sayEmailProof(one.emailProof, words) },
      { name: words.released, value: sayReleases(one.releases, words) },
    ],
    ...keyFacts(one, words),
  ]
}

function signedFacts(one: ProvenAcceptance, words: EvidenceWords): Fact[] {
  const { acceptance, agreementSha256, agreementFile } = one
  const file = agreementFile === null ? words.agreementMissing : words.agreementIs(agreementFile)
  return [
    { name: words.party, value: acceptance === null ? words.withheld : saySignatory(acceptance) },
    ...acceptance === null ? [] : [{ name: words.agreement, value: acceptance.agreement }],
    { name: words.agreementSha256, value: agreementSha256, isCode: true },
    { name: words.agreementFile, value: file },
    ...acceptance === null ? [] : [
      { name: words.consent, value: acceptance.consent },
      { name: words.signerClock, value: sayTime(acceptance.signedAt) },
    ],
  ]
}

function loggedFacts(
  { indexInLog, event, details, seen }: ProvenEvent, stamp: FoundStamp | null, words: EvidenceWords,
): Fact[] {
  return [
    { name: words.serverClock, value: sayTime(event?.at ?? '') },
    { name: words.place, value: words.placeIn(`${indexInLog}`, seen.checkpoint.origin) },
    { name: words.checkpoint, value: sayCheckpoint(seen, words) },
    { name: words.cosignedBy, value: sayCosignatures(seen, words) },
    ...stamp === null ? [] : [{ name: words.stamped, value: sayStamp(stamp, words) }],
    ...details?.address === undefined ? [] : [{ name: words.address, value: details.address }],
    ...details?.userAgent === undefined ? []
      : [{ name: words.userAgent, value: details.userAgent }],
  ]
}

export function sayCheckpoint({ checkpoint }: TrustedCheckpoint, words: EvidenceWords): string {
  return words.checkpointOf(`${checkpoint.size}`, encodeHex(checkpoint.root))
}

export function sayCosignatures({ cosignatures }: TrustedCheckpoint, words: EvidenceWords): string {
  if (cosignatures.length === 0) return words.noWitness
  return cosignatures
    .map(({ witness, timeSeconds }) => `${witness}, ${saySeconds(timeSeconds)}`).join('; ')
}

export function sayStamp({ atMs, tokenFile }: FoundStamp, words: EvidenceWords): string {
  return words.stampedAt(sayTime(new Date(atMs).toISOString()), tokenFile)
}

/** What a program that was not written by us says about the signature; `-attime` for when the authority's certificate has run out. */
export function commandFor({ atMs, tokenFile, checkpointFile }: FoundStamp): string {
  const seconds = Math.floor(atMs / 1000)
  return `openssl ts -verify -attime ${seconds} -data ${checkpointFile} -in ${tokenFile} -CAfile AUTHORITY.pem`
}

function sayEmailProof(proof: ProvenEvent | null, words: EvidenceWords): string {
  if (proof === null || proof.event === null) return words.emailUnknown
  return words.emailByCode(sayTime(proof.event.at), `${proof.index}`)
}

function sayReleases(releases: readonly ProvenEvent[], words: EvidenceWords): string {
  if (releases.length === 0) return words.releasedNone
  const shown = releases.slice(0, MAX_SHOWN_RELEASE_COUNT).map(({ index, event }) =>
    words.releasedOne(event?.part ?? 0, event?.version ?? 0, sayTime(event?.at ?? ''), `${index}`))
  const hiddenCount = releases.length - shown.length
  return [...shown, ...hiddenCount === 0 ? [] : [words.releasedMore(hiddenCount)]].join('; ')
}

function keyFacts({ proof, acceptance }: ProvenAcceptance, words: EvidenceWords): Fact[] {
  const keys: ReadonlyArray<readonly [string, string | undefined]> = [
    [words.disclosing, acceptance?.founderKey ?? proof?.event?.founderKey],
    [words.linkKey, acceptance?.linkKey ?? proof?.event?.linkKey],
    [words.deviceKey, acceptance?.deviceKey ?? proof?.event?.deviceKey],
  ]
  const hashes: ReadonlyArray<readonly [string, string | undefined]> = [
    [words.grantSha256, acceptance?.grantSha256 ?? proof?.event?.grantSha256],
    [words.commitment, proof?.commitment],
  ]
  return [...keys.map(([name, vkey]) => [name, nameOf(vkey)] as const), ...hashes]
    .flatMap(([name, value]) => value === undefined ? [] : [{ name, value, isCode: true }])
}

function nameOf(vkey: string | undefined): string | undefined {
  return vkey === undefined ? undefined : parseVkey(vkey).name
}

/** What else the log says, a line an event. */
export function tellEvents({ events }: EvidenceReport, words: EvidenceWords): Section {
  const shown = events.slice(0, MAX_SHOWN_EVENT_COUNT).map(({ index, event, details }) => {
    if (event === null) return words.eventLine(`${index}`, '', words.erased)
    const who = details?.name ?? (event.party === undefined ? '' : event.party.slice(-6))
    const what = words.events[event.type]
    return words.eventLine(`${index}`, sayTime(event.at), who === '' ? what : `${what} (${who})`)
  })
  const hiddenCount = events.length - shown.length
  const lines = [...shown, ...hiddenCount === 0 ? [] : [words.moreEvents(hiddenCount)]]
  return { title: words.inLog, lines }
}

/** What was checked, what was not, what is odd: the limits of the proof in words. */
export function tellChecks(report: EvidenceReport, words: EvidenceWords): Section[] {
  const findings = report.findings.map(({ kind, index }) =>
    words.finding(`${index}`, words.alarms[kind]))
  return [
    ...findings.length === 0 ? [] : [{ title: words.findingsTitle, lines: findings }],
    { title: words.checkedTitle, lines: listChecked(report, words) },
    { title: words.notCheckedTitle, lines: listUnchecked(report, words) },
  ]
}

function listChecked(report: EvidenceReport, words: EvidenceWords): string[] {
  const { files, events, acceptances, findings } = report
  const agreementCount = countOf(files, 'agreement', 'proved')
  const isUnchanged = countOf(files, 'checksums', 'unchanged') > 0 &&
    !files.some(({ code }) => code === 'changed-file')
  const hasPermissions = events.some(({ event }) => event?.because !== undefined)
  return [
    ...acceptances.some(({ acceptance }) => acceptance !== null) ? [words.checkedSignatures] : [],
    ...events.length > 0 ? [words.checkedInclusion(events.length)] : [],
    ...agreementCount > 0 ? [words.checkedAgreements(agreementCount)] : [],
    ...events.some(({ details }) => details !== null) ? [words.checkedDetails] : [],
    ...report.isPack && findings.length === 0 && hasPermissions ? [words.checkedPermissions] : [],
    ...report.stamps.length > 0 ? [words.checkedStamps(report.stamps.length)] : [],
    ...isUnchanged ? [words.checkedSums] : [],
  ]
}

function countOf(files: readonly CheckedFile[], kind: FileKind, verdict: Verdict): number {
  return files.filter((file) => file.kind === kind && file.verdict === verdict).length
}

function listUnchecked(report: EvidenceReport, words: EvidenceWords): string[] {
  const { isPack, checkpoints, events, stamps: [stamp] } = report
  return [
    words.notPerson, words.notClock,
    ...events.length > 0 ? [words.notComplete] : [],
    ...stamp === undefined ? [] : [words.notStampSigner(commandFor(stamp))],
    ...checkpoints.length > 1 ? [words.notGrowth] : [],
    ...isPack ? [words.notWords, words.notVerifier] : [],
  ]
}
