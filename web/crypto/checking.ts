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
import { assert, ProtocolError } from '../../protocol/errors.js'
import { MAX_ROTATION_COUNT } from '../../protocol/limits.js'
import { statedOrigin } from '../../protocol/log/checkpoint.js'
import type { Event } from '../../protocol/log/event.js'
import { parseExport, verifyExport } from '../../protocol/log/export.js'
import { verifyConsistency } from '../../protocol/log/merkle.js'
import { verifyLine, type Span } from '../../protocol/log/line.js'
import { originOfVkey } from '../../protocol/log/note.js'
import {
  parseWitnesses, policyOfLog, requireWithinLog, verifyCheckpoint, type Closing, type Policy,
  type TrustedCheckpoint,
} from '../../protocol/log/policy.js'
import { parseProof, verifyProof, type VerifiedReceipt } from '../../protocol/log/proof.js'
import { verifyRotation } from '../../protocol/log/rotation.js'
import type {
  CheckedEvent, CheckedLog, CheckedReceipt, CryptoWorker, ForkEvidence, ReadConsistency,
} from '../crypto.js'
import { checkEvent, traceEvent } from './events.js'
import type { LogKeys } from './log-keys.js'
import type { DeviceStore, Platform } from './platform.js'
import type { Visiting, VisitScope } from './visiting.js'
import { readShownCheckpoint, walkLogs } from './whole-log.js'

type CheckMethods = Pick<CryptoWorker,
  'takeAuditorFragment' | 'learnLogKeys' | 'checkReceipt' | 'checkReceipts' | 'checkEvents' | 'checkExport' | 'forkEvidence' |
  'traceEvent' | 'checkWholeLog' |
  'rememberedCheckpoint' | 'takeGossip'>

const LOG_PIN_SIZE_BYTES = 16

/** What this browser remembers of logs, and how a log that is offered fits it. */
export interface History {
  /** The keys that a log has had. */
  readonly keys: LogKeys
  /**
   * See [Note: Remembered checkpoint]. Answers the remembered size, or `null` on a first meeting.
   * @throws ProtocolError `forked-log` if both trees cannot be one log's.
   */
  requireGrowth(offered: Offered, read: ReadConsistency): Promise<number | null>
  /** The checkpoint that is remembered, as it was signed. */
  remembered(origin: string): Promise<string | null>
  /**
   * All logs up to the one that a server shows, with what this browser has seen of where they end.
   * @throws ProtocolError `forked-log`, with both checkpoints kept, for one beyond its log's end; as `verifyLine`.
   */
  verifyShown(note: string, policy: Policy): Promise<Span[]>
  /** Learn what this browser has seen proved of the logs before and after this one, whatever the server shows today. */
  recall(origin: string): Promise<void>
  /** The two checkpoints that cannot both be true, once there were such. */
  findFork(origin: string): Promise<ForkEvidence | null>
  keepFork(origin: string, fork: ForkEvidence): Promise<void>
  /** It was dealt with: what is remembered counts again. */
  forgetFork(origin: string): Promise<void>
  /** @throws ProtocolError `forked-log` while there are two histories: nothing is done under such a log. */
  requireNoFork(logVkey: string): Promise<void>
}

export function createHistory({ store }: Platform, keys: LogKeys): History {
  const turns = new Map<string, Promise<unknown>>()
  const history: History = {
    keys,
    async verifyShown(note, policy) {
      const origin = statedOrigin(note)
      await history.recall(origin)
      let ends: readonly Closing[] = []
      try {
        const trusted = keys.trust(policy)
        ends = trusted.closings ?? []
        return verifyLine(note, trusted)
      } catch (error) {
        if (!(error instanceof ProtocolError) || error.code !== 'forked-log') throw error
        const end = ends.find(({ checkpoint }) => checkpoint.origin === origin)
        // Where the ends themselves are two, what was seen first is kept beside what is shown now.
        const remembered = end?.note ?? await findBorder(store, origin) ??
          await history.remembered(origin) ?? ''
        const offered = [note, ...keys.borders()].join('\n')
        await history.keepFork(origin, { remembered, offered })
        throw error
      }
    },
    recall: (origin) => recallBorders(store, keys, origin),
    /** One after another: two checks side by side would each pass by what the other one remembers. */
    requireGrowth(offered, read) {
      const { origin } = offered.trusted.checkpoint
      const before = turns.get(origin) ?? Promise.resolve()
      const turn = before.then(() => growFrom(store, history, offered, read))
      turns.set(origin, turn.catch(() => undefined))
      return turn
    },
    async remembered(origin) {
      const kept = await store.read(`log/${origin}`)
      return kept === null ? null : decodeUtf8(kept)
    },
    async findFork(origin) {
      const kept = await store.read(`fork/${origin}`)
      if (kept === null) return null
      const fork: ForkEvidence = JSON.parse(decodeUtf8(kept))
      return fork
    },
    keepFork: (origin, fork) => store.write(`fork/${origin}`, encodeUtf8(JSON.stringify(fork))),
    forgetFork: (origin) => store.remove(`fork/${origin}`),
    async requireNoFork(logVkey) {
      for (const origin of new Set(keys.linkedTo(logVkey).map(originOfVkey))) {
        if (await history.findFork(origin) !== null) throw new ProtocolError('forked-log', origin)
      }
    },
  }
  return history
}

export function createChecking(history: History, visiting: Visiting): CheckMethods {
  const { requireGrowth, keys } = history
  const trustLog = (logVkey: string) => keys.trust(policyOfLog(logVkey))
  return {
    async learnLogKeys({ logVkey, statements }) {
      keys.learn(statements)
      return keys.linkedTo(logVkey)
    },
    async takeAuditorFragment(fragment) {
      return readAuditorFragment(fragment)
    },
    async checkReceipt({ logVkey, proof, witnesses = null }) {
      const own = witnesses === null ? policyOfLog(logVkey) : parseWitnesses(witnesses, logVkey)
      return describeReceipt(verifyProof(proof, { ...keys.trust(own), quorum: null }))
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
      const spans = await history.verifyShown(list.checkpoint, trustLog(logVkey))
      const offered = offeredBy(spans)
      const rememberedSize = await requireGrowth(offered, readConsistency)
      const tagKey = list.vaultTagKey === null ? null : decodeBase64Url(list.vaultTagKey)
      const events = list.events.map((event) => checkEvent(event, { vaultId, tagKey, spans }))
      return describeLog(offered.trusted, events, rememberedSize)
    },
    async traceEvent({ vaultId, logVkey, checkpoint, logged }) {
      const spans = verifyLine(checkpoint, trustLog(logVkey))
      return traceEvent(logged, { vaultId, tagKey: null, spans })
    },
    async checkWholeLog({ logVkey, vaultTagKey }, readFile, onProgress, readConsistency) {
      // The log that goes on: the one that the key was pinned of may have been closed since.
      const newest = keys.linkedTo(logVkey).at(-1) ?? logVkey
      const note = await readShownCheckpoint(readFile, originOfVkey(newest))
      const spans = await history.verifyShown(note, trustLog(logVkey))
      await requireGrowth(offeredBy(spans), readConsistency)
      return await walkLogs(spans, vaultTagKey, readFile, onProgress)
    },
    async checkExport({ text, logVkey }) {
      const audit = parseExport(text)
      const verified = verifyExport(audit, trustLog(logVkey ?? audit.vkey))
      const events = verified.events.map(({ index, event, commitment, details }): CheckedEvent => ({
        index: Number(index), isProven: true, event, details: details ?? null, commitment,
        vaultSequence: null,
      }))
      const findings = verified.findings.map(({ kind, index }) => ({ kind, index: Number(index) }))
      return { ...describeLog(verified, events, null), findings }
    },
    forkEvidence: (origin) => history.findFork(origin),
    rememberedCheckpoint: (origin) => history.remembered(origin),
    async takeGossip({ logVkey, checkpoint }) {
      return await takeGossip(history, logVkey, checkpoint)
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
  const cosignedBy = cosignatures.map(({ witness }) => witness).sort()
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

function offeredBy(spans: readonly Span[]): Offered {
  const last = spans.at(-1)
  assert(last !== undefined, 'what is shown is of a log')
  return last
}

/** A checkpoint as it was signed, and what it says. */
export interface Offered { readonly note: string, readonly trusted: TrustedCheckpoint }

/** See [Note: Remembered checkpoint]: over all logs of a line, of which what is remembered must lead to the ends. */
async function growFrom(
  store: DeviceStore, history: History, offered: Offered, read: ReadConsistency,
): Promise<number | null> {
  const policy = history.keys.trust(policyOfKey(offered))
  const shownAs = offered.trusted.checkpoint.origin
  const spans = await history.verifyShown(offered.note, policy)
  for (const span of spans.slice(0, -1)) {
    const { origin } = span.trusted.checkpoint
    if (await history.remembered(origin) === null) continue
    await growOne(store, history, { ...span, shownAs }, read)
  }
  for (const closing of history.keys.trust(policy).closings ?? []) await keepBorder(store, closing)
  return await growOne(store, history, { ...offered, shownAs }, read)
}

/** @param offered - of the log that is shown, or of one before it; a fork is kept where whoever looks at the shown one finds it. */
async function growOne(
  store: DeviceStore, history: History, offered: Offered & { readonly shownAs: string },
  read: ReadConsistency,
): Promise<number | null> {
  const { origin, size } = offered.trusted.checkpoint
  const note = await history.remembered(origin)
  if (note === null) {
    await store.write(`log/${origin}`, encodeUtf8(offered.note))
    return null
  }
  const policy = history.keys.trust(policyOfKey(offered))
  const { closings: _ends, ...anyEnd } = policy
  const remembered = { note, trusted: verifyCheckpoint(note, anyEnd) }
  const rememberedSize = remembered.trusted.checkpoint.size
  const [older, newer] = rememberedSize <= size ? [remembered, offered] : [offered, remembered]
  try {
    requireWithinLog(remembered.trusted.checkpoint, policy.closings ?? [])
    await requireConsistent(older.trusted, newer.trusted, read)
  } catch (error) {
    const codes: readonly string[] = ['bad-proof', 'forked-log']
    if (!(error instanceof ProtocolError) || !codes.includes(error.code)) throw error
    await history.keepFork(offered.shownAs, { remembered: remembered.note, offered: offered.note })
    throw new ProtocolError('forked-log', origin)
  }
  if (newer === offered) await store.write(`log/${origin}`, encodeUtf8(offered.note))
  return Number(rememberedSize)
}

/** That a log has ended, and where, outlives the page as the remembered checkpoint does: no server takes it back. */
async function keepBorder(
  store: DeviceStore, { checkpoint, nextOrigin, statement }: Closing,
): Promise<void> {
  for (const name of [`log-end/${checkpoint.origin}`, `log-start/${nextOrigin}`]) {
    if (await store.read(name) === null) await store.write(name, encodeUtf8(statement))
  }
}

/** The border that was met first, at this log's end or beginning. */
async function findBorder(store: DeviceStore, origin: string): Promise<string | null> {
  const kept = await store.read(`log-end/${origin}`) ?? await store.read(`log-start/${origin}`)
  return kept === null ? null : decodeUtf8(kept)
}

async function recallBorders(
  store: DeviceStore, keys: LogKeys, origin: string,
): Promise<void> {
  for (const side of ['log-end', 'log-start'] as const) {
    let name = origin
    for (let step = 0; step < MAX_ROTATION_COUNT; step++) {
      const kept = await store.read(`${side}/${name}`)
      if (kept === null) break
      const statement = decodeUtf8(kept)
      keys.learn([statement])
      const { previous, next } = verifyRotation(statement)
      name = side === 'log-end' ? next.name : previous.name
    }
  }
}

/** The server itself says that what is remembered does not fit: both are kept, if it signed the other one. */
async function takeGossip(history: History, logVkey: string, checkpoint: string): Promise<void> {
  const policy = history.keys.trust(policyOfLog(logVkey))
  const { origin } = verifyCheckpoint(checkpoint, policy).checkpoint
  const remembered = await history.remembered(origin)
  if (remembered === null) return
  await history.keepFork(origin, { remembered, offered: checkpoint })
}

function policyOfKey({ trusted }: Offered) {
  return { logs: [{ key: trusted.logKey }], witnesses: [], groups: [], quorum: null }
}

async function requireConsistent(
  older: TrustedCheckpoint, newer: TrustedCheckpoint, read: ReadConsistency,
): Promise<void> {
  const [{ size: oldSize, root: oldRoot }, { size, root }] = [older.checkpoint, newer.checkpoint]
  const isTrivial = oldSize === size || oldSize === 0n
  const hashes = isTrivial ? [] : await read(Number(oldSize), Number(size), newer.checkpoint.origin)
  verifyConsistency(
    { oldSize, oldRoot, size, root, proof: hashes.map((hash) => decodeBase64Url(hash)) },
  )
}
