/** `sealdeck verify export`: every event of an auditor's export, proved, and what is odd about them. */
import { MAX_EXPORT_SIZE_BYTES } from '../../protocol/limits.js'
import { verifyAcceptance, requireSameAcceptance } from '../../protocol/log/acceptance.js'
import { parseExport, verifyExport, type VerifiedEvent } from '../../protocol/log/export.js'
import { policyOfLog } from '../../protocol/log/policy.js'
import { readArguments, type Run } from '../command.js'
import { findPolicy, readText } from './trust.js'
import { listCheckpoint, sayEvent, sayFinding, saySignatory, sayTime } from './words.js'

const USAGE = 'sealdeck verify export FILE [--vkey VKEY | --policy FILE]'

export const verifyExportFile: Run = async (args, terminal) => {
  const parsed = readArguments(args, { options: ['vkey', 'policy', 'rotations'], positionalCount: 1, usage: USAGE })
  const audit = parseExport(await readText(parsed.positionals[0] ?? '', MAX_EXPORT_SIZE_BYTES))
  const pinned = await findPolicy(parsed)
  const verified = verifyExport(audit, pinned ?? policyOfLog(audit.vkey))
  const origins = verified.spans.map(({ trusted }) => trusted.checkpoint.origin)
  const lines = verified.events.map((listed) => sayListed(listed, origins))

  terminal.out(`VERIFIED: ${verified.events.length} events of vault ${audit.vaultId}`)
  for (const text of [...listCheckpoint(verified), ...lines]) terminal.out(text)
  if (pinned === null) {
    terminal.err('The key of the log was taken from the file itself: compare it, or name it with --vkey.')
  }
  for (const finding of verified.findings) terminal.err(`LOOK AT THIS: ${sayFinding(finding)}`)
  return verified.findings.length === 0 ? 0 : 1
}

function sayListed(listed: VerifiedEvent, origins: readonly string[]): string {
  const { index, event } = listed
  if (event === null) return `  ${`${index}`.padStart(8)}  (erased; its place in the log is proved)`
  return `  ${`${index}`.padStart(8)}  ${sayTime(event.at)}  ${sayEvent(event, nameIn(listed, origins))}`
}

/** The signature on an acceptance is checked wherever the export holds it. */
function nameIn(
  { event, details }: VerifiedEvent, origins: readonly string[],
): string | null {
  if (details?.note !== undefined && event?.type === 'nda.accepted') {
    const acceptance = verifyAcceptance(details.note)
    requireSameAcceptance(event, acceptance, origins)
    return saySignatory(acceptance)
  }
  return details?.name ?? null
}
