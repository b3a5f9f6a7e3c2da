/**
 * Files and what the reader believes, to reports: one for each archive, one for all loose files together.
 * The same in the one-file verifier and in the app's worker. Must not read or fetch anything itself.
 */
import { encodeUtf8 } from '../../protocol/bytes.js'
import { checkEvidence, isArchive, type EvidenceReport } from '../../protocol/evidence/check.js'
import type { PackFile } from '../../protocol/evidence/zip.js'
import { parsePolicy, policyOfLog, type Policy } from '../../protocol/log/policy.js'

export interface CheckInput {
  readonly files: readonly PackFile[]
  /** A log's key, or the text of a policy; empty if the reader brings none. */
  readonly trust: string
}

export interface CheckedGroup {
  /** The archive's name; `null` for loose files. */
  readonly name: string | null
  readonly report: EvidenceReport
}

/** @throws ProtocolError `malformed-key`, `malformed-policy-file` for what the reader typed. */
export function checkHere({ files, trust }: CheckInput): CheckedGroup[] {
  const named = readTrust(trust) ?? policyAmong(files)
  const loose = files.filter((file) => !isArchive(file))
  const archives = files.filter(isArchive)
  const isBesidePack = archives.length > 0 && loose.every((file) => isPolicy(file))
  return [
    ...archives.map((file) => ({ name: file.name, report: checkEvidence([file], named) })),
    ...loose.length === 0 || isBesidePack
      ? []
      : [{ name: null, report: checkEvidence(loose, readTrust(trust)) }],
  ]
}

function readTrust(typed: string): Policy | null {
  const text = typed.trim()
  if (text === '') return null
  return /^(?:#|log\s|witness\s|group\s|quorum\s)/.test(text)
    ? parsePolicy(encodeUtf8(`${text}\n`))
    : policyOfLog(text)
}

/** A policy dropped beside an archive is the reader's own. */
function policyAmong(files: readonly PackFile[]): Policy | null {
  const file = files.some(isArchive) ? files.find(isPolicy) : undefined
  return file === undefined ? null : parsePolicy(file.bytes)
}

function isPolicy({ name }: PackFile): boolean {
  return /policy[^/]*\.txt$/i.test(name)
}
