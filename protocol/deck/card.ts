/**
 * The card shown at the gate before any key (SPEC.md § 3.7).
 * Must not grow: whoever has the link reads it, and whoever signs nothing reads only it.
 *
 *   nonce (24) ‖ XChaCha20-Poly1305(link/card key, JSON, AAD = grantId); its SHA-256 stands in the policy
 */
import { concatBytes, decodeUtf8, encodeUtf8, equalBytes } from '../bytes.js'
import { ProtocolError, assert } from '../errors.js'
import { sha256 } from '../hash.js'
import { MAX_CARD_SIZE_BYTES, MAX_NAME_LENGTH, MAX_PAGE_COUNT, MAX_TITLE_LENGTH } from '../limits.js'
import {
  TAG_SIZE_BYTES, XCHACHA_NONCE_SIZE_BYTES, openXChaCha, randomBytes, sealXChaCha,
} from '../sodium.js'
import type { Grant } from './grant.js'

/** Shown at the gate before any key: what the founder lets anyone with the link know. */
export interface Card {
  readonly founder: string
  readonly title: string
  /** `null` where the founder does not say. */
  readonly pageCount: number | null
}

export interface SealedCard {
  /** nonce (24) ‖ ciphertext ‖ tag. */
  readonly sealed: Uint8Array
  /** For the policy's `card-sha256`. */
  readonly sha256: Uint8Array
}

/** Seal the card under the link's card key; bound to its grant by key and text. */
export function sealCard(card: Card, cardKey: Uint8Array, grantId: Uint8Array): SealedCard {
  const plaintext = encodeUtf8(formatCard(card))
  assert(formatCard(parseCard(plaintext)) === formatCard(card), 'a card reads back as it was written')
  const nonce = randomBytes(XCHACHA_NONCE_SIZE_BYTES)
  const ciphertext = sealXChaCha({ key: cardKey, nonce, additional: grantId }, plaintext)
  const sealed = concatBytes(nonce, ciphertext)
  return { sealed, sha256: sha256(sealed) }
}

/**
 * @throws ProtocolError `wrong-grant` if the sealed card is not the one that the policy names;
 *   `malformed-grant` if it does not open under the link's key or is not a card.
 */
export function openCard(sealed: Uint8Array, cardKey: Uint8Array, grant: Grant): Card {
  if (sealed.length > MAX_CARD_SIZE_BYTES) throw malformedCard('over its limit')
  if (!equalBytes(sha256(sealed), grant.policy.cardSha256)) {
    throw new ProtocolError('wrong-grant', 'card of another grant or revision')
  }
  if (sealed.length < XCHACHA_NONCE_SIZE_BYTES + TAG_SIZE_BYTES) throw malformedCard('too short')
  const nonce = sealed.subarray(0, XCHACHA_NONCE_SIZE_BYTES)
  const plaintext = openXChaCha({ key: cardKey, nonce, additional: grant.grantId },
    sealed.subarray(XCHACHA_NONCE_SIZE_BYTES))
  if (plaintext === null) throw malformedCard('does not open')
  return parseCard(plaintext)
}

function formatCard(card: Card): string {
  const { founder, title, pageCount } = card
  return JSON.stringify(pageCount === null ? { founder, title } : { founder, title, pageCount })
}

function parseCard(plaintext: Uint8Array): Card {
  const text = decodeUtf8(plaintext)
  const value: unknown = parseJson(text)
  if (typeof value !== 'object' || value === null) throw malformedCard('not an object')
  const card: Card = {
    founder: cardLine(Reflect.get(value, 'founder'), MAX_NAME_LENGTH),
    title: cardLine(Reflect.get(value, 'title'), MAX_TITLE_LENGTH),
    pageCount: cardPageCount(Reflect.get(value, 'pageCount')),
  }
  if (formatCard(card) !== text) throw malformedCard('not written canonically')
  return card
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw malformedCard(error instanceof Error ? error.message : 'not JSON')
  }
}

function cardLine(value: unknown, maxLength: number): string {
  if (typeof value !== 'string' || value.length === 0 || value.length > maxLength) {
    throw malformedCard('line missing or too long')
  }
  if (!isPlainLine(value)) throw malformedCard('line with control characters')
  return value
}

/** No controls, line separators, direction overrides or lone surrogates. */
export function isPlainLine(text: string): boolean {
  return !/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]|\p{Cs}/u.test(text)
}

function cardPageCount(value: unknown): number | null {
  if (value === undefined) return null
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 1 || value > MAX_PAGE_COUNT) {
    throw malformedCard('page count out of range')
  }
  return value
}

function malformedCard(detail: string): ProtocolError {
  return new ProtocolError('malformed-grant', `card: ${detail}`)
}
