// Goal: an auditor reads nothing unrecorded, and whoever runs a server for others shows them nobody's mail.
// Method: the real app over its API; the list is asked for by the ways around its first page.
import t from 'tap'
import type { EventList, Invitation } from '../../protocol/api.js'
import { ready } from '../../protocol/sodium.js'
import { Founder } from '../helpers/people.js'
import { checkLog, startWorld } from '../helpers/world.js'

await ready()

const HOUR_MS = 3_600_000

t.test('an auditor who begins in the middle of the list is recorded too', async (t) => {
  const test = await startWorld(t)
  const founder = await new Founder(test).signsUp()
  const auditor = await new Founder(test, 'Audrey').signsUp()
  const link = await founder.sharesDeck()
  const { invitationId } = await founder.posts<Invitation>(`/api/vaults/${link.vaultId}/invitations`, {
    email: auditor.email, withIdentities: false,
  })
  await auditor.posts(`/api/invitations/${invitationId}/accept`)
  const before = ['version.stored', 'version.stored', 'nda.published', 'grant.made', 'admin.acted', 'admin.acted']
  // Readings are counted by the clock's hours: this one must not end while the test runs.
  test.clock.advance(HOUR_MS - test.clock.nowMs() % HOUR_MS)
  await founder.signsInWithPassphrase()
  await auditor.signsInWithPassphrase()
  const url = `/api/vaults/${link.vaultId}/events`

  t.ok((await auditor.gets<EventList>(`${url}?before=9999999999`)).events.length > 0)
  await checkLog(t, test.world, { events: [...before, 'auditor.read'] })
  await auditor.gets<EventList>(`${url}?after=0`)
  await auditor.gets<EventList>(`${url}?before=3`)
  await checkLog(t, test.world, { events: [...before, 'auditor.read'] })
  await auditor.gets<EventList>(url)
  await checkLog(t, test.world, { events: [...before, 'auditor.read', 'auditor.read'] })
  test.clock.advance(HOUR_MS)
  await auditor.signsInWithPassphrase()
  await auditor.gets<EventList>(`${url}?after=0`)
  await checkLog(t, test.world, { events: [...before, 'auditor.read', 'auditor.read', 'auditor.read'] })
  await founder.signsInWithPassphrase()
  await founder.gets<EventList>(`${url}?before=3`)
  await checkLog(t, test.world, { events: [...before, 'auditor.read', 'auditor.read', 'auditor.read'] })
})

t.test('behind a proxy that says nothing of itself, nobody reads the outbox', async (t) => {
  const settings = { PUBLIC_URL: 'https://deck.example', VIEWER_URL: 'https://view.example' }
  const { app } = await startWorld(t, { settings })
  const asked = await app.inject({ url: '/outbox', headers: { host: '127.0.0.1:4870' }, remoteAddress: '127.0.0.1' })
  t.notMatch(asked.body, /Only this machine sees this page/, 'it is a page of the app like any other')
  t.equal((await app.inject({ url: '/api/config' })).json<{ outboxPath: unknown }>().outboxPath, null)
  const local = await startWorld(t)
  const own = await local.app.inject({ url: '/outbox', headers: { host: 'localhost:4870' }, remoteAddress: '127.0.0.1' })
  t.match(own.body, /Only this machine sees this page/)
})
