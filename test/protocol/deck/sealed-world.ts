// A founder, her deck, a link and an investor's device, sealed for real; tests bend one thing each.
import { createHash } from 'node:crypto'
import { concatBytes } from '../../../protocol/bytes.js'
import { buildArchive, sourceOfBytes } from '../../../protocol/deck/archive.js'
import type { ByteSource } from '../../../protocol/deck/archive.js'
import { sealCard } from '../../../protocol/deck/card.js'
import { sealDeck } from '../../../protocol/deck/deck.js'
import type { HeaderToOpen, PayloadSource } from '../../../protocol/deck/deck.js'
import { signGrant, signWrap } from '../../../protocol/deck/grant.js'
import type { Grant } from '../../../protocol/deck/grant.js'
import { wrapFileKey } from '../../../protocol/deck/header.js'
import {
  deriveDeviceKeys, deriveLinkKeys, deriveLinkSecret, deriveOwnerKeys, makeFileKey, makeGrantId,
  makePayloadNonce,
} from '../../../protocol/deck/identity.js'
import type { OwnerKeys, Recipient } from '../../../protocol/deck/identity.js'
import type { GrantPolicy } from '../../../protocol/deck/policy.js'
import { recordSha256, signRecord } from '../../../protocol/deck/record.js'
import type { VersionRecord } from '../../../protocol/deck/record.js'
import type { Signed } from '../../../protocol/deck/signature.js'
import type { FileKey } from '../../../protocol/deck/stanza.js'
import { promisesOf } from '../../../protocol/deck/upload.js'
import { hashBulk } from '../../../protocol/hash.js'
import { randomBytes, ready } from '../../../protocol/sodium.js'

await ready()

export const VAULT_ID = '019ab4f2-7c1e-7d3a-9f00-1b2c3d4e5f60'
export const DOCUMENT_ID = '019ab4f2-7c1e-7d3a-9f00-aabbccddeeff'

export function patternFile(size: number): ByteSource {
  const bytes = new Uint8Array(size).map((_, index) => (index * 167 + (index >> 8)) & 0xff)
  return sourceOfBytes(bytes)
}

export interface SealedVersion {
  readonly plaintext: ByteSource
  readonly fileKey: FileKey
  readonly nonce: Uint8Array
  readonly payload: Uint8Array
  readonly hashList: Uint8Array
  readonly record: VersionRecord
  readonly signed: Signed
}

export interface VersionWish {
  readonly owner: OwnerKeys
  readonly fileSize?: number
  readonly fileKey?: FileKey
  readonly change?: Partial<VersionRecord>
  readonly previous?: Signed
}

export async function sealVersion(wish: VersionWish): Promise<SealedVersion> {
  const plaintext = buildArchive({
    title: 'A plan',
    fileName: 'plan.bin',
    mediaType: 'application/octet-stream',
    file: patternFile(wish.fileSize ?? 150_000),
  })
  const [fileKey, nonce] = [wish.fileKey ?? makeFileKey(), makePayloadNonce()]
  const parts = []
  for await (const part of sealDeck({ plaintext, fileKey, nonce, hash: hashBulk })) parts.push(part)
  const payload = concatBytes(...parts.map(({ bytes }) => bytes))
  const hashList = concatBytes(...parts.map(({ chunkHashes }) => chunkHashes))
  const record: VersionRecord = {
    vaultId: VAULT_ID,
    documentId: DOCUMENT_ID,
    part: 0,
    gate: 'nda',
    version: 1,
    previousSha256: wish.previous === undefined ? null : recordSha256(wish.previous),
    payloadLength: payload.length,
    nonce,
    ...promisesOf({ fileKey, nonce, payloadLength: payload.length, hashList }),
    signingKey: wish.owner.signing.publicKey,
    ...wish.change,
  }
  const signed = signRecord(record, wish.owner.signing.secretKey)
  return { plaintext, fileKey, nonce, payload, hashList, record, signed }
}

export function makePolicy(change: Partial<GrantPolicy> = {}): GrantPolicy {
  return {
    cardSha256: new Uint8Array(createHash('sha256').update('card').digest()),
    mayDownload: false,
    expiresAtMs: null,
    gate: 'nda',
    ndaConsentVersion: 2,
    openPagesGate: null,
    release: 'on-signature',
    hasWatermark: true,
    witnessesSha256: null,
    ...change,
  }
}

export function makeLink(root: Uint8Array, policy: Partial<GrantPolicy> = {}) {
  const owner = deriveOwnerKeys(root)
  const grantId = makeGrantId()
  const secret = deriveLinkSecret(root, grantId)
  const keys = deriveLinkKeys(secret, grantId)
  const card = { founder: 'Ada Lovelace', title: 'Engine', pageCount: 12 }
  const sealedCard = sealCard(card, keys.cardKey, grantId)
  const grant: Grant = {
    vaultId: VAULT_ID,
    grantId,
    revision: 1,
    previousSha256: null,
    ndaSha256: new Uint8Array(32).fill(0x4d),
    linkRecipient: keys.identity.recipient,
    linkSigningKey: keys.signing.publicKey,
    logVkey: 'log.sealdeck.example/2026+8e31f1e5+AVJvYm90cyBhcmUgZ29vZCBhdCBub3QgYmVpbmcgYm90cw',
    policy: makePolicy({ cardSha256: sealedCard.sha256, ...policy }),
  }
  const signed = signGrant(grant, owner.signing.secretKey)
  const device = deriveDeviceKeys(randomBytes(32), grantId)
  return { secret, keys, card, sealedCard, grant, signed, device }
}

export type Link = ReturnType<typeof makeLink>

/** A header for a recipient, with the founder's word over it. */
export function wrapVersion(
  owner: OwnerKeys, version: SealedVersion,
  to: { grantId: Uint8Array, recipient: Recipient, acceptanceSha256?: Uint8Array },
) {
  const header = wrapFileKey(version.fileKey, to.recipient)
  const wrap = {
    grantId: to.grantId,
    recordSha256: recordSha256(version.signed),
    recipient: to.recipient,
    headerSha256: new Uint8Array(createHash('sha256').update(header).digest()),
    acceptanceSha256: to.acceptanceSha256 ?? null,
  }
  return { header, wrap, signed: signWrap(wrap, owner.signing.secretKey) }
}

/** What the link's holder opens when nothing is wrong. */
export function linkHeaderToOpen(
  owner: OwnerKeys, version: SealedVersion, link: Link,
): HeaderToOpen {
  const { header, signed } = wrapVersion(owner, version,
    { grantId: link.grant.grantId, recipient: link.keys.identity.recipient })
  return {
    header,
    identity: link.keys.identity,
    records: [version.signed],
    fingerprint: owner.fingerprint,
    vaultId: VAULT_ID,
    seen: null,
    wrap: { signed, grant: link.grant, acceptanceSha256: null },
  }
}

/** A source that remembers what was asked of it. */
export function watchedSource(version: { payload: Uint8Array, hashList: Uint8Array }) {
  const fetched: { start: number, end: number }[] = []
  const source: PayloadSource = {
    readHashList: async () => version.hashList,
    async readPayload(start, end) {
      fetched.push({ start, end })
      return version.payload.slice(start, end)
    },
  }
  return { fetched, source }
}
