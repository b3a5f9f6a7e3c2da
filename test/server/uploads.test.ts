// Goal: what is acknowledged lies in the bucket, whole; a version is what its founder signed, or it is not there;
// whatever is refused leaves the log as it was.
// Method: a founder seals and uploads over the real API; then parts, records and owners that do not fit, one at a time.
import { hash, randomBytes } from 'node:crypto'
import t from 'tap'
import { eq } from 'drizzle-orm'
import { instanceUsage, users, versions } from '../../db/schema.js'
import type { StoredVersion, Upload, UploadList, VaultDetail } from '../../protocol/api.js'
import { decodeBase64Url, encodeBase64Url, equalBytes } from '../../protocol/bytes.js'
import { payloadLengthOf } from '../../protocol/deck/record.js'
import { openHeader, parseSealdeckHeader } from '../../protocol/deck/header.js'
import { identityUnwrapper } from '../../protocol/deck/stanza.js'
import { collect } from '../../server/collector.js'
import { hashListKey, partKey } from '../../server/object-keys.js'
import { Founder, type Answer, type BegunUpload } from '../helpers/people.js'
import { checkLog, ENGINES, startWorld, type TestWorld } from '../helpers/world.js'

const HOUR_MS = 3_600_000
const ROOMY = { EMAIL_CODES_PER_NETWORK: '1000' }

function codeOf(answer: Answer): unknown {
  return answer.json<{ code: string }>().code
}

function hashOf(bytes: Uint8Array): string {
  return encodeBase64Url(hash('sha256', bytes, 'buffer'))
}

async function putsPart(
  founder: Founder, begun: BegunUpload, index: number, bytes = begun.parts[index],
  sha256 = hashOf(bytes ?? new Uint8Array()),
): Promise<Answer> {
  return await founder.asks('PUT', `/api/uploads/${begun.upload.versionId}/parts/${index}`, bytes, { 'x-content-sha256': sha256 })
}

async function usedBytes(test: TestWorld, founder: Founder): Promise<number | undefined> {
  const [row] = await test.world.db.select().from(users).where(eq(users.id, founder.userId))
  return row?.usedBytes
}

type VersionRow = typeof versions.$inferSelect

async function rowOf(test: TestWorld, versionId: string): Promise<VersionRow | undefined> {
  const [row] = await test.world.db.select().from(versions).where(eq(versions.id, versionId))
  return row
}

for (const engines of ENGINES) {
  t.test(`an upload of several parts, resumed, on ${engines} engines`, async (t) => {
    const test = await startWorld(t, { engines })
    const founder = await new Founder(test).signsUp()
    const vault = await founder.makesVault()
    const begun = await founder.beginsUpload(vault, { file: randomBytes(5 * 1024 * 1024) })
    const { versionId } = begun.upload
    t.equal(begun.parts.length, 2)
    t.same(begun.upload.parts.map(({ isStored }) => isStored), [false, false])
    t.equal((await putsPart(founder, begun, 1)).statusCode, 200, 'parts come in any order')
    t.equal(codeOf(await founder.asks('POST', `/api/uploads/${versionId}/complete`, founder.record(begun))), 'upload-incomplete')

    const resumed = await founder.gets<Upload>(`/api/uploads/${versionId}`)
    t.same(resumed.parts.map(({ isStored }) => isStored), [false, true], 'it says which parts are there')
    const { uploads } = await founder.gets<UploadList>(`/api/vaults/${vault.vaultId}/uploads`)
    t.same(uploads, [resumed])
    await founder.sendsParts(begun)
    await checkLog(t, test.world, { events: [] })

    const stored = await founder.posts<StoredVersion>(`/api/uploads/${versionId}/complete`, founder.record(begun))
    t.same(await founder.posts<StoredVersion>(`/api/uploads/${versionId}/complete`, founder.record(begun)), stored, 'asked twice, answered alike')
    const detail = await founder.gets<VaultDetail>(`/api/vaults/${vault.vaultId}`)
    t.same(detail.documents[0]?.versions, [stored])
    const header = parseSealdeckHeader(decodeBase64Url(stored.ownerHeader))
    t.same(openHeader(header, [identityUnwrapper(founder.keys.identity)]), begun.fileKey, 'the owner\'s header gives the file key')
    const first = await founder.does('GET', `/api/versions/${versionId}/payload`, undefined, { range: 'bytes=4194000-4195000' })
    t.ok(equalBytes(first.rawPayload, begun.payload.subarray(4_194_000, 4_195_001)), 'what comes back is what was sent, across parts')
    t.same((await founder.gets<UploadList>(`/api/vaults/${vault.vaultId}/uploads`)).uploads, [])
    await checkLog(t, test.world, { events: ['version.stored'] })
  })

  t.test(`quota, cancelling and collection on ${engines} engines`, async (t) => {
    const test = await startWorld(t, { engines, settings: { ACCOUNT_QUOTA_BYTES: '300000' } })
    const founder = await new Founder(test).signsUp()
    const vault = await founder.makesVault()
    const begun = await founder.beginsUpload(vault)
    await founder.sendsParts(begun)
    const size = begun.payload.length
    t.equal(await usedBytes(test, founder), size)
    t.equal((await founder.asks('DELETE', `/api/uploads/${begun.upload.versionId}`)).statusCode, 200)
    t.equal(await usedBytes(test, founder), 0, 'what is given up no longer counts')
    t.equal(codeOf(await founder.asks('DELETE', `/api/uploads/${begun.upload.versionId}`)), 'upload-not-found')
    t.equal(codeOf(await putsPart(founder, begun, 0)), 'upload-not-found')

    const row = await rowOf(test, begun.upload.versionId)
    const keys = [partKey(row?.objectPrefix ?? '', 0), hashListKey(row?.objectPrefix ?? '')]
    t.equal(await collect(test.world), 0, 'a request may still be writing')
    for (const key of keys) t.ok(await test.world.bucket.head(key))
    test.clock.advance(25 * HOUR_MS)
    t.equal(await collect(test.world), 1)
    for (const key of keys) t.equal(await test.world.bucket.head(key), null, 'the objects are gone')
    t.equal(await collect(test.world), 0, 'once')

    await founder.signsInWithPassphrase()
    const room = Math.floor(300_000 / size)
    const bodies = await Promise.all(Array.from({ length: room + 2 }, () => founder.uploadBody()))
    const answers = await Promise.all(bodies.map((body) => founder.asks('POST', `/api/vaults/${vault.vaultId}/uploads`, body)))
    t.equal(answers.filter(({ statusCode }) => statusCode === 201).length, room, 'side by side they do not pass the quota together')
    t.same(new Set(answers.filter(({ statusCode }) => statusCode !== 201).map(codeOf)), new Set(['quota-reached']))
    t.same(await founder.gets('/api/account/storage'), { usedBytes: room * size, quotaBytes: 300_000 })
    test.clock.advance(8 * 24 * HOUR_MS)
    await collect(test.world)
    t.equal(await usedBytes(test, founder), 0, 'what rested for a week is given up')
    await checkLog(t, test.world, { events: [] })
  })

  t.test(`a full instance says so, on ${engines} engines`, async (t) => {
    const test = await startWorld(t, { engines, settings: { INSTANCE_QUOTA_BYTES: '100000' } })
    const [ada, grace] = [await new Founder(test).signsUp(), await new Founder(test, 'Grace').signsUp()]
    const begun = await ada.beginsUpload(await ada.makesVault())
    t.ok(begun.payload.length > 50_000 && begun.payload.length <= 100_000, 'one deck fits and two do not')
    const vault = await grace.makesVault()
    const others = await grace.asks('POST', `/api/vaults/${vault.vaultId}/uploads`, await grace.uploadBody())
    t.equal(codeOf(others), 'instance-full', 'another account has room of its own, the instance has not')
    await ada.does('DELETE', `/api/uploads/${begun.upload.versionId}`)
    t.ok(await grace.beginsUpload(vault), 'what is given up is room for all')
    const [usage] = await test.world.db.select().from(instanceUsage)
    t.equal(usage?.usedBytes, await usedBytes(test, grace), 'the instance counts what its accounts count')
  })

  t.test(`collection leaves alone what is stored, on ${engines} engines`, async (t) => {
    const test = await startWorld(t, { engines })
    const founder = await new Founder(test).signsUp()
    const vault = await founder.makesVault()
    const deck = await founder.uploadsDeck(vault)
    test.clock.advance(400 * 24 * HOUR_MS)
    await collect(test.world)
    const row = await rowOf(test, deck.stored.versionId)
    t.ok(await test.world.bucket.head(partKey(row?.objectPrefix ?? '', 0)))

    await founder.signsInWithPassphrase()
    await founder.does('DELETE', `/api/vaults/${vault.vaultId}`)
    t.equal(await usedBytes(test, founder), 0)
    test.clock.advance(25 * HOUR_MS)
    t.equal(await collect(test.world), 1, 'a deleted vault\'s versions go')
    t.equal(await test.world.bucket.head(partKey(row?.objectPrefix ?? '', 0)), null)
    await checkLog(t, test.world, { events: ['version.stored', 'access.revoked'] })
  })
}

t.test('refusals, each with the log unchanged', async (t) => {
  const test = await startWorld(t, { settings: ROOMY })
  const founder = await new Founder(test).signsUp()
  const stranger = await new Founder(test, 'Mallory').signsUp()
  const vault = await founder.makesVault()

  t.test('before the recovery code is confirmed nothing is uploaded', async (t) => {
    const hasty = new Founder(test, 'Grace')
    await hasty.createsAccount()
    const { vaultId } = await hasty.makesVault()
    t.equal(codeOf(await hasty.asks('POST', `/api/vaults/${vaultId}/uploads`, await hasty.uploadBody())), 'recovery-unconfirmed')
  })

  t.test('beginnings that make no sense', async (t) => {
    const url = `/api/vaults/${vault.vaultId}/uploads`
    const body = await founder.uploadBody()
    t.equal(codeOf(await founder.asks('POST', url, { ...body, version: 2 })), 'conflict', 'not the next version')
    t.equal(codeOf(await founder.asks('POST', url, { ...body, part: 1, gate: 'nda' })), 'bad-request', 'open slides behind the NDA')
    t.equal(codeOf(await founder.asks('POST', url, { ...body, payloadLength: 20 })), 'bad-request', 'no payload has this length')
    t.equal((await founder.asks('POST', url, { ...body, ownerHeader: 'AAAA' })).statusCode, 400, 'not a header')
    t.equal((await founder.asks('POST', url, { ...body, nonce: `${String(Reflect.get(body, 'nonce')).slice(0, -1)}_` })).statusCode, 400, 'base64url with stray bits')
    t.equal((await founder.asks('POST', url, { ...body, extra: 1 })).statusCode, 400)
    t.equal(codeOf(await founder.asks('POST', url, { ...body, payloadLength: payloadLengthOf(1_240_000_000) })), 'file-too-large')
    t.same((await founder.gets<UploadList>(url)).uploads, [])
  })

  t.test('a file over the operator\'s limit', async (t) => {
    const small = await startWorld(t, { settings: { MAX_FILE_SIZE_BYTES: '1024' } })
    const other = await new Founder(small).signsUp()
    const { vaultId } = await other.makesVault()
    const body = await other.uploadBody({ file: randomBytes(3 * 1024 * 1024) })
    t.equal(codeOf(await other.asks('POST', `/api/vaults/${vaultId}/uploads`, body)), 'file-too-large')
  })

  t.test('parts of other bytes, another size or another hash, and other bytes once it is stored', async (t) => {
    const begun = await founder.beginsUpload(vault)
    const [part = new Uint8Array()] = begun.parts
    const changed = Uint8Array.from(part)
    changed[part.length - 1] = (changed[part.length - 1] ?? 0) ^ 1
    const otherNonce = Uint8Array.from(part)
    otherNonce[0] = (otherNonce[0] ?? 0) ^ 1
    t.equal(codeOf(await putsPart(founder, begun, 0, changed, hashOf(part))), 'part-mismatch', 'damaged on the way')
    t.equal(codeOf(await putsPart(founder, begun, 0, part.subarray(1))), 'part-mismatch', 'too short')
    t.equal(codeOf(await putsPart(founder, begun, 1, part)), 'part-mismatch', 'no such part')
    t.equal(codeOf(await putsPart(founder, begun, 0, otherNonce)), 'part-mismatch', 'not the nonce of the record')
    t.equal((await putsPart(founder, begun, 0, Buffer.alloc(4 * 1024 * 1024 + 1))).statusCode, 413)
    const unhashed = await founder.asks('PUT', `/api/uploads/${begun.upload.versionId}/parts/0`, part)
    t.equal(unhashed.statusCode, 400)
    t.same((await founder.gets<Upload>(`/api/uploads/${begun.upload.versionId}`)).parts.map(({ isStored }) => isStored), [false])

    t.equal((await putsPart(founder, begun, 0)).statusCode, 200)
    t.equal((await putsPart(founder, begun, 0)).statusCode, 200, 'the same again is fine')
    t.equal(codeOf(await putsPart(founder, begun, 0, changed)), 'part-mismatch', 'written once')
    t.equal(codeOf(await founder.asks('PUT', `/api/uploads/${begun.upload.versionId}/hash-list`, begun.hashList.subarray(32))), 'part-mismatch')
    await founder.does('DELETE', `/api/uploads/${begun.upload.versionId}`)
  })

  t.test('octets anywhere else', async (t) => {
    const answer = await founder.asks('POST', '/api/vaults', Buffer.from('{}'))
    t.equal(answer.statusCode, 415)
  })

  t.test('a part that lies in the bucket without its row is taken, if it is the same', async (t) => {
    const begun = await founder.beginsUpload(vault)
    const row = await rowOf(test, begun.upload.versionId)
    await test.world.bucket.put(partKey(row?.objectPrefix ?? '', 0), begun.parts[0] ?? new Uint8Array())
    t.equal((await putsPart(founder, begun, 0)).statusCode, 200)
    await founder.does('DELETE', `/api/uploads/${begun.upload.versionId}`)
  })

  t.test('records that do not say what lies there, or that somebody else signed', async (t) => {
    const begun = await founder.beginsUpload(vault)
    await founder.sendsParts(begun)
    const completes = async (body: object) => await founder.asks('POST', `/api/uploads/${begun.upload.versionId}/complete`, body)
    const lies = {
      vaultId: stranger.userId, documentId: stranger.userId, part: 1, gate: 'email', version: 2,
      payloadLength: begun.payload.length + 1, nonce: randomBytes(16), root: randomBytes(32),
    } as const
    for (const [field, lie] of Object.entries(lies)) {
      const changes = field === 'version' ? { version: 2, previousSha256: randomBytes(32) } : { [field]: lie }
      t.equal(codeOf(await completes(founder.record(begun, changes))), 'record-mismatch', field)
    }
    const good = founder.record(begun)
    const flipped = decodeBase64Url(good.recordSignature)
    flipped[0] = (flipped[0] ?? 0) ^ 1
    t.equal(codeOf(await completes({ ...good, recordSignature: encodeBase64Url(flipped) })), 'bad-founder-signature')
    t.equal(codeOf(await completes(stranger.record(begun))), 'wrong-founder')
    const cut = encodeBase64Url(decodeBase64Url(good.record).subarray(1))
    t.equal(codeOf(await completes({ ...good, record: cut })), 'malformed-record')
    t.equal((await completes(good)).statusCode, 200)
    t.equal(codeOf(await completes(founder.record(begun, { keyCommit: randomBytes(32) }))), 'upload-not-found', 'it is stored: no second record')
    await checkLog(t, test.world, { events: ['version.stored'] })
  })

  t.test('two uploads of one version: the second finds it taken', async (t) => {
    const documentId = (await founder.uploadsDeck(vault)).documentId
    const first = await founder.beginsUpload(vault, { documentId })
    const rivals = [first, await founder.beginsUpload(vault, { documentId })]
    for (const rival of rivals) await founder.sendsParts(rival)
    const answers = await Promise.all(rivals.map((rival) =>
      founder.asks('POST', `/api/uploads/${rival.upload.versionId}/complete`, founder.record(rival))))
    t.equal(answers.filter(({ statusCode }) => statusCode === 200).length, 1)
    t.ok(answers.some((answer) => ['conflict', 'record-mismatch'].includes(String(codeOf(answer)))))
    await checkLog(t, test.world, { events: ['version.stored', 'version.stored', 'version.stored'] })
  })

  t.test('the same beginning again is the same upload', async (t) => {
    const begun = await founder.beginsUpload(vault)
    const again = await founder.asks('POST', `/api/vaults/${vault.vaultId}/uploads`, begun.body)
    t.same(again.json<Upload>(), begun.upload)
    const other = await founder.asks('POST', `/api/vaults/${vault.vaultId}/uploads`, { ...begun.body, gate: 'email' })
    t.equal(codeOf(other), 'conflict')
    await founder.does('DELETE', `/api/uploads/${begun.upload.versionId}`)
  })

  t.test('what is another founder\'s looks absent', async (t) => {
    const begun = await founder.beginsUpload(vault)
    const { versionId } = begun.upload
    const absent = '01900000-0000-7000-8000-000000000000'
    for (const id of [versionId, absent]) {
      t.equal(codeOf(await stranger.asks('GET', `/api/uploads/${id}`)), 'upload-not-found')
      t.equal(codeOf(await stranger.asks('DELETE', `/api/uploads/${id}`)), 'upload-not-found')
      t.equal(codeOf(await stranger.asks('POST', `/api/uploads/${id}/complete`, stranger.record(begun))), 'upload-not-found')
      const part = await stranger.asks('PUT', `/api/uploads/${id}/parts/0`, begun.parts[0], { 'x-content-sha256': hashOf(begun.parts[0] ?? new Uint8Array()) })
      t.equal(codeOf(part), 'upload-not-found')
    }
    for (const id of [vault.vaultId, absent]) {
      t.equal(codeOf(await stranger.asks('GET', `/api/vaults/${id}/uploads`)), 'vault-not-found')
      t.equal(codeOf(await stranger.asks('POST', `/api/vaults/${id}/uploads`, await stranger.uploadBody())), 'vault-not-found')
    }
    const mine = await stranger.makesVault()
    const intrusion = await stranger.uploadBody({ documentId: begun.documentId })
    t.not((await stranger.asks('POST', `/api/vaults/${mine.vaultId}/uploads`, intrusion)).statusCode, 201, 'a document stays in its vault')
    await checkLog(t, test.world, { events: ['version.stored', 'version.stored', 'version.stored'] })
  })
})
