// Goal: our wrappers of libsodium answer as the published vectors say, refuse what must be refused,
// and leave no secret behind on the heap.
// Method: Project Wycheproof through the wrappers; Node's own crypto and @noble as second opinions;
// a library with a broken random source, which must not start.
import { execFileSync } from 'node:child_process'
import { createHmac, randomBytes as nodeRandomBytes } from 'node:crypto'
import sodium from 'libsodium-wrappers'
import t from 'tap'
import type { Test } from 'tap'
import { concatBytes, encodeUtf8, equalBytes } from '../../protocol/bytes.js'
import {
  decapsulateXwing, encapsulateXwing, equalSecrets, hkdfExpand, hmacSha256, isLowOrderKey,
  openChaCha, openChaChaInto, openXChaCha, randomBytes, ready, sealChaCha, sealChaChaInto,
  sealXChaCha, signDetached, signKeyPairFromSeed, verifyDetached, wipe, x25519, xwingPublicKey,
} from '../../protocol/sodium.js'
import { bytesOf, numberOf, readCases, textOf } from '../helpers/wycheproof.js'
import type { CaseFile } from '../helpers/wycheproof.js'

await ready()

function requireCount(t: Test, file: CaseFile, count: number): void {
  if (file.isWhole) t.equal(file.cases.length, count, 'every published case')
  else t.comment('WYCHEPROOF VECTORS ABSENT: a few published answers stand in for them')
}

t.test('ChaCha20-Poly1305 answers as published', (t) => {
  const file = readCases('chacha20_poly1305')
  requireCount(t, file, 325)
  for (const one of file.cases) {
    const [key, nonce] = [bytesOf(one, 'key'), bytesOf(one, 'iv')]
    const input = { key, nonce, additional: bytesOf(one, 'aad') }
    const sealed = Buffer.concat([bytesOf(one, 'ct'), bytesOf(one, 'tag')])
    const name = `case ${numberOf(one, 'tcId')}`
    if (input.nonce.length !== 12) {
      t.throws(() => openChaCha(input, sealed), /nonce is 12 bytes/, name)
    } else if (textOf(one, 'result') === 'valid') {
      t.ok(equalBytes(sealChaCha(input, bytesOf(one, 'msg')), sealed), name)
      t.same(openChaCha(input, sealed), bytesOf(one, 'msg'), name)
    } else {
      t.equal(openChaCha(input, sealed), null, name)
    }
  }
  t.end()
})

t.test('Ed25519 verifies as published', (t) => {
  const file = readCases('ed25519')
  requireCount(t, file, 151)
  for (const one of file.cases) {
    const publicKey = new Uint8Array(
      Buffer.from(String(Reflect.get(Object(one['publicKey']), 'pk')), 'hex'))
    const isValid = verifyDetached(bytesOf(one, 'sig'), bytesOf(one, 'msg'), publicKey)
    t.equal(isValid, textOf(one, 'result') === 'valid', `case ${numberOf(one, 'tcId')}`)
  }
  t.end()
})

t.test('HKDF expands as published', (t) => {
  const file = readCases('hkdf_sha256')
  requireCount(t, file, 86)
  for (const one of file.cases) {
    const extracted = hmacSha256(bytesOf(one, 'salt'), bytesOf(one, 'ikm'))
    const expand = () => hkdfExpand(extracted, bytesOf(one, 'info'), numberOf(one, 'size'))
    const name = `case ${numberOf(one, 'tcId')}`
    if (textOf(one, 'result') === 'valid') t.same(expand(), bytesOf(one, 'okm'), name)
    else t.throws(expand, /within RFC 5869/, name)
  }
  t.end()
})

t.test('HMAC-SHA-256 answers as published', (t) => {
  const file = readCases('hmac_sha256')
  requireCount(t, file, 174)
  for (const one of file.cases) {
    const tag = hmacSha256(bytesOf(one, 'key'), bytesOf(one, 'msg'))
      .subarray(0, numberOf(one, 'tagSize') / 8)
    t.equal(equalBytes(tag, bytesOf(one, 'tag')), textOf(one, 'result') === 'valid',
      `case ${numberOf(one, 'tcId')}`)
  }
  t.end()
})

t.test('X25519 answers as published, and refuses every product that is zero', (t) => {
  const file = readCases('x25519')
  requireCount(t, file, 518)
  for (const one of file.cases) {
    const expected = bytesOf(one, 'shared')
    const shared = x25519(bytesOf(one, 'private'), bytesOf(one, 'public'))
    const name = `case ${numberOf(one, 'tcId')}`
    if (expected.every((byte) => byte === 0)) t.equal(shared, null, name)
    else t.same(shared, expected, name)
  }
  t.end()
})

t.test('X-Wing gives the same secret to both sides, a new one each time, to nobody else', (t) => {
  const seed = randomBytes(32)
  const publicKey = xwingPublicKey(seed)
  const [one, other] = [encapsulateXwing(publicKey), encapsulateXwing(publicKey)]
  if (one === null || other === null) throw new Error('a good key is encapsulated to')
  t.same(decapsulateXwing(one.ciphertext, seed), one.sharedSecret)
  t.notOk(equalBytes(one.sharedSecret, other.sharedSecret))
  t.notSame(decapsulateXwing(one.ciphertext, randomBytes(32)), one.sharedSecret)
  t.equal(encapsulateXwing(new Uint8Array(1216).fill(0xff)), null, 'coefficients out of range')
  t.end()
})

t.test('what is sealed opens with the same key, nonce and text, and with nothing else', (t) => {
  const key = randomBytes(32)
  const additional = encodeUtf8('text')
  const plaintext = randomBytes(1000)
  for (const [seal, open, nonceSize] of [
    [sealChaCha, openChaCha, 12], [sealXChaCha, openXChaCha, 24],
  ] as const) {
    const nonce = randomBytes(nonceSize)
    const sealed = seal({ key, nonce, additional }, plaintext)
    t.same(open({ key, nonce, additional }, sealed), plaintext)
    t.equal(open({ key, nonce }, sealed), null, 'without its text')
    t.equal(open({ key: randomBytes(32), nonce, additional }, sealed), null, 'with another key')
    t.equal(open({ key, nonce: randomBytes(nonceSize), additional }, sealed), null, 'another nonce')
    t.equal(open({ key, nonce, additional }, sealed.subarray(0, 15)), null, 'shorter than a tag')
    for (const bit of [0, 1, 8 * 500 + 3, sealed.length * 8 - 1]) {
      const flipped = sealed.slice()
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      t.equal(open({ key, nonce, additional }, flipped), null, `bit ${bit} flipped`)
    }
  }
  t.end()
})

t.test('sealing into a target fills exactly that target', (t) => {
  const input = { key: randomBytes(32), nonce: randomBytes(12) }
  const target = new Uint8Array(32)
  sealChaChaInto(input, randomBytes(8), target.subarray(4, 28))
  t.same(target.subarray(0, 4), new Uint8Array(4))
  t.same(target.subarray(28), new Uint8Array(4))
  t.throws(() => sealChaChaInto(input, randomBytes(8), target), /target of a seal is 24 bytes/)
  t.end()
})

t.test('opening into a target fills exactly that target, or leaves it alone', (t) => {
  const input = { key: randomBytes(32), nonce: randomBytes(12) }
  const plaintext = randomBytes(1000)
  const sealed = sealChaCha(input, plaintext)
  const target = new Uint8Array(1002).fill(7)
  t.ok(openChaChaInto(input, sealed, target.subarray(1, 1001)))
  t.same(target, concatBytes(Uint8Array.of(7), plaintext, Uint8Array.of(7)))
  target.fill(7)
  sealed[500] = (sealed[500] ?? 0) ^ 1
  t.notOk(openChaChaInto(input, sealed, target.subarray(1, 1001)))
  t.same(target, new Uint8Array(1002).fill(7), 'nothing of what is not authentic')
  t.notOk(openChaChaInto(input, sealed.subarray(0, 15), target.subarray(0, 0)))
  t.throws(() => openChaChaInto(input, sealed, target), /target of an opening/)
  t.end()
})

t.test('arguments larger than the heap has been so far are taken whole', (t) => {
  const key = nodeRandomBytes(32)
  const message = new Uint8Array(20 * 1024 * 1024).fill(7)
  const expected = createHmac('sha256', key).update(message).digest()
  t.ok(equalBytes(hmacSha256(key, message), expected))
  t.throws(() => hmacSha256(key, new Uint8Array(41 * 1024 * 1024)), /fit the scratch area/)
  t.end()
})

t.test('no secret stays on the heap after a call', (t) => {
  const key = randomBytes(32)
  const seed = randomBytes(32)
  const plaintext = randomBytes(4096)
  const nonce = randomBytes(24)
  openXChaCha({ key, nonce }, sealXChaCha({ key, nonce }, plaintext))
  signDetached(plaintext, signKeyPairFromSeed(seed).secretKey)
  xwingPublicKey(seed)
  hmacSha256(key, plaintext)
  const raw: unknown = Reflect.get(sodium, 'libsodium')
  const heap: unknown = Reflect.get(Object(raw), 'HEAPU8')
  if (!(heap instanceof Uint8Array)) throw new Error('no heap')
  const memory = Buffer.from(heap.buffer, heap.byteOffset, heap.byteLength)
  t.equal(memory.indexOf(key), -1, 'key')
  t.equal(memory.indexOf(seed), -1, 'seed')
  t.equal(memory.indexOf(plaintext.subarray(0, 64)), -1, 'plaintext')
  t.end()
})

t.test('keys of wrong size are our bug, not an answer', (t) => {
  const short = { key: new Uint8Array(1), nonce: new Uint8Array(12) }
  t.throws(() => sealChaCha(short, new Uint8Array(1)), /AEAD key is 32 bytes/)
  t.throws(() => signKeyPairFromSeed(new Uint8Array(31)), /seed is 32 bytes/)
  t.throws(() => signDetached(new Uint8Array(1), new Uint8Array(32)), /secret key is 64 bytes/)
  t.throws(() => xwingPublicKey(new Uint8Array(64)), /seed is 32 bytes/)
  t.throws(() => randomBytes(0), /sensible number/)
  t.notOk(verifyDetached(new Uint8Array(63), new Uint8Array(1), new Uint8Array(32)))
  t.end()
})

t.test('low-order, mixed-order and misspelt Ed25519 keys are told apart from good ones', (t) => {
  const lowOrder = [
    '0000000000000000000000000000000000000000000000000000000000000000',
    '0100000000000000000000000000000000000000000000000000000000000000',
    'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
    '0000000000000000000000000000000000000000000000000000000000000080',
    '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
    'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
    // y = p and p + 1: other spellings of 0 and 1.
    'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
    'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  ]
  for (const hex of lowOrder) t.ok(isLowOrderKey(new Uint8Array(Buffer.from(hex, 'hex'))), hex)
  t.ok(isLowOrderKey(new Uint8Array(31)), 'wrong size')
  t.notOk(isLowOrderKey(signKeyPairFromSeed(randomBytes(32)).publicKey))
  t.end()
})

t.test('secrets are compared whole, and wiped', (t) => {
  t.ok(equalSecrets(Uint8Array.of(1, 2), Uint8Array.of(1, 2)))
  t.notOk(equalSecrets(Uint8Array.of(1, 2), Uint8Array.of(1, 3)))
  t.notOk(equalSecrets(Uint8Array.of(1, 2), Uint8Array.of(1, 2, 0)))
  const secret = Uint8Array.of(1, 2, 3)
  wipe(secret)
  t.same(secret, new Uint8Array(3))
  t.end()
})

t.test('a constant random source stops the start', (t) => {
  const script = `
    const constant = (array) => array.fill(7)
    globalThis.crypto.getRandomValues = constant
    const { ready } = await import('./protocol/sodium.ts')
    await ready().then(() => console.log('started'), (error) => console.log(error.message))
  `
  const said = execFileSync(process.execPath, ['--import=tsx', '--input-type=module', '-e', script],
    { cwd: new URL('../..', import.meta.url), encoding: 'utf8' })
  t.match(said, /random source/)
  t.notMatch(said, /started/)
  t.end()
})
