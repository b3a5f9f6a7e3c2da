/**
 * Receipts: one file that proves, with the server gone, that an event stands in a log (SPEC.md § 7,
 * source: c2sp.org/tlog-proof). The front of protocol/log. Pure; must not trust what a file says
 * about itself: the leaf is computed from the opening, and the checkpoint is judged by a policy.
 *
 *   c2sp.org/tlog-proof@v1
 *   extra <base64(01 ‖ salt[32] ‖ vault tag[16] ‖ party tag[16] ‖ event bytes)>
 *   index <decimal>
 *   <base64 hash> ...            leaf side first
 *
 *   <checkpoint, a signed note>
 */
import { concatBytes, decodeBase64, encodeBase64, encodeUtf8 } from '../bytes.js'
import { assert, ProtocolError } from '../errors.js'
import { HASH_SIZE_BYTES } from '../hash.js'
import {
  MAX_EVENT_SIZE_BYTES, MAX_PROOF_HASH_COUNT, MAX_RECEIPT_SIZE_BYTES,
} from '../limits.js'
import { decodeHashOr } from './checkpoint.js'
import {
  entryOfOpening, parseEvent, SALT_SIZE_BYTES, TAG_SIZE_BYTES, type Event, type Opening,
} from './event.js'
import { hashLeaf, verifyInclusion } from './merkle.js'
import { parseDecimal } from './note.js'
import { verifyCheckpoint, type Policy, type TrustedCheckpoint } from './policy.js'

/** What every receipt begins with. */
export const RECEIPT_FIRST_LINE = 'c2sp.org/tlog-proof@v1'
const OPENING_VERSION = 1
const OPENING_HEAD_SIZE_BYTES = 1 + SALT_SIZE_BYTES + 2 * TAG_SIZE_BYTES

/** What the file says. `extra` is not authenticated by anything but the leaf made from it. */
export interface Proof {
  readonly extra?: Uint8Array
  readonly index: bigint
  /** Inclusion path, leaf side first. */
  readonly path: readonly Uint8Array[]
  /** The signed checkpoint, verbatim. */
  readonly checkpoint: string
}

/** What a receipt has proved. */
export interface VerifiedReceipt extends TrustedCheckpoint {
  readonly index: bigint
  readonly event: Event
  readonly opening: Opening
}

// ---- The file ----

/** The text of a `.tlog-proof` file. */
export function formatProof(proof: Proof): string {
  assert(proof.path.length <= MAX_PROOF_HASH_COUNT, 'a path is as long as a tree is high')
  assert(proof.path.every((hash) => hash.length === HASH_SIZE_BYTES), 'a hash is 32 bytes')
  const extra = proof.extra === undefined ? '' : `extra ${encodeBase64(proof.extra)}\n`
  const path = proof.path.map((hash) => `${encodeBase64(hash)}\n`).join('')
  return `${RECEIPT_FIRST_LINE}\n${extra}index ${proof.index}\n${path}\n${proof.checkpoint}`
}

/**
 * Takes the file apart; verifies nothing.
 * @throws ProtocolError `malformed-proof`.
 */
export function parseProof(text: string): Proof {
  if (text.length > MAX_RECEIPT_SIZE_BYTES || encodeUtf8(text).length > MAX_RECEIPT_SIZE_BYTES) {
    throw new ProtocolError('malformed-proof', 'over its size limit')
  }
  const split = text.indexOf('\n\n')
  if (split < 0) throw new ProtocolError('malformed-proof', 'no empty line before the checkpoint')
  const [first, ...lines] = text.slice(0, split).split('\n')
  if (first !== RECEIPT_FIRST_LINE) throw new ProtocolError('malformed-proof', 'not a tlog-proof of version 1')
  return { ...parseHead(lines), checkpoint: text.slice(split + 2) }
}

function parseHead(lines: readonly string[]): Omit<Proof, 'checkpoint'> {
  const [extraLine, ...afterExtra] = lines
  const hasExtra = extraLine?.startsWith('extra ') === true
  const [indexLine, ...pathLines] = hasExtra ? afterExtra : lines
  if (indexLine?.startsWith('index ') !== true) throw new ProtocolError('malformed-proof', 'no index')
  if (pathLines.length > MAX_PROOF_HASH_COUNT) throw new ProtocolError('malformed-proof', 'path too long')
  const index = parseDecimal(indexLine.slice('index '.length), 'malformed-proof')
  const path = pathLines.map((line) => decodeHashOr('malformed-proof', line))
  return hasExtra ? { extra: decodeExtra(extraLine.slice('extra '.length)), index, path } : { index, path }
}

function decodeExtra(base64: string): Uint8Array {
  try {
    return decodeBase64(base64)
  } catch (error) {
    if (error instanceof ProtocolError) throw new ProtocolError('malformed-proof', 'extra is not base64')
    throw error
  }
}

// ---- Our opening inside it ----

export function encodeOpening(opening: Opening): Uint8Array {
  const { salt, vaultTag, partyTag, eventBytes } = opening
  return concatBytes(Uint8Array.of(OPENING_VERSION), salt, vaultTag, partyTag, eventBytes)
}

/** @throws ProtocolError `malformed-proof`. */
export function decodeOpening(bytes: Uint8Array): Opening {
  if (bytes[0] !== OPENING_VERSION) throw new ProtocolError('malformed-proof', 'opening of another version')
  const eventSize = bytes.length - OPENING_HEAD_SIZE_BYTES
  if (eventSize < 1 || eventSize > MAX_EVENT_SIZE_BYTES) {
    throw new ProtocolError('malformed-proof', 'opening of impossible size')
  }
  return {
    salt: bytes.slice(1, 33), vaultTag: bytes.slice(33, 49), partyTag: bytes.slice(49, 65),
    eventBytes: bytes.slice(OPENING_HEAD_SIZE_BYTES),
  }
}

/** A receipt for the event that `opening` opens. */
export function buildProof(
  { opening, ...proof }: Omit<Proof, 'extra'> & { readonly opening: Opening },
): string {
  return formatProof({ ...proof, extra: encodeOpening(opening) })
}

/**
 * Verify a receipt, without network: checkpoint by the policy, leaf from the opening, path to the
 * root, and that the event was made for this log.
 *
 * @throws ProtocolError `malformed-proof`, `bad-proof`, `malformed-event`, and what `verifyCheckpoint`
 * throws; `wrong-origin` if the event names another log.
 */
export function verifyProof(text: string, policy: Policy): VerifiedReceipt {
  const { extra, index, path, checkpoint: note } = parseProof(text)
  const trusted = verifyCheckpoint(note, policy)
  if (extra === undefined) throw new ProtocolError('malformed-proof', 'no opening of an event')
  const opening = decodeOpening(extra)
  const event = verifyOpening({ opening, index, path }, trusted)
  return { ...trusted, index, event, opening }
}

/**
 * That an opening is the event at its index of a trusted tree.
 * @throws ProtocolError `bad-proof`, `malformed-event`, `wrong-origin`.
 */
export function verifyOpening(
  { opening, index, path }: { opening: Opening, index: bigint, path: readonly Uint8Array[] },
  { checkpoint }: Pick<TrustedCheckpoint, 'checkpoint'>,
): Event {
  const leaf = hashLeaf(entryOfOpening(opening))
  verifyInclusion({ leaf, index, size: checkpoint.size, root: checkpoint.root, proof: path })
  const event = parseEvent(opening.eventBytes)
  if (event.log !== checkpoint.origin) throw new ProtocolError('wrong-origin', 'an event of another log')
  return event
}
