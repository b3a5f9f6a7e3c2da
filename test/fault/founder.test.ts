// Goal: however often the database drops a connection, no change of a founder's stands without its event, no event
// without its change, and no byte is counted that is not there.
// Method: founders publish, upload, share and revoke side by side on real engines while backends are
// terminated at random; then rows and log are held against each other.
import t from 'tap'
import { eq } from 'drizzle-orm'
import postgres from 'postgres'
import { auditOpening, grantRevisions, grants, ndas, users, vaults, versions } from '../../db/schema.js'
import { encodeHex } from '../../protocol/bytes.js'
import { parseEvent } from '../../protocol/log/event.js'
import { Founder } from '../helpers/people.js'
import { checkLog, startWorld, type TestWorld } from '../helpers/world.js'

const ROUNDS = 4
const FOUNDERS = 4
const KILL_EVERY_MS = 50

/** Terminates one backend of ours after another, until it is told to stop. */
function startKiller(test: TestWorld): { stop(): Promise<number> } {
  const sql = postgres(test.world.config.databaseUrl ?? '', {
    max: 1, onnotice: () => {}, connection: { application_name: 'killer' },
  })
  const state = { isStopping: false, killCount: 0 }
  async function kill(): Promise<void> {
    while (!state.isStopping) {
      const killed = await sql`
        select pg_terminate_backend(pid) from pg_stat_activity
        where application_name = 'sealdeck' and datname = current_database() order by random() limit 1`
      state.killCount += killed.length
      await new Promise((resolve) => setTimeout(resolve, KILL_EVERY_MS))
    }
  }
  const running = kill()
  return {
    async stop() {
      state.isStopping = true
      await running
      await sql.end()
      return state.killCount
    },
  }
}

/** One founder's round; whatever fails, fails: the next step is tried all the same. */
async function acts(founder: Founder, vaultId: string, round: number): Promise<void> {
  const attempt = async (act: () => Promise<unknown>): Promise<void> => {
    try {
      await act()
    } catch (error) {
      if (!(error instanceof Error && /: (?:500|503) /.test(error.message))) throw error
    }
  }
  await attempt(() => founder.publishesNda({ vaultId }, `Agreement ${round} of ${founder.name}.\n`))
  await attempt(() => founder.uploadsDeck({ vaultId }))
  await attempt(async () => {
    const link = await founder.makesLink({ vaultId }, { decks: [] })
    const revision = founder.preparesRevision(link, { hasWatermark: false })
    await founder.posts(`/api/grants/${link.grantId}/revisions`, revision)
    await founder.revokes(link)
  })
  await attempt(async () => {
    const begun = await founder.beginsUpload({ vaultId })
    await founder.does('DELETE', `/api/uploads/${begun.upload.versionId}`)
  })
}

t.test('rows and log agree after backends were terminated at random', async (t) => {
  const test = await startWorld(t, { engines: 'real', settings: { EMAIL_CODES_PER_NETWORK: '1000' } })
  const founders = await Promise.all(Array.from({ length: FOUNDERS }, async (_, index) => {
    const founder = await new Founder(test, `Ada${index}`).signsUp()
    return { founder, vaultId: (await founder.makesVault()).vaultId }
  }))
  const killer = startKiller(test)
  await Promise.all(founders.map(async ({ founder, vaultId }) => {
    for (let round = 0; round < ROUNDS; round++) await acts(founder, vaultId, round)
  }))
  const killCount = await killer.stop()
  t.ok(killCount > ROUNDS, `${killCount} backends were terminated`)
  await checkLog(t, test.world)
  await checkAgreement(t, test)
})

async function checkAgreement(t: Parameters<typeof startWorld>[0], test: TestWorld): Promise<void> {
  const { db } = test.world
  const openings = await db.select().from(auditOpening)
  const events = openings.map(({ bytes }) => parseEvent(bytes ?? new Uint8Array()))
  const named = (type: string, name: (event: typeof events[number]) => unknown) =>
    events.filter((event) => event.type === type).map((event) => String(name(event))).sort()

  const stored = await db.select().from(versions).where(eq(versions.status, 'stored'))
  t.same(named('version.stored', ({ recordSha256 }) => recordSha256),
    stored.map(({ recordSha256 }) => encodeHex(recordSha256 ?? new Uint8Array())).sort(), 'versions')
  t.ok(stored.length > 0, `${stored.length} of ${ROUNDS * FOUNDERS} versions got through`)
  const published = await db.select().from(ndas)
  t.same(named('nda.published', ({ agreementSha256 }) => agreementSha256),
    published.map(({ sha256 }) => encodeHex(sha256)).sort(), 'NDAs')
  const revisions = await db.select().from(grantRevisions)
  const signed = ['grant.made', 'grant.revised'].flatMap((type) => named(type, (event) => event.grantSha256))
  t.same(signed.sort(), revisions.map((row) => encodeHex(row.statementSha256)).sort(), 'revisions')
  const links = await db.select().from(grants)
  t.same(named('access.revoked', ({ grant }) => grant),
    links.filter(({ revokedAtMs }) => revokedAtMs !== null).map(({ id }) => id).sort(), 'revocations')

  for (const user of await db.select().from(users)) {
    const own = await db.select().from(vaults).where(eq(vaults.ownerId, user.id))
    const ids = new Set(own.map(({ id }) => id))
    const kept = (await db.select().from(versions)).filter(({ vaultId, status }) =>
      ids.has(vaultId) && (status === 'stored' || status === 'uploading'))
    const size = kept.reduce((sum, { payloadSizeBytes }) => sum + payloadSizeBytes, 0)
    t.equal(user.usedBytes, size, 'counted bytes')
  }
}
