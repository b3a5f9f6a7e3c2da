/**
 * Every bound that two programs share, each with its unit in its name (SPEC.md § 1).
 * A loop, body, list or wait without a limit from here or from server/config.ts is a bug.
 */
const KIB = 1024
const MIB = 1024 * KIB
const GIB = 1024 * MIB

export const FILE_KEY_SIZE_BYTES = 16
export const PAYLOAD_NONCE_SIZE_BYTES = 16
export const CHUNK_SIZE_BYTES = 64 * KIB
export const AEAD_TAG_SIZE_BYTES = 16
export const SEALED_CHUNK_SIZE_BYTES = CHUNK_SIZE_BYTES + AEAD_TAG_SIZE_BYTES

/** What Sealdeck accepts; the age reader itself takes more (SPEC.md § 3). */
export const MAX_HEADER_SIZE_BYTES = 4 * KIB
/** The generic age reader's bound: more than any header a stock program writes. */
export const MAX_FOREIGN_HEADER_SIZE_BYTES = 16 * MIB

/** A stored part: one write-once object. The last part of a payload may be shorter. */
export const PART_SIZE_BYTES = 4 * MIB
export const MAX_FILE_SIZE_BYTES = GIB
/** PDFs above this are sealed as they are (no lock line). */
export const MAX_NORMALISED_PDF_SIZE_BYTES = 200 * MIB
export const MAX_MANIFEST_SIZE_BYTES = 64 * KIB
export const MAX_PAGE_COUNT = 2000

export const MAX_RECORD_SIZE_BYTES = KIB
export const MAX_GRANT_SIZE_BYTES = 8 * KIB
export const MAX_POLICY_SIZE_BYTES = 2 * KIB
export const MAX_WRAP_SIZE_BYTES = 4 * KIB
export const MAX_CARD_SIZE_BYTES = 4 * KIB
export const MAX_NDA_SIZE_BYTES = 48 * KIB
export const MAX_NDA_BLOCK_COUNT = 500
export const MAX_NDA_PURPOSE_LENGTH = 400
export const MAX_NDA_FIELD_LENGTH = 200
export const MIN_NDA_TERM_YEARS = 1
export const MAX_NDA_TERM_YEARS = 10
export const MAX_NOTE_SIZE_BYTES = 16 * KIB
export const MAX_EVENT_SIZE_BYTES = 8 * KIB
export const MAX_ENTRY_SIZE_BYTES = 65_535
export const MAX_NOTE_SIGNATURE_COUNT = 100
export const MAX_KEY_NAME_LENGTH = 200
/** Signed 64-bit: what Go's implementations hold. */
export const MAX_TREE_SIZE = 2n ** 63n - 1n
/** A path to the root of 2^63 leaves. */
export const MAX_PROOF_HASH_COUNT = 63
/** What one integration appends at most. */
export const MAX_INTEGRATION_ENTRY_COUNT = 4096
export const MAX_RECEIPT_SIZE_BYTES = 64 * KIB
export const MAX_DETAILS_SIZE_BYTES = 64 * KIB
export const MAX_POLICY_FILE_SIZE_BYTES = 64 * KIB
export const MAX_POLICY_LINE_COUNT = 500
/** How many keys one log can take after its first. */
export const MAX_ROTATION_COUNT = 32
/** What a witness reads of one request. */
export const MAX_ADD_CHECKPOINT_SIZE_BYTES = 32 * KIB
/** What one server asks; a note takes 100 signature lines. */
export const MAX_WITNESS_COUNT = 16
export const MAX_EXPORT_SIZE_BYTES = 256 * MIB
export const MAX_EXPORT_EVENT_COUNT = 100_000
/** An evidence pack: an export at its largest, and what goes with it. */
export const MAX_PACK_SIZE_BYTES = 512 * MIB
export const MAX_PACK_FILE_COUNT = 15_000
/** Receipts that are written out as files; the export proves all events anyway. */
export const MAX_PACK_RECEIPT_COUNT = 4_000
/** An authority's answer. */
export const MAX_TIME_STAMP_SIZE_BYTES = 64 * KIB
/** Enough for a day of signatures; one of them covers all entries before it. */
export const MAX_PACK_STAMP_COUNT = 32

export const MAX_TITLE_LENGTH = 200
export const MAX_NAME_LENGTH = 120
export const MAX_EMAIL_LENGTH = 254
export const MIN_PASSPHRASE_LENGTH = 15
export const MAX_PASSPHRASE_LENGTH = 256
export const RECOVERY_CODE_SIZE_BYTES = 20
export const EMAIL_CODE_LENGTH = 8
export const EMAIL_CODE_TRY_COUNT = 5
export const EMAIL_CODE_TTL_MS = 10 * 60_000
export const EMAIL_CODE_RESEND_AFTER_MS = 60_000
/** To one address. */
export const EMAIL_CODES_PER_HOUR = 5
/** Given out by the server for one signed note. */
export const GATE_NONCE_SIZE_BYTES = 32
export const ACCEPTANCE_TTL_MS = 15 * 60_000
export const INVITATION_TTL_MS = 30 * 24 * 3_600_000
export const INVESTOR_SESSION_TTL_MS = 10 * 60_000

export const PAGE_LIMIT = 100
export const MAX_PAGE_LIMIT = 500
