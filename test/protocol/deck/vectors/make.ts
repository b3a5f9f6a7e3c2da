// Writes the vectors of this folder: npx tsx test/protocol/deck/vectors/make.ts
import { mkdirSync, writeFileSync } from 'node:fs'
import { concatBytes, encodeBase64Url, encodeHex } from '../../../../protocol/bytes.js'
import { promisesOf } from '../../../../protocol/deck/upload.js'
import { signWrap } from '../../../../protocol/deck/grant.js'
import type { WrapRecord } from '../../../../protocol/deck/grant.js'
import { encodeHeader, wrapFileKey } from '../../../../protocol/deck/header.js'
import {
  deriveOwnerKeys, formatIdentity, makeFileKey, makeIdentity, makePayloadNonce, makeRoot,
} from '../../../../protocol/deck/identity.js'
import type { Identity, OwnerKeys } from '../../../../protocol/deck/identity.js'
import {
  payloadLengthOf, recordSha256, signRecord,
} from '../../../../protocol/deck/record.js'
import type { VersionRecord } from '../../../../protocol/deck/record.js'
import { SIGNATURE_CONTEXTS, signIn } from '../../../../protocol/deck/signature.js'
import type { Signed } from '../../../../protocol/deck/signature.js'
import { wrapFor } from '../../../../protocol/deck/stanza.js'
import { sha256 } from '../../../../protocol/hash.js'
import { randomBytes } from '../../../../protocol/sodium.js'
import { DOCUMENT_ID, VAULT_ID, makeLink } from '../sealed-world.js'
import type { Link } from '../sealed-world.js'
import { buildPayload, deckPlaintext, formatSigned } from './vector-file.js'
import type { DeckKeys, DeckName } from './vector-file.js'

const FOLDER = new URL('./', import.meta.url)
const WHOLE_SIZE = deckPlaintext('a').size
const CHUNK_SIZE = 65536

const root = makeRoot()
const owner = deriveOwnerKeys(root)
const stranger = deriveOwnerKeys(makeRoot())
const link = makeLink(root)
const otherLink = makeLink(root)
const approvedLink = makeLink(root, { release: 'on-approval' })
const decks: Record<DeckName, DeckKeys> = {
  a: { fileKey: makeFileKey(), nonce: makePayloadNonce() },
  b: { fileKey: makeFileKey(), nonce: makePayloadNonce() },
}

const GOOD = ['chunk 0', 'chunk 1', 'chunk 2', 'final 3']

function payloadLines(chunks: readonly string[], name: DeckName = 'a'): string[] {
  return [`nonce ${encodeHex(decks[name].nonce)}`, ...chunks]
}

/** One vector in the making: what is right, until a fault replaces it. */
interface Draft {
  expect: string
  comment: string
  released?: number
  payload: readonly string[]
  hashList: Uint8Array
  chain: readonly Signed[]
  identity: Identity
  link: Link | null
  wrap: Signed | null
  header: Uint8Array
  fingerprint: Uint8Array
  seen?: { version: number, sha256: Uint8Array }
  acceptanceSha256?: Uint8Array
}

async function hashListOf(chunks: readonly string[]): Promise<Uint8Array> {
  const hashes = []
  for (const chunk of chunks) hashes.push(sha256(await buildPayload([chunk], decks)))
  return concatBytes(...hashes)
}

interface RecordWish {
  readonly name?: DeckName
  readonly chunks?: readonly string[]
  readonly change?: Partial<VersionRecord>
  readonly by?: OwnerKeys
}

async function signVersion(
  wish: RecordWish = {},
): Promise<{ signed: Signed, record: VersionRecord }> {
  const { fileKey, nonce } = decks[wish.name ?? 'a']
  const hashList = await hashListOf(wish.chunks ?? GOOD)
  const payloadLength = payloadLengthOf(WHOLE_SIZE)
  const by = wish.by ?? owner
  const record: VersionRecord = {
    vaultId: VAULT_ID,
    documentId: DOCUMENT_ID,
    part: 0,
    gate: 'nda',
    version: 1,
    previousSha256: null,
    payloadLength,
    nonce,
    ...promisesOf({ fileKey, nonce, payloadLength, hashList }),
    signingKey: by.signing.publicKey,
    ...wish.change,
  }
  return { signed: signRecord(record, by.signing.secretKey), record }
}

function signWrapFor(
  header: Uint8Array, signed: Signed, change: Partial<WrapRecord> = {},
): Signed {
  return signWrap({
    grantId: link.grant.grantId,
    recordSha256: recordSha256(signed),
    recipient: link.keys.identity.recipient,
    headerSha256: sha256(header),
    acceptanceSha256: null,
    ...change,
  }, owner.signing.secretKey)
}

const good = await signVersion()
const goodHeader = wrapFileKey(decks.a.fileKey, link.keys.identity.recipient)
const goodHashList = await hashListOf(GOOD)
const goodHashListOfB = await hashListOf(GOOD.map((chunk) => `${chunk} of b`))
const goodOfB = await signVersion({
  name: 'b',
  chunks: GOOD.map((chunk) => `${chunk} of b`),
  change: { documentId: '019ab4f2-7c1e-7d3a-9f00-00000000000b' },
})
const later = await signVersion({
  change: { version: 2, previousSha256: recordSha256(good.signed) },
})

function base(): Draft {
  return {
    expect: 'success',
    comment: '',
    payload: payloadLines(GOOD),
    hashList: goodHashList,
    chain: [good.signed],
    identity: link.keys.identity,
    link,
    wrap: signWrapFor(goodHeader, good.signed),
    header: goodHeader,
    fingerprint: owner.fingerprint,
  }
}

/** A header that a device made for itself: no word of the founder's over it. */
function byDevice(fileKey: Uint8Array<ArrayBuffer>): Partial<Draft> {
  const header = wrapFileKey(fileKey, link.device.identity.recipient)
  return { header, identity: link.device.identity, wrap: null }
}

const vectors: Record<string, Partial<Draft> & { expect: string, comment: string }> = {}

// ---- what opens
const acceptanceSha256 = randomBytes(32)
const approvedHeader = wrapFileKey(decks.a.fileKey, approvedLink.device.identity.recipient)
const approvedWrap = signWrapFor(approvedHeader, good.signed, {
  grantId: approvedLink.grant.grantId,
  recipient: approvedLink.device.identity.recipient,
  acceptanceSha256,
})
const approved = {
  header: approvedHeader, identity: approvedLink.device.identity, link: approvedLink,
  wrap: approvedWrap,
}
vectors['good-link'] = { expect: 'success', comment: 'by the link' }
vectors['good-device'] = {
  expect: 'success', comment: 'by a device that made its own header', ...byDevice(decks.a.fileKey),
}
vectors['good-owner'] = {
  expect: 'success',
  comment: 'by the owner',
  link: null,
  wrap: null,
  identity: owner.identity,
  header: wrapFileKey(decks.a.fileKey, owner.identity.recipient),
}
vectors['good-approved'] = {
  expect: 'success', comment: 'on approval, naming the acceptance', ...approved, acceptanceSha256,
}
vectors['good-second-version'] = {
  expect: 'success',
  comment: 'second of a chain, the first seen before',
  chain: [good.signed, later.signed],
  wrap: signWrapFor(goodHeader, later.signed),
  seen: { version: 1, sha256: recordSha256(good.signed) },
}
vectors['good-extended'] = {
  expect: 'success',
  comment: 'bytes after the signed length are never asked for',
  payload: payloadLines([...GOOD, 'bytes 00112233']),
}

// ---- swapped
vectors['swapped-payload'] = {
  expect: 'bad-chunk-hash', comment: 'another deck of the same founder, its payload only',
  payload: payloadLines(GOOD.map((chunk) => `${chunk} of b`), 'b'), released: 0,
}
vectors['swapped-hash-list'] = {
  expect: 'bad-root', comment: 'another deck\'s payload with its hash list',
  payload: payloadLines(GOOD.map((chunk) => `${chunk} of b`), 'b'), hashList: goodHashListOfB,
}
vectors['swapped-record'] = {
  expect: 'wrong-header', comment: 'another deck\'s payload, hash list and record',
  payload: payloadLines(GOOD.map((chunk) => `${chunk} of b`), 'b'), hashList: goodHashListOfB,
  chain: [goodOfB.signed],
}
vectors['swapped-record-without-wrap'] = {
  expect: 'bad-key-commitment', comment: 'the same, for a device with its own header',
  ...byDevice(decks.a.fileKey), chain: [goodOfB.signed],
}
vectors['swapped-vault'] = {
  expect: 'wrong-vault', comment: 'a record of another vault of the same founder',
  chain: [(await signVersion({ change: { vaultId: 'another-vault' } })).signed],
  ...byDevice(decks.a.fileKey),
}
vectors['second-key'] = {
  expect: 'bad-key-commitment', comment: 'a header with another key for the same payload',
  ...byDevice(makeFileKey()),
}

// ---- versions
vectors['stale-version'] = {
  expect: 'stale-version', comment: 'version 1, where 2 was seen',
  seen: { version: 2, sha256: recordSha256(later.signed) },
}
vectors['rewritten-history'] = {
  expect: 'broken-chain', comment: 'version 1 is not the one that was seen',
  chain: [good.signed, later.signed], wrap: signWrapFor(goodHeader, later.signed),
  seen: { version: 1, sha256: randomBytes(32) },
}
vectors['chain-first-missing'] = {
  expect: 'broken-chain', comment: 'version 2 alone', chain: [later.signed],
}
vectors['chain-other-previous'] = {
  expect: 'broken-chain', comment: 'version 2 follows another version 1',
  chain: [good.signed, (await signVersion({
    change: { version: 2, previousSha256: randomBytes(32) },
  })).signed],
}
vectors['chain-order'] = {
  expect: 'broken-chain', comment: 'version 2 before version 1', chain: [later.signed, good.signed],
}
vectors['chain-other-document'] = {
  expect: 'broken-chain', comment: 'version 2 of another document',
  chain: [good.signed, (await signVersion({
    change: { version: 2, previousSha256: recordSha256(good.signed), documentId: 'another' },
  })).signed],
}

// ---- chunks: the server's doing, so the signed hashes catch it
interface ChunkFault {
  readonly chunks: string[]
  readonly comment: string
  /** `bad-chunk-hash` if not said. */
  readonly code?: string
  /** In chunks. */
  readonly released: number
}

const chunkFaults: Record<string, ChunkFault> = {
  'chunks-swapped': { chunks: ['chunk 0', 'chunk 2', 'chunk 1', 'final 3'], comment: '1 and 2 change places', released: 1 },
  'chunks-first-and-last-swapped': { chunks: ['final 3', 'chunk 1', 'chunk 2', 'chunk 0'], comment: '0 and 3 change places', released: 0 },
  'chunk-dropped-first': { chunks: GOOD.slice(1), comment: 'chunk 0 is missing', released: 0 },
  'chunk-dropped-middle': { chunks: ['chunk 0', 'chunk 2', 'final 3'], comment: 'chunk 1 is missing', released: 1 },
  'chunk-dropped-last': { chunks: GOOD.slice(0, 3), comment: 'the final chunk is missing', code: 'bad-length', released: 3 },
  'chunk-duplicated-first': { chunks: ['chunk 0', ...GOOD], comment: 'chunk 0 comes twice', released: 1 },
  'chunk-duplicated-middle': { chunks: ['chunk 0', 'chunk 1', 'chunk 1', 'chunk 2', 'final 3'], comment: 'chunk 1 comes twice', released: 2 },
  'chunk-duplicated-last': { chunks: ['chunk 0', 'chunk 1', 'chunk 2', 'final 3', 'final 3'], comment: 'the final chunk comes twice; only the first is asked for', code: 'success', released: 4 },
  'truncated-at-edge': { chunks: GOOD.slice(0, 2), comment: 'ends after chunk 1', code: 'bad-length', released: 2 },
  'truncated-off-edge': { chunks: ['chunk 0', 'chunk 1', 'chunk 2 first 30000'], comment: 'ends in chunk 2', code: 'bad-length', released: 2 },
  'truncated-in-tag': { chunks: ['chunk 0', 'chunk 1', 'chunk 2', 'final 3 first 20490'], comment: 'ends in the last tag', code: 'bad-length', released: 3 },
  'truncated-to-nonce': { chunks: [], comment: 'no chunk at all', code: 'bad-length', released: 0 },
  'spliced-at-index': { chunks: ['chunk 0', 'chunk 1 of b', 'chunk 2', 'final 3'], comment: 'chunk 1 of another deck', released: 1 },
  'spliced-tail': { chunks: ['chunk 0', 'chunk 1', 'chunk 2 of b', 'final 3 of b'], comment: 'the rest is another deck', released: 2 },
  'final-too-early': { chunks: ['chunk 0', 'final 1', 'chunk 2', 'final 3'], comment: 'chunk 1 says it is final', released: 1 },
  'bit-flipped-first': { chunks: ['chunk 0 flip 100', ...GOOD.slice(1)], comment: 'one bit of chunk 0', released: 0 },
  'bit-flipped-tag': { chunks: [...GOOD.slice(0, 3), 'final 3 flip 20495'], comment: 'one bit of the last tag', released: 3 },
}
for (const [name, fault] of Object.entries(chunkFaults)) {
  vectors[name] = {
    expect: fault.code ?? 'bad-chunk-hash', comment: fault.comment,
    payload: payloadLines(fault.chunks),
    released: Math.min(fault.released * CHUNK_SIZE, WHOLE_SIZE),
  }
}

// ---- chunks: the founder's client sealed wrongly and signed it, so the AEAD catches it
const sealFaults: Record<string, ChunkFault> = {
  'signed-two-finals': { chunks: ['chunk 0', 'chunk 1', 'final 2', 'final 3'], comment: 'two final chunks, hashes signed', released: 2 },
  'signed-swapped': { chunks: ['chunk 0', 'chunk 2', 'chunk 1', 'final 3'], comment: 'chunks 1 and 2 change places, hashes signed', released: 1 },
  'signed-spliced': { chunks: ['chunk 0', 'chunk 1 of b', 'chunk 2', 'final 3'], comment: 'chunk 1 of another deck, hashes signed', released: 1 },
}
for (const [name, fault] of Object.entries(sealFaults)) {
  const version = await signVersion({ chunks: fault.chunks })
  vectors[name] = {
    expect: 'bad-chunk', comment: fault.comment, payload: payloadLines(fault.chunks),
    hashList: await hashListOf(fault.chunks), chain: [version.signed],
    wrap: signWrapFor(goodHeader, version.signed), released: fault.released * CHUNK_SIZE,
  }
}
const hashListFaults: Record<string, Uint8Array> = {
  'hash-list-empty': new Uint8Array(0),
  'hash-list-short': goodHashList.subarray(0, 96),
  'hash-list-long': concatBytes(goodHashList, randomBytes(32)),
  'hash-list-cut': goodHashList.subarray(0, 127),
  'hash-list-swapped': concatBytes(
    goodHashList.subarray(32, 64), goodHashList.subarray(0, 32), goodHashList.subarray(64)),
}
for (const [name, hashList] of Object.entries(hashListFaults)) {
  vectors[name] = { expect: 'bad-root', comment: name.replaceAll('-', ' '), hashList }
}

// ---- founders
vectors['wrong-founder'] = {
  expect: 'wrong-founder', comment: 'everything signed by another founder than the link pins',
  fingerprint: stranger.fingerprint,
}
vectors['wrong-founder-record'] = {
  expect: 'wrong-founder', comment: 'a record signed by another founder',
  chain: [(await signVersion({ by: stranger })).signed],
}
vectors['forged-record'] = {
  expect: 'bad-founder-signature', comment: 'a record that names the founder, signed by another',
  chain: [signIn('manifest', good.signed.bytes, stranger.signing.secretKey)],
}
vectors['forged-wrap'] = {
  expect: 'bad-founder-signature', comment: 'a wrap record signed by another',
  wrap: signIn('wrap', signWrapFor(goodHeader, good.signed).bytes, stranger.signing.secretKey),
}
for (const context of SIGNATURE_CONTEXTS) {
  if (context !== 'manifest') {
    vectors[`record-signed-as-${context}`] = {
      expect: 'bad-founder-signature', comment: `the record, signed in context ${context}`,
      chain: [signIn(context, good.signed.bytes, owner.signing.secretKey)],
    }
  }
  if (context !== 'wrap') {
    vectors[`wrap-signed-as-${context}`] = {
      expect: 'bad-founder-signature', comment: `the wrap record, signed in context ${context}`,
      wrap: signIn(context, signWrapFor(goodHeader, good.signed).bytes, owner.signing.secretKey),
    }
  }
  if (context !== 'grant') {
    vectors[`grant-signed-as-${context}`] = {
      expect: 'bad-founder-signature', comment: `the grant, signed in context ${context}`,
      link: { ...link, signed: signIn(context, link.signed.bytes, owner.signing.secretKey) },
    }
  }
}

// ---- headers and wrap records
const otherHeader = wrapFileKey(decks.a.fileKey, otherLink.keys.identity.recipient)
vectors['header-of-another-grant'] = {
  expect: 'wrong-grant', comment: 'header and wrap record of another grant',
  header: otherHeader,
  wrap: signWrapFor(otherHeader, good.signed, {
    grantId: otherLink.grant.grantId, recipient: otherLink.keys.identity.recipient,
  }),
}
vectors['header-for-another'] = {
  expect: 'wrong-header', comment: 'a header for another recipient, unsigned', header: otherHeader,
}
vectors['header-unsigned'] = {
  expect: 'wrong-header', comment: 'another header for the same recipient than the signed one',
  header: wrapFileKey(decks.a.fileKey, link.keys.identity.recipient),
}
vectors['wrap-for-another-recipient'] = {
  expect: 'wrong-header', comment: 'the wrap record names another recipient',
  wrap: signWrapFor(goodHeader, good.signed, { recipient: otherLink.keys.identity.recipient }),
}
vectors['wrap-for-another-version'] = {
  expect: 'wrong-header', comment: 'the wrap record names version 2',
  wrap: signWrapFor(goodHeader, later.signed),
}
vectors['acceptance-missing'] = {
  expect: 'wrong-header', comment: 'on approval, the wrap record names no acceptance', ...approved,
  acceptanceSha256, wrap: signWrapFor(approvedHeader, good.signed, {
    grantId: approvedLink.grant.grantId, recipient: approvedLink.device.identity.recipient,
  }),
}
vectors['acceptance-of-another'] = {
  expect: 'wrong-header', comment: 'the wrap record names another acceptance', ...approved,
  acceptanceSha256: randomBytes(32),
}
const device = byDevice(decks.a.fileKey)
const deviceHeader = Buffer.from(device.header ?? goodHeader)
vectors['header-bit-flipped'] = {
  expect: 'bad-header-mac', comment: 'one symbol of the MAC', ...device,
  header: changeSymbol(deviceHeader, deviceHeader.length - 10),
}
vectors['header-stanza-flipped'] = {
  expect: 'wrong-header', comment: 'one symbol of the encapsulated key', ...device,
  header: changeSymbol(deviceHeader, 100),
}
vectors['header-two-stanzas'] = {
  expect: 'malformed-stanza', comment: 'a second stanza', ...device,
  header: encodeHeader([
    wrapFor(link.device.identity.recipient, decks.a.fileKey),
    wrapFor(makeIdentity('x25519').recipient, decks.a.fileKey),
  ], decks.a.fileKey),
}
vectors['header-x25519'] = {
  expect: 'malformed-stanza', comment: 'an X25519 stanza alone', ...device,
  header: wrapFileKey(decks.a.fileKey, makeIdentity('x25519').recipient),
}
vectors['header-too-large'] = {
  expect: 'header-too-large', comment: 'more than 4 KiB', ...device,
  header: encodeHeader([
    wrapFor(link.device.identity.recipient, decks.a.fileKey),
    { type: 'grease', args: [], body: randomBytes(2000) },
  ], decks.a.fileKey),
}
vectors['header-cut'] = {
  expect: 'malformed-header', comment: 'ends in the MAC', ...device,
  header: deviceHeader.subarray(0, -5),
}
vectors['header-trailing'] = {
  expect: 'trailing-data', comment: 'a byte after the header', ...device,
  header: Buffer.concat([deviceHeader, Buffer.from('x')]),
}

function changeSymbol(text: Buffer, index: number): Uint8Array {
  const changed = Buffer.from(text)
  changed[index] = changed[index] === 0x41 ? 0x42 : 0x41
  return new Uint8Array(changed)
}

// ---- each field of the record, one bit
const fieldOffsets = locateFields()
for (const [field, offset] of Object.entries(fieldOffsets)) {
  const bytes = good.signed.bytes.slice()
  bytes[offset] = (bytes[offset] ?? 0) ^ 1
  const malformed = ['label', 'gate', 'previous', 'version', 'payload-length']
  const expect = malformed.includes(field)
    ? 'malformed-record'
    : field === 'signing-key' ? 'wrong-founder' : 'bad-founder-signature'
  vectors[`record-flipped-${field}`] = {
    expect, comment: `one bit of the record's ${field}`, chain: [{ ...good.signed, bytes }],
  }
}

/** Where a byte of each field lies: lengths are four bytes before it. */
function locateFields(): Record<string, number> {
  const label = 4
  const vault = label + 'sealdeck-manifest-v1'.length + 4
  const document = vault + VAULT_ID.length + 4
  const part = document + DOCUMENT_ID.length
  const previous = part + 6
  const payloadLength = previous + 4
  const nonce = payloadLength + 8 + 4
  const chunkRoot = nonce + 16 + 4
  const keyCommit = chunkRoot + 32 + 4
  return {
    label, vault, document, part, gate: part + 1, version: part + 5, previous: previous + 3,
    'payload-length': payloadLength, nonce, root: chunkRoot, 'key-commit': keyCommit,
    'signing-key': keyCommit + 32 + 4,
  }
}

// ---- writing

function format(draft: Draft): string {
  const released = draft.released ?? (draft.expect === 'success' ? WHOLE_SIZE : 0)
  const fields: [string, string | undefined][] = [
    ['expect', draft.expect],
    ['released', String(released)],
    ['comment', draft.comment],
    ['vault', VAULT_ID],
    ['fingerprint', encodeHex(draft.fingerprint)],
    ['identity', formatIdentity(draft.identity)],
    ['seen', draft.seen && `${draft.seen.version} ${encodeHex(draft.seen.sha256)}`],
    ['acceptance-sha256', draft.acceptanceSha256 && encodeHex(draft.acceptanceSha256)],
    ['grant', draft.link === null ? undefined : formatSigned(draft.link.signed)],
    ...draft.chain.map((signed): [string, string] => ['record', formatSigned(signed)]),
    ['wrap', draft.wrap === null ? undefined : formatSigned(draft.wrap)],
    ['header', encodeBase64Url(draft.header)],
    ['hash-list', encodeBase64Url(draft.hashList)],
  ]
  const lines = fields.flatMap(([key, value]) => value === undefined ? [] : [`${key}: ${value}`])
  return `${lines.join('\n')}\n\n${draft.payload.join('\n')}\n`
}

mkdirSync(FOLDER, { recursive: true })
writeFileSync(new URL('decks.txt', FOLDER), (['a', 'b'] as const).map((name) =>
  `${name}-file-key: ${encodeHex(decks[name].fileKey)}\n${name}-nonce: ${encodeHex(decks[name].nonce)}\n`).join(''))
for (const [name, vector] of Object.entries(vectors)) {
  writeFileSync(new URL(`${name}.txt`, FOLDER), format({ ...base(), ...vector }))
}
