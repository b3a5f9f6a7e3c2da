// Goal: what our encoders write is what everybody's write.
// Method: Node's own, for every length up to a few hundred bytes.
import { randomBytes } from 'node:crypto'
import t from 'tap'
import {
  decodeBase64, decodeBase64NoPad, decodeBase64Url, decodeHex,
  encodeBase64, encodeBase64NoPad, encodeBase64Url, encodeHex, equalBytes,
} from '../../protocol/bytes.js'

const MAX_SIZE_BYTES = 300

const ENCODINGS = [
  { name: 'base64', encode: encodeBase64, decode: decodeBase64, theirs: (bytes: Buffer) => bytes.toString('base64') },
  { name: 'base64 without padding', encode: encodeBase64NoPad, decode: decodeBase64NoPad, theirs: (bytes: Buffer) => bytes.toString('base64').replace(/=+$/, '') },
  { name: 'base64url', encode: encodeBase64Url, decode: decodeBase64Url, theirs: (bytes: Buffer) => bytes.toString('base64url') },
  { name: 'hex', encode: encodeHex, decode: decodeHex, theirs: (bytes: Buffer) => bytes.toString('hex') },
]

for (const { name, encode, decode, theirs } of ENCODINGS) {
  t.test(`${name} is what Node writes, and comes back`, async (t) => {
    for (let size = 0; size <= MAX_SIZE_BYTES; size++) {
      const bytes = randomBytes(size)
      const text = encode(new Uint8Array(bytes))
      if (text !== theirs(bytes)) t.fail(`${size} bytes are written otherwise`)
      if (!equalBytes(decode(text), bytes)) t.fail(`${size} bytes come back as others`)
    }
  })
}

t.test('bytes are equal if all of them are', async (t) => {
  const bytes = randomBytes(32)
  t.ok(equalBytes(bytes, Uint8Array.from(bytes)))
  t.notOk(equalBytes(bytes, bytes.subarray(1)), 'a shorter one is not')
  const isEqual = Array.from(bytes, (byte, at) => equalBytes(bytes, bytes.with(at, byte ^ 1)))
  t.notOk(isEqual.includes(true), 'nor one with any bit turned')
})
