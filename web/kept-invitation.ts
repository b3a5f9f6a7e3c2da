/**
 * An auditor's invitation, kept in this tab until it is accepted or laid aside: who has to sign up first comes back to
 * it, fragment and all. Its fragment names public keys by their hashes and opens nothing ([Note: Pinned by the
 * invitation] in web/auditor/pins.ts); no other fragment may be kept here.
 */
import { takeFragment } from './fragment.js'

const NAME = 'sealdeck.invitation'

export interface KeptInvitation {
  readonly invitationId: string
  readonly fragment: string
}

/** Where the browser keeps nothing for us, it lives as long as the page. */
let kept: KeptInvitation | null = null

/** Call when an invitation's address is entered, signed in or not. */
export function keepInvitation(invitationId: string): void {
  const fragment = takeFragment()
  if (fragment === null) return
  kept = { invitationId, fragment }
  try {
    sessionStorage.setItem(NAME, `${invitationId}#${fragment}`)
  } catch {
    // Storage switched off: the page itself remembers.
  }
}

export function findInvitation(): KeptInvitation | null {
  return kept ?? readStored()
}

/** Accepted, or laid aside. */
export function dropInvitation(): void {
  kept = null
  try {
    sessionStorage.removeItem(NAME)
  } catch {
    // What could not be written is not there.
  }
}

function readStored(): KeptInvitation | null {
  try {
    const [invitationId, fragment] = (sessionStorage.getItem(NAME) ?? '').split('#')
    return invitationId === undefined || fragment === undefined ? null : { invitationId, fragment }
  } catch {
    return null // Storage switched off.
  }
}

/** Where somebody belongs who has just come in: to the invitation that waits, else to her decks. */
export function homePath(): string {
  const invitation = findInvitation()
  return invitation === null ? '/vaults' : `/audit/${invitation.invitationId}`
}
