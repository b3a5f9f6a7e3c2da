/** A founder, her vault and her links, with what a server would keep for her, for tests of the worker. */
import { randomBytes } from 'node:crypto'
import { uuidv7 } from 'uuidv7'
import type { AccessRequest, GateView, GrantSummary, ReleasedHeader, StoredVersion, WrappedHeader } from '../../protocol/api.js'
import { concatBytes, encodeBase64Url } from '../../protocol/bytes.js'
import { ed25519Signer, formatVkey } from '../../protocol/log/note.js'
import { createCrypto } from '../../web/crypto/core.js'
import type { CiphertextSource, CryptoWorker, Policy, SealInput } from '../../web/crypto.js'
import { createMemoryPlatform, createMemoryStore, type MemoryStore } from './memory-platform.js'

export const ON_SIGNATURE: Policy = {
  gate: 'nda', openGate: 'email', release: 'on-signature', expiresAtMs: null, watermark: true, download: true,
  witnessesSha256: null,
}
export const CARD = { founder: 'Ada Lovelace', title: 'Analytical Engine', pageCount: 18 }

/** After libsodium is ready. */
export function makeLog() {
  const signer = ed25519Signer('log.test/2026', new Uint8Array(32).fill(7))
  return { signer, vkey: formatVkey(signer.key) }
}

export function makeClient(
  store: MemoryStore = createMemoryStore(),
): { crypto: CryptoWorker, store: MemoryStore } {
  return { crypto: createCrypto(createMemoryPlatform(store)), store }
}

export interface Stored {
  readonly version: StoredVersion, readonly payload: Uint8Array<ArrayBuffer>,
  readonly hashList: Uint8Array<ArrayBuffer>,
}

export function sealInput(changes: Partial<SealInput> = {}): SealInput {
  return {
    vaultId: uuidv7(), documentId: uuidv7(), part: 0, gate: 'nda', version: 1, previousRecord: null,
    title: 'Analytical Engine', fileName: 'deck.pdf', mediaType: 'application/pdf',
    file: new Blob([new Uint8Array(randomBytes(200_000))]),
    pageSizes: [{ widthPt: 960, heightPt: 540 }],
    thumbnails: [{ width: 8, height: 4, image: new Blob([new Uint8Array([1, 2, 3])], { type: 'image/webp' }) }],
    ...changes,
  }
}

/** Seal a file as the founder's page does, and answer what the server would then hold. */
export async function sealAndStore(crypto: CryptoWorker, input: SealInput): Promise<Stored> {
  const begun = await crypto.beginSeal(input, () => undefined)
  const parts: Uint8Array[] = []
  for (let part = await crypto.nextPart(begun.sealId); part !== null; part = await crypto.nextPart(
    begun.sealId,
  )) {
    parts.push(part.bytes)
  }
  const { hashList, record, recordSignature } = await crypto.finishSeal(begun.sealId)
  const { documentId, part, gate, version, payloadLength, ownerHeader } = begun.beginUpload
  return {
    payload: concatBytes(...parts),
    hashList,
    version: {
      versionId: uuidv7(), documentId, part, gate, version, payloadLength, record, recordSignature,
      ownerHeader, storedAtMs: 0,
    },
  }
}

export function sourceOfStored(
  stored: Stored,
): CiphertextSource & { readonly ranges: [number, number][] } {
  const ranges: [number, number][] = []
  return {
    ranges,
    readHashList: async () => stored.hashList.slice(),
    readPayload: async (start, end) => {
      ranges.push([start, end])
      return stored.payload.slice(start, end)
    },
  }
}

export function released(stored: Stored, header: WrappedHeader): ReleasedHeader {
  const {
    versionId, documentId, part, gate, version, payloadLength, record, recordSignature,
  } = stored.version
  return {
    versionId, documentId, part, gate, version, payloadLength,
    header: header.header,
    wrap: { wrap: header.wrap, signature: header.wrapSignature },
    records: [{ record, signature: recordSignature }],
  }
}

export interface MadeGrant {
  readonly summary: GrantSummary, readonly fragment: string, readonly headers: WrappedHeader[],
}

export async function makeGrant(founder: CryptoWorker, input: {
  vaultId: string, logVkey: string, ndaSha256: string | null, versions: StoredVersion[],
  policy?: Policy,
}): Promise<MadeGrant> {
  const made = await founder.makeGrant({ policy: ON_SIGNATURE, card: CARD, ...input })
  const { grantId, grant, grantSignature, cardSealed, fragment, headers } = made
  return {
    fragment,
    headers,
    summary: {
      grantId, grant, grantSignature, cardSealed, nameSealed: '', revision: 1, createdAtMs: 0, expiresAtMs: null, revokedAtMs: null, personCount: 0,
    },
  }
}

export function gateView(input: {
  vaultId: string, grant: MadeGrant, signingKey: string, logVkey: string, ndaSha256: string | null,
  witnesses?: string,
}): GateView {
  const { summary } = input.grant
  return {
    grantId: summary.grantId, vaultId: input.vaultId, grant: summary.grant,
    grantSignature: summary.grantSignature,
    signingKey: input.signingKey, cardSealed: summary.cardSealed, logVkey: input.logVkey,
    witnesses: input.witnesses ?? null,
    nda: input.ndaSha256 === null ? null : { sha256: input.ndaSha256, title: 'Mutual NDA', language: 'en' }, parts: [],
  }
}

/** 32 random bytes, as the server's nonces are. */
export function nonce(): string {
  return encodeBase64Url(randomBytes(32))
}

export function accessRequestOf(input: {
  vaultId: string, grantId: string, acceptance: string, enrolment: string, recipient: string,
  deviceSigningKey: string,
}): AccessRequest {
  return {
    ...input, acceptanceId: uuidv7(), personId: uuidv7(), name: 'Grace Hopper', email: 'grace@fund.example',
    signedAtMs: 0, vaultTitleSealed: '', grantNameSealed: '',
  }
}
