// Goal: limits by network cannot be walked around by taking the neighbour's address.
// Method: addresses of one network and of two, in the spellings that sockets and proxies use.
import t from 'tap'
import { networkOf } from '../../server/network.js'

t.test('addresses of one network count as one', async (t) => {
  t.equal(networkOf('192.0.2.17'), '192.0.2.0/24')
  t.equal(networkOf('::ffff:192.0.2.99'), '192.0.2.0/24', 'IPv4 seen through an IPv6 socket')
  t.equal(networkOf('2001:db8:1:2::17'), '2001:db8:1::/48')
  t.equal(networkOf('2001:0DB8:0001:ffff:0:0:0:1'), '2001:db8:1::/48')
  t.equal(networkOf('2001:db8::1'), '2001:db8:0::/48')
  t.equal(networkOf('::1'), '0:0:0::/48')
  t.equal(networkOf('fe80::1%eth0'), 'fe80:0:0::/48')
})

t.test('addresses of two networks count apart', async (t) => {
  t.not(networkOf('192.0.3.17'), networkOf('192.0.2.17'))
  t.not(networkOf('2001:db8:2::1'), networkOf('2001:db8:1::1'))
})
