/** A founder's own things: found or refused, shown as she gets them, and the events of what she does. */
import { uuidv7 } from 'uuidv7'
import type { Nda } from '../db/queries/ndas.js'
import { findOwnGrant, type OwnGrant } from '../db/queries/grants.js'
import { findVault, type Vault } from '../db/queries/vaults.js'
import type { Version } from '../db/queries/versions.js'
import type { GrantSummary, PublishedNda, StoredVersion } from '../protocol/api.js'
import { encodeBase64Url } from '../protocol/bytes.js'
import { assert } from '../protocol/errors.js'
import { formatTime, sealEvent, type Event, type SealedEvent } from '../protocol/log/event.js'
import { Refusal } from '../protocol/refusals.js'
import type { World } from './world.js'

/** Her vault. "Absent" and "not hers" answer alike. Refuses: vault-not-found. */
export async function requireVault(
  world: World, key: { vaultId: string, userId: string },
): Promise<Vault> {
  const vault = await findVault(world.db, key.vaultId)
  if (vault?.ownerId !== key.userId) throw new Refusal('vault-not-found')
  return vault
}

/** Her grant at its current revision. Refuses: grant-not-found. */
export async function requireGrant(
  world: World, key: { grantId: string, userId: string },
): Promise<OwnGrant> {
  const grant = await findOwnGrant(world.db, { grantId: key.grantId, ownerId: key.userId })
  if (grant === undefined) throw new Refusal('grant-not-found')
  return grant
}

/** The event of something a founder did, ready for its statement. */
export function founderEvent(
  world: World, userId: string, event: Omit<Event, 'id' | 'log' | 'at' | 'actor' | 'details'>,
): SealedEvent {
  return sealEvent({
    ...event, id: uuidv7(), log: world.keys.log.origin, at: formatTime(world.clock.nowMs()), actor: `account/${userId}`,
  })
}

export function presentVersion(version: Version): StoredVersion {
  const { record, recordSignature, storedAtMs } = version
  assert(record !== null && recordSignature !== null && storedAtMs !== null, 'a stored version has its record')
  return {
    versionId: version.id, documentId: version.documentId, part: version.part === 1 ? 1 : 0,
    gate: version.gate,
    version: version.version, payloadLength: version.payloadSizeBytes,
    record: encodeBase64Url(record),
    recordSignature: encodeBase64Url(recordSignature),
    ownerHeader: encodeBase64Url(version.ownerHeader), storedAtMs,
  }
}

export function presentGrant(grant: OwnGrant): GrantSummary {
  return {
    grantId: grant.id, nameSealed: encodeBase64Url(grant.nameSealed), revision: grant.revision,
    grant: encodeBase64Url(grant.statement), grantSignature: encodeBase64Url(grant.signature),
    cardSealed: encodeBase64Url(grant.cardSealed), createdAtMs: grant.createdAtMs,
    expiresAtMs: grant.expiresAtMs,
    revokedAtMs: grant.revokedAtMs, personCount: grant.personCount,
  }
}

export function presentNda(nda: Omit<Nda, 'text' | 'vaultId'>): PublishedNda {
  return {
    sha256: encodeBase64Url(nda.sha256), title: nda.title, templateId: nda.template,
    templateVersion: nda.version,
    language: nda.language === 'ru' ? 'ru' : 'en', publishedAtMs: nda.createdAtMs,
  }
}
