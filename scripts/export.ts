/**
 * `sealdeck export`: a vault leaves, whole, for a folder on this machine, readable without Sealdeck
 * (protocol/deck/way-out.ts). Each deck is opened while it is written: what lies there is known to open.
 */
import { mkdir, open, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { NdaText } from '../protocol/api.js'
import { decodeBase64Url, encodeHex, encodeUtf8, equalBytes } from '../protocol/bytes.js'
import { ProtocolError } from '../protocol/errors.js'
import { sha256 as sha256Of } from '../protocol/hash.js'
import { openLabel } from '../protocol/deck/keyring.js'
import { readOwnLink } from '../protocol/deck/link.js'
import { formatPolicy } from '../protocol/deck/policy.js'
import {
  formatKeyFile, formatReadme, KEY_FILE_NAME, LOG_FILE_NAME, README_FILE_NAME, VAULT_FILE_NAME,
} from '../protocol/deck/way-out.js'
import { parseRecipientText } from './age/keys.js'
import { unlockOwner, type Owner } from './account/owner.js'
import { requireNewest } from './account/newest.js'
import { readOwnVault, type OwnVault } from './account/own-vault.js'
import type { Line } from './account/line.js'
import { saveReceipts } from './account/save-receipts.js'
import { saveVersions, type SavedVersion } from './account/save-versions.js'
import { readArguments, Refused, type Run } from './command.js'

const USAGE = `sealdeck export VAULT DIR [--recipient AGE1...] [--passphrase-file FILE]

Writes to DIR, which must be empty or not there: an age file for each version, your age identity
(${KEY_FILE_NAME}), signed records, grants, agreements, receipts, the audit log, and a README that says how
each is used. ${KEY_FILE_NAME} opens every deck of your account: keep it apart from the files.

With --recipient the decks are for that age key instead, and no key is written: for a key that you
have already, or an age older than 1.3, which knows only X25519.

Exit codes: 0 done, 1 refused or damaged, 2 wrong usage.`

export const run: Run = async (args, terminal) => {
  const { positionals, option } = readArguments(args, {
    options: ['recipient', 'passphrase-file'], positionalCount: 2, usage: USAGE,
  })
  const [vaultId = '', folder = ''] = positionals
  const named = option('recipient')
  const recipient = named === undefined ? null : parseRecipientText(named)
  const owner = await unlockOwner(option('passphrase-file'))
  try {
    const vault = await readOwnVault(owner, vaultId)
    await makeEmpty(folder)
    const versions = await saveVersions(owner, vault, { folder, recipient }, terminal)
    await saveFile(join(folder, VAULT_FILE_NAME), describeVault(owner, vault, versions))
    await saveRecords(owner, vault, versions, folder)
    await saveAgreements(owner, vault, folder)
    await saveLog(owner, vault, folder)
    const keyFile = recipient === null ? KEY_FILE_NAME : null
    await saveFile(join(folder, README_FILE_NAME), formatReadme({
      vaultTitle: vault.title, vaultId: vault.vaultId, server: owner.session.address, keyFile,
      hasFolders: true,
      ageFiles: versions.map(({ fileName }) => fileName),
    }))
    if (keyFile !== null) {
      await saveFile(join(folder, keyFile), formatKeyFile(owner.keys.identity))
      terminal.err(`${join(folder, keyFile)} opens every deck of your account: move it to a safe place`)
    }
    // Last: an older state is said, and what the server still has is hers to take all the same.
    await requireNewest(owner, vault)
    return 0
  } finally {
    owner.end()
  }
}

/** Never among files that are there: an older key or deck would be taken for one of these. */
async function makeEmpty(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  if ((await readdir(folder)).length > 0) throw new Refused(`${folder} is not empty`)
  for (const name of ['records', 'agreements', 'receipts']) await mkdir(join(folder, name))
}

async function saveFile(path: string, content: string | Uint8Array): Promise<void> {
  const file = await open(path, 'wx', 0o600)
  try {
    await file.writeFile(content)
    await file.sync()
  } finally {
    await file.close()
  }
}

// ---- what was signed

function describeVault(owner: Owner, vault: OwnVault, versions: readonly SavedVersion[]): string {
  const grants = vault.grants.map((summary) => ({
    grantId: summary.grantId,
    name: openLabel(owner.root, { purpose: 'grant-name', id: summary.grantId }, summary.nameSealed),
    revision: summary.revision, createdAtMs: summary.createdAtMs, revokedAtMs: summary.revokedAtMs,
    policy: formatPolicy(readOwnLink(owner, vault.vaultId, summary).grant.policy),
    grant: summary.grant, grantSignature: summary.grantSignature,
  }))
  const documents = vault.documents.map(({ documentId, name, versions: stored }) => ({
    documentId, name,
    versions: stored.map(({ versionId, ownerHeader, ...version }) => ({
      ...version, file: versions.find((saved) => saved.versionId === versionId)?.fileName,
    })),
  }))
  const { vaultId, title, ndas } = vault
  const { address, account } = owner.session
  const { name, signingKey, recipient } = account
  return `${JSON.stringify({
    format: 'sealdeck-vault-export/v1', server: address, founder: { name, signingKey, recipient },
    vaultId, title, documents, grants, agreements: ndas,
  }, null, 2)}\n`
}

async function saveRecords(
  owner: Owner, vault: OwnVault, versions: readonly SavedVersion[], folder: string,
): Promise<void> {
  for (const { fileName, record, signature } of versions) {
    const path = join(folder, 'records', fileName.replace(/\.age$/, ''))
    await saveFile(`${path}.record`, record)
    await saveFile(`${path}.record.sig`, signature)
  }
  for (const { grantId, grant, grantSignature } of vault.grants) {
    await saveFile(join(folder, 'records', `${grantId}.grant`), decodeBase64Url(grant))
    await saveFile(join(folder, 'records', `${grantId}.grant.sig`), decodeBase64Url(grantSignature))
  }
}

/** @throws ProtocolError `malformed-nda` for a text with another hash than was published. */
export async function saveAgreements(
  { line }: { readonly line: Pick<Line, 'get'> },
  vault: Pick<OwnVault, 'vaultId' | 'ndas'>, folder: string,
): Promise<void> {
  for (const { sha256 } of vault.ndas) {
    const { text } = await line.get<NdaText>(`/api/vaults/${vault.vaultId}/ndas/${sha256}`)
    const hash = decodeBase64Url(sha256)
    if (!equalBytes(sha256Of(encodeUtf8(text)), hash)) throw new ProtocolError('malformed-nda', 'the server gives another text than was signed')
    await saveFile(join(folder, 'agreements', `${encodeHex(hash)}.txt`), text)
  }
}

async function saveLog(owner: Owner, { vaultId }: OwnVault, folder: string): Promise<void> {
  const text = await owner.line.text({ method: 'POST', path: `/api/vaults/${vaultId}/exports`, body: {} })
  await saveFile(join(folder, LOG_FILE_NAME), text)
  await saveReceipts(owner, text, (name, content) => saveFile(join(folder, 'receipts', name), content))
}
