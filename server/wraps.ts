/**
 * Headers that a founder made, checked at the edge: each comes with her wrap record, which must name this
 * link, this version, this recipient and these very bytes. What cannot be verified is not stored.
 */
import { createHash } from 'node:crypto'
import { uuidv7 } from 'uuidv7'
import { findStoredVersions, type Version } from '../db/queries/versions.js'
import type { NewHeader } from '../db/queries/grants.js'
import type { WrappedHeader } from '../protocol/api.js'
import { decodeBase64Url, encodeBase64Url, encodeUtf8, equalBytes } from '../protocol/bytes.js'
import { verifyWrap } from '../protocol/deck/grant.js'
import { parseSealdeckHeader } from '../protocol/deck/header.js'
import { fingerprintOf, formatRecipient } from '../protocol/deck/identity.js'
import { isApprovalDue, type GrantPolicy } from '../protocol/deck/policy.js'
import { Refusal } from '../protocol/refusals.js'
import type { World } from './world.js'

/** What every one of the headers must be for. */
export interface WrapTarget {
  readonly vaultId: string
  /** As it stands in the address. */
  readonly grantId: string
  readonly policy: GrantPolicy
  /** `pkF`, 32 bytes. */
  readonly signingKey: Uint8Array
  /** The link's age recipient, or the device's, `age1pq1...`. */
  readonly recipient: string
  /** For an approval: the device, and the SHA-256 of the acceptance that earned it. */
  readonly device: { readonly deviceId: string, readonly acceptanceSha256: Uint8Array } | null
}

/**
 * The rows for these headers.
 * Refuses: version-not-found; grant-mismatch, for one that is for something else, comes twice, or is the link's and lies
 * behind an NDA that the founder wants to approve herself.
 * @throws ProtocolError for a header or wrap record that is malformed or not signed by the founder.
 */
export async function readWraps(
  world: World, target: WrapTarget, given: readonly WrappedHeader[],
): Promise<NewHeader[]> {
  const ids = given.map(({ versionId }) => versionId)
  if (new Set(ids).size !== ids.length) throw new Refusal('grant-mismatch')
  const versions = await findStoredVersions(world.db, target.vaultId, ids)
  return given.map((wrapped) => {
    const version = versions.find(({ id }) => id === wrapped.versionId)
    if (version === undefined) throw new Refusal('version-not-found')
    if (target.device === null && isApprovalDue(target.policy, version)) throw new Refusal('grant-mismatch')
    return readWrap(world, target, version, wrapped)
  })
}

function readWrap(
  world: World, target: WrapTarget, version: Version, wrapped: WrappedHeader,
): NewHeader {
  const header = decodeBase64Url(wrapped.header)
  parseSealdeckHeader(header)
  const signed = {
    bytes: decodeBase64Url(wrapped.wrap), signature: decodeBase64Url(wrapped.wrapSignature),
  }
  const wrap = verifyWrap(
    signed, { signingKey: target.signingKey, fingerprint: fingerprintOf(target.signingKey) },
  )
  const headerSha256 = hashOf(header)
  const acceptanceSha256 = target.device?.acceptanceSha256 ?? null
  const isRight = encodeBase64Url(wrap.grantId) === target.grantId &&
    equalBytes(wrap.recordSha256, version.recordSha256 ?? NONE) && equalBytes(
    wrap.headerSha256, headerSha256,
  ) &&
    formatRecipient(wrap.recipient) === target.recipient &&
    equalBytes(wrap.acceptanceSha256 ?? NONE, acceptanceSha256 ?? NONE)
  if (!isRight) throw new Refusal('grant-mismatch')
  return {
    id: uuidv7(), grantId: target.grantId, versionId: version.id,
    deviceId: target.device?.deviceId ?? null,
    recipientSha256: hashOf(encodeUtf8(target.recipient)), header, headerSha256, wrap: signed.bytes,
    wrapSignature: signed.signature, acceptanceSha256, createdAtMs: world.clock.nowMs(),
  }
}

const NONE = new Uint8Array(0)

function hashOf(bytes: Uint8Array): Uint8Array {
  return Uint8Array.from(createHash('sha256').update(bytes).digest())
}
