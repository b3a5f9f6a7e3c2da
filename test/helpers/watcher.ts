/** A founder's look at her log (protocol/log/watch.ts) over the real API: what her browser does, without the browser. */
import type { AskStatements, EventList, LoggedEvent, Statements } from '../../protocol/api.js'
import { decodeUtf8 } from '../../protocol/bytes.js'
import { deriveVaultTagKey } from '../../protocol/deck/identity.js'
import type { OwnMemory } from '../../protocol/log/own-events.js'
import { verifyLine } from '../../protocol/log/line.js'
import { policyOfLog } from '../../protocol/log/policy.js'
import { CHECKPOINT_PATH } from '../../protocol/log/tile.js'
import {
  NEW_WATCH, watchLog, type EventRange, type Looked, type WatchState,
} from '../../protocol/log/watch.js'
import type { Founder } from './people.js'
import type { TestWorld } from './world.js'

/** How the server's answers are falsified on their way. */
export interface Lies {
  readonly events?: (events: readonly LoggedEvent[]) => readonly LoggedEvent[]
  readonly statements?: (sent: Statements) => Statements
  readonly file?: (path: string, bytes: Uint8Array | null) => Uint8Array | null
}

export class Watcher {
  readonly #test: TestWorld
  readonly #founder: Founder
  readonly #vaultIds: readonly string[]
  readonly memories = new Map<string, string>()
  state: WatchState = NEW_WATCH
  readPaths: string[] = []

  constructor(test: TestWorld, founder: Founder, vaultIds: readonly string[]) {
    this.#test = test
    this.#founder = founder
    this.#vaultIds = vaultIds
  }

  /** The next look. What it found, by kind and type of event. */
  async finds(lies: Lies = {}, maxEntryCount = 1_000_000): Promise<string[]> {
    const { findings } = await this.looks(lies, maxEntryCount)
    return findings.map(({ kind, event }) => event === null ? kind : `${kind} ${event.type}`)
  }

  async looks(lies: Lies = {}, maxEntryCount = 1_000_000): Promise<Looked> {
    const { vkey } = this.#test.world.keys.log
    const bytes = await this.#readFile(CHECKPOINT_PATH, {})
    const spans = verifyLine(decodeUtf8(bytes ?? new Uint8Array()), policyOfLog(vkey))
    const looked = await watchLog({
      spans, logVkeys: [vkey], state: this.state, maxEntryCount, nowMs: this.#test.clock.nowMs(),
      vaults: this.#vaultIds.map((vaultId) => ({
        vaultId, tagKey: deriveVaultTagKey(this.#founder.root, vaultId),
        actor: `account/${this.#founder.userId}`,
        founder: {
          signingKey: this.#founder.keys.signing.publicKey,
          fingerprint: this.#founder.keys.fingerprint,
        },
      })),
    }, this.#reads(lies))
    // As a browser keeps it: nothing but text survives.
    this.state = JSON.parse(JSON.stringify(looked.state))
    return looked
  }

  #reads(lies: Lies) {
    return {
      readFile: (path: string) => this.#readFile(path, lies),
      listEvents: (vaultId: string, range: EventRange) => this.#listEvents(vaultId, range, lies),
      readStatements: async (vaultId: string, asked: AskStatements) => {
        const sent = await this.#founder.posts<Statements>(`/api/vaults/${vaultId}/statements`, asked)
        return lies.statements?.(sent) ?? sent
      },
      readMemory: async (vaultId: string): Promise<OwnMemory | null> =>
        JSON.parse(this.memories.get(vaultId) ?? 'null'),
      writeMemory: async (vaultId: string, memory: OwnMemory) => {
        this.memories.set(vaultId, JSON.stringify(memory))
      },
      onProgress: () => undefined,
    }
  }

  async #readFile(path: string, { file }: Lies): Promise<Uint8Array | null> {
    this.readPaths.push(path)
    const { bucket, keys } = this.#test.world
    const bytes = await bucket.read(`${keys.log.prefix}/${path}`)
    return file === undefined ? bytes : file(path, bytes)
  }

  async #listEvents(vaultId: string, { after, before, type }: EventRange, lies: Lies) {
    const range = `before=${before}${after < 0 ? '' : `&after=${after}`}${type === undefined ? '' : `&type=${type}`}`
    const list = await this.#founder.gets<EventList>(`/api/vaults/${vaultId}/events?limit=100&${range}`)
    return { events: lies.events?.(list.events) ?? list.events, next: list.next }
  }
}
