/** The least that Fastify can do, in a process of its own: what requests per second are compared with. */
import Fastify from 'fastify'

const app = Fastify()
app.get('/', {
  schema: { response: { 200: { type: 'object', properties: { hello: { type: 'string' } } } } },
}, async () => ({ hello: 'world' }))
await app.listen({ host: '127.0.0.1', port: Number(process.argv[2]) })
console.log('listening')
