// Goal: a founder is told on her own screens what was hidden from her or done without her, can keep it as evidence,
// and gives nothing to a server that shows an older state; those whom she let in get a new version from her browser.
// Method: the real server and the built client in Chromium; the operator forges entries with the log's own key, and
// falsifies answers on their way to her browser. One witness, as a process.
import { readFileSync } from 'node:fs'
import { appendFile, writeFile } from 'node:fs/promises'
import t from 'tap'
import { uuidv7 } from 'uuidv7'
import { insertEvents } from '../../db/queries/outbox.js'
import type {
  AccessRequestList, Config, EventList, Invitation, VaultDetail,
} from '../../protocol/api.js'
import {
  concatBytes, decodeBase64Url, decodeUtf8, encodeBase64Url, encodeHex, encodeUtf8,
} from '../../protocol/bytes.js'
import { decodeGrant } from '../../protocol/deck/grant.js'
import { sha256 } from '../../protocol/hash.js'
import { signCheckpoint } from '../../protocol/log/checkpoint.js'
import { formatTime, parseEvent, sealEvent, type Event } from '../../protocol/log/event.js'
import { policyOfLog, verifyCheckpoint } from '../../protocol/log/policy.js'
import { ready } from '../../protocol/sodium.js'
import { logKeyPath, makeLogKey as makeSecretKey } from '../../server/keys.js'
import { findViolations } from '../helpers/axe.js'
import { useChromium } from '../helpers/chromium.js'
import { makeFolder, removeFolder } from '../helpers/engine.js'
import { Investor } from '../helpers/investor.js'
import { Founder } from '../helpers/people.js'
import { makeLogKey, startWitness, writePolicy } from '../helpers/witness.js'
import type { TestWorld } from '../helpers/world.js'
import { listen, serveWorld } from '../web/serve.js'
import { sharesPitch } from './pitch.js'
import { looksRight, visit, type Stand, type Visitor } from './visitor.js'

await ready()
const PASSPHRASE = 'correct horse battery staple'

const browser = await useChromium(t)
const folder = await makeFolder('policy')
t.teardown(() => removeFolder(folder))
const { LOG_KEY, vkey } = makeLogKey('watched.example/2026')
const WITNESSES = await writePolicy(folder, [await startWitness(t, 'north', vkey)], 1)
const stand: Stand = { browser, ...await serveWorld(t, { EMAIL_CODES_PER_NETWORK: '1000', LOG_KEY, WITNESSES }) }
const { world } = stand
const { log } = world.world.keys
const founder = new Founder(world)
founder.stretching = 'memory-constrained' // As her browser does.
await founder.signsUp()
const link = await sharesPitch(founder, { policy: { release: 'on-approval' } })
const grace = new Investor(world)
await grace.enters(link)
await grace.signsNda(link)
const ada = await signsIn()

/** The same account, in a browser; with an invitation in her hand, she comes out there. */
async function signsIn(owner = founder, at = stand, invitation?: string): Promise<Visitor> {
  const visitor = await visit(at, { name: owner.name, email: owner.email })
  if (invitation !== undefined) {
    await visitor.page.goto(`${at.origin}/audit/${invitation}`)
    await visitor.reads('Your invitation to audit a vault waits in this tab.')
  }
  await visitor.page.goto(`${at.origin}/sign-in`)
  await visitor.types('E-mail address', owner.email)
  await visitor.types('Passphrase', PASSPHRASE)
  await visitor.presses('Continue')
  await visitor.page.getByLabel('Code from the mail').fill(await visitor.takesCode())
  await visitor.sees(invitation === undefined ? 'Decks' : 'You are invited to audit a vault')
  return visitor
}

/** To the list and back, without a reload: her keys are in the page's worker. */
async function looksAgain(): Promise<void> {
  await ada.page.getByRole('link', { name: 'Decks' }).first().click()
  await ada.sees('Decks')
}

async function opensDeck(): Promise<void> {
  await ada.page.getByRole('link', { name: /Seed round/ }).first().click()
  await ada.sees('Seed round')
}

async function forges(type: Event['type'], changes: Partial<Event>): Promise<Event> {
  const list = await founder.gets<EventList>(`/api/vaults/${link.vaultId}/events?type=${type}`)
  const { details: _details, ...event } = parseEvent(decodeBase64Url(list.events[0]?.event ?? ''))
  const at = formatTime(world.clock.nowMs())
  const sealed = sealEvent({ ...event, ...changes, id: uuidv7(), at })
  await insertEvents(world.world.db, [sealed])
  await world.world.sequencer.published([sealed.id])
  return parseEvent(sealed.bytes)
}

await t.test('a log in which nothing happened without her is one quiet line', async (t) => {
  await ada.reads(/events of yours among/)
  await looksRight(t, ada.page, 'watch-quiet')
})

await t.test('those whom she let in get a new version from her browser', async (t) => {
  const { requests: [request] } = await founder.gets<AccessRequestList>('/api/requests')
  if (request === undefined) throw new Error('Grace waits')
  const headers = founder.headersFor(link, {
    recipient: request.recipient, acceptanceSha256: sha256(encodeUtf8(request.acceptance)),
  })
  await founder.posts(`/api/acceptances/${request.acceptanceId}/approve`, { headers })
  const documentId = link.decks[0]?.documentId ?? ''
  const second = await founder.uploadsDeck(link, { documentId, gate: 'nda' })
  await grace.returns(link)
  const { versionId } = second.stored
  const isThere = (header: { versionId: string }) => header.versionId === versionId
  t.notOk((await grace.receives(link)).headers.some(isThere), 'none yet')
  await opensDeck()
  await ada.reads('1 person whom you let in has the keys of the newest version now.')
  await grace.returns(link)
  const released = (await grace.receives(link)).headers.find(isThere)
  if (released === undefined) throw new Error('the new version is there')
  t.same(grace.opens(link, released), second.fileKey, 'and it opens')
  await looksRight(t, ada.page, 'watch-let-in')
  await looksAgain()
  await ada.reads(/events of yours among/)
})

await t.test('a key that her browser never made is shouted, and kept as evidence', async (t) => {
  const forged = await forges('header.released', { headerSha256: encodeHex(new Uint8Array(32).fill(7)), recipientSha256: encodeHex(new Uint8Array(32).fill(8)) })
  await opensDeck()
  await ada.reads('Your log holds something that you did not do')
  await ada.reads('A key to this deck was released to somebody who had not earned it.')
  await ada.reads(forged.id)
  await looksRight(t, ada.page, 'watch-alarm')
  const saving = ada.page.waitForEvent('download')
  await ada.presses('Save the evidence')
  const evidence: unknown = JSON.parse(readFileSync(await (await saving).path(), 'utf8'))
  t.match(evidence, { format: 'sealdeck-alarm/v1', findings: [{ kind: 'unearned-release', event: { id: forged.id } }] })
  await looksAgain()
  await ada.reads('Your log holds something that you did not do')
  await looksRight(t, ada.page, 'watch-alarm-decks')
  await ada.presses('I have dealt with it')
  await ada.presses('Put aside')
  await ada.reads(/events of yours among/)
})

await t.test('a link is changed under its address, and what that means is said before', async (t) => {
  await opensDeck()
  await ada.page.getByRole('tab', { name: 'Links' }).click()
  await ada.page.getByRole('button', { name: /^More: Fund I/ }).click()
  await ada.page.getByRole('menuitem', { name: 'Change' }).click()
  await ada.page.getByLabel('Last day').fill('2030-12-31')
  await ada.page.getByText('Open at once, on signature').click()
  await ada.page.getByText('Readers may download the file').click()
  await ada.page.getByText('Give no key before 1 independent witness has').click()
  await ada.page.getByText('Ask for another agreement from now on').click()
  await ada.reads('can save the file from the next visit on')
  await ada.reads('no key leaves through this link before those witnesses')
  await looksRight(t, ada.page, 'change-link')
  await ada.reads('Those who signed the agreement before keep what they were given')
  t.same(await findViolations(ada.page), [], 'axe finds nothing in the dialog')
  await ada.page.getByRole('dialog').getByRole('button', { name: 'Change the link' }).click()
  await ada.page.getByRole('alertdialog').waitFor()
  t.same(await findViolations(ada.page), [], 'nor in the question')
  await ada.page.getByRole('alertdialog').getByRole('button', { name: 'Change the link' }).click()
  await ada.reads('“Fund I” is changed.')
  const { grants: [revised] } = await founder.gets<VaultDetail>(`/api/vaults/${link.vaultId}`)
  t.match(revised, { revision: 2 })
  t.equal(new Date(revised?.expiresAtMs ?? 0).getFullYear(), 2030)
  const { policy } = decodeGrant(decodeBase64Url(revised?.grant ?? ''))
  const { witnesses } = await founder.gets<Config>('/api/config')
  t.ok(policy.mayDownload)
  t.equal(encodeBase64Url(policy.witnessesSha256 ?? new Uint8Array()), witnesses?.sha256)
  await looksAgain()
  await ada.reads(/events of yours among/)
})

await t.test('a server that goes back behind what she signed is told so, and gets nothing', async (t) => {
  await ada.page.route(`**/api/vaults/${link.vaultId}`, async (route) => {
    const answer = await route.fetch()
    const vault: VaultDetail = await answer.json()
    const grants = vault.grants.map((grant) => ({ ...grant, ...link.summary, personCount: 1 }))
    await route.fulfill({ response: answer, json: { ...vault, grants } })
  })
  await opensDeck()
  await ada.reads('The server shows an older state of this deck')
  await ada.reads('A link is shown in an older form than you gave it.')
  await looksRight(t, ada.page, 'watch-older')
  await ada.page.unroute(`**/api/vaults/${link.vaultId}`)
  await looksAgain()
})

await t.test('two histories of the log stop her, with both as evidence', async (t) => {
  const bytes = await world.world.bucket.read(`${log.prefix}/checkpoint`) ?? new Uint8Array()
  const { checkpoint } = verifyCheckpoint(decodeUtf8(bytes), policyOfLog(log.vkey))
  const forged = signCheckpoint({ ...checkpoint, root: new Uint8Array(32).fill(9) }, [log.signer])
  await ada.page.route(`**/${log.prefix}/checkpoint`, (route) => route.fulfill({ body: forged, contentType: 'text/plain; charset=utf-8' }))
  await opensDeck()
  await ada.reads('The log cannot be trusted')
  await ada.reads('The log has shown this browser two histories')
  await looksRight(t, ada.page, 'watch-fork')
  const saving = ada.page.waitForEvent('download')
  await ada.presses('Save the evidence')
  const evidence = readFileSync(await (await saving).path(), 'utf8')
  t.match(JSON.parse(evidence), { fork: { offered: forged } })
  await ada.reads('Seen before, by this browser')
  t.same(ada.complaints.filter((complaint) => !complaint.includes('NotSameOrigin')), [])
})

await t.test('pages that stay open follow the log to another key, whoever pinned the old one', async (t) => {
  const there: Stand = { browser, ...await serveWorld(t, { EMAIL_CODES_PER_NETWORK: '1000' }, true) }
  const [owner, auditor] = [new Founder(there.world), new Founder(there.world, 'Audrey')]
  for (const one of [owner, auditor]) {
    one.stretching = 'memory-constrained'
    await one.signsUp()
  }
  const pitch = await sharesPitch(owner)
  const { logVkey } = await owner.gets<Config>('/api/config')
  const { invitationId } = await owner.posts<Invitation>(`/api/vaults/${pitch.vaultId}/invitations`, { email: auditor.email, withIdentities: true })
  const keyHash = sha256(encodeUtf8(logVkey)).subarray(0, 16)
  const pin = encodeBase64Url(concatBytes(owner.keys.fingerprint, keyHash))

  const audrey = await signsIn(auditor, there, `${invitationId}#${pin}`)
  await audrey.presses('Accept and open the log')
  await audrey.reads(/events are proven to be in the log/)
  const ada = await signsIn(owner, there)
  await ada.reads(/events of yours among/)
  const grace = await visit(there, { email: 'grace@fund.example' })
  await grace.comesIn(pitch)
  await grace.sees('Non-Disclosure Agreement')

  const next = await rotates(there.world)
  t.not(next, logVkey, 'another key, and it alone')
  await ada.page.getByRole('link', { name: /Seed round/ }).first().click()
  await ada.presses('New link')
  await ada.presses('Create link')
  await ada.sees('“Link 2” is ready')
  await ada.page.getByRole('link', { name: 'Decks' }).first().click()
  await ada.reads(/events of yours among/)
  t.equal(await ada.page.getByText('could not be checked').count(), 0)
  await grace.signs()
  await grace.reads('Signed, and on record')
  await audrey.page.getByLabel('Event', { exact: true }).selectOption({ label: 'NDA signed' })
  await audrey.page.getByRole('row').filter({ hasText: 'NDA signed' }).first().waitFor()
  await audrey.reads(/events? (?:is|are) proven to be in the log/)
  t.equal(await audrey.page.getByText('Not proven', { exact: true }).count(), 0)
  for (const one of [ada, grace, audrey]) await one.leaves()
})

/** Both keys for a moment, then the new one alone; the server on the same ports. @returns the new key. */
async function rotates(before: TestWorld): Promise<string> {
  const path = logKeyPath(before.world.config)
  const key = makeSecretKey(before.world.keys.log.origin)
  await appendFile(path, `${key}\n`)
  const both = await before.restart()
  if (!await both.world.rotations.settle()) throw new Error('the rotation is not stated')
  await writeFile(path, `${key}\n`)
  const after = await both.restart()
  await listen(after)
  return after.world.keys.log.vkey
}
