/** `sealdeck admin users` and `sealdeck admin quota`: the accounts, who may come in, and how much each may store. */
import { listAccounts, type Account } from '../../db/queries/operator.js'
import { Refusal } from '../../protocol/refusals.js'
import { canonicalEmail } from '../../server/email.js'
import { startSequencer, type Sequencer } from '../../server/sequencer.js'
import { admitAccount } from '../../server/use-cases/admit-account.js'
import { setQuota } from '../../server/use-cases/set-quota.js'
import type { LogParts } from '../../server/world.js'
import { confirm, readArguments, Refused, takeFlags, UsageError, type Terminal } from '../command.js'
import { formatSize, parseSize } from './sizes.js'

const USAGE = `sealdeck admin users [--after EMAIL] [--limit N]
       sealdeck admin users disable EMAIL [--yes] | enable EMAIL`
const QUOTA_USAGE = 'sealdeck admin quota EMAIL SIZE|default'
const PAGE_LIMIT = 100
const MAX_PAGE_LIMIT = 10_000

export async function manageUsers(
  parts: LogParts, args: readonly string[], terminal: Terminal,
): Promise<number> {
  const [act] = args
  if (act === undefined || act.startsWith('--')) return await list(parts, args, terminal)
  const flags = takeFlags(args, ['yes'])
  const { positionals: [, email = ''] } = readArguments(flags.rest, { options: [], positionalCount: 2, usage: USAGE })
  if ((act !== 'disable' && act !== 'enable') || !email.includes('@')) throw new UsageError(`usage: ${USAGE}`)
  const isAdmitted = act === 'enable'
  const asked = { email: canonicalEmail(email), isAdmitted }
  if (!isAdmitted) await confirm(`${asked.email} will be signed out everywhere and kept out.`, flags.has('yes'))
  const isDone = await acting(parts, (sequencer) => admitAccount({ ...parts, sequencer }, asked))
  terminal.out(isDone ? sayAdmitted(asked) : `${asked.email} is ${isAdmitted ? 'let in' : 'kept out'} already. Nothing was changed.`)
  return 0
}

function sayAdmitted({ email, isAdmitted }: { email: string, isAdmitted: boolean }): string {
  return isAdmitted
    ? `ENABLED: ${email} can sign in again. The log says so (admin.acted).`
    : `DISABLED: ${email} is signed out and kept out. Links go on working until they are revoked. The log says so (admin.acted).`
}

export async function changeQuota(
  parts: LogParts, args: readonly string[], terminal: Terminal,
): Promise<number> {
  const options = { options: [], positionalCount: 2, usage: QUOTA_USAGE }
  const [email = '', size = ''] = readArguments(args, options).positionals
  if (!email.includes('@')) throw new UsageError(`usage: ${QUOTA_USAGE}`)
  const asked = { email: canonicalEmail(email), quotaBytes: size === 'default' ? null : parseSize(size) }
  const isDone = await acting(parts, (sequencer) => setQuota({ ...parts, sequencer }, asked))
  const now = asked.quotaBytes === null ? `the default, ${formatSize(parts.config.accountQuotaBytes)}` : formatSize(asked.quotaBytes)
  terminal.out(isDone ? `SET: ${asked.email} may store ${now}. The log says so (admin.acted).` : `${asked.email} has ${now} already.`)
  return 0
}

/** An act is in the log before it is called done. */
async function acting(
  parts: LogParts, act: (sequencer: Sequencer) => Promise<boolean>,
): Promise<boolean> {
  const sequencer = await startSequencer(parts)
  try {
    return await act(sequencer)
  } catch (error) {
    if (error instanceof Refusal && error.code === 'not-found') throw new Refused('nobody has an account under that address')
    throw error
  } finally {
    await sequencer.stop()
  }
}

async function list(
  { database, config }: LogParts, args: readonly string[], terminal: Terminal,
): Promise<number> {
  const { option } = readArguments(args, { options: ['after', 'limit'], positionalCount: 0, usage: USAGE })
  const limit = Number(option('limit') ?? PAGE_LIMIT)
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_PAGE_LIMIT) throw new UsageError(`--limit is 1 to ${MAX_PAGE_LIMIT}`)
  const accounts = await listAccounts(database.db, { after: option('after'), limit })
  for (const account of accounts) terminal.out(describe(account, config.accountQuotaBytes))
  if (accounts.length === limit) terminal.out(`more: --after ${accounts.at(-1)?.email ?? ''}`)
  if (accounts.length === 0) terminal.out('No accounts.')
  return 0
}

function describe(account: Account, defaultQuotaBytes: number): string {
  const { email, usedBytes, quotaBytes, createdAtMs, disabledAtMs } = account
  const room = `${formatSize(usedBytes)} of ${formatSize(quotaBytes ?? defaultQuotaBytes)}`
  const since = new Date(createdAtMs).toISOString().slice(0, 10)
  const state = disabledAtMs === null ? '' : `  disabled since ${new Date(disabledAtMs).toISOString().slice(0, 10)}`
  return `${email}  ${room}  since ${since}${state}`
}
