/**
 * An investor at a link: device keys of her own, notes signed by link key and device key, over the real API.
 * [Note: Acting and asking] in people.ts.
 */
import { hash, randomBytes } from 'node:crypto'
import type {
  EmailChallenge, GateAccess, GateEmailProof, GateSession, GateView, NdaText, Nonce, Release,
  ReleasedHeader,
} from '../../protocol/api.js'
import { decodeBase64Url, encodeBase64Url, encodeHex, encodeUtf8 } from '../../protocol/bytes.js'
import { openHeader, parseSealdeckHeader } from '../../protocol/deck/header.js'
import { deriveDeviceKeys, formatRecipient, makeDeviceSeed, type DeviceKeys } from '../../protocol/deck/identity.js'
import { identityUnwrapper, type FileKey } from '../../protocol/deck/stanza.js'
import {
  formatAcceptance, formatAccessRequest, formatDecline, formatEnrolment, formatSession,
  hashRecipient, nameKey, roleKey,
  signStatement, type Acceptance, type Decline, type Freshness,
} from '../../protocol/log/acceptance.js'
import { formatTime } from '../../protocol/log/event.js'
import { ED25519_KEY_TYPE, formatVkey, noteKey, type NoteSigner } from '../../protocol/log/note.js'
import { signDetached } from '../../protocol/sodium.js'
import { takeCode } from './mailbox.js'
import { Browser, type Answer, type Link, type Reach } from './people.js'

const STATEMENT_TTL_MS = 15 * 60_000

/** One investor with one device. `otherDevice` is the same person elsewhere. */
export class Investor extends Browser {
  readonly name: string
  readonly email: string
  #seed = makeDeviceSeed()
  #recipient: string | null = null

  constructor(test: Reach, { name = 'Grace Hopper', email = 'grace@fund.example' } = {}) {
    super(test)
    this.name = name
    this.email = email
  }

  otherDevice(): Investor {
    return new Investor(this.test, this)
  }

  /** The same browser in other hands. */
  sameDevice(person: { name: string, email: string }): Investor {
    const other = new Investor(this.test, person)
    other.#seed = this.#seed
    return other
  }

  /** The same device, naming a recipient that is not its own. */
  withRecipient(recipient: string): Investor {
    const other = this.sameDevice(this)
    other.#recipient = recipient
    return other
  }

  keysFor(link: Link): DeviceKeys {
    return deriveDeviceKeys(this.#seed, link.grantIdBytes)
  }

  async looksAt(link: Link): Promise<GateView> {
    return await this.gets<GateView>(`/api/gate/${link.grantId}`)
  }

  /** A code was asked for, taken from the mail, and typed. */
  async provesEmail(link: Link): Promise<GateEmailProof> {
    const challenge = await this.posts<EmailChallenge>(`/api/gate/${link.grantId}/codes`, {
      email: this.email, name: this.name, locale: 'en',
    })
    const code = await takeCode(this.test.world, this.email)
    return await this.posts<GateEmailProof>(`/api/gate/${link.grantId}/codes/proof`, { challengeId: challenge.challengeId, code })
  }

  async takesNonce(link: Link): Promise<string> {
    return (await this.posts<Nonce>(`/api/gate/${link.grantId}/nonces`)).nonce
  }

  fresh(nonce: string): Freshness {
    const nowMs = this.test.clock.nowMs()
    return {
      log: this.test.world.keys.log.origin, signedAt: formatTime(nowMs),
      expiresAt: formatTime(nowMs + STATEMENT_TTL_MS),
      nonce: encodeHex(decodeBase64Url(nonce)),
    }
  }

  /** Both notes of a first visit. */
  notesFor(
    link: Link, { nonce, isNamed = true }: { nonce: string, isNamed?: boolean },
  ): { accessRequest: string, enrolment: string } {
    const recipient = this.#recipient ?? formatRecipient(this.keysFor(link).identity.recipient)
    const shared = {
      vault: link.vaultId, grant: link.grantId, ...this.#keyNames(link), ...this.fresh(nonce),
    }
    const request = formatAccessRequest({
      ...shared, ...isNamed ? { signatory: { name: this.name, email: this.email } } : {},
      grantSha256: grantHash(link), founderKey: founderKeyOf(link),
      recipientSha256: hashRecipient(recipient),
    })
    const enrolment = formatEnrolment({ ...shared, recipient })
    return { accessRequest: this.signs(link, request), enrolment: this.signs(link, enrolment) }
  }

  #keyNames(link: Link): { linkKey: string, deviceKey: string } {
    return {
      linkKey: formatVkey(roleKey('link', link.keys.signing.publicKey)),
      deviceKey: formatVkey(roleKey('device', this.keysFor(link).signing.publicKey)),
    }
  }

  /** With link key and device key. */
  signs(link: Link, text: string): string {
    return signStatement(text, [signerOf('link', link.keys.signing), signerOf('device', this.keysFor(link).signing)])
  }

  async enters(link: Link): Promise<GateAccess> {
    const { nonce, emailProof } = await this.provesEmail(link)
    const access = await this.posts<GateAccess>(`/api/gate/${link.grantId}/access-requests`, {
      ...this.notesFor(link, { nonce }), emailProof,
    })
    this.accessToken = access.session.accessToken
    return access
  }

  /** With the link alone, where that is enough. */
  async entersUnnamed(link: Link): Promise<GateAccess> {
    const nonce = await this.takesNonce(link)
    const access = await this.posts<GateAccess>(`/api/gate/${link.grantId}/access-requests`, this.notesFor(link, { nonce, isNamed: false }))
    this.accessToken = access.session.accessToken
    return access
  }

  /** The acceptance as this investor would sign it, with changes to try. */
  async acceptanceFor(link: Link, changes: Partial<Acceptance> = {}): Promise<string> {
    const nonce = await this.takesNonce(link)
    const nda = await this.gets<NdaText>(`/api/gate/${link.grantId}/nda`)
    return this.signs(link, formatAcceptance({
      name: this.name, email: this.email, agreement: nda.title, agreementSha256: encodeHex(hash('sha256', encodeUtf8(nda.text), 'buffer')),
      vault: link.vaultId, grantSha256: grantHash(link), recordSha256s: [],
      founderKey: founderKeyOf(link),
      ...this.#keyNames(link),
      recipientSha256: hashRecipient(formatRecipient(this.keysFor(link).identity.recipient)),
      consent: 'esign-disclosure version 1, accepted', ...this.fresh(nonce), ...changes,
    }))
  }

  async asksToAccept(link: Link, acceptance: string): Promise<Answer> {
    return await this.asks('POST', `/api/gate/${link.grantId}/acceptances`, { acceptance })
  }

  async signsNda(link: Link): Promise<Release> {
    const acceptance = await this.acceptanceFor(link)
    return await this.posts<Release>(`/api/gate/${link.grantId}/acceptances`, { acceptance })
  }

  async declines(link: Link): Promise<Release> {
    const answer = await this.asksToDecline(link)
    if (answer.statusCode !== 201) throw new Error(`decline: ${answer.statusCode}`)
    return answer.json<Release>()
  }

  /** The refusal as this investor would sign it, with changes to try. */
  async asksToDecline(link: Link, changes: Partial<Decline> = {}): Promise<Answer> {
    const nonce = await this.takesNonce(link)
    const nda = await this.gets<NdaText>(`/api/gate/${link.grantId}/nda`)
    const decline = this.signs(link, formatDecline({
      name: this.name, email: this.email, agreement: nda.title, agreementSha256: encodeHex(hash('sha256', encodeUtf8(nda.text), 'buffer')),
      vault: link.vaultId, grantSha256: grantHash(link), ...this.#keyNames(link),
      ...this.fresh(nonce), ...changes,
    }))
    return await this.asks('POST', `/api/gate/${link.grantId}/decline`, { decline })
  }

  /** A later visit: the device key signs a nonce, no code. */
  async asksToReturn(link: Link): Promise<Answer> {
    const nonce = await this.takesNonce(link)
    const text = formatSession(
      { grant: link.grantId, deviceKey: this.#keyNames(link).deviceKey, ...this.fresh(nonce) },
    )
    const { signing } = this.keysFor(link)
    return await this.asks('POST', `/api/gate/${link.grantId}/sessions`, {
      deviceSigningKey: encodeBase64Url(signing.publicKey), sessionNote: signStatement(text, [signerOf('device', signing)]),
    })
  }

  async returns(link: Link): Promise<GateSession> {
    const answer = await this.asksToReturn(link)
    if (answer.statusCode !== 201) throw new Error(`return: ${answer.statusCode} ${answer.rawPayload.toString()}`)
    const session = answer.json<GateSession>()
    this.accessToken = session.accessToken
    return session
  }

  async receives(link: Link): Promise<Release> {
    return await this.posts<Release>(`/api/gate/${link.grantId}/releases`)
  }

  /** The file key in a released header, by link key or device key; `null` if it is for somebody else. */
  opens(link: Link, released: ReleasedHeader): FileKey | null {
    const header = parseSealdeckHeader(decodeBase64Url(released.header))
    return openHeader(
      header,
      [identityUnwrapper(link.keys.identity), identityUnwrapper(this.keysFor(link).identity)],
    )
  }

  async fetches(versionId: string, range = 'bytes=0-99'): Promise<Answer> {
    return await this.asks('GET', `/api/versions/${versionId}/payload`, undefined, { range })
  }
}

function signerOf(role: 'link' | 'device', pair: { publicKey: Uint8Array, secretKey: Uint8Array }): NoteSigner {
  const key = noteKey(
    { name: nameKey(role, pair.publicKey), type: ED25519_KEY_TYPE, publicKey: pair.publicKey },
  )
  return { key, sign: (text) => signDetached(encodeUtf8(text), pair.secretKey) }
}

function grantHash(link: Link): string {
  return encodeHex(hash('sha256', decodeBase64Url(link.summary.grant), 'buffer'))
}

function founderKeyOf(link: Link): string {
  return formatVkey(roleKey('founder', link.founderKey))
}

export function randomNonce(): string {
  return encodeBase64Url(randomBytes(32))
}
