/** Signing in, staying so, and signing out. */
import {
  EmailChallenge, Empty, FinishPassphraseLogin, PassphraseLogin, ProveEmail, SignedIn,
  SignInOptions, SignInWithPasskey,
  StartPassphraseLogin,
} from '../../protocol/api.js'
import type { App } from '../app.js'
import { clearRefreshCookie, refreshTokenOf, setRefreshCookie } from '../guards.js'
import { networkOf } from '../network.js'
import { beginPasskeySignIn } from '../use-cases/begin-passkey-sign-in.js'
import { finishPassphraseLogin } from '../use-cases/finish-passphrase-login.js'
import { refreshSession } from '../use-cases/refresh-session.js'
import { signInWithPasskey } from '../use-cases/sign-in-with-passkey.js'
import { signInWithPassphrase } from '../use-cases/sign-in-with-passphrase.js'
import { signOut } from '../use-cases/sign-out.js'
import { startPassphraseLogin } from '../use-cases/start-passphrase-login.js'
import type { World } from '../world.js'

export function sessionRoutes(app: App, world: World): void {
  app.post('/api/sessions/passkey-options', {
    schema: { response: { 200: SignInOptions } },
  }, async (request) => await beginPasskeySignIn(world, networkOf(request.ip)))

  app.post('/api/sessions/passkey', {
    schema: { body: SignInWithPasskey, response: { 200: SignedIn } },
  }, async (request, reply) => {
    const { signedIn, refreshToken } = await signInWithPasskey(world, request.body)
    setRefreshCookie(reply, refreshToken)
    return signedIn
  })

  app.post('/api/sessions/passphrase-start', {
    schema: { body: StartPassphraseLogin, response: { 200: PassphraseLogin } },
  }, async (request) => await startPassphraseLogin(
    world, { ...request.body, network: networkOf(request.ip) },
  ))

  app.post('/api/sessions/passphrase-finish', {
    schema: { body: FinishPassphraseLogin, response: { 200: EmailChallenge } },
  }, async (request) => await finishPassphraseLogin(
    world, { ...request.body, network: networkOf(request.ip) },
  ))

  app.post('/api/sessions/passphrase', {
    schema: { body: ProveEmail, response: { 200: SignedIn } },
  }, async (request, reply) => {
    const { signedIn, refreshToken } = await signInWithPassphrase(world, request.body)
    setRefreshCookie(reply, refreshToken)
    return signedIn
  })

  app.post('/api/sessions/refresh', {
    schema: { response: { 200: SignedIn } },
  }, async (request, reply) => {
    const { signedIn, refreshToken } = await refreshSession(world, refreshTokenOf(request))
    setRefreshCookie(reply, refreshToken)
    return signedIn
  })

  app.delete('/api/sessions', {
    schema: { response: { 200: Empty } }, preHandler: app.requireAccount,
  }, async (request, reply) => {
    await signOut(world, request.account.sessionId)
    clearRefreshCookie(reply)
    return {}
  })
}
