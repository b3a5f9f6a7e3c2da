/** What was proved, in plain words. Says nothing that the caller has not verified. */
import { english } from '../../protocol/evidence/words-en.js'
import { parseVkey } from '../../protocol/log/note.js'
import type { Acceptance, Signatory } from '../../protocol/log/acceptance.js'
import type { Event } from '../../protocol/log/event.js'
import type { Finding } from '../../protocol/log/export.js'
import type { TrustedCheckpoint } from '../../protocol/log/policy.js'

/** `2026-11-22T14:31:05.120Z` as `2026-11-22 14:31:05 UTC`. */
export function sayTime(time: string): string {
  return `${time.slice(0, 10)} ${time.slice(11, 19)} UTC`
}

export function saySeconds(timeSeconds: bigint): string {
  const timeMs = Number(timeSeconds) * 1000
  // A witness may claim any time at all; Date ends in the year 275760.
  return timeMs > 8.64e15 ? `second ${timeSeconds}` : sayTime(new Date(timeMs).toISOString())
}

export function sayEvent(event: Event, who: string | null): string {
  const subject = who ?? (event.party === undefined ? null : `person ${event.party}`)
  const what = english.events[event.type]
  return subject === null ? what : `${what}: ${subject}`
}

export function saySignatory({ name, email, organisation }: Signatory): string {
  return `${name} <${email}>${organisation === undefined ? '' : `, for ${organisation}`}`
}

/** The facts of an event, a line each, in a fixed order. */
export function listFacts(event: Event): string[] {
  const facts: [string, string | number | undefined][] = [
    ['vault', event.vault], ['grant', event.grant], ['document', event.document],
    ['version', event.version], ['agreement SHA-256', event.agreementSha256],
    ['grant SHA-256', event.grantSha256], ['record SHA-256', event.recordSha256],
    ['header SHA-256', event.headerSha256], ['link key', nameOf(event.linkKey)],
    ['device key', nameOf(event.deviceKey)],
    ['log key', event.logKey], ['log key before', event.previousLogKey],
    ['permitted by', event.because],
  ]
  return facts.flatMap(([name, value]) => value === undefined ? [] : [line(name, `${value}`)])
}

function nameOf(vkey: string | undefined): string | undefined {
  return vkey === undefined ? undefined : parseVkey(vkey).name
}

export function line(name: string, value: string): string {
  return `  ${name.padEnd(18)} ${value}`
}

export function listAcceptance(acceptance: Acceptance): string[] {
  return [
    line('signed by', saySignatory(acceptance)),
    line('agreement', acceptance.agreement),
    line('consent', acceptance.consent),
    line('signer\'s clock', sayTime(acceptance.signedAt)),
  ]
}

export function listCheckpoint(
  { checkpoint, cosignatures }: Pick<TrustedCheckpoint, 'checkpoint' | 'cosignatures'>,
): string[] {
  return [
    line('log', `${checkpoint.origin}, ${checkpoint.size} entries`),
    ...cosignatures.length === 0
      ? [line('witnesses', 'none asked for')]
      : cosignatures.map(({ witness, timeSeconds }) =>
        line('cosigned by', `${witness}, ${saySeconds(timeSeconds)}`)),
  ]
}

export function sayFinding({ kind, index }: Finding): string {
  return `event ${index} ${english.alarms[kind]}`
}
