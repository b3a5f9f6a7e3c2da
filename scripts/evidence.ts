/**
 * `sealdeck evidence`: an evidence pack of a vault or of one person, made of an export (SPEC.md § 12). The
 * export comes from the server of the saved session, or is a file that was exported before.
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { FirstTimeStamp, NdaText, VaultDetail } from '../protocol/api.js'
import { decodeBase64Url, encodeUtf8 } from '../protocol/bytes.js'
import { EVIDENCE_LANGUAGES, type EvidenceLanguage } from '../protocol/evidence/account.js'
import { buildPack, listStampable } from '../protocol/evidence/pack.js'
import {
  gatherStamps, type AskForStamp, type StampableEntry, type StampSource,
} from '../protocol/evidence/stamps.js'
import { MAX_EXPORT_SIZE_BYTES, MAX_NDA_SIZE_BYTES } from '../protocol/limits.js'
import { parseExport, verifyExport } from '../protocol/log/export.js'
import { policyOfLog, type Policy } from '../protocol/log/policy.js'
import { ready } from '../protocol/sodium.js'
import { findWebFolder } from '../server/config.js'
import { Line } from './account/line.js'
import { keepSession, readSession } from './account/saved-session.js'
import { readArguments, Refused, UsageError, type Arguments, type Run } from './command.js'
import { replaceFile } from './replace-file.js'
import { findPolicy, readBytes, readText } from './verify/trust.js'

const USAGE = `sealdeck evidence VAULT|EXPORT.json FILE.zip [--person EMAIL|ID] [--agreement FILE ...] [--language en|ru] [--vkey VKEY | --policy FILE]

Makes one zip that proves who agreed to what and what it opened, without the server: receipts, signed
acceptances, agreements, a certificate, and a verifier that needs no network. Taking one of a vault is
an event of its log. With an export that lies here nothing is asked of a server; name the agreements then.
Time-stamps of the log's authority are put in where the server has them.

Exit codes: 0 done, 1 refused or not verified, 2 wrong usage.`

interface Source {
  readonly exportText: string
  readonly agreements: readonly Uint8Array[]
  /** Nobody is asked about an export that lies here. */
  readonly askForStamp: AskForStamp
}

export const run: Run = async (args, terminal) => {
  const parsed = readArguments(args, {
    options: ['person', 'agreement', 'language', 'vkey', 'policy', 'rotations'], positionalCount: 2, usage: USAGE,
  })
  await ready()
  const [from = '', to = ''] = parsed.positionals
  const source = from.endsWith('.json') ? await readSource(from, parsed) : await askSource(from)
  const pinned = await findPolicy(parsed)
  const policy = pinned ?? policyOfLog(parseExport(source.exportText).vkey)
  const person = parsed.option('person')
  const party = person === undefined ? null : findParty(source.exportText, policy, person)
  const proofs = { exportText: source.exportText, party }
  const pack = await buildPack({
    proofs, agreements: source.agreements, policy,
    stamps: await gatherStamps(listStampable(proofs), source.askForStamp),
    madeAt: new Date().toISOString(), language: readLanguage(parsed), ...await readParts(),
  })
  await replaceFile(to, pack)
  if (pinned === null) {
    terminal.err('The key of the log is the one that the server states; name yours with --vkey or --policy.')
  }
  terminal.err(`${to} proves itself: sealdeck verify evidence ${to}`)
  return 0
}

function readLanguage({ option }: Arguments): EvidenceLanguage {
  const named = option('language') ?? 'en'
  const language = EVIDENCE_LANGUAGES.find((known) => known === named)
  if (language === undefined) throw new UsageError(`--language is one of ${EVIDENCE_LANGUAGES.join(', ')}`)
  return language
}

async function readSource(path: string, { list }: Arguments): Promise<Source> {
  const agreements: Uint8Array[] = []
  for (const file of list('agreement')) agreements.push(await readBytes(file, MAX_NDA_SIZE_BYTES))
  const exportText = await readText(path, MAX_EXPORT_SIZE_BYTES)
  return { exportText, agreements, askForStamp: async () => null }
}

/** Tokens suffice: nothing of it is sealed. */
async function askSource(vaultId: string): Promise<Source> {
  const session = await readSession()
  const line = new Line(session.address, {
    tokens: session, keep: (tokens) => keepSession({ ...session, ...tokens }),
  })
  const vault = await line.get<VaultDetail>(`/api/vaults/${encodeURIComponent(vaultId)}`)
  const agreements: Uint8Array[] = []
  for (const { sha256 } of vault.ndas) {
    const { text } = await line.get<NdaText>(`/api/vaults/${vaultId}/ndas/${sha256}`)
    agreements.push(encodeUtf8(text))
  }
  const exportText = await line.text({
    method: 'POST', path: `/api/vaults/${vaultId}/exports`, body: { format: 'evidence' },
  })
  return { exportText, agreements, askForStamp: (entry) => readStamp(line, entry) }
}

async function readStamp(
  line: Line, { index, size, log }: StampableEntry,
): Promise<StampSource | null> {
  const path = `/api/log/timestamps/first?index=${index}&size=${size}&log=${encodeURIComponent(log)}`
  const { stamp } = await line.get<FirstTimeStamp>(path)
  return stamp && {
    checkpoint: stamp.checkpoint, token: decodeBase64Url(stamp.token), size,
    proof: stamp.proof.map(decodeBase64Url),
  }
}

/** @throws Refused if the export names nobody like that. */
function findParty(exportText: string, policy: Policy, person: string): string {
  const { events } = verifyExport(parseExport(exportText), policy)
  const wanted = person.toLowerCase()
  const found = events.find(({ event, details }) => event?.party !== undefined &&
    (event.party === person || details?.email?.toLowerCase() === wanted))
  if (found?.event?.party === undefined) throw new Refused(`${person} is not in this log, or was erased`)
  return found.event.party
}

/** What the web client was built with. */
async function readParts(): Promise<{ verifier: Uint8Array, font: Uint8Array }> {
  const folder = findWebFolder()
  try {
    const [verifier, font] = await Promise.all(
      ['verify.html', 'certificate.ttf'].map((name) => readFile(join(folder, name))))
    if (verifier !== undefined && font !== undefined) return { verifier, font }
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error
  }
  throw new Refused('the verifier is not built yet: npm run build')
}
