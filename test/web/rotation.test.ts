// Goal: a browser whose link or memory names a log's old key goes on with the new one by the log's own statement, and
// no server gets it to take another key by anything less.
// Method: workers in Node with real cryptography; a log written in memory whose signers change; the test is the
// server, first honest, then with a key of its own.
import t from 'tap'
import { uuidv7 } from 'uuidv7'
import type { Config } from '../../protocol/api.js'
import { encodeBase64Url, encodeHex, encodeUtf8 } from '../../protocol/bytes.js'
import { sha256 } from '../../protocol/hash.js'
import { verifyEnrolment } from '../../protocol/log/acceptance.js'
import { buildConsistencyProof, consistencyNodes } from '../../protocol/log/merkle.js'
import { ed25519Signer, formatVkey, parseNote, type NoteSigner } from '../../protocol/log/note.js'
import { buildProof } from '../../protocol/log/proof.js'
import { readNodes } from '../../protocol/log/tile.js'
import { ready } from '../../protocol/sodium.js'
import { followLogKeys } from '../../web/follow-keys.js'
import { LOG_SEED, ORIGIN } from '../protocol/log/worked-example.js'
import { WrittenLog, type WrittenEvent } from '../protocol/log/written-log.js'
import { gateView, makeClient, makeGrant, nonce, sealInput } from './founder-fixture.js'

await ready()

const CONFIG: Config = {
  viewerOrigin: '', publicUrl: '', logVkey: '', logOrigin: ORIGIN, logRotations: [], witnesses: null,
  maxFileSizeBytes: 1, outboxPath: null, version: '',
}

const NDA_SHA256 = encodeBase64Url(sha256(encodeUtf8('# Mutual NDA\n')))
const HEAD = { log: ORIGIN, at: '2026-11-22T14:30:00.000Z' }
const HASH = encodeHex(sha256(encodeUtf8('something')))
const [old, next, stolen] = [LOG_SEED, new Uint8Array(32).fill(0x51), new Uint8Array(32).fill(0x52)]
  .map((seed) => ed25519Signer(ORIGIN, seed))
const [OLD, NEXT, STOLEN] = [old, next, stolen].map((signer) => signer === undefined ? '' : formatVkey(signer.key))

function by(...signers: readonly (NoteSigner | undefined)[]): NoteSigner[] {
  return signers.flatMap((signer) => signer ?? [])
}

/** The newest event's receipt. */
async function receiptOf(log: WrittenLog, { opening }: WrittenEvent): Promise<string> {
  const index = BigInt(log.events.length - 1)
  return buildProof({ opening, index, path: await log.path(index), checkpoint: log.checkpoint })
}

async function rotate(
  log: WrittenLog, { previousLogKey = '', logKey = '' }, signers: readonly NoteSigner[],
): Promise<string> {
  log.signers = signers
  const event = log.appendEvent({
    ...HEAD, type: 'log.key-rotated', id: uuidv7(), actor: 'operator', logKey, previousLogKey,
  })
  return await receiptOf(log, event)
}

function consistencyOf(log: WrittenLog) {
  return async (from: number, to: number): Promise<string[]> => {
    const sizes = { oldSize: BigInt(from), size: BigInt(to) }
    const nodes = consistencyNodes(sizes.oldSize, sizes.size)
    const nodeHash = await readNodes(log.read, { nodes, size: sizes.size })
    return buildConsistencyProof(sizes, nodeHash).map(encodeBase64Url)
  }
}

/** A link that pins the old key, and a visitor's browser. */
async function stage() {
  const founder = makeClient().crypto
  const { signingKey } = await founder.createRoot()
  const { vaultId } = sealInput()
  const grant = await makeGrant(founder, { vaultId, logVkey: OLD ?? '', ndaSha256: NDA_SHA256, versions: [] })
  const { grantId } = grant.summary
  const { crypto } = makeClient()
  await crypto.takeFragment({ grantId, fragment: grant.fragment })
  const viewAs = (logVkey = '') => gateView({ vaultId, grant, signingKey, logVkey, ndaSha256: NDA_SHA256 })
  await crypto.verifyGate(viewAs(OLD))
  const { enrolment } = await crypto.signAccessRequest({ grantId, name: 'Grace Hopper', email: 'grace@fund.example', nonce: nonce() })
  const { recipient } = verifyEnrolment(enrolment)
  const log = new WrittenLog()
  /** What the server gives out for a release to this device. */
  async function release(source = log): Promise<string> {
    const event = source.appendEvent({
      ...HEAD, log: source.origin, type: 'header.released', id: uuidv7(), actor: 'server', vault: vaultId, party: uuidv7(), grant: grantId, document: uuidv7(), part: 0, version: 1,
      recordSha256: HASH, headerSha256: HASH, because: HASH,
      recipientSha256: encodeHex(sha256(encodeUtf8(recipient))),
    })
    return await receiptOf(source, event)
  }
  const check = (proof: string, source = log) =>
    crypto.checkReceipts({ grantId, proofs: [proof], readConsistency: consistencyOf(source) })
  return { crypto, grantId, log, release, check, viewAs }
}

t.test('a link that pins the old key goes on under the new one, and so does what was remembered', async (t) => {
  const { crypto, log, release, check, viewAs } = await stage()
  t.match(await check(await release()), [{ treeSize: 1 }], 'the old key, remembered')
  const statement = await rotate(log, { previousLogKey: OLD, logKey: NEXT }, by(old, next))
  t.match(await check(await release()), [{ treeSize: 3 }], 'both keys need nothing learnt')
  log.signers = by(next)
  const proof = await release()
  await t.rejects(check(proof), { message: /^unknown-signer/ }, 'the new key alone, without the statement')
  await t.rejects(crypto.verifyGate(viewAs(NEXT)), { message: /^wrong-origin/ })

  t.same(await crypto.learnLogKeys({ logVkey: NEXT ?? '', statements: [statement] }), [OLD, NEXT])
  await crypto.verifyGate(viewAs(NEXT))
  t.match(await check(proof), [{ treeSize: 4 }])
  await crypto.verifyGate(viewAs(OLD))
})

t.test('a page that stays open learns the new key when it meets it, and asks once', async (t) => {
  const { crypto, grantId, log, release, check } = await stage()
  const statement = await rotate(log, { previousLogKey: OLD, logKey: NEXT }, by(old, next))
  log.signers = by(next)
  const proofs = [await release()]
  await t.rejects(check(proofs[0] ?? ''), { message: /^unknown-signer/ })
  let statements: string[] = []
  const followed: (readonly string[])[] = []
  let askedCount = 0
  const following = followLogKeys(crypto, {
    async readConfig() {
      askedCount++
      return { ok: true, value: { ...CONFIG, logVkey: NEXT ?? '', logRotations: statements } }
    },
    onFollowed: (_config, logVkeys) => { followed.push(logVkeys) },
  })
  const readConsistency = consistencyOf(log)
  const asks = () => following.checkReceipts({ grantId, proofs, readConsistency })
  await t.rejects(asks(), { message: /^unknown-signer/ }, 'no statement, no key')
  t.equal(askedCount, 1)
  statements = [statement]
  const both = await Promise.all([asks(), asks()])
  t.match(both, [[{ treeSize: 2 }], [{ treeSize: 2 }]], 'also under the gate that was verified before')
  t.equal(askedCount, 2, 'once for both')
  t.same(followed, [[OLD, NEXT]])
  await asks()
  t.equal(askedCount, 2, 'what was learnt stays')
})

t.test('no server takes a browser over to a key of its own', async (t) => {
  const { crypto, log, release, check, viewAs } = await stage()
  await check(await release())
  const theirs = await rotate(
    new WrittenLog(), { previousLogKey: OLD, logKey: STOLEN }, by(stolen))
  t.same(await crypto.learnLogKeys({ logVkey: STOLEN ?? '', statements: [theirs, 'nonsense'] }), [STOLEN], 'a statement by the new key alone links nothing')
  const adopted = await rotate(
    new WrittenLog(), { previousLogKey: STOLEN, logKey: OLD }, by(stolen))
  await crypto.learnLogKeys({ logVkey: STOLEN ?? '', statements: [adopted] })
  await t.rejects(crypto.verifyGate(viewAs(STOLEN)), { message: /^wrong-origin/ })
  log.signers = by(stolen)
  await t.rejects(check(await release()), { message: /^unknown-signer/ })
})

t.test('a second history is found over a change of keys, too', async (t) => {
  const { crypto, log, release, check, viewAs } = await stage()
  await check(await release())
  await check(await release())
  const statement = await rotate(log, { previousLogKey: OLD, logKey: NEXT }, by(old, next))
  await crypto.learnLogKeys({ logVkey: NEXT ?? '', statements: [statement] })
  await crypto.verifyGate(viewAs(NEXT))
  const forked = new WrittenLog()
  forked.signers = by(next)
  for (let count = 0; count < 3; count++) await release(forked)
  await t.rejects(check(await release(forked), forked), { message: /^forked-log/ })
})

t.test('a log whose keys have two successors is believed for neither', async (t) => {
  const { crypto, log, viewAs } = await stage()
  const first = await rotate(log, { previousLogKey: OLD, logKey: NEXT }, by(old, next))
  const second = await rotate(log, { previousLogKey: OLD, logKey: STOLEN }, by(old, stolen))
  await t.rejects(crypto.learnLogKeys({ logVkey: OLD ?? '', statements: [first, second] }), { message: /^bad-rotation/ })
  await t.rejects(crypto.verifyGate(viewAs(OLD)), { message: /^bad-rotation/ })
})

// ---- Another log goes on ----

const NEXT_ORIGIN = 'log.sealdeck.example/2027'
const [nextLog, otherLog] = [0x61, 0x62]
  .map((byte) => ed25519Signer(NEXT_ORIGIN, new Uint8Array(32).fill(byte)))

/** `log.closed` in the one, `log.started` in another: both ends, or what is given instead. */
async function crossTo(
  log: WrittenLog, signer = nextLog,
): Promise<{ next: WrittenLog, statement: string, vkey: string }> {
  const vkey = signer === undefined ? '' : formatVkey(signer.key)
  const closed = log.appendEvent({
    ...HEAD, type: 'log.closed', id: uuidv7(), actor: 'operator', size: log.events.length + 1, nextLog: NEXT_ORIGIN, logKey: vkey,
  })
  const end = await receiptOf(log, closed)
  const next = new WrittenLog(NEXT_ORIGIN)
  next.signers = by(signer)
  const started = next.appendEvent({
    ...HEAD, log: NEXT_ORIGIN, type: 'log.started', id: uuidv7(), actor: 'server', logKey: vkey, previousLogKey: OLD ?? '',
    checkpointSha256: encodeHex(sha256(encodeUtf8(parseNote(log.checkpoint).text))),
  })
  return { next, statement: `${end}${await receiptOf(next, started)}`, vkey }
}

t.test('a link that pins the old log goes on in the next one by both logs\' word, and what was remembered leads to the end', async (t) => {
  const { crypto, grantId, log, release, check, viewAs } = await stage()
  const before = await release()
  t.match(await check(before), [{ treeSize: 1 }])
  await release()
  const { next, statement, vkey } = await crossTo(log)
  const after = await release(next)
  await t.rejects(check(after, next), { message: /^wrong-origin/ }, 'not by the server\'s word')
  await t.rejects(crypto.verifyGate(viewAs(vkey)), { message: /^wrong-origin/ })

  t.same(await crypto.learnLogKeys({ logVkey: vkey, statements: [statement] }), [OLD, vkey])
  t.match(await crypto.verifyGate(viewAs(vkey)), { logOrigin: NEXT_ORIGIN })
  const asked: string[] = []
  const consistency = (from: number, to: number, origin: string) => {
    asked.push(`${origin} ${from} ${to}`)
    return consistencyOf(origin === ORIGIN ? log : next)(from, to)
  }
  const checked = await crypto.checkReceipts(
    { grantId, proofs: [after], readConsistency: consistency })
  t.match(checked, [{ treeSize: 2 }])
  t.same(asked, [`${ORIGIN} 1 3`], 'what was remembered leads to where the old log ended')
  t.match(await check(before), [{ treeSize: 1 }], 'old receipts stay')
  const { accessRequest } = await crypto.signAccessRequest({ grantId, name: 'Grace Hopper', email: 'grace@fund.example', nonce: nonce() })
  t.match(accessRequest, new RegExp(`log: ${NEXT_ORIGIN}`), 'what is signed now is for the log that goes on')
})

t.test('whoever pinned a log that was closed walks all of them', async (t) => {
  const { crypto, log, release } = await stage()
  await release()
  const { next, statement, vkey } = await crossTo(log)
  await crypto.learnLogKeys({ logVkey: vkey, statements: [statement] })
  const walked = await crypto.checkWholeLog(
    { logVkey: OLD ?? '', vaultTagKey: null },
    async (path, origin) => {
      const file = await (origin === ORIGIN ? log : next).read(path)
      return file === null ? null : new Uint8Array(file)
    },
    () => {},
    (from, to, origin) => consistencyOf(origin === ORIGIN ? log : next)(from, to))
  t.match(walked, { origin: NEXT_ORIGIN, treeSize: log.events.length + next.events.length })
})

t.test('a server that goes on in the old log, ends it elsewhere, or goes on in two is shown to have two histories', async (t) => {
  const { crypto, log, release, check } = await stage()
  await check(await release())
  const { statement, vkey, next } = await crossTo(log)
  await crypto.learnLogKeys({ logVkey: vkey, statements: [statement] })
  await check(await release(next), next).catch(() => undefined)
  await t.rejects(check(await release()), { message: /^forked-log/ }, 'an entry after the last')

  const shorter = new WrittenLog()
  const other = await crossTo(shorter)
  await t.rejects(crypto.learnLogKeys({ logVkey: vkey, statements: [other.statement] }), { message: /^forked-log/ }, 'two ends')

  const second = await stage()
  await second.check(await second.release())
  const fork = await crossTo(new WrittenLog())
  await second.crypto.learnLogKeys({ logVkey: fork.vkey, statements: [fork.statement] })
  await second.crypto.verifyGate(second.viewAs(fork.vkey))
  await t.rejects(second.check(await second.release(fork.next), fork.next), { message: /^forked-log/ }, 'a past that this browser has not seen')

  const third = await stage()
  const [one, two] = [await crossTo(new WrittenLog()), await crossTo(new WrittenLog(), otherLog)]
  await t.rejects(third.crypto.learnLogKeys({ logVkey: OLD ?? '', statements: [one.statement, two.statement] }), { message: /^(forked-log|bad-rotation)/ })
})

function logOf(logs: readonly WrittenLog[], origin: string): WrittenLog {
  const log = logs.find((one) => one.origin === origin)
  if (log === undefined) throw new Error('no such log')
  return log
}

/** A founder's page, and her look at what a server shows her. */
async function watching() {
  const founder = makeClient().crypto
  await founder.createRoot()
  const log = new WrittenLog()
  log.appendEvent({ ...HEAD, type: 'export.made', id: uuidv7(), actor: 'server', vault: uuidv7() })
  const look = async (logVkey = '', logs = [log]) => await founder.watch(
    { logVkey, accountId: uuidv7(), vaultIds: [] }, {
      readFile: async (path, origin) => await logOf(logs, origin).read(path),
      listEvents: async () => ({ events: [], next: null }),
      readStatements: async () => ({ grants: [], records: [], wraps: [] }),
      readConsistency: (from, to, origin) => consistencyOf(logOf(logs, origin))(from, to),
      onProgress: () => undefined,
    })
  return { founder, log, look }
}

t.test('a founder is led over the border by both logs\' word, and told of a server that puts another log in the place of hers', async (t) => {
  const { founder, log, look } = await watching()
  t.match(await look(OLD), { origin: ORIGIN, treeSize: 1, findings: [] })
  const { next, statement, vkey } = await crossTo(log)
  t.match(await look(vkey, [next]), { findings: [{ kind: 'fork' }] }, 'another log, by the server\'s word')
  await founder.settleFindings(OLD ?? '', ['fork/'])
  await founder.learnLogKeys({ logVkey: vkey, statements: [statement] })
  t.match(await look(vkey, [log, next]), { origin: NEXT_ORIGIN, treeSize: 3 })

  const other = await crossTo(log, otherLog)
  await t.rejects(founder.learnLogKeys({ logVkey: other.vkey, statements: [other.statement] }), { message: /^forked-log/ })
  t.match(await look(other.vkey, [log, other.next]), { findings: [{ kind: 'fork' }] }, 'another end than the one that was followed')
})

t.test('a founder is told of a past that does not lead to the end', async (t) => {
  const { founder, look } = await watching()
  await look(OLD)
  const fork = new WrittenLog()
  const { next, statement, vkey } = await crossTo(fork)
  await founder.learnLogKeys({ logVkey: vkey, statements: [statement] })
  t.match(await look(vkey, [fork, next]), { findings: [{ kind: 'fork' }] })
})

t.test('what a founder was told of stays, whatever log a server puts before hers', async (t) => {
  const { founder, look, log } = await watching()
  const bundle = log.files.get('tile/entries/000.p/1') ?? new Uint8Array()
  log.files.set('tile/entries/000.p/1', bundle.map((byte, at) => at === bundle.length - 1 ? byte ^ 1 : byte))
  t.match(await look(OLD), { findings: [{ kind: 'false-files' }] })
  log.files.set('tile/entries/000.p/1', bundle)
  t.match(await look(OLD), { findings: [{ kind: 'false-files' }] }, 'though the server mended it')
  const before = new WrittenLog('log.sealdeck.example/2025')
  const signer = ed25519Signer(before.origin, new Uint8Array(32).fill(0x63))
  before.signers = [signer]
  const closed = before.appendEvent({
    ...HEAD, log: before.origin, type: 'log.closed', id: uuidv7(), actor: 'operator', size: 1, nextLog: ORIGIN, logKey: OLD ?? '',
  })
  const forged = new WrittenLog()
  const started = forged.appendEvent({
    ...HEAD, type: 'log.started', id: uuidv7(), actor: 'server', logKey: OLD ?? '', previousLogKey: formatVkey(signer.key),
    checkpointSha256: encodeHex(sha256(encodeUtf8(parseNote(before.checkpoint).text))),
  })
  const statement = `${await receiptOf(before, closed)}${await receiptOf(forged, started)}`
  await founder.learnLogKeys({ logVkey: OLD ?? '', statements: [statement] })
  const { findings } = await look(OLD, [before, log])
  t.ok(findings.some(({ kind }) => kind === 'false-files'))
})
