// Goal: a version record says one thing in one spelling, and only the pinned founder's chain is taken.
// Method: round trips; every bit of a signed record flipped; every pair of contexts; chains with one
// fault each.
import fc from 'fast-check'
import t from 'tap'
import { makeRoot, deriveOwnerKeys } from '../../../protocol/deck/identity.js'
import {
  GATES, MAX_CHAIN_LENGTH, MAX_PAYLOAD_SIZE_BYTES, PARTS, chunkCountOf, chunkHashRoot, decodeRecord,
  encodeRecord, payloadLengthOf, plaintextSizeOf, recordSha256, signRecord, verifyChain,
  verifyRecord,
} from '../../../protocol/deck/record.js'
import type { VersionRecord } from '../../../protocol/deck/record.js'
import { SIGNATURE_CONTEXTS, signIn, verifyIn } from '../../../protocol/deck/signature.js'
import type { Signed } from '../../../protocol/deck/signature.js'
import { randomBytes, ready } from '../../../protocol/sodium.js'

await ready()

const owner = deriveOwnerKeys(makeRoot())
const stranger = deriveOwnerKeys(makeRoot())

const RECORD: VersionRecord = {
  vaultId: 'vault-1',
  documentId: 'document-1',
  part: 0,
  gate: 'nda',
  version: 1,
  previousSha256: null,
  payloadLength: payloadLengthOf(200_000),
  nonce: randomBytes(16),
  root: randomBytes(32),
  keyCommit: randomBytes(32),
  signingKey: owner.signing.publicKey,
}

function sign(change: Partial<VersionRecord> = {}): Signed {
  return signRecord({ ...RECORD, ...change }, owner.signing.secretKey)
}

function nextOf(previous: Signed, change: Partial<VersionRecord> = {}): Signed {
  const { version } = decodeRecord(previous.bytes)
  return sign({ version: version + 1, previousSha256: recordSha256(previous), ...change })
}

t.test('a record reads back as it was written', (t) => {
  for (const part of PARTS) {
    for (const gate of GATES) {
      const record = { ...RECORD, part, gate }
      t.same(decodeRecord(encodeRecord(record)), record)
    }
  }
  const later = { ...RECORD, version: 2, previousSha256: randomBytes(32) }
  t.same(decodeRecord(encodeRecord(later)), later)
  t.end()
})

t.test('the pinned founder is believed, and nobody else', (t) => {
  t.same(verifyRecord(sign(), owner.fingerprint), RECORD)
  t.throws(() => verifyRecord(sign(), stranger.fingerprint), { code: 'wrong-founder' })
  const theirs = signRecord(
    { ...RECORD, signingKey: stranger.signing.publicKey }, stranger.signing.secretKey)
  t.throws(() => verifyRecord(theirs, owner.fingerprint), { code: 'wrong-founder' })
  const forged = { ...sign(), signature: signIn('manifest', sign().bytes, stranger.signing.secretKey).signature }
  t.throws(() => verifyRecord(forged, owner.fingerprint), { code: 'bad-founder-signature' })
  t.throws(() => signRecord(RECORD, stranger.signing.secretKey), /names the key that signs it/)
  t.end()
})

t.test('any bit of record or signature flipped is refused', (t) => {
  const signed = sign({ version: 2, previousSha256: randomBytes(32) })
  const codes = new Set(['malformed-record', 'wrong-founder', 'bad-founder-signature'])
  for (const field of ['bytes', 'signature'] as const) {
    for (let bit = 0; bit < signed[field].length * 8; bit++) {
      const flipped = signed[field].slice()
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      try {
        verifyRecord({ ...signed, [field]: flipped }, owner.fingerprint)
        t.fail(`${field} bit ${bit} was taken`)
      } catch (error) {
        if (!codes.has(String(Reflect.get(Object(error), 'code')))) throw error
      }
    }
  }
  t.end()
})

t.test('a record cut or lengthened anywhere is refused', (t) => {
  const { bytes } = sign()
  for (let size = 0; size < bytes.length; size++) {
    t.throws(() => decodeRecord(bytes.subarray(0, size)), { code: 'malformed-record' })
  }
  t.throws(() => decodeRecord(new Uint8Array([...bytes, 0])), { code: 'malformed-record' })
  t.throws(() => decodeRecord(new Uint8Array(1025)), { code: 'malformed-record' })
  t.end()
})

t.test('values out of range are refused', (t) => {
  const wrong: Partial<VersionRecord>[] = [
    { vaultId: '' }, { vaultId: 'a b' }, { vaultId: 'a'.repeat(65) }, { documentId: '../x' },
    { version: 0 }, { version: 1_000_001, previousSha256: randomBytes(32) },
    { version: 2 }, { previousSha256: randomBytes(32) },
    { previousSha256: randomBytes(31), version: 2 },
    { payloadLength: 31 }, { payloadLength: MAX_PAYLOAD_SIZE_BYTES + 1 },
    { payloadLength: payloadLengthOf(65536) + 16 },
    { nonce: randomBytes(15) }, { root: randomBytes(31) }, { keyCommit: randomBytes(33) },
  ]
  for (const change of wrong) {
    t.throws(() => encodeRecord({ ...RECORD, ...change }), { code: 'malformed-record' }, JSON.stringify(change))
  }
  t.end()
})

t.test('a signature holds in its own context only: all pairs', (t) => {
  const message = randomBytes(40)
  for (const signedIn of SIGNATURE_CONTEXTS) {
    const signed = signIn(signedIn, message, owner.signing.secretKey)
    for (const context of SIGNATURE_CONTEXTS) {
      t.equal(verifyIn(context, signed, owner.signing.publicKey), context === signedIn,
        `${signedIn} as ${context}`)
    }
  }
  t.end()
})

t.test('a whole chain gives its last record', (t) => {
  const one = sign()
  const two = nextOf(one)
  const three = nextOf(two)
  t.equal(verifyChain([one], owner.fingerprint, null).version, 1)
  t.equal(verifyChain([one, two, three], owner.fingerprint, null).version, 3)
  const seen = { version: 2, sha256: recordSha256(two) }
  t.equal(verifyChain([one, two, three], owner.fingerprint, seen).version, 3)
  t.equal(verifyChain([one, two], owner.fingerprint, seen).version, 2)
  t.end()
})

t.test('an older version than the one seen is stale', (t) => {
  const one = sign()
  const two = nextOf(one)
  const seen = { version: 2, sha256: recordSha256(two) }
  t.throws(() => verifyChain([one], owner.fingerprint, seen), { code: 'stale-version' })
  t.end()
})

t.test('another history than the one seen is refused', (t) => {
  const one = sign()
  const two = nextOf(one)
  const otherTwo = nextOf(one, { root: randomBytes(32) })
  const seen = { version: 2, sha256: recordSha256(otherTwo) }
  t.throws(() => verifyChain([one, two], owner.fingerprint, seen), { code: 'broken-chain' })
  t.throws(() => verifyChain([one, two, nextOf(two)], owner.fingerprint, seen), { code: 'broken-chain' })
  t.end()
})

t.test('a chain with any link out of place is broken', (t) => {
  const one = sign()
  const two = nextOf(one)
  const three = nextOf(two)
  const faults: Record<string, Signed[]> = {
    empty: [],
    'first missing': [two, three],
    'middle missing': [one, three],
    'order changed': [two, one],
    'one twice': [one, one],
    'another document': [one, nextOf(one, { documentId: 'document-2' })],
    'another vault': [one, nextOf(one, { vaultId: 'vault-2' })],
    'another part': [one, nextOf(one, { part: 1 })],
    'another previous': [one, nextOf(one, { previousSha256: randomBytes(32) })],
  }
  for (const [name, chain] of Object.entries(faults)) {
    t.throws(() => verifyChain(chain, owner.fingerprint, null), { code: 'broken-chain' }, name)
  }
  const long = new Array<Signed>(MAX_CHAIN_LENGTH + 1).fill(one)
  t.throws(() => verifyChain(long, owner.fingerprint, null), { code: 'broken-chain' }, 'over its limit')
  t.end()
})

t.test('payload length and plaintext size answer each other', (t) => {
  for (const size of [0, 1, 65535, 65536, 65537, 131072, 131073]) {
    t.equal(plaintextSizeOf(payloadLengthOf(size)), size)
  }
  t.equal(payloadLengthOf(0), 32)
  t.equal(payloadLengthOf(65536), 16 + 65552)
  t.equal(payloadLengthOf(65537), 16 + 65552 + 17)
  for (const impossible of [0, 16, 31, 16 + 65552 + 1, 16 + 65552 + 16]) {
    t.equal(plaintextSizeOf(impossible), null, `${impossible}`)
  }
  fc.assert(fc.property(fc.nat(2 ** 31), (size) =>
    plaintextSizeOf(payloadLengthOf(size)) === size &&
    chunkCountOf(payloadLengthOf(size)) === Math.max(1, Math.ceil(size / 65536))))
  t.end()
})

t.test('the root depends on nonce, length and every hash, and on their number', (t) => {
  const payload = { nonce: randomBytes(16), payloadLength: payloadLengthOf(200_000) }
  const hashList = randomBytes(32 * 4)
  const root = chunkHashRoot(hashList, payload)
  t.notSame(chunkHashRoot(hashList, { ...payload, nonce: randomBytes(16) }), root)
  t.notSame(chunkHashRoot(hashList, { ...payload, payloadLength: payload.payloadLength + 1 }), root)
  t.notSame(chunkHashRoot(randomBytes(32 * 4), payload), root)
  t.throws(() => chunkHashRoot(randomBytes(32 * 3), payload), { code: 'bad-root' })
  t.throws(() => chunkHashRoot(randomBytes(32 * 5), payload), { code: 'bad-root' })
  t.throws(() => chunkHashRoot(randomBytes(32 * 4 - 1), payload), { code: 'bad-root' })
  t.end()
})
