// Goal: a folder and an S3 bucket keep the same promises: written once, whole, readable by ranges.
// Method: one list of assertions, run against both; the S3 server is real and checks signatures.
import { createHash, randomBytes } from 'node:crypto'
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { Bucket } from '../../server/bucket.js'
import { openFolderBucket } from '../../server/folder-bucket.js'
import { openS3Bucket } from '../../server/s3-bucket.js'
import { makeFolder } from '../helpers/engine.js'
import { createBucket, useS3 } from '../helpers/s3.js'

function sha256(bytes: Uint8Array): Uint8Array {
  return Uint8Array.from(createHash('sha256').update(bytes).digest())
}

async function openFolder(t: Test): Promise<Bucket> {
  const folder = await makeFolder('bucket')
  t.teardown(() => rm(folder, { recursive: true }))
  return await openFolderBucket(folder)
}

async function openS3(t: Test): Promise<Bucket> {
  const access = await useS3(t)
  const bucket = openS3Bucket({
    ...access, bucket: await createBucket(access), isPathStyle: true,
    publicEndpoint: access.endpoint,
  })
  t.teardown(() => bucket.close())
  return bucket
}

for (const [name, open] of [['folder', openFolder], ['s3', openS3]] as const) {
  t.test(`a ${name} bucket`, async (t) => {
    const bucket = await open(t)
    const bytes = Uint8Array.from(randomBytes(70_000))

    t.equal(await bucket.put('payload/ab/0', bytes, { sha256: sha256(bytes) }), 'stored')
    t.equal(await bucket.put('payload/ab/0', Uint8Array.of(1)), 'exists', 'an object is written once')
    t.same(await bucket.read('payload/ab/0'), bytes, 'and keeps its first bytes')
    t.equal((await bucket.head('payload/ab/0'))?.sizeBytes, 70_000)

    t.same(await bucket.read('payload/ab/0', { offset: 65_536, sizeBytes: 4_464 }), bytes.slice(65_536), 'a range to the end')
    t.same(await bucket.read('payload/ab/0', { offset: 0, sizeBytes: 1 }), bytes.slice(0, 1))
    await t.rejects(bucket.read('payload/ab/0', { offset: 65_536, sizeBytes: 4_465 }), 'a range past the end is a bug')
    await t.rejects(bucket.read('payload/ab/0', { offset: 70_000, sizeBytes: 1 }))

    const parts: Uint8Array[] = []
    for await (const part of await bucket.stream('payload/ab/0', { offset: 10, sizeBytes: 60_000 }) ?? []) parts.push(part)
    t.same(Uint8Array.from(Buffer.concat(parts)), bytes.slice(10, 60_010), 'a stream has the same bytes')

    t.equal(await bucket.read('payload/none'), null)
    t.equal(await bucket.head('payload/none'), null)
    t.equal(await bucket.stream('payload/none'), null)
    t.equal(await bucket.readTagged('payload/none'), null)

    for (const key of ['../x', 'a/../b', '/a', 'a//b', 'a/', '.hidden', 'A', 'a/.drafts', '', 'a'.repeat(201)]) {
      await t.rejects(bucket.put(key, bytes), /plain segments/, `"${key.slice(0, 20)}" is no key`)
    }
    await bucket.check()
  })

  t.test(`replacing in a ${name} bucket`, async (t) => {
    const bucket = await open(t)
    const first = await bucket.replace('log/checkpoint', Buffer.from('one'), null)
    t.type(first, 'string')
    t.equal(await bucket.replace('log/checkpoint', Buffer.from('two'), null), undefined, 'it is there already')
    const second = await bucket.replace('log/checkpoint', Buffer.from('two'), first ?? null)
    t.type(second, 'string')
    t.equal(await bucket.replace('log/checkpoint', Buffer.from('stale'), first ?? null), undefined, 'a stale writer changes nothing')
    const read = await bucket.readTagged('log/checkpoint')
    t.same(read?.bytes, Uint8Array.from(Buffer.from('two')))
    t.equal(read?.etag, second)
    t.equal((await bucket.head('log/checkpoint'))?.etag, second)

    const racing = await Promise.all(Array.from({ length: 8 }, (_, index) =>
      bucket.replace('log/checkpoint', Buffer.from(`racer ${index}`), second ?? null)))
    t.equal(racing.filter((etag) => etag !== undefined).length, 1, 'of eight writers one wins')
    t.equal(await bucket.replace('log/none', Buffer.from('x'), second ?? null), undefined, 'nothing to replace')
  })

  t.test(`listing and deleting in a ${name} bucket`, async (t) => {
    const bucket = await open(t)
    const keys = ['a/1', 'a/10', 'a/2', 'a-b/1', 'a.b', 'b/x/1', 'b/x/2', 'b/y']
    for (const key of keys) await bucket.put(key, Uint8Array.of(1))
    const sorted = [...keys].sort()
    t.same(await bucket.list('', 100), sorted, 'in the order of whole keys')
    t.same(await bucket.list('a/', 100), ['a/1', 'a/10', 'a/2'])
    t.same(await bucket.list('b/x/', 1), ['b/x/1'])
    const pages: string[] = []
    for (let after: string | undefined; pages.length < 100;) {
      const page: string[] = await bucket.list('', 3, after)
      pages.push(...page)
      if (page.length < 3) break
      after = page.at(-1)
    }
    t.same(pages, sorted, 'page by page the same')
    await bucket.delete('a/10')
    await bucket.delete('a/10')
    t.equal(await bucket.read('a/10'), null)
    t.same(await bucket.list('a/', 100), ['a/1', 'a/2'])
    t.equal(await bucket.put('a/10', Uint8Array.of(2)), 'stored', 'a deleted key may be written again')
  })

  t.test(`eight writers of one key in a ${name} bucket`, async (t) => {
    const bucket = await open(t)
    const results = await Promise.all(Array.from({ length: 8 }, (_, index) => bucket.put('x/1', Uint8Array.of(index))))
    t.equal(results.filter((result) => result === 'stored').length, 1)
    t.equal((await bucket.read('x/1'))?.[0], results.indexOf('stored'), 'the bytes are those of the one that was told so')
  })
}

t.test('drafts of a process that died are gone at the next start', async (t) => {
  const folder = await makeFolder('bucket')
  t.teardown(() => rm(folder, { recursive: true }))
  const bucket = await openFolderBucket(folder)
  await bucket.put('a', Uint8Array.of(1))
  t.same(await readdir(join(folder, '.drafts')), [], 'none are left by a write')
})

t.test('a presigned address writes one object of its size, once, and reads one', async (t) => {
  const bucket = await openS3(t)
  const { direct } = bucket
  if (direct === undefined) throw new Error('an S3 bucket can be reached directly')
  const bytes = Uint8Array.from(randomBytes(1_000))
  const now = { fromMs: Date.now(), seconds: 60 }
  const late = { fromMs: Date.now() - 120_000, seconds: 60 }
  const { url, headers } = await direct.presignPut('payload/1', { ...now, sizeBytes: 1_000 })
  const send = (body: Uint8Array<ArrayBuffer>, changed = {}) => fetch(url, { method: 'PUT', headers: { ...headers, ...changed }, body })

  t.equal((await send(Uint8Array.from(randomBytes(999)))).status, 403, 'another length')
  t.equal((await send(bytes, { 'if-none-match': '' })).status, 403, 'without its condition')
  t.equal((await fetch(url.replace('payload/1', 'payload/2'), { method: 'PUT', headers, body: bytes })).status, 403, 'another key')
  t.equal(await bucket.read('payload/1'), null, 'none of these left anything')
  t.equal((await send(bytes)).status, 200)
  t.same(await bucket.read('payload/1'), bytes)
  t.equal((await send(bytes)).status, 412, 'not twice')
  const expired = await direct.presignPut('payload/3', { ...late, sizeBytes: 1_000 })
  t.equal((await fetch(expired.url, { method: 'PUT', headers: expired.headers, body: bytes })).status, 403, 'not late')

  const get = await direct.presignGet('payload/1', now)
  const range = await fetch(get, { headers: { range: 'bytes=10-19' } })
  t.equal(range.status, 206)
  t.same(new Uint8Array(await range.arrayBuffer()), bytes.subarray(10, 20))
  t.equal(range.headers.get('content-disposition'), 'attachment')
  t.equal((await fetch(get.replace('payload/1', 'payload/2'))).status, 403, 'another key')
  t.equal((await fetch(await direct.presignGet('payload/1', late))).status, 403, 'not late')
})

t.test('pages of an origin may reach a bucket that was told so', async (t) => {
  const { direct } = await openS3(t)
  const { url } = await direct?.presignPut('payload/1', { fromMs: Date.now(), seconds: 60, sizeBytes: 1 }) ?? { url: '' }
  async function asks(origin: string): Promise<string | null> {
    const answer = await fetch(url, {
      method: 'OPTIONS', headers: { origin, 'access-control-request-method': 'PUT', 'access-control-request-headers': 'if-none-match' },
    })
    return answer.headers.get('access-control-allow-origin')
  }
  t.equal(await asks('https://deck.example'), null)
  await direct?.allowOrigin('https://deck.example')
  t.equal(await asks('https://deck.example'), 'https://deck.example')
  t.equal(await asks('https://evil.example'), null)
})
