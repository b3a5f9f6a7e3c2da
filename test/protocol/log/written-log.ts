// A log in memory, written as a server writes one: batches through `planIntegration`, then a
// checkpoint. Reading is as from a bucket.
import { encodeUtf8, equalBytes } from '../../../protocol/bytes.js'
import { cosignCheckpoint, signCheckpoint } from '../../../protocol/log/checkpoint.js'
import {
  entryOfOpening, partyTag, sealEvent, vaultTag, type Details, type Event, type Opening,
} from '../../../protocol/log/event.js'
import { buildInclusionProof, inclusionNodes } from '../../../protocol/log/merkle.js'
import { cosigner, ed25519Signer, type NoteSigner } from '../../../protocol/log/note.js'
import {
  CHECKPOINT_PATH, EMPTY_TILE_EDGE, planIntegration, readNodes, type ReadResource, type TileEdge,
} from '../../../protocol/log/tile.js'
import {
  COSIGNED_AT_SECONDS, LOG_SEED, ORIGIN, PARTY_TAG_KEY, VAULT_TAG_KEY, WITNESS_NAME, WITNESS_SEED,
} from './worked-example.js'

export interface WrittenEvent {
  readonly event: Event
  readonly opening: Opening
  readonly details?: { readonly bytes: Uint8Array, readonly salt: Uint8Array }
}

export class WrittenLog {
  readonly files = new Map<string, Uint8Array>()
  readonly events: WrittenEvent[] = []
  edge: TileEdge = EMPTY_TILE_EDGE
  checkpoint = ''
  /** Whoever signs checkpoints from now on. */
  signers: readonly NoteSigner[] = [ed25519Signer(ORIGIN, LOG_SEED)]
  readonly origin: string
  /** The next vault's number of an event here: it runs on over logs. */
  readonly firstSequence: number
  readonly #witness = cosigner(WITNESS_NAME, WITNESS_SEED, () => COSIGNED_AT_SECONDS)

  constructor(origin = ORIGIN, firstSequence = 1) {
    this.origin = origin
    this.firstSequence = firstSequence
  }

  read: ReadResource = async (path) => this.files.get(path) ?? null

  /** Append entries as they are, and publish. */
  append(entries: readonly Uint8Array[]): void {
    const { edge, root, resources } = planIntegration(this.edge, entries)
    for (const { path, bytes } of resources) {
      const there = this.files.get(path)
      if (there !== undefined && !equalBytes(there, bytes)) throw new Error(`${path} rewritten`)
      this.files.set(path, bytes)
    }
    this.edge = edge
    const signed = signCheckpoint({ origin: this.origin, size: edge.edge.size, root }, this.signers)
    this.checkpoint = `${signed}${cosignCheckpoint(signed, this.#witness)}`
    this.files.set(CHECKPOINT_PATH, encodeUtf8(this.checkpoint))
  }

  /** Append one event of the vault, with the next tags. */
  appendEvent(event: Omit<Event, 'details'>, details?: Details): WrittenEvent {
    const sealed = sealEvent(event, details)
    const sequence = this.events.length + this.firstSequence
    const opening = {
      salt: sealed.salt,
      eventBytes: sealed.bytes,
      vaultTag: vaultTag(VAULT_TAG_KEY, sequence),
      partyTag: partyTag(PARTY_TAG_KEY, sequence),
    }
    this.append([entryOfOpening(opening)])
    const written = sealed.details === undefined || sealed.detailsSalt === undefined
      ? { event, opening }
      : { event, opening, details: { bytes: sealed.details, salt: sealed.detailsSalt } }
    this.events.push(written)
    return written
  }

  async path(index: bigint): Promise<Uint8Array[]> {
    const size = this.edge.edge.size
    const nodes = inclusionNodes(index, size)
    return buildInclusionProof({ index, size }, await readNodes(this.read, { nodes, size }))
  }
}
