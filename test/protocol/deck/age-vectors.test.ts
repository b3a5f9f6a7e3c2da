// Goal: the strict age reader accepts and refuses exactly what the public test kit says, and never
// releases more plaintext than a vector allows.
// Method: all vectors of cctv-age, each read whole, in pieces of uneven size, and byte by byte; then
// headers, armor and payloads written again from what was read.
import { inflateSync } from 'node:zlib'
import * as kit from 'cctv-age'
import t from 'tap'
import { AgeReader } from '../../../protocol/deck/age-file.js'
import { ArmorReader, ArmorWriter } from '../../../protocol/deck/armor.js'
import { isCanonicalHeader } from '../../../protocol/deck/header.js'
import { PayloadWriter } from '../../../protocol/deck/stream.js'
import { ready } from '../../../protocol/sodium.js'
import { FAILURES, MANNERS, WHOLE, findFault, inPieces, parseVector, readVector } from './kit.js'
import type { Vector } from './kit.js'

const VECTOR_COUNT = 143

await ready()

const vectors: { name: string, vector: Vector }[] = []
for (const [name, bytes] of Object.entries<unknown>(kit)) {
  if (!(bytes instanceof Uint8Array)) continue
  const vector = await parseVector(bytes, async (packed) => new Uint8Array(inflateSync(packed)))
  vectors.push({ name, vector })
}

t.test('the kit is complete', (t) => {
  t.equal(vectors.length, VECTOR_COUNT)
  t.ok(vectors.every(({ vector }) => vector.expect === 'success' || FAILURES[vector.expect]))
  t.end()
})

for (const { name, vector } of vectors) {
  t.test(name, (t) => {
    for (const [manner, sizes] of Object.entries(MANNERS)) {
      t.equal(findFault(vector, readVector(vector, sizes)), null, manner)
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
    const { header } = readVector(vector, WHOLE).reader
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
