// Goal: a founder's look at her log says nothing while everybody keeps to the rules, and names each event that was
// hidden, changed or done without her.
// Method: founder and investors over the real API; then a dishonest operator writes events of his own into the same
// log, or falsifies the server's answers on their way.
import { randomBytes } from 'node:crypto'
import t, { type Test } from 'tap'
import { uuidv7 } from 'uuidv7'
import { insertEvents } from '../../db/queries/outbox.js'
import type {
  AccessRequestList, EventList, Invitation, LoggedEvent, Release,
} from '../../protocol/api.js'
import {
  decodeBase64Url, encodeBase64Url, encodeHex, encodeUtf8,
} from '../../protocol/bytes.js'
import { wrapFileKey } from '../../protocol/deck/header.js'
import { sha256 } from '../../protocol/hash.js'
import {
  commitEvent, formatTime, parseEvent, sealEvent, type Details, type Event,
} from '../../protocol/log/event.js'
import { Investor } from '../helpers/investor.js'
import { Founder, type Link } from '../helpers/people.js'
import { Watcher } from '../helpers/watcher.js'
import { startWorld, type TestWorld } from '../helpers/world.js'

const ROOMY = { EMAIL_CODES_PER_NETWORK: '1000' }
const HOUR_MS = 3_600_000

async function approves(founder: Founder, link: Link): Promise<void> {
  const { requests: [request] } = await founder.gets<AccessRequestList>('/api/requests')
  if (request === undefined) throw new Error('somebody waits')
  const headers = founder.headersFor(link, {
    recipient: request.recipient, acceptanceSha256: sha256(encodeUtf8(request.acceptance)),
  })
  await founder.posts(`/api/acceptances/${request.acceptanceId}/approve`, { headers })
}

/** Her browser wraps what it was handed to its own key, and leaves it with the server. */
async function keepsOwnHeaders(
  investor: Investor, link: Link, { headers }: Release,
): Promise<void> {
  const { identity } = investor.keysFor(link)
  const own = headers.flatMap((released) => {
    const fileKey = investor.opens(link, released)
    return fileKey === null ? [] : [{
      versionId: released.versionId,
      header: encodeBase64Url(wrapFileKey(fileKey, identity.recipient)),
    }]
  })
  await investor.does('PUT', `/api/gate/${link.grantId}/device-headers`, { headers: own })
}

t.test('nothing is found while everybody keeps to the rules', async (t) => {
  const test = await startWorld(t, { settings: ROOMY })
  const founder = await new Founder(test).signsUp()
  const other = await new Founder(test, 'Mallory').signsUp()
  const instant = await founder.sharesDeck()
  const approved = await founder.sharesDeck({ policy: { release: 'on-approval' } })
  const watcher = new Watcher(test, founder, [instant.vaultId, approved.vaultId])
  t.same(await watcher.finds(), [], 'versions, agreements, links')

  const grace = new Investor(test)
  await grace.enters(instant)
  await keepsOwnHeaders(grace, instant, await grace.signsNda(instant))
  await other.sharesDeck()
  t.same(await watcher.finds(), [], 'an address, a signature, releases')

  const hedy = new Investor(test, { name: 'Hedy', email: 'hedy@fund.example' })
  await hedy.enters(approved)
  await hedy.signsNda(approved)
  await approves(founder, approved)
  await hedy.posts(`/api/gate/${approved.grantId}/releases`)
  t.same(await watcher.finds(), [], 'an approval')

  // A device's own header, a session later, is a release without a wrap record of hers.
  test.clock.advance(HOUR_MS)
  await grace.returns(instant)
  await grace.posts(`/api/gate/${instant.grantId}/releases`)
  await founder.signsInWithPassphrase()
  await founder.uploadsDeck(instant, { documentId: instant.decks[0]?.documentId ?? '', gate: 'nda' })
  await founder.posts(`/api/grants/${instant.grantId}/revisions`, founder.preparesRevision(instant, { release: 'on-approval' }))
  await founder.posts(`/api/vaults/${instant.vaultId}/exports`, {})
  const invitation = await founder.posts<Invitation>(`/api/vaults/${instant.vaultId}/invitations`, { email: other.email, withIdentities: false })
  await other.signsInWithPassphrase()
  await other.posts(`/api/invitations/${invitation.invitationId}/accept`)
  await other.gets(`/api/vaults/${instant.vaultId}/events`)
  t.same(await watcher.finds(), [], 'a visit, a version, a revision, an export, an auditor')

  await founder.revokes(approved)
  await founder.does('DELETE', `/api/vaults/${approved.vaultId}`)
  const rest = new Watcher(test, founder, [instant.vaultId])
  t.same(await rest.finds(), [], 'from the beginning, on another device')
  t.ok(rest.state.vaults[instant.vaultId]?.eventCount)
})

interface Stage {
  readonly test: TestWorld
  readonly founder: Founder
  readonly link: Link
  readonly events: ReadonlyMap<string, { event: Event, commitment: string }>
}

async function stage(t: Test, release: 'on-signature' | 'on-approval' = 'on-signature'): Promise<Stage> {
  const test = await startWorld(t, { settings: ROOMY })
  const founder = await new Founder(test).signsUp()
  const link = await founder.sharesDeck({ policy: { release } })
  const grace = new Investor(test)
  await grace.enters(link)
  await grace.signsNda(link)
  const list = await founder.gets<EventList>(`/api/vaults/${link.vaultId}/events`)
  const events = new Map(list.events.map((logged) => {
    const [bytes, salt] = [decodeBase64Url(logged.event ?? ''), decodeBase64Url(logged.salt ?? '')]
    const commitment = encodeHex(commitEvent(salt, bytes))
    return [logged.type, { event: parseEvent(bytes), commitment }]
  }))
  return { test, founder, link, events }
}

function eventOf({ events }: Stage, type: string): Event {
  const found = events.get(type)
  if (found === undefined) throw new Error(`no event ${type}`)
  return found.event
}

/** The operator's own entry, properly numbered and tagged by the operator's own integrator. */
async function forges(one: Stage, event: Event, details?: Details): Promise<void> {
  const { test: { world, clock } } = one
  const { details: _commitment, ...plain } = event
  const sealed = sealEvent({ ...plain, id: uuidv7(), at: formatTime(clock.nowMs()) }, details)
  await insertEvents(world.db, [sealed])
  await world.sequencer.published([sealed.id])
}

const anyHash = (): string => encodeHex(randomBytes(32))

t.test('each act that was not hers, and each release that nobody earned, is named', async (t) => {
  const one = await stage(t)
  const watcher = new Watcher(one.test, one.founder, [one.link.vaultId])
  t.same(await watcher.finds(), [])
  const released = eventOf(one, 'header.released')
  const accepted = one.events.get('nda.accepted')?.commitment ?? ''
  const earned = { ...released, because: accepted }
  const { stored } = await one.founder.uploadsDeck(one.link, { gate: 'nda' })
  const unserved = {
    document: stored.documentId, part: 0, version: 1,
    recordSha256: encodeHex(sha256(decodeBase64Url(stored.record))),
  }
  const cases: [string, Event, Details?][] = [
    ['foreign-grant grant.made', { ...eventOf(one, 'grant.made'), grantSha256: anyHash() }],
    ['foreign-grant grant.revised', { ...eventOf(one, 'grant.made'), type: 'grant.revised', revision: 2 }],
    ['foreign-version version.stored', { ...eventOf(one, 'version.stored'), recordSha256: anyHash() }],
    ['foreign-act access.revoked', { ...eventOf(one, 'grant.made'), type: 'access.revoked', actor: 'operator' }],
    ['foreign-approval access.approved', { ...released, type: 'access.approved', actor: eventOf(one, 'grant.made').actor }],
    ['false-enrolment device.enrolled', { ...eventOf(one, 'device.enrolled'), recipientSha256: anyHash() }, { name: 'Eve' }],
    ['false-acceptance nda.accepted', eventOf(one, 'nda.accepted'), { name: 'Eve', note: 'I accept.' }],
    ['ghost-release header.released', { ...earned, ...unserved, headerSha256: anyHash() }],
    ['unearned-release header.released', { ...released, because: anyHash() }],
    ['unearned-release header.released', { ...earned, party: uuidv7() }],
    ['foreign-grant header.released', { ...earned, revision: 9 }],
    ['foreign-version header.released', { ...earned, version: 7 }],
  ]
  for (const [expected, event, details] of cases) {
    await forges(one, event, details)
    const found = await watcher.finds()
    t.same(found, [expected], expected)
  }
  t.same(await watcher.finds(), [], 'and each is named once')
})

t.test('on approval nobody is let in without her, and after a revocation nobody at all', async (t) => {
  const one = await stage(t, 'on-approval')
  const watcher = new Watcher(one.test, one.founder, [one.link.vaultId])
  t.same(await watcher.finds(), [])
  const whole = one.link.decks.find(({ stored }) => stored.part === 0)
  const signed = { bytes: decodeBase64Url(whole?.stored.record ?? '') }
  const locked: Event = {
    ...eventOf(one, 'header.released'), part: 0, version: 1, recordSha256: encodeHex(sha256(signed.bytes)),
    because: one.events.get('nda.accepted')?.commitment ?? '', headerSha256: anyHash(),
  }
  await forges(one, locked)
  t.same(await watcher.finds(), ['unapproved-release header.released'])

  await one.founder.revokes(one.link)
  t.same(await watcher.finds(), [])
  one.test.clock.advance(1_000)
  await forges(one, eventOf(one, 'header.released'))
  t.same(await watcher.finds(), ['release-after-revocation header.released'])
})

t.test('an old version that is released again is named', async (t) => {
  const one = await stage(t)
  const watcher = new Watcher(one.test, one.founder, [one.link.vaultId])
  const open = one.link.decks.find(({ stored }) => stored.part === 1)
  await one.founder.uploadsDeck(one.link, { documentId: open?.documentId ?? '', part: 1, gate: 'email' })
  t.same(await watcher.finds(), [])
  one.test.clock.advance(HOUR_MS)
  const list = await one.founder.signsInWithPassphrase().then(() => one.founder.gets<EventList>(`/api/vaults/${one.link.vaultId}/events?type=header.released`))
  const old = list.events.map(({ event }) => parseEvent(decodeBase64Url(event ?? ''))).find(({ part }) => part === 1)
  if (old === undefined) throw new Error('open slides were released')
  await forges(one, old)
  t.same(await watcher.finds(), ['release-of-old-version header.released'])
})

t.test('a server that falsifies its answers', async (t) => {
  const one = await stage(t)

  t.test('what the list hides, adds or changes shows against the entries', async (t) => {
    const fresh = () => new Watcher(one.test, one.founder, [one.link.vaultId])
    const change = (type: string, changed: (event: LoggedEvent) => LoggedEvent[]) =>
      (events: readonly LoggedEvent[]) =>
        events.flatMap((event) => event.type === type ? changed(event) : [event])
    const erased = { event: null, salt: null, details: null }
    const cases: [string, Parameters<Watcher['finds']>[0], string[]][] = [
      ['hidden', { events: change('grant.made', () => []) }, ['hidden']],
      ['with another salt', { events: change('grant.made', (event) => [{ ...event, salt: event.commitment }]) }, ['changed']],
      ['with another tag', { events: change('grant.made', (event) => [{ ...event, vaultTag: event.partyTag }]) }, ['changed']],
      ['another\'s, added', { events: (events) => [...events, ...events.slice(0, 1).map((event) => ({ ...event, index: 0 }))] }, ['untagged']],
      ['erased, and nobody told', { events: change('nda.published', (event) => [{ ...event, ...erased }]) }, ['erased-untold']],
      ['the statements left out', { statements: (sent) => ({ ...sent, grants: [] }) }, ['foreign-grant grant.made']],
      ['the wrap records left out', { statements: (sent) => ({ ...sent, wraps: [] }) }, ['ghost-release header.released', 'ghost-release header.released']],
    ]
    for (const [what, lies, expected] of cases) {
      const found = await fresh().finds(lies)
      for (const kind of expected) t.ok(found.includes(kind), `${what}: ${found.join(', ')}`)
    }
    t.same(await fresh().finds(), [], 'and the truth is quiet')
  })

  t.test('an entry changed in the files is no entry of the tree', async (t) => {
    const watcher = new Watcher(one.test, one.founder, [one.link.vaultId])
    const found = await watcher.finds({
      file: (path, bytes) => {
        if (bytes === null || !path.startsWith('tile/entries/')) return bytes
        const changed = Uint8Array.from(bytes)
        changed[10] = (changed[10] ?? 0) ^ 1
        return changed
      },
    })
    t.same(found, ['false-files'])
    t.same(await watcher.finds(), [], 'the next look begins anew')
  })

  t.test('a look is bounded, the next one goes on, and reads nothing twice', async (t) => {
    const watcher = new Watcher(one.test, one.founder, [one.link.vaultId])
    const sizes: number[] = []
    for (let look = 0; look < 20; look++) {
      const { checkedSize, treeSize, findings } = await watcher.looks({}, 3)
      t.same(findings, [])
      sizes.push(checkedSize)
      if (checkedSize === treeSize) break
    }
    const isGrowing = sizes.every((size, at) => at === 0 || size > (sizes[at - 1] ?? 0))
    t.ok(sizes.length > 2 && isGrowing, sizes.join())
    watcher.readPaths = []
    await watcher.looks()
    t.same(watcher.readPaths, ['checkpoint'], 'nothing new, nothing read')
  })

  t.test('a vault made later is walked from a day before it, not from the beginning', async (t) => {
    const first = new Watcher(one.test, one.founder, [one.link.vaultId])
    await first.looks()
    const size = first.state.marks.at(-1)?.size ?? 0
    one.test.clock.advance(-3 * 24 * HOUR_MS)
    const atMs = one.test.clock.nowMs()
    first.state = { ...first.state, marks: first.state.marks.map((mark) => ({ ...mark, atMs })) }
    one.test.clock.advance(3 * 24 * HOUR_MS)
    const later = await one.founder.makesVault('Series A')
    await one.founder.posts(`/api/vaults/${later.vaultId}/exports`)
    const both = new Watcher(one.test, one.founder, [one.link.vaultId, later.vaultId])
    both.state = first.state
    for (const [vaultId, memory] of first.memories) both.memories.set(vaultId, memory)
    t.same(await both.finds(), [])
    t.ok((both.state.vaults[later.vaultId]?.position ?? 0) > size)
    t.equal(both.state.vaults[later.vaultId]?.eventCount, 1)
  })
})
