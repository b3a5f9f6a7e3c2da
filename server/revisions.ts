/** A grant's signed statement, checked at the edge before it is stored. */
import { findOwnNda } from '../db/queries/ndas.js'
import type { Revision } from '../db/queries/grants.js'
import {
  decodeBase64Url, encodeBase64Url, encodeHex, encodeUtf8, equalBytes,
} from '../protocol/bytes.js'
import { grantSha256, verifyGrant, type Grant } from '../protocol/deck/grant.js'
import { fingerprintOf } from '../protocol/deck/identity.js'
import { formatPolicy } from '../protocol/deck/policy.js'
import type { Signed } from '../protocol/deck/signature.js'
import { sha256 } from '../protocol/hash.js'
import { formatTime, type SealedEvent } from '../protocol/log/event.js'
import { Refusal } from '../protocol/refusals.js'
import { founderEvent } from './vaults.js'
import type { World } from './world.js'

export interface GivenGrant {
  readonly grant: string, readonly grantSignature: string, readonly cardSealed: string,
}

export interface GrantPlace {
  readonly vaultId: string
  readonly grantId: string
  readonly userId: string
  readonly signingKey: Uint8Array
  /** Whom the revision in force demands; `null` for nobody, or for a new link. */
  readonly witnesses?: string | null
}

/** The statement as it was sent, and what it says. */
export interface ReadGrant {
  readonly signed: Signed, readonly grant: Grant, readonly witnesses: string | null,
}

/**
 * G, if the founder signed it, for this vault, this link, this log, an NDA published here and the card sent with it.
 * Refuses: grant-mismatch, nda-mismatch, witnesses-mismatch.
 * @throws ProtocolError for a statement that is malformed or not signed by the account's key.
 */
export async function readGrant(
  world: World, place: GrantPlace,
  given: GivenGrant,
): Promise<ReadGrant> {
  const signed = {
    bytes: decodeBase64Url(given.grant), signature: decodeBase64Url(given.grantSignature),
  }
  const grant = verifyGrant(
    signed, { signingKey: place.signingKey, fingerprint: fingerprintOf(place.signingKey) },
  )
  const isRight = grant.vaultId === place.vaultId &&
    encodeBase64Url(grant.grantId) === place.grantId &&
    world.rotations.knows(grant.logVkey) &&
    equalBytes(grant.policy.cardSha256, sha256(decodeBase64Url(given.cardSealed)))
  if (!isRight) throw new Refusal('grant-mismatch')
  const witnesses = witnessesOf(world, grant, place.witnesses ?? null)
  if (grant.ndaSha256 !== null) await requireNda(world, place, grant.ndaSha256)
  return { signed, grant, witnesses }
}

/**
 * The text of the witnesses that a link demands: this server's, or those that it demanded before. Others
 * could never be had, and nobody would be let in.
 */
function witnessesOf(world: World, { policy }: Grant, before: string | null): string | null {
  const { witnessesSha256 } = policy
  if (witnessesSha256 === null) return null
  const texts = [world.witnesses.policy?.text, before]
  const text = texts.find((one) =>
    one != null && equalBytes(sha256(encodeUtf8(one)), witnessesSha256))
  if (text == null) throw new Refusal('witnesses-mismatch')
  return text
}

async function requireNda(
  world: World, place: { vaultId: string, userId: string }, ndaSha256: Uint8Array,
): Promise<void> {
  const nda = await findOwnNda(
    world.db, { vaultId: place.vaultId, sha256: ndaSha256, ownerId: place.userId },
  )
  if (nda === undefined) throw new Refusal('nda-mismatch')
}

/** The row for a revision: the statement itself, and what queries need of it. */
export function revisionRow(world: World, { signed, grant, witnesses }: ReadGrant): Revision {
  return {
    grantId: encodeBase64Url(grant.grantId), revision: grant.revision, statement: signed.bytes,
    statementSha256: grantSha256(signed), signature: signed.signature, ndaSha256: grant.ndaSha256,
    linkRecipient: grant.linkRecipient.publicKey, linkSigningPublicKey: grant.linkSigningKey,
    policy: formatPolicy(grant.policy),
    witnesses,
    gate: grant.policy.gate, release: grant.policy.release,
    expiresAtMs: grant.policy.expiresAtMs, createdAtMs: world.clock.nowMs(),
  }
}

export function grantEvent(
  world: World, userId: string, type: 'grant.made' | 'grant.revised', { signed, grant }: ReadGrant,
): SealedEvent {
  const { expiresAtMs } = grant.policy
  return founderEvent(world, userId, {
    type, vault: grant.vaultId, grant: encodeBase64Url(grant.grantId), revision: grant.revision,
    grantSha256: encodeHex(grantSha256(signed)), gate: grant.policy.gate,
    release: grant.policy.release,
    ...grant.ndaSha256 === null ? {} : { agreementSha256: encodeHex(grant.ndaSha256) },
    ...expiresAtMs === null ? {} : { expiresAt: formatTime(expiresAtMs) },
  })
}
