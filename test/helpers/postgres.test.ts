// Goal: tests get a PostgreSQL that behaves as an operator's does: durable, copied fast, restartable.
// Method: start a cluster of our own, make databases from a template at the same time, crash it.
import postgres from 'postgres'
import t from 'tap'
import { createDatabase, dropDatabase, findPostgres, startPostgres, type Template } from './postgres.js'

const skip = findPostgres() === undefined ? 'PostgreSQL is not installed' : false

t.test('a throwaway cluster', { skip }, async (t) => {
  const server = await startPostgres()
  t.teardown(async () => await server.stop())
  let prepareCount = 0
  const template: Template = {
    name: 'words_1',
    async prepare(url) {
      prepareCount += 1
      const client = postgres(url, { max: 1 })
      await client`create table words (word text primary key)`
      await client`insert into words values ('seal')`
      await client.end()
    },
  }

  t.test('writes to disk before it answers', async (t) => {
    t.same(await ask(server.url, 'show fsync'), [{ fsync: 'on' }])
  })

  t.test('copies one template for all who ask at once', async (t) => {
    const urls = await Promise.all(
      [1, 2, 3].map(async () => await createDatabase(server, template)),
    )
    t.equal(new Set(urls).size, 3)
    t.equal(prepareCount, 1)
    for (const url of urls) t.same(await ask(url, 'select word from words'), [{ word: 'seal' }])
  })

  t.test('makes no template from a preparation that failed', async (t) => {
    const broken = { name: 'broken_1', prepare: async () => { throw new Error('no migrations') } }
    await t.rejects(createDatabase(server, broken), /no migrations/)
    t.same(await ask(server.url, "select 1 from pg_database where datname = 'broken_1'"), [])
  })

  t.test('keeps what was committed over a crash, at the same address', async (t) => {
    const url = await createDatabase(server, template)
    await ask(url, "insert into words values ('open')")
    await server.restart('immediate')
    t.same(await ask(url, 'select count(*)::int as count from words'), [{ count: 2 }])
  })

  t.test('drops a database though somebody is connected', async (t) => {
    const url = await createDatabase(server)
    const client = postgres(url, { max: 1 })
    await client`select 1`
    await dropDatabase(server, url)
    await t.rejects(client`select 1`)
    await client.end()
  })
})

async function ask(url: string, query: string): Promise<unknown[]> {
  const client = postgres(url, { max: 1 })
  const rows = await client.unsafe(query)
  await client.end()
  return [...rows]
}
