/** From a client's address to the network that limits are counted for. */
import { isIPv6 } from 'node:net'

const IPV6_GROUP_COUNT = 8
/** What one household or office is usually given. */
const IPV6_PREFIX_GROUPS = 3

/**
 * An IPv4 address's /24 or an IPv6 address's /48: whoever is refused does not get far by taking the next
 * address of the same network.
 */
export function networkOf(address: string): string {
  const mapped = /^::ffff:([0-9.]+)$/i.exec(address)?.[1]
  if (!isIPv6(address) || mapped !== undefined) {
    return `${(mapped ?? address).split('.').slice(0, 3).join('.')}.0/24`
  }
  return `${expandIpv6(address).slice(0, IPV6_PREFIX_GROUPS).join(':')}::/48`
}

function expandIpv6(address: string): string[] {
  const [head = '', tail] = address.replace(/%.*$/, '').split('::', 2)
  const before = groupsOf(head)
  const after = groupsOf(tail ?? '')
  const zeros = new Array<string>(Math.max(0, IPV6_GROUP_COUNT - before.length - after.length)).fill('0')
  return [...before, ...tail === undefined ? [] : zeros, ...after].map((group) => group.toLowerCase().replace(/^0+(?=.)/, ''))
}

function groupsOf(text: string): string[] {
  return text === '' ? [] : text.split(':')
}
