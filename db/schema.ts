/**
 * Every table, for both engines (ARCHITECTURE.md, "Rows"). Columns say what they hold; rules that
 * need more than one column stand in db/queries, where the statement repeats them.
 *
 * What the server must not be able to read lies here sealed (`...Sealed`) or as a hash (`...Hash`).
 * The log's own tables are at the end; db/migrations adds their triggers, the function
 * `integrate` and the roles.
 */
import { sql } from 'drizzle-orm'
import {
  bigint, bigserial, boolean, check, index, integer, jsonb, pgTable, primaryKey, smallint, text,
  unique,
  uniqueIndex, uuid, type AnyPgColumn,
} from 'drizzle-orm/pg-core'
import { bytea, instant } from './columns.js'

export const GATES = ['link', 'email', 'nda'] as const
export type Gate = typeof GATES[number]

export const RELEASE_RULES = ['on-signature', 'on-approval'] as const
export type ReleaseRule = typeof RELEASE_RULES[number]

export const KEYRING_METHODS = ['passkey', 'passphrase', 'recovery'] as const
export type KeyringMethod = typeof KEYRING_METHODS[number]

export const LOCALES = ['en', 'ru'] as const
export type Locale = typeof LOCALES[number]

const sha256Size = 32

// ---- accounts -------------------------------------------------------------------------------

/** One person with an account: the founder of the vaults she owns, the auditor where she was invited. */
export const users = pgTable('users', {
  id: uuid().primaryKey(),
  /** Canonical: one place decides what that is, and this index makes it unique. */
  email: text().notNull().unique(),
  name: text().notNull(),
  /** The language of the mails to her. */
  locale: text({ enum: LOCALES }).notNull(),
  /** The signing key's public half (`pkF`). */
  signingPublicKey: bytea().notNull(),
  /** The owner's age recipient, `age1pq1...`. */
  recipient: text().notNull(),
  recoveryConfirmedAtMs: instant('recovery_confirmed_at'),
  /** Null: what the configuration gives everybody. */
  quotaBytes: bigint({ mode: 'number' }),
  /** Payload bytes of her versions and uploads, kept by the statements that begin and end them. */
  usedBytes: bigint({ mode: 'number' }).notNull().default(0),
  createdAtMs: instant('created_at').notNull(),
  disabledAtMs: instant('disabled_at'),
})

/** The root, wrapped once per way in (SPEC.md § 3.1). */
export const keyringRows = pgTable('keyring_rows', {
  /** Made by the client: it is part of the sealed bytes' associated data. */
  id: uuid().primaryKey(),
  userId: uuid().notNull().references(() => users.id, { onDelete: 'cascade' }),
  method: text({ enum: KEYRING_METHODS }).notNull(),
  version: integer().notNull(),
  sealed: bytea().notNull(),
  commit: bytea().notNull(),
  /** What the owner calls this way in, for example the browser's name. */
  label: text().notNull().default(''),
  credentialId: text().unique(),
  credentialPublicKey: bytea(),
  credentialCounter: bigint({ mode: 'number' }),
  credentialTransports: text().array(),
  opaqueRecord: text(),
  /** SHA-256 of what a recovery code proves itself with. */
  recoveryAuthSha256: bytea(),
  createdAtMs: instant('created_at').notNull(),
  usedAtMs: instant('used_at'),
}, (table) => [index().on(table.userId, table.createdAtMs)])

export const CODE_PURPOSES = ['sign-up', 'sign-in', 'recover', 'access'] as const
export type CodePurpose = typeof CODE_PURPOSES[number]

/** A code sent by mail. The challenge id stays with the browser that asked; here lies its hash. */
export const emailCodes = pgTable('email_codes', {
  challengeHash: bytea().primaryKey(),
  email: text().notNull(),
  purpose: text({ enum: CODE_PURPOSES }).notNull(),
  codeHash: bytea().notNull(),
  tryCount: integer().notNull().default(0),
  /** For purpose `access`: the link it was asked for, and the name given with the address. */
  grantId: text(),
  name: text(),
  /** For purpose `sign-in`: the account whose passphrase was right. */
  userId: uuid(),
  createdAtMs: instant('created_at').notNull(),
  expiresAtMs: instant('expires_at').notNull(),
  usedAtMs: instant('used_at'),
}, (table) => [index().on(table.email, table.createdAtMs), index().on(table.expiresAtMs)])

/** One signed-in browser: a refresh token that changes with each use (server/session.ts). */
export const sessions = pgTable('sessions', {
  id: uuid().primaryKey(),
  userId: uuid().notNull().references(() => users.id, { onDelete: 'cascade' }),
  tokenHash: bytea().notNull(),
  /** The token before this one: seen again after a moment, it was stolen, and the session ends. */
  previousTokenHash: bytea(),
  rotatedAtMs: instant('rotated_at').notNull(),
  /** When a factor was last proven: acts that need a fresh one look here. */
  provenAtMs: instant('proven_at').notNull(),
  createdAtMs: instant('created_at').notNull(),
  idleExpiresAtMs: instant('idle_expires_at').notNull(),
  expiresAtMs: instant('expires_at').notNull(),
  revokedAtMs: instant('revoked_at'),
}, (table) => [index().on(table.userId), index().on(table.expiresAtMs)])

export const CHALLENGE_KINDS = [
  'passkey-registration', 'passkey-sign-in', 'passphrase-sign-in',
] as const
export type ChallengeKind = typeof CHALLENGE_KINDS[number]

/** The server's half of a ceremony in two requests (WebAuthn, OPAQUE). Single use. */
export const challenges = pgTable('challenges', {
  /** 16 random bytes, base64url. */
  id: text().primaryKey(),
  kind: text({ enum: CHALLENGE_KINDS }).notNull(),
  userId: uuid(),
  /** The WebAuthn challenge, or OPAQUE's server state. */
  state: text().notNull(),
  createdAtMs: instant('created_at').notNull(),
  expiresAtMs: instant('expires_at').notNull(),
  usedAtMs: instant('used_at'),
}, (table) => [index().on(table.expiresAtMs)])

// ---- vaults, documents, versions ------------------------------------------------------------

export const vaults = pgTable('vaults', {
  /** A UUIDv7 made by the founder's client: her keys are derived with it. */
  id: uuid().primaryKey(),
  ownerId: uuid().notNull().references(() => users.id),
  /** `HKDF(R, vaultId, "vault/tag-key")`: tags this vault's entries in the log. */
  tagKey: bytea().notNull(),
  titleSealed: bytea().notNull(),
  createdAtMs: instant('created_at').notNull(),
  deletedAtMs: instant('deleted_at'),
}, (table) => [
  index().on(table.ownerId, table.createdAtMs.desc(), table.id.desc()),
  check('vaults_tag_key_size', sql`octet_length(${table.tagKey}) = ${sql.raw(String(sha256Size))}`),
])

export const documents = pgTable('documents', {
  id: uuid().primaryKey(),
  vaultId: uuid().notNull().references(() => vaults.id),
  nameSealed: bytea().notNull(),
  createdAtMs: instant('created_at').notNull(),
  deletedAtMs: instant('deleted_at'),
}, (table) => [index().on(table.vaultId, table.createdAtMs, table.id)])

export const VERSION_STATUSES = ['uploading', 'stored', 'cancelled', 'collected'] as const
export type VersionStatus = typeof VERSION_STATUSES[number]

/** One sealed payload: an upload until its record is there, a version from then on. */
export const versions = pgTable('versions', {
  id: uuid().primaryKey(),
  vaultId: uuid().notNull().references(() => vaults.id),
  documentId: uuid().notNull().references(() => documents.id),
  /** 0 the whole file, 1 its open slides. */
  part: smallint().notNull(),
  gate: text({ enum: GATES }).notNull(),
  version: integer().notNull(),
  status: text({ enum: VERSION_STATUSES }).notNull().default('uploading'),
  /** File key, nonce and plaintext hash under the root, so that an upload can resume. */
  draftSealed: bytea().notNull(),
  ownerHeader: bytea().notNull(),
  payloadSizeBytes: bigint({ mode: 'number' }).notNull(),
  partCount: integer().notNull(),
  nonce: bytea().notNull(),
  /** 16 random bytes in hex: the folder of this payload's objects in the bucket. */
  objectPrefix: text().notNull().unique(),
  hashListKey: text(),
  /** `M`, its SHA-256 and `Sign("manifest", M)`; null while uploading. */
  record: bytea(),
  recordSha256: bytea(),
  recordSignature: bytea(),
  createdAtMs: instant('created_at').notNull(),
  storedAtMs: instant('stored_at'),
  cancelledAtMs: instant('cancelled_at'),
  /** The event `version.stored`. */
  eventId: uuid(),
}, (table) => [
  index().on(table.vaultId, table.createdAtMs, table.id),
  uniqueIndex('versions_one_stored').on(table.documentId, table.part, table.version)
    .where(sql`${table.status} = 'stored'`),
  uniqueIndex('versions_record_sha256').on(table.recordSha256),
  index('versions_unfinished').on(table.createdAtMs).where(sql`${table.status} <> 'stored'`),
])

/** A part that lies in the bucket, checked. */
export const uploadParts = pgTable('upload_parts', {
  versionId: uuid().notNull().references(() => versions.id, { onDelete: 'cascade' }),
  index: integer().notNull(),
  sizeBytes: integer().notNull(),
  sha256: bytea().notNull(),
  storedAtMs: instant('stored_at').notNull(),
}, (table) => [primaryKey({ columns: [table.versionId, table.index] })])

/** Objects to delete once their grace is over and nothing refers to them any more. */
export const tombstones = pgTable('tombstones', {
  objectKey: text().primaryKey(),
  createdAtMs: instant('created_at').notNull(),
}, (table) => [index().on(table.createdAtMs)])

/** One row: what all accounts use together. A trigger keeps it (db/migrations), whoever changes `users`. */
export const instanceUsage = pgTable('instance_usage', {
  id: smallint().primaryKey(),
  usedBytes: bigint({ mode: 'number' }).notNull(),
}, (table) => [check('instance_usage_one_row', sql`${table.id} = 1`)])

/** The NDA's text as every investor under this hash saw it. */
export const ndas = pgTable('ndas', {
  vaultId: uuid().notNull().references(() => vaults.id),
  sha256: bytea().notNull(),
  text: text().notNull(),
  title: text().notNull(),
  template: text().notNull(),
  version: integer().notNull(),
  language: text().notNull(),
  createdAtMs: instant('created_at').notNull(),
}, (table) => [primaryKey({ columns: [table.vaultId, table.sha256] })])

// ---- grants and people ----------------------------------------------------------------------

/** A link. What it allows stands in its current revision. */
export const grants = pgTable('grants', {
  /** 16 random bytes, base64url: as it stands in the address. */
  id: text().primaryKey(),
  vaultId: uuid().notNull().references(() => vaults.id),
  revision: integer().notNull(),
  nameSealed: bytea().notNull(),
  /** Shown at the gate, sealed under a key derived from the link's secret. */
  cardSealed: bytea().notNull(),
  createdAtMs: instant('created_at').notNull(),
  revokedAtMs: instant('revoked_at'),
}, (table) => [index().on(table.vaultId, table.createdAtMs.desc(), table.id.desc())])

/** `G` and its signature, and what of its policy the server's queries need. */
export const grantRevisions = pgTable('grant_revisions', {
  grantId: text().notNull().references((): AnyPgColumn => grants.id),
  revision: integer().notNull(),
  statement: bytea().notNull(),
  statementSha256: bytea().notNull(),
  signature: bytea().notNull(),
  ndaSha256: bytea(),
  linkRecipient: bytea().notNull(),
  linkSigningPublicKey: bytea().notNull(),
  policy: text().notNull(),
  /** The text whose hash the policy names: who must have cosigned before a header leaves. */
  witnesses: text(),
  gate: text({ enum: GATES }).notNull(),
  release: text({ enum: RELEASE_RULES }).notNull(),
  expiresAtMs: instant('expires_at'),
  createdAtMs: instant('created_at').notNull(),
}, (table) => [primaryKey({ columns: [table.grantId, table.revision] })])

/** Whoever came through a link: one row per link and address, or per device where no address is asked. */
export const people = pgTable('people', {
  id: uuid().primaryKey(),
  grantId: text().notNull().references(() => grants.id),
  /** Canonical; null for who came with the link alone, and after erasure. */
  email: text(),
  name: text(),
  organisation: text(),
  locale: text({ enum: LOCALES }).notNull().default('en'),
  /** Random, made by the server: tags this person's entries in the log. */
  tagKey: bytea().notNull(),
  createdAtMs: instant('created_at').notNull(),
  verifiedAtMs: instant('verified_at'),
  declinedAtMs: instant('declined_at'),
  revokedAtMs: instant('revoked_at'),
}, (table) => [
  unique().on(table.grantId, table.email),
  index().on(table.grantId, table.createdAtMs.desc(), table.id.desc()),
  index().on(table.email),
])

/** An investor's browser: its two public keys and the note in which both keys signed for them. */
export const devices = pgTable('devices', {
  id: uuid().primaryKey(),
  personId: uuid().notNull().references(() => people.id),
  grantId: text().notNull().references(() => grants.id),
  signingPublicKey: bytea().notNull(),
  /** The device's age recipient, `age1pq1...`, and the SHA-256 of that text. */
  recipient: text().notNull(),
  recipientSha256: bytea().notNull(),
  enrolmentNote: text().notNull(),
  /** The newest event `device.enrolled`: what permits releases that need no acceptance. */
  eventId: uuid().notNull(),
  createdAtMs: instant('created_at').notNull(),
  revokedAtMs: instant('revoked_at'),
}, (table) => [
  unique().on(table.grantId, table.signingPublicKey),
  index().on(table.personId),
])

/** Given out for one note, taken back once. */
export const nonces = pgTable('nonces', {
  nonce: bytea().primaryKey(),
  purpose: text().notNull(),
  grantId: text(),
  personId: uuid(),
  deviceId: uuid(),
  createdAtMs: instant('created_at').notNull(),
  expiresAtMs: instant('expires_at').notNull(),
  usedAtMs: instant('used_at'),
}, (table) => [index().on(table.expiresAtMs)])

/** A detached age header, for the link or for one device; it waits here until it is earned. */
export const headers = pgTable('headers', {
  id: uuid().primaryKey(),
  grantId: text().notNull().references(() => grants.id),
  versionId: uuid().notNull().references(() => versions.id),
  /** Null: the link's own header. */
  deviceId: uuid().references(() => devices.id),
  recipientSha256: bytea().notNull(),
  header: bytea().notNull(),
  headerSha256: bytea().notNull(),
  /** `W` and `Sign("wrap", W)`; null for what a device wrapped to itself. */
  wrap: bytea(),
  wrapSignature: bytea(),
  acceptanceSha256: bytea(),
  createdAtMs: instant('created_at').notNull(),
  /** The founder took the link's header away without revoking the link. */
  retiredAtMs: instant('retired_at'),
}, (table) => [
  unique().on(table.grantId, table.versionId, table.recipientSha256),
  index().on(table.versionId),
  index().on(table.deviceId),
])

/**
 * Every wrap record that a header ever came with; a trigger keeps it (db/migrations), and nothing deletes it: the
 * founder's browser asks for it when the log says that the header was released. It opens nothing.
 */
export const headerWraps = pgTable('header_wraps', {
  headerSha256: bytea().primaryKey(),
  vaultId: uuid().notNull().references(() => vaults.id),
  recipientSha256: bytea().notNull(),
  wrap: bytea().notNull(),
  wrapSignature: bytea().notNull(),
}, (table) => [index().on(table.vaultId, table.recipientSha256)])

export const ACCEPTANCE_STATUSES = ['accepted', 'awaiting', 'approved', 'denied'] as const
export type AcceptanceStatus = typeof ACCEPTANCE_STATUSES[number]

/** The NDA, signed. The note lies here for the parties and, erasable, in the log's details. */
export const acceptances = pgTable('acceptances', {
  id: uuid().primaryKey(),
  vaultId: uuid().notNull().references(() => vaults.id),
  grantId: text().notNull().references(() => grants.id),
  revision: integer().notNull(),
  personId: uuid().notNull().references(() => people.id),
  deviceId: uuid().notNull().references(() => devices.id),
  ndaSha256: bytea().notNull(),
  note: text().notNull(),
  sha256: bytea().notNull().unique(),
  status: text({ enum: ACCEPTANCE_STATUSES }).notNull(),
  eventId: uuid().notNull(),
  createdAtMs: instant('created_at').notNull(),
  decidedAtMs: instant('decided_at'),
}, (table) => [
  unique().on(table.deviceId, table.ndaSha256),
  index().on(table.grantId, table.createdAtMs),
  index().on(table.personId),
  index('acceptances_awaiting').on(table.vaultId, table.createdAtMs).where(sql`${table.status} = 'awaiting'`),
])

/** The server handed a header over: one row a visit ([Note: One release a visit] in db/queries/releases.ts). */
export const releases = pgTable('releases', {
  id: uuid().primaryKey(),
  headerId: uuid().notNull(),
  versionId: uuid().notNull().references(() => versions.id),
  grantId: text().notNull().references(() => grants.id),
  revision: integer().notNull(),
  personId: uuid().notNull().references(() => people.id),
  deviceId: uuid().notNull().references(() => devices.id),
  gate: text({ enum: GATES }).notNull(),
  /** For gate `nda`. */
  acceptanceId: uuid(),
  /** For gates `link` and `email`: the signed access request and its SHA-256. */
  requestNote: text(),
  requestSha256: bytea(),
  eventId: uuid().notNull(),
  releasedAtMs: instant('released_at').notNull(),
  /** When the first byte of the version left under this release; its event is `version.fetched`. */
  fetchedAtMs: instant('fetched_at'),
}, (table) => [
  index().on(table.deviceId, table.versionId, table.releasedAtMs.desc()),
  index().on(table.grantId, table.releasedAtMs),
  index().on(table.personId, table.releasedAtMs),
  index().on(table.versionId),
])

/** An auditor's invitation to one vault; accepted by the account that proves the address. */
export const auditorInvitations = pgTable('auditor_invitations', {
  id: uuid().primaryKey(),
  vaultId: uuid().notNull().references(() => vaults.id),
  email: text().notNull(),
  withIdentities: boolean().notNull().default(false),
  createdAtMs: instant('created_at').notNull(),
  expiresAtMs: instant('expires_at').notNull(),
  acceptedBy: uuid().references(() => users.id),
  acceptedAtMs: instant('accepted_at'),
  revokedAtMs: instant('revoked_at'),
}, (table) => [
  index().on(table.vaultId, table.createdAtMs, table.id),
  index().on(table.acceptedBy, table.createdAtMs.desc(), table.id.desc()),
  index().on(table.email),
])

/** Whom the operator has named to read the events of all vaults, as pseudonyms. */
export const instanceAuditors = pgTable('instance_auditors', {
  id: uuid().primaryKey(),
  /** Canonical: whoever proves it. */
  email: text().notNull().unique(),
  createdAtMs: instant('created_at').notNull(),
})

// ---- the log --------------------------------------------------------------------------------

/**
 * Events that wait for their index. A row is written in the statement that makes the change
 * ([Note: One statement] in db/queries/outbox.ts) and moves from here into `auditEntry` and
 * `auditOpening` by one call of the function `integrate`.
 */
export const auditOutbox = pgTable('audit_outbox', {
  id: bigserial({ mode: 'number' }).primaryKey(),
  eventId: uuid().notNull().unique(),
  type: text().notNull(),
  atMs: instant('at').notNull(),
  vaultId: uuid(),
  /** The person's id: a pseudonym. */
  partyId: uuid(),
  documentId: uuid(),
  /** `C`: the salted commitment to `bytes`. */
  commitment: bytea().notNull(),
  bytes: bytea().notNull(),
  salt: bytea().notNull(),
  details: bytea(),
  detailsSalt: bytea(),
})

/** The log as the world sees it: index and leaf entry. A trigger refuses update and delete. */
export const auditEntry = pgTable('audit_entry', {
  index: bigint('idx', { mode: 'number' }).primaryKey(),
  eventId: uuid().notNull().unique(),
  entry: bytea().notNull(),
})

/** What opens an entry: shown to those entitled, and what erasure destroys (the byte columns become null). */
export const auditOpening = pgTable('audit_opening', {
  index: bigint('idx', { mode: 'number' }).primaryKey(),
  eventId: uuid().notNull().unique(),
  type: text().notNull(),
  atMs: instant('at').notNull(),
  vaultId: uuid(),
  /** The number under which the entry carries the vault's tag, from 1. */
  vaultSequence: bigint({ mode: 'number' }),
  partyId: uuid(),
  partySequence: bigint({ mode: 'number' }),
  documentId: uuid(),
  bytes: bytea(),
  salt: bytea(),
  details: bytea(),
  detailsSalt: bytea(),
  erasedAtMs: instant('erased_at'),
}, (table) => [
  // Newest first, by each filter, within a vault or over all; each is read from its end.
  index().on(table.vaultId, table.index),
  index().on(table.vaultId, table.type, table.index),
  index().on(table.vaultId, table.atMs, table.index),
  index().on(table.type, table.index),
  index().on(table.atMs, table.index),
  index('audit_opening_document').on(table.documentId, table.index).where(sql`${table.documentId} is not null`),
  index('audit_opening_party').on(table.partyId, table.index).where(sql`${table.partyId} is not null`),
  index('audit_opening_with_details').on(table.atMs).where(sql`${table.details} is not null`),
])

/** How many entries carry the tags of this vault or person. */
export const auditSequence = pgTable('audit_sequence', {
  scopeId: uuid().primaryKey(),
  count: bigint({ mode: 'number' }).notNull(),
})

/**
 * The logs of this instance, one after another (SPEC.md § 7.13). Entries are numbered through: the columns `idx` and the sizes of the
 * two tables below count over all of them, and each log's tree begins at its first index.
 */
export const tlogOrigins = pgTable('tlog_origins', {
  firstIndex: bigint({ mode: 'number' }).primaryKey(),
  origin: text().notNull().unique(),
  /** The key that signed it last; of the newest, the one that signed it first. */
  vkey: text().notNull(),
  /** The last checkpoint of a log that was closed; null for the one that grows. */
  closing: text(),
})

/** One row: the tree over all integrated entries of the newest log. Changed by `integrate` alone, by compare-and-swap. */
export const tlogHead = pgTable('tlog_head', {
  id: smallint().primaryKey(),
  size: bigint({ mode: 'number' }).notNull(),
  root: bytea().notNull(),
  /** The roots of the full subtrees that make up the tree, largest first, 32 bytes each. */
  edge: bytea().notNull(),
}, (table) => [check('tlog_head_one_row', sql`${table.id} = 1`)])

/** One row: the checkpoint that the bucket shows. Whoever waits for an event waits for this. */
export const tlogPublished = pgTable('tlog_published', {
  id: smallint().primaryKey(),
  size: bigint({ mode: 'number' }).notNull(),
  checkpoint: text().notNull(),
  publishedAtMs: instant('published_at').notNull(),
  /** The largest checkpoint that the witnesses' quorum has cosigned, with their lines. */
  cosignedSize: bigint({ mode: 'number' }).notNull().default(0),
  cosignedCheckpoint: text(),
}, (table) => [check('tlog_published_one_row', sql`${table.id} = 1`)])

/** Checkpoints under this log's key that somebody brought and that do not fit its tree: evidence, never trusted. */
export const logForks = pgTable('log_forks', {
  /** SHA-256 of what was signed. */
  sha256: bytea().primaryKey(),
  brought: text().notNull(),
  ours: text().notNull(),
  createdAtMs: instant('created_at').notNull(),
})

// ---- mail, limits ---------------------------------------------------------------------------

export interface MailAttachment { filename: string, contentType: string, contentBase64: string }

/** Mail that waits to be sent. Subject and bodies are deleted once it is. */
export const mailOutbox = pgTable('mail_outbox', {
  id: uuid().primaryKey(),
  kind: text().notNull(),
  recipientEmail: text().notNull(),
  subject: text(),
  text: text(),
  html: text(),
  attachments: jsonb().$type<MailAttachment[]>(),
  createdAtMs: instant('created_at').notNull(),
  nextTryAtMs: instant('next_try_at').notNull(),
  tryCount: integer().notNull().default(0),
  sentAtMs: instant('sent_at'),
  /** Given up after the last try. */
  failedAtMs: instant('failed_at'),
}, (table) => [
  index('mail_outbox_waiting').on(table.nextTryAtMs)
    .where(sql`${table.sentAtMs} is null and ${table.failedAtMs} is null`),
  index('mail_outbox_over').on(table.createdAtMs)
    .where(sql`${table.sentAtMs} is not null or ${table.failedAtMs} is not null`),
])

/** How often something happened in one window of time, over all instances. */
export const rateCounters = pgTable('rate_counters', {
  scope: text().notNull(),
  windowStartsAtMs: instant('window_starts_at').notNull(),
  count: integer().notNull(),
  expiresAtMs: instant('expires_at').notNull(),
}, (table) => [
  primaryKey({ columns: [table.scope, table.windowStartsAtMs] }), index().on(table.expiresAtMs),
])
