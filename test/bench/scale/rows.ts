/**
 * A database as years would leave it, by SQL alone: vaults of other people, each with a deck, a link, two
 * people and ten events. The events stand before the log's first (indexes below zero), so that they
 * weigh on every index and the log itself, with its tiles, goes on from its real entries.
 */
import type postgres from 'postgres'

const EVENTS_PER_VAULT = 10
const VAULTS_PER_OWNER = 10
const TYPES = ['version.stored', 'grant.made', 'email.verified', 'device.enrolled', 'nda.accepted', 'header.released', 'version.fetched', 'auditor.read']

/** Fill it, then gather statistics as the database itself would in time. */
export async function fillRows(client: postgres.Sql, vaultCount: number): Promise<void> {
  const indexes = await client<{ name: string, definition: string }[]>`
    select i.indexname as name, i.indexdef as definition from pg_indexes i
    where i.schemaname = 'public' and not exists (
      select 1 from pg_constraint c join pg_class r on r.oid = c.conindid where r.relname = i.indexname)`
  for (const { name } of indexes) await client`drop index ${client(name)}`
  for (const fill of FILLS) await client.unsafe(fill(vaultCount))
  for (const { definition } of indexes) await client.unsafe(definition)
  await client`vacuum analyze`
}

/** The same id wherever row `n` of a kind is named. */
const id = (kind: string, n: string) => `md5('${kind}' || ${n})::uuid`
const bytes = (kind: string, n: string) => `sha256(('${kind}' || ${n})::bytea)`
const at = (n: string, count: number) => `now() - interval '3 years' * (1 - ${n}::float8 / ${count})`

const FILLS: ReadonlyArray<(count: number) => string> = [
  (count) => `insert into users (id, email, name, locale, signing_public_key, recipient, created_at)
    select ${id('owner', 'n')}, 'owner' || n || '@bench.example', 'Owner ' || n, 'en', ${bytes('pk', 'n')}, 'age1pq1' || n, now()
    from generate_series(0, ${Math.ceil(count / VAULTS_PER_OWNER)}) n`,
  (count) => `insert into vaults (id, owner_id, tag_key, title_sealed, created_at)
    select ${id('vault', 'n')}, ${id('owner', `(n / ${VAULTS_PER_OWNER})`)}, ${bytes('tag', 'n')}, ${bytes('title', 'n')}, ${at('n', count)}
    from generate_series(1, ${count}) n`,
  (count) => `insert into documents (id, vault_id, name_sealed, created_at)
    select ${id('document', 'n')}, ${id('vault', 'n')}, ${bytes('name', 'n')}, ${at('n', count)} from generate_series(1, ${count}) n`,
  (count) => `insert into versions (id, vault_id, document_id, part, gate, version, status, draft_sealed, owner_header,
      payload_size_bytes, part_count, nonce, object_prefix, record, record_sha256, record_signature, created_at, stored_at)
    select ${id('version', 'n')}, ${id('vault', 'n')}, ${id('document', 'n')}, 0, 'nda', 1, 'stored', ${bytes('draft', 'n')},
      ${bytes('header', 'n')}, 1000000, 1, ${bytes('nonce', 'n')}, md5('prefix' || n), ${bytes('record', 'n')},
      ${bytes('hash', 'n')}, ${bytes('signature', 'n')}, ${at('n', count)}, ${at('n', count)}
    from generate_series(1, ${count}) n`,
  (count) => `insert into grants (id, vault_id, revision, name_sealed, card_sealed, created_at)
    select md5('grant' || n), ${id('vault', 'n')}, 1, ${bytes('name', 'n')}, ${bytes('card', 'n')}, ${at('n', count)}
    from generate_series(1, ${count}) n`,
  (count) => `insert into grant_revisions (grant_id, revision, statement, statement_sha256, signature, link_recipient,
      link_signing_public_key, policy, gate, release, created_at)
    select md5('grant' || n), 1, ${bytes('statement', 'n')}, ${bytes('hash', 'n')}, ${bytes('signature', 'n')}, ${bytes('link', 'n')},
      ${bytes('pk', 'n')}, '', 'nda', 'on-signature', ${at('n', count)} from generate_series(1, ${count}) n`,
  (count) => `insert into people (id, grant_id, email, name, tag_key, created_at)
    select ${id('person', 'n')}, md5('grant' || (n / 2)), 'reader' || n || '@fund.example', 'Reader ' || n, ${bytes('tag', 'n')}, now()
    from generate_series(2, ${2 * count}) n`,
  (count) => `insert into audit_entry (idx, event_id, entry)
    select -n, ${id('event', 'n')}, ${bytes('entry', 'n')} || ${bytes('tag', 'n')} || '\\x01'::bytea
    from generate_series(1, ${EVENTS_PER_VAULT * count}) n`,
  (count) => `insert into audit_opening (idx, event_id, type, at, vault_id, vault_sequence, party_id, document_id, bytes, salt)
    select -n, ${id('event', 'n')}, (array['${TYPES.join("','")}'])[1 + n % ${TYPES.length}],
      now() - interval '3 years' * (n::float8 / ${EVENTS_PER_VAULT * count}), ${id('vault', `(n / ${EVENTS_PER_VAULT})`)}, n % ${EVENTS_PER_VAULT},
      ${id('person', `(n / ${EVENTS_PER_VAULT / 2})`)}, ${id('document', `(n / ${EVENTS_PER_VAULT})`)}, ${bytes('bytes', 'n')} || ${bytes('more', 'n')}, ${bytes('salt', 'n')}
    from generate_series(1, ${EVENTS_PER_VAULT * count}) n`,
  (count) => `insert into audit_sequence (scope_id, count)
    select ${id('vault', 'n')}, ${EVENTS_PER_VAULT} from generate_series(1, ${count}) n`,
]
