// Goal: events are found by every filter together and page by page without one missing or double; whom the operator has
// named reads all vaults' events, and nobody's name; what was exported proves itself, whole or filtered.
// Method: two founders and their investors over the real API; the answers are held against each other and the rows.
import t from 'tap'
import type { AuditedVaultList, EventList, Invitation } from '../../protocol/api.js'
import { parseExport, verifyExport } from '../../protocol/log/export.js'
import { policyOfLog } from '../../protocol/log/policy.js'
import { ready } from '../../protocol/sodium.js'
import { nameInstanceAuditor } from '../../server/use-cases/name-instance-auditor.js'
import { Investor } from '../helpers/investor.js'
import { Founder } from '../helpers/people.js'
import { checkLog, ENGINES, startWorld } from '../helpers/world.js'

await ready()

const ROOMY = { EMAIL_CODES_PER_NETWORK: '1000', RATE_LIMIT_PER_MINUTE: '100000' }
const DAY_MS = 24 * 3_600_000
const MAX_PAGES = 100

async function readAll(
  reader: Founder, url: string, { query = '', limit = 3 } = {},
): Promise<EventList['events']> {
  const all: EventList['events'] = []
  let cursor = ''
  for (let page = 0; page < MAX_PAGES; page++) {
    const list = await reader.gets<EventList>(`${url}?limit=${limit}${query}${cursor}`)
    all.push(...list.events)
    if (list.next === null) return all
    cursor = query.includes('oldest-first') ? `&after=${list.next}` : `&before=${list.next}`
  }
  throw new Error('a list without an end')
}

function typesOf(events: EventList['events']): string[] {
  return events.map(({ type }) => type)
}

for (const engines of ENGINES) {
  t.test(`on ${engines} engines`, async (t) => {
    const test = await startWorld(t, { engines, settings: ROOMY })
    const founder = await new Founder(test).signsUp()
    const link = await founder.sharesDeck()
    const ada = new Investor(test, { name: 'Ada', email: 'ada@fund.example' })
    await ada.enters(link)
    await ada.signsNda(link)
    const firstDayMs = test.clock.nowMs()
    test.clock.advance(2 * DAY_MS)
    await founder.signsInWithPassphrase()
    const bob = new Investor(test, { name: 'Bob', email: 'bob@fund.example' })
    await bob.enters(link)
    await bob.signsNda(link)
    // A clock that was set back: the newest entry is not the latest.
    test.clock.advance(-DAY_MS)
    await founder.posts<Invitation>(`/api/vaults/${link.vaultId}/invitations`, { email: 'a@b.example', withIdentities: false })
    test.clock.advance(DAY_MS)
    const url = `/api/vaults/${link.vaultId}/events`
    const all = await readAll(founder, url, { limit: 500 })

    t.test('pages have every event once, from either end', async (t) => {
      t.ok(all.length > 12)
      t.same((await readAll(founder, url)).map(({ index }) => index), all.map(({ index }) => index))
      const upwards = await readAll(founder, url, { query: '&order=oldest-first' })
      t.same(upwards.reverse(), all)
      t.same(all.map(({ vaultSequence }) => vaultSequence).reverse(), all.map((_, at) => at + 1), 'numbered without a gap')
    })

    t.test('every filter finds what it names, and all together what all name', async (t) => {
      const accepted = all.find(({ type }) => type === 'nda.accepted')
      const personId = String(fieldOf(accepted?.event ?? null, 'party'))
      const released = await readAll(founder, url, { query: '&type=header.released', limit: 1 })
      t.same(released, all.filter(({ type }) => type === 'header.released'))
      const his = await readAll(founder, url, { query: `&personId=${personId}` })
      t.same(his, all.filter(({ event }) => fieldOf(event, 'party') === personId))
      const documentId = String(fieldOf(released[0]?.event ?? null, 'document'))
      const documents = await readAll(founder, url, { query: `&documentId=${documentId}` })
      t.same(documents, all.filter(({ event }) => fieldOf(event, 'document') === documentId))
      const both = await readAll(founder, url, { query: `&type=header.released&personId=${personId}&documentId=${documentId}&fromMs=0` })
      t.same(both.map(({ index }) => index), released
        .filter(({ event }) => fieldOf(event, 'party') === personId && documents.some((one) => one.event === event))
        .map(({ index }) => index))
    })

    t.test('by time, entries come in the order of time, wherever a clock went back', async (t) => {
      const fromMs = firstDayMs + DAY_MS / 2
      const toMs = firstDayMs + DAY_MS * 3 / 2
      const between = await readAll(founder, url, { query: `&fromMs=${fromMs}&toMs=${toMs}` })
      t.same(typesOf(between), ['admin.acted'])
      t.equal(between[0]?.index, all[0]?.index, 'the newest entry, of the day before')
      const since = await readAll(founder, url, { query: '&fromMs=0', limit: 2 })
      const inOrder = [...all].sort((a, b) => b.atMs - a.atMs || b.index - a.index)
      t.same(since.map(({ index }) => index), inOrder.map(({ index }) => index))
    })

    t.test('while nothing is new the answer is empty', async (t) => {
      const first = await founder.does('GET', url)
      const { newest } = first.json<EventList>()
      t.equal(first.headers['etag'], `"${newest}"`)
      const asked = (tag: string) => founder.asks('GET', `${url}?after=${newest}`, undefined, { 'if-none-match': tag })
      const same = await asked(`"${newest}"`)
      t.equal(same.statusCode, 304)
      t.equal(same.rawPayload.length, 0)
      t.equal((await asked('"0"')).statusCode, 200)
      t.equal((await asked('nonsense')).statusCode, 200)
    })

    t.test('an export has what fits the filter, and proves it', async (t) => {
      const policy = policyOfLog(test.world.keys.log.vkey)
      const whole = await founder.does('POST', `/api/vaults/${link.vaultId}/exports`, {})
      const { events } = verifyExport(parseExport(whole.rawPayload.toString()), policy)
      t.same(events.map(({ event }) => event?.type), [...typesOf(all).reverse(), 'export.made'])
      const asked = { type: 'nda.accepted', format: 'csv' }
      const some = await founder.does('POST', `/api/vaults/${link.vaultId}/exports`, asked)
      const audit = parseExport(some.rawPayload.toString())
      t.equal(audit.filter, 'type=nda.accepted')
      t.same(verifyExport(audit, policy).events.map(({ event }) => event?.type), ['nda.accepted', 'nda.accepted'])
      const [made] = (await founder.gets<EventList>(`${url}?limit=1`)).events
      t.match(readEvent(made?.event ?? null), { type: 'export.made', format: 'csv' })
    })

    t.test('whom the operator names reads every vault, and nobody\'s name', async (t) => {
      const operatorsAuditor = await new Founder(test, 'Olga').signsUp()
      const other = await new Founder(test, 'Zoe').signsUp()
      await other.sharesDeck()
      t.equal((await operatorsAuditor.asks('GET', '/api/instance/events')).statusCode, 404)
      const name = { email: operatorsAuditor.email, isRight: true }
      t.equal(await nameInstanceAuditor(test.world, name), true)
      t.equal(await nameInstanceAuditor(test.world, name), false, 'once is enough')
      const { instance } = await operatorsAuditor.gets<AuditedVaultList>('/api/audited-vaults')
      t.match(instance, { logVkey: test.world.keys.log.vkey })
      t.equal((await founder.gets<AuditedVaultList>('/api/audited-vaults')).instance, null)

      const events = await readAll(operatorsAuditor, '/api/instance/events', { limit: 500 })
      const vaults = new Set(events.map(({ event }) => fieldOf(event, 'vault')))
      t.ok(vaults.has(link.vaultId) && vaults.size >= 3, 'two vaults, and the instance itself')
      t.ok(events.every(({ details }) => details === null))
      t.ok(typesOf(events).includes('log.started'))
      const signed = { query: '&type=nda.accepted' }
      t.equal((await readAll(operatorsAuditor, '/api/instance/events', signed)).length, 2)
      const exported = await operatorsAuditor.does('POST', '/api/instance/exports', {})
      t.notMatch(exported.rawPayload.toString(), /"details"/)
      const policy = policyOfLog(test.world.keys.log.vkey)
      const verified = verifyExport(parseExport(exported.rawPayload.toString()), policy)
      t.ok(verified.events.length > events.length)

      t.equal(await nameInstanceAuditor(test.world, { ...name, isRight: false }), true)
      t.equal((await operatorsAuditor.asks('GET', '/api/instance/events')).statusCode, 404)
      t.equal((await operatorsAuditor.asks('POST', '/api/instance/exports', {})).statusCode, 404)
      await checkLog(t, test.world)
    })
  })
}

function readEvent(event: string | null): unknown {
  return event === null ? null : JSON.parse(Buffer.from(event, 'base64url').toString())
}

function fieldOf(event: string | null, field: string): unknown {
  return Reflect.get(Object(readEvent(event)), field)
}
