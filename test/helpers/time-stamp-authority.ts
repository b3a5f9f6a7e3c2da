/**
 * A time-stamp authority on this machine: OpenSSL's, behind a few lines of HTTP. Its answers are a stranger's bytes,
 * so that what we read and check was not written by us.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { Test } from 'tap'

const SETTINGS = `[ tsa ]
default_tsa = main
[ main ]
default_policy = 1.2.3.4.1
signer_digest = sha256
digests = sha256, sha384, sha512
accuracy = secs:1
ess_cert_id_alg = sha256
`
const EXTENSIONS = 'extendedKeyUsage = critical,timeStamping\nkeyUsage = critical,digitalSignature\n'

export interface TimeStampAuthority {
  readonly url: string
  readonly caPath: string
  readonly caPem: string
  /** How often it was asked. */
  readonly requestCount: () => number
  /** Answer the next queries by this instead; `null` to work again. */
  answerBy(answer: ((query: Buffer) => Buffer | number) | null): void
  /** What OpenSSL answers to a query. */
  reply(query: Buffer): Buffer
}

export function hasOpenssl(): boolean {
  return spawnSync('openssl', ['version']).status === 0
}

function openssl(folder: string, ...args: readonly string[]): void {
  execFileSync('openssl', args, { cwd: folder, stdio: 'ignore' })
}

type KeyKind = 'rsa' | 'ec'

/** A certificate's key and itself, signed by `ca` of the folder. */
function makeKeys(folder: string, kind: KeyKind): void {
  const newKey = kind === 'rsa'
    ? ['-newkey', 'rsa:2048']
    : ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256']
  writeFileSync(join(folder, 'extensions'), EXTENSIONS)
  openssl(folder, 'req', '-x509', ...newKey, '-nodes', '-keyout', 'ca.key', '-out', 'ca.pem', '-days', '30', '-subj', '/CN=Test CA')
  openssl(folder, 'req', ...newKey, '-nodes', '-keyout', 'tsa.key', '-out', 'tsa.csr', '-subj', '/CN=Test TSA')
  openssl(folder, 'x509', '-req', '-in', 'tsa.csr', '-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-out', 'tsa.pem', '-days', '30', '-extfile', 'extensions')
}

/** Start one that ends with the test. */
export async function startTimeStampAuthority(
  t: Test, folder: string, kind: KeyKind = 'ec',
): Promise<TimeStampAuthority> {
  mkdirSync(folder, { recursive: true })
  makeKeys(folder, kind)
  writeFileSync(join(folder, 'settings'), `${SETTINGS}serial = serial\n`)
  writeFileSync(join(folder, 'serial'), '01\n')
  let count = 0
  let special: ((query: Buffer) => Buffer | number) | null = null

  function reply(query: Buffer): Buffer {
    writeFileSync(join(folder, 'query'), query)
    openssl(folder, 'ts', '-reply', '-queryfile', 'query', '-config', 'settings', '-inkey', 'tsa.key', '-signer', 'tsa.pem', '-out', 'reply')
    return readFileSync(join(folder, 'reply'))
  }
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      count++
      const answer = (special ?? reply)(Buffer.concat(chunks))
      if (typeof answer === 'number') response.writeHead(answer).end()
      else response.writeHead(200, { 'content-type': 'application/timestamp-reply' }).end(answer)
    })
  })
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve) })
  t.teardown(() => {
    server.close()
    server.closeAllConnections()
  })
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/tsa`, caPath: join(folder, 'ca.pem'),
    caPem: readFileSync(join(folder, 'ca.pem'), 'utf8'), requestCount: () => count,
    answerBy(answer) { special = answer }, reply,
  }
}
