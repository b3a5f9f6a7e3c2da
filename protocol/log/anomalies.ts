/**
 * What a careful reader of the log should look at (SPEC.md § 10.1): found in events that are proven, so none of it is
 * a broken proof. Pure; must not accuse of what it cannot see, and must not decide what an anomaly means.
 *
 * [Note: Seen from the start] That something is missing can be said only by who has read everything before it. A
 * scanner that began in the middle, or read through a filter, keeps quiet about what may lie outside.
 */
import type { Details, Event } from './event.js'

/** What should not happen while everybody keeps to the rules. */
export const ALARM_KINDS = [
  'released-after-revocation', 'released-without-acceptance', 'permission-missing', 'permission-later',
  'permission-of-another', 'sequence-gap', 'time-backwards',
] as const

/** What happens, and is worth a question. */
export const NOTICE_KINDS = ['new-device', 'many-addresses', 'erased'] as const

export type AlarmKind = typeof ALARM_KINDS[number]
export type AnomalyKind = AlarmKind | typeof NOTICE_KINDS[number]

export interface Anomaly {
  readonly kind: AnomalyKind
  /** The entry at which it shows. */
  readonly index: number
}

/** A proven event as far as the reader may know it. */
export interface SeenEvent {
  readonly index: number
  /** `null` where it was erased. */
  readonly event: Event | null
  /** Lower-case hex: what `because` of a later event names. */
  readonly commitment: string
  readonly details?: Details | null | undefined
  /** The number in the vault that the entry's tag was proven to carry; `null` where that is not known. */
  readonly vaultSequence?: number | null | undefined
}

/** Clocks of several servers may differ by this much before it is worth a look. */
const CLOCK_TOLERANCE_MS = 5 * 60_000
/** Home, office, phone: the next network address of one person is worth a question. */
const USUAL_ADDRESS_COUNT = 3

/** What a release may name as its reason: for open slides the proven address, or the enrolment alone. */
const PERMITTING_TYPES: readonly Event['type'][] = [
  'nda.accepted', 'access.approved', 'device.enrolled', 'email.verified',
]

interface Permission { readonly type: Event['type'] | null, readonly party: string | undefined }

/** Reads events in the log's order and remembers no more than its questions need. */
export class AnomalyScanner {
  readonly #permissions = new Map<string, Permission>()
  /** Releases whose permission was not seen yet, by the commitment that they name. */
  readonly #awaited = new Map<string, number[]>()
  readonly #revoked = new Set<string>()
  readonly #devices = new Map<string, Set<string>>()
  readonly #addresses = new Map<string, Set<string>>()
  readonly #sequences = new Map<string, number>()
  readonly #found: Anomaly[] = []
  #latestMs = 0

  /** Look at the next event. @returns what shows at it already. */
  scan(seen: SeenEvent): AnomalyKind[] {
    const kinds = seen.event === null ? this.#scanErased(seen) : this.#scanOpen(seen, seen.event)
    for (const kind of kinds) this.#found.push({ kind, index: seen.index })
    return kinds
  }

  /**
   * All that was found, by index.
   *
   * @param isWhole - every event from the first one on was scanned ([Note: Seen from the start]).
   */
  anomalies(isWhole: boolean): Anomaly[] {
    const missing = isWhole ? [...this.#awaited.values()].flat() : []
    const never = missing.map((index): Anomaly => ({ kind: 'permission-missing', index }))
    return [...this.#found, ...never].sort((a, b) => a.index - b.index)
  }

  #scanErased({ commitment }: SeenEvent): AnomalyKind[] {
    this.#permit(commitment, { type: null, party: undefined })
    return ['erased']
  }

  #scanOpen(seen: SeenEvent, event: Event): AnomalyKind[] {
    const kinds = [
      ...this.#scanSequence(event, seen.vaultSequence ?? null),
      ...this.#scanClock(event),
      ...this.#scanPermission(event, seen.index),
      ...this.#scanRevocation(event),
      ...this.#scanDevice(event),
      ...this.#scanAddress(event, seen.details?.address),
    ]
    this.#permit(seen.commitment, { type: event.type, party: event.party })
    return kinds
  }

  /** Only what can permit something is kept; the rest of a long log is not. */
  #permit(commitment: string, permission: Permission): void {
    const { type } = permission
    const canPermit = type === null || PERMITTING_TYPES.includes(type)
    if (canPermit) this.#permissions.set(commitment, permission)
    for (const index of this.#awaited.get(commitment) ?? []) {
      this.#found.push({ kind: 'permission-later', index })
    }
    this.#awaited.delete(commitment)
  }

  #scanPermission(event: Event, index: number): AnomalyKind[] {
    if (event.because === undefined) return []
    const permission = this.#permissions.get(event.because)
    if (permission === undefined) {
      this.#awaited.set(event.because, [...this.#awaited.get(event.because) ?? [], index])
      return []
    }
    const { type, party } = permission
    if (party !== undefined && event.party !== undefined && party !== event.party) {
      return ['permission-of-another']
    }
    const isUnsigned = event.type === 'header.released' && event.gate === 'nda' &&
      (type === 'device.enrolled' || type === 'email.verified')
    return isUnsigned ? ['released-without-acceptance'] : []
  }

  /** A release to somebody, or under a grant, that was revoked before and not allowed again since. */
  #scanRevocation({ type, party, grant }: Event): AnomalyKind[] {
    const subject = party ?? grant
    if (type === 'access.revoked' && subject !== undefined) this.#revoked.add(subject)
    if (type === 'access.approved' && party !== undefined) this.#revoked.delete(party)
    if (type === 'grant.revised' && grant !== undefined) this.#revoked.delete(grant)
    if (type !== 'header.released') return []
    const isRevoked = this.#revoked.has(party ?? '') || this.#revoked.has(grant ?? '')
    return isRevoked ? ['released-after-revocation'] : []
  }

  #scanDevice({ type, party, deviceKey }: Event): AnomalyKind[] {
    if (type !== 'device.enrolled' || party === undefined || deviceKey === undefined) return []
    const known = setOf(this.#devices, party)
    const isNew = known.size > 0 && !known.has(deviceKey)
    known.add(deviceKey)
    return isNew ? ['new-device'] : []
  }

  #scanAddress({ party }: Event, address: string | undefined): AnomalyKind[] {
    if (party === undefined || address === undefined) return []
    const known = setOf(this.#addresses, party)
    const isOneMore = known.size >= USUAL_ADDRESS_COUNT && !known.has(address)
    known.add(address)
    return isOneMore ? ['many-addresses'] : []
  }

  #scanClock({ at }: Event): AnomalyKind[] {
    const atMs = Date.parse(at)
    const isBack = atMs < this.#latestMs - CLOCK_TOLERANCE_MS
    this.#latestMs = Math.max(this.#latestMs, atMs)
    return isBack ? ['time-backwards'] : []
  }

  #scanSequence({ vault }: Event, sequence: number | null): AnomalyKind[] {
    if (vault === undefined || sequence === null) return []
    const last = this.#sequences.get(vault)
    this.#sequences.set(vault, sequence)
    return last === undefined || sequence === last + 1 ? [] : ['sequence-gap']
  }
}

function setOf(sets: Map<string, Set<string>>, key: string): Set<string> {
  const known = sets.get(key) ?? new Set()
  sets.set(key, known)
  return known
}

/** `scan` over a list that is at hand, in the log's order. */
export function findAnomalies(events: readonly SeenEvent[], isWhole: boolean): Anomaly[] {
  const scanner = new AnomalyScanner()
  for (const event of events) scanner.scan(event)
  return scanner.anomalies(isWhole)
}
