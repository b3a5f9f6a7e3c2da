/** `sealdeck admin auditor add|remove EMAIL`, `list`: who may read the events of all vaults, as pseudonyms. */
import { listInstanceAuditors } from '../../db/queries/instance-auditors.js'
import { canonicalEmail } from '../../server/email.js'
import { startSequencer } from '../../server/sequencer.js'
import { nameInstanceAuditor } from '../../server/use-cases/name-instance-auditor.js'
import type { LogParts } from '../../server/world.js'
import { UsageError, type Terminal } from '../command.js'

const USAGE = 'usage: sealdeck admin auditor add EMAIL | remove EMAIL | list'
const MAX_LISTED = 1_000

export async function manageAuditors(
  parts: LogParts, args: readonly string[], terminal: Terminal,
): Promise<number> {
  const [act, email, ...more] = args
  if (act === 'list' && email === undefined) return await list(parts, terminal)
  const isKnown = act === 'add' || act === 'remove'
  if (!isKnown || email?.includes('@') !== true || more.length > 0) throw new UsageError(USAGE)
  return await name(parts, { email: canonicalEmail(email), isRight: act === 'add' }, terminal)
}

async function list({ database }: LogParts, terminal: Terminal): Promise<number> {
  const auditors = await listInstanceAuditors(database.db, MAX_LISTED)
  for (const { email, createdAtMs } of auditors) {
    terminal.out(`${email}  since ${new Date(createdAtMs).toISOString()}`)
  }
  if (auditors.length === 0) terminal.out('Nobody audits this instance.')
  return 0
}

async function name(
  parts: LogParts, asked: { email: string, isRight: boolean }, terminal: Terminal,
): Promise<number> {
  const sequencer = await startSequencer(parts)
  try {
    const isDone = await nameInstanceAuditor({ ...parts, sequencer }, asked)
    terminal.out(sayDone(asked, isDone))
    return 0
  } finally {
    await sequencer.stop()
  }
}

function sayDone({ email, isRight }: { email: string, isRight: boolean }, isDone: boolean): string {
  if (!isDone) return `${email} ${isRight ? 'audits this instance already' : 'does not audit this instance'}. Nothing was changed.`
  return isRight
    ? `${email} may now read the events of all vaults, as pseudonyms: sign in with that address and open “Audits”. The log says so (admin.acted).`
    : `${email} may no longer read the events of all vaults. The log says so (admin.acted).`
}
