// Goal: the strict age reader accepts and refuses exactly what the public test kit says, and never
// releases more plaintext than a vector allows.
// Method: all vectors of cctv-age, each read whole, in pieces of uneven size, and byte by byte; then
// headers, armor and payloads written again from what was read.
import { createHash } from 'node:crypto'
import { inflateSync } from 'node:zlib'
import { scrypt as nobleScrypt } from '@noble/hashes/scrypt.js'
import * as kit from 'cctv-age'
import t from 'tap'
import { decodeHex } from '../../../protocol/bytes.js'
import { AgeReader } from '../../../protocol/deck/age-file.js'
import { ArmorReader, ArmorWriter } from '../../../protocol/deck/armor.js'
import { isCanonicalHeader } from '../../../protocol/deck/header.js'
import { parseIdentity } from '../../../protocol/deck/identity.js'
import { identityUnwrapper, passphraseUnwrapper } from '../../../protocol/deck/stanza.js'
import type { Scrypt, Unwrapper } from '../../../protocol/deck/stanza.js'
import { PayloadWriter } from '../../../protocol/deck/stream.js'
import { ProtocolError } from '../../../protocol/errors.js'
import type { ProtocolErrorCode } from '../../../protocol/errors.js'
import { ready } from '../../../protocol/sodium.js'

const VECTOR_COUNT = 143

/** What the kit calls each failure, in our codes. */
const FAILURES: Readonly<Record<string, readonly ProtocolErrorCode[]>> = {
  'no match': ['wrong-header'],
  'HMAC failure': ['bad-header-mac'],
  'header failure': [
    'malformed-header', 'malformed-stanza', 'unsupported-version', 'header-too-large',
  ],
  'payload failure': ['bad-chunk', 'truncated-payload', 'trailing-data'],
  'armor failure': ['malformed-armor'],
}

interface Vector {
  readonly expect: string
  readonly isArmored: boolean
  readonly payloadSha256: string | undefined
  readonly fileKey: Uint8Array<ArrayBuffer> | null
  readonly unwrappers: readonly Unwrapper[]
  readonly file: Uint8Array
}

const scrypt: Scrypt = (passphrase, salt, logN) =>
  nobleScrypt(passphrase, salt, { N: 2 ** logN, r: 8, p: 1, dkLen: 32 })

function parseVector(bytes: Uint8Array): Vector {
  const end = Buffer.from(bytes).indexOf('\n\n')
  const fields = Buffer.from(bytes.subarray(0, end)).toString().split('\n')
    .map((line): [string, string] => [line.split(': ', 1)[0] ?? '', line.slice(line.indexOf(': ') + 2)])
  const valuesOf = (key: string) => fields.flatMap(([name, value]) => name === key ? [value] : [])
  const [expect = ''] = valuesOf('expect')
  const body = bytes.subarray(end + 2)
  const [fileKey] = valuesOf('file key')
  return {
    expect,
    isArmored: valuesOf('armored')[0] === 'yes',
    payloadSha256: valuesOf('payload')[0],
    fileKey: fileKey === undefined ? null : decodeHex(fileKey),
    unwrappers: [
      ...valuesOf('identity').map((text) => identityUnwrapper(parseIdentity(text))),
      ...valuesOf('passphrase').map((text) => passphraseUnwrapper(text, scrypt)),
    ],
    file: valuesOf('compressed')[0] === 'zlib' ? new Uint8Array(inflateSync(body)) : body,
  }
}

function * inPieces(bytes: Uint8Array, sizes: readonly number[]): Generator<Uint8Array> {
  let turn = 0
  for (let offset = 0; offset < bytes.length;) {
    const size = sizes[turn++ % sizes.length] ?? 1
    yield bytes.subarray(offset, offset + size)
    offset += size
  }
}

const MANNERS: Readonly<Record<string, readonly number[]>> = {
  whole: [Number.MAX_SAFE_INTEGER],
  'in pieces': [1, 7, 4096, 65552, 3, 65551],
  'byte by byte': [1],
}

interface Outcome {
  readonly code: ProtocolErrorCode | null
  readonly releasedSha256: string
  readonly releasedSize: number
  readonly reader: AgeReader
}

function readVector(vector: Vector, sizes: readonly number[]): Outcome {
  const reader = new AgeReader(vector.unwrappers, { isArmored: vector.isArmored })
  const released = createHash('sha256')
  let releasedSize = 0
  let code: ProtocolErrorCode | null = null
  const release = (plaintext: Uint8Array) => {
    released.update(plaintext)
    releasedSize += plaintext.length
  }
  try {
    for (const piece of inPieces(vector.file, sizes)) {
      for (const plaintext of reader.push(piece)) release(plaintext)
    }
    release(reader.end())
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error
    code = error.code
  }
  return { code, releasedSha256: released.digest('hex'), releasedSize, reader }
}

await ready()

const vectors = Object.entries<unknown>(kit).flatMap(([name, bytes]) =>
  bytes instanceof Uint8Array ? [{ name, vector: parseVector(bytes) }] : [])

t.test('the kit is complete', (t) => {
  t.equal(vectors.length, VECTOR_COUNT)
  t.ok(vectors.every(({ vector }) => vector.expect === 'success' || FAILURES[vector.expect]))
  t.end()
})

for (const { name, vector } of vectors) {
  t.test(name, (t) => {
    for (const [manner, sizes] of Object.entries(MANNERS)) {
      const { code, releasedSha256, releasedSize } = readVector(vector, sizes)
      if (vector.expect === 'success') t.equal(code, null, `opens ${manner}`)
      else t.ok(FAILURES[vector.expect]?.some((expected) => expected === code), `${code} ${manner}`)
      if (vector.payloadSha256 === undefined) t.equal(releasedSize, 0, `nothing released ${manner}`)
      else t.equal(releasedSha256, vector.payloadSha256, `releases what it may ${manner}`)
    }
    t.end()
  })
}

t.test('what opens is found armored or not by its first byte', (t) => {
  for (const { name, vector } of vectors.filter(({ vector }) => vector.expect === 'success')) {
    const reader = new AgeReader(vector.unwrappers)
    t.doesNotThrow(() => [...reader.push(vector.file)], name)
  }
  t.end()
})

t.test('a header that opens is written again to the same bytes', (t) => {
  const opened = vectors.filter(({ vector }) => vector.expect === 'success' && !vector.isArmored)
  for (const { name, vector } of opened) {
    const { header } = readVector(vector, [Number.MAX_SAFE_INTEGER]).reader
    t.ok(header !== null && isCanonicalHeader(header, vector.file), name)
  }
  t.end()
})

t.test('a payload that opens is sealed again to the same bytes', (t) => {
  const opened = vectors.filter(({ vector }) => vector.expect === 'success' && !vector.isArmored)
  for (const { name, vector: { file, fileKey, unwrappers } } of opened) {
    if (fileKey === null) throw new Error(`${name} says its file key`)
    const reader = new AgeReader(unwrappers)
    const plaintext = Buffer.concat([...reader.push(file), reader.end()])
    const payload = file.subarray((reader.header?.macInput.length ?? 0) + ' '.length + 43 + '\n'.length)
    const writer = new PayloadWriter(fileKey, payload.slice(0, 16))
    const pieces = [...inPieces(plaintext, [1, 65535, 65536, 65537])]
    t.ok(Buffer.concat([...pieces.flatMap((piece) => [...writer.push(piece)]), ...writer.end()])
      .equals(payload), name)
  }
  t.end()
})

t.test('armor that opens is written again to the same text, but for its white space', (t) => {
  for (const { name, vector } of vectors) {
    if (!vector.isArmored || vector.expect !== 'success') continue
    const reader = new ArmorReader()
    const bytes = Buffer.concat([...reader.push(vector.file)])
    const writer = new ArmorWriter()
    const text = [...inPieces(bytes, [1, 48, 47])].map((piece) => writer.push(piece)).join('')
    const original = Buffer.from(vector.file).toString().trim().replaceAll('\r\n', '\n')
    t.equal(`${text}${writer.end()}`.trim(), original, name)
  }
  t.end()
})
