/** `sealdeck admin fsck [--repair]`: checks the whole log, and brings a database that is behind up to it. */
import { checkWholeLog, type LogReport } from '../../server/log-check.js'
import { followStatedBorder } from '../../server/border.js'
import { repairLog, type Repair } from '../../server/log-repair.js'
import { startSequencer } from '../../server/sequencer.js'
import type { LogParts } from '../../server/world.js'
import { UsageError, type Terminal } from '../command.js'
import { line } from '../verify/words.js'

const USAGE = 'usage: sealdeck admin fsck [--repair]'

export async function checkInstance(
  parts: LogParts, args: readonly string[], terminal: Terminal,
): Promise<number> {
  const isRepair = args[0] === '--repair'
  if (args.length > (isRepair ? 1 : 0)) throw new UsageError(USAGE)
  const report = await check(parts, terminal)
  const isBehind = report.headSize < report.publishedSize
  if (report.problemCount > 0 || !isBehind) return conclude(report, terminal)
  const lacking = report.publishedSize - report.headSize
  terminal.out(`BEHIND: the database lacks ${lacking} published entries. It was restored from an older copy, or lost power.`)
  if (!isRepair) {
    terminal.out('Stop all instances and run `npx sealdeck admin fsck --repair` to bring them back.')
    return 1
  }
  await repair(parts, report, terminal)
  const repaired = await check(parts, terminal)
  // A copy from before a log was closed is brought up log by log.
  return repaired.headSize < repaired.publishedSize && repaired.problemCount === 0
    ? await checkInstance(parts, args, terminal)
    : conclude(repaired, terminal)
}

async function check(parts: LogParts, terminal: Terminal): Promise<LogReport> {
  const report = await checkWholeLog(parts, (count) => {
    if (terminal.isWatched) terminal.err(`${count} entries checked`)
  })
  terminal.out(line('log', parts.keys.log.origin))
  terminal.out(line('entries', `${report.headSize} in the database, ${report.publishedSize} published`))
  terminal.out(line('files', String(report.fileCount)))
  terminal.out(line('openings', `${report.erasedCount} erased, ${report.lostCount} lost`))
  return report
}

/** Leading keeps running instances out; those that wait to lead would refuse this database anyway. */
async function repair(parts: LogParts, report: LogReport, terminal: Terminal): Promise<void> {
  const lock = await parts.database.tryLead()
  if (lock === undefined) throw new UsageError('another instance leads the log: stop all instances first')
  const { restoredCount, lostCount, eventIds, isBehind } = await repairAndFollow(parts, report)
    .finally(() => lock.release())
  if (isBehind) {
    terminal.out(`REPAIRED: ${restoredCount} entries are back, to the end of a log that was closed. The next log follows.`)
    return
  }
  const sequencer = await startSequencer(parts)
  await sequencer.published(eventIds).finally(() => sequencer.stop())
  terminal.out(`REPAIRED: ${restoredCount} entries are back, ${lostCount} of them without their openings. The log says so (log.recovered).`)
  terminal.out('Rows are as old as the copy: revocations, links and versions made since then are gone. Tell the founders.')
}

async function repairAndFollow(
  parts: LogParts, report: LogReport,
): Promise<Repair & { isBehind: boolean }> {
  const repair = await repairLog(parts, report)
  return { ...repair, isBehind: await followStatedBorder(parts) }
}

function conclude(report: LogReport, terminal: Terminal): number {
  for (const problem of report.problems) terminal.out(`WRONG: ${problem}`)
  const untold = report.problemCount - report.problems.length
  if (untold > 0) terminal.out(`WRONG: ${untold} more`)
  if (report.problemCount > 0) return 1
  terminal.out('RIGHT: entries, tiles, bundles, roots, checkpoints, openings and tags fit together')
  return 0
}
