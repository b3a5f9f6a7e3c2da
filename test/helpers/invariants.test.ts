// Goal: the judge of the fault programs sees what it is there for: each invariant that rows, bucket and log can show is
// broken once, and it says which.
// Method: a world on real engines with a deck, a signature and a revocation; then rows and objects spoiled by the
// superuser, one after another, with a look after each.
import { isDeepStrictEqual } from 'node:util'
import { DeleteObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3'
import postgres from 'postgres'
import t, { type Test } from 'tap'
import { encodeHex } from '../../protocol/bytes.js'
import { Judge, takeImprint, type Held, type Remains } from './invariants.js'
import { Investor } from './investor.js'
import { Founder } from './people.js'
import { findPostgres } from './postgres.js'
import { connectS3, hasS3 } from './s3.js'
import { startWorld, type TestWorld } from './world.js'

const skip = findPostgres() === undefined || !hasS3() ? 'PostgreSQL or S3 is missing' : false

/** What is left when nobody is asked any more. */
function remainsOf(t: Test, { world }: TestWorld): Remains {
  const { s3, databaseUrl } = world.config
  if (s3?.endpoint === undefined || databaseUrl === undefined) throw new Error('real engines')
  const client = postgres(databaseUrl, { max: 1, fetch_types: false, onnotice: () => {} })
  const bucket = connectS3({ ...s3, endpoint: s3.endpoint })
  t.teardown(async () => {
    bucket.destroy()
    await client.end()
  })
  const { prefix, vkey } = world.keys.log
  return { client, s3: bucket, bucket: s3.bucket, prefix, vkey }
}

/** @returns what does not hold, by its number. */
async function findings(judge: Judge, held?: Held): Promise<string[]> {
  const broken: string[] = []
  const note = (isTrue: boolean, what: string): void => { if (!isTrue) broken.push(what.split(':', 1)[0] ?? '') }
  await judge.check({
    ok: note,
    equal: (found, wanted, what) => note(found === wanted, what),
    same: (found, wanted, what) => note(isDeepStrictEqual([found].flat(), [wanted].flat()), what),
  }, held)
  return broken
}

t.test('the judge', { skip }, async (t) => {
  const test = await startWorld(t, { engines: 'real' })
  const founder = await new Founder(test).signsUp()
  const link = await founder.sharesDeck()
  const grace = new Investor(test)
  await grace.enters(link)
  const { receipts } = await grace.signsNda(link)
  await founder.revokes(link)
  await test.world.sequencer.stop()
  const remains = remainsOf(t, test)
  const { client, s3, bucket } = remains
  const judge = new Judge(remains)
  const [accepted] = receipts
  const index = Number(/^index (\d+)$/m.exec(accepted?.proof ?? '')?.[1])

  t.same(await findings(judge, { receipts: new Map([[accepted?.eventId ?? '', index]]) }), [], 'all is well')
  const before = await takeImprint(remains)
  t.same([...await takeImprint(remains)], [...before])

  t.test('sees a receipt that is not kept', async (t) => {
    t.same(await findings(judge, { receipts: new Map([[accepted?.eventId ?? '', index + 1]]) }), ['I2'])
    t.same(await findings(judge, { receipts: new Map([[link.vaultId, 0]]) }), ['I2'])
  })

  t.test('sees what a refused note left', async (t) => {
    const [row] = await client<{ sha256: Uint8Array }[]>`select sha256 from acceptances`
    t.same(await findings(judge, { receipts: new Map(), refused: new Set([encodeHex(row?.sha256 ?? new Uint8Array(0))]) }), ['I7'])
    await client`update users set name = 'Adah'`
    t.strictNotSame([...await takeImprint(remains)], [...before], 'any row that is another')
    await client`update users set name = 'Ada'`
  })

  t.test('sees parts that are damaged or gone', async (t) => {
    const [key = ''] = (await test.world.bucket.list('versions/', 100)).filter((one) => one.includes('part'))
    const bytes = await test.world.bucket.read(key) ?? new Uint8Array(0)
    const put = async (Body: Uint8Array) =>
      await s3.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body }))
    await put(bytes.map((byte, at) => at === 7 ? byte ^ 1 : byte))
    t.same(await findings(judge), ['I3, I5'])
    await s3.send(new DeleteObjectCommand({ Bucket: bucket, Key: key }))
    t.same(await findings(judge), ['I3, I5'])
    await put(bytes)
    t.same(await findings(judge), [])
  })

  t.test('sees a release without its event, or without its acceptance', async (t) => {
    await client`
      insert into releases select (jsonb_populate_record(r, jsonb_build_object('id', gen_random_uuid(), 'event_id', gen_random_uuid()))).*
      from releases r where gate = 'email' limit 1`
    t.same(await findings(judge), ['I6'])
    await client`delete from releases where event_id not in (select event_id from audit_entry)`
    await client`update releases set acceptance_id = gen_random_uuid() where gate = 'nda'`
    t.same(await findings(judge), ['I1'])
    await client`update releases set acceptance_id = (select id from acceptances) where gate = 'nda'`
    t.same(await findings(judge), [])
  })

  t.test('sees entries that were changed, lost or put elsewhere', async (t) => {
    await client`alter table audit_opening disable trigger user`
    // The revocation moved before the releases, as a server would that logs out of order.
    await client`update audit_opening set bytes = (select bytes from audit_opening where type = 'access.revoked'),
      salt = (select salt from audit_opening where type = 'access.revoked') where idx = 1`
    t.same(await findings(judge), ['I2', 'I4'])
    await client`alter table audit_entry disable trigger user`
    await client`delete from audit_entry where idx = (select max(idx) from audit_entry)`
    t.ok((await findings(judge, { receipts: new Map([[accepted?.eventId ?? '', index]]) })).includes('I2'))
  })
})
