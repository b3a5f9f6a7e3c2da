/**
 * Takes a vault out of the browser: its versions as age files, one after the other, then what was
 * signed, the log, and the key that opens them (protocol/deck/way-out.ts). Draws nothing.
 */
import {
  ageFileName, formatReadme, KEY_FILE_NAME, LOG_FILE_NAME, README_FILE_NAME, VAULT_FILE_NAME,
} from '../../protocol/deck/way-out.js'
import type { NdaText, StoredVersion } from '../../protocol/api.js'
import { decodeBase64Url, encodeUtf8, equalBytes } from '../../protocol/bytes.js'
import { sha256 as hashText } from '../../protocol/hash.js'
import { attempt, sourceOf } from '../crypto.js'
import { saveBlob, saveText } from '../save.js'
import type { SessionTools } from '../session.js'
import type { Result } from './loaded.js'
import type { OwnVault } from './vault.js'
import { recordsBefore } from './versions.js'

const DONE: Result<null> = { ok: true, value: null }

interface FileToSave {
  readonly fileName: string
  readonly version: StoredVersion
  readonly versions: readonly StoredVersion[]
}

/** @param onFile - called with the name of what is being fetched. */
export async function exportVault(
  tools: SessionTools, vault: OwnVault, onFile: (fileName: string) => void,
): Promise<Result<null>> {
  const files = listFiles(vault)
  for (const file of files) {
    onFile(file.fileName)
    const saved = await saveVersion(tools, vault, file)
    if (!saved.ok) return saved
  }
  onFile(LOG_FILE_NAME)
  const log = await tools.api.exportEvents(vault.vaultId)
  if (!log.ok) return log
  const agreements = await readAgreements(tools, vault)
  if (!agreements.ok) return agreements
  saveText(log.value, LOG_FILE_NAME)
  saveText(describeVault(vault, files, agreements.value), VAULT_FILE_NAME)
  saveText(formatReadme({
    vaultTitle: vault.title, vaultId: vault.vaultId, server: location.origin,
    keyFile: KEY_FILE_NAME, hasFolders: false, ageFiles: files.map(({ fileName }) => fileName),
  }), README_FILE_NAME)
  const key = await attempt(() => tools.crypto.exportKeyFile())
  if (!key.ok) return key
  saveText(key.value, KEY_FILE_NAME)
  return DONE
}

function listFiles({ documents }: OwnVault): FileToSave[] {
  return documents.flatMap(({ name, versions }, index) => versions.map((version) => ({
    version, versions,
    fileName: ageFileName({
      documentNumber: index + 1, documentName: name, part: version.part, version: version.version,
    }),
  })))
}

async function saveVersion(
  { api, crypto }: SessionTools, { vaultId }: OwnVault, { fileName, version, versions }: FileToSave,
): Promise<Result<null>> {
  const input = { vaultId, version, previousRecords: recordsBefore(versions, version) }
  const exported = await attempt(
    () => crypto.exportVersion(input, sourceOf(api, version.versionId), () => undefined))
  if (!exported.ok) return exported
  saveBlob(exported.value, fileName)
  return DONE
}

async function readAgreements(
  { api }: SessionTools, { vaultId, ndas }: OwnVault,
): Promise<Result<NdaText[]>> {
  const texts: NdaText[] = []
  for (const { sha256 } of ndas) {
    const read = await api.readNda(vaultId, sha256)
    if (!read.ok) return read
    const isSigned = equalBytes(hashText(encodeUtf8(read.value.text)), decodeBase64Url(sha256))
    if (!isSigned) return { ok: false, code: 'malformed-nda' }
    texts.push(read.value)
  }
  return { ok: true, value: texts }
}

function describeVault(
  vault: OwnVault, files: readonly FileToSave[], agreements: readonly NdaText[],
): string {
  const { vaultId, title, documents, links } = vault
  const fileOf = (versionId: string) =>
    files.find(({ version }) => version.versionId === versionId)?.fileName
  return `${JSON.stringify({
    format: 'sealdeck-vault-export/v1', server: location.origin, vaultId, title, agreements,
    documents: documents.map(({ documentId, name, versions }) => ({
      documentId, name,
      versions: versions.map((version) => ({ ...version, file: fileOf(version.versionId) })),
    })),
    grants: links.map(({ name, summary }) => ({ name, ...summary })),
  }, null, 2)}\n`
}
