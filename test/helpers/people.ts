/**
 * People who speak the domain: a founder signs up, seals, shares and revokes over the real API, with the
 * real cryptography of protocol/deck. What may be refused is asked with `asks`; the rest must succeed.
 *
 * [Note: Acting and asking] `founder.sharesDeck()` does all that it takes and fails the test if any of
 * it is refused; `founder.asks('POST', '/api/...', body)` gives the answer, whatever it is.
 */
import { hash, randomBytes } from 'node:crypto'
import { client as opaque, ready as opaqueReady } from '@serenity-kit/opaque'
import type { InjectOptions } from 'fastify'
import { uuidv7 } from 'uuidv7'
import type {
  Account, CompleteUpload, EmailChallenge, EmailProof, GrantSummary, KeyringRow, PasskeyOptions,
  PassphraseLogin, PassphraseRegistration, PublishedNda, RevocationReport, SignedIn, SignInOptions,
  StoredVersion,
  Upload, VaultDetail, WrappedHeader,
} from '../../protocol/api.js'
import { concatBytes, decodeBase64Url, encodeBase64Url, encodeUtf8 } from '../../protocol/bytes.js'
import { buildArchive, sourceOfBytes, type ArchiveInput } from '../../protocol/deck/archive.js'
import { sealCard } from '../../protocol/deck/card.js'
import { sealDeck } from '../../protocol/deck/deck.js'
import { promisesOf } from '../../protocol/deck/upload.js'
import { signGrant, signWrap, type Grant } from '../../protocol/deck/grant.js'
import { wrapFileKey } from '../../protocol/deck/header.js'
import {
  deriveLinkKeys, deriveLinkSecret, deriveOwnerKeys, deriveRecoveryAuth, deriveVaultTagKey,
  formatFragment, formatRecipient, makeFileKey, makeGrantId, makePayloadNonce, makeRecoveryCode,
  makeRoot, parseRecipient, type LinkKeys, type OwnerKeys, type Recipient,
} from '../../protocol/deck/identity.js'
import { deriveRootWrapKey, lockRoot, sealPrivate, unlockRoot, type KeyringMethod } from '../../protocol/deck/keyring.js'
import type { GrantPolicy } from '../../protocol/deck/policy.js'
import {
  payloadLengthOf, recordSha256, signRecord, type Gate, type Part, type VersionRecord,
} from '../../protocol/deck/record.js'
import type { Signed } from '../../protocol/deck/signature.js'
import type { FileKey } from '../../protocol/deck/stanza.js'
import { hashBulk } from '../../protocol/hash.js'
import type { Config } from '../../server/config.js'
import type { Clock } from '../../server/world.js'
import { makeAuthenticator, type Authenticator } from './authenticator.js'
import { takeCode } from './mailbox.js'

export const NDA_TEXT = 'Mutual non-disclosure agreement.\n\nThe receiving party is the person who signs the acceptance.\n'
const PASSPHRASE = 'correct horse battery staple'
type Stretching = NonNullable<Parameters<typeof opaque.finishRegistration>[0]['keyStretching']>

/** OPAQUE's real stretching takes half a second a guess, which is its purpose and not a test's. */
const QUICK_STRETCHING: Stretching = { 'argon2id-custom': { iterations: 1, memory: 8, parallelism: 1 } }

const MAX_TRIES = 5
const RETRY_AFTER_MS = 500

export type Method = 'GET' | 'POST' | 'PUT' | 'DELETE'

export interface Answer {
  readonly statusCode: number
  readonly headers: Readonly<Record<string, unknown>>
  readonly rawPayload: Buffer
  json<T>(): T
}

/** How people reach a server: a `TestWorld` in this process, or a program behind its port. */
export interface Reach {
  readonly app: { inject(request: InjectOptions): Promise<Answer> }
  readonly clock: Clock
  readonly world: {
    readonly config: Pick<Config, 'publicUrl' | 'outboxFolder'>
    readonly keys: { readonly log: { readonly origin: string, readonly vkey: string } }
  }
}

function isNotReady(answer: Answer): boolean {
  return answer.statusCode === 503 && answer.json<{ code: string }>().code === 'not-ready'
}

/** A browser: what it was given at sign-in, and how it asks. */
export class Browser {
  readonly test: Reach
  accessToken: string | null = null
  refreshCookie: string | null = null
  /** Without it, "not ready" is an answer like any other. */
  isPatient = true

  constructor(test: Reach) {
    this.test = test
  }

  /** See [Note: Acting and asking]. A body of bytes goes as octets. */
  async asks(
    method: Method, url: string, body?: object, headers: Record<string, string> = {},
  ): Promise<Answer> {
    const isOctets = body instanceof Uint8Array
    const request: InjectOptions = {
      method, url,
      headers: {
        'x-sealdeck': '1',
        ...this.accessToken === null ? {} : { authorization: `Bearer ${this.accessToken}` },
        ...this.refreshCookie === null ? {} : { cookie: this.refreshCookie },
        ...isOctets ? { 'content-type': 'application/octet-stream' } : {},
        ...headers,
      },
      ...body === undefined ? {} : { payload: isOctets ? Buffer.from(body) : body },
    }
    return await this.#injects(request)
  }

  /** A machine under load says that it is not ready; as a browser would, one waits and asks again. */
  async #injects(request: InjectOptions): Promise<Answer> {
    for (let tryIndex = 1; ; tryIndex++) {
      const answer = await this.test.app.inject(request)
      if (!this.isPatient || !isNotReady(answer) || tryIndex === MAX_TRIES) return answer
      await new Promise((resolve) => setTimeout(resolve, RETRY_AFTER_MS))
    }
  }

  async gets<T>(url: string): Promise<T> {
    return (await this.does('GET', url)).json<T>()
  }

  async posts<T>(url: string, body: object = {}): Promise<T> {
    return (await this.does('POST', url, body)).json<T>()
  }

  async does(
    method: Method, url: string, body?: object, headers?: Record<string, string>,
  ): Promise<Answer> {
    const answer = await this.asks(method, url, body, headers)
    if (answer.statusCode >= 300) {
      throw new Error(`${method} ${url}: ${answer.statusCode} ${answer.rawPayload.toString()}`)
    }
    return answer
  }

  keepsSession(answer: Answer): SignedIn {
    const signedIn = answer.json<SignedIn>()
    this.accessToken = signedIn.accessToken
    const cookies = [answer.headers['set-cookie']].flat()
    const cookie = cookies.find((one): one is string => typeof one === 'string')
    if (cookie !== undefined) this.refreshCookie = cookie.split(';', 1)[0] ?? null
    return signedIn
  }
}

export interface DeckOptions {
  readonly title?: string
  readonly file?: Uint8Array
  readonly documentId?: string
  readonly part?: Part
  readonly gate?: Gate
  /** What else its manifest says, where a test reads it. */
  readonly archive?: Partial<Omit<ArchiveInput, 'title' | 'file'>>
}

/** A version that its founder holds the key of. */
export interface Deck {
  readonly stored: StoredVersion
  readonly fileKey: FileKey
  readonly vaultId: string
  readonly documentId: string
}

export interface Vault { readonly vaultId: string, readonly tagKey: Uint8Array }

export interface LinkOptions {
  readonly decks: readonly Deck[]
  readonly nda?: PublishedNda | null
  readonly policy?: Partial<GrantPolicy>
  readonly card?: { readonly title?: string, readonly pageCount?: number }
}

/** A link as its founder knows it; `fragment` is what stands behind the `#`. */
export interface Link {
  readonly vaultId: string
  readonly grantId: string
  readonly grantIdBytes: Uint8Array
  readonly secret: Uint8Array
  readonly keys: LinkKeys
  readonly fragment: string
  /** The founder's signing key, as the gate tells it. */
  readonly founderKey: Uint8Array
  readonly grant: Grant
  readonly summary: GrantSummary
  readonly decks: readonly Deck[]
  readonly nda: PublishedNda | null
}

export class Founder extends Browser {
  /** How her clients stretch a passphrase; `memory-constrained` is the real one. */
  stretching: Stretching = QUICK_STRETCHING
  readonly email: string
  readonly name: string
  readonly root = makeRoot()
  readonly keys: OwnerKeys = deriveOwnerKeys(this.root)
  readonly recoveryCode = makeRecoveryCode()
  userId = ''

  constructor(test: Reach, name = 'Ada') {
    super(test)
    this.name = name
    this.email = `${name.toLowerCase()}@fund.example`
  }

  // ---- the account ----

  /** Signs up with a passphrase and confirms the recovery code. */
  async signsUp(): Promise<this> {
    await this.createsAccount()
    await this.confirmsRecovery()
    return this
  }

  async provesEmail(purpose: 'sign-up' | 'recover' = 'sign-up'): Promise<string> {
    const { challengeId } = await this.posts<EmailChallenge>('/api/email-codes', { email: this.email, purpose, locale: 'en' })
    const code = await takeCode(this.test.world, this.email)
    return (await this.posts<EmailProof>('/api/email-codes/proof', { challengeId, code })).emailProof
  }

  async createsAccount(): Promise<SignedIn> {
    return await this.createsAccountWithProof(await this.provesEmail())
  }

  async createsAccountWithProof(emailProof: string): Promise<SignedIn> {
    const newRow = await this.newPassphrase(emailProof)
    return this.keepsSession(await this.does('POST', '/api/accounts', this.accountBody(emailProof, newRow)))
  }

  /** A passphrase for an account that is not there yet. */
  async newPassphrase(emailProof: string): Promise<object> {
    return await this.#makesPassphrase('/api/accounts/passphrase-registration', emailProof)
  }

  accountBody(emailProof: string, newRow: object): object {
    return {
      emailProof, userId: this.userId, name: this.name, locale: 'en',
      signingKey: encodeBase64Url(this.keys.signing.publicKey),
      recipient: formatRecipient(this.keys.identity.recipient), newRow,
    }
  }

  async createsAccountWithPasskey(
    authenticator: Authenticator = this.newAuthenticator(),
  ): Promise<SignedIn> {
    const emailProof = await this.provesEmail()
    const begun = await this.posts<PasskeyOptions>('/api/accounts/passkey-options', { emailProof })
    this.userId = begun.userId
    const newRow = this.passkeyRow(begun.challengeId, authenticator.create(begun.options))
    return this.keepsSession(await this.does('POST', '/api/accounts', this.accountBody(emailProof, newRow)))
  }

  newAuthenticator(): Authenticator {
    return makeAuthenticator(this.test.world.config.publicUrl)
  }

  passkeyRow(challengeId: string, response: unknown): object {
    return { row: this.locksRoot('passkey', randomBytes(32)), passkey: { challengeId, response, label: 'Laptop' } }
  }

  /** Adds a passkey to an account that is signed in. */
  async addsPasskey(authenticator = this.newAuthenticator()): Promise<Answer> {
    const begun = await this.posts<PasskeyOptions>('/api/keyring-rows/passkey-options')
    return await this.asks('POST', '/api/keyring-rows', this.passkeyRow(begun.challengeId, authenticator.create(begun.options)))
  }

  async #makesPassphrase(url: string, emailProof?: string): Promise<object> {
    await opaqueReady
    const started = opaque.startRegistration({ password: PASSPHRASE })
    const { clientRegistrationState, registrationRequest } = started
    const { userId, registrationResponse } = await this.posts<PassphraseRegistration>(url, {
      registrationRequest, ...emailProof === undefined ? {} : { emailProof },
    })
    this.userId = userId
    const { registrationRecord, exportKey } = opaque.finishRegistration({
      clientRegistrationState, registrationResponse, password: PASSPHRASE,
      keyStretching: this.stretching,
    })
    return { row: this.locksRoot('passphrase', decodeBase64Url(exportKey)), passphrase: { registrationRecord } }
  }

  /** Adds a passphrase to an account that is signed in. */
  async addsPassphrase(): Promise<Answer> {
    return await this.asks('POST', '/api/keyring-rows', await this.#makesPassphrase('/api/keyring-rows/passphrase-registration'))
  }

  locksRoot(method: KeyringMethod, secret: Uint8Array): KeyringRow {
    const rowId = uuidv7()
    const place = { userId: this.userId, method, rowId }
    const locked = lockRoot(this.root, deriveRootWrapKey(method, secret), place)
    const [sealed, commit] = [encodeBase64Url(locked.sealed), encodeBase64Url(locked.commit)]
    return { rowId, method, version: 1, sealed, commit }
  }

  /** The root behind a row that the server gave back; `null` if this is not its secret. */
  unlocksRoot(row: KeyringRow, secret: Uint8Array): Uint8Array | null {
    const { rowId, method, version } = row
    const [sealed, commit] = [decodeBase64Url(row.sealed), decodeBase64Url(row.commit)]
    const place = { userId: this.userId, method, rowId }
    return unlockRoot({ sealed, commit, version }, deriveRootWrapKey(method, secret), place)
  }

  recoveryRow(code: Uint8Array = this.recoveryCode): object {
    const authSha256 = hash('sha256', deriveRecoveryAuth(code), 'buffer')
    return { row: this.locksRoot('recovery', code), recovery: { authSha256: encodeBase64Url(authSha256) } }
  }

  async confirmsRecovery(): Promise<Account> {
    await this.posts('/api/keyring-rows', this.recoveryRow())
    return await this.posts<Account>('/api/account/recovery-confirmed')
  }

  /** OPAQUE's two exchanges; the answer to the second, which sends the code. */
  async provesPassphrase(
    passphrase = PASSPHRASE,
  ): Promise<{ answer: Answer, exportKey: Uint8Array } | null> {
    await opaqueReady
    const { clientLoginState, startLoginRequest } = opaque.startLogin({ password: passphrase })
    const begun = await this.posts<PassphraseLogin>('/api/sessions/passphrase-start', { email: this.email, startLoginRequest, locale: 'en' })
    const finished = opaque.finishLogin({
      clientLoginState, loginResponse: begun.loginResponse, password: passphrase,
      keyStretching: this.stretching,
    })
    if (finished === undefined) return null
    const { finishLoginRequest, exportKey } = finished
    const answer = await this.asks('POST', '/api/sessions/passphrase-finish', { loginId: begun.loginId, finishLoginRequest })
    return { answer, exportKey: decodeBase64Url(exportKey) }
  }

  async signsInWithPassphrase(): Promise<SignedIn> {
    const proven = await this.provesPassphrase()
    if (proven === null) throw new Error('the passphrase is wrong')
    const { challengeId } = proven.answer.json<EmailChallenge>()
    const code = await takeCode(this.test.world, this.email)
    return this.keepsSession(await this.does('POST', '/api/sessions/passphrase', { challengeId, code }))
  }

  /** A new access token, long before the old one ends; signed in again where the session has ended. */
  async staysSignedIn(): Promise<void> {
    const answer = await this.asks('POST', '/api/sessions/refresh')
    if (answer.statusCode < 300) this.keepsSession(answer)
    else await this.signsInWithPassphrase()
  }

  async asksToSignIn(authenticator: Authenticator): Promise<Answer> {
    const { challengeId, options } = await this.posts<SignInOptions>('/api/sessions/passkey-options')
    return await this.asks('POST', '/api/sessions/passkey', { challengeId, response: authenticator.get(options) })
  }

  // ---- vaults and decks ----

  #sealsLabel(purpose: 'vault-title' | 'document-name' | 'grant-name', id: string, label: string): string {
    return encodeBase64Url(sealPrivate(this.root, { purpose, id }, encodeUtf8(label)))
  }

  async makesVault(title = 'Seed round'): Promise<Vault> {
    const vaultId = uuidv7()
    const tagKey = deriveVaultTagKey(this.root, vaultId)
    await this.posts('/api/vaults', {
      vaultId, tagKey: encodeBase64Url(tagKey), titleSealed: this.#sealsLabel('vault-title', vaultId, title),
    })
    return { vaultId, tagKey }
  }

  /** Seals a file and begins its upload; nothing is sent yet. */
  async beginsUpload(vault: { vaultId: string }, options: DeckOptions = {}): Promise<BegunUpload> {
    const sealed = await this.seals(options)
    const documentId = options.documentId ?? uuidv7()
    const previous = await this.#lastVersion(vault.vaultId, { documentId, part: options.part ?? 0 })
    const place: UploadPlace = {
      documentId, part: options.part ?? 0, gate: options.gate ?? 'nda', version: (previous?.version ?? 0) + 1,
    }
    const body = this.#uploadBody(sealed, place)
    const upload = await this.posts<Upload>(`/api/vaults/${vault.vaultId}/uploads`, body)
    return { ...sealed, ...place, body, upload, vaultId: vault.vaultId, previous }
  }

  /** What begins the upload of a first version, to be sent or tampered with. */
  async uploadBody(options: DeckOptions = {}): Promise<object> {
    const { documentId = uuidv7(), part = 0, gate = 'nda' } = options
    return this.#uploadBody(await this.seals(options), { documentId, part, gate, version: 1 })
  }

  #uploadBody(sealed: SealedFile, place: UploadPlace): object {
    return {
      ...place, nameSealed: this.#sealsLabel('document-name', place.documentId, 'Deck'),
      payloadLength: sealed.payload.length, nonce: encodeBase64Url(sealed.nonce),
      draftSealed: encodeBase64Url(randomBytes(104)),
      ownerHeader: encodeBase64Url(wrapFileKey(sealed.fileKey, this.keys.identity.recipient)),
    }
  }

  async #lastVersion(
    vaultId: string, place: { documentId: string, part: number },
  ): Promise<StoredVersion | null> {
    const { documents } = await this.gets<VaultDetail>(`/api/vaults/${vaultId}`)
    const document = documents.find(({ documentId }) => documentId === place.documentId)
    const versions = document?.versions ?? []
    return versions.filter(({ part }) => part === place.part).at(-1) ?? null
  }

  async seals(options: DeckOptions): Promise<SealedFile> {
    const bytes = options.file ?? randomBytes(1_000)
    const fileKey = makeFileKey()
    const nonce = makePayloadNonce()
    const plaintext = buildArchive({
      title: options.title ?? 'Deck', fileName: 'deck.pdf', mediaType: 'application/pdf', ...options.archive,
      file: sourceOfBytes(bytes),
    })
    const parts: Uint8Array[] = []
    const hashes: Uint8Array[] = []
    for await (const part of sealDeck({ plaintext, fileKey, nonce, hash: hashBulk })) {
      parts.push(part.bytes)
      hashes.push(part.chunkHashes)
    }
    const payload = concatBytes(...parts)
    if (payload.length !== payloadLengthOf(plaintext.size)) throw new Error('a payload has its length')
    return { fileKey, nonce, parts, payload, hashList: concatBytes(...hashes) }
  }

  async sendsParts(begun: BegunUpload): Promise<void> {
    for (const [index, bytes] of begun.parts.entries()) {
      const sha256 = encodeBase64Url(hash('sha256', bytes, 'buffer'))
      await this.does('PUT', `/api/uploads/${begun.upload.versionId}/parts/${index}`, bytes, { 'x-content-sha256': sha256 })
    }
    await this.does('PUT', `/api/uploads/${begun.upload.versionId}/hash-list`, begun.hashList)
  }

  /** The signed record of an upload, as the body that completes it. */
  record(begun: BegunUpload, changes: Partial<VersionRecord> = {}): CompleteUpload {
    const { root, keyCommit } = promisesOf({ ...begun, payloadLength: begun.payload.length })
    const previous = begun.previous === null ? null : decodeBase64Url(begun.previous.record)
    const signed = signRecord({
      vaultId: begun.vaultId, documentId: begun.documentId, part: begun.part, gate: begun.gate,
      version: begun.version,
      previousSha256: previous === null ? null : hash('sha256', previous, 'buffer'), payloadLength: begun.payload.length,
      nonce: begun.nonce, root, keyCommit, signingKey: this.keys.signing.publicKey, ...changes,
    }, this.keys.signing.secretKey)
    const [record, recordSignature] = encodeSigned(signed)
    return { record, recordSignature }
  }

  async uploadsDeck(vault: { vaultId: string }, options: DeckOptions = {}): Promise<Deck> {
    const begun = await this.beginsUpload(vault, options)
    await this.sendsParts(begun)
    const stored = await this.posts<StoredVersion>(`/api/uploads/${begun.upload.versionId}/complete`, this.record(begun))
    return { stored, fileKey: begun.fileKey, vaultId: vault.vaultId, documentId: begun.documentId }
  }

  // ---- NDAs and links ----

  async publishesNda(vault: { vaultId: string }, text = NDA_TEXT, title = 'Mutual NDA'): Promise<PublishedNda> {
    return await this.posts<PublishedNda>(`/api/vaults/${vault.vaultId}/ndas`, {
      text, title, templateId: 'mutual', templateVersion: 1, language: 'en',
    })
  }

  /** A header of a deck for one recipient, with the wrap record over it. */
  wraps(
    deck: Deck, grantId: Uint8Array, recipient: Recipient,
    acceptanceSha256: Uint8Array | null = null,
  ): WrappedHeader {
    const header = wrapFileKey(deck.fileKey, recipient)
    const { record, recordSignature } = deck.stored
    const signed = { bytes: decodeBase64Url(record), signature: decodeBase64Url(recordSignature) }
    const wrap = signWrap({
      grantId, recordSha256: recordSha256(signed), recipient, headerSha256: hash('sha256', header, 'buffer'), acceptanceSha256,
    }, this.keys.signing.secretKey)
    return {
      versionId: deck.stored.versionId, header: encodeBase64Url(header),
      wrap: encodeBase64Url(wrap.bytes), wrapSignature: encodeBase64Url(wrap.signature),
    }
  }

  /** Everything that a link's first request holds, to be sent or tampered with. */
  preparesLink(vault: { vaultId: string }, options: LinkOptions): PreparedLink {
    const grantIdBytes = makeGrantId()
    const secret = deriveLinkSecret(this.root, grantIdBytes)
    const keys = deriveLinkKeys(secret, grantIdBytes)
    const nda = options.nda ?? null
    const card = sealCard({ founder: this.name, title: 'Deck', pageCount: 3, ...options.card }, keys.cardKey, grantIdBytes)
    const grant: Grant = {
      vaultId: vault.vaultId, grantId: grantIdBytes, revision: 1, previousSha256: null,
      ndaSha256: nda === null ? null : decodeBase64Url(nda.sha256),
      linkRecipient: keys.identity.recipient, linkSigningKey: keys.signing.publicKey,
      logVkey: this.test.world.keys.log.vkey,
      policy: {
        cardSha256: card.sha256, mayDownload: false, expiresAtMs: null, gate: nda === null ? 'email' : 'nda',
        ndaConsentVersion: nda === null ? null : 1, openPagesGate: 'email', release: 'on-signature', hasWatermark: true,
        witnessesSha256: null,
        ...options.policy,
      },
    }
    const grantId = encodeBase64Url(grantIdBytes)
    const signed = signGrant(grant, this.keys.signing.secretKey)
    const isHeld = (deck: Deck) => grant.policy.release === 'on-approval' && deck.stored.gate === 'nda'
    return {
      grant, grantIdBytes, secret, keys, nda, decks: options.decks,
      body: {
        grantId, grant: encodeBase64Url(signed.bytes),
        grantSignature: encodeBase64Url(signed.signature),
        cardSealed: encodeBase64Url(card.sealed),
        nameSealed: this.#sealsLabel('grant-name', grantId, 'Fund I'),
        headers: options.decks.filter((deck) => !isHeld(deck))
          .map((deck) => this.wraps(deck, grantIdBytes, keys.identity.recipient)),
      },
    }
  }

  async makesLink(vault: { vaultId: string }, options: LinkOptions): Promise<Link> {
    const prepared = this.preparesLink(vault, options)
    const summary = await this.posts<GrantSummary>(`/api/vaults/${vault.vaultId}/grants`, prepared.body)
    const { fingerprint } = this.keys
    const fragment = formatFragment({ linkSecret: prepared.secret, fingerprint })
    const founderKey = this.keys.signing.publicKey
    const { vaultId } = vault
    return { ...prepared, vaultId, grantId: summary.grantId, fragment, founderKey, summary }
  }

  /** The next revision's request: the policy changed, the rest as it was. */
  preparesRevision(link: Link, policy: Partial<GrantPolicy>, revision = 2): Omit<PreparedLink['body'], 'grantId'> {
    const previous = decodeBase64Url(link.summary.grant)
    const grant: Grant = {
      ...link.grant, revision, previousSha256: hash('sha256', previous, 'buffer'), policy: { ...link.grant.policy, ...policy },
    }
    const signed = signGrant(grant, this.keys.signing.secretKey)
    return {
      grant: encodeBase64Url(signed.bytes), grantSignature: encodeBase64Url(signed.signature),
      cardSealed: link.summary.cardSealed, nameSealed: link.summary.nameSealed, headers: [],
    }
  }

  /** From nothing to a link: a vault, a deck with its open slides, an NDA, a grant. */
  async sharesDeck(options: SharedDeck = {}): Promise<Link> {
    const vault = await this.makesVault()
    const { file, openFile, openGate = 'email', policy } = options
    const whole = await this.uploadsDeck(vault, { gate: 'nda', ...file === undefined ? {} : { file } })
    const open = await this.uploadsDeck(vault, {
      documentId: whole.documentId, part: 1, gate: openGate,
      ...openFile === undefined ? {} : { file: openFile },
    })
    const nda = await this.publishesNda(vault)
    const terms = { openPagesGate: openGate, ...policy }
    return await this.makesLink(vault, { decks: [whole, open], nda, policy: terms })
  }

  /** Headers of the link's locked decks for one device, as an approval sends them. */
  headersFor(
    link: Link, device: { recipient: string, acceptanceSha256: Uint8Array },
  ): WrappedHeader[] {
    const locked = link.decks.filter(({ stored }) => stored.gate === 'nda')
    const recipient = parseRecipient(device.recipient)
    return locked.map((deck) =>
      this.wraps(deck, link.grantIdBytes, recipient, device.acceptanceSha256))
  }

  async revokes(link: Link): Promise<RevocationReport> {
    return await this.posts<RevocationReport>(`/api/grants/${link.grantId}/revoke`)
  }

  async revokesPerson(link: Link, personId: string): Promise<RevocationReport> {
    return await this.posts<RevocationReport>(`/api/grants/${link.grantId}/people/${personId}/revoke`)
  }
}

function encodeSigned(signed: Signed): [string, string] {
  return [encodeBase64Url(signed.bytes), encodeBase64Url(signed.signature)]
}

export interface SharedDeck {
  readonly file?: Uint8Array
  readonly openFile?: Uint8Array
  readonly openGate?: 'link' | 'email'
  readonly policy?: Partial<GrantPolicy>
}

export interface SealedFile {
  readonly fileKey: FileKey
  readonly nonce: Uint8Array
  readonly parts: readonly Uint8Array[]
  readonly payload: Uint8Array
  readonly hashList: Uint8Array
}

export interface UploadPlace {
  readonly documentId: string
  readonly part: Part
  readonly gate: Gate
  readonly version: number
}

export interface BegunUpload extends SealedFile, UploadPlace {
  readonly vaultId: string
  readonly previous: StoredVersion | null
  readonly body: object
  readonly upload: Upload
}

export interface PreparedLink {
  readonly grant: Grant
  readonly grantIdBytes: Uint8Array
  readonly secret: Uint8Array
  readonly keys: LinkKeys
  readonly nda: PublishedNda | null
  readonly decks: readonly Deck[]
  readonly body: {
    grantId: string, grant: string, grantSignature: string, cardSealed: string, nameSealed: string,
    headers: WrappedHeader[],
  }
}
