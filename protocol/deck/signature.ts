/**
 * `Sign(ctx, m)`: the founder's signature over one binary message in one context (SPEC.md § 1.3).
 * Must not sign text: notes are signed in protocol/log/note.ts by other keys.
 *
 *   Ed25519 over "sealdeck/v1/" ‖ ctx ‖ 0x00 ‖ m
 *
 * No context holds a zero byte, so no two pairs of context and message give the same bytes.
 */
import { concatBytes, encodeUtf8 } from '../bytes.js'
import { signDetached, verifyDetached } from '../sodium.js'

/** `delegate` is reserved: a founder's word that a co-founder may sign records. None is accepted yet. */
export const SIGNATURE_CONTEXTS = ['manifest', 'grant', 'wrap', 'delegate'] as const
export type SignatureContext = typeof SIGNATURE_CONTEXTS[number]

/** A signed record, grant or wrap record as it is stored and sent. */
export interface Signed {
  readonly bytes: Uint8Array
  /** 64 bytes. */
  readonly signature: Uint8Array
}

/** `secretKey` is the 64 bytes of the founder's `SignKeyPair`. */
export function signIn(
  context: SignatureContext, message: Uint8Array, secretKey: Uint8Array,
): Signed {
  return { bytes: message, signature: signDetached(signedBytes(context, message), secretKey) }
}

/** Whether `publicKey` signed exactly these bytes in exactly this context. */
export function verifyIn(
  context: SignatureContext, signed: Signed, publicKey: Uint8Array,
): boolean {
  return verifyDetached(signed.signature, signedBytes(context, signed.bytes), publicKey)
}

function signedBytes(context: SignatureContext, message: Uint8Array): Uint8Array {
  return concatBytes(encodeUtf8(`sealdeck/v1/${context}\0`), message)
}
