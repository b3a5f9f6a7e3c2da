// Goal: tests get an S3 that refuses what a hosted one refuses.
// Method: start a server of our own and try a good write, a second write, wrong keys, a late read.
import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3'
import t from 'tap'
import { connectS3, createBucket, hasS3, startS3 } from './s3.js'

const skip = hasS3() ? false : 'Ceph is not installed'

t.test('a throwaway S3 server', { skip }, async (t) => {
  const server = await startS3()
  t.teardown(async () => await server.stop())
  const client = connectS3(server)
  t.teardown(() => client.destroy())
  const bucket = await createBucket(server)

  t.test('gives back what was put, in ranges', async (t) => {
    await client.send(new PutObjectCommand({ Bucket: bucket, Key: 'deck', Body: 'sealed bytes' }))
    const part = await client.send(new GetObjectCommand({ Bucket: bucket, Key: 'deck', Range: 'bytes=7-11' }))
    t.equal(await part.Body?.transformToString(), 'bytes')
  })

  t.test('refuses to write over an object where asked not to', async (t) => {
    const write = new PutObjectCommand({ Bucket: bucket, Key: 'once', Body: 'one', IfNoneMatch: '*' })
    await client.send(write)
    await t.rejects(client.send(write), { name: 'PreconditionFailed' })
  })

  t.test('refuses a wrong secret and no signature at all', async (t) => {
    const stranger = connectS3({ ...server, secretAccessKey: 'wrong' })
    t.teardown(() => stranger.destroy())
    const read = new GetObjectCommand({ Bucket: bucket, Key: 'deck' })
    await t.rejects(stranger.send(read), { name: 'SignatureDoesNotMatch' })
    t.equal((await fetch(`${server.endpoint}/${bucket}/deck`)).status, 403)
  })

  t.test('makes buckets that do not share a name', async (t) => {
    t.not(await createBucket(server), bucket)
  })
})
