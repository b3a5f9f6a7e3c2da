/** `sealdeck admin erase --person EMAIL|ID`: destroys what the log and the rows say about a person. */
import { Refusal } from '../../protocol/refusals.js'
import { canonicalEmail } from '../../server/email.js'
import { startSequencer } from '../../server/sequencer.js'
import { erasePerson } from '../../server/use-cases/erase-person.js'
import type { LogParts } from '../../server/world.js'
import { readArguments, UsageError, type Terminal } from '../command.js'

const USAGE = 'sealdeck admin erase --person EMAIL|ID'

export async function eraseFromInstance(
  parts: LogParts, args: readonly string[], terminal: Terminal,
): Promise<number> {
  const { option } = readArguments(args, { options: ['person'], positionalCount: 0, usage: USAGE })
  const named = option('person')
  if (named === undefined) throw new UsageError(`usage: ${USAGE}`)
  const who = named.includes('@') ? { email: canonicalEmail(named) } : { personId: requireId(named) }
  const sequencer = await startSequencer(parts)
  try {
    const { personCount, eventCount } = await erasePerson({ ...parts, sequencer }, who)
    terminal.out(`ERASED: ${personCount} ${personCount === 1 ? 'person' : 'people'}, ${eventCount} events. The log says so (erasure.done) and still verifies.`)
    terminal.out('Left: copies of the database and mails sent earlier; receipts that people hold; addresses in links\' lists, which founders signed; an account of the same address.')
    return 0
  } catch (error) {
    if (!(error instanceof Refusal) || error.code !== 'not-found') throw error
    terminal.err('Nobody of that address or id came through a link.')
    return 1
  } finally {
    await sequencer.stop()
  }
}

function requireId(text: string): string {
  if (!/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text)) throw new UsageError(`usage: ${USAGE}`)
  return text
}
