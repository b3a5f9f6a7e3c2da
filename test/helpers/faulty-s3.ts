/** A line to the S3 server that can fail in the ways in which such servers fail. */
import { createServer, request as ask, type IncomingMessage, type ServerResponse } from 'node:http'
import { buffer } from 'node:stream/consumers'

interface Test { teardown(end: () => Promise<void>): void }

export const S3_FAULTS = ['refusing', 'hanging', 'slow', 'truncating', 'denying what it stored'] as const
export type S3Fault = typeof S3_FAULTS[number]

export interface FaultyS3 {
  readonly endpoint: string
  breakDown(fault: S3Fault): void
  mend(): void
}

const SLOW_BYTES = 1_024
const SLOW_MS = 200

export async function startFaultyS3(t: Test, endpoint: string): Promise<FaultyS3> {
  let fault: S3Fault | null = null
  const server = createServer((request, response) => {
    passOn(endpoint, { request, response }, fault).catch(() => response.destroy())
  })
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve) })
  t.teardown(async () => {
    server.closeAllConnections()
    server.close()
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('a port')
  return {
    endpoint: `http://127.0.0.1:${address.port}`,
    breakDown(next) { fault = next },
    mend() {
      fault = null
      server.closeAllConnections()
    },
  }
}

interface Exchange { readonly request: IncomingMessage, readonly response: ServerResponse }

async function passOn(
  endpoint: string, { request, response }: Exchange, fault: S3Fault | null,
): Promise<void> {
  if (fault === 'refusing') return end(response, 503)
  if (fault === 'hanging') return
  const { status, headers, body } = await forward(endpoint, request)
  // The object is there, but nobody is told.
  if (fault === 'denying what it stored' && request.method === 'PUT') return end(response, 500)
  response.writeHead(status, headers)
  if (fault === 'truncating' && body.length > 1) {
    response.write(body.subarray(0, body.length >> 1), () => response.destroy())
    return
  }
  if (fault === 'slow') return await trickle(response, body)
  response.end(body)
}

function end(response: ServerResponse, status: number): void {
  response.writeHead(status).end()
}

async function trickle(response: ServerResponse, body: Buffer): Promise<void> {
  for (let at = 0; at < body.length && !response.destroyed; at += SLOW_BYTES) {
    response.write(body.subarray(at, at + SLOW_BYTES))
    await new Promise((resolve) => setTimeout(resolve, SLOW_MS))
  }
  response.end()
}

/** As it came, its Host too: that is what was signed. */
async function forward(endpoint: string, request: IncomingMessage) {
  const body = await buffer(request)
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    ask(new URL(request.url ?? '/', endpoint), { method: request.method, headers: request.headers }, resolve)
      .on('error', reject).end(body)
  })
  return { status: answer.statusCode ?? 500, headers: answer.headers, body: await buffer(answer) }
}
