// Goal: what is sealed opens to the same bytes by any range, resumed or not, in any order of parts, and
// nothing is fetched or shown beyond what was asked and verified.
// Method: seal for real with each cipher; watch every fetch; an evil server bends one answer at a time.
import { createCipheriv, webcrypto } from 'node:crypto'
import t from 'tap'
import { concatBytes, equalBytes } from '../../../protocol/bytes.js'
import { readBytes, sourceOfBytes } from '../../../protocol/deck/archive.js'
import { findPlatformCipher, makeSodiumCipher } from '../../../protocol/deck/cipher.js'
import type { SubtleAead } from '../../../protocol/deck/cipher.js'
import {
  MAX_READ_SIZE_BYTES, hashPlaintext, openDeck, openReleasedHeader, sealDeck, startSeal,
} from '../../../protocol/deck/deck.js'
import type { HeaderToOpen } from '../../../protocol/deck/deck.js'
import { wrapFileKey } from '../../../protocol/deck/header.js'
import {
  deriveOwnerKeys, makeFileKey, makeIdentity, makePayloadNonce, makeRoot,
} from '../../../protocol/deck/identity.js'
import { partCountOf } from '../../../protocol/deck/parts.js'
import { chunkCountOf, recordSha256, signRecord } from '../../../protocol/deck/record.js'
import { chunkNonce, derivePayloadKey, openChunk, sealChunk } from '../../../protocol/deck/stream.js'
import { decodeDraft, encodeDraft, promisesOf } from '../../../protocol/deck/upload.js'
import { hashBulk, sha256 } from '../../../protocol/hash.js'
import { randomBytes, sealChaCha } from '../../../protocol/sodium.js'
import {
  VAULT_ID, linkHeaderToOpen, makeLink, patternFile, sealVersion, watchedSource,
  wrapVersion,
} from './sealed-world.js'

const CHUNK = 65536
const root = makeRoot()
const owner = deriveOwnerKeys(root)
const link = makeLink(root)

function ownHeaderToOpen(version: Awaited<ReturnType<typeof sealVersion>>): HeaderToOpen {
  return {
    header: wrapFileKey(version.fileKey, owner.identity.recipient),
    identity: owner.identity,
    records: [version.signed],
    fingerprint: owner.fingerprint,
    vaultId: VAULT_ID,
    seen: null,
    wrap: null,
  }
}

t.test('a link\'s holder, a device and the owner open the same bytes', async (t) => {
  const version = await sealVersion({ owner, fileSize: 300_000 })
  const toDevice = { grantId: link.grant.grantId, recipient: link.device.identity.recipient }
  const forDevice = wrapVersion(owner, version, toDevice)
  const byLink = linkHeaderToOpen(owner, version, link)
  const ways: Record<string, HeaderToOpen> = {
    link: byLink,
    'device, by the founder': {
      ...byLink,
      header: forDevice.header,
      identity: link.device.identity,
      wrap: { signed: forDevice.signed, grant: link.grant, acceptanceSha256: null },
    },
    'device, by itself': {
      ...byLink,
      header: wrapFileKey(openReleasedHeader(byLink).fileKey, link.device.identity.recipient),
      identity: link.device.identity,
      wrap: null,
    },
    owner: ownHeaderToOpen(version),
  }
  for (const [name, toOpen] of Object.entries(ways)) {
    const opened = openReleasedHeader(toOpen)
    const { source } = watchedSource(version)
    const reader = await openDeck({ ...opened, source, hash: hashBulk })
    t.equal(reader.manifest.title, 'A plan', name)
    const file = await reader.readFile(0, 300_000)
    const whole = await readBytes(patternFile(300_000), { offset: 0, length: 300_000 })
    t.ok(equalBytes(file, whole), name)
    t.same(opened.seen, { version: 1, sha256: recordSha256(version.signed) })
  }
})

t.test('any range is read, and never more than one chunk beyond each end is fetched', async (t) => {
  const version = await sealVersion({ owner, fileSize: 1_000_000 })
  const whole = await readBytes(version.plaintext, { offset: 0, length: version.plaintext.size })
  const opened = openReleasedHeader(ownHeaderToOpen(version))
  const edges = [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 5 * CHUNK, 5 * CHUNK + 7,
    whole.length - 1, whole.length]
  for (const start of edges) {
    for (const end of edges.filter((edge) => edge > start)) {
      const { fetched, source } = watchedSource(version)
      const reader = await openDeck({ ...opened, source, hash: hashBulk })
      fetched.length = 0
      t.ok(equalBytes(await reader.read(start, end - start), whole.subarray(start, end)), `${start}-${end}`)
      const fetchedSize = fetched.reduce((sum, range) => sum + range.end - range.start, 0)
      const chunkCount = Math.ceil(end / CHUNK) - Math.floor(start / CHUNK)
      t.ok(fetchedSize <= chunkCount * (CHUNK + 16), 'whole chunks and no more')
      t.ok(fetched.every((range) => range.end - range.start <= 4 * 1024 * 1024), 'in short fetches')
    }
  }
})

t.test('a viewer\'s read of one chunk is one fetch of one chunk', async (t) => {
  const version = await sealVersion({ owner, fileSize: 1_000_000 })
  const { fetched, source } = watchedSource(version)
  const reader = await openDeck({
    ...openReleasedHeader(ownHeaderToOpen(version)), source, hash: hashBulk,
  })
  fetched.length = 0
  await reader.readFile(3 * CHUNK, CHUNK)
  t.same(fetched, [{ start: 16 + 4 * (CHUNK + 16), end: 16 + 5 * (CHUNK + 16) }])
  await reader.readFile(3 * CHUNK + 5, 100)
  t.equal(fetched.length, 1, 'kept for the next read')
  reader.close()
  await t.rejects(reader.readFile(3 * CHUNK + 5, 100), /asked for nothing/)
  t.equal(fetched.length, 2, 'plaintext and key are forgotten on close')
})

t.test('a file of several parts is read in bounded fetches', async (t) => {
  const version = await sealVersion({ owner, fileSize: 9_500_000 })
  const { fetched, source } = watchedSource(version)
  const reader = await openDeck({
    ...openReleasedHeader(ownHeaderToOpen(version)), source, hash: hashBulk,
  })
  const file = await reader.readFile(0, 9_500_000)
  t.ok(equalBytes(file, await readBytes(patternFile(9_500_000), { offset: 0, length: 9_500_000 })))
  t.ok(fetched.every((range) => range.end - range.start <= 4 * 1024 * 1024))
  t.equal(fetched.length, 1 + 3)
  const readTooMuch = () => reader.read(0, MAX_READ_SIZE_BYTES + 1)
  t.throws(() => readTooMuch(), /inside the archive/)
})

t.test('all of it is read in order, some of it ahead, and nothing twice', async (t) => {
  const version = await sealVersion({ owner, fileSize: 19_000_000 })
  const { fetched, source } = watchedSource(version)
  const reader = await openDeck({
    ...openReleasedHeader(ownHeaderToOpen(version)), source, hash: hashBulk,
  })
  const pieces = []
  for await (const piece of reader.fileStretches()) pieces.push(piece)
  const file = await readBytes(patternFile(19_000_000), { offset: 0, length: 19_000_000 })
  t.ok(equalBytes(concatBytes(...pieces), file))
  t.equal(fetched.length, 1 + Math.ceil(19_000_000 / (63 * CHUNK)))
  t.ok(fetched.every((range) => range.end - range.start <= 4 * 1024 * 1024), 'in short fetches')

  fetched.length = 0
  const reading = reader.stretches()
  t.equal((await reading.next()).value?.length, 63 * CHUNK)
  await reading.return(undefined)
  t.equal(fetched.length, 3, 'who stops reading has fetched little ahead')
})

t.test('parts come out the same in any order, again, and with any cipher', async (t) => {
  const plaintext = patternFile(9_000_000)
  const input = { plaintext, fileKey: makeFileKey(), nonce: makePayloadNonce(), hash: hashBulk }
  const inOrder = []
  for await (const part of sealDeck(input)) inOrder.push(part)
  const sealer = await startSeal(input)
  t.equal(sealer.partCount, partCountOf(sealer.payloadLength))
  t.equal(inOrder.length, sealer.partCount)
  for (const index of [2, 0, 1, 1]) t.same(await sealer.sealPart(index), inOrder[index])
  await t.rejects(sealer.sealPart(3), /has this part/)

  const payload = concatBytes(...inOrder.map(({ bytes }) => bytes))
  const hashes = concatBytes(...inOrder.map(({ chunkHashes }) => chunkHashes))
  t.equal(payload.length, sealer.payloadLength)
  t.equal(hashes.length, 32 * chunkCountOf(payload.length))
  for (let index = 0; index < chunkCountOf(payload.length); index++) {
    const sealed = payload.subarray(16 + index * 65552, 16 + (index + 1) * 65552)
    t.same(sha256(sealed), hashes.slice(index * 32, index * 32 + 32))
  }
})

t.test('file key and payload key are gone from the sealer\'s own memory', async (t) => {
  const fileKey = makeFileKey()
  const nonce = makePayloadNonce()
  const expected = derivePayloadKey(fileKey, nonce)
  const kept: Uint8Array[] = []
  await startSeal({
    plaintext: patternFile(1), fileKey, nonce, hash: hashBulk,
    async makeCipher(payloadKey) {
      t.same(payloadKey, expected)
      kept.push(payloadKey)
      return makeSodiumCipher(payloadKey)
    },
  })
  t.same(kept[0], new Uint8Array(32), 'wiped after the cipher took it over')
})

t.test('a version that does not open leaves no cipher open', async (t) => {
  const version = await sealVersion({ owner })
  const payload = version.payload.map((byte, index) => index === 20 ? byte ^ 1 : byte)
  const { source } = watchedSource({ payload, hashList: version.hashList })
  let endCount = 0
  const opening = openDeck({
    ...openReleasedHeader(ownHeaderToOpen(version)), source, hash: hashBulk,
    async makeCipher(payloadKey) {
      const cipher = await makeSodiumCipher(payloadKey)
      return { ...cipher, end() { endCount++; cipher.end() } }
    },
  })
  await t.rejects(opening, { code: 'bad-chunk-hash' })
  t.equal(endCount, 1)
})

// ---- the platform's cipher

/** A platform that has ChaCha20-Poly1305, as new browsers do; `bend` makes it a liar. */
function platformWith(bend: (sealed: Uint8Array) => Uint8Array): SubtleAead<Uint8Array> {
  return {
    async importKey(format, key) {
      t.equal(format, 'raw-secret')
      return key.slice()
    },
    async encrypt({ iv }, key, plaintext) {
      return new Uint8Array(bend(sealChaCha({ key, nonce: iv }, plaintext))).buffer
    },
    async decrypt({ iv }, key, sealed) {
      for (const place of [0, 1, 2, 3, 4, 5, 6, 7].flatMap((index) =>
        [{ index, isFinal: false }, { index, isFinal: true }])) {
        if (!equalBytes(chunkNonce(place), iv)) continue
        const opened = openChunk(key, place, sealed)
        if (opened !== null) return opened.buffer
      }
      throw new DOMException('not authentic', 'OperationError')
    },
  }
}

t.test('a platform cipher that agrees is used, and its bytes are the same', async (t) => {
  const makeCipher = await findPlatformCipher(platformWith((sealed) => sealed))
  if (makeCipher === null) throw new Error('an agreeing platform is believed')
  const input = {
    plaintext: patternFile(200_000),
    fileKey: makeFileKey(),
    nonce: makePayloadNonce(),
    hash: hashBulk,
  }
  const parts = []
  for await (const part of sealDeck(input)) parts.push(part)
  const others = []
  for await (const part of sealDeck({ ...input, makeCipher })) others.push(part)
  t.same(others, parts)
  const cipher = await makeCipher(derivePayloadKey(input.fileKey, input.nonce))
  const target = new Uint8Array(65536)
  t.equal(await cipher.open({ index: 0, isFinal: false }, randomBytes(65552), target), false)
  t.same(target, new Uint8Array(65536), 'nothing of what is not authentic')
})

t.test('a platform cipher that disagrees, accepts forgeries or is absent is not used', async (t) => {
  const flip = (sealed: Uint8Array) => sealed.map((byte, index) => index === 3 ? byte ^ 1 : byte)
  t.equal(await findPlatformCipher(platformWith(flip)), null, 'disagrees')
  const credulous: SubtleAead<Uint8Array> = {
    ...platformWith((sealed) => sealed),
    decrypt: async () => new TextEncoder().encode('one plaintext, two ciphers, the same bytes').buffer,
  }
  t.equal(await findPlatformCipher(credulous), null, 'accepts forgeries')
  // Node's own has none in version 20; where a later one has, it must agree.
  const own = await findPlatformCipher<webcrypto.CryptoKey>({
    importKey: async (format, key, algorithm, isExtractable) => {
      const imported: unknown = await Reflect.apply(webcrypto.subtle.importKey, webcrypto.subtle,
        [format, key, algorithm, isExtractable, ['encrypt', 'decrypt']])
      if (!(imported instanceof webcrypto.CryptoKey)) throw new TypeError('no key')
      return imported
    },
    encrypt: (params, key, bytes) => webcrypto.subtle.encrypt(params, key, bytes),
    decrypt: (params, key, bytes) => webcrypto.subtle.decrypt(params, key, bytes),
  })
  t.comment(own === null ? 'this Node has no ChaCha20-Poly1305' : 'this Node\'s agrees')
})

// ---- resuming

t.test('a resumed plaintext is recognised, and another one is not', async (t) => {
  const hashed: number[] = []
  const first = await hashPlaintext(patternFile(9_000_000), hashBulk, (done) => hashed.push(done))
  t.same(hashed, [4194304, 8388608, 9_000_000])
  t.same(await hashPlaintext(patternFile(9_000_000), hashBulk), first)
  const changed = await readBytes(patternFile(9_000_000), { offset: 0, length: 9_000_000 })
  changed[8_999_999] = (changed[8_999_999] ?? 0) ^ 1
  t.notSame(await hashPlaintext(sourceOfBytes(changed), hashBulk), first)
  t.notSame(await hashPlaintext(patternFile(8_999_999), hashBulk), first)
  const draft = { fileKey: makeFileKey(), nonce: makePayloadNonce(), plaintextSha256: first }
  t.same(decodeDraft(encodeDraft(draft)), draft)
  t.throws(() => decodeDraft(new Uint8Array(63)), { code: 'malformed-encoding' })
  t.throws(() => decodeDraft(new Uint8Array(65)), { code: 'malformed-encoding' })
})

// ---- an evil server

t.test('an answer of another length is refused before it is hashed', async (t) => {
  const version = await sealVersion({ owner })
  const opened = openReleasedHeader(ownHeaderToOpen(version))
  const shorten = (bytes: Uint8Array) => bytes.subarray(1)
  const lengthen = (bytes: Uint8Array) => concatBytes(bytes, bytes)
  for (const bend of [shorten, lengthen]) {
    const source = {
      readHashList: async () => version.hashList,
      readPayload: async (start: number, end: number) =>
        new Uint8Array(bend(version.payload.slice(start, end))),
    }
    await t.rejects(openDeck({ ...opened, source, hash: hashBulk }), { code: 'bad-length' })
  }
})

t.test('nothing is fetched before the hash list fits the signed root', async (t) => {
  const version = await sealVersion({ owner })
  const opened = openReleasedHeader(ownHeaderToOpen(version))
  for (const bit of [0, 100, version.hashList.length * 8 - 1]) {
    const hashList = version.hashList.slice()
    hashList[bit >> 3] = (hashList[bit >> 3] ?? 0) ^ (1 << (bit & 7))
    const { fetched, source } = watchedSource({ payload: version.payload, hashList })
    await t.rejects(openDeck({ ...opened, source, hash: hashBulk }), { code: 'bad-root' })
    t.same(fetched, [])
  }
})

t.test('a key of the server\'s own making opens nothing', async (t) => {
  const version = await sealVersion({ owner })
  const evil = deriveOwnerKeys(makeRoot())
  const fake = await sealVersion({ owner: evil })
  const good = linkHeaderToOpen(owner, version, link)
  const forged = linkHeaderToOpen(evil, fake, link)
  t.throws(() => openReleasedHeader({ ...forged, fingerprint: owner.fingerprint }), { code: 'wrong-founder' })
  const evilRecord = signRecord(fake.record, evil.signing.secretKey)
  t.throws(() => openReleasedHeader({ ...good, records: [evilRecord] }), { code: 'wrong-founder' })
  t.throws(() => openReleasedHeader({ ...good, header: forged.header }), { code: 'wrong-header' })
  t.throws(() => openReleasedHeader({ ...good, wrap: forged.wrap }), { code: 'bad-founder-signature' })
})

t.test('a header for somebody else is not ours', async (t) => {
  const version = await sealVersion({ owner })
  const other = makeIdentity('hybrid')
  const header = wrapFileKey(version.fileKey, other.recipient)
  t.throws(() => openReleasedHeader({ ...ownHeaderToOpen(version), header }), { code: 'wrong-header' })
  const x25519 = wrapFileKey(version.fileKey, makeIdentity('x25519').recipient)
  t.throws(() => openReleasedHeader({ ...ownHeaderToOpen(version), header: x25519 }), { code: 'malformed-stanza' })
})

t.test('on approval, the header must name the very acceptance that was signed', async (t) => {
  const sealed = await sealVersion({ owner })
  const approved = makeLink(root, { release: 'on-approval' })
  const acceptanceSha256 = randomBytes(32)
  const open = (named: Uint8Array | null, held: Uint8Array | null, version = sealed) => {
    const to = { grantId: approved.grant.grantId, recipient: approved.device.identity.recipient }
    const made = wrapVersion(owner, version,
      named === null ? to : { ...to, acceptanceSha256: named })
    return openReleasedHeader({
      ...linkHeaderToOpen(owner, version, approved),
      header: made.header,
      identity: approved.device.identity,
      wrap: { signed: made.signed, grant: approved.grant, acceptanceSha256: held },
    })
  }
  t.ok(open(acceptanceSha256, acceptanceSha256))
  t.throws(() => open(null, acceptanceSha256), { code: 'wrong-header' }, 'made before any')
  t.throws(() => open(acceptanceSha256, null), { code: 'wrong-header' }, 'none was signed')
  t.throws(() => open(randomBytes(32), acceptanceSha256), { code: 'wrong-header' }, 'made for another')
  const loose = await sealVersion({ owner, change: { gate: 'email' } })
  t.throws(() => open(null, acceptanceSha256, loose), { code: 'wrong-header' }, 'the policy asks for more')
})

t.test('one ciphertext that opens under two keys is refused under the second', async (t) => {
  const [first, second] = [makeFileKey(), makeFileKey()]
  const nonce = makePayloadNonce()
  const place = { index: 0, isFinal: true }
  const keys = [derivePayloadKey(first, nonce), derivePayloadKey(second, nonce)] as const
  const sealed = forgeForBoth(keys, chunkNonce(place))
  t.ok(openChunk(keys[0], place, sealed), 'opens under the first key')
  t.ok(openChunk(keys[1], place, sealed), 'and under the second')

  const payload = concatBytes(nonce, sealed)
  const hashList = sha256(sealed)
  const version = await sealVersion({
    owner,
    change: {
      nonce,
      payloadLength: payload.length,
      ...promisesOf({ fileKey: first, nonce, payloadLength: payload.length, hashList }),
    },
  })
  const toOpen = ownHeaderToOpen(version)
  t.ok(openReleasedHeader({ ...toOpen, header: wrapFileKey(first, owner.identity.recipient) }))
  const forSecond = wrapFileKey(second, owner.identity.recipient)
  t.throws(() => openReleasedHeader({ ...toOpen, header: forSecond }),
    { code: 'bad-key-commitment' })
})

/**
 * A sealed chunk that is authentic under both keys: two free blocks are solved for, so that the two
 * Poly1305 sums meet in one tag (Dodis, Grubbs, Ristenpart and Woodage, 2018).
 */
function forgeForBoth(keys: readonly [Uint8Array, Uint8Array], nonce: Uint8Array): Uint8Array {
  const P = (1n << 130n) - 5n
  const [one, two] = keys.map((key) => polyKeyOf(key, nonce))
  if (one === undefined || two === undefined) throw new Error('two keys')
  // Text of two blocks, then the block of lengths: c0 r^3 + c1 r^2 + len r + s, for each key.
  const lengths = (32n << 64n) + (1n << 128n)
  for (let tag = 1n; tag < 2000n; tag++) {
    const rest = [one, two].map(({ r, s }) =>
      (((tag - s) & ((1n << 128n) - 1n)) - lengths * r % P + 2n * P) % P)
    const [a, b, c, d] = [one.r ** 3n % P, one.r ** 2n % P, two.r ** 3n % P, two.r ** 2n % P]
    const determinant = inverse(((a * d - b * c) % P + P) % P, P)
    const [u, v] = [rest[0] ?? 0n, rest[1] ?? 0n]
    const c0 = ((u * d - b * v) % P + P) * determinant % P
    const c1 = ((a * v - u * c) % P + P) * determinant % P
    const isBlock = (block: bigint) => block >> 128n === 1n
    if (!isBlock(c0) || !isBlock(c1)) continue
    return concatBytes(littleEndianBytes(c0), littleEndianBytes(c1), littleEndianBytes(tag))
  }
  throw new Error('no tag fitted')
}

/** r and s of Poly1305: the first 32 bytes of block 0, which Node's plain ChaCha20 shows. */
function polyKeyOf(key: Uint8Array, nonce: Uint8Array): { r: bigint, s: bigint } {
  const iv = Buffer.concat([Buffer.from([0, 0, 0, 0]), nonce])
  const stream = createCipheriv('chacha20', key, iv).update(Buffer.alloc(32))
  const clamp = 0x0ffffffc0ffffffc0ffffffc0fffffffn
  return { r: littleEndian(stream.subarray(0, 16)) & clamp, s: littleEndian(stream.subarray(16)) }
}

function littleEndian(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).reverse().toString('hex')}`)
}

function littleEndianBytes(value: bigint): Uint8Array {
  const hex = (value & ((1n << 128n) - 1n)).toString(16).padStart(32, '0')
  return new Uint8Array(Buffer.from(hex, 'hex').reverse())
}

function inverse(value: bigint, modulus: bigint): bigint {
  let [result, base, exponent] = [1n, value, modulus - 2n]
  for (; exponent > 0n; exponent >>= 1n) {
    if ((exponent & 1n) === 1n) result = result * base % modulus
    base = base * base % modulus
  }
  return result
}

t.test('a chunk sealed in the wrong place does not open, though its hash was signed', (t) => {
  const key = randomBytes(32)
  const sealed = sealChunk(key, { index: 1, isFinal: false }, new Uint8Array(CHUNK))
  t.ok(openChunk(key, { index: 1, isFinal: false }, sealed))
  t.equal(openChunk(key, { index: 1, isFinal: true }, sealed), null)
  t.equal(openChunk(key, { index: 2, isFinal: false }, sealed), null)
  t.throws(() => sealChunk(key, { index: 1, isFinal: false }, new Uint8Array(5)), /only the final chunk/)
  t.throws(() => sealChunk(key, { index: 1, isFinal: true }, new Uint8Array(0)), /only an empty payload/)
  t.end()
})
