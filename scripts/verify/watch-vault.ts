/**
 * The founder's own look at her log (SPEC.md § 8.4), unattended: by the session that `sealdeck login` left, and a file with
 * the vault's tag key. It can name what was hidden or was not hers; it cannot open a deck, since it has no root.
 * Must not trust the session's answers: the log's entries and the founder's own signatures decide.
 */
import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import type { EventList, Statements } from '../../protocol/api.js'
import { decodeBase64Url, encodeHex } from '../../protocol/bytes.js'
import { deriveVaultTagKey, fingerprintOf } from '../../protocol/deck/identity.js'
import { formatVkey } from '../../protocol/log/note.js'
import type { OwnMemory } from '../../protocol/log/own-events.js'
import type { Span } from '../../protocol/log/line.js'
import type { Policy } from '../../protocol/log/policy.js'
import { NEW_WATCH, watchLog, type Finding, type WatchReads, type WatchState } from '../../protocol/log/watch.js'
import { Line } from '../account/line.js'
import { unlockOwner } from '../account/owner.js'
import { keepSession, readSession } from '../account/saved-session.js'
import { UsageError, type Terminal } from '../command.js'
import { replaceFile } from '../replace-file.js'

const STATE_FORMAT = 'sealdeck-watch/v1'
const MAX_ENTRIES = 1_000_000
const PAGE_SIZE = 200

interface KeptWatch {
  readonly format: typeof STATE_FORMAT
  readonly state: WatchState
  readonly memory: OwnMemory | null
}

export interface VaultWatch {
  readonly vaultId: string
  readonly tagKey: Uint8Array
  /** Its own file, beside the monitor's. */
  readonly statePath: string
  /** A file of the log of that origin. */
  readonly read: WatchReads['readFile']
  readonly policy: Policy
  readonly spans: readonly Span[]
}

/** The tag key's file, made once with the passphrase: from then on nobody is asked. */
export async function ensureTagKey(
  path: string, vaultId: string, passphraseFile: string | undefined,
): Promise<void> {
  if (existsSync(path)) return
  const owner = await unlockOwner(passphraseFile)
  const key = encodeHex(deriveVaultTagKey(owner.root, vaultId))
  owner.end()
  await writeFile(path, `${key}\n`, { mode: 0o600, flag: 'wx' })
}

/** One look. @returns the exit code: 1 if anything was found. */
export async function lookAtVault(watch: VaultWatch, terminal: Terminal): Promise<number> {
  const kept = await readKept(watch.statePath)
  const session = await readSession()
  const line = new Line(session.address, {
    tokens: session, keep: (tokens) => keepSession({ ...session, ...tokens }),
  })
  const signingKey = decodeBase64Url(session.account.signingKey)
  let memory = kept.memory
  const looked = await watchLog({
    spans: watch.spans, logVkeys: watch.policy.logs.map(({ key }) => formatVkey(key)),
    state: kept.state, nowMs: Date.now(), maxEntryCount: MAX_ENTRIES,
    vaults: [{
      vaultId: watch.vaultId, tagKey: watch.tagKey, actor: `account/${session.account.userId}`,
      founder: { signingKey, fingerprint: fingerprintOf(signingKey) },
    }],
  }, {
    ...readsOf(line, watch.read),
    readMemory: async () => memory,
    writeMemory: async (_vaultId, next) => { memory = next },
  })
  const next: KeptWatch = { format: STATE_FORMAT, state: looked.state, memory }
  await replaceFile(watch.statePath, `${JSON.stringify(next)}\n`)
  return await announce(watch, looked.findings, terminal)
}

function readsOf(line: Line, readFile: WatchReads['readFile']): Omit<WatchReads, 'readMemory' | 'writeMemory'> {
  return {
    readFile,
    async listEvents(vaultId, { after, before, type }) {
      const query = new URLSearchParams({
        before: String(before), limit: String(PAGE_SIZE),
        ...after < 0 ? {} : { after: String(after) },
        ...type === undefined ? {} : { type },
      })
      return await line.get<EventList>(`/api/vaults/${vaultId}/events?${query.toString()}`)
    },
    readStatements: (vaultId, asked) => line.post<Statements>(`/api/vaults/${vaultId}/statements`, asked),
    onProgress: () => undefined,
  }
}

async function readKept(path: string): Promise<KeptWatch> {
  if (!existsSync(path)) return { format: STATE_FORMAT, state: NEW_WATCH, memory: null }
  const kept: KeptWatch = JSON.parse(await readFile(path, 'utf8'))
  if (kept.format !== STATE_FORMAT) throw new UsageError(`${path} is not the state of a watch`)
  return kept
}

async function announce(
  { vaultId, statePath }: VaultWatch, findings: readonly Finding[], terminal: Terminal,
): Promise<number> {
  if (findings.length === 0) {
    terminal.out(`VERIFIED: nothing of vault ${vaultId} is hidden, and nothing was done without its founder`)
    return 0
  }
  for (const { kind, index, event } of findings) {
    const named = event === null ? '' : `, ${event.type} ${event.id} at ${event.at}`
    terminal.err(`ALARM: ${kind} at entry ${index}${named}`)
  }
  const evidencePath = `${statePath}.alarm-${findings[0]?.index ?? 0}.json`
  await writeFile(evidencePath, `${JSON.stringify({ format: 'sealdeck-alarm/v1', findings }, null, 1)}\n`)
  terminal.err(`The evidence is kept in ${evidencePath}`)
  return 1
}
