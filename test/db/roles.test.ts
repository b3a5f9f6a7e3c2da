// Goal: what serves requests cannot change the log, what integrates cannot change what was integrated, and what
// erases can only empty; also where somebody else made the roles; and the whole product runs under them.
// Method: PostgreSQL; the statements that each must not run, each under its own connection; a world whose database
// belongs to a login that may create no roles.
import { randomBytes } from 'node:crypto'
import t from 'tap'
import { sql } from 'drizzle-orm'
import postgres from 'postgres'
import { openDb, queryRows, sqlState, type Db } from '../../db/client.js'
import { Investor } from '../helpers/investor.js'
import { Founder } from '../helpers/people.js'
import { createDatabase, dropDatabase, usePostgres } from '../helpers/postgres.js'
import { checkLog, startWorld } from '../helpers/world.js'

const FORBIDDEN = '42501'
const LOG_TABLES = ['audit_entry', 'audit_opening', 'audit_sequence', 'tlog_head', 'tlog_published']

async function stateOf(db: Db, statement: string): Promise<string | undefined> {
  try {
    await queryRows(db, sql.raw(statement))
    return undefined
  } catch (error) {
    return sqlState(error)
  }
}

t.test('what each role must not do', async (t) => {
  const server = await usePostgres(t)
  const url = await createDatabase(server)
  t.teardown(() => dropDatabase(server, url))
  const { db, logDb, erasureDb, close } = await openDb({ engine: 'postgres', url, maxConnections: 2 })
  t.teardown(close)
  const users = await Promise.all([db, logDb, erasureDb].map((one) => queryRows(one, sql`select current_user`)))
  t.same(users.map(([row]) => row?.['current_user']), ['sealdeck_api', 'sealdeck_integrator', 'sealdeck_erasure'])

  const api = [
    ...LOG_TABLES.flatMap((table) => [`update ${table} set ${table === 'audit_sequence' ? 'count = 0' : table.startsWith('tlog') ? 'size = 0' : 'event_id = null'}`, `delete from ${table}`, `truncate ${table}`, `insert into ${table} select * from ${table}`]),
    'update tlog_origins set closing = null', 'delete from tlog_origins', 'insert into tlog_origins select * from tlog_origins',
    'update audit_outbox set salt = null', 'delete from audit_outbox', 'truncate audit_outbox',
    'alter table audit_entry disable trigger all', 'drop table audit_entry', 'create table mine (id integer)',
    "select integrate(0, ''::bytea, ''::bytea, ''::bytea, '', ''::bytea, '', '')",
  ]
  for (const statement of api) t.equal(await stateOf(db, statement), FORBIDDEN, `the api: ${statement}`)
  t.equal(await stateOf(db, 'select count(*) from audit_entry'), undefined, 'it reads')

  const integrator = ['delete from tlog_origins', 'update audit_outbox set salt = null', 'update audit_entry set entry = null', 'delete from audit_entry', 'delete from audit_opening', 'update audit_opening set bytes = null', 'select * from users', 'select * from sessions', 'update vaults set tag_key = null']
  for (const statement of integrator) t.equal(await stateOf(logDb, statement), FORBIDDEN, `the integrator: ${statement}`)
  const erasure = ['delete from audit_opening', 'insert into audit_entry select * from audit_entry', 'update tlog_head set size = 0', 'select * from users', 'update vaults set tag_key = null']
  for (const statement of erasure) t.equal(await stateOf(erasureDb, statement), FORBIDDEN, `the eraser: ${statement}`)
})

t.test('a login that may create no roles, with roles that somebody made for it', async (t) => {
  const server = await usePostgres(t)
  const name = `t${randomBytes(8).toString('hex')}`
  const admin = postgres(server.url, { max: 1, onnotice: () => {} })
  const url = new URL(server.url)
  Object.assign(url, { username: name, pathname: `/${name}` })
  t.teardown(async () => {
    await dropDatabase(server, url.href)
    await admin.unsafe(`drop role ${name}`)
    await admin.end()
  })
  await admin.unsafe(`create role ${name} login nosuperuser nocreaterole`)
  await admin.unsafe(`grant sealdeck_api, sealdeck_integrator, sealdeck_erasure to ${name}`)
  await admin.unsafe(`create database ${name} owner ${name}`)

  const test = await startWorld(t, { engines: 'real', settings: { DATABASE_URL: url.href } })
  const [row] = await queryRows(test.world.db, sql`select current_user`)
  t.equal(row?.['current_user'], 'sealdeck_api')
  const founder = await new Founder(test).signsUp()
  const link = await founder.sharesDeck()
  const investor = new Investor(test, { name: 'Grace', email: 'grace@fund.example' })
  await investor.enters(link)
  await investor.signsNda(link)
  await checkLog(t, test.world)
  t.equal(await stateOf(test.world.db, 'delete from audit_entry'), FORBIDDEN)
})
