/**
 * Every request and answer between a client and the server, as schemas (SPEC.md § 11).
 * The server validates and serialises by them and derives OpenAPI; browsers import the types only,
 * so that no schema code is shipped to them.
 *
 * Conventions: every binary field is base64url without padding; every time is milliseconds since
 * 1970 UTC; vault, document, version and account ids are UUIDv7; grant ids are 16 random bytes.
 * Records, grants and wraps travel with a detached Ed25519 signature of 64 bytes.
 */
import { Type, type Static, type TSchema } from 'typebox'
import {
  MAX_CARD_SIZE_BYTES, MAX_EMAIL_LENGTH, MAX_FILE_SIZE_BYTES, MAX_GRANT_SIZE_BYTES,
  MAX_HEADER_SIZE_BYTES, MAX_NAME_LENGTH, MAX_NDA_SIZE_BYTES, MAX_NOTE_SIZE_BYTES,
  MAX_PAGE_LIMIT, MAX_RECORD_SIZE_BYTES, MAX_ROTATION_COUNT, MAX_TIME_STAMP_SIZE_BYTES,
  MAX_TITLE_LENGTH, MAX_WRAP_SIZE_BYTES,
} from './limits.js'

// ---------------------------------------------------------------- small parts

function strict<T extends Record<string, TSchema>>(properties: T) {
  return Type.Object(properties, { additionalProperties: false })
}

/** Up to `maxSizeBytes` bytes as base64url. */
function bytesUpTo(maxSizeBytes: number) {
  return Type.String({ pattern: '^[A-Za-z0-9_-]*$', maxLength: Math.ceil(maxSizeBytes * 4 / 3) })
}

/** Exactly `sizeBytes` bytes as base64url. */
function bytesOf(sizeBytes: number) {
  const length = Math.ceil(sizeBytes * 4 / 3)
  return Type.String({ pattern: '^[A-Za-z0-9_-]*$', minLength: length, maxLength: length })
}

// No controls, no line separators, no bidirectional overrides, no lone surrogates.
const PLAIN_LINE = '^[^\\u0000-\\u001f\\u007f-\\u009f\\u2028\\u2029\\u202a-\\u202e\\u2066-\\u2069\\ud800-\\udfff]*$'

function line(maxLength: number, minLength = 1) {
  return Type.String({ pattern: PLAIN_LINE, minLength, maxLength })
}

/** Several lines: as `line`, but with `\n`. */
function text(maxSizeBytes: number) {
  return Type.String({ pattern: PLAIN_LINE.replace('\\u0000-\\u001f', '\\u0000-\\u0009\\u000b-\\u001f'), minLength: 1, maxLength: maxSizeBytes })
}

const Uuid = Type.String({ pattern: '^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$' })
const GrantId = bytesOf(16)
const Email = Type.String({ pattern: '^[^\\s@"(),:;<>\\[\\\\\\]\\u0000-\\u001f\\u007f]+@[^\\s@"(),:;<>\\[\\\\\\]\\u0000-\\u001f\\u007f]+\\.[^\\s@.\\u0000-\\u001f]{2,}$', maxLength: MAX_EMAIL_LENGTH })
const EmailCode = Type.String({ pattern: '^[0-9]{8}$' })
const Locale = Type.Union([Type.Literal('en'), Type.Literal('ru')])
const TimeMs = Type.Integer({ minimum: 0 })
const Sha256 = bytesOf(32)
const Signature = bytesOf(64)
const SigningKey = bytesOf(32)
/** A hybrid age recipient, `age1pq1…`. */
const Recipient = Type.String({ pattern: '^age1pq1[02-9ac-hj-np-z]+$', maxLength: 2100 })
const Note = text(MAX_NOTE_SIZE_BYTES)
const Token = Type.String({ pattern: '^[A-Za-z0-9_.-]+$', maxLength: 2048 })
const LimitText = Type.String({ pattern: '^[1-9][0-9]{0,2}$' })
const Gate = Type.Union([Type.Literal('link'), Type.Literal('email'), Type.Literal('nda')])
const Part = Type.Union([Type.Literal(0), Type.Literal(1)])
/** Structure checked by the library that owns it (WebAuthn, OPAQUE), never by us. */
const Opaque = bytesUpTo(4096)

function nullable<T extends TSchema>(schema: T) {
  return Type.Union([schema, Type.Null()])
}

export const Problem = strict({
  type: Type.String(), title: Type.String(), status: Type.Integer(), code: Type.String(),
  requestId: Type.String(),
})
export const Empty = strict({})

// ---------------------------------------------------------------- the instance

/** The witnesses' lines of a tlog-policy, whose hash grants sign; their names in it; how many are enough. */
export const WitnessOffer = strict({
  text: Type.String(), sha256: Sha256, names: Type.Array(Type.String()),
  quorumCount: Type.Integer({ minimum: 1 }),
})

/** GET /api/config · GET /api/log/policy.txt, public: log and witnesses as a tlog-policy file */
export const Config = strict({
  viewerOrigin: Type.String(),
  publicUrl: Type.String(),
  logVkey: Type.String(),
  logOrigin: Type.String(),
  /** Receipts that link the log's keys, oldest first (SPEC.md § 7.11). */
  logRotations: Type.Array(Type.String(), { maxItems: MAX_ROTATION_COUNT }),
  /** Who cosigns the log's checkpoints; null where nobody does. */
  witnesses: nullable(WitnessOffer),
  maxFileSizeBytes: Type.Integer(),
  /** Where codes can be read in the embedded default; null where mail is sent. */
  outboxPath: nullable(Type.String()),
  version: Type.String(),
})

// ---------------------------------------------------------------- accounts

/** POST /api/email-codes. Answers alike for known and unknown addresses. */
export const RequestEmailCode = strict({
  email: Email,
  purpose: Type.Union([Type.Literal('sign-up'), Type.Literal('recover')]),
  locale: Locale,
})
export const EmailChallenge = strict(
  { challengeId: bytesOf(16), resendAfterMs: Type.Integer(), expiresAtMs: TimeMs },
)

/** POST /api/email-codes/proof */
export const ProveEmail = strict({ challengeId: bytesOf(16), code: EmailCode })
export const EmailProof = strict({ emailProof: Token })

const KeyringMethod = Type.Union([Type.Literal('passkey'), Type.Literal('passphrase'), Type.Literal('recovery')])

/** The root wrapped for one way in (SPEC.md § 4). `sealed` opens only after `commit` was checked. */
export const KeyringRow = strict({
  rowId: Uuid, method: KeyringMethod, version: Type.Literal(1), sealed: bytesUpTo(128),
  commit: bytesOf(32),
})

/** What the server needs to recognise the way in; exactly the one that fits `row.method`. */
export const NewKeyringRow = strict({
  row: KeyringRow,
  passkey: Type.Optional(
    strict({ challengeId: bytesOf(16), response: Type.Unknown(), label: line(60) }),
  ),
  passphrase: Type.Optional(strict({ registrationRecord: Opaque })),
  recovery: Type.Optional(strict({ authSha256: Sha256 })),
})

export const Account = strict({
  userId: Uuid, email: Email, name: Type.String(), signingKey: SigningKey, recipient: Recipient,
  isRecoveryConfirmed: Type.Boolean(), createdAtMs: TimeMs,
})
/** An access token lives ten minutes; the refresh token is a cookie. `row` unlocks the root. */
export const SignedIn = strict({
  accessToken: Token, expiresAtMs: TimeMs, account: Account, row: nullable(KeyringRow),
})

/** POST /api/accounts/passkey-options (emailProof) and /api/keyring-rows/passkey-options (session) */
export const PasskeyOptionsRequest = strict({ emailProof: Type.Optional(Token) })
export const PasskeyOptions = strict(
  { userId: Uuid, challengeId: bytesOf(16), options: Type.Unknown() },
)

/** POST /api/accounts/passphrase-registration and /api/keyring-rows/passphrase-registration */
export const PassphraseRegistrationRequest = strict(
  { emailProof: Type.Optional(Token), registrationRequest: Opaque },
)
export const PassphraseRegistration = strict({ userId: Uuid, registrationResponse: Opaque })

/** POST /api/accounts → SignedIn */
export const CreateAccount = strict({
  emailProof: Token, userId: Uuid, name: line(MAX_NAME_LENGTH), locale: Locale,
  signingKey: SigningKey, recipient: Recipient, newRow: NewKeyringRow,
})

/** POST /api/sessions/passkey-options */
export const SignInOptions = strict({ challengeId: bytesOf(16), options: Type.Unknown() })
/** POST /api/sessions/passkey → SignedIn */
export const SignInWithPasskey = strict({ challengeId: bytesOf(16), response: Type.Unknown() })
/** POST /api/sessions/passphrase-start */
export const StartPassphraseLogin = strict(
  { email: Email, startLoginRequest: Opaque, locale: Locale },
)
export const PassphraseLogin = strict({ loginId: bytesOf(16), loginResponse: Opaque })
/** POST /api/sessions/passphrase-finish → EmailChallenge */
export const FinishPassphraseLogin = strict({ loginId: bytesOf(16), finishLoginRequest: Opaque })
/** POST /api/sessions/passphrase (ProveEmail) → SignedIn · POST /api/sessions/refresh → SignedIn, row null
 *  DELETE /api/sessions → Empty · GET /api/account → Account */

/** GET /api/account/storage. Ciphertext, uploads included; the quota is the account's own or the instance's default. */
export const AccountStorage = strict({ usedBytes: Type.Integer(), quotaBytes: Type.Integer() })

/** POST /api/recovery → SignedIn with the recovery row. */
export const Recover = strict({ emailProof: Token, recoveryAuth: bytesOf(32) })

/** GET /api/keyring-rows · POST /api/keyring-rows (NewKeyringRow) · DELETE /api/keyring-rows/:rowId
 *  POST /api/account/recovery-confirmed → Account */
export const KeyringRowSummary = strict({
  rowId: Uuid, method: KeyringMethod, label: Type.String(), createdAtMs: TimeMs,
  lastUsedAtMs: nullable(TimeMs),
})
export const KeyringRowList = strict({ rows: Type.Array(KeyringRowSummary) })
export const RowParams = strict({ rowId: Uuid })

// ---------------------------------------------------------------- vaults and versions

/** POST /api/vaults. Titles and names are sealed under the owner's root: the server cannot read them. */
export const CreateVault = strict(
  { vaultId: Uuid, tagKey: bytesOf(32), titleSealed: bytesUpTo(1024) },
)
export const VaultParams = strict({ vaultId: Uuid })
/** PUT /api/vaults/:vaultId/title · DELETE /api/vaults/:vaultId → RevocationReport */
export const RenameVault = strict({ titleSealed: bytesUpTo(1024) })

export const VaultSummary = strict({
  vaultId: Uuid, titleSealed: bytesUpTo(1024), createdAtMs: TimeMs, versionCount: Type.Integer(),
  liveGrantCount: Type.Integer(), personCount: Type.Integer(), awaitingCount: Type.Integer(),
  lastEventAtMs: nullable(TimeMs),
})
/** GET /api/vaults?after=VAULT_ID&limit=N, newest first. */
export const VaultListQuery = strict(
  { after: Type.Optional(Uuid), limit: Type.Optional(LimitText) },
)
export const VaultList = strict({ vaults: Type.Array(VaultSummary), next: nullable(Uuid) })

/** One stored part of one version, with everything its owner needs to check and open it. */
export const StoredVersion = strict({
  versionId: Uuid, documentId: Uuid, part: Part, gate: Gate, version: Type.Integer({ minimum: 1 }),
  payloadLength: Type.Integer({ minimum: 0 }), record: bytesUpTo(MAX_RECORD_SIZE_BYTES),
  recordSignature: Signature,
  ownerHeader: bytesUpTo(MAX_HEADER_SIZE_BYTES), storedAtMs: TimeMs,
})
export const StoredDocument = strict({
  documentId: Uuid, nameSealed: bytesUpTo(1024), versions: Type.Array(StoredVersion),
})

export const PublishedNda = strict({
  sha256: Sha256, title: line(MAX_TITLE_LENGTH), templateId: line(60),
  templateVersion: Type.Integer(), language: Locale,
  publishedAtMs: TimeMs,
})

export const GrantSummary = strict({
  grantId: GrantId, nameSealed: bytesUpTo(1024), revision: Type.Integer(),
  grant: bytesUpTo(MAX_GRANT_SIZE_BYTES),
  grantSignature: Signature, cardSealed: bytesUpTo(MAX_CARD_SIZE_BYTES), createdAtMs: TimeMs,
  expiresAtMs: nullable(TimeMs),
  revokedAtMs: nullable(TimeMs), personCount: Type.Integer(),
})

/** GET /api/vaults/:vaultId */
export const VaultDetail = strict({
  vaultId: Uuid, titleSealed: bytesUpTo(1024), createdAtMs: TimeMs,
  documents: Type.Array(StoredDocument),
  grants: Type.Array(GrantSummary), ndas: Type.Array(PublishedNda),
})

// ---------------------------------------------------------------- uploads

/** POST /api/vaults/:vaultId/uploads → Upload */
export const BeginUpload = strict({
  documentId: Uuid, nameSealed: bytesUpTo(1024), part: Part, gate: Gate,
  version: Type.Integer({ minimum: 1, maximum: 1_000_000 }),
  payloadLength: Type.Integer({ minimum: 1, maximum: MAX_FILE_SIZE_BYTES * 1.2 }),
  nonce: bytesOf(16),
  ownerHeader: bytesUpTo(MAX_HEADER_SIZE_BYTES), draftSealed: bytesUpTo(4096),
})
export const UploadParams = strict({ versionId: Uuid })
/** PUT …/parts/:index, application/octet-stream, header x-content-sha256 (base64url) → Empty */
export const PartParams = strict({ versionId: Uuid, index: Type.String({ pattern: '^(0|[1-9][0-9]{0,3})$' }) })
export const PartTarget = strict({
  index: Type.Integer(), method: Type.Literal('PUT'), url: Type.String(), headers: Type.Record(Type.String(), Type.String()),
  isStored: Type.Boolean(),
  /** After so many seconds the upload is to be read again for a new address; null: never. */
  expiresInSeconds: Type.Union([Type.Integer(), Type.Null()]),
})
/** GET /api/uploads/:versionId and in lists: `parts` says which are there and where to put the rest. */
export const Upload = strict({
  versionId: Uuid, vaultId: Uuid, documentId: Uuid, nameSealed: bytesUpTo(1024), part: Part,
  gate: Gate, version: Type.Integer(),
  payloadLength: Type.Integer(), nonce: bytesOf(16), draftSealed: bytesUpTo(4096),
  ownerHeader: bytesUpTo(MAX_HEADER_SIZE_BYTES), parts: Type.Array(PartTarget), createdAtMs: TimeMs,
})
/** GET /api/vaults/:vaultId/uploads: what was begun and not finished. */
export const UploadList = strict({ uploads: Type.Array(Upload) })
/** PUT /api/uploads/:versionId/hash-list, application/octet-stream (32 bytes a chunk) → Empty
 *  POST /api/uploads/:versionId/complete → StoredVersion · DELETE /api/uploads/:versionId → Empty */
export const CompleteUpload = strict(
  { record: bytesUpTo(MAX_RECORD_SIZE_BYTES), recordSignature: Signature },
)

/** GET /api/versions/:versionId/hash-list · GET /api/versions/:versionId/payload (one Range, at most 4 MiB): octets,
 *  or 200 with DirectRange. For the owner and for those to whom a header of the version was released. */
export const VersionParams = strict({ versionId: Uuid })
/** The range lies in the bucket: its pieces in order, bytes `start` up to but not including `end` of each address. */
export const DirectRange = strict({
  pieces: Type.Array(strict({ url: Type.String(), start: Type.Integer(), end: Type.Integer() })),
})

// ---------------------------------------------------------------- NDAs and grants

/** POST /api/vaults/:vaultId/ndas → PublishedNda · GET /api/vaults/:vaultId/ndas/:sha256 → NdaText */
export const PublishNda = strict({
  text: text(MAX_NDA_SIZE_BYTES), title: line(MAX_TITLE_LENGTH), templateId: line(60),
  templateVersion: Type.Integer(), language: Locale,
})
export const NdaParams = strict({ vaultId: Uuid, sha256: Sha256 })
export const NdaText = strict({
  sha256: Sha256, title: Type.String(), language: Locale, templateId: Type.String(),
  templateVersion: Type.Integer(), text: Type.String(),
})

/** A header made by the founder, with her wrap record over it. Without `deviceId` it is the link's. */
export const WrappedHeader = strict({
  versionId: Uuid, header: bytesUpTo(MAX_HEADER_SIZE_BYTES), wrap: bytesUpTo(MAX_WRAP_SIZE_BYTES),
  wrapSignature: Signature,
})
/** POST /api/vaults/:vaultId/grants → GrantSummary */
export const MakeGrant = strict({
  grantId: GrantId, grant: bytesUpTo(MAX_GRANT_SIZE_BYTES), grantSignature: Signature,
  cardSealed: bytesUpTo(MAX_CARD_SIZE_BYTES),
  nameSealed: bytesUpTo(1024), headers: Type.Array(WrappedHeader, { maxItems: 200 }),
})
export const GrantParams = strict({ grantId: GrantId })
/** POST /api/grants/:grantId/revisions → GrantSummary */
export const ReviseGrant = strict({
  grant: bytesUpTo(MAX_GRANT_SIZE_BYTES), grantSignature: Signature,
  cardSealed: bytesUpTo(MAX_CARD_SIZE_BYTES),
  nameSealed: bytesUpTo(1024), headers: Type.Array(WrappedHeader, { maxItems: 200 }),
})
/** POST /api/grants/:grantId/headers → Empty: the link's headers of versions made after the grant. */
export const AddHeaders = strict(
  { headers: Type.Array(WrappedHeader, { minItems: 1, maxItems: 200 }) },
)

export const RevocationEffect = Type.Union([
  Type.Literal('never-released'), Type.Literal('released-now-withheld'), Type.Literal('released-and-opened'),
])
/** What a revocation did, person by person. POST /api/grants/:grantId/revoke, …/people/:personId/revoke */
export const RevocationReport = strict({
  revokedAtMs: TimeMs, headerCount: Type.Integer(),
  people: Type.Array(strict({
    personId: Uuid, name: Type.String(), email: nullable(Type.String()), effect: RevocationEffect,
  })),
})
export const PersonParams = strict({ grantId: GrantId, personId: Uuid })

export const PersonState = Type.Union([
  Type.Literal('asked'), Type.Literal('verified'), Type.Literal('awaiting'), Type.Literal('signed'),
  Type.Literal('released'), Type.Literal('opened'), Type.Literal('declined'), Type.Literal('denied'),
  Type.Literal('revoked'),
])
/** GET /api/vaults/:vaultId/people?after=PERSON_ID&limit=N, newest first. */
export const Person = strict({
  personId: Uuid, grantId: GrantId, name: Type.String(), email: nullable(Type.String()),
  askedAtMs: TimeMs,
  verifiedAtMs: nullable(TimeMs), signedAtMs: nullable(TimeMs), releasedAtMs: nullable(TimeMs),
  openedAtMs: nullable(TimeMs),
  declinedAtMs: nullable(TimeMs), revokedAtMs: nullable(TimeMs), deviceCount: Type.Integer(),
  /** The event of the newest signature, whose receipt can be had. */
  signedEventId: nullable(Uuid),
  state: PersonState,
})
export const PersonListQuery = strict(
  { after: Type.Optional(Uuid), limit: Type.Optional(LimitText) },
)
export const PersonList = strict({ people: Type.Array(Person), next: nullable(Uuid) })

/** GET /api/requests?limit=N: signed requests that wait for the founder, over all vaults, oldest first. */
export const AccessRequest = strict({
  acceptanceId: Uuid, vaultId: Uuid, grantId: GrantId, personId: Uuid, name: Type.String(),
  email: nullable(Type.String()),
  signedAtMs: TimeMs, acceptance: Note, enrolment: Note, recipient: Recipient,
  deviceSigningKey: SigningKey,
  vaultTitleSealed: bytesUpTo(1024), grantNameSealed: bytesUpTo(1024),
})
export const RequestListQuery = strict({ limit: Type.Optional(LimitText) })
export const AccessRequestList = strict(
  { requests: Type.Array(AccessRequest), totalCount: Type.Integer() },
)
export const AcceptanceParams = strict({ acceptanceId: Uuid })
/** POST /api/acceptances/:acceptanceId/approve → Empty: headers to the device, made after checking the notes.
 *  POST /api/acceptances/:acceptanceId/deny → Empty */
export const Approve = strict(
  { headers: Type.Array(WrappedHeader, { minItems: 1, maxItems: 200 }) },
)

/** One whom the founder let in before, and the wrap record by which she did: her browser believes nothing else. */
export const Approval = strict({
  request: AccessRequest,
  approval: strict({ wrap: bytesUpTo(MAX_WRAP_SIZE_BYTES), signature: Signature }),
})
/** GET /api/vaults/:vaultId/approvals: those who lack a header of a newest version, oldest first.
 *  POST /api/acceptances/:acceptanceId/headers (Approve) → Empty: headers of versions made after the approval. */
export const ApprovalList = strict({ approvals: Type.Array(Approval, { maxItems: 100 }) })

// ---------------------------------------------------------------- the gate (investor)

/** GET /api/gate/:grantId. Refuses: grant-not-found, grant-revoked, grant-expired. */
export const GateView = strict({
  grantId: GrantId, vaultId: Uuid, grant: bytesUpTo(MAX_GRANT_SIZE_BYTES),
  grantSignature: Signature,
  signingKey: SigningKey, cardSealed: bytesUpTo(MAX_CARD_SIZE_BYTES), logVkey: Type.String(),
  /** As in WitnessOffer: whom the grant names, else whom this server asks; null where neither. */
  witnesses: nullable(Type.String()),
  nda: nullable(strict({ sha256: Sha256, title: Type.String(), language: Locale })),
  /** Which parts wait behind which gate; titles are in the card and the manifests. */
  parts: Type.Array(strict({ documentId: Uuid, part: Part, gate: Gate, version: Type.Integer() })),
})
/** POST /api/gate/:grantId/codes → EmailChallenge */
export const RequestGateCode = strict({ email: Email, name: line(MAX_NAME_LENGTH), locale: Locale })
/** POST /api/gate/:grantId/codes/proof (ProveEmail) → GateEmailProof */
export const GateEmailProof = strict({ emailProof: Token, nonce: bytesOf(32) })
/** POST /api/gate/:grantId/nonces → Nonce, good once within 15 minutes */
export const Nonce = strict({ nonce: bytesOf(32), expiresAtMs: TimeMs })

/** A header handed over, with all that the client checks before a byte is shown. */
export const ReleasedHeader = strict({
  versionId: Uuid, documentId: Uuid, part: Part, gate: Gate, version: Type.Integer(),
  payloadLength: Type.Integer(),
  header: bytesUpTo(MAX_HEADER_SIZE_BYTES),
  /** null on a header that this device made for itself. */
  wrap: nullable(strict({ wrap: bytesUpTo(MAX_WRAP_SIZE_BYTES), signature: Signature })),
  /** The record of this version last, those before it first: the whole chain of the document part. */
  records: Type.Array(
    strict({ record: bytesUpTo(MAX_RECORD_SIZE_BYTES), signature: Signature }), { minItems: 1 },
  ),
})
/** A tlog-proof of one event, as text. `details` lets its holder read what the event commits to. */
export const Receipt = strict({
  eventId: Uuid, eventType: Type.String(), proof: Type.String(),
  details: nullable(strict({ bytes: bytesUpTo(64 * 1024), salt: bytesOf(32) })),
})

/** Where a person stands behind this grant; drives the investor's screen. */
export const Standing = Type.Union([
  Type.Literal('reading-open'), Type.Literal('nda-due'), Type.Literal('awaiting-approval'), Type.Literal('released'),
  Type.Literal('declined'), Type.Literal('denied'),
])
export const GateSession = strict({
  accessToken: Token, expiresAtMs: TimeMs, personId: Uuid, deviceId: Uuid, name: Type.String(),
  email: nullable(Type.String()),
  standing: Standing,
})
/** What a signed act earned: the headers, and the receipts that prove it was logged first. */
export const Release = strict({
  standing: Standing, headers: Type.Array(ReleasedHeader), receipts: Type.Array(Receipt),
})

/** POST /api/gate/:grantId/access-requests → GateAccess: both notes by link key and device key.
 *  `emailProof` is due unless every open part has gate `link`. */
export const RequestAccess = strict(
  { accessRequest: Note, enrolment: Note, emailProof: Type.Optional(Token) },
)
export const GateAccess = strict({ session: GateSession, release: Release })
/** POST /api/gate/:grantId/sessions → GateSession: a device key signs a fresh nonce. */
export const RenewGateSession = strict({ deviceSigningKey: SigningKey, sessionNote: Note })
/** GET /api/gate/:grantId/nda (investor) → NdaText */
/** POST /api/gate/:grantId/acceptances (investor) → Release. The same note again gives the same answer. */
export const AcceptNda = strict({ acceptance: Note })
/** GET /api/gate/:grantId/evidence (investor) → GateEvidence: what proves her own visits, for an evidence pack. */
export const GateEvidence = strict({
  receipts: Type.Array(Receipt, { maxItems: 200 }),
  agreements: Type.Array(NdaText, { maxItems: 20 }),
})
/** POST /api/gate/:grantId/decline (investor) → Release: signed by link key and device key. */
export const DeclineNda = strict({ decline: Note })
/** POST /api/gate/:grantId/releases (investor) → Release: all headers that this device has earned. */
/** PUT /api/gate/:grantId/device-headers (investor) → Empty: file keys re-wrapped to the device. */
export const KeepDeviceHeaders = strict({
  headers: Type.Array(
    strict({ versionId: Uuid, header: bytesUpTo(MAX_HEADER_SIZE_BYTES) }), { maxItems: 200 },
  ),
})
/** GET /api/receipts/:eventId (founder of the vault, or the investor it is about) → Receipt */
export const EventParams = strict({ eventId: Uuid })

// ---------------------------------------------------------------- auditors and the log

/** POST /api/vaults/:vaultId/invitations → Invitation. The link's fragment is made in the founder's browser. */
export const InviteAuditor = strict({ email: Email, withIdentities: Type.Boolean() })
export const Invitation = strict({
  invitationId: Uuid, vaultId: Uuid, email: Email, withIdentities: Type.Boolean(),
  createdAtMs: TimeMs, expiresAtMs: TimeMs,
  acceptedAtMs: nullable(TimeMs), revokedAtMs: nullable(TimeMs),
})
/** GET /api/vaults/:vaultId/invitations · POST /api/invitations/:invitationId/revoke → Empty */
export const InvitationList = strict({ invitations: Type.Array(Invitation) })
export const InvitationParams = strict({ invitationId: Uuid })
/** POST /api/invitations/:invitationId/accept (account with that address) → AuditedVault */
export const AuditedVault = strict({
  invitationId: Uuid, vaultId: Uuid, founderName: Type.String(), founderSigningKey: SigningKey,
  withIdentities: Type.Boolean(),
  acceptedAtMs: TimeMs, logVkey: Type.String(), eventCount: Type.Integer(),
})
/** GET /api/audited-vaults. `instance`: where the operator has named this account its auditor. */
export const AuditedVaultList = strict({
  vaults: Type.Array(AuditedVault),
  instance: nullable(strict({ logVkey: Type.String(), eventCount: Type.Integer() })),
})

/** One event of a vault: the bytes that were hashed, what opens the commitment, and its proof. */
export const LoggedEvent = strict({
  index: Type.Integer({ minimum: 0 }), eventId: Uuid, type: Type.String(), atMs: TimeMs,
  /** null once erased; then `commitment` alone still proves that the entry is there. */
  event: nullable(bytesUpTo(64 * 1024)), salt: nullable(bytesOf(32)),
  /** What the entry in the tree consists of. */
  commitment: Sha256, vaultTag: bytesOf(16), partyTag: bytesOf(16),
  /** The number that the vault's tag was made with; null where the event belongs to no vault. */
  vaultSequence: nullable(Type.Integer({ minimum: 1 })),
  /** null where erased, or where the reader may not see identities. */
  details: nullable(strict({ bytes: bytesUpTo(64 * 1024), salt: bytesOf(32) })),
  /** Inclusion path, leaf side first, in the tree of the answer's checkpoint. */
  proof: Type.Array(Sha256, { maxItems: 63 }),
})
/** What narrows a list or an export; all of them together. Times are the events' own, both ends included. */
const EventFilter = {
  type: Type.Optional(Type.String({ pattern: '^[a-z-]+\\.[a-z-]+$', maxLength: 40 })),
  personId: Type.Optional(Uuid),
  documentId: Type.Optional(Uuid),
  fromMs: Type.Optional(Type.String({ pattern: '^[0-9]{1,15}$' })),
  toMs: Type.Optional(Type.String({ pattern: '^[0-9]{1,15}$' })),
}
const EventIndex = Type.String({ pattern: '^(0|[1-9][0-9]{0,15})$' })
/** GET /api/vaults/:vaultId/events (founder or auditor) · GET /api/instance/events (the instance's auditor).
 *  Newest first, or by `order`. `before`: only events before this entry; `after`: only those after it (live tail).
 *  With `if-none-match: "<newest>"` the answer is 304 while the newest entry is still that one. */
export const EventListQuery = strict({
  ...EventFilter,
  before: Type.Optional(EventIndex), after: Type.Optional(EventIndex),
  order: Type.Optional(Type.Literal('oldest-first')),
  limit: Type.Optional(LimitText),
})
export const EventList = strict({
  events: Type.Array(LoggedEvent, { maxItems: MAX_PAGE_LIMIT }), checkpoint: Type.String(),
  totalCount: Type.Integer(),
  /** The last entry of this page, if more follow. */
  next: nullable(Type.Integer()),
  /** The newest published entry of the vault or instance, whatever the filter. */
  newest: nullable(Type.Integer()),
  /** With it every tag can be checked, and found in the public log; null for the instance. */
  vaultTagKey: nullable(bytesOf(32)),
})
/** POST /api/vaults/:vaultId/exports (founder or auditor) · POST /api/instance/exports (the instance's auditor):
 *  answers `sealdeck-audit-export/v1` (protocol/log/export.ts), oldest first, as a stream; itself an event. */
export const ExportEvents = strict({
  ...EventFilter,
  /** What the reader makes of it: the file itself, a table, an evidence pack. The answer is the same. */
  format: Type.Optional(Type.Union([Type.Literal('json'), Type.Literal('csv'), Type.Literal('evidence')])),
})

/** GET /api/log/consistency?from=M&to=N: proof hashes between two sizes of the tree. */
/** The origin of one of the server's logs; the newest, where it is left out. */
const LogOrigin = Type.String({ minLength: 1, maxLength: 200, pattern: '^[^\\s+]+$' })

/** A log's folder, and the file in it. */
export const LogFileParams = strict({ log: Type.String(), '*': Type.String() })

export const ConsistencyQuery = strict({
  log: Type.Optional(LogOrigin),
  from: Type.String({ pattern: '^(0|[1-9][0-9]{0,15})$' }), to: Type.String({ pattern: '^(0|[1-9][0-9]{0,15})$' }),
})
export const ConsistencyProof = strict({ hashes: Type.Array(Sha256, { maxItems: 130 }) })

/** GET /api/log/timestamps?after=N: sizes of checkpoints with a time-stamp, ascending (SPEC.md § 7.10). */
export const TimeStampsQuery = strict({
  log: Type.Optional(LogOrigin),
  after: Type.Optional(Type.String({ pattern: '^(0|[1-9][0-9]{0,15})$' })),
})
export const TimeStampList = strict({
  sizes: Type.Array(Type.Integer(), { maxItems: MAX_PAGE_LIMIT }), next: nullable(Type.Integer()),
})
/** GET /api/log/timestamps/first?index=I&size=N → FirstTimeStamp: for evidence, the first stamped checkpoint over an entry,
 *  and how it hangs together with the checkpoint of N entries: proof hashes from the smaller tree to the larger. */
export const FirstTimeStampQuery = strict({
  log: Type.Optional(LogOrigin),
  index: Type.String({ pattern: '^(0|[1-9][0-9]{0,15})$' }), size: Type.String({ pattern: '^[1-9][0-9]{0,15}$' }),
})
export const FirstTimeStamp = strict({
  /** Null: not stamped yet, or nobody stamps this log. */
  stamp: nullable(strict({
    checkpoint: Note, token: bytesUpTo(MAX_TIME_STAMP_SIZE_BYTES),
    proof: Type.Array(Sha256, { maxItems: 130 }),
  })),
})
/** POST /api/log/gossip: a checkpoint that somebody brings, held against the log's own tree. `checkpoint`: the log's. */
export const Gossip = strict({ checkpoint: Note })
export const GossipAnswer = strict({
  outcome: Type.Union([Type.Literal('consistent'), Type.Literal('fork')]), checkpoint: Type.String(),
})

/** POST /api/vaults/:vaultId/statements (founder) → Statements: what events name by hash, as it was signed. */
export const AskStatements = strict({
  /** SHA-256 of G and of M. */
  grants: Type.Array(Sha256, { maxItems: 100 }), records: Type.Array(Sha256, { maxItems: 100 }),
  /** Of wrap records: the header's SHA-256, or that of the recipient's text. */
  headers: Type.Array(Sha256, { maxItems: 100 }), recipients: Type.Array(Sha256, { maxItems: 100 }),
})
const SignedBytes = strict({ bytes: bytesUpTo(MAX_GRANT_SIZE_BYTES), signature: Signature })
export const Statements = strict({
  grants: Type.Array(SignedBytes), records: Type.Array(SignedBytes), wraps: Type.Array(SignedBytes),
})

// ---------------------------------------------------------------- types

export type Problem = Static<typeof Problem>
export type WitnessOffer = Static<typeof WitnessOffer>
export type Config = Static<typeof Config>
export type RequestEmailCode = Static<typeof RequestEmailCode>
export type EmailChallenge = Static<typeof EmailChallenge>
export type ProveEmail = Static<typeof ProveEmail>
export type EmailProof = Static<typeof EmailProof>
export type KeyringRow = Static<typeof KeyringRow>
export type NewKeyringRow = Static<typeof NewKeyringRow>
export type Account = Static<typeof Account>
export type AccountStorage = Static<typeof AccountStorage>
export type SignedIn = Static<typeof SignedIn>
export type PasskeyOptions = Static<typeof PasskeyOptions>
export type PassphraseRegistration = Static<typeof PassphraseRegistration>
export type CreateAccount = Static<typeof CreateAccount>
export type SignInOptions = Static<typeof SignInOptions>
export type PassphraseLogin = Static<typeof PassphraseLogin>
export type KeyringRowSummary = Static<typeof KeyringRowSummary>
export type KeyringRowList = Static<typeof KeyringRowList>
export type CreateVault = Static<typeof CreateVault>
export type VaultSummary = Static<typeof VaultSummary>
export type VaultList = Static<typeof VaultList>
export type StoredVersion = Static<typeof StoredVersion>
export type StoredDocument = Static<typeof StoredDocument>
export type PublishedNda = Static<typeof PublishedNda>
export type GrantSummary = Static<typeof GrantSummary>
export type VaultDetail = Static<typeof VaultDetail>
export type BeginUpload = Static<typeof BeginUpload>
export type PartTarget = Static<typeof PartTarget>
export type Upload = Static<typeof Upload>
export type DirectRange = Static<typeof DirectRange>
export type UploadList = Static<typeof UploadList>
export type CompleteUpload = Static<typeof CompleteUpload>
export type PublishNda = Static<typeof PublishNda>
export type NdaText = Static<typeof NdaText>
export type WrappedHeader = Static<typeof WrappedHeader>
export type MakeGrant = Static<typeof MakeGrant>
export type ReviseGrant = Static<typeof ReviseGrant>
export type RevocationEffect = Static<typeof RevocationEffect>
export type RevocationReport = Static<typeof RevocationReport>
export type PersonState = Static<typeof PersonState>
export type Person = Static<typeof Person>
export type PersonList = Static<typeof PersonList>
export type AccessRequest = Static<typeof AccessRequest>
export type AccessRequestList = Static<typeof AccessRequestList>
export type Approve = Static<typeof Approve>
export type Approval = Static<typeof Approval>
export type ApprovalList = Static<typeof ApprovalList>
export type GateView = Static<typeof GateView>
export type GateEmailProof = Static<typeof GateEmailProof>
export type Nonce = Static<typeof Nonce>
export type ReleasedHeader = Static<typeof ReleasedHeader>
export type Receipt = Static<typeof Receipt>
export type GateEvidence = Static<typeof GateEvidence>
export type Standing = Static<typeof Standing>
export type GateSession = Static<typeof GateSession>
export type Release = Static<typeof Release>
export type GateAccess = Static<typeof GateAccess>
export type RequestAccess = Static<typeof RequestAccess>
export type KeepDeviceHeaders = Static<typeof KeepDeviceHeaders>
export type Invitation = Static<typeof Invitation>
export type InvitationList = Static<typeof InvitationList>
export type AuditedVault = Static<typeof AuditedVault>
export type AuditedVaultList = Static<typeof AuditedVaultList>
export type LoggedEvent = Static<typeof LoggedEvent>
export type EventList = Static<typeof EventList>
export type ConsistencyProof = Static<typeof ConsistencyProof>
export type FirstTimeStamp = Static<typeof FirstTimeStamp>
export type GossipAnswer = Static<typeof GossipAnswer>
export type AskStatements = Static<typeof AskStatements>
export type Statements = Static<typeof Statements>
export type FinishPassphraseLogin = Static<typeof FinishPassphraseLogin>
export type Recover = Static<typeof Recover>
export type SignInWithPasskey = Static<typeof SignInWithPasskey>
export type StartPassphraseLogin = Static<typeof StartPassphraseLogin>
