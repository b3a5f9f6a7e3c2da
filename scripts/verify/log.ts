/** `sealdeck verify log`: all entries, all tiles, the checkpoint. */
import { hash } from 'node:crypto'
import { encodeHex } from '../../protocol/bytes.js'
import type { Hash } from '../../protocol/hash.js'
import { verifyLog } from '../../protocol/log/whole-log.js'
import { readArguments, type Run } from '../command.js'
import { readerOf } from './read-log.js'
import { withRotations } from './rotations.js'
import { requirePolicy } from './trust.js'
import { line, listCheckpoint } from './words.js'

const USAGE = 'sealdeck verify log DIR|URL (--vkey VKEY | --policy FILE)'

export const platformHash: Hash = (bytes) => hash('sha256', bytes, 'buffer')

export const verifyLogAt: Run = async (args, terminal) => {
  const parsed = readArguments(args, { options: ['vkey', 'policy'], positionalCount: 1, usage: USAGE })
  const read = readerOf(parsed.positionals[0] ?? '')
  const policy = await withRotations(await requirePolicy(parsed), read)
  const trusted = await verifyLog(read, policy, {
    hash: platformHash,
    onProgress: (count) => { if (terminal.isWatched) terminal.err(`${count} entries checked`) },
  })
  terminal.out('VERIFIED: every entry and every tile leads to the checkpoint')
  for (const text of listCheckpoint(trusted)) terminal.out(text)
  const { origin } = trusted.checkpoint
  const closing = policy.closings?.find(({ checkpoint }) => checkpoint.origin === origin)
  if (closing !== undefined) terminal.out(line('closed', `${closing.nextOrigin} goes on`))
  terminal.out(line('root', encodeHex(trusted.checkpoint.root)))
  return 0
}
