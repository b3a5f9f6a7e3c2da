/**
 * Signed statements of investors, held against what they speak of: this log, this link, this revision,
 * these keys, now. Their form and signatures are protocol/log/acceptance.ts's to check.
 */
import { decodeHex, encodeHex } from '../protocol/bytes.js'
import { roleKey, type Freshness } from '../protocol/log/acceptance.js'
import { parseTime } from '../protocol/log/event.js'
import { formatVkey, parseVkey } from '../protocol/log/note.js'
import { Refusal } from '../protocol/refusals.js'
import type { OpenGate } from './gate.js'
import type { World } from './world.js'

/** Statements are at most this old; the nonce's own life is what really bounds them. */
const MAX_CLOCK_LEAD_MS = 24 * 3_600_000

interface Scope {
  readonly vault?: string
  readonly grant?: string
  readonly grantSha256?: string
  readonly founderKey?: string
  readonly linkKey?: string
}

/**
 * Refuse a statement that speaks of another log, vault, link, revision or link key, or is out of date.
 * Refuses: note-mismatch, note-expired.
 */
export function requireStatementOf(
  world: World, gate: OpenGate, statement: Freshness & Scope,
): void {
  const { grant } = gate
  const expected: Scope = {
    vault: grant.vaultId,
    grant: grant.id,
    grantSha256: encodeHex(grant.statementSha256),
    founderKey: formatVkey(roleKey('founder', grant.ownerSigningKey)),
    linkKey: formatVkey(roleKey('link', grant.linkSigningPublicKey)),
  }
  const fields = ['vault', 'grant', 'grantSha256', 'founderKey', 'linkKey'] as const
  // What was signed while a log was being closed stands in the next one.
  const isOurs = world.logs.find(statement.log) !== undefined &&
    fields.every((field) => statement[field] === undefined || statement[field] === expected[field])
  if (!isOurs) throw new Refusal('note-mismatch')
  const nowMs = world.clock.nowMs()
  if (parseTime(statement.expiresAt) <= nowMs ||
    parseTime(statement.signedAt) > nowMs + MAX_CLOCK_LEAD_MS) {
    throw new Refusal('note-expired')
  }
}

/** The public key that a statement names, 32 bytes. */
export function keyOf(vkey: string): Uint8Array {
  return parseVkey(vkey).publicKey
}

/** The nonce that a statement carries. */
export function nonceOf(statement: Freshness): Uint8Array {
  return decodeHex(statement.nonce)
}
