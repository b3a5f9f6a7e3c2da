/**
 * One event of a list, held against a checkpoint that is trusted: its place in the tree, its vault's tag, its details
 * (SPEC.md § 7, § 8). Must not leave out what does not hold: a gap would hide what was tampered with.
 */
import type { LoggedEvent } from '../../protocol/api.js'
import { decodeBase64Url, encodeBase64, encodeHex, equalBytes } from '../../protocol/bytes.js'
import { ProtocolError } from '../../protocol/errors.js'
import {
  commitEvent, encodeEntry, vaultTag, verifyDetails, type Details, type Event,
} from '../../protocol/log/event.js'
import { hashLeaf, traceInclusion, verifyInclusion } from '../../protocol/log/merkle.js'
import { spanAt, type Span } from '../../protocol/log/line.js'
import { verifyOpening } from '../../protocol/log/proof.js'
import type { CheckedEvent, TracedEvent } from '../crypto.js'

/** What an event is held against. */
export interface Frame {
  /** `null`: of any vault. */
  readonly vaultId: string | null
  /** `null`: tags are not checked. */
  readonly tagKey: Uint8Array | null
  /** The logs up to the one that is shown, oldest first. */
  readonly spans: readonly Span[]
}

/** What does not hold is answered as unproven. */
export function checkEvent(logged: LoggedEvent, { vaultId, tagKey, spans }: Frame): CheckedEvent {
  const { index } = logged
  const unproven = {
    index, isProven: false, event: null, details: null, commitment: '', vaultSequence: null,
  }
  try {
    const commitment = encodeHex(commitmentOf(logged))
    const vaultSequence = checkSequence(logged, tagKey)
    const proven = { index, commitment, vaultSequence, isProven: true }
    const event = openEvent(logged, spanAt(spans, BigInt(index)))
    if (event === null) return { ...proven, event, details: null }
    const isStated = event.type === logged.type && event.id === logged.eventId &&
      (vaultId === null || event.vault === vaultId) && Date.parse(event.at) === logged.atMs
    if (!isStated) return unproven
    return { ...proven, event, details: openDetails(logged, event) }
  } catch (error) {
    if (error instanceof ProtocolError) return unproven
    throw error
  }
}

/** `C`, from what opens it; where nothing opens it any more, the server's word, which the tree must bear out. */
function commitmentOf({ event, salt, commitment }: LoggedEvent): Uint8Array {
  return event === null || salt === null
    ? decodeBase64Url(commitment)
    : commitEvent(decodeBase64Url(salt), decodeBase64Url(event))
}

function leafOf(logged: LoggedEvent): Uint8Array {
  return hashLeaf(encodeEntry({
    commitment: commitmentOf(logged),
    vaultTag: decodeBase64Url(logged.vaultTag),
    partyTag: decodeBase64Url(logged.partyTag),
  }))
}

/**
 * The number in the vault, as the entry's tag says ([Note: Completeness] in protocol/log/event.ts).
 * @throws ProtocolError `malformed-entry` if the tag is that of another number.
 */
function checkSequence(
  { vaultSequence, vaultTag: tag }: LoggedEvent, tagKey: Uint8Array | null,
): number | null {
  if (tagKey === null) return null
  const isTagged = vaultSequence !== null &&
    equalBytes(vaultTag(tagKey, vaultSequence), decodeBase64Url(tag))
  if (!isTagged) throw new ProtocolError('malformed-entry', 'another tag than its number makes')
  return vaultSequence
}

/** The event, proven; `null` where it was erased: the entry is in the tree, of what nobody can tell any more. */
function openEvent(logged: LoggedEvent, { firstIndex, trusted }: Span): Event | null {
  const index = BigInt(logged.index) - firstIndex
  const path = logged.proof.map(decodeBase64Url)
  if (logged.event === null || logged.salt === null) {
    const { size, root } = trusted.checkpoint
    verifyInclusion({ leaf: leafOf(logged), index, size, root, proof: path })
    return null
  }
  const opening = {
    salt: decodeBase64Url(logged.salt),
    vaultTag: decodeBase64Url(logged.vaultTag),
    partyTag: decodeBase64Url(logged.partyTag),
    eventBytes: decodeBase64Url(logged.event),
  }
  return verifyOpening({ opening, index, path }, trusted)
}

function openDetails(logged: LoggedEvent, event: Event): Details | null {
  if (logged.details === null) return null
  const { bytes, salt } = logged.details
  return verifyDetails(event, { bytes: decodeBase64Url(bytes), salt: decodeBase64Url(salt) })
}

/** Every step from the leaf to the root; `null` if the event is not proven. */
export function traceEvent(logged: LoggedEvent, frame: Frame): TracedEvent | null {
  if (!checkEvent(logged, frame).isProven) return null
  const { trusted, firstIndex } = spanAt(frame.spans, BigInt(logged.index))
  const { origin, size, root } = trusted.checkpoint
  const index = BigInt(logged.index) - firstIndex
  const leaf = leafOf(logged)
  const proof = logged.proof.map(decodeBase64Url)
  const steps = traceInclusion({ leaf, index, size, proof })
  return {
    origin, index: Number(index), treeSize: Number(size),
    rootHash: encodeBase64(root), leafHash: encodeBase64(leaf),
    steps: steps.map(({ side, neighbour, start, end, node }) => ({
      side, neighbour: encodeBase64(neighbour), start: Number(start), end: Number(end),
      node: encodeBase64(node),
    })),
  }
}
