/**
 * The way out: how a vault looks on its owner's disk once it has left (SPEC.md § 3.9). Browser and
 * command line write the same files, so that one README speaks of both.
 * Must not read, fetch or write: it names files and says what is in them.
 *
 *   header ‖ payload   = an age file; `age -d -i key.txt NAME.age | tar x` gives the original
 */
import { encodeUtf8 } from '../bytes.js'
import { memberNameOf } from './archive.js'
import { formatIdentity, formatRecipient, type Identity } from './identity.js'
import { OPEN_PART, type Part } from './record.js'

const MAX_STEM_SIZE_BYTES = 60
export const KEY_FILE_NAME = 'key.txt'
export const README_FILE_NAME = 'README.txt'
export const VAULT_FILE_NAME = 'vault.json'
export const LOG_FILE_NAME = 'log.json'

/** The name of one version's age file, safe on any system; apart from the other documents' by number. */
export function ageFileName(version: {
  readonly documentNumber: number, readonly documentName: string, readonly part: Part,
  readonly version: number,
}): string {
  const part = version.part === OPEN_PART ? '-open' : ''
  const number = String(version.documentNumber).padStart(2, '0')
  return `${number}-${stemOf(version.documentName)}-v${version.version}${part}.age`
}

function stemOf(name: string): string {
  let stem = memberNameOf(name).replace(/[^\p{L}\p{N}_.-]+/gu, '-').replace(/^[-.]+|[-.]+$/g, '')
  while (encodeUtf8(stem).length > MAX_STEM_SIZE_BYTES) stem = [...stem].slice(0, -1).join('')
  return stem === '' ? 'deck' : stem
}

/** An age identity file, as `age-keygen` writes it. Whoever has it reads every deck of this owner. */
export function formatKeyFile(identity: Identity): string {
  return [
    '# Opens every deck of this Sealdeck account, past and future. Keep it as you keep a passphrase.',
    `# public key: ${formatRecipient(identity.recipient)}`,
    formatIdentity(identity), '',
  ].join('\n')
}

export interface WayOut {
  readonly vaultTitle: string
  readonly vaultId: string
  readonly server: string
  /** `null` if the files were sealed to another recipient, and no key is beside them. */
  readonly keyFile: string | null
  /** Whether records, agreements and receipts lie beside as files of their own. */
  readonly hasFolders: boolean
  readonly ageFiles: readonly string[]
}

/** What lies in the folder and how each of it is used without Sealdeck. */
export function formatReadme(out: WayOut): string {
  const key = out.keyFile ?? 'YOUR-KEY.txt'
  const example = out.ageFiles[0] ?? 'NAME.age'
  return `${[
    `${out.vaultTitle}`, '',
    `Vault ${out.vaultId}, taken out of ${out.server}.`, '',
    'TO READ A DECK',
    '', `  age -d -i ${key} ${example} | tar x`, '',
    'gives the file back as it was sealed, byte for byte, with manifest.json and its thumbnails beside it.',
    'The program is age (https://age-encryption.org), version 1.3 or later; or 1.1 with age-plugin-pq; or',
    `sealdeck open -i ${key} ${example} | tar x`, '',
    'PDFs were rewritten before they were sealed, so that their first page comes soon; other files are',
    'untouched. The member .pad is zeros: it hides the exact size.', '',
    'WHAT LIES HERE', '',
    ...out.ageFiles.map((name) => `  ${name}`),
    ...out.keyFile === null ? [] : [
      `  ${out.keyFile}`,
      '      THE KEY. It opens every deck of this account, not only these. Move it to a safe place,',
      '      and never send it with the files.',
    ],
    `  ${VAULT_FILE_NAME}`,
    '      titles, versions with their signed records, links with their signed grants, agreements;',
    '      bytes are base64url. sealdeck inspect says what a record holds.',
    `  ${LOG_FILE_NAME}`,
    `      the audit log of this vault, with its proofs: sealdeck verify export ${LOG_FILE_NAME}`,
    ...out.hasFolders ? FOLDERS : [],
  ].join('\n')}\n`
}

const FOLDERS = [
  '  records/     every signed version record and grant, as bytes: sealdeck inspect FILE',
  '  agreements/  the NDAs as they were published, named by SHA-256',
  '  receipts/    for each signature and each key that left: its proof, and the signed note beside it.',
  '               sealdeck verify receipt FILE --vkey VKEY   (the key is in log.json)',
]
