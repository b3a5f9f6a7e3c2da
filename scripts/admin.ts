/**
 * `sealdeck admin`: what an operator does to an instance from its own machine, with the server's settings.
 * On PGlite the server must be stopped meanwhile; on PostgreSQL it may run, but for a repair.
 */
import { DataFolderLocked } from '../db/data-lock.js'
import { readConfig, SettingError } from '../server/config.js'
import { LogContradiction } from '../server/integrator.js'
import { openEngines, openLog } from '../server/open-world.js'
import type { LogParts } from '../server/world.js'
import { manageAuditors } from './admin/auditor.js'
import { allowOrigin } from './admin/allow-origin.js'
import { backUpInstance, restoreInstance } from './admin/backup.js'
import { eraseFromInstance } from './admin/erase.js'
import { checkInstance } from './admin/fsck.js'
import { closeLog } from './admin/close-log.js'
import { collectGarbage } from './admin/gc.js'
import { tellRetention } from './admin/retention.js'
import { rotateLogKey } from './admin/rotate-log-key.js'
import { changeQuota, manageUsers } from './admin/users.js'
import { UsageError, type Run, type Terminal } from './command.js'

/** @returns the exit code. */
export type AdminRun = (
  parts: LogParts, args: readonly string[], terminal: Terminal,
) => Promise<number>

const ACTS: Readonly<Record<string, AdminRun>> = {
  fsck: checkInstance,
  erase: eraseFromInstance,
  users: manageUsers,
  quota: changeQuota,
  retention: tellRetention,
  gc: collectGarbage,
  backup: backUpInstance,
  restore: restoreInstance,
  auditor: manageAuditors,
  'allow-origin': allowOrigin,
  'rotate-log-key': rotateLogKey,
  'close-log': closeLog,
}

const USAGE = `usage: sealdeck admin fsck [--repair]           check the whole log: rows, files, openings, tags
       sealdeck admin erase --person EMAIL|ID   destroy what log and rows say about a person
       sealdeck admin auditor add EMAIL | remove EMAIL | list   who may read the events of all vaults, as pseudonyms
       sealdeck admin allow-origin              let this instance's pages reach the S3 bucket (for direct transfers)
       sealdeck admin rotate-log-key [--finish]   another key for the log; a month later the old one is dropped
       sealdeck admin close-log --next ORIGIN   end the log; another one, of that name and with a key of its own, goes on
       sealdeck admin users [--after EMAIL] [--limit N]   the accounts, with what they store
       sealdeck admin users disable EMAIL [--yes] | enable EMAIL   keep an account out, or let it in again
       sealdeck admin quota EMAIL SIZE|default  how much an account may store: 512M, 20G
       sealdeck admin retention                 what is kept for a time, and how much of it there is
       sealdeck admin gc [--dry-run]            objects that no row refers to: marked, and a week later deleted
       sealdeck admin backup DIR                database and bucket, beside the snapshots that are there
       sealdeck admin restore DIR [--at SNAPSHOT] [--behind] [--yes]   put a snapshot back

Settings are the server's. Exit codes: 0 done, 1 something is wrong, 2 wrong usage or nothing to read.`

export const run: Run = async ([name = '', ...rest], terminal) => {
  const act = Object.hasOwn(ACTS, name) ? ACTS[name] : undefined
  if (act === undefined) throw new UsageError(USAGE)
  const config = readConfig()
  try {
    const { parts, close } = await openEngines(config, { log: openLog('warn') })
    try {
      return await act(parts, rest, terminal)
    } finally {
      await close()
    }
  } catch (error) {
    const kinds = [SettingError, DataFolderLocked, LogContradiction]
    const isTheirs = kinds.some((kind) => error instanceof kind)
    if (!isTheirs || !(error instanceof Error)) throw error
    terminal.err(error.message)
    return 1
  }
}
