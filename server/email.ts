/**
 * The one place that decides when two e-mail addresses are the same. What it answers is stored,
 * compared and mailed to; the unique indexes hold the same text.
 *
 * [Note: Canonical addresses] The local part in NFC with ASCII letters in lower case, the domain in
 * lower-case ASCII (punycode). Letters of other scripts that look alike stay different, and so do
 * plus-addresses: whether two spellings reach one mailbox is the mailbox's business, and a wrong guess
 * would hand one person's access to another.
 */
import { domainToASCII } from 'node:url'
import { MAX_EMAIL_LENGTH } from '../protocol/limits.js'
import { Refusal } from '../protocol/refusals.js'

const MAX_LOCAL_LENGTH = 64
const LABEL = /^(?!-)[a-z0-9-]{1,63}(?<!-)$/
/** The platform's own reader would also take escapes, tabs and line ends. */
const WRITTEN_DOMAIN = /^[\p{L}\p{M}\p{N}.-]+$/u
/** What needs quoting in an address, spaces, controls and what cannot be seen: none of it passes. */
const UNUSABLE_LOCAL = /[\s"(),:;<>@[\\\]\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}]|^\.|\.$|\.\./u

/**
 * The address as it is stored and compared ([Note: Canonical addresses]).
 * Refuses: bad-request, for what is not one address that mail can be sent to.
 */
export function canonicalEmail(address: string): string {
  const at = address.lastIndexOf('@')
  const local = address.slice(0, at).normalize('NFC').replace(/[A-Z]/g, (letter) => letter.toLowerCase())
  const written = address.slice(at + 1)
  const domain = WRITTEN_DOMAIN.test(written) ? domainToASCII(written) : ''
  const isUsable = at > 0 && local.length <= MAX_LOCAL_LENGTH && !UNUSABLE_LOCAL.test(local) &&
    isDomain(domain)
  const canonical = `${local}@${domain}`
  if (!isUsable || canonical.length > MAX_EMAIL_LENGTH) throw new Refusal('bad-request')
  return canonical
}

/** Two labels or more, the last one not a number: a name and not an address of a machine. */
function isDomain(domain: string): boolean {
  const labels = domain.split('.')
  return labels.length >= 2 && labels.every((label) => LABEL.test(label)) && !/^[0-9]+$/.test(labels.at(-1) ?? '')
}
