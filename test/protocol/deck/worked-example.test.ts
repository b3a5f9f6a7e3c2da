// Goal: the worked example of SPEC.md § 3 is right, by our code and without it.
// Method: every value computed twice, by Node's own crypto from the specification's words and by ours.
import {
  createCipheriv, createHash, createPrivateKey, createPublicKey, hkdfSync, sign,
} from 'node:crypto'
import t from 'tap'
import { encodeHex, encodeUtf8 } from '../../../protocol/bytes.js'
import { promisesOf } from '../../../protocol/deck/upload.js'
import {
  deriveLinkKeys, deriveLinkSecret, deriveOwnerKeys, deriveRecoveryAuth, deriveVaultTagKey,
  formatFragment, formatIdentity, formatRecoveryCode,
} from '../../../protocol/deck/identity.js'
import { recordSha256, signRecord } from '../../../protocol/deck/record.js'
import { derivePayloadKey, sealChunk } from '../../../protocol/deck/stream.js'
import { sha256 } from '../../../protocol/hash.js'
import { ready } from '../../../protocol/sodium.js'

await ready()

const R = Buffer.from('000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f', 'hex')
const GRANT_ID = Buffer.from('f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff', 'hex')
const VAULT = '019ab4f2-7c1e-7d3a-9f00-1b2c3d4e5f60'
const DOCUMENT = '019ab4f2-7c1e-7d3a-9f00-aabbccddeeff'
const FILE_KEY = new Uint8Array(16).fill(0x11)
const NONCE = new Uint8Array(16).fill(0x22)

const PKF = '1e985b69c150067fe642ec1098414aae48276557176f0f8006993224fba6d9fd'
const FPF = 'fb72849d0eb558e27250dae0e0ff9b83'
const TAG_KEY = '6371cf53ac874a281fc5fee8a67ace798b16124f33c38bc81612938df3bfd116'
const L = 'b8c10e202f4d6a30c990e29a51ac8f76a856c77bb7c845ee6da7bae2c9ef5acd'
const FRAGMENT = 'AbjBDiAvTWowyZDimlGsj3aoVsd7t8hF7m2nuuLJ71rN-3KEnQ61WOJyUNrg4P-bgw'
const PK_LINK_SIGN = '576b5111f3c81d90db8c85bc72fe562f7787020bcd13a9315dc4d724e4479756'
const CARD_KEY = 'eab4ce273dcdba8484d2aa8c419418a125ad488109b155e3269f85adb8f0b0ef'
const PAYLOAD_KEY = '1c6577b3dd83252bfdcc151c71473ae189b5357b4e1d8790d2abf872dad660c6'
const CHUNK = '41f55f5dc6a13a126267face7dbe3f58dd3cbba6'
const ROOT = '2626df7f2402dfe471721112c6bb944151e13843796e6f468c481692df760737'
const KEY_COMMIT = 'e91d7a0dbe76e7fc84a505b4261779411f7e8edbc0e8074702ecf740a4f6acca'
const RECORD = '000000147365616c6465636b2d6d616e69666573742d7631' +
  '0000002430313961623466322d376331652d376433612d396630302d316232633364346535663630' +
  '0000002430313961623466322d376331652d376433612d396630302d616162626363646465656666' +
  '000200000001000000000000000000000024' + '0000001022222222222222222222222222222222' +
  `00000020${ROOT}00000020${KEY_COMMIT}00000020${PKF}`
const SIGNATURE = '31ef248377bdabdc31bb56250718bc888a2673f00bfb383d33235a3c18690319' +
  '0ace88b797b8e3eead1bfb89bbbf801f0da38ae18ce6e37287ad10b8777cb30b'
const RECORD_SHA256 = '83d15e4165671f4167a2cc36468b1ec2ef00eee468b23e291f36e15c8d9ae79f'

function hash(...parts: readonly (string | Uint8Array)[]): Buffer {
  const hashing = createHash('sha256')
  for (const part of parts) hashing.update(part)
  return hashing.digest()
}

function hkdf(key: Uint8Array, salt: string | Uint8Array, info: string): Buffer {
  return Buffer.from(hkdfSync('sha256', key, salt, info, 32))
}

function signingKey(seed: Uint8Array) {
  const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed])
  const key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
  const publicKey = createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(-32)
  return { key, publicKey }
}

t.test('by the words of the specification alone', (t) => {
  const founder = signingKey(hkdf(R, '', 'sealdeck/v1/owner/ed25519'))
  t.equal(founder.publicKey.toString('hex'), PKF)
  t.equal(hash(founder.publicKey).subarray(0, 16).toString('hex'), FPF)
  t.equal(hkdf(R, VAULT, 'sealdeck/v1/vault/tag-key').toString('hex'), TAG_KEY)
  const secret = hkdf(R, GRANT_ID, 'sealdeck/v1/link/secret')
  t.equal(secret.toString('hex'), L)
  const fragment = Buffer.concat([Buffer.from([1]), secret, Buffer.from(FPF, 'hex')])
  t.equal(fragment.toString('base64url'), FRAGMENT)
  const link = signingKey(hkdf(secret, GRANT_ID, 'sealdeck/v1/link/ed25519'))
  t.equal(link.publicKey.toString('hex'), PK_LINK_SIGN)
  t.equal(hkdf(secret, GRANT_ID, 'sealdeck/v1/link/card').toString('hex'), CARD_KEY)

  const payloadKey = hkdf(FILE_KEY, NONCE, 'payload')
  t.equal(payloadKey.toString('hex'), PAYLOAD_KEY)
  const iv = Buffer.from('000000000000000000000001', 'hex')
  const cipher = createCipheriv('chacha20-poly1305', payloadKey, iv, { authTagLength: 16 })
  const chunk = Buffer.concat([cipher.update('plan'), cipher.final(), cipher.getAuthTag()])
  t.equal(chunk.toString('hex'), CHUNK)
  const length = Buffer.from('0000000000000024', 'hex')
  t.equal(hash('sealdeck/v1/chunks\0', NONCE, length, hash(chunk)).toString('hex'), ROOT)
  t.equal(hkdf(FILE_KEY, NONCE, 'sealdeck/v1/key-commit').toString('hex'), KEY_COMMIT)
  const record = Buffer.from(RECORD, 'hex')
  const message = Buffer.concat([Buffer.from('sealdeck/v1/manifest\0'), record])
  t.equal(sign(null, message, founder.key).toString('hex'), SIGNATURE)
  t.equal(hash(record).toString('hex'), RECORD_SHA256)
  t.end()
})

t.test('by our code', (t) => {
  const owner = deriveOwnerKeys(R)
  t.equal(formatIdentity(owner.identity),
    'AGE-SECRET-KEY-PQ-1MSVJY5XRQ46S5VRNCHX8EYYJK92Y2K0Y8V4KRPV39DQL0FHCQ64SLLK7E0')
  t.equal(encodeHex(owner.signing.publicKey), PKF)
  t.equal(encodeHex(owner.fingerprint), FPF)
  t.equal(encodeHex(deriveVaultTagKey(R, VAULT)), TAG_KEY)
  const linkSecret = deriveLinkSecret(R, GRANT_ID)
  t.equal(encodeHex(linkSecret), L)
  t.equal(formatFragment({ linkSecret, fingerprint: owner.fingerprint }), FRAGMENT)
  const link = deriveLinkKeys(linkSecret, GRANT_ID)
  t.equal(formatIdentity(link.identity),
    'AGE-SECRET-KEY-PQ-1RHP2NDVUVRCUDD5W2NE9MSUVZPY22K6K6TVLYUXM9AXADEW7JFKQKK0YFN')
  t.equal(encodeHex(link.signing.publicKey), PK_LINK_SIGN)
  t.equal(encodeHex(link.cardKey), CARD_KEY)
  const code = R.subarray(0, 20)
  t.equal(formatRecoveryCode(code), '000G-40R4-0M30-E209-185G-R38E-1W81-24GK')
  t.equal(encodeHex(deriveRecoveryAuth(code)),
    '0f4ec634a20d5fe13ba0d5ec2aa280de7c24560fb14a60a74f8621eaaf7d7094')

  const payloadKey = derivePayloadKey(FILE_KEY, NONCE)
  const chunk = sealChunk(payloadKey, { index: 0, isFinal: true }, encodeUtf8('plan'))
  t.equal(encodeHex(chunk), CHUNK)
  const payloadLength = NONCE.length + chunk.length
  const promises = promisesOf(
    { fileKey: FILE_KEY, nonce: NONCE, payloadLength, hashList: sha256(chunk) })
  const signed = signRecord({
    vaultId: VAULT,
    documentId: DOCUMENT,
    part: 0,
    gate: 'nda',
    version: 1,
    previousSha256: null,
    payloadLength,
    nonce: NONCE,
    ...promises,
    signingKey: owner.signing.publicKey,
  }, owner.signing.secretKey)
  t.equal(encodeHex(signed.bytes), RECORD)
  t.equal(encodeHex(signed.signature), SIGNATURE)
  t.equal(encodeHex(recordSha256(signed)), RECORD_SHA256)
  t.end()
})
