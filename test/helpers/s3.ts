/**
 * A real S3 server for tests: Ceph's gateway over one monitor and one store in memory, on loopback.
 * It checks signatures, expiry, conditional writes and CORS as a hosted S3 does; it does not check a
 * body's SHA-256. The wrapper starts one for all files and passes its address in TEST_S3_URL.
 */
import { randomBytes, randomUUID } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3'
import {
  findProgram, findSparePort, makeFolder, removeFolder, run, startEngine, waitUntil, type Engine,
} from './engine.js'

const PROGRAMS = ['ceph', 'ceph-mon', 'ceph-osd', 'ceph-authtool', 'monmaptool', 'radosgw', 'radosgw-admin']
const STORE_SIZE_BYTES = 4 * 1024 ** 3

/** What a client needs to know; `region` is fixed, Ceph has but one. */
export interface S3Access {
  readonly endpoint: string
  readonly region: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

export interface S3Server extends S3Access {
  /** The same as one address, for an environment variable: `http://key:secret@127.0.0.1:port`. */
  readonly url: string
  stop(): Promise<void>
}

interface Test { teardown(end: () => Promise<void>): void }

export function hasS3(): boolean {
  return PROGRAMS.every((program) => findProgram(program) !== undefined)
}

/** The shared server if there is one, else one of this file's own that ends with `t`. */
export async function useS3(t: Test): Promise<S3Access> {
  const url = process.env.TEST_S3_URL
  if (url !== undefined) return parseAccess(url)
  const server = await startS3()
  t.teardown(async () => await server.stop())
  return server
}

/** A new, empty bucket with a name of its own. */
export async function createBucket(access: S3Access): Promise<string> {
  const bucket = `t${randomBytes(8).toString('hex')}`
  const client = connectS3(access)
  await client.send(new CreateBucketCommand({ Bucket: bucket }))
  client.destroy()
  return bucket
}

/** The plain SDK, to look into a bucket behind the back of the code under test. */
export function connectS3({ endpoint, region, accessKeyId, secretAccessKey }: S3Access): S3Client {
  return new S3Client({
    endpoint, region, forcePathStyle: true, credentials: { accessKeyId, secretAccessKey },
    maxAttempts: 1,
  })
}

/** Starts a server of its own: for the wrapper, and for tests that stop or break it. */
export async function startS3(): Promise<S3Server> {
  if (!hasS3()) throw new Error('Ceph (radosgw, ceph-mon, ceph-osd) is not installed')
  const cluster = await prepareCluster()
  const monitor = await startMonitor(cluster)
  const store = await startStore(cluster)
  const url = await createUser(cluster)
  const gateway = await startGateway(cluster)
  return {
    ...parseAccess(url),
    url,
    async stop() {
      await stopAll([gateway, store, monitor])
      await removeFolder(cluster.folder)
    },
  }
}

// Asked nicely, these programs take seconds to tidy a store that is about to be deleted.
async function stopAll(engines: readonly Engine[]): Promise<void> {
  for (const engine of engines) await engine.stop('SIGKILL')
}

function parseAccess(url: string): S3Access {
  const { origin, username, password } = new URL(url)
  return { endpoint: origin, region: 'us-east-1', accessKeyId: username, secretAccessKey: password }
}

interface Cluster {
  readonly folder: string
  readonly conf: readonly string[]
  readonly clusterId: string
  readonly monitors: string
  readonly port: number
}

async function prepareCluster(): Promise<Cluster> {
  const folder = await makeFolder('s3')
  const [v1, v2, port] = await Promise.all([findSparePort(), findSparePort(), findSparePort()])
  // Both protocol versions: with one address only, the other programs wait for the missing one.
  const monitors = `[v2:127.0.0.1:${v2},v1:127.0.0.1:${v1}]`
  const cluster = { folder, conf: ['-c', join(folder, 'ceph.conf')], clusterId: randomUUID(), monitors, port }
  for (const name of ['mon', 'osd', 'rgw', 'run']) await mkdir(join(folder, name))
  await writeFile(join(folder, 'ceph.conf'), formatSettings(cluster))
  await makeKeys(folder)
  return cluster
}

// cephx even on loopback: without it the gateway takes any signature for a good one.
function formatSettings({ folder, clusterId, monitors, port }: Cluster): string {
  return `[global]
fsid = ${clusterId}
mon host = ${monitors}
mon initial members = a
public addr = 127.0.0.1
auth cluster required = cephx
auth service required = cephx
auth client required = cephx
auth allow insecure global id reclaim = false
keyring = ${folder}/keyring
run dir = ${folder}/run
admin socket = ${folder}/run/$name.asok
log file = ${folder}/$name.log
pid file =
debug ms = 0
paxos propose interval = 0.02
paxos min wait = 0.01
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 8
osd pool default pgp num = 8
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
osd max object size = 1073741824
osd objectstore = memstore
memstore device bytes = ${STORE_SIZE_BYTES}
mon allow pool size one = true
mon warn on pool no redundancy = false
mon max pg per osd = 1000
[mon.a]
mon data = ${folder}/mon
[osd.0]
osd data = ${folder}/osd
[client.rgw]
rgw data = ${folder}/rgw
rgw frontends = beast endpoint=127.0.0.1:${port}
rgw enable usage log = false
rgw gc max objs = 3
rgw lc max objs = 3
rgw usage max shards = 1
rgw bucket index max shards = 0
`
}

async function makeKeys(folder: string): Promise<void> {
  const capabilities = {
    'mon.': ['mon', 'allow *'],
    'client.admin': ['mon', 'allow *', 'osd', 'allow *', 'mgr', 'allow *'],
    'osd.0': ['mon', 'allow profile osd', 'osd', 'allow *'],
    'client.rgw': ['mon', 'allow rw', 'osd', 'allow rwx'],
  }
  const keyring = join(folder, 'keyring')
  for (const [name, caps] of Object.entries(capabilities)) {
    const create = name === 'mon.' ? ['--create-keyring'] : []
    await run('ceph-authtool', [...create, keyring, '--gen-key', '-n', name, ...pairOf(caps)])
  }
}

function pairOf(capabilities: readonly string[]): string[] {
  return capabilities.flatMap((word, index) => index % 2 === 0 ? ['--cap', word] : [word])
}

async function startMonitor({ folder, conf, clusterId, monitors }: Cluster): Promise<Engine> {
  const map = join(folder, 'monmap')
  await run('monmaptool', ['--create', '--fsid', clusterId, '--addv', 'a', monitors, map])
  await run('ceph-mon', [
    ...conf, '-i', 'a', '--mkfs', '--monmap', map, '--keyring', join(folder, 'keyring'),
  ])
  return startEngine({ program: 'ceph-mon', args: [...conf, '-i', 'a', '-f'], logPath: join(folder, 'mon.out') })
}

async function startStore({ folder, conf }: Cluster): Promise<Engine> {
  const storeId = randomUUID()
  // The store must carry the very id that the monitor was told of, or it never comes up.
  await run('ceph', [...conf, 'osd', 'new', storeId])
  await run('ceph-osd', [...conf, '-i', '0', '--mkfs', '--osd-uuid', storeId])
  const engine = startEngine({ program: 'ceph-osd', args: [...conf, '-i', '0', '-f'], logPath: join(folder, 'osd.out') })
  await waitUntil('the S3 store', async () => (await run('ceph', [...conf, 'osd', 'stat'])).includes('1 up'))
  return engine
}

// Before the gateway starts: it reads its users once and would refuse this one for minutes.
async function createUser({ conf, port }: Cluster): Promise<string> {
  const access = randomBytes(8).toString('hex')
  const secret = randomBytes(16).toString('hex')
  const names = ['--uid=test', '--display-name=test', `--access-key=${access}`, `--secret=${secret}`]
  await run('radosgw-admin', [...conf, '-n', 'client.admin', 'user', 'create', ...names])
  return `http://${access}:${secret}@127.0.0.1:${port}`
}

async function startGateway({ folder, conf, port }: Cluster): Promise<Engine> {
  const args = [...conf, '-n', 'client.rgw', '--keyring', join(folder, 'keyring'), '-f']
  const engine = startEngine({ program: 'radosgw', args, logPath: join(folder, 'rgw.out') })
  await waitUntil('the S3 gateway', async () => await isListening(port))
  return engine
}

async function isListening(port: number): Promise<boolean> {
  return await new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })
}
