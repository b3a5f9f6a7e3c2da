/** `sealdeck admin retention`: what is kept for a time, for how long, and how much of it there is. */
import { countKept, KEPT_KINDS, type KeptKind } from '../../db/queries/operator.js'
import type { Config } from '../../server/config.js'
import { GARBAGE_GRACE_MS } from '../../server/garbage.js'
import type { LogParts } from '../../server/world.js'
import { readArguments, type Terminal } from '../command.js'
import { line } from '../verify/words.js'

const DAY_MS = 24 * 3_600_000

const RULES: Readonly<Record<KeptKind, (config: Config) => string>> = {
  sessions: () => 'deleted an hour after they end: 30 minutes without use, 12 hours at most',
  codes: () => 'deleted an hour after they end: 10 minutes',
  nonces: () => 'deleted an hour after they end: 15 minutes at most',
  mails: ({ mailRecordDays }) =>
    `text deleted when sent; that it was sent, after ${mailRecordDays} days (MAIL_RECORD_DAYS)`,
  uploads: ({ unfinishedUploadHours }) =>
    `given up after ${unfinishedUploadHours} hours (UNFINISHED_UPLOAD_HOURS), their objects deleted a day later`,
  garbage: () => `deleted ${GARBAGE_GRACE_MS / DAY_MS} days after they were marked`,
  details: ({ detailsRetentionDays }) => detailsRetentionDays === undefined
    ? 'kept until a person is erased (DETAILS_RETENTION_DAYS is not set)'
    : `erased after ${detailsRetentionDays} days (DETAILS_RETENTION_DAYS)`,
}

const NAMES: Readonly<Record<KeptKind, string>> = {
  sessions: 'sessions', codes: 'codes by mail', nonces: 'nonces', mails: 'mails', uploads: 'uploads begun',
  garbage: 'objects marked', details: 'log details',
}

export async function tellRetention(
  parts: LogParts, args: readonly string[], terminal: Terminal,
): Promise<number> {
  readArguments(args, { options: [], positionalCount: 0, usage: 'sealdeck admin retention' })
  const kept = await countKept(parts.database.db)
  for (const kind of KEPT_KINDS) {
    const { count, oldestAtMs } = kept.get(kind) ?? { count: 0, oldestAtMs: null }
    const oldest = oldestAtMs === null ? '' : `, oldest ${new Date(oldestAtMs).toISOString()}`
    terminal.out(line(NAMES[kind], `${count}${oldest}; ${RULES[kind](parts.config)}`))
  }
  terminal.out('Kept for good: entries and events of the log; receipts that people hold.')
  return 0
}
