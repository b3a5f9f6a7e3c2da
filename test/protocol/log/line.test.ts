// Goal: a pin on one log leads to the next by the two ends of their border, and to nothing by less; a log that has
// closed has no entry more, and no second end.
// Method: logs written in memory, one after another; borders true, cut, mixed, of another size, key or checkpoint.
import t from 'tap'
import { encodeHex, encodeUtf8 } from '../../../protocol/bytes.js'
import { ProtocolError } from '../../../protocol/errors.js'
import { sha256 } from '../../../protocol/hash.js'
import type { Event } from '../../../protocol/log/event.js'
import { formatExport, parseExport, verifyExport, type AuditExport } from '../../../protocol/log/export.js'
import { firstIndexOf, listOrigins, spanAt, verifyLine } from '../../../protocol/log/line.js'
import { ed25519Signer, formatVkey, parseNote, parseVkey } from '../../../protocol/log/note.js'
import { policyOfLog, verifyCheckpoint } from '../../../protocol/log/policy.js'
import { buildProof, verifyProof } from '../../../protocol/log/proof.js'
import {
  isBorder, listLinkedKeys, verifyRotation, withLinkedKeys,
} from '../../../protocol/log/rotation.js'
import { ready } from '../../../protocol/sodium.js'
import { LOG_SEED, LOG_VKEY, ORIGIN } from './worked-example.js'
import { WrittenLog } from './written-log.js'

await ready()

const VAULT = '01890a5d-ac96-774b-bcce-b302099a8057'
const NEXT = 'log.sealdeck.example/2027'
const nextSigner = ed25519Signer(NEXT, new Uint8Array(32).fill(0x61))
const otherSigner = ed25519Signer(NEXT, new Uint8Array(32).fill(0x62))
const NEXT_VKEY = formatVkey(nextSigner.key)
const HEAD = { id: '01890a5d-ac96-774b-bcce-000000000001', at: '2026-12-31T23:00:00.000Z', actor: 'operator' }

function codeOf(run: () => unknown): string {
  try {
    run()
    return 'no error'
  } catch (error) {
    return error instanceof ProtocolError ? error.code : String(error)
  }
}

async function receiptOf(log: WrittenLog, index: number): Promise<string> {
  const written = log.events[index]
  if (written === undefined) throw new Error('no such event')
  const { opening } = written
  return buildProof({
    opening, index: BigInt(index), path: await log.path(BigInt(index)), checkpoint: log.checkpoint,
  })
}

function act(log: WrittenLog): void {
  log.appendEvent({ ...HEAD, type: 'export.made', log: log.origin, vault: VAULT })
}

function close(log: WrittenLog, more: Partial<Event> = {}): void {
  log.appendEvent({
    ...HEAD, type: 'log.closed', log: log.origin, size: log.events.length + 1, nextLog: NEXT, logKey: NEXT_VKEY, ...more,
  })
}

function start(closed: WrittenLog, signer = nextSigner, more: Partial<Event> = {}): WrittenLog {
  const log = new WrittenLog(NEXT, closed.events.length + 1)
  log.signers = [signer]
  log.appendEvent({
    ...HEAD, type: 'log.started', log: NEXT, logKey: formatVkey(signer.key), previousLogKey: LOG_VKEY,
    checkpointSha256: encodeHex(sha256(encodeUtf8(parseNote(closed.checkpoint).text))), ...more,
  })
  return log
}

async function stateBorder(old: WrittenLog, next: WrittenLog): Promise<string> {
  return `${await receiptOf(old, old.events.length - 1)}${await receiptOf(next, 0)}`
}

/** Two logs, three entries in the first, and what leads from one to the other. */
async function makeLine() {
  const old = new WrittenLog()
  act(old)
  act(old)
  close(old)
  const next = start(old)
  const statement = await stateBorder(old, next)
  act(next)
  return { old, next, statement }
}

t.test('a border links both logs\' keys, from either side, and numbers go on over it', async (t) => {
  const { old, next, statement } = await makeLine()
  t.ok(isBorder(statement))
  t.notOk(isBorder(await receiptOf(old, 0)))
  const link = verifyRotation(statement)
  t.match(link.closing, { nextOrigin: NEXT, statement, checkpoint: { origin: ORIGIN, size: 3n } })
  for (const vkey of [LOG_VKEY, NEXT_VKEY]) {
    t.same(listLinkedKeys(parseVkey(vkey), [link]).map(formatVkey), [LOG_VKEY, NEXT_VKEY])
    const policy = withLinkedKeys(policyOfLog(vkey), [link])
    t.equal(verifyProof(await receiptOf(old, 0), policy).checkpoint.origin, ORIGIN, 'old receipts stay')
    t.equal(verifyProof(await receiptOf(next, 1), policy).checkpoint.origin, NEXT)
    t.equal(firstIndexOf(policy, NEXT), 3n)
    t.same(listOrigins(policy, NEXT), [ORIGIN, NEXT])
    const spans = verifyLine(next.checkpoint, policy)
    t.same(spans.map(({ firstIndex }) => firstIndex), [0n, 3n])
    t.equal(spanAt(spans, 2n).note, old.checkpoint)
    t.equal(spanAt(spans, 3n).note, next.checkpoint)
    t.equal(verifyLine(old.checkpoint, policy).length, 1)
  }
  t.equal(codeOf(() => verifyCheckpoint(next.checkpoint, policyOfLog(LOG_VKEY))), 'wrong-origin', 'without it nothing leads on')
})

t.test('a log that has closed has nothing beyond, and nothing else, at its end', async (t) => {
  const { old, statement } = await makeLine()
  const policy = withLinkedKeys(policyOfLog(LOG_VKEY), [verifyRotation(statement)])
  t.equal(codeOf(() => verifyCheckpoint(old.checkpoint, policy)), 'no error')
  const forked = new WrittenLog()
  act(forked)
  act(forked)
  t.equal(codeOf(() => verifyCheckpoint(forked.checkpoint, policy)), 'no error', 'before the end only consistency tells')
  act(forked)
  t.equal(codeOf(() => verifyCheckpoint(forked.checkpoint, policy)), 'forked-log', 'another last entry')
  act(old)
  t.equal(codeOf(() => verifyCheckpoint(old.checkpoint, policy)), 'forked-log', 'an entry after the last')
})

t.test('anything less than two ends links nothing', async (t) => {
  const { old, next, statement } = await makeLine()
  const half = statement.length - (await receiptOf(next, 0)).length
  const refused = (text: string) => codeOf(() => verifyRotation(text))
  t.equal(refused(await receiptOf(old, 2)), 'bad-rotation', 'the old end alone')
  t.not(refused(statement.slice(half)), 'no error', 'the new end alone')
  t.equal(refused(`${await receiptOf(old, 1)}${await receiptOf(next, 0)}`), 'bad-rotation', 'another event')
  t.equal(refused(`${await receiptOf(next, 0)}${await receiptOf(old, 2)}`), 'bad-rotation', 'the wrong way round')
  t.equal(refused(statement.replace('index 2', 'index 1')), 'bad-proof')
  const grown = await makeLine()
  act(grown.old)
  t.equal(refused(`${await receiptOf(grown.old, 2)}${await receiptOf(grown.next, 0)}`), 'bad-rotation', 'not the last entry')
  for (const [what, broken] of [
    ['another size', { size: 2 }], ['another key', { logKey: formatVkey(otherSigner.key) }],
    ['another log', { nextLog: 'log.sealdeck.example/2028' }],
  ] as const) {
    const log = new WrittenLog()
    close(log, { size: 1, ...broken })
    t.equal(refused(await stateBorder(log, start(log))), 'bad-rotation', what)
  }
  const log = new WrittenLog()
  close(log)
  const adopted = start(log, nextSigner, { checkpointSha256: 'ab'.repeat(32) })
  t.equal(refused(await stateBorder(log, adopted)), 'bad-rotation', 'a log that begins after something else')
  const unsigned = start(log, otherSigner, { logKey: NEXT_VKEY })
  t.equal(refused(await stateBorder(log, unsigned)), 'unknown-signer', 'not by the key that was named')
  const same = new WrittenLog()
  close(same, { logKey: formatVkey(ed25519Signer(NEXT, LOG_SEED).key) })
  const reused = start(same, ed25519Signer(NEXT, LOG_SEED))
  t.equal(refused(await stateBorder(same, reused)), 'bad-rotation', 'the same key under another name')
})

t.test('two ends of one log, or two logs after it, are two histories', async (t) => {
  const { statement } = await makeLine()
  const shorter = new WrittenLog()
  close(shorter)
  const twice = [statement, await stateBorder(shorter, start(shorter))].map(verifyRotation)
  t.equal(codeOf(() => withLinkedKeys(policyOfLog(LOG_VKEY), twice)), 'forked-log')
  const elsewhere = new WrittenLog()
  const key = ed25519Signer('log.sealdeck.example/2028', new Uint8Array(32).fill(0x63))
  close(elsewhere, { nextLog: key.key.name, logKey: formatVkey(key.key) })
  const other = new WrittenLog(key.key.name)
  other.signers = [key]
  other.appendEvent({
    ...HEAD, type: 'log.started', log: key.key.name, logKey: formatVkey(key.key), previousLogKey: LOG_VKEY,
    checkpointSha256: encodeHex(sha256(encodeUtf8(parseNote(elsewhere.checkpoint).text))),
  })
  const apart = [statement, await stateBorder(elsewhere, other)].map(verifyRotation)
  t.equal(codeOf(() => withLinkedKeys(policyOfLog(LOG_VKEY), apart)), 'forked-log')
})

t.test('an export over the border proves each event in its own log, for who knows either key', async (t) => {
  const { old, next, statement } = await makeLine()
  const events = await Promise.all([[old, 0, 0], [old, 1, 1], [next, 1, 4]].map(async (place) => {
    const [log, at, index] = place
    if (!(log instanceof WrittenLog) || typeof at !== 'number' || typeof index !== 'number') throw new Error('a place')
    const written = log.events[at]
    if (written === undefined) throw new Error('an event')
    const { eventBytes: bytes, salt, vaultTag, partyTag } = written.opening
    const path = await log.path(BigInt(at))
    return { index: BigInt(index), opened: { bytes, salt }, vaultTag, partyTag, path }
  }))
  const audit: AuditExport = {
    origin: NEXT, vkey: NEXT_VKEY, checkpoint: next.checkpoint, exportedAt: HEAD.at, vaultId: VAULT,
    statements: [statement], events,
  }
  t.same(parseExport(formatExport(audit)), audit)
  for (const vkey of [LOG_VKEY, NEXT_VKEY]) {
    const verified = verifyExport(audit, policyOfLog(vkey))
    t.same(verified.events.map(({ index }) => index), [0n, 1n, 4n])
  }
  const { statements: _statements, ...bare } = audit
  t.equal(codeOf(() => verifyExport(bare, policyOfLog(LOG_VKEY))), 'wrong-origin')
  t.not(codeOf(() => verifyExport(bare, policyOfLog(NEXT_VKEY))), 'no error')
  const [first, , last] = events
  if (first === undefined || last === undefined) throw new Error('three events')
  const moved = { ...audit, events: [first, { ...last, index: 1n }] }
  t.not(codeOf(() => verifyExport(moved, policyOfLog(LOG_VKEY))), 'no error', 'an entry of the next log in the place of one before')
})
