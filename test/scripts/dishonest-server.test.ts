// Goal: what a dishonest server or a full disk answers to the command line is not taken for what was asked.
// Method: the very functions that `upload` and `export` call, with a server and a file that do other than they should.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import type { CompleteUpload } from '../../protocol/api.js'
import { encodeBase64Url, encodeHex, encodeUtf8, equalBytes } from '../../protocol/bytes.js'
import { sha256 } from '../../protocol/hash.js'
import { writeAll } from '../../scripts/account/save-versions.js'
import { completeUpload } from '../../scripts/account/seal-upload.js'
import { saveAgreements } from '../../scripts/export.js'

const folder = mkdtempSync(join(tmpdir(), 'sealdeck-lies-'))
t.teardown(() => rmSync(folder, { recursive: true, force: true }))

/** Says always the same. */
function answering(answer: object) {
  async function say<T>(): Promise<T> {
    const said: T = JSON.parse(JSON.stringify(answer))
    return said
  }
  return { get: say, post: say }
}

t.test('a disk that takes a little at a time gets all of it, one that takes nothing is full', async (t) => {
  const bytes = Uint8Array.from({ length: 1000 }, (_, at) => at % 251)
  const disk = new Uint8Array(1100)
  let room = Number.POSITIVE_INFINITY
  async function write<T extends NodeJS.ArrayBufferView>(
    buffer: T, offset?: unknown, length?: unknown, position?: unknown,
  ) {
    const bytesWritten = Math.min(Number(length), 7, room)
    const taken = new Uint8Array(buffer.buffer, buffer.byteOffset + Number(offset), bytesWritten)
    disk.set(taken, Number(position))
    room -= bytesWritten
    return { bytesWritten, buffer }
  }
  await writeAll({ write }, bytes, 50)
  t.ok(equalBytes(disk.subarray(50, 1050), bytes))
  room = 500
  await t.rejects(writeAll({ write }, bytes, 0), { name: 'Refused', message: 'the disk takes no more' })
})

t.test('an agreement with another hash is not exported', async (t) => {
  const text = 'The agreement.\n'
  const hash = sha256(encodeUtf8(text))
  const ndas = [{
    sha256: encodeBase64Url(hash), title: 'NDA', language: 'en' as const, templateId: 'mutual-en',
    templateVersion: 1, publishedAtMs: 0,
  }]
  const vault = { vaultId: 'v', ndas }
  mkdirSync(join(folder, 'agreements'))
  const path = join(folder, 'agreements', `${encodeHex(hash)}.txt`)
  await t.rejects(saveAgreements({ line: answering({ text: 'Another.\n' }) }, vault, folder), { code: 'malformed-nda' })
  t.same(readdirSync(join(folder, 'agreements')), [], 'and leaves nothing')
  await saveAgreements({ line: answering({ text }) }, vault, folder)
  t.equal(readFileSync(path, 'utf8'), text)
})

t.test('another version than the one that was sealed is not given to links', async (t) => {
  const body: CompleteUpload = { record: 'AAAA', recordSignature: 'BBBB' }
  const stored = { versionId: 'x', record: 'AAAA' }
  t.match(await completeUpload(answering(stored), '/api/uploads/x', body), stored)
  const older = answering({ ...stored, record: 'AAAB' })
  await t.rejects(completeUpload(older, '/api/uploads/x', body), { code: 'broken-chain' })
})
