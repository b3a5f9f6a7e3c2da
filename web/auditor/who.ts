/** Who did something, in words: a name where it may be seen, else a pseudonym that stays the same. */
import type { useCopy } from '../copy.js'
import type { auditor } from '../copy/auditor.js'
import { fieldOf } from './pages.js'

type AuditorCopy = ReturnType<typeof useCopy<(typeof auditor)['en']>>

/** The last characters of an id: enough to tell people of one vault apart. */
export function shortId(id: string): string {
  return id.slice(-6)
}

/** One event as far as this reader may know it. */
interface Told { readonly event: unknown, readonly details: unknown }

/** What only the vault's founder does. */
const FOUNDERS_ACTS = ['version.stored', 'nda.published', 'grant.made', 'grant.revised']

/** Actors who can be named from these events: people by what they typed, the founder by her acts. */
export function namesOf(copy: AuditorCopy, events: readonly Told[]): ReadonlyMap<string, string> {
  const names = new Map<string, string>()
  for (const { event, details } of events) {
    const party = fieldOf(event, 'party')
    const name = fieldOf(details, 'name') || fieldOf(details, 'email')
    if (party !== '' && name !== '' && !names.has(`person/${party}`)) names.set(`person/${party}`, name)
    if (FOUNDERS_ACTS.includes(fieldOf(event, 'type'))) names.set(fieldOf(event, 'actor'), copy.founder)
  }
  return names
}

export function whoOf(
  copy: AuditorCopy, event: unknown, names: ReadonlyMap<string, string>,
): string {
  const actor = fieldOf(event, 'actor')
  if (actor === '') return ''
  const [role = '', id = ''] = actor.split('/')
  const name = names.get(actor)
  if (name !== undefined) return name
  if (role === 'person') return copy.person(shortId(id))
  if (role === 'account') return copy.account(shortId(id))
  return role === 'operator' ? copy.operator : copy.server
}

/** The vault of an event of the instance's list; those of no vault are the instance's own. */
export function vaultOf(copy: AuditorCopy, event: unknown): string {
  const vaultId = fieldOf(event, 'vault')
  return vaultId === '' ? '' : copy.vault(shortId(vaultId))
}

export function whatOf(copy: AuditorCopy, event: unknown): string {
  const version = fieldOf(event, 'version')
  if (version !== '') return copy.version(Number(version), Number(fieldOf(event, 'part') || '0'))
  const said = fieldOf(event, 'action') || fieldOf(event, 'release') || fieldOf(event, 'gate')
  return copy.whats[said] ?? said
}
