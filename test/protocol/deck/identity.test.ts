// Goal: every key follows from its root by the published labels, is written as age writes it, and no
// two uses share a key.
// Method: known answers computed with Node's own HKDF; round trips; every symbol of each text damaged.
import { hkdfSync, createHash } from 'node:crypto'
import fc from 'fast-check'
import t from 'tap'
import { encodeUtf8, equalBytes } from '../../../protocol/bytes.js'
import { decodeBech32, encodeBech32 } from '../../../protocol/deck/bech32.js'
import {
  KEY_LABELS, commitToFileKey, deriveDeviceKeys, deriveKey, deriveLinkKeys, deriveLinkSecret,
  deriveOwnerKeys, deriveRecoveryAuth, deriveVaultTagKey, fingerprintOf, formatFragment,
  formatIdentity, formatRecipient, formatRecoveryCode, identityFromSecret, makeDeviceSeed,
  makeFileKey, makeGrantId, makeIdentity, makePayloadNonce, makeRecoveryCode, makeRoot,
  parseFragment, parseIdentity, parseRecipient, parseRecoveryCode,
} from '../../../protocol/deck/identity.js'
import { ready } from '../../../protocol/sodium.js'

await ready()

const ROOT = new Uint8Array(32).map((_, index) => index)
const GRANT_ID = new Uint8Array(16).map((_, index) => 0xf0 + index)

function nodeHkdf(inputKey: Uint8Array, salt: Uint8Array, info: string): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', inputKey, salt, `sealdeck/v1/${info}`, 32))
}

t.test('keys are HKDF-SHA-256 under the published labels', (t) => {
  const none = new Uint8Array(0)
  const owner = deriveOwnerKeys(ROOT)
  t.same(owner.identity.secret, nodeHkdf(ROOT, none, 'owner/age-pq'))
  t.same(owner.signing.secretKey.subarray(0, 32), nodeHkdf(ROOT, none, 'owner/ed25519'))
  t.same(owner.fingerprint,
    new Uint8Array(createHash('sha256').update(owner.signing.publicKey).digest().subarray(0, 16)))
  t.same(deriveVaultTagKey(ROOT, 'vault-1'), nodeHkdf(ROOT, encodeUtf8('vault-1'), 'vault/tag-key'))

  const secret = deriveLinkSecret(ROOT, GRANT_ID)
  t.same(secret, nodeHkdf(ROOT, GRANT_ID, 'link/secret'))
  const link = deriveLinkKeys(secret, GRANT_ID)
  t.same(link.identity.secret, nodeHkdf(secret, GRANT_ID, 'link/age-pq'))
  t.same(link.signing.secretKey.subarray(0, 32), nodeHkdf(secret, GRANT_ID, 'link/ed25519'))
  t.same(link.cardKey, nodeHkdf(secret, GRANT_ID, 'link/card'))

  const device = deriveDeviceKeys(ROOT, GRANT_ID)
  t.same(device.identity.secret, nodeHkdf(ROOT, GRANT_ID, 'device/age-pq'))
  t.same(device.signing.secretKey.subarray(0, 32), nodeHkdf(ROOT, GRANT_ID, 'device/ed25519'))
  const code = ROOT.slice(0, 20)
  t.same(deriveRecoveryAuth(code), nodeHkdf(code, none, 'recovery/auth'))
  const [fileKey, nonce] = [ROOT.slice(0, 16), ROOT.slice(16)]
  t.same(commitToFileKey(fileKey, nonce), nodeHkdf(fileKey, nonce, 'key-commit'))
  t.end()
})

t.test('no two labels, salts or roots give one key', (t) => {
  fc.assert(fc.property(
    fc.constantFrom(...KEY_LABELS), fc.constantFrom(...KEY_LABELS),
    fc.uint8Array({ minLength: 16, maxLength: 16 }),
    fc.uint8Array({ minLength: 16, maxLength: 16 }),
    (label, otherLabel, salt, otherSalt) => {
      const isSame = label === otherLabel && equalBytes(salt, otherSalt)
      const [one, other] = [deriveKey(ROOT, salt, label), deriveKey(ROOT, otherSalt, otherLabel)]
      return equalBytes(one, other) === isSame
    }), { numRuns: 500 })
  t.equal(new Set(KEY_LABELS).size, KEY_LABELS.length)
  t.end()
})

t.test('what is drawn is drawn afresh, in its size', (t) => {
  const draws = [
    [makeRoot, 32], [makeGrantId, 16], [makeFileKey, 16], [makePayloadNonce, 16],
    [makeDeviceSeed, 32], [makeRecoveryCode, 20],
  ] as const
  for (const [make, size] of draws) {
    t.equal(make().length, size)
    t.notOk(equalBytes(make(), make()))
  }
  t.notOk(equalBytes(makeIdentity('hybrid').secret, makeIdentity('hybrid').secret))
  t.end()
})

t.test('identities and recipients are written and read as age does', (t) => {
  for (const type of ['hybrid', 'x25519'] as const) {
    const identity = identityFromSecret(type, ROOT)
    t.same(parseIdentity(formatIdentity(identity)), identity)
    t.same(parseRecipient(formatRecipient(identity.recipient)), identity.recipient)
    t.throws(() => parseIdentity(formatIdentity(identity).toLowerCase()), { code: 'malformed-encoding' })
    t.throws(() => parseRecipient(formatRecipient(identity.recipient).toUpperCase()),
      { code: 'malformed-encoding' })
    t.throws(() => parseRecipient(formatIdentity(identity)), { code: 'malformed-encoding' })
  }
  // From the age specification.
  const published = 'AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX'
  t.equal(formatRecipient(parseIdentity(published).recipient),
    'age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj')
  t.match(formatRecipient(parseIdentity(
    'AGE-SECRET-KEY-PQ-1XX76JRALNLXDMEW0CRK45QMCCH4X06SE84UN3VPM33W6HWDX0H3SK3ZQFR').recipient),
  /^age1pq1x34nzsvr0rxjsgdn8zgyhfe8j7ceq5r9rdelkjuh3y235jzxshfg87pz.*y7saeq0d3fzv49zc0k$/)
  t.end()
})

t.test('a bech32 text damaged in any one symbol is refused', (t) => {
  const text = formatIdentity(identityFromSecret('x25519', ROOT))
  for (let index = 0; index < text.length; index++) {
    const symbol = text[index] === 'Q' ? 'P' : 'Q'
    const damaged = text.slice(0, index) + symbol + text.slice(index + 1)
    t.throws(() => parseIdentity(damaged), { code: 'malformed-encoding' }, `symbol ${index}`)
  }
  for (const wrong of ['', '1', 'age1', 'age', 'a1Qq', `age1${'q'.repeat(2200)}`, 'Age1qqqqqqq']) {
    t.throws(() => decodeBech32(wrong), { code: 'malformed-encoding' }, wrong.slice(0, 20))
  }
  t.end()
})

t.test('bech32 writes any bytes and reads them back', (t) => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) =>
    equalBytes(decodeBech32(encodeBech32('age', bytes)).bytes, bytes)))
  t.end()
})

t.test('a fragment is 66 symbols and reads back', (t) => {
  const fragment = { linkSecret: ROOT, fingerprint: GRANT_ID }
  const text = formatFragment(fragment)
  t.match(text, /^AQAB[0-9A-Za-z_-]{62}$/)
  t.same(parseFragment(text), fragment)
  t.end()
})

t.test('a fragment of another version, length or spelling is refused', (t) => {
  const text = formatFragment({ linkSecret: ROOT, fingerprint: GRANT_ID })
  t.throws(() => parseFragment(`Ag${text.slice(2)}`), { code: 'unsupported-version' })
  for (const wrong of ['', text.slice(1), `${text}A`, `${text.slice(0, -1)}=`, `${text.slice(0, -1)}+`]) {
    t.throws(() => parseFragment(wrong), { code: 'malformed-encoding' }, wrong)
  }
  // 49 bytes leave four bits over: they must be zero.
  t.throws(() => parseFragment(`${text.slice(0, -1)}_`), { code: 'malformed-encoding' })
  t.end()
})

t.test('a recovery code is eight groups of four, and reads back however it is typed', (t) => {
  fc.assert(fc.property(fc.uint8Array({ minLength: 20, maxLength: 20 }), (code) => {
    const text = formatRecoveryCode(code)
    const typed = ` ${text.toLowerCase().replaceAll('-', ' ').replaceAll('0', 'o').replaceAll('1', 'l')}`
    return /^(?:[0-9A-HJKMNP-TV-Z]{4}-){7}[0-9A-HJKMNP-TV-Z]{4}$/.test(text) &&
      equalBytes(parseRecoveryCode(text), code) && equalBytes(parseRecoveryCode(typed), code)
  }))
  t.equal(formatRecoveryCode(new Uint8Array(20)), '0000-0000-0000-0000-0000-0000-0000-0000')
  t.equal(formatRecoveryCode(new Uint8Array(20).fill(0xff)), 'ZZZZ-ZZZZ-ZZZZ-ZZZZ-ZZZZ-ZZZZ-ZZZZ-ZZZZ')
  for (const wrong of ['', '0000', '0'.repeat(31), '0'.repeat(33), 'U'.repeat(32), ' '.repeat(500)]) {
    t.throws(() => parseRecoveryCode(wrong), { code: 'malformed-encoding' }, wrong.slice(0, 8))
  }
  t.end()
})

t.test('secrets of wrong size are our bug', (t) => {
  t.throws(() => deriveOwnerKeys(new Uint8Array(31)), /root is 32 bytes/)
  t.throws(() => deriveLinkKeys(ROOT, ROOT), /grant id is 16 bytes/)
  t.throws(() => fingerprintOf(new Uint8Array(33)), /Ed25519 key is 32 bytes/)
  t.end()
})
