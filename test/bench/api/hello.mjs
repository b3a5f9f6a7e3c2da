/**
 * The least that Fastify can do, in a process of its own: what requests per second are compared with. `/row` asks
 * the database for one row besides, by a prepared statement and nothing but the driver.
 */
import Fastify from 'fastify'
import postgres from 'postgres'

const [port, url = ''] = process.argv.slice(2)
const sql = postgres(url)
const app = Fastify()
app.get('/', {
  schema: { response: { 200: { type: 'object', properties: { hello: { type: 'string' } } } } },
}, async () => ({ hello: 'world' }))
app.get('/row/:id', {
  schema: { response: { 200: { type: 'object', properties: { id: { type: 'string' }, email: { type: 'string' } } } } },
}, async ({ params }) => (await sql`select id, email from users where id = ${params.id}`)[0])
await app.listen({ host: '127.0.0.1', port: Number(port) })
console.log('listening')
