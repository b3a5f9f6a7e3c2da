/** A whole server for one measurement, the built client with it, and a founder who has signed up there. */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { client as opaque, ready as opaqueReady } from '@serenity-kit/opaque'
import { uuidv7 } from 'uuidv7'
import type {
  EmailChallenge, EmailProof, KeyringRow, PassphraseRegistration,
} from '../../../protocol/api.js'
import { decodeBase64Url, encodeBase64Url } from '../../../protocol/bytes.js'
import {
  deriveOwnerKeys, deriveRecoveryAuth, formatRecipient, makeRecoveryCode, makeRoot, type OwnerKeys,
} from '../../../protocol/deck/identity.js'
import { deriveRootWrapKey, lockRoot, type KeyringMethod } from '../../../protocol/deck/keyring.js'
import { sha256 } from '../../../protocol/hash.js'
import { buildApp, buildViewer } from '../../../server/app.js'
import { readConfig } from '../../../server/config.js'
import { openLog, openWorld } from '../../../server/open-world.js'
import { Line } from '../../account/line.js'
import type { Owner } from '../../account/owner.js'

const EMAIL = 'founder@bench.example'
const PASSWORD = 'a passphrase for one measurement'
const MAX_WAIT_COUNT = 200
const WAIT_MS = 50

export interface BenchServer {
  readonly origin: string
  readonly founder: Owner
  close(): Promise<void>
}

export async function startBenchServer(): Promise<BenchServer> {
  const folder = await mkdtemp(join(tmpdir(), 'sealdeck-bench-'))
  const [port, viewerPort] = [await sparePort(), await sparePort()]
  const origin = `http://localhost:${port}`
  const config = readConfig({
    DATA_DIR: folder, PORT: String(port), VIEWER_PORT: String(viewerPort), PUBLIC_URL: origin,
    VIEWER_URL: `http://127.0.0.1:${viewerPort}`, MAX_EVENT_LOOP_DELAY_MS: '60000',
  })
  const open = await openWorld(config, { log: openLog('error') })
  const servers = [await buildApp(open.world), await buildViewer(open.world)]
  await servers[0]?.listen({ host: '127.0.0.1', port })
  await servers[1]?.listen({ host: '127.0.0.1', port: viewerPort })
  return {
    origin, founder: await signUp(origin, config.outboxFolder),
    async close() {
      for (const server of servers) await server.close()
      await open.close()
      await rm(folder, { recursive: true })
    },
  }
}

async function sparePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port }: AddressInfo = Object.assign({ address: '', family: '', port: 0 }, server.address())
  server.close()
  await once(server, 'close')
  return port
}

// ---- the founder

async function signUp(origin: string, outboxFolder: string): Promise<Owner> {
  await opaqueReady
  const open = new Line(origin, { tokens: null })
  const { challengeId } = await open.post<EmailChallenge>('/api/email-codes', { email: EMAIL, purpose: 'sign-up', locale: 'en' })
  const code = await readCode(outboxFolder)
  const { emailProof } = await open.post<EmailProof>('/api/email-codes/proof', { challengeId, code })
  const root = makeRoot()
  const keys = deriveOwnerKeys(root)
  const { userId, newRow } = await makePassphrase(open, emailProof, root)
  const { signedIn, tokens } = await open.signIn('/api/accounts', {
    emailProof, userId, name: 'Bench', locale: 'en', newRow, ...publicOf(keys),
  })
  const line = new Line(origin, { tokens })
  await confirmRecovery(line, userId, root)
  const session = { address: origin, account: signedIn.account, row: newRow.row, ...tokens }
  return { line, root, keys, session, end: () => undefined }
}

function publicOf(keys: OwnerKeys): { signingKey: string, recipient: string } {
  return {
    signingKey: encodeBase64Url(keys.signing.publicKey),
    recipient: formatRecipient(keys.identity.recipient),
  }
}

async function readCode(outboxFolder: string): Promise<string> {
  for (let turn = 0; turn < MAX_WAIT_COUNT; turn++) {
    const [name] = (await readdir(outboxFolder)).filter((one) => one.endsWith('.eml'))
    const text = name === undefined ? '' : await readFile(join(outboxFolder, name), 'utf8')
    const match = /(\d{4})[ _=20]+(\d{4})/.exec(/^Subject: .*$/m.exec(text)?.[0] ?? '')
    if (match !== null) return `${match[1]}${match[2]}`
    await setTimeout(WAIT_MS)
  }
  throw new Error('no code was mailed')
}

async function makePassphrase(line: Line, emailProof: string, root: Uint8Array) {
  const { clientRegistrationState, registrationRequest } =
    opaque.startRegistration({ password: PASSWORD })
  const { userId, registrationResponse } = await line.post<PassphraseRegistration>(
    '/api/accounts/passphrase-registration', { emailProof, registrationRequest })
  const { registrationRecord, exportKey } = opaque.finishRegistration({
    password: PASSWORD, clientRegistrationState, registrationResponse,
    keyStretching: 'memory-constrained',
  })
  const row = lock(root, decodeBase64Url(exportKey), { userId, method: 'passphrase' })
  return { userId, newRow: { row, passphrase: { registrationRecord } } }
}

async function confirmRecovery(line: Line, userId: string, root: Uint8Array): Promise<void> {
  const code = makeRecoveryCode()
  const authSha256 = encodeBase64Url(sha256(deriveRecoveryAuth(code)))
  const row = lock(root, code, { userId, method: 'recovery' })
  await line.post('/api/keyring-rows', { row, recovery: { authSha256 } })
  await line.post('/api/account/recovery-confirmed')
}

function lock(
  root: Uint8Array, secret: Uint8Array,
  { userId, method }: { userId: string, method: KeyringMethod },
): KeyringRow {
  const rowId = uuidv7()
  const locked = lockRoot(root, deriveRootWrapKey(method, secret), { userId, method, rowId })
  const [sealed, commit] = [encodeBase64Url(locked.sealed), encodeBase64Url(locked.commit)]
  return { rowId, method, version: 1, sealed, commit }
}
