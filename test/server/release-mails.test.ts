// Goal: a founder hears by mail of every key that is given out the first time and of what auditors do, in words that she
// can hold against her log; never of the same twice, and not a thousand times an hour.
// Method: investors and an auditor over the real API; mails as they lie in the outbox.
import t from 'tap'
import { mailOutbox } from '../../db/schema.js'
import type { EventList, Invitation } from '../../protocol/api.js'
import { mailReleases } from '../../server/release-mails.js'
import { requireGate } from '../../server/gate.js'
import { Investor } from '../helpers/investor.js'
import { takeMail } from '../helpers/mailbox.js'
import { Founder } from '../helpers/people.js'
import { startWorld } from '../helpers/world.js'

const HOUR_MS = 3_600_000

t.test('keys given out, and acts of auditors', async (t) => {
  const test = await startWorld(t, { settings: { EMAIL_CODES_PER_NETWORK: '1000' } })
  const { world, clock } = test
  const founder = await new Founder(test).signsUp()
  const auditor = await new Founder(test, 'Audrey').signsUp()
  const link = await founder.sharesDeck()
  const idsOf = async (type: string) =>
    (await founder.gets<EventList>(`/api/vaults/${link.vaultId}/events?type=${type}`)).events
      .map(({ eventId }) => eventId)
  const told = ['keys-released', 'many-released', 'act-logged', 'signature-received']
  async function kinds(): Promise<string[]> {
    const rows = await world.db.select({ kind: mailOutbox.kind }).from(mailOutbox)
    return rows.map(({ kind }) => kind).filter((kind) => told.includes(kind))
  }

  /** Quoted-printable undone. */
  const reads = async (subject: RegExp) =>
    (await takeMail(world, founder.email, subject)).body.replace(/=\r?\n/g, '')

  const grace = new Investor(test)
  await grace.enters(link)
  const [openRelease = ''] = await idsOf('header.released')
  const opened = await reads(/A key to your deck was given out/)
  t.match(opened, new RegExp(`About: grace@fund.example\\s+In the log:\\s+\\S+Z  header.released  ${openRelease}`))
  t.notMatch(opened, 'Seed round', 'no title')

  await grace.signsNda(link)
  const signed = await reads(/Somebody signed your agreement/)
  const [accepted = ''] = await idsOf('nda.accepted')
  for (const id of [accepted, ...(await idsOf('header.released')).filter((one) => one !== openRelease)]) {
    t.match(signed, id, 'acceptance and release, by the ids that the log has')
  }
  const before = (await kinds()).length
  clock.advance(HOUR_MS)
  await grace.returns(link)
  await grace.receives(link)
  t.equal((await kinds()).length, before, 'a return with the same versions is no news')

  await founder.signsInWithPassphrase()
  await auditor.signsInWithPassphrase()
  const invitation = await founder.posts<Invitation>(`/api/vaults/${link.vaultId}/invitations`, { email: auditor.email, withIdentities: false })
  await auditor.posts(`/api/invitations/${invitation.invitationId}/accept`)
  await auditor.posts(`/api/vaults/${link.vaultId}/exports`)
  await founder.posts(`/api/vaults/${link.vaultId}/exports`)
  t.equal((await kinds()).filter((kind) => kind === 'act-logged').length, 2, 'accepting and exporting; her own acts not')

  const gate = await requireGate(world, link.grantId)
  const [version] = gate.versions
  if (version === undefined) throw new Error('a version')
  const release = () => ({
    event: { id: crypto.randomUUID().replace(/^(.{14})./, '$17'), type: 'header.released', atMs: clock.nowMs(), commitment: new Uint8Array(), bytes: new Uint8Array(), salt: new Uint8Array() },
    header: { version, waiting: { id: '', versionId: version.id, deviceId: null, header: new Uint8Array(), headerSha256: new Uint8Array(), wrap: null, wrapSignature: null } },
  })
  clock.advance(HOUR_MS)
  const unknown = '01900000-0000-7000-8000-000000000000'
  for (let turn = 0; turn < 33; turn++) {
    await mailReleases(world, gate, { deviceId: unknown, email: null, released: [release()] })
  }
  const all = await kinds()
  t.equal(all.filter((kind) => kind === 'keys-released').length, 31)
  t.equal(all.filter((kind) => kind === 'many-released').length, 1, 'the last one says that there are more')
})
