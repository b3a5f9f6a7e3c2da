/**
 * The log, checked in the browser (SPEC.md § 7, § 8): receipts, lists of events, exports, for anyone.
 * Must not believe a server about its own log: the key is pinned by grant or invitation, and the tree
 * must have grown out of the one that this browser saw last.
 *
 * [Note: Remembered checkpoint] One signed checkpoint per log outlives sign-out and forgotten devices:
 * it is public, and the only thing that lets this browser notice a second history.
 */
import {
  ByteReader, decodeBase64Url, decodeUtf8, encodeBase64, encodeBase64Url, encodeUtf8,
} from '../../protocol/bytes.js'
import { FINGERPRINT_SIZE_BYTES } from '../../protocol/deck/identity.js'
import { ProtocolError } from '../../protocol/errors.js'
import type { Event } from '../../protocol/log/event.js'
import { parseExport, verifyExport } from '../../protocol/log/export.js'
import { verifyConsistency } from '../../protocol/log/merkle.js'
import {
  parseWitnesses, policyOfLog, verifyCheckpoint, type TrustedCheckpoint,
} from '../../protocol/log/policy.js'
import { parseProof, verifyProof, type VerifiedReceipt } from '../../protocol/log/proof.js'
import type { CheckedEvent, CheckedLog, CheckedReceipt, CryptoWorker, ReadConsistency } from '../crypto.js'
import { checkEvent, traceEvent } from './events.js'
import type { Platform } from './platform.js'
import type { Visiting, VisitScope } from './visiting.js'
import { readShownCheckpoint, walkLog } from './whole-log.js'

type CheckMethods = Pick<CryptoWorker,
  'takeAuditorFragment' | 'checkReceipt' | 'checkReceipts' | 'checkEvents' | 'checkExport' | 'forkEvidence' |
  'traceEvent' | 'checkWholeLog'>

const LOG_PIN_SIZE_BYTES = 16

type Fork = NonNullable<Awaited<ReturnType<CryptoWorker['forkEvidence']>>>

export function createChecking(platform: Platform, visiting: Visiting): CheckMethods {
  const forks = new Map<string, Fork>()
  const turns = new Map<string, Promise<unknown>>()

  /** One after another: two checks side by side would each pass by what the other one remembers. */
  function requireGrowth(offered: Offered, read: ReadConsistency): Promise<number | null> {
    const { origin } = offered.trusted.checkpoint
    const before = turns.get(origin) ?? Promise.resolve()
    const turn = before.then(() => growFrom(platform, offered, read, forks))
    turns.set(origin, turn.catch(() => undefined))
    return turn
  }
  return {
    async takeAuditorFragment(fragment) {
      return readAuditorFragment(fragment)
    },
    async checkReceipt({ logVkey, proof, witnesses = null }) {
      const own = witnesses === null ? policyOfLog(logVkey) : parseWitnesses(witnesses, logVkey)
      return describeReceipt(verifyProof(proof, { ...own, quorum: null }))
    },
    async checkReceipts({ grantId, proofs, readConsistency }) {
      const scope = visiting.scope(grantId)
      const checked: CheckedReceipt[] = []
      for (const proof of proofs) {
        const trusted = verifyProof(proof, scope.trust)
        requireOwnEvent(trusted.event, scope)
        const { checkpoint: note } = parseProof(proof)
        await requireGrowth({ note, trusted }, readConsistency)
        checked.push(describeReceipt(trusted))
      }
      return checked
    },
    async checkEvents({ vaultId, logVkey, list, readConsistency }) {
      const trusted = verifyCheckpoint(list.checkpoint, policyOfLog(logVkey))
      const offered = { note: list.checkpoint, trusted }
      const rememberedSize = await requireGrowth(offered, readConsistency)
      const tagKey = list.vaultTagKey === null ? null : decodeBase64Url(list.vaultTagKey)
      const events = list.events.map((event) => checkEvent(event, { vaultId, tagKey, trusted }))
      return describeLog(trusted, events, rememberedSize)
    },
    async traceEvent({ vaultId, logVkey, checkpoint, logged }) {
      const trusted = verifyCheckpoint(checkpoint, policyOfLog(logVkey))
      return traceEvent(logged, { vaultId, tagKey: null, trusted })
    },
    async checkWholeLog({ logVkey, vaultTagKey }, readFile, onProgress, readConsistency) {
      const offered = await readShownCheckpoint(readFile, policyOfLog(logVkey))
      await requireGrowth(offered, readConsistency)
      return await walkLog(offered.trusted, vaultTagKey, readFile, onProgress)
    },
    async checkExport({ text, logVkey }) {
      const audit = parseExport(text)
      const verified = verifyExport(audit, policyOfLog(logVkey ?? audit.vkey))
      const events = verified.events.map(({ index, event, commitment, details }): CheckedEvent => ({
        index: Number(index), isProven: true, event, details: details ?? null, commitment,
        vaultSequence: null,
      }))
      const findings = verified.findings.map(({ kind, index }) => ({ kind, index: Number(index) }))
      return { ...describeLog(verified, events, null), findings }
    },
    async forkEvidence(origin) {
      return forks.get(origin) ?? null
    },
  }
}

/** A receipt of another's release, or of another link, would be true, and prove nothing here. */
function requireOwnEvent(event: Event, scope: VisitScope): void {
  const { vaultId, grantId, deviceKey, recipientSha256, agreementSha256 } = scope
  const isOwn = event.vault === vaultId && event.grant === grantId &&
    (event.deviceKey ?? deviceKey) === deviceKey &&
    (event.recipientSha256 ?? recipientSha256) === recipientSha256 &&
    (event.agreementSha256 ?? agreementSha256) === agreementSha256
  if (!isOwn) throw new ProtocolError('bad-proof', 'a receipt of something else')
}

function describeReceipt(
  { index, checkpoint, event, cosignatures }: VerifiedReceipt,
): CheckedReceipt {
  const cosignedBy = cosignatures.map(({ witness }) => witness)
  return { index: Number(index), treeSize: Number(checkpoint.size), event, cosignedBy }
}

function describeLog(
  { checkpoint }: TrustedCheckpoint, events: CheckedEvent[], rememberedSize: number | null,
): CheckedLog {
  return {
    origin: checkpoint.origin,
    treeSize: Number(checkpoint.size),
    rootHash: encodeBase64(checkpoint.root),
    events,
    rememberedSize,
    findings: [],
  }
}

/** base64url(fpF ‖ SHA-256(log vkey)[0..16]), as `auditorFragment` writes it. */
function readAuditorFragment(
  fragment: string,
): { founderFingerprint: string, logKeySha256: string } | null {
  try {
    const reader = new ByteReader(decodeBase64Url(fragment))
    const founderFingerprint = encodeBase64Url(reader.take(FINGERPRINT_SIZE_BYTES))
    const logKeySha256 = encodeBase64Url(reader.take(LOG_PIN_SIZE_BYTES))
    reader.end()
    return { founderFingerprint, logKeySha256 }
  } catch (error) {
    if (error instanceof ProtocolError) return null
    throw error
  }
}

// ---- One history ----

interface Offered { readonly note: string, readonly trusted: TrustedCheckpoint }

/**
 * See [Note: Remembered checkpoint]. Answers the remembered size, or `null` on a first meeting.
 * @throws ProtocolError `forked-log` if both trees cannot be one log's.
 */
async function growFrom(
  platform: Platform, offered: Offered, read: ReadConsistency, forks: Map<string, Fork>,
): Promise<number | null> {
  const { origin, size } = offered.trusted.checkpoint
  const name = `log/${origin}`
  const kept = await platform.store.read(name)
  if (kept === null) {
    await platform.store.write(name, encodeUtf8(offered.note))
    return null
  }
  const remembered = {
    note: decodeUtf8(kept), trusted: verifyCheckpoint(decodeUtf8(kept), policyOfKey(offered)),
  }
  const rememberedSize = remembered.trusted.checkpoint.size
  const [older, newer] = rememberedSize <= size ? [remembered, offered] : [offered, remembered]
  try {
    await requireConsistent(older.trusted, newer.trusted, read)
  } catch (error) {
    if (!(error instanceof ProtocolError) || error.code !== 'bad-proof') throw error
    forks.set(origin, { remembered: remembered.note, offered: offered.note })
    throw new ProtocolError('forked-log', origin)
  }
  if (newer === offered) await platform.store.write(name, encodeUtf8(offered.note))
  return Number(rememberedSize)
}

function policyOfKey({ trusted }: Offered) {
  return { logs: [{ key: trusted.logKey }], witnesses: [], groups: [], quorum: null }
}

async function requireConsistent(
  older: TrustedCheckpoint, newer: TrustedCheckpoint, read: ReadConsistency,
): Promise<void> {
  const [{ size: oldSize, root: oldRoot }, { size, root }] = [older.checkpoint, newer.checkpoint]
  const isTrivial = oldSize === size || oldSize === 0n
  const hashes = isTrivial ? [] : await read(Number(oldSize), Number(size))
  verifyConsistency(
    { oldSize, oldRoot, size, root, proof: hashes.map((hash) => decodeBase64Url(hash)) },
  )
}
