// Goal: what is revoked or revised is not released, however closely the two meet: no header leaves after the
// revocation was acknowledged, and none is in the log behind it.
// Method: releases held at the two places where a revocation may overtake them, while they wait for the log and
// while they wait for the row; then both at once, many times, with the exported log checked for what it shows.
import postgres from 'postgres'
import t, { type Test } from 'tap'
import type { PersonList, Release } from '../../protocol/api.js'
import { parseExport, verifyExport } from '../../protocol/log/export.js'
import { policyOfLog } from '../../protocol/log/policy.js'
import { ready } from '../../protocol/sodium.js'
import { Investor } from '../helpers/investor.js'
import { Founder, type Answer, type Link } from '../helpers/people.js'
import { checkLog, ENGINES, startWorld, type Engines, type TestWorld } from '../helpers/world.js'

await ready()

const ROOMY = { EMAIL_CODES_PER_NETWORK: '10000', RATE_LIMIT_PER_MINUTE: '100000' }
const REPETITIONS = 12
/** Revocations begin somewhere between with the release and when it is long done. */
const SPREAD_MS = 250
const SETTLE_MS = 250

interface Stage {
  readonly test: TestWorld
  readonly founder: Founder
  /** Another link to the same deck, that nobody has used. */
  readonly newLink: () => Promise<Link>
}

async function stage(t: Test, engines: Engines): Promise<Stage> {
  const test = await startWorld(t, { engines, settings: ROOMY })
  const founder = await new Founder(test).signsUp()
  const { vaultId, decks, nda } = await founder.sharesDeck()
  const newLink = async () => await founder.makesLink({ vaultId }, { decks, nda })
  return { test, founder, newLink }
}

let investorCount = 0

function newInvestor(test: TestWorld): Investor {
  return new Investor(test, { name: 'Grace', email: `grace${investorCount++}@fund.example` })
}

type Way = (stage: Stage, link: Link) => Promise<() => Promise<Answer>>

/** The three ways to a header, each up to its last request. */
const WAYS: Readonly<Record<string, Way>> = {
  async 'an access request'({ test }, link) {
    const investor = newInvestor(test)
    const { nonce, emailProof } = await investor.provesEmail(link)
    const body = { ...investor.notesFor(link, { nonce }), emailProof }
    return async () => await investor.asks('POST', `/api/gate/${link.grantId}/access-requests`, body)
  },
  async 'an acceptance'({ test }, link) {
    const investor = newInvestor(test)
    await investor.enters(link)
    const acceptance = await investor.acceptanceFor(link)
    return async () => await investor.asksToAccept(link, acceptance)
  },
  async 'a later visit'({ test, founder }, link) {
    const investor = newInvestor(test)
    await investor.enters(link)
    await investor.signsNda(link)
    test.clock.advance(11 * 60_000)
    await investor.returns(link)
    founder.keepsSession(await founder.does('POST', '/api/sessions/refresh', {}))
    return async () => await investor.asks('POST', `/api/gate/${link.grantId}/releases`, {})
  },
}

interface Held { readonly isAsked: Promise<void>, readonly goOn: () => void }

/** Let nobody be told that an event is published, until told to go on. */
function holdLog(test: TestWorld): Held {
  const { sequencer } = test.world
  const published = sequencer.published.bind(sequencer)
  let goOn = (): void => undefined
  const gone = new Promise<void>((resolve) => { goOn = resolve })
  const isAsked = new Promise<void>((resolve) => {
    Object.assign(sequencer, {
      async published(eventIds: readonly string[]) {
        resolve()
        await gone
        return await published(eventIds)
      },
    })
  })
  return { isAsked, goOn: () => { Object.assign(sequencer, { published }); goOn() } }
}

async function personOf(founder: Founder, link: Link): Promise<string> {
  const list = await founder.gets<PersonList>(`/api/vaults/${link.vaultId}/people`)
  return list.people.find(({ grantId }) => grantId === link.grantId)?.personId ?? ''
}

for (const engines of ENGINES) {
  t.test(`a revocation while a release waits for the log, ${engines}`, async (t) => {
    const world = await stage(t, engines)
    const { test, founder } = world
    for (const [way, prepares] of Object.entries(WAYS)) {
      for (const revoked of ['link', 'person'] as const) {
        const link = await world.newLink()
        const asks = await prepares(world, link)
        const log = holdLog(test)
        const asked = asks()
        await log.isAsked
        if (revoked === 'link') await founder.revokes(link)
        else await founder.revokesPerson(link, await personOf(founder, link))
        log.goOn()
        const code = revoked === 'link' ? 'grant-revoked' : 'access-revoked'
        t.match((await asked).json(), { code }, `${way}, ${revoked} revoked`)
      }
    }
    await checkLog(t, test.world)
  })
}

/** What is under way, and not yet committed, while a release asks; and what the release is then told. */
const CHANGES = [
  {
    what: 'revoking the link', ways: Object.keys(WAYS), refused: /grant-revoked|nonce-unknown/,
    change: (grantId: string) => [`update grants set revoked_at = now() where id = '${grantId}'`],
  },
  {
    what: 'revising the link', ways: Object.keys(WAYS), refused: /conflict|nonce-unknown/,
    change: (grantId: string) => [
      `insert into grant_revisions select grant_id, 2, statement, statement_sha256, signature, nda_sha256,
        link_recipient, link_signing_public_key, policy, gate, release, expires_at, created_at
        from grant_revisions where revision = 1 and grant_id = '${grantId}'`,
      `update grants set revision = 2 where id = '${grantId}'`,
    ],
  },
  {
    what: 'revoking the person', ways: ['an acceptance', 'a later visit'], refused: /access-revoked|nonce-unknown/,
    change: (grantId: string) => [`update people set revoked_at = now() where grant_id = '${grantId}'`],
  },
] as const

t.test('a release waits for what was begun before it', async (t) => {
  const world = await stage(t, 'real')
  const other = postgres(world.test.world.config.databaseUrl ?? '', { max: 1, onnotice: () => {} })
  t.teardown(() => other.end())
  for (const { what, ways, refused, change } of CHANGES) {
    for (const way of ways) {
      const link = await world.newLink()
      const asks = await WAYS[way]?.(world, link)
      if (asks === undefined) return t.fail('there is such a way')
      const before = (await world.test.world.db.query.releases.findMany()).length
      const state: { asked?: Promise<Answer>, isAnswered: boolean } = { isAnswered: false }
      await other.begin(async (held) => {
        for (const statement of change(link.grantId)) await held.unsafe(statement)
        state.asked = asks().finally(() => { state.isAnswered = true })
        await new Promise((resolve) => setTimeout(resolve, SETTLE_MS))
        t.notOk(state.isAnswered, `${way} does not overtake ${what}`)
      })
      t.match((await state.asked)?.json(), { code: refused })
      t.equal((await world.test.world.db.query.releases.findMany()).length, before, 'nothing was written')
    }
  }
})

for (const engines of ENGINES) {
  t.test(`revocations and releases at once, ${REPETITIONS} times, ${engines}`, async (t) => {
    const { test, founder, newLink } = await stage(t, engines)
    const late: number[] = []
    let vaultId = ''
    let releasedCount = 0
    for (let turn = 0; turn < REPETITIONS; turn++) {
      const link = await newLink()
      vaultId = link.vaultId
      const investor = newInvestor(test)
      await investor.enters(link)
      const acceptance = await investor.acceptanceFor(link)
      const state = { isRevoked: false }
      const revoking = new Promise((resolve) => setTimeout(resolve, turn * SPREAD_MS / REPETITIONS))
        .then(() => founder.revokes(link)).then(() => { state.isRevoked = true })
      const answer = await investor.asksToAccept(link, acceptance)
      const isReleased = answer.statusCode === 201 && answer.json<Release>().headers.length > 0
      if (isReleased) releasedCount++
      if (isReleased && state.isRevoked) late.push(turn)
      await revoking
    }
    t.comment(`${releasedCount} of ${REPETITIONS} were released before they were revoked`)
    t.same(late, [], 'no header left after its revocation was acknowledged')
    await checkLog(t, test.world)
    const text = (await founder.does('POST', `/api/vaults/${vaultId}/exports`, {})).rawPayload.toString()
    const { findings } = verifyExport(parseExport(text), policyOfLog(test.world.keys.log.vkey))
    t.same(findings, [], 'and none stands behind it in the log')
  })
}
