/**
 * `sealdeck verify timestamp`: that a checkpoint was there when a time-stamp authority says so. Offline; believes the
 * certificates that the caller names, as `openssl ts -verify` does.
 */
import { decodeUtf8 } from '../../protocol/bytes.js'
import { sha256 } from '../../protocol/hash.js'
import { MAX_NOTE_SIZE_BYTES, MAX_TIME_STAMP_SIZE_BYTES } from '../../protocol/limits.js'
import { parseCheckpoint } from '../../protocol/log/checkpoint.js'
import { formatTime } from '../../protocol/log/event.js'
import { parseNote } from '../../protocol/log/note.js'
import { verifyCheckpoint } from '../../protocol/log/policy.js'
import { BadTimeStamp, verifyTimeStamp, type TimeStamp } from '../../server/time-stamp-token.js'
import { readArguments, UsageError, type Run } from '../command.js'
import { findPolicy, MAX_PEM_SIZE_BYTES, readBytes, readText } from './trust.js'
import { listCheckpoint, sayTime } from './words.js'

const USAGE = 'sealdeck verify timestamp FILE --checkpoint FILE --ca FILE [--vkey VKEY | --policy FILE]'

export const verifyTimeStampFile: Run = async (args, terminal) => {
  const parsed = readArguments(args, {
    options: ['checkpoint', 'ca', 'vkey', 'policy', 'rotations'], positionalCount: 1, usage: USAGE,
  })
  const [notePath, caPath] = [parsed.option('checkpoint'), parsed.option('ca')]
  if (notePath === undefined || caPath === undefined) throw new UsageError(`usage: ${USAGE}`)
  const token = await readBytes(parsed.positionals[0] ?? '', MAX_TIME_STAMP_SIZE_BYTES)
  const note = await readBytes(notePath, MAX_NOTE_SIZE_BYTES)
  const trustedPem = await readText(caPath, MAX_PEM_SIZE_BYTES)
  const policy = await findPolicy(parsed)
  const text = decodeUtf8(note)
  const checkpoint = policy === null
    ? { checkpoint: parseCheckpoint(parseNote(text).text), cosignatures: [] }
    : verifyCheckpoint(text, policy)
  const stamp = checkToken(token, { sha256: sha256(note), trustedPem })
  if (typeof stamp === 'string') {
    terminal.err(`NOT VERIFIED: ${stamp}`)
    return 1
  }
  terminal.out(`VERIFIED: the checkpoint was there at ${sayTime(formatTime(stamp.atMs))}, says ${stamp.signer}`)
  for (const fact of listCheckpoint(checkpoint)) terminal.out(fact)
  if (policy === null) terminal.err('Who signed the checkpoint was not checked: name the log\'s key with --vkey or --policy.')
  return 0
}

function checkToken(
  token: Uint8Array, expected: { sha256: Uint8Array, trustedPem: string },
): TimeStamp | string {
  try {
    return verifyTimeStamp(token, expected)
  } catch (error) {
    if (error instanceof BadTimeStamp) return error.message
    throw error
  }
}
