/**
 * Passkeys that yield a secret: WebAuthn with the PRF extension, through @simplewebauthn/browser.
 * Must not keep the secret: it goes to the crypto worker in the same tick, and never to the server.
 *
 * [Note: One PRF input] `eval.first` is the same for every account and is sent with every ceremony:
 * the output depends on the credential alone. Some platforms fail to create a passkey when asked to
 * evaluate at once; they are asked again without, and evaluated by an assertion.
 */
import {
  WebAuthnError, startAuthentication, startRegistration,
  type AuthenticationResponseJSON, type PublicKeyCredentialCreationOptionsJSON,
  type PublicKeyCredentialRequestOptionsJSON, type RegistrationResponseJSON,
} from '@simplewebauthn/browser'
import { encodeBase64Url, encodeUtf8 } from '../protocol/bytes.js'

/** `passkey-without-secret`: it signs in, but this browser or key cannot unlock anything with it. */
export type PasskeyFailure =
  'passkey-cancelled' | 'passkey-unsupported' | 'passkey-without-secret' | 'passkey-known'

export type PasskeyAnswer<T> =
  | { ok: true, response: T, secret: Uint8Array<ArrayBuffer> }
  | { ok: false, code: PasskeyFailure }

const PRF_INPUT_TEXT = 'sealdeck/v1/passkey-prf'
const PRF_SIZE_BYTES = 32
const CHALLENGE_SIZE_BYTES = 32

/** Whether this browser can make passkeys at all; whether one has a secret shows only when made. */
export function hasPasskeys(): boolean {
  return typeof PublicKeyCredential === 'function'
}

/** Make a passkey by the server's options. The response is stripped of everything secret. */
export async function createPasskey(
  options: unknown,
): Promise<PasskeyAnswer<RegistrationResponseJSON>> {
  if (!hasPasskeys() || !isCreationOptions(options)) return { ok: false, code: 'passkey-unsupported' }
  const created = await register(options)
  if ('code' in created) return { ok: false, code: created.code }
  const secret = readSecret(created) ?? await evaluate(options, created.id)
  if (secret === null) return { ok: false, code: 'passkey-without-secret' }
  return { ok: true, response: withoutResults(created), secret }
}

/** Sign in with a passkey of the person's choice. */
export async function askPasskey(
  options: unknown,
): Promise<PasskeyAnswer<AuthenticationResponseJSON>> {
  if (!hasPasskeys() || !isRequestOptions(options)) return { ok: false, code: 'passkey-unsupported' }
  const signed = await authenticate(options)
  if ('code' in signed) return { ok: false, code: signed.code }
  const secret = readSecret(signed)
  if (secret === null) return { ok: false, code: 'passkey-without-secret' }
  return { ok: true, response: withoutResults(signed), secret }
}

async function register(
  options: PublicKeyCredentialCreationOptionsJSON,
): Promise<RegistrationResponseJSON | { code: PasskeyFailure }> {
  const first = await prfInput()
  const asked = { ...options, extensions: { ...options.extensions, prf: { eval: { first } } } }
  try {
    return await startRegistration({ optionsJSON: asked })
  } catch (error) {
    const code = failureOf(error)
    // Only a platform that stumbled is asked again: a person who said no has said so.
    if (code !== 'passkey-unsupported') return { code }
  }
  try {
    return await startRegistration(
      { optionsJSON: { ...options, extensions: { ...options.extensions, prf: {} } } },
    )
  } catch (error) {
    return { code: failureOf(error) }
  }
}

async function authenticate(
  options: PublicKeyCredentialRequestOptionsJSON,
): Promise<AuthenticationResponseJSON | { code: PasskeyFailure }> {
  const first = await prfInput()
  try {
    return await startAuthentication({
      optionsJSON: { ...options, extensions: { ...options.extensions, prf: { eval: { first } } } },
    })
  } catch (error) {
    return { code: failureOf(error) }
  }
}

/** One assertion for the secret alone: its challenge is ours, and nobody is sent the signature. */
async function evaluate(
  options: PublicKeyCredentialCreationOptionsJSON, credentialId: string,
): Promise<Uint8Array<ArrayBuffer> | null> {
  const challenge = encodeBase64Url(crypto.getRandomValues(new Uint8Array(CHALLENGE_SIZE_BYTES)))
  const signed = await authenticate({
    challenge,
    ...(options.rp.id === undefined ? {} : { rpId: options.rp.id }),
    allowCredentials: [{ id: credentialId, type: 'public-key' }],
    userVerification: 'required',
  })
  return 'code' in signed ? null : readSecret(signed)
}

async function prfInput(): Promise<ArrayBuffer> {
  return crypto.subtle.digest('SHA-256', encodeUtf8(PRF_INPUT_TEXT))
}

type AnyResponse = RegistrationResponseJSON | AuthenticationResponseJSON

function readSecret(response: AnyResponse): Uint8Array<ArrayBuffer> | null {
  const first = response.clientExtensionResults.prf?.results?.first
  if (first === undefined) return null
  const secret = first instanceof ArrayBuffer ? new Uint8Array(first) : copyOf(first)
  return secret.length === PRF_SIZE_BYTES ? secret : null
}

function copyOf(view: ArrayBufferView): Uint8Array<ArrayBuffer> {
  return new Uint8Array(new Uint8Array(view.buffer, view.byteOffset, view.byteLength))
}

/** What goes to the server: extension results hold the secret, and it needs none of them. */
function withoutResults<T extends AnyResponse>(response: T): T {
  return { ...response, clientExtensionResults: {} }
}

function failureOf(error: unknown): PasskeyFailure {
  if (!(error instanceof Error)) return 'passkey-unsupported'
  if (error instanceof WebAuthnError && error.code === 'ERROR_AUTHENTICATOR_PREVIOUSLY_REGISTERED') return 'passkey-known'
  return ['NotAllowedError', 'AbortError'].includes(error.name) ? 'passkey-cancelled' : 'passkey-unsupported'
}

function isCreationOptions(options: unknown): options is PublicKeyCredentialCreationOptionsJSON {
  return isRequestOptions(options) && isRecord(Reflect.get(options, 'user')) && isRecord(Reflect.get(options, 'rp'))
}

function isRequestOptions(options: unknown): options is PublicKeyCredentialRequestOptionsJSON {
  return isRecord(options) && typeof Reflect.get(options, 'challenge') === 'string'
}

function isRecord(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}
