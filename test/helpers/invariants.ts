/**
 * What must hold after any fault, found out from the rows, the bucket and the published log alone: nothing here
 * asks the server. I1: no locked part without its acceptance, logged first. I2: one history, nothing lost or twice.
 * I3: what was acknowledged is there, bit by bit.
 */
import { createHash } from 'node:crypto'
import { GetObjectCommand, S3ServiceException, type S3Client } from '@aws-sdk/client-s3'
import type postgres from 'postgres'
import type { Test } from 'tap'
import { equalBytes } from '../../protocol/bytes.js'
import { policyOfLog } from '../../protocol/log/policy.js'
import { verifyLog } from '../../protocol/log/whole-log.js'
import { hashListKey, partKey } from '../../server/object-keys.js'

export interface Remains {
  readonly client: postgres.Sql
  readonly s3: S3Client
  readonly bucket: string
  /** Where the log's files begin. */
  readonly prefix: string
  readonly vkey: string
}

export async function checkInvariants(t: Test, remains: Remains): Promise<void> {
  const { client } = remains
  const size = await checkLogFiles(remains)
  t.same(await client`
    select r.id from releases r left join acceptances a on a.id = r.acceptance_id
    where r.gate = 'nda' and (a.id is null or a.device_id <> r.device_id or a.grant_id <> r.grant_id)`,
  [], 'I1: no release of a locked part without the acceptance of the same device')
  t.same(await client`
    select r.id from releases r join acceptances a on a.id = r.acceptance_id
    left join audit_entry released on released.event_id = r.event_id
    left join audit_entry accepted on accepted.event_id = a.event_id
    where released.idx is not null and (accepted.idx is null or accepted.idx > released.idx)`,
  [], 'I1: the acceptance stands before its release')
  const [head] = await client<{ size: string, count: string }[]>`
    select (select size from tlog_head) as size, (select count(*) from audit_entry) as count`
  t.equal(head?.count, head?.size, 'I2: as many entries as the head says')
  t.ok(Number(size) <= Number(head?.size), 'I2: what is published is in the database')
  t.same(await client`select event_id from audit_entry group by event_id having count(*) > 1`, [], 'I2: no event twice')
  t.same(await listBrokenVersions(remains), [], 'I3: what was acknowledged is in the bucket, bit by bit')
}

/** I2: every tile and entry, against the signed root. @returns the published size. */
async function checkLogFiles(remains: Remains): Promise<bigint> {
  const read = async (path: string) => await readObject(remains, `${remains.prefix}/${path}`)
  const { checkpoint } = await verifyLog(read, policyOfLog(remains.vkey))
  return checkpoint.size
}

async function readObject(
  { s3, bucket }: Remains, key: string,
): Promise<Uint8Array | null> {
  try {
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }))
    return await Body?.transformToByteArray() ?? null
  } catch (error) {
    if (error instanceof S3ServiceException && error.$metadata.httpStatusCode === 404) return null
    throw error
  }
}

interface PartRow { objectPrefix: string, index: number, sha256: Uint8Array }

async function listBrokenVersions(remains: Remains): Promise<string[]> {
  const parts = await remains.client<PartRow[]>`
    select v.object_prefix as "objectPrefix", p.index, p.sha256 from upload_parts p join versions v on v.id = p.version_id
    where v.status in ('stored', 'uploading')`
  const broken: string[] = []
  for (const { objectPrefix, index, sha256 } of parts) {
    const bytes = await readObject(remains, partKey(objectPrefix, index))
    const isWhole = bytes !== null && equalBytes(createHash('sha256').update(bytes).digest(), sha256)
    if (!isWhole) broken.push(partKey(objectPrefix, index))
  }
  const stored = await remains.client<{ objectPrefix: string }[]>`
    select object_prefix as "objectPrefix" from versions where status = 'stored'`
  for (const { objectPrefix } of stored) {
    const key = hashListKey(objectPrefix)
    if (await readObject(remains, key) === null) broken.push(key)
  }
  return broken
}
