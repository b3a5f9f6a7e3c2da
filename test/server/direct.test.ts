// Goal: where transfers are direct, browsers and bucket pass the bytes and the server still vouches for them: nothing
// that does not fit becomes a version, nobody but the entitled gets an address, and a revocation is acknowledged
// when the last address has run out.
// Method: PostgreSQL and a real S3 server; a founder and an investor who use the addresses they are given.
import { randomBytes } from 'node:crypto'
import t from 'tap'
import type { DirectRange, StoredVersion, Upload, UploadList } from '../../protocol/api.js'
import { concatBytes, equalBytes } from '../../protocol/bytes.js'
import { DIRECT_GET_SECONDS } from '../../server/revocations.js'
import { Investor } from '../helpers/investor.js'
import { Founder, type Answer, type BegunUpload } from '../helpers/people.js'
import { checkLog, startWorld } from '../helpers/world.js'

const MIB = 1024 * 1024
const RUN_OUT_MS = DIRECT_GET_SECONDS * 1_000

function codeOf(answer: Answer): unknown {
  return answer.json<{ code: string }>().code
}

async function puts(upload: Upload, index: number, bytes: Uint8Array): Promise<number> {
  const target = upload.parts[index]
  if (target === undefined) throw new Error('no such part')
  const answer = await fetch(target.url, { method: 'PUT', headers: target.headers, body: Uint8Array.from(bytes) })
  return answer.status
}

async function putsAll(begun: BegunUpload): Promise<void> {
  for (const [index, bytes] of begun.parts.entries()) await puts(begun.upload, index, bytes)
}

async function readPieces({ pieces }: DirectRange): Promise<Uint8Array> {
  const bytes = await Promise.all(pieces.map(async ({ url, start, end }) => {
    const answer = await fetch(url, { headers: { range: `bytes=${start}-${end - 1}` } })
    return new Uint8Array(await answer.arrayBuffer())
  }))
  return concatBytes(...bytes)
}

t.test('an upload straight to the bucket, resumed, and mended where it does not fit', async (t) => {
  const test = await startWorld(t, { engines: 'real', settings: { UPLOADS: 'direct' } })
  const founder = await new Founder(test).signsUp()
  const vault = await founder.makesVault()
  const begun = await founder.beginsUpload(vault, { file: randomBytes(5 * MIB) })
  const { versionId } = begun.upload
  const complete = () => founder.asks('POST', `/api/uploads/${versionId}/complete`, founder.record(begun))
  const fresh = { isStored: false, expiresInSeconds: 60 }
  t.match(begun.upload.parts, [fresh, fresh])
  t.not(new URL(begun.upload.parts[0]?.url ?? '').origin, test.world.config.publicUrl, 'the bucket\'s address')

  const [first, second] = begun.parts
  if (first === undefined || second === undefined) throw new Error('two parts')
  const damaged = Uint8Array.from(second)
  damaged[70_000] = (damaged[70_000] ?? 0) ^ 1
  t.equal(await puts(begun.upload, 1, damaged), 200, 'the bucket does not know better')
  const resumed = await founder.gets<Upload>(`/api/uploads/${versionId}`)
  t.same(resumed.parts.map(({ isStored }) => isStored), [false, true], 'it says which parts are there')
  const { uploads } = await founder.gets<UploadList>(`/api/vaults/${vault.vaultId}/uploads`)
  t.match(uploads[0]?.parts, [{ expiresInSeconds: null }, { expiresInSeconds: null }], 'a list signs no addresses')
  await founder.does('PUT', `/api/uploads/${versionId}/hash-list`, begun.hashList)
  t.equal(codeOf(await complete()), 'upload-incomplete')
  t.equal(await puts(resumed, 0, first), 200)
  t.equal(codeOf(await complete()), 'part-mismatch', 'the server looks at every chunk')

  const again = await founder.gets<Upload>(`/api/uploads/${versionId}`)
  t.equal(again.parts[1]?.isStored, false, 'what did not fit is gone')
  for (const { index, isStored } of again.parts) {
    if (!isStored) await puts(again, index, begun.parts[index] ?? first)
  }
  await checkLog(t, test.world, { events: [] })
  const stored = (await complete()).json<StoredVersion>()
  t.equal(stored.versionId, versionId)
  t.same((await complete()).json<StoredVersion>(), stored, 'asked twice, answered alike')
  const range = await founder.does('GET', `/api/versions/${versionId}/payload`, undefined, { range: 'bytes=4194000-4195000' })
  t.ok(equalBytes(range.rawPayload, begun.payload.subarray(4_194_000, 4_195_001)), 'what comes back is what was sent')
  await checkLog(t, test.world, { events: ['version.stored'] })
})

t.test('reading straight from the bucket, until it is revoked', async (t) => {
  const test = await startWorld(t, { engines: 'real', settings: { UPLOADS: 'direct', DOWNLOADS: 'direct' } })
  const founder = await new Founder(test).signsUp()
  const link = await founder.sharesDeck()
  const file = randomBytes(5 * MIB)
  const begun = await founder.beginsUpload({ vaultId: link.vaultId }, { file })
  await putsAll(begun)
  await founder.does('PUT', `/api/uploads/${begun.upload.versionId}/hash-list`, begun.hashList)
  await founder.posts(`/api/uploads/${begun.upload.versionId}/complete`, founder.record(begun))
  const across = await founder.does('GET', `/api/versions/${begun.upload.versionId}/payload`, undefined, { range: 'bytes=4194000-4195000' })
  const pieces = across.json<DirectRange>()
  t.equal(pieces.pieces.length, 2, 'a piece of each part')
  t.ok(equalBytes(await readPieces(pieces), begun.payload.subarray(4_194_000, 4_195_001)))

  const investor = new Investor(test)
  await investor.enters(link)
  const release = await investor.signsNda(link)
  const released = release.headers.find(({ part }) => part === 0)
  const payload = `/api/versions/${released?.versionId ?? ''}/payload`
  const stranger = new Investor(test, { name: 'Mallory', email: 'mallory@evil.example' })
  t.equal((await stranger.asks('GET', payload, undefined, { range: 'bytes=0-99' })).statusCode, 401)
  const shown = (await investor.does('GET', payload, undefined, { range: 'bytes=0-99' })).json<DirectRange>()
  t.equal((await readPieces(shown)).length, 100)

  const startMs = performance.now()
  await founder.revokes(link)
  t.ok(performance.now() - startMs >= RUN_OUT_MS, 'acknowledged when no address is left')
  const late = await fetch(shown.pieces[0]?.url ?? '', { headers: { range: 'bytes=0-99' } })
  t.equal(late.status, 403, 'the last address has run out')
  t.equal(codeOf(await investor.asks('GET', payload, undefined, { range: 'bytes=0-99' })), 'grant-revoked', 'and there is no other')
})
