/** Proving an address, signing up, recovering, and one's own account. */
import {
  Account, AccountStorage, CreateAccount, EmailChallenge, EmailProof, PasskeyOptions,
  PasskeyOptionsRequest, PassphraseRegistration,
  PassphraseRegistrationRequest, ProveEmail, Recover, RequestEmailCode, SignedIn,
} from '../../protocol/api.js'
import type { App } from '../app.js'
import { setRefreshCookie } from '../guards.js'
import { networkOf } from '../network.js'
import { beginPasskey } from '../use-cases/begin-passkey.js'
import { beginPassphrase } from '../use-cases/begin-passphrase.js'
import { confirmRecovery } from '../use-cases/confirm-recovery.js'
import { createAccount } from '../use-cases/create-account.js'
import { proveEmail } from '../use-cases/prove-email.js'
import { readAccount } from '../use-cases/read-account.js'
import { readStorage } from '../use-cases/read-storage.js'
import { recoverAccount } from '../use-cases/recover-account.js'
import { requestEmailCode } from '../use-cases/request-email-code.js'
import type { World } from '../world.js'

export function accountRoutes(app: App, world: World): void {
  app.post('/api/email-codes', {
    schema: { body: RequestEmailCode, response: { 200: EmailChallenge } },
  }, async (request) => await requestEmailCode(
    world, { ...request.body, network: networkOf(request.ip) },
  ))

  app.post('/api/email-codes/proof', {
    schema: { body: ProveEmail, response: { 200: EmailProof } },
  }, async (request) => await proveEmail(world, request.body))

  app.post('/api/accounts/passkey-options', {
    schema: { body: PasskeyOptionsRequest, response: { 200: PasskeyOptions } },
  }, async (request) => await beginPasskey(world, { emailProof: request.body.emailProof }))

  app.post('/api/accounts/passphrase-registration', {
    schema: { body: PassphraseRegistrationRequest, response: { 200: PassphraseRegistration } },
  }, async ({ body }) => await beginPassphrase(
    world, { emailProof: body.emailProof }, body.registrationRequest,
  ))

  app.post('/api/accounts', {
    schema: { body: CreateAccount, response: { 201: SignedIn } },
  }, async (request, reply) => {
    const { signedIn, refreshToken } = await createAccount(world, request.body)
    setRefreshCookie(reply, refreshToken)
    return await reply.code(201).send(signedIn)
  })

  app.post('/api/recovery', {
    schema: { body: Recover, response: { 200: SignedIn } },
  }, async (request, reply) => {
    const { signedIn, refreshToken } = await recoverAccount(world, request.body)
    setRefreshCookie(reply, refreshToken)
    return signedIn
  })

  app.get('/api/account', {
    schema: { response: { 200: Account } }, preHandler: app.requireAccount,
  }, async (request) => await readAccount(world, request.account.userId))

  app.get('/api/account/storage', {
    schema: { response: { 200: AccountStorage } }, preHandler: app.requireAccount,
  }, async (request) => await readStorage(world, request.account.userId))

  app.post('/api/account/recovery-confirmed', {
    schema: { response: { 200: Account } }, preHandler: app.requireAccount,
  }, async (request) => await confirmRecovery(world, request.account.userId))
}
