// Goal: whoever brings a checkpoint of this log learns whether it fits, and one that does not is kept as evidence; a
// checkpoint of another log or key is no evidence of anything.
// Method: a real log; checkpoints as it published them, and others signed with its own key, as a second history would be.
import t from 'tap'
import { logForks } from '../../db/schema.js'
import type { GossipAnswer } from '../../protocol/api.js'
import { decodeUtf8 } from '../../protocol/bytes.js'
import { signCheckpoint } from '../../protocol/log/checkpoint.js'
import { ed25519Signer } from '../../protocol/log/note.js'
import { policyOfLog, verifyCheckpoint } from '../../protocol/log/policy.js'
import { Browser, Founder } from '../helpers/people.js'
import { startWorld } from '../helpers/world.js'

t.test('a checkpoint that somebody brings is held against the log', async (t) => {
  const { world, app, clock, ...rest } = await startWorld(t)
  const test = { world, app, clock, ...rest }
  const { log } = world.keys
  const founder = await new Founder(test).signsUp()
  const anybody = new Browser(test)
  const readCheckpoint = async () => decodeUtf8(await world.bucket.read(`${log.prefix}/checkpoint`) ?? new Uint8Array())
  const brings = (checkpoint: string) => anybody.posts<GossipAnswer>('/api/log/gossip', { checkpoint })
  const forks = async () => (await world.db.select().from(logForks)).length
  const signed = (size: bigint, root: Uint8Array, signers = [log.signer]) =>
    signCheckpoint({ origin: log.origin, size, root }, signers)

  const vault = await founder.makesVault()
  await founder.posts(`/api/vaults/${vault.vaultId}/exports`)
  const older = await readCheckpoint()
  await founder.posts(`/api/vaults/${vault.vaultId}/exports`)
  const newest = await readCheckpoint()
  const { checkpoint: { size } } = verifyCheckpoint(newest, policyOfLog(log.vkey))
  t.same(await brings(newest), { outcome: 'consistent', checkpoint: newest })
  t.equal((await brings(older)).outcome, 'consistent', 'an earlier one')
  t.equal(await forks(), 0)

  const another = new Uint8Array(32).fill(5)
  for (const [what, forged] of [
    ['another root of the same size', signed(size, another)],
    ['another root of an earlier size', signed(size - 1n, another)],
    ['more entries than there are', signed(size + 5n, another)],
  ] as const) {
    const kept = await forks()
    t.same(await brings(forged), { outcome: 'fork', checkpoint: newest }, what)
    t.equal(await forks(), kept + 1, 'kept as evidence')
    await brings(forged)
    t.equal(await forks(), kept + 1, 'once')
  }
  const [evidence] = await world.db.select().from(logForks)
  t.match(evidence, { ours: newest })
  t.match(evidence?.brought, new RegExp(`^${log.origin}\n`))

  const stranger = ed25519Signer(log.origin, new Uint8Array(32).fill(3))
  for (const foreign of [signed(size, another, [stranger]), 'no checkpoint\n', signed(size, another).replace(log.origin, 'other.test')]) {
    t.equal((await anybody.asks('POST', '/api/log/gossip', { checkpoint: foreign })).statusCode, 400)
  }
  t.equal(await forks(), 3, 'what this log did not sign is no evidence')
  const metrics = (await anybody.asks('GET', '/metrics')).rawPayload.toString()
  t.match(metrics, /^sealdeck_log_forks 3$/m)
})

t.test('who brings too many has to wait', async (t) => {
  const test = await startWorld(t)
  const anybody = new Browser(test)
  const checkpoint = decodeUtf8(await test.world.bucket.read(`${test.world.keys.log.prefix}/checkpoint`) ?? new Uint8Array())
  const statuses: number[] = []
  for (let turn = 0; turn < 62; turn++) statuses.push((await anybody.asks('POST', '/api/log/gossip', { checkpoint })).statusCode)
  t.same([...new Set(statuses)], [200, 429])
})
