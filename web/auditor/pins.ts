/**
 * What an invitation's link says of founder and log, kept in this browser before the server is asked anything.
 *
 * [Note: Pinned by the invitation] The link's fragment names both keys by their hashes. What the server shows is held
 * against them at every visit, so it can neither pass off another founder nor show this auditor a log of its own. A log that has
 * taken another key since is followed by its own statements (SPEC.md § 7.11).
 */
import { decodeBase64Url, encodeBase64Url, encodeUtf8 } from '../../protocol/bytes.js'
import type { AuditedVault } from '../../protocol/api.js'
import { sha256 } from '../../protocol/hash.js'
import { readRemembered, remember } from '../remembered.js'

const PIN_SIZE_BYTES = 16

export interface Pins {
  readonly founderFingerprint: string
  readonly logKeySha256: string
}

/** `unknown`: this browser has not seen the invitation's link. */
export type Pinning = 'pinned' | 'unknown' | 'mismatch'

export function rememberPins(invitationId: string, pins: Pins): void {
  remember(nameOf(invitationId), textOf(pins))
}

/** @param logVkeys - the keys of one log, proved by its own statements (`useSession`): the invitation pins one of them. */
export function pinningOf(vault: AuditedVault, logVkeys: readonly string[]): Pinning {
  const kept = readRemembered(nameOf(vault.invitationId))
  if (kept === null) return 'unknown'
  const founderFingerprint = pinOf(decodeBase64Url(vault.founderSigningKey))
  const linked = logVkeys.includes(vault.logVkey) ? logVkeys : [vault.logVkey]
  const isPinned = linked.some((vkey) =>
    kept === textOf({ founderFingerprint, logKeySha256: pinOf(encodeUtf8(vkey)) }))
  return isPinned ? 'pinned' : 'mismatch'
}

function nameOf(invitationId: string): string {
  return `invitation-${invitationId}`
}

function textOf({ founderFingerprint, logKeySha256 }: Pins): string {
  return `${founderFingerprint}.${logKeySha256}`
}

function pinOf(bytes: Uint8Array): string {
  return encodeBase64Url(sha256(bytes).subarray(0, PIN_SIZE_BYTES))
}
