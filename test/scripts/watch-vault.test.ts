// Goal: a cron job with a session and a tag key, and no passphrase, raises the alarm that the founder's browser would.
// Method: the command against a real server over HTTP; then the operator forges a release in the same log.
import { once } from 'node:events'
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { uuidv7 } from 'uuidv7'
import { insertEvents } from '../../db/queries/outbox.js'
import type { EventList } from '../../protocol/api.js'
import { decodeBase64Url } from '../../protocol/bytes.js'
import { parseEvent, sealEvent } from '../../protocol/log/event.js'
import { main } from '../../scripts/sealdeck.js'
import { Investor } from '../helpers/investor.js'
import { takeCode } from '../helpers/mailbox.js'
import { Founder } from '../helpers/people.js'
import { startWorld } from '../helpers/world.js'

const folder = mkdtempSync(join(tmpdir(), 'sealdeck-watch-'))
t.teardown(() => rmSync(folder, { recursive: true }))
process.env.XDG_CONFIG_HOME = join(folder, 'config')
const path = (name: string) => join(folder, name)
writeFileSync(path('pass'), 'correct horse battery staple\n')

async function sealdeck(...args: readonly string[]) {
  const lines: string[] = []
  const say = (line: string) => { lines.push(line) }
  const code = await main(args, { out: say, err: say, isWatched: false })
  return { code, said: lines.join('\n') }
}

t.test('a forged release ends the watch with 1, and is kept as evidence', async (t) => {
  const test = await startWorld(t)
  const { world } = test
  const founder = new Founder(test)
  founder.stretching = 'memory-constrained'
  await founder.signsUp()
  await test.app.listen({ port: 0, host: '127.0.0.1' })
  if (!test.app.server.listening) await once(test.app.server, 'listening')
  const bound = test.app.server.address()
  const address = `http://127.0.0.1:${typeof bound === 'object' ? bound?.port ?? 0 : 0}`
  await sealdeck('login', address, '--email', founder.email, '--passphrase-file', path('pass'))
  const code = await takeCode(world, founder.email)
  t.equal((await sealdeck('login', address, '--email', founder.email, '--code', code)).code, 0)
  const link = await founder.sharesDeck()
  const grace = new Investor(test)
  await grace.enters(link)
  await grace.signsNda(link)

  const watch = [
    'verify', 'monitor', `${address}/${world.keys.log.prefix}`, '--vkey', world.keys.log.vkey,
    '--state', path('state'), '--vault', link.vaultId, '--tag-key', path('tag.key'),
  ]
  const first = await sealdeck(...watch, '--passphrase-file', path('pass'))
  t.match(first, { code: 0, said: /nothing of vault \S+ is hidden, and nothing was done without its founder/ })
  t.equal(statSync(path('tag.key')).mode & 0o777, 0o600)
  rmSync(path('pass'))
  t.equal((await sealdeck(...watch)).code, 0, 'from now on nobody is asked')

  const list = await founder.gets<EventList>(`/api/vaults/${link.vaultId}/events?type=header.released`)
  const { details: _details, ...event } = parseEvent(decodeBase64Url(list.events[0]?.event ?? ''))
  const forged = sealEvent({ ...event, id: uuidv7(), party: uuidv7() })
  await insertEvents(world.db, [forged])
  await world.sequencer.published([forged.id])
  const alarm = await sealdeck(...watch)
  t.match(alarm, { code: 1, said: new RegExp(`ALARM: unearned-release at entry \\d+, header.released ${forged.id}`) })
  const kept = readdirSync(folder).find((name) => name.includes('.alarm-')) ?? ''
  t.match(JSON.parse(readFileSync(path(kept), 'utf8')), { findings: [{ kind: 'unearned-release' }] })
  t.match(await sealdeck(...watch.slice(0, -2)), { code: 2, said: /--vault needs --tag-key FILE/ })
})
