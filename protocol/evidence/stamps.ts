/**
 * Time-stamps in evidence packs (SPEC.md § 12.2): which to ask for, and how they lie in a pack. Pure.
 *
 *   timestamps/<size>.checkpoint        the signed checkpoint that was stamped, byte for byte
 *   timestamps/<size>.tsr               the authority's answer
 *   timestamps/<size>.pem               the certificates that it carries, if it does
 *   timestamps/<size>-<size>.growth     that the smaller tree is the beginning of the larger one, of which one
 *                                       is stamped and the other is the pack's; in the form of § 7.8
 *
 * [Note: First stamp over an entry] A stamp says that its checkpoint, and so every entry under it, was there by then.
 * The first one over an entry says most; it covers all entries before, too.
 */
import { encodeUtf8 } from '../bytes.js'
import { assert } from '../errors.js'
import { MAX_PACK_STAMP_COUNT } from '../limits.js'
import { parseCheckpoint } from '../log/checkpoint.js'
import type { EventType } from '../log/event-types.js'
import { parseNote } from '../log/note.js'
import { formatPem, readTimeStamp } from '../log/time-stamp.js'
import { formatAddCheckpoint } from '../log/witness.js'
import type { PackFile } from './zip.js'

/** An entry for which a stamp is wanted. */
export interface StampableEntry {
  /** The origin of the log that it stands in, and its index there. */
  readonly log: string
  readonly index: number
  /** Of the checkpoint under which the pack proves it. */
  readonly size: number
  readonly type: EventType
}

export interface StampSource {
  /** The signed checkpoint that was stamped. */
  readonly checkpoint: string
  /** The authority's answer. */
  readonly token: Uint8Array
  /** Size of the pack's own checkpoint, and the way from the smaller of the two trees to the larger. */
  readonly size: number
  readonly proof: readonly Uint8Array[]
}

/** The first stamp over an entry; `null` if there is none yet. */
export type AskForStamp = (entry: StampableEntry) => Promise<StampSource | null>

const SIGNATURE_TYPES: readonly EventType[] = ['nda.accepted', 'nda.declined']

/**
 * The first stamp over each entry, signatures first, as far as the limit goes: each stamp once.
 * See [Note: First stamp over an entry].
 */
export async function gatherStamps(
  entries: readonly StampableEntry[], ask: AskForStamp,
): Promise<StampSource[]> {
  const found: { covered: number, source: StampSource }[] = []
  const bareFrom = new Map<string, number>() // No stamp covers this entry of a log, nor any after it.
  for (const entry of inOrder(entries)) {
    const isBare = entry.index >= (bareFrom.get(entry.log) ?? Number.POSITIVE_INFINITY)
    const isKnown = isBare || found.some(({ covered, source }) =>
      originOf(source.checkpoint) === entry.log && source.size === entry.size &&
      covered > entry.index)
    if (isKnown) continue
    if (found.length >= MAX_PACK_STAMP_COUNT) break
    const source = await ask(entry)
    if (source === null) bareFrom.set(entry.log, entry.index)
    else found.push({ covered: sizeOf(source.checkpoint), source })
  }
  return found.map(({ source }) => source)
}

function inOrder(entries: readonly StampableEntry[]): StampableEntry[] {
  const sorted = [...entries].sort((a, b) => a.index - b.index)
  const signatures = sorted.filter(({ type }) => SIGNATURE_TYPES.includes(type))
  return [...signatures, ...sorted.filter((entry) => !signatures.includes(entry))]
}

function originOf(note: string): string {
  return parseCheckpoint(parseNote(note).text).origin
}

function sizeOf(note: string): number {
  return Number(parseCheckpoint(parseNote(note).text).size)
}

/**
 * The files of a pack's stamps.
 * @param notes - the checkpoints under which the pack proves its entries.
 * @throws ProtocolError `bad-time-stamp`, `malformed-checkpoint` or `malformed-note`.
 */
export function filesOfStamps(
  stamps: readonly StampSource[], notes: readonly string[],
): PackFile[] {
  const origins = [...new Set(notes.map(originOf))]
  const files = stamps.flatMap((stamp) =>
    [...filesOfToken(stamp), ...filesOfGrowth(stamp, notes)].map((file) => {
      // Sizes tell the trees of one log apart; the logs of a pack have numbers.
      const folder = origins.length < 2 ? 'timestamps' : `timestamps/log-${origins.indexOf(originOf(stamp.checkpoint)) + 1}`
      return { ...file, name: file.name.replace(/^timestamps/, folder) }
    }))
  return [...new Map(files.map((file) => [file.name, file])).values()]
}

function nameOf(...sizes: readonly number[]): string {
  return `timestamps/${sizes.map((size) => `${size}`.padStart(16, '0')).join('-')}`
}

function filesOfToken({ checkpoint, token }: StampSource): PackFile[] {
  const name = nameOf(sizeOf(checkpoint))
  const { certificates } = readTimeStamp(token)
  return [
    { name: `${name}.checkpoint`, bytes: encodeUtf8(checkpoint) },
    { name: `${name}.tsr`, bytes: token },
    ...certificates.length === 0 ? []
      : [{ name: `${name}.pem`, bytes: encodeUtf8(formatPem(certificates)) }],
  ]
}

function filesOfGrowth(
  { checkpoint, size, proof }: StampSource, notes: readonly string[],
): PackFile[] {
  const stamped = sizeOf(checkpoint)
  if (stamped === size) return []
  const own = notes.find((note) => sizeOf(note) === size && originOf(note) === originOf(checkpoint))
  assert(own !== undefined, 'a stamp was asked for an entry of the pack')
  const [oldSize, newer] = stamped < size ? [stamped, own] : [size, checkpoint]
  const growth = formatAddCheckpoint({ oldSize: BigInt(oldSize), proof, note: newer })
  const name = nameOf(oldSize, Math.max(stamped, size))
  return [{ name: `${name}.growth`, bytes: encodeUtf8(growth) }]
}
