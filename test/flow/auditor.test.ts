// Goal: an auditor checks on her own machine what a server says of its log, and is told when it lies; what she takes
// away is checked without it.
// Method: the real server and the built client in Chromium; events made over the API by founders and investors; a
// lying server is played by changing its answers; exports are handed to the command line.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Locator } from 'playwright-core'
import t, { type Test } from 'tap'
import { uuidv7 } from 'uuidv7'
import { insertEvents } from '../../db/queries/outbox.js'
import type { AuditedVault, EventList, Invitation } from '../../protocol/api.js'
import {
  concatBytes, decodeBase64Url, decodeUtf8, encodeBase64Url, encodeUtf8,
} from '../../protocol/bytes.js'
import { sha256 } from '../../protocol/hash.js'
import { signCheckpoint } from '../../protocol/log/checkpoint.js'
import { formatTime, sealEvent, type Event } from '../../protocol/log/event.js'
import { policyOfLog, verifyCheckpoint } from '../../protocol/log/policy.js'
import { main } from '../../scripts/sealdeck.js'
import { erasePerson } from '../../server/use-cases/erase-person.js'
import { useChromium } from '../helpers/chromium.js'
import { Investor } from '../helpers/investor.js'
import { Founder } from '../helpers/people.js'
import { checkLog } from '../helpers/world.js'
import { serveWorld } from '../web/serve.js'
import { sharesPitch } from './pitch.js'
import { looksRight, visit, type Stand, type Visitor } from './visitor.js'

const FORMULA = '=HYPERLINK("http://evil.example")'

const browser = await useChromium(t)
const stand: Stand = { browser, ...await serveWorld(t, { EMAIL_CODES_PER_NETWORK: '1000' }) }
const { world, origin } = stand
const { log } = world.world.keys
const founder = await new Founder(world).signsUp()
const link = await sharesPitch(founder)
const grace = new Investor(world, { name: FORMULA, email: 'grace@fund.example' })
await grace.enters(link)
await grace.signsNda(link)

/** An account of her own, with a passkey, made on the screens. */
async function auditorSignsUp(email: string): Promise<Visitor> {
  const auditor = await visit(stand, { name: 'Audrey', email }, { passkey: 'prf' })
  const { page } = auditor
  await page.goto(`${origin}/sign-up`)
  await signsUpHere(auditor)
  return auditor
}

async function signsUpHere(auditor: Visitor): Promise<void> {
  await auditor.types('Your name', auditor.name)
  await auditor.types('E-mail address', auditor.email)
  await auditor.presses('Send me a code')
  await auditor.page.getByLabel('Code from the mail').fill(await auditor.takesCode())
  await auditor.presses('Create a passkey')
  await auditor.sees('Your recovery code')
}

async function invites(email: string, withIdentities = true): Promise<string> {
  const invitation = await founder.posts<Invitation>(`/api/vaults/${link.vaultId}/invitations`, { email, withIdentities })
  return `${origin}/audit/${invitation.invitationId}`
}

/** As the founder's client writes it: both keys, by their hashes. */
function fragmentOf(founderFingerprint: Uint8Array, vkey = log.vkey): string {
  return encodeBase64Url(concatBytes(founderFingerprint, sha256(encodeUtf8(vkey)).subarray(0, 16)))
}

async function unlocks(auditor: Visitor): Promise<void> {
  await auditor.sees('Unlock your keys')
  await auditor.presses('Unlock with a passkey')
}

async function accepts(auditor: Visitor, url: string): Promise<void> {
  await auditor.page.goto(url)
  await unlocks(auditor)
  await auditor.sees('You are invited to audit a vault')
  await auditor.presses('Accept and open the log')
}

function rowOf(auditor: Visitor, words: string | RegExp): Locator {
  return auditor.page.getByRole('row').filter({ hasText: words }).first()
}

async function sealdeck(...args: string[]): Promise<{ status: number, out: string }> {
  const out: string[] = []
  const say = (line: string) => out.push(line)
  const status = await main(args, { out: say, err: say, isWatched: false })
  return { status, out: out.join('\n') }
}

t.test('invited, she sees every event proven, filters, looks closer, and takes it all away', async (t) => {
  const email = 'audrey@audit.example'
  const audrey = await auditorSignsUp(email)
  const url = await invites(email)
  await audrey.page.goto(`${url}#${fragmentOf(founder.keys.fingerprint)}`)
  await unlocks(audrey)
  await audrey.sees('You are invited to audit a vault')
  t.notMatch(audrey.page.url(), '#')
  await audrey.looks(t, 'invitation')
  await audrey.presses('Accept and open the log')
  await audrey.reads(/events are proven to be in the log of \d+ entries/)
  await rowOf(audrey, 'NDA signed').waitFor()
  await audrey.reads('This browser sees this log for the first time')
  t.equal(await audrey.page.getByText('Not proven', { exact: true }).count(), 0)
  await audrey.looks(t, 'timeline')

  await filters(t, audrey)
  await looksCloser(t, audrey)
  await exports(t, audrey)
  t.same(audrey.complaints, [])
  await checkLog(t, world.world)
  await audrey.leaves()
})

async function filters(t: Test, auditor: Visitor): Promise<void> {
  const rows = auditor.page.getByRole('row')
  await auditor.page.getByLabel('Event', { exact: true }).selectOption({ label: 'NDA signed' })
  await rows.nth(2).waitFor({ state: 'detached' })
  t.equal(await rows.count(), 2, 'the heading and the one signature')
  await auditor.page.getByLabel('From').fill('2020-01-01')
  await auditor.page.getByLabel('To').fill('2020-01-02')
  await auditor.reads('No event fits the filters.')
  await auditor.looks(t, 'nothing fits')
  await auditor.page.getByLabel('To').fill('')
  await auditor.page.getByLabel('From').fill('')
  await auditor.page.getByLabel('Event', { exact: true }).selectOption({ label: 'All events' })
  await rowOf(auditor, 'Log read by auditor').waitFor()
  t.ok(await rows.count() > 8, 'all are there again, and that she reads is one of them')
}

async function looksCloser(t: Test, auditor: Visitor): Promise<void> {
  await rowOf(auditor, 'NDA signed').getByRole('button', { name: /^Details/ }).click()
  const dialog = auditor.page.getByRole('dialog')
  await dialog.getByText('Path to the root').waitFor()
  t.ok(await dialog.getByText('sealdeck/nda-acceptance/v1').count() > 0, 'the signed note can be read')
  await looksRight(t, auditor.page, 'one event')
  const permalink = auditor.page.url()
  t.match(permalink, /\?entry=\d+$/)
  await auditor.page.keyboard.press('Escape')
  await dialog.waitFor({ state: 'detached' })
  await auditor.page.goto(permalink)
  await unlocks(auditor)
  await dialog.getByText('sealdeck/nda-acceptance/v1').waitFor()
  await auditor.page.keyboard.press('Escape')
  await auditor.reads(/^The log has grown out of the one/)
}

async function exports(t: Test, auditor: Visitor): Promise<void> {
  const json = await auditor.saves('Export with proofs (JSON)')
  const path = join(world.folder, json.fileName)
  writeFileSync(path, json.bytes)
  const verified = await sealdeck('verify', 'export', path, '--vkey', log.vkey)
  t.equal(verified.status, 0, verified.out)
  const csv = await auditor.saves('Export as a table (CSV)')
  const lines = csv.bytes.toString().trimEnd().split('\r\n')
  t.match(lines[0], /^"index","proven","at","type"/)
  const signed = lines.find((line) => line.includes('nda.accepted')) ?? ''
  t.ok(signed.includes(`"'${FORMULA.replaceAll('"', '""')}"`), 'what looks like a formula is text')
  t.notOk(lines.some((line) => /(?:^|,)"[=+@-]/.test(line)), 'in every cell')

  await auditor.page.goto(`${origin}/check`)
  await auditor.sees('Check a file')
  await auditor.looks(t, 'check a file')
  await auditor.page.setInputFiles('input[type=file]', { name: json.fileName, mimeType: 'application/json', buffer: json.bytes })
  await auditor.reads('Everything in it is proven')
  await auditor.looks(t, 'a good export')
  const changed = Buffer.from(json.bytes.toString().replace(/"salt":"(.)/, (_all, first: string) => `"salt":"${first === 'A' ? 'B' : 'A'}`))
  await auditor.page.setInputFiles('input[type=file]', { name: json.fileName, mimeType: 'application/json', buffer: changed })
  await auditor.reads('This file does not hold')
  await auditor.looks(t, 'a bad export')
}

t.test('a receipt is checked by whoever has it, without an account', async (t) => {
  const una = await visit(stand, { email: 'una@fund.example' })
  await una.comesIn(link)
  await una.signs()
  const receipt = await una.saves('Save the receipt')
  const posts = una.profile.requests.filter(({ method }) => method !== 'GET').length
  await una.page.goto(`${origin}/check`)
  await una.page.setInputFiles('input[type=file]', { name: receipt.fileName, mimeType: 'text/plain', buffer: receipt.bytes })
  await una.reads('Everything in it is proven')
  await una.reads('NDA signed')
  await una.looks(t, 'a good receipt')
  const forged = Buffer.from(receipt.bytes.toString().replace(/^index (\d+)$/m, (_all, index: string) => `index ${Number(index) - 1}`))
  await una.page.setInputFiles('input[type=file]', { name: receipt.fileName, mimeType: 'text/plain', buffer: forged })
  await una.reads('This file does not hold')
  t.equal(una.profile.requests.filter(({ method }) => method !== 'GET').length, posts, 'nothing was sent')
  await una.leaves()
})

t.test('who has to sign up first comes back to her invitation, whole', async (t) => {
  const email = 'nora@audit.example'
  const nora = await visit(stand, { name: 'Nora', email }, { passkey: 'prf' })
  const { page } = nora
  const fragment = fragmentOf(founder.keys.fingerprint)
  await page.goto(`${await invites(email)}#${fragment}`)
  await nora.reads('Your invitation to audit a vault waits in this tab.')
  t.notMatch(page.url(), '#')
  await page.goto(`${origin}/sign-up`) // As a reload would: all that the page held is gone.
  await nora.reads('Your invitation to audit a vault waits in this tab.')
  await signsUpHere(nora)
  await page.getByRole('link', { name: /^Later/ }).click()
  await nora.sees('You are invited to audit a vault')
  await nora.presses('Accept and open the log')
  await rowOf(nora, 'NDA signed').waitFor()
  t.equal(await page.getByText('This browser does not know your invitation').count(), 0, 'the keys are pinned')
  t.notMatch(await nora.traces(), fragment, 'and the invitation is no longer kept')

  await checksAll(t, nora)
  await followsTheTail(t, nora)
  t.same(nora.complaints, [])
  await nora.leaves()
})

/** Every event and every entry, in her own browser; and what is odd is told in words. */
async function checksAll(t: Test, auditor: Visitor): Promise<void> {
  const { page } = auditor
  await auditor.presses('Check the whole log')
  await auditor.reads(/numbered without a gap: nothing is left out/)
  await auditor.presses('Look through all events')
  await auditor.reads(/events are proven, all there are\. Nothing odd/)
  await breaksTheRules()
  await auditor.presses('Again: All events')
  await auditor.reads('1 thing to look at.')
  await auditor.presses('Show them')
  await rowOf(auditor, 'After revocation').waitFor()
  t.match(page.url(), /[?&]odd=1/)
  t.equal(await page.getByRole('row').count(), 2, 'and nothing else')
  await rowOf(auditor, 'After revocation').getByRole('button', { name: /^Details/ }).click()
  await auditor.reads('A key was released after access had been revoked')
  await page.getByRole('img', { name: /^Picture: from entry/ }).waitFor()
  await auditor.presses('Only such events')
  await rowOf(auditor, 'Key released').waitFor()
  t.match(page.url(), /[?&]type=header\.released/)
  await auditor.presses('Show all')
  await page.getByLabel('Only what is odd').uncheck()
}

/** A server that releases to somebody whose access was revoked, and logs it. */
async function breaksTheRules(): Promise<void> {
  const { events } = await founder.gets<EventList>(`/api/vaults/${link.vaultId}/events?type=header.released&limit=1`)
  const released: Event = JSON.parse(decodeUtf8(decodeBase64Url(events[0]?.event ?? '')))
  const { party = '', grant = '' } = released
  const at = formatTime(world.world.clock.nowMs())
  const revoked = { type: 'access.revoked', id: uuidv7(), log: log.origin, at, actor: 'operator', vault: link.vaultId, party, grant } as const
  const { v: _version, ...again } = { v: 1, ...released }
  const made = [sealEvent(revoked), sealEvent({ ...again, id: uuidv7(), at })]
  await insertEvents(world.world.db, made)
  await world.world.sequencer.published(made.map(({ id }) => id))
}

/** What happens now comes in by itself; paused, it waits. */
async function followsTheTail(t: Test, auditor: Visitor): Promise<void> {
  const { page } = auditor
  await page.evaluate('scrollTo(0, 0)')
  const count = await page.getByRole('row').count()
  await invites('somebody@audit.example')
  await rowOf(auditor, 'Auditor invited').waitFor()
  await page.getByRole('row').nth(count).waitFor()
  await auditor.presses('Pause')
  await auditor.reads('paused: new events wait')
  await auditor.presses('Go on')
  t.equal(await page.getByText('Not proven', { exact: true }).count(), 0)
}

t.test('keys other than the invitation\'s stop her, then and later', async (t) => {
  const email = 'mae@audit.example'
  const mae = await auditorSignsUp(email)
  const other = new Uint8Array(16).fill(7)
  await accepts(mae, `${await invites(email)}#${fragmentOf(other)}`)
  await mae.reads('The server names other keys than your invitation.')
  await mae.page.goto(`${origin}/audits/${link.vaultId}`)
  await unlocks(mae)
  await mae.reads('The server names other keys than your invitation.')
  t.equal(await mae.page.getByRole('table').count(), 0, 'no event is shown')
  await mae.page.goto(`${await invites(email)}`)
  await unlocks(mae)
  await mae.reads('This invitation is not whole')
  await mae.looks(t, 'a cut invitation')
  await mae.leaves()
})

t.test('with pseudonyms only, nobody is named; erased, an event is proven and says nothing', async (t) => {
  const person = new Investor(world, { name: 'Forgotten Fred', email: 'fred@fund.example' })
  await person.enters(link)
  await person.signsNda(link)
  const email = 'pia@audit.example'
  const pia = await auditorSignsUp(email)
  await accepts(pia, `${await invites(email, false)}#${fragmentOf(founder.keys.fingerprint)}`)
  await rowOf(pia, 'NDA signed').waitFor()
  t.notMatch(await pia.page.getByRole('main').textContent(), /Fred|fred@/, 'a pseudonym')
  await erasePerson(world.world, { email: person.email })
  await pia.page.goto(`${origin}/audits`)
  await unlocks(pia)
  await pia.sees('Vaults you audit')
  await pia.looks(t, 'vaults')
  await pia.page.getByRole('link', { name: 'Open the log' }).click()
  await rowOf(pia, 'Proven, Erased').waitFor()
  t.equal(await pia.page.getByText('Not proven', { exact: true }).count(), 0)
  await rowOf(pia, 'Proven, Erased').getByRole('button', { name: /^Details/ }).click()
  await pia.reads('What it said was destroyed')
  await looksRight(t, pia.page, 'an erased event')
  t.same(pia.complaints, [])
  await pia.leaves()
})

t.test('a server that shows another history, another event or another log is found out', async (t) => {
  const email = 'fay@audit.example'
  const fay = await auditorSignsUp(email)
  await accepts(fay, `${await invites(email)}#${fragmentOf(founder.keys.fingerprint)}`)
  await rowOf(fay, 'NDA signed').waitFor()
  const { page } = fay
  const address = page.url()
  const lies = async (change: (list: EventList) => EventList): Promise<void> => {
    await page.unrouteAll()
    await page.route(/\/events\?/, async (route) => {
      const response = await route.fetch()
      if (response.status() === 304) return await route.fulfill({ response })
      const list: EventList = await response.json()
      await route.fulfill({ response, json: change(list) })
    })
    await page.goto(address)
    await unlocks(fay)
  }

  await lies((list) => ({ ...list, events: list.events.map((one, at) => at === 1 ? { ...one, type: 'nda.declined' } : one) }))
  await rowOf(fay, 'Not proven').waitFor()
  await fay.reads('1 event could not be proven.')
  await fay.looks(t, 'one unproven')

  await lies((list) => ({ ...list, checkpoint: forked(list.checkpoint) }))
  await fay.reads('This log has two histories')
  t.equal(await page.getByRole('table').count(), 0, 'no event of either is shown')
  await fay.looks(t, 'two histories')
  const evidence = (await fay.saves('Save both checkpoints')).bytes.toString().split(/\n\n(?=[^—])/)
  t.ok(evidence.length >= 2, 'both are kept')

  await page.unrouteAll()
  await page.route(/\/audited-vaults$/, async (route) => {
    const response = await route.fetch()
    const { vaults }: { vaults: AuditedVault[] } = await response.json()
    const logVkey = log.vkey.replace(/^[^+]+/, 'log.evil.example')
    const changed = vaults.map((vault) => ({ ...vault, logVkey }))
    await route.fulfill({ response, json: { vaults: changed, instance: null } })
  })
  await page.goto(address)
  await unlocks(fay)
  await fay.reads('The server names other keys than your invitation.')
  await fay.leaves()
})

/** As many entries as the true tree has, another root, and the log's own signature. */
function forked(note: string): string {
  const { checkpoint } = verifyCheckpoint(note, policyOfLog(log.vkey))
  return signCheckpoint({ ...checkpoint, root: sha256(encodeUtf8('another history')) }, [log.signer])
}

t.test('a fork is an alarm at the gate, too', async (t) => {
  const ned = await visit(stand, { email: 'ned@fund.example' })
  await ned.comesIn(link)
  await ned.reads('2 of 5 slides are open.')
  await ned.page.route(/\/log\/consistency/, async (route) => await route.fulfill({ json: { hashes: [] } }))
  await grace.returns(link) // The log has grown since.
  await grace.receives(link)
  await ned.opens(link)
  await ned.sees('This does not add up, so nothing was opened')
  await ned.reads('forked-log')
  await ned.seesNothing(t)
  t.match(decodeUtf8((await ned.saves('Save both checkpoints')).bytes), log.origin)
  await ned.leaves()
})
