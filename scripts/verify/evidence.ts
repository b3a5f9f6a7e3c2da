/** `sealdeck verify evidence`: a pack, whole or unpacked, offline; in words who agreed to what. */
import { readdir, stat } from 'node:fs/promises'
import { basename, join, sep } from 'node:path'
import {
  sayTime, tellAcceptances, tellChecks, type Section,
} from '../../protocol/evidence/account.js'
import {
  checkEvidence, checkPack, type EvidenceReport, type FoundStamp,
} from '../../protocol/evidence/check.js'
import { CHECKSUMS_NAME } from '../../protocol/evidence/checksums.js'
import { english } from '../../protocol/evidence/words-en.js'
import type { PackFile } from '../../protocol/evidence/zip.js'
import { MAX_PACK_FILE_COUNT, MAX_PACK_SIZE_BYTES } from '../../protocol/limits.js'
import { formatTime } from '../../protocol/log/event.js'
import type { Policy } from '../../protocol/log/policy.js'
import { BadTimeStamp, verifyTimeStamp } from '../../server/time-stamp-token.js'
import { readArguments, UsageError, type Run, type Terminal } from '../command.js'
import { findPolicy, MAX_PEM_SIZE_BYTES, readBytes, readText } from './trust.js'

const USAGE = 'sealdeck verify evidence FILE.zip|DIR [--vkey VKEY | --policy FILE] [--ca FILE]'

export const verifyEvidence: Run = async (args, terminal) => {
  const parsed = readArguments(args, {
    options: ['vkey', 'policy', 'rotations', 'ca'], positionalCount: 1, usage: USAGE,
  })
  const caPath = parsed.option('ca')
  const trustedPem = caPath === undefined ? null : await readText(caPath, MAX_PEM_SIZE_BYTES)
  const path = parsed.positionals[0] ?? ''
  const report = await checkAt(path, await findPolicy(parsed))
  if (report.outcome !== 'verified') return sayFailed(report, terminal)
  sayVerified(report, terminal)
  const isStamped = trustedPem === null || sayStamps(report, trustedPem, terminal)
  return report.findings.length === 0 && isStamped ? 0 : 1
}

async function checkAt(path: string, policy: Policy | null): Promise<EvidenceReport> {
  const isFolder = (await stat(path)).isDirectory()
  if (isFolder) return checkFolder(await readFolder(path), policy)
  const bytes = await readBytes(path, MAX_PACK_SIZE_BYTES)
  return checkEvidence([{ name: basename(path), bytes }], policy)
}

/** With the list of hashes it is a pack that somebody unpacked. */
function checkFolder(files: readonly PackFile[], policy: Policy | null): EvidenceReport {
  const isPack = files.some(({ name }) => name === CHECKSUMS_NAME)
  return isPack ? checkPack(files, policy) : checkEvidence(files, policy)
}

async function readFolder(folder: string): Promise<PackFile[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const paths = entries.filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
  if (paths.length > MAX_PACK_FILE_COUNT) throw new UsageError(`${folder} holds more files than a pack`)
  const files: PackFile[] = []
  for (const path of paths.sort()) {
    const name = path.slice(join(folder, sep).length).split(sep).join('/')
    files.push({ name, bytes: await readBytes(path, MAX_PACK_SIZE_BYTES) })
  }
  return files
}

function sayFailed({ files, outcome }: EvidenceReport, terminal: Terminal): number {
  terminal.err(`NOT VERIFIED: ${english.outcomeLines[outcome]}`)
  for (const { name, verdict, reason = '' } of files) {
    if (verdict === 'failed') terminal.err(`  ${name}  ${reason}`)
  }
  return 1
}

function sayVerified(report: EvidenceReport, terminal: Terminal): void {
  const { acceptances, events, files, trust, findings } = report
  const count = english.acceptances(acceptances.length)
  terminal.out(`VERIFIED: ${count}, ${events.length} events, ${files.length} files`)
  for (const section of tellAcceptances(report, english)) saySection(section, terminal)
  for (const section of tellChecks(report, english)) {
    if (section.title !== english.findingsTitle) saySection(section, terminal)
  }
  if (trust !== 'named') terminal.err(english.trust[trust])
  for (const { index, kind } of findings) {
    terminal.err(`LOOK AT THIS: ${english.finding(`${index}`, english.alarms[kind])}`)
  }
}

/** Whose signature each time-stamp bears, by the authority's certificates that the caller named. */
function sayStamps(
  { stamps }: EvidenceReport, trustedPem: string, terminal: Terminal,
): boolean {
  const bad = stamps.filter((stamp) => !isSigned(stamp, trustedPem, terminal))
  if (stamps.length === 0) terminal.err('NOT VERIFIED: no time-stamp is here for --ca to judge')
  return stamps.length > 0 && bad.length === 0
}

function isSigned(
  { tokenFile, token, sha256 }: FoundStamp, trustedPem: string, terminal: Terminal,
): boolean {
  try {
    const { atMs, signer } = verifyTimeStamp(token, { sha256, trustedPem })
    terminal.out(`VERIFIED: ${tokenFile}, ${sayTime(formatTime(atMs))}, says ${signer}`)
    return true
  } catch (error) {
    if (!(error instanceof BadTimeStamp)) throw error
    terminal.err(`NOT VERIFIED: ${tokenFile}, ${error.message}`)
    return false
  }
}

function saySection({ title, facts = [], lines = [] }: Section, terminal: Terminal): void {
  terminal.out('')
  terminal.out(title)
  for (const { name, value } of facts) terminal.out(`  ${name.padEnd(36)} ${value}`)
  for (const line of lines) terminal.out(`  ${line}`)
}
