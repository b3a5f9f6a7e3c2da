/**
 * What must hold after any fault, found out from the rows, the bucket and the published log alone: nothing here
 * asks the server. What people hold in their hands (receipts, refusals) is given to it, as they would bring it.
 *
 * I1: no header released without what permits it, in the log before it.
 * I2: one history: what was published stays, nothing is lost, twice or changed; every receipt is at its index.
 * I3: what was acknowledged is there, bit by bit.
 * I4: nothing is released behind a revocation. That no byte and no address leaves either is not in any row, bucket or
 *     log: bytes under way are seen by who gets them (test/evil/races.test.ts, test/server/direct.test.ts), and
 *     engines-under-fire.ts asks for them after each revocation.
 * I5: whatever a version or an unfinished upload refers to is in the bucket. That nothing is deleted *too early* is
 *     seen by this as well, as soon as it has happened; schedules of collecting and storing are in
 *     test/server/uploads.test.ts.
 * I6: everything once: no change without its event, no event without its change, none of either twice. That the
 *     same question has the same answer is seen by who asks twice (engines-under-fire.ts, step-kills.ts).
 * I7: what was refused for good left nothing: none of its notes is in a row. That nothing else changed either takes a
 *     moment when nobody else is at work: `takeImprint`, before and after.
 * I8 is a time, and no state shows it: measured where the faults are made.
 */
import { createHash } from 'node:crypto'
import { GetObjectCommand, ListObjectsV2Command, S3ServiceException, type S3Client } from '@aws-sdk/client-s3'
import type postgres from 'postgres'
import { encodeHex, equalBytes } from '../../protocol/bytes.js'
import { commitEvent, decodeEntry, parseEvent, type Event } from '../../protocol/log/event.js'
import { appendLeaves, edgeRoot, EMPTY_EDGE, hashLeaf } from '../../protocol/log/merkle.js'
import { policyOfLog } from '../../protocol/log/policy.js'
import { verifyLog } from '../../protocol/log/whole-log.js'
import { hashListKey, partKey, VERSIONS_PREFIX } from '../../server/object-keys.js'

export interface Remains {
  readonly client: postgres.Sql
  readonly s3: S3Client
  readonly bucket: string
  /** Where the log's files begin. */
  readonly prefix: string
  readonly vkey: string
}

/** What people hold. */
export interface Held {
  /** Events by the index that a receipt gave them. */
  readonly receipts: ReadonlyMap<string, number>
  /** SHA-256 of notes that were refused for good, in hex. */
  readonly refused?: ReadonlySet<string>
}

/** Who is told what was found. */
export interface Told {
  ok(isTrue: boolean, what: string): unknown
  equal(found: unknown, wanted: unknown, what: string): unknown
  same(found: unknown, wanted: unknown, what: string): unknown
}

interface Published { readonly entries: readonly Uint8Array[], readonly root: Uint8Array }

/** An event that its opening shows, at its place. */
interface Shown { readonly index: number, readonly commitment: string, readonly event: Event }

/** Looks again and again, and remembers what it saw of the log. */
export class Judge {
  readonly #remains: Remains
  #seen: Pick<Published, 'root'> & { size: number } = { size: 0, root: new Uint8Array(0) }
  /** Objects that were read, by their key, as the bucket's listing describes them. */
  #read = new Map<string, string>()

  constructor(remains: Remains) {
    this.#remains = remains
  }

  async check(t: Told, held: Held = { receipts: new Map() }): Promise<void> {
    const published = await this.#readLog(t)
    // After the files: rows run ahead of what is published.
    const shown = await this.#checkRows(t, published, held)
    checkPermits(t, shown)
    checkRevocations(t, shown)
    await checkReleases(t, this.#remains)
    await checkOnce(t, this.#remains)
    await checkRefused(t, this.#remains, held.refused ?? new Set())
    await this.#checkObjects(t)
  }

  /** Every object is read again, whatever the listing says. */
  forgetObjects(): void {
    this.#read.clear()
  }

  /** I2: every tile and entry against the signed root, and the tree that was seen before inside it. */
  async #readLog(t: Told): Promise<Published> {
    const { prefix, vkey } = this.#remains
    const entries: Uint8Array[] = []
    const read = async (path: string) => await readObject(this.#remains, `${prefix}/${path}`)
    const { checkpoint } = await verifyLog(read, policyOfLog(vkey), {
      onEntry: (_index, entry) => { entries.push(Uint8Array.from(entry)) },
    })
    const { size, root } = this.#seen
    const isSame = size === 0 || equalBytes(rootOf(entries.slice(0, size)), root)
    t.ok(isSame && entries.length >= size, 'I2: what was published before is still there, unchanged')
    this.#seen = { size: entries.length, root: checkpoint.root }
    return { entries, root: checkpoint.root }
  }

  /** I2: rows and files tell one history, and the openings are those of the entries. @returns what they show. */
  async #checkRows(t: Told, published: Published, { receipts }: Held): Promise<Shown[]> {
    const rows = await this.#remains.client<EntryRow[]>`
      select e.idx::integer as index, e.event_id as "eventId", e.entry, o.bytes, o.salt, o.event_id as "openingId",
        (select size::integer from tlog_head) as "headSize"
      from audit_entry e left join audit_opening o on o.idx = e.idx order by e.idx`
    t.equal(rows.length, rows[0]?.headSize ?? 0, 'I2: as many entries as the head says')
    const broken = rows.filter((row, at) => row.index !== at || !isOpened(row))
    const changed = published.entries.filter((entry, at) =>
      !equalBytes(entry, rows[at]?.entry ?? NOTHING))
    t.same([broken.map(({ index }) => index), changed.length], [[], 0], 'I2: entries without a gap, each as published and as its opening says')
    const places = new Map(rows.map(({ eventId, index }) => [eventId, index]))
    t.equal(places.size, rows.length, 'I2: no event twice')
    const lost = [...receipts].filter(([eventId, index]) =>
      places.get(eventId) !== index || index >= published.entries.length)
    t.same(lost, [], `I2: all of ${receipts.size} receipts are where they say`)
    return rows.flatMap(({ index, entry, bytes }) => bytes === null ? []
      : [{ index, commitment: encodeHex(decodeEntry(entry).commitment), event: parseEvent(bytes) }])
  }

  /** I3 and I5. What the listing shows as it was when it was read is not read again. */
  async #checkObjects(t: Told): Promise<void> {
    const listed = await listObjects(this.#remains)
    const parts = await this.#remains.client<PartRow[]>`
      select v.object_prefix as prefix, p.index, p.sha256, v.status from upload_parts p join versions v on v.id = p.version_id
      where v.status in ('stored', 'uploading')`
    const broken: string[] = []
    for (const { prefix, index, sha256, status } of parts) {
      const key = partKey(prefix, index)
      const mark = listed.get(key)
      if (mark !== undefined && this.#read.get(key) === mark) continue
      const bytes = await readObject(this.#remains, key)
      const isWhole = bytes !== null && equalBytes(createHash('sha256').update(bytes).digest(), sha256)
      if (isWhole && mark !== undefined) this.#read.set(key, mark)
      else broken.push(`${status} ${key}`)
    }
    const stored = await this.#remains.client<{ prefix: string }[]>`
      select object_prefix as prefix from versions where status = 'stored' or (status = 'uploading' and hash_list_key is not null)`
    const keys = stored.map(({ prefix }) => hashListKey(prefix))
    broken.push(...keys.filter((key) => !listed.has(key)))
    t.same(broken, [], `I3, I5: all of ${parts.length} parts that are referred to are in the bucket, bit by bit`)
  }
}

const NOTHING = new Uint8Array(0)

interface EntryRow {
  readonly headSize: number
  readonly index: number
  readonly eventId: string
  readonly entry: Uint8Array
  /** Null once erased. */
  readonly bytes: Uint8Array | null
  readonly salt: Uint8Array | null
  readonly openingId: string | null
}

interface PartRow { prefix: string, index: number, sha256: Uint8Array, status: string }

function isOpened({ entry, bytes, salt, eventId, openingId }: EntryRow): boolean {
  if (openingId !== eventId) return false
  if (bytes === null || salt === null) return true
  return parseEvent(bytes).id === eventId &&
    equalBytes(commitEvent(salt, bytes), decodeEntry(entry).commitment)
}

function rootOf(entries: readonly Uint8Array[]): Uint8Array {
  return edgeRoot(appendLeaves(EMPTY_EDGE, entries.map((entry) => hashLeaf(entry))))
}

/** What must stand before a release, by its gate. */
const PERMITS: Readonly<Record<string, readonly Event['type'][]>> = {
  nda: ['nda.accepted'],
  email: ['email.verified', 'device.enrolled', 'nda.accepted'],
  link: ['email.verified', 'device.enrolled', 'nda.accepted'],
}

/** I1, from the log alone: each release names an earlier event of the same person at the same link that permits it. */
function checkPermits(t: Told, shown: readonly Shown[]): void {
  const earlier = new Map<string, Shown>()
  const unearned: number[] = []
  for (const one of shown) {
    if (one.event.type === 'header.released' && !isPermitted(one, earlier.get(one.event.because ?? ''))) unearned.push(one.index)
    earlier.set(one.commitment, one)
  }
  t.same(unearned, [], 'I1: each release in the log has what permits it before it')
}

function isPermitted({ event }: Shown, permit: Shown | undefined): boolean {
  if (permit === undefined) return false
  const { type, party, grant, device } = permit.event
  const isDevices = type === 'email.verified' || device === event.device
  return isDevices && party === event.party && grant === event.grant &&
    (PERMITS[event.gate ?? '']?.includes(type) ?? false)
}

/** I4, as far as the log shows it. A revoked link or person is never let in again under the same id. */
function checkRevocations(t: Told, shown: readonly Shown[]): void {
  const revoked = new Set<string>()
  const late: number[] = []
  for (const { index, event } of shown) {
    if (event.type === 'access.revoked') revoked.add(event.party ?? event.grant ?? '')
    const isRevoked = [event.party, event.grant].some((id) => id !== undefined && revoked.has(id))
    if (event.type === 'header.released' && isRevoked) late.push(index)
  }
  t.same(late, [], 'I4: no release behind a revocation')
}

/** I1, from the rows. */
async function checkReleases(t: Told, { client }: Remains): Promise<void> {
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
  t.same(await client`
    select r.id from releases r join grants g on g.id = r.grant_id
    where r.revision > g.revision`, [], 'I1: under a revision that there is')
}

/** I6: rows and their events, one for one; an event is in the outbox or in the log. */
async function checkOnce(t: Told, { client }: Remains): Promise<void> {
  t.same(await client`
    with event as (select event_id, type from audit_outbox union all select event_id, type from audit_opening),
    change as (
      select event_id, 'nda.accepted' as type from acceptances union all
      select event_id, 'header.released' from releases union all
      select event_id, 'version.stored' from versions where status = 'stored')
    select type, count(*)::integer as count from change full join event using (event_id, type)
    where (type in ('nda.accepted', 'header.released') or change.event_id is not null)
      and (change.event_id is null or event.event_id is null) group by type`,
  [], 'I6: no acceptance, release or version without its event, no event without them')
  t.same(await client`
    select device_id from acceptances group by device_id, nda_sha256 having count(*) > 1`,
  [], 'I6: nobody has accepted the same twice')
  t.same(await client`
    select p.grant_id, p.email from people p where p.email is not null group by p.grant_id, p.email having count(*) > 1`,
  [], 'I6: nobody is there twice')
  t.same(await client`
    select event_id from (select event_id from audit_outbox union all select event_id from audit_entry) e
    group by event_id having count(*) > 1`, [], 'I6: no event waits that is in the log')
}

/** I7: the notes themselves, wherever notes are kept. */
async function checkRefused(
  t: Told, { client }: Remains, refused: ReadonlySet<string>,
): Promise<void> {
  if (refused.size === 0) return
  const wanted = [...refused].join(',')
  t.same(await client`
    select id from acceptances where encode(sha256, 'hex') = any(string_to_array(${wanted}, ','))
    union all select id from releases where encode(request_sha256, 'hex') = any(string_to_array(${wanted}, ','))
    union all select id from devices where encode(sha256(convert_to(enrolment_note, 'UTF8')), 'hex') = any(string_to_array(${wanted}, ','))`,
  [], `I7: none of ${refused.size} refused notes left anything`)
}

// ---- I7: nothing changed ----

/** Of asking itself, not of what is asked: codes, sessions, counters, and mail that goes out by and by. */
const PASSING_TABLES = ['challenges', 'email_codes', 'mail_outbox', 'nonces', 'rate_counters', 'sessions']

/** All rows, the bucket's listing and the log's head: the same before and after whatever is refused. */
export async function takeImprint(remains: Remains): Promise<ReadonlyMap<string, string>> {
  const { client } = remains
  const tables = await client<{ name: string }[]>`
    select tablename as name from pg_tables where schemaname = 'public' and tablename <> all(string_to_array(${PASSING_TABLES.join(',')}, ',')) order by 1`
  const imprint = new Map<string, string>()
  for (const { name } of tables) {
    const [row] = await client<{ hash: string }[]>`
      select coalesce(md5(string_agg(md5(one::text), '' order by md5(one::text))), '') as hash from ${client(name)} one`
    imprint.set(name, row?.hash ?? '')
  }
  imprint.set('bucket', createHash('sha256').update(JSON.stringify([...await listObjects(remains)])).digest('hex'))
  return imprint
}

// ---- the bucket ----

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

/** Payloads by their keys, with what tells one writing from another. */
async function listObjects({ s3, bucket }: Remains): Promise<Map<string, string>> {
  const listed = new Map<string, string>()
  for (let token: string | undefined, isMore = true; isMore;) {
    const page = await s3.send(new ListObjectsV2Command({
      Bucket: bucket, Prefix: VERSIONS_PREFIX,
      ...token === undefined ? {} : { ContinuationToken: token },
    }))
    for (const { Key = '', ETag, Size, LastModified } of page.Contents ?? []) {
      listed.set(Key, `${ETag} ${Size} ${LastModified?.toISOString()}`)
    }
    token = page.NextContinuationToken
    isMore = page.IsTruncated === true
  }
  return listed
}
