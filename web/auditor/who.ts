/** Who did something, in words: a name where it may be seen, else a pseudonym that stays the same. */
import type { useCopy } from '../copy.js'
import type { auditor } from '../copy/auditor.js'
import { fieldOf } from './events.js'

type AuditorCopy = ReturnType<typeof useCopy<(typeof auditor)['en']>>

/** The last characters of an id: enough to tell people of one vault apart. */
export function shortId(id: string): string {
  return id.slice(-6)
}

export function whoOf(copy: AuditorCopy, event: unknown, details: unknown): string {
  const actor = fieldOf(event, 'actor')
  const [role = '', id = ''] = actor.split('/')
  const name = fieldOf(details, 'name') || fieldOf(details, 'email')
  if (role === 'person') return name === '' ? copy.person(shortId(id)) : name
  if (role === 'account') return copy.account(shortId(id))
  return role === 'operator' ? copy.operator : copy.server
}

export function whatOf(copy: AuditorCopy, event: unknown): string {
  const version = fieldOf(event, 'version')
  if (version !== '') return copy.version(Number(version), Number(fieldOf(event, 'part') || '0'))
  return fieldOf(event, 'action') || fieldOf(event, 'release') || fieldOf(event, 'gate') || ''
}
