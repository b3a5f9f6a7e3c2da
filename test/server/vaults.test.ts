// Goal: a vault is its founder's: listed page by page, renamed, deleted with all that hangs on it; an NDA stands under
// the hash of exactly its text.
// Method: founders over the real API; the log is checked after each step.
import { randomBytes } from 'node:crypto'
import t from 'tap'
import type { NdaText, RevocationReport, VaultDetail, VaultList } from '../../protocol/api.js'
import { encodeBase64Url } from '../../protocol/bytes.js'
import { sha256 } from '../../protocol/hash.js'
import { Investor } from '../helpers/investor.js'
import { Founder, type Answer } from '../helpers/people.js'
import { checkLog, startWorld } from '../helpers/world.js'

const ROOMY = { EMAIL_CODES_PER_NETWORK: '1000' }

function codeOf(answer: Answer): unknown {
  return answer.json<{ code: string }>().code
}

t.test('vaults', async (t) => {
  const test = await startWorld(t, { settings: ROOMY })
  const founder = await new Founder(test).signsUp()
  const made: string[] = []
  for (let count = 0; count < 5; count++) {
    made.unshift((await founder.makesVault()).vaultId)
    test.clock.advance(1)
  }

  t.test('come newest first, page by page', async (t) => {
    const first = await founder.gets<VaultList>('/api/vaults?limit=2')
    const second = await founder.gets<VaultList>(`/api/vaults?limit=2&after=${first.next ?? ''}`)
    const third = await founder.gets<VaultList>(`/api/vaults?limit=2&after=${second.next ?? ''}`)
    const listed = [first, second, third].map(({ vaults }) => vaults.map(({ vaultId }) => vaultId))
    t.same(listed, [made.slice(0, 2), made.slice(2, 4), made.slice(4)])
    t.equal(third.next, null)
    for (const bad of ['0', '-1', '1000', 'x', '1e2']) {
      t.equal((await founder.asks('GET', `/api/vaults?limit=${bad}`)).statusCode, 400, `limit=${bad}`)
    }
  })

  t.test('are made once under one id', async (t) => {
    const [tagKey, titleSealed] = [32, 50].map((size) => encodeBase64Url(randomBytes(size)))
    const body = { vaultId: made[0], tagKey, titleSealed }
    t.equal(codeOf(await founder.asks('POST', '/api/vaults', body)), 'conflict')
  })

  t.test('take another title, and end with all that hangs on them', async (t) => {
    const titleSealed = encodeBase64Url(randomBytes(50))
    await founder.does('PUT', `/api/vaults/${made[0] ?? ''}/title`, { titleSealed })
    t.equal((await founder.gets<VaultDetail>(`/api/vaults/${made[0] ?? ''}`)).titleSealed, titleSealed)

    const link = await founder.sharesDeck({ openGate: 'link' })
    const grace = new Investor(test)
    await grace.entersUnnamed(link)
    const report = (await founder.does('DELETE', `/api/vaults/${link.vaultId}`)).json<RevocationReport>()
    t.match(report, { headerCount: 2, people: [{ effect: 'released-now-withheld' }] })
    t.equal(codeOf(await founder.asks('DELETE', `/api/vaults/${link.vaultId}`)), 'vault-not-found')
    t.equal(codeOf(await founder.asks('GET', `/api/vaults/${link.vaultId}`)), 'vault-not-found')
    t.equal(codeOf(await grace.asks('GET', `/api/gate/${link.grantId}`)), 'grant-not-found')
    await checkLog(t, test.world)
  })
})

t.test('an NDA is published once under its hash, and read back as it was hashed', async (t) => {
  const test = await startWorld(t)
  const founder = await new Founder(test).signsUp()
  const vault = await founder.makesVault()
  const text = 'Соглашение о неразглашении.\n\nСтороны: «Ада».\n'
  const first = await founder.publishesNda(vault, text)
  t.same(await founder.publishesNda(vault, text), first)
  const read = await founder.gets<NdaText>(`/api/vaults/${vault.vaultId}/ndas/${first.sha256}`)
  t.equal(encodeBase64Url(sha256(new TextEncoder().encode(read.text))), first.sha256)
  await checkLog(t, test.world, { events: ['nda.published'] })
  const url = `/api/vaults/${vault.vaultId}/ndas`
  const body = { text, title: 'NDA', templateId: 'mutual', templateVersion: 1, language: 'en' }
  for (const bad of ['', 'a\u0000b', 'a\u202eb', 'a\rb', 'a\ud800b']) {
    t.equal((await founder.asks('POST', url, { ...body, text: bad })).statusCode, 400, JSON.stringify(bad))
  }
  t.equal((await founder.asks('POST', url, { ...body, text: 'я'.repeat(48 * 1024) })).statusCode, 413, 'counted in bytes')
  await checkLog(t, test.world, { events: ['nda.published'] })
})
