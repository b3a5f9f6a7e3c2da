/**
 * Bytes in and out: through the server, and straight to the bucket, beside the plain SDK with the same parts, as many
 * at a time, in the same bucket server and by the same process.
 */
import { hash, randomBytes } from 'node:crypto'
import { Agent, request } from 'node:http'
import { GetObjectCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3'
import type { DirectRange } from '../../../protocol/api.js'
import { encodeBase64Url } from '../../../protocol/bytes.js'
import { PART_SIZE_BYTES } from '../../../protocol/limits.js'
import { medianOf } from '../../../scripts/bench/format/median.js'
import { Founder, type BegunUpload } from '../../helpers/people.js'
import { connectS3 } from '../../helpers/s3.js'
import type { Server } from '../../helpers/server.js'

const PART_COUNT = 12
const LANE_COUNT = 4
/** Each part is read so often: reading leaves nothing behind. */
const READ_COUNT = 4
const ROUND_COUNT = 5
const MIB = 1024 ** 2

/** Bytes of a second each way; `stored`: until the server had the upload checked and signed, too. */
interface Rates { readonly up: number, readonly stored?: number, readonly down: number }

/** @param servers - by what the table calls them. */
export async function compareTransfers(servers: ReadonlyMap<string, Server>): Promise<void> {
  const [first] = servers.values()
  if (first?.bucket == null) throw new Error('the servers have a bucket')
  const sdk = connectS3(first.bucket.access)
  const place = { client: sdk, bucket: first.bucket.name }
  const ways = new Map<string, (round: number) => Promise<Rates>>([
    ['the plain SDK', async (round) => await measureSdk(place, round)],
  ])
  for (const [name, server] of servers) {
    const founder = await new Founder(server, 'Sender').signsUp()
    ways.set(name, async () => await measureOurs(server, founder))
  }
  const rates = new Map<string, Rates[]>([...ways.keys()].map((name) => [name, []]))
  for (let round = 0; round < ROUND_COUNT; round++) {
    for (const [name, measure] of ways) rates.get(name)?.push(await measure(round))
  }
  sdk.destroy()
  showRates(rates)
}

function showRates(rates: ReadonlyMap<string, readonly Rates[]>): void {
  const [base = []] = rates.values()
  console.log(`\n| parts of 4 MiB, ${LANE_COUNT} at a time, MiB/s | up | of the SDK | up and checked | of the SDK | down | of the SDK |\n|---|---:|---:|---:|---:|---:|---:|`)
  for (const [name, list] of rates) {
    const cells = [
      compare(list, base, 'up', 'up'), compare(list, base, 'stored', 'up'), compare(list, base, 'down', 'down'),
    ]
    console.log(`| ${name} | ${cells.join(' | ')} |`)
  }
}

function compare(
  ours: readonly Rates[], base: readonly Rates[], way: keyof Rates, peer: 'up' | 'down',
): string {
  const ratios = ours.map(
    (rates, round) => (rates[way] ?? Number.NaN) / (base[round]?.[peer] ?? Number.NaN))
  const rate = medianOf(ours.map((rates) => rates[way] ?? Number.NaN))
  return Number.isNaN(rate) ? ' | ' : `${rate.toFixed(0)} | ${medianOf(ratios).toFixed(2)}`
}

/** MiB a second of parts in lanes, each `times` times over. @param send - one part; says how long it was. */
async function measureParts(
  partCount: number, send: (index: number) => Promise<number>, times = 1,
): Promise<number> {
  let sizeBytes = 0
  const startMs = performance.now()
  const indexes = Array.from({ length: partCount * times }, (_, index) => index % partCount)
  await Promise.all(Array.from({ length: LANE_COUNT }, async () => {
    for (let index = indexes.shift(); index !== undefined; index = indexes.shift()) {
      const sentBytes = await send(index) // Other lanes add theirs meanwhile.
      sizeBytes += sentBytes
    }
  }))
  return sizeBytes / MIB / (performance.now() - startMs) * 1_000
}

async function measureSdk(
  { client, bucket }: { client: S3Client, bucket: string }, round: number,
): Promise<Rates> {
  const key = (index: number) => ({ Bucket: bucket, Key: `bench/${round}-${index}` })
  const body = randomBytes(PART_SIZE_BYTES)
  const up = await measureParts(PART_COUNT, async (index) => {
    await client.send(new PutObjectCommand({ ...key(index), Body: body, IfNoneMatch: '*' }))
    return body.length
  })
  const down = await measureParts(PART_COUNT, async (index) => {
    const { Body } = await client.send(new GetObjectCommand(key(index)))
    return (await Body?.transformToByteArray())?.length ?? 0
  }, READ_COUNT)
  return { up, down }
}

async function measureOurs(server: Server, founder: Founder): Promise<Rates> {
  const vault = await founder.makesVault()
  const file = randomBytes(PART_COUNT * PART_SIZE_BYTES - MIB)
  const begun = await founder.beginsUpload(vault, { file })
  const agent = new Agent({ keepAlive: true, maxSockets: LANE_COUNT })
  const client = { agent, origin: server.address, authorization: `Bearer ${founder.accessToken ?? ''}` }
  const startMs = performance.now()
  const up = await measureParts(
    begun.parts.length, async (index) => await sendPart(client, begun, index))
  await founder.does('PUT', `/api/uploads/${begun.upload.versionId}/hash-list`, begun.hashList)
  await founder.posts(`/api/uploads/${begun.upload.versionId}/complete`, founder.record(begun))
  const stored = begun.payload.length / MIB / (performance.now() - startMs) * 1_000
  const down = await measureParts(
    begun.parts.length, async (index) => await fetchPart(client, begun, index), READ_COUNT)
  agent.destroy()
  return { up, stored, down }
}

interface Client {
  readonly agent: Agent, readonly origin: string, readonly authorization: string,
}

async function sendPart(client: Client, begun: BegunUpload, index: number): Promise<number> {
  const [part, target] = [begun.parts[index], begun.upload.parts[index]]
  if (part === undefined || target === undefined) throw new Error('no such part')
  const ours = {
    'x-sealdeck': '1', authorization: client.authorization,
    'x-content-sha256': encodeBase64Url(hash('sha256', part, 'buffer')),
  }
  const isOurs = target.url.startsWith('/')
  await ask(client, target.url, {
    method: 'PUT', body: part, headers: { ...target.headers, ...isOurs ? ours : {} },
  })
  return part.length
}

async function fetchPart(
  client: Client, { upload, payload }: BegunUpload, index: number,
): Promise<number> {
  const start = index * PART_SIZE_BYTES
  const end = Math.min(payload.length, start + PART_SIZE_BYTES)
  const headers = { authorization: client.authorization, range: `bytes=${start}-${end - 1}` }
  const answer = await ask(client, `/api/versions/${upload.versionId}/payload`, { headers })
  if (answer.status === 206) return answer.bytes.length
  const { pieces }: DirectRange = JSON.parse(answer.bytes.toString())
  const parts = await Promise.all(pieces.map(async (piece) =>
    await ask(client, piece.url, { headers: { range: `bytes=${piece.start}-${piece.end - 1}` } })))
  return parts.reduce((sum, { bytes }) => sum + bytes.length, 0)
}

interface Sent {
  readonly method?: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: Uint8Array
}

/** By the same client as the SDK's: the platform's own, connections kept. */
async function ask(
  { agent, origin }: Client, path: string,
  { method = 'GET', headers, body }: Sent,
): Promise<{ status: number, bytes: Buffer }> {
  return await new Promise((resolve, reject) => {
    const length = body === undefined ? {} : { 'content-length': body.length }
    const options = { agent, method, headers: { ...headers, ...length } }
    const sent = request(new URL(path, origin), options, (answer) => {
      const pieces: Buffer[] = []
      answer.on('data', (piece: Buffer) => { pieces.push(piece) }).on('error', reject)
      answer.on('end', () => {
        const [status = 0, bytes] = [answer.statusCode, Buffer.concat(pieces)]
        if (status >= 200 && status < 300) resolve({ status, bytes })
        else reject(new Error(`answered ${status}: ${bytes.toString()}`))
      })
    })
    sent.on('error', reject).end(body)
  })
}
