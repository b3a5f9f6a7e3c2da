// Goal: several instances are one service. What was begun on one goes on at another: sessions, codes, uploads, links;
// an instance that is frozen, even the one that leads the log, is replaced within seconds and does no harm when it
// comes back; a rolling restart loses nothing.
// Method: two real processes on one PostgreSQL and one S3, behind a line that leads to one of them at a time; SIGSTOP,
// SIGCONT, SIGTERM; then the published log is checked whole by the operator's own command.
import { execFile } from 'node:child_process'
import { connect, createServer, type Socket } from 'node:net'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import type { VaultList } from '../../protocol/api.js'
import { ready } from '../../protocol/sodium.js'
import type { Environment } from '../../server/config.js'
import { findPostgres } from '../helpers/postgres.js'
import { Investor } from '../helpers/investor.js'
import { Founder } from '../helpers/people.js'
import { hasS3 } from '../helpers/s3.js'
import { startServer, type Server } from '../helpers/server.js'

await ready()

const COMMAND = fileURLToPath(new URL('../../scripts/sealdeck.mjs', import.meta.url))
/** The database ends a silent holder's session after five; the others look every half second. */
/** A machine that is busy with other things takes its time; how long failing over takes is not measured here. */
const PATIENCE_MS = 60_000

interface Line {
  readonly url: string
  /** From now on, and what was open is cut: as a balancer does with an instance that it gives up. */
  leadTo(server: Server): void
}

async function startLine(t: Test): Promise<Line> {
  let port = 0
  const open = new Set<Socket>()
  const line = createServer((near) => {
    const far = connect(port, '127.0.0.1')
    for (const [from, to] of [[near, far], [far, near]] as const) {
      open.add(from)
      from.on('close', () => open.delete(from)).on('error', () => to.destroy()).pipe(to)
    }
  })
  await new Promise<void>((resolve) => { line.listen(0, '127.0.0.1', resolve) })
  t.teardown(() => { for (const socket of open) socket.destroy(); line.close() })
  const address = line.address()
  if (address === null || typeof address === 'string') throw new Error('a port')
  return {
    url: `http://localhost:${address.port}`,
    leadTo(server) {
      port = server.wires[0]?.port ?? 0
      for (const socket of open) socket.destroy()
    },
  }
}

/** The same engines; and one data folder, for the keys and the mails. */
function sharedBy({ databaseUrl, bucket, dataFolder }: Server, publicUrl: string): Environment {
  return {
    PUBLIC_URL: publicUrl, DATA_DIR: dataFolder, DATABASE_URL: databaseUrl ?? '',
    S3_BUCKET: bucket?.name, S3_ENDPOINT: bucket?.access.endpoint,
    S3_REGION: bucket?.access.region, S3_ACCESS_KEY_ID: bucket?.access.accessKeyId,
    S3_SECRET_ACCESS_KEY: bucket?.access.secretAccessKey,
  }
}

const skip = findPostgres() === undefined || !hasS3() ? 'PostgreSQL or S3 is missing' : false

t.test('two instances', { skip }, async (t) => {
  const line = await startLine(t)
  const first = await startServer(t, { engines: 'real', settings: { PUBLIC_URL: line.url } })
  const settings = sharedBy(first, line.url)
  const second = await startServer(t, { settings })

  line.leadTo(first)
  const founder = await new Founder(first).signsUp()
  const link = await founder.sharesDeck()

  t.test('what was begun on one goes on at the other', async (t) => {
    line.leadTo(second)
    t.equal(await countVaults(founder), 1, 'the session, and what was published')
    await founder.signsInWithPassphrase()
    line.leadTo(first)
    t.equal(await countVaults(founder), 1)
    const investor = new Investor(first, { name: 'Grace', email: 'grace@fund.example' })
    await investor.enters(link)
    line.leadTo(second)
    t.equal(await countVaults(founder), 1)
    await investor.signsNda(link)
  })

  t.test('a leader that is frozen is replaced, and does no harm when it comes back', async (t) => {
    process.kill(first.pid, 'SIGSTOP')
    t.teardown(() => process.kill(first.pid, 'SIGCONT'))
    line.leadTo(second)
    // Answered only when it is in the log.
    await untilDone(() => founder.posts(`/api/vaults/${link.vaultId}/invitations`, { email: 'audrey@fund.example', withIdentities: false }))
    process.kill(first.pid, 'SIGCONT')
    line.leadTo(first)
    t.equal(await countVaults(founder), 1)
    const investor = new Investor(first, { name: 'Una', email: 'una@fund.example' })
    await investor.enters(link)
    await investor.signsNda(link)
  })

  t.test('a rolling restart', async (t) => {
    for (const [stopping, other] of [[first, second], [second, first]] as const) {
      line.leadTo(other)
      t.equal(await stopping.stop(), 0)
      await untilDone(() => founder.makesVault())
      await stopping.start()
    }
    t.equal(await countVaults(founder), 3)
  })

  const env = { ...settings, PATH: process.env.PATH }
  const { stdout } = await promisify(execFile)(process.execPath, [COMMAND, 'admin', 'fsck'], { env })
  t.match(stdout, /RIGHT: entries, tiles/)
})

async function countVaults(founder: Founder): Promise<number> {
  let count = 0
  await untilDone(async () => { count = (await founder.gets<VaultList>('/api/vaults')).vaults.length })
  return count
}

/** A person tries again what was answered with "not now". */
async function untilDone(run: () => Promise<unknown>): Promise<void> {
  const untilMs = performance.now() + PATIENCE_MS
  for (;;) {
    try {
      await run()
      return
    } catch (error) {
      if (performance.now() > untilMs) throw error
      await new Promise((resolve) => setTimeout(resolve, 250))
    }
  }
}
