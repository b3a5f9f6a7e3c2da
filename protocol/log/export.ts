/**
 * The auditor's export: a vault's events with all that proves them, as one JSON file (SPEC.md § 10).
 * Pure; must not say more than the file proves: what reads like a fact here has been recomputed.
 *
 * One event a line, fields in a fixed order, so that there is one spelling: a file that does not
 * read back to the same text is refused. Bytes are base64url without padding.
 *
 *   {"format":"sealdeck-audit-export/v1","origin":...,"vkey":...,"checkpoint":...,"exportedAt":...,
 *    "vaultId":...,["filter":...,]["statements":[...],]"events":[
 *   {"index":...,"event":...,"salt":...,"vaultTag":...,"partyTag":...,"proof":[...],"details":{...}},
 *   {"index":...,"commitment":...,"vaultTag":...,"partyTag":...,"proof":[...]}
 *   ]}
 *
 * The second kind is an erased event: its commitment is still in the tree, and nobody knows of what.
 */
import { decodeBase64Url, encodeBase64Url, encodeHex } from '../bytes.js'
import { assert, ProtocolError } from '../errors.js'
import { HASH_SIZE_BYTES } from '../hash.js'
import {
  MAX_DETAILS_SIZE_BYTES, MAX_EVENT_SIZE_BYTES, MAX_EXPORT_EVENT_COUNT, MAX_EXPORT_SIZE_BYTES,
  MAX_PROOF_HASH_COUNT, MAX_ROTATION_COUNT,
} from '../limits.js'
import {
  commitEvent, encodeEntry, isTime, parseEvent, SALT_SIZE_BYTES, TAG_SIZE_BYTES, verifyDetails,
  type Details, type Event,
} from './event.js'
import { ALARM_KINDS, findAnomalies, type AlarmKind } from './anomalies.js'
import { EXPORT_END } from './export-pieces.js'
import { spanAt, verifyLine, type Span } from './line.js'
import { hashLeaf, verifyInclusion } from './merkle.js'
import { equalKeys, parseVkey } from './note.js'
import { verifyCheckpoint, type Policy, type TrustedCheckpoint } from './policy.js'
import { verifyRotation, withLinkedKeys } from './rotation.js'

export const EXPORT_FORMAT = 'sealdeck-audit-export/v1'

/** Stands for the vault's id where the events are those of all vaults and of the instance itself. */
export const WHOLE_INSTANCE = 'instance'

/** Bytes that were committed to, and the salt that opens the commitment. */
export interface Salted {
  readonly bytes: Uint8Array
  readonly salt: Uint8Array
}

export interface ExportedEvent {
  readonly index: bigint
  /** The event, or only its commitment where it was erased. */
  readonly opened: Salted | { readonly commitment: Uint8Array }
  readonly vaultTag: Uint8Array
  readonly partyTag: Uint8Array
  /** Inclusion path, leaf side first. */
  readonly path: readonly Uint8Array[]
  /** Where the reader may see identities, and they are not erased. */
  readonly details?: Salted
}

export interface AuditExport {
  readonly origin: string
  /** The log's key as the server states it. Convenient, and proves nothing: pin a policy. */
  readonly vkey: string
  /** The signed checkpoint that all paths lead to. */
  readonly checkpoint: string
  /** UTC with milliseconds. */
  readonly exportedAt: string
  /** Or `WHOLE_INSTANCE`. */
  readonly vaultId: string
  /** What was asked for, where that was not everything: a query's text. The events left out are not missing. */
  readonly filter?: string
  /** Where logs before this one hold some of the events: what leads from each to the next (rotation.ts). */
  readonly statements?: readonly string[]
  /** By place over all logs ([Note: One numbering] in line.ts), which in a first log is the index, ascending. */
  readonly events: readonly ExportedEvent[]
}

// ---- Writing ----

export function formatExport(audit: AuditExport): string {
  return `${formatExportHead(audit)}${audit.events.map(formatExportEvent).join(',')}${EXPORT_END}`
}

/** The first line without its end; events follow, with commas between them, and `formatExportEnd`. */
export function formatExportHead(audit: Omit<AuditExport, 'events'>): string {
  const { origin, vkey, checkpoint, exportedAt, vaultId, filter, statements } = audit
  const fields = {
    format: EXPORT_FORMAT, origin, vkey, checkpoint, exportedAt, vaultId,
    ...filter === undefined ? {} : { filter },
    ...statements === undefined ? {} : { statements },
  }
  return `${JSON.stringify(fields).slice(0, -1)},"events":[`
}

export function formatExportEvent(event: ExportedEvent): string {
  return `\n${JSON.stringify(eventFields(event))}`
}

export function formatExportEnd(): string {
  return EXPORT_END
}

function eventFields({ index, opened, vaultTag, partyTag, path, details }: ExportedEvent): object {
  assert(index <= BigInt(Number.MAX_SAFE_INTEGER), 'an index fits a JSON number')
  const content = 'commitment' in opened
    ? { commitment: encodeBase64Url(opened.commitment) }
    : { event: encodeBase64Url(opened.bytes), salt: encodeBase64Url(opened.salt) }
  return {
    index: Number(index),
    ...content,
    vaultTag: encodeBase64Url(vaultTag),
    partyTag: encodeBase64Url(partyTag),
    proof: path.map(encodeBase64Url),
    ...details === undefined ? {} : { details: saltedFields(details) },
  }
}

function saltedFields({ bytes, salt }: Salted): object {
  return { bytes: encodeBase64Url(bytes), salt: encodeBase64Url(salt) }
}

// ---- Reading ----

/** @throws ProtocolError `malformed-export`. Verifies nothing. */
export function parseExport(text: string): AuditExport {
  if (text.length > MAX_EXPORT_SIZE_BYTES) throw malformed('over its size limit')
  const root = fieldsOf(parseJsonText(text))
  if (root.get('format') !== EXPORT_FORMAT) throw malformed(`not a ${EXPORT_FORMAT}`)
  const audit: AuditExport = {
    origin: textOf(root, 'origin'),
    vkey: textOf(root, 'vkey'),
    checkpoint: textOf(root, 'checkpoint'),
    exportedAt: textOf(root, 'exportedAt'),
    vaultId: textOf(root, 'vaultId'),
    ...root.has('filter') ? { filter: textOf(root, 'filter') } : {},
    ...root.has('statements') ? { statements: statementsOf(root) } : {},
    events: listOf(root, 'events', MAX_EXPORT_EVENT_COUNT).map(readEvent),
  }
  if (!isTime(audit.exportedAt)) throw malformed('exportedAt')
  requireAscending(audit.events)
  if (formatExport(audit) !== text) throw malformed('more than one way to write it')
  return audit
}

function malformed(detail: string): ProtocolError {
  return new ProtocolError('malformed-export', detail)
}

function parseJsonText(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text)
    return value
  } catch (error) {
    throw malformed(error instanceof Error ? error.message : 'not JSON')
  }
}

type Fields = ReadonlyMap<string, unknown>

function fieldsOf(value: unknown): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw malformed('not an object')
  return new Map(Object.entries(value))
}

function textOf(fields: Fields, name: string): string {
  const value = fields.get(name)
  if (typeof value !== 'string') throw malformed(`${name} is not a text`)
  return value
}

function listOf(fields: Fields, name: string, limit: number): readonly unknown[] {
  const value = fields.get(name)
  if (!Array.isArray(value) || value.length > limit) throw malformed(`${name} is not a list within its limit`)
  return value
}

function statementsOf(root: Fields): string[] {
  return listOf(root, 'statements', MAX_ROTATION_COUNT).map((statement) => {
    if (typeof statement !== 'string') throw malformed('a statement is not a text')
    return statement
  })
}

function bytesOf(text: unknown, size: { exactly: number } | { upTo: number }): Uint8Array {
  if (typeof text !== 'string') throw malformed('bytes are not a text')
  const limit = 'exactly' in size ? size.exactly : size.upTo
  // Refused by its length first, so that nothing large is decoded.
  if (text.length > Math.ceil(limit * 4 / 3)) throw malformed('bytes over their limit')
  const bytes = decodeBytes(text)
  if ('exactly' in size && bytes.length !== size.exactly) throw malformed('bytes of another size')
  return bytes
}

function decodeBytes(text: string): Uint8Array {
  try {
    return decodeBase64Url(text)
  } catch (error) {
    throw malformed(error instanceof Error ? error.message : 'base64url')
  }
}

function readEvent(value: unknown): ExportedEvent {
  const fields = fieldsOf(value)
  const index = fields.get('index')
  if (!Number.isSafeInteger(index) || typeof index !== 'number' || index < 0) throw malformed('index')
  const event = {
    index: BigInt(index),
    opened: fields.has('commitment')
      ? { commitment: bytesOf(fields.get('commitment'), { exactly: HASH_SIZE_BYTES }) }
      : readSalted(fields, { name: 'event', limit: MAX_EVENT_SIZE_BYTES }),
    vaultTag: bytesOf(fields.get('vaultTag'), { exactly: TAG_SIZE_BYTES }),
    partyTag: bytesOf(fields.get('partyTag'), { exactly: TAG_SIZE_BYTES }),
    path: listOf(fields, 'proof', MAX_PROOF_HASH_COUNT).map(
      (hash) => bytesOf(hash, { exactly: HASH_SIZE_BYTES })),
  }
  if (!fields.has('details')) return event
  if ('commitment' in event.opened) throw malformed('details of an erased event')
  const details = fieldsOf(fields.get('details'))
  return { ...event, details: readSalted(details, { name: 'bytes', limit: MAX_DETAILS_SIZE_BYTES }) }
}

function readSalted(fields: Fields, { name, limit }: { name: string, limit: number }): Salted {
  return {
    bytes: bytesOf(fields.get(name), { upTo: limit }),
    salt: bytesOf(fields.get('salt'), { exactly: SALT_SIZE_BYTES }),
  }
}

function requireAscending(events: readonly ExportedEvent[]): void {
  let previous = -1n
  for (const { index } of events) {
    if (index <= previous) throw malformed('events out of order')
    previous = index
  }
}

/**
 * What goes beside a receipt for those who may see it: `{"bytes":...,"salt":...}`, base64url.
 * @throws ProtocolError `malformed-export`. `verifyDetails` checks it against the event.
 */
export function parseDetailsFile(text: string): Salted {
  const details = readSalted(fieldsOf(parseJsonText(text)), { name: 'bytes', limit: MAX_DETAILS_SIZE_BYTES })
  if (formatDetailsFile(details) !== `${text.trimEnd()}\n`) throw malformed('more than one way to write it')
  return details
}

export function formatDetailsFile(details: Salted): string {
  return `${JSON.stringify(saltedFields(details))}\n`
}

// ---- Verifying ----

/** One event of a verified export. `event` is `null` where it was erased. */
export interface VerifiedEvent {
  /** Over all logs. */
  readonly index: bigint
  readonly event: Event | null
  /** Lower-case hex; what `because` of a later event names. */
  readonly commitment: string
  readonly details?: Details
}

/** What a careful reader should look at. All of it is in the log; none of it is a broken proof. */
export interface Finding {
  readonly kind: AlarmKind
  readonly index: bigint
}

export interface VerifiedExport extends TrustedCheckpoint {
  /** The logs that hold the events, oldest first; the last one's checkpoint is the export's. */
  readonly spans: readonly Span[]
  readonly events: readonly VerifiedEvent[]
  readonly findings: readonly Finding[]
}

/**
 * Prove every event of an export, without network.
 *
 * @throws ProtocolError what `verifyCheckpoint` throws; `bad-proof`, `malformed-event`, `bad-details`;
 * `wrong-origin` if log, key or an event belong to another log; `wrong-vault`.
 */
export function verifyExport(audit: AuditExport, policy: Policy): VerifiedExport {
  const linked = exportPolicy(audit, policy)
  const spans = verifyLine(audit.checkpoint, linked)
  const trusted = verifyCheckpoint(audit.checkpoint, linked)
  const isNamed = linked.logs.some(({ key }) => equalKeys(key, parseVkey(audit.vkey)))
  if (!isNamed || audit.origin !== trusted.checkpoint.origin) {
    throw new ProtocolError('wrong-origin', 'the export names another log')
  }
  const events = audit.events.map((event) => verifyEvent(event, audit.vaultId, spans))
  return { ...trusted, spans, events, findings: findOddities(events, audit.filter === undefined) }
}

/** The policy, with what the export's own statements prove of the logs that it names. @throws as `withLinkedKeys`. */
export function exportPolicy({ statements = [] }: AuditExport, policy: Policy): Policy {
  return statements.length === 0 ? policy : withLinkedKeys(policy, statements.map(verifyRotation))
}

/**
 * The alarms among proven events, by index (SPEC.md § 10.1). A new device or an erasure is no reason to doubt a file.
 *
 * @param isWhole - the events are all there are ([Note: Seen from the start] in anomalies.ts).
 */
export function findOddities(events: readonly VerifiedEvent[], isWhole = true): Finding[] {
  const seen = events.map((event) => ({ ...event, index: Number(event.index) }))
  return findAnomalies(seen, isWhole).flatMap(({ kind, index }) => {
    const alarm = ALARM_KINDS.find((known) => known === kind)
    return alarm === undefined ? [] : [{ kind: alarm, index: BigInt(index) }]
  })
}

function verifyEvent(
  exported: ExportedEvent, vaultId: string, spans: readonly Span[],
): VerifiedEvent {
  const { index, opened, vaultTag, partyTag, path } = exported
  const { trusted, firstIndex } = spanAt(spans, index)
  const { origin, size, root } = trusted.checkpoint
  const commitment = 'commitment' in opened
    ? opened.commitment
    : commitEvent(opened.salt, opened.bytes)
  const leaf = hashLeaf(encodeEntry({ commitment, vaultTag, partyTag }))
  verifyInclusion({ leaf, index: index - firstIndex, size, root, proof: path })

  const place = { index, commitment: encodeHex(commitment) }
  if ('commitment' in opened) return { ...place, event: null }
  const event = parseEvent(opened.bytes)
  if (event.log !== origin) throw new ProtocolError('wrong-origin', 'an event of another log')
  if (vaultId !== WHOLE_INSTANCE && event.vault !== vaultId) throw new ProtocolError('wrong-vault', 'an event of another vault')
  if (exported.details === undefined) return { ...place, event }
  return { ...place, event, details: verifyDetails(event, exported.details) }
}
