/**
 * `sealdeck verify`: checks what a log gives out. Offline unless given an address; believes only the
 * policy or key that the caller names.
 */
import { ready } from '../protocol/sodium.js'
import { UsageError, type Run } from './command.js'
import { verifyEvidence } from './verify/evidence.js'
import { verifyExportFile } from './verify/export.js'
import { verifyGossip } from './verify/gossip.js'
import { verifyLogAt } from './verify/log.js'
import { monitorLog } from './verify/monitor.js'
import { verifyNoteFile } from './verify/note.js'
import { verifyReceiptFile } from './verify/receipt.js'
import { verifyTimeStampFile } from './verify/timestamp.js'

const KINDS: Readonly<Record<string, Run>> = {
  receipt: verifyReceiptFile,
  export: verifyExportFile,
  evidence: verifyEvidence,
  note: verifyNoteFile,
  log: verifyLogAt,
  monitor: monitorLog,
  gossip: verifyGossip,
  timestamp: verifyTimeStampFile,
}

const USAGE = `usage: sealdeck verify receipt FILE  (--vkey VKEY | --policy FILE) [--nda FILE] [--note FILE] [--details FILE]
       sealdeck verify export FILE   [--vkey VKEY | --policy FILE]
       sealdeck verify evidence FILE.zip|DIR [--vkey VKEY | --policy FILE] [--ca FILE]
       sealdeck verify note FILE     [--vkey VKEY | --policy FILE]
       sealdeck verify log DIR|URL   (--vkey VKEY | --policy FILE)
       sealdeck verify monitor URL   (--vkey VKEY | --policy FILE) --state FILE [--tag-key FILE] [--export FILE]
                             [--vault ID [--passphrase-file FILE]] [--every SECONDS]
       sealdeck verify gossip DIR|URL [--checkpoint FILE ...] (--vkey VKEY | --policy FILE) [--evidence FILE]
       sealdeck verify timestamp FILE --checkpoint FILE --ca FILE [--vkey VKEY | --policy FILE]

--rotations DIR|URL: where the log lies, to follow the keys it has taken since (log, monitor and gossip do so by themselves).
Exit codes: 0 verified, 1 not verified, 2 wrong usage or nothing to read.`

export const run: Run = async (args, terminal) => {
  const [kind = '', ...rest] = args
  const verify = Object.hasOwn(KINDS, kind) ? KINDS[kind] : undefined
  if (verify === undefined) throw new UsageError(USAGE)
  await ready()
  return await verify(rest, terminal)
}
