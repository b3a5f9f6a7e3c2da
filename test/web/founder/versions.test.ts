// Goal: a link serves the newest of each part, in a whole chain, and asks for what its versions ask.
// Method: vaults as the server tells them: one version, two, parts numbered apart, every gate.
import t from 'tap'
import type { StoredVersion } from '../../../protocol/api.js'
import {
  addressOf, currentVersions, isBehindNda, newestOf, policyFor, recordsBefore, stateOf,
} from '../../../web/founder/versions.js'

type Told = Pick<StoredVersion, 'part' | 'version' | 'gate'>

function stored({ part, version, gate }: Told): StoredVersion {
  const name = `${part}.${version}`
  return {
    versionId: name, documentId: 'document', part, gate, version, payloadLength: 1, record: name,
    recordSignature: `signature ${name}`, ownerHeader: '', storedAtMs: version,
  }
}

const OPEN_1 = stored({ part: 1, version: 1, gate: 'email' })
const WHOLE_1 = stored({ part: 0, version: 1, gate: 'nda' })
const OPEN_2 = stored({ part: 1, version: 2, gate: 'link' })
const WHOLE_2 = stored({ part: 0, version: 2, gate: 'nda' })
const WHOLE_3 = stored({ part: 0, version: 3, gate: 'nda' })
const CHOICES = {
  release: 'on-approval', expiresAtMs: null, download: false, watermark: true,
  witnessesSha256: null,
} as const

t.test('the newest of each part is served', async (t) => {
  const versions = [WHOLE_1, OPEN_2, WHOLE_3, OPEN_1, WHOLE_2]
  t.equal(newestOf(versions, 0), WHOLE_3)
  t.equal(newestOf(versions, 1), OPEN_2)
  t.equal(newestOf([WHOLE_1], 1), null)
  t.same(currentVersions([{ documentId: 'document', name: '', versions }]), [WHOLE_3, OPEN_2])
  t.same(currentVersions([]), [])
})

t.test('the chain before a version is of its own part, oldest first', async (t) => {
  const versions = [WHOLE_3, OPEN_2, WHOLE_1, OPEN_1, WHOLE_2]
  t.same(recordsBefore(versions, WHOLE_3).map(({ record }) => record), ['0.1', '0.2'])
  t.same(recordsBefore(versions, OPEN_2), [{ record: '1.1', signature: 'signature 1.1' }])
  t.same(recordsBefore(versions, WHOLE_1), [])
})

t.test('a link asks for what its versions ask', async (t) => {
  const byEmail = stored({ part: 0, version: 1, gate: 'email' })
  const byLink = stored({ part: 0, version: 1, gate: 'link' })
  t.match(policyFor([WHOLE_1, OPEN_1], CHOICES), { gate: 'nda', openGate: 'email', release: 'on-approval' })
  t.match(policyFor([WHOLE_2, OPEN_2], CHOICES), { gate: 'nda', openGate: 'link' })
  t.match(policyFor([WHOLE_1], CHOICES), { gate: 'nda', openGate: 'email' })
  t.match(policyFor([byEmail], CHOICES), { gate: 'email', openGate: 'email', release: 'on-signature' })
  t.match(policyFor([byLink], CHOICES), { gate: 'link', openGate: 'link', release: 'on-signature' })
  t.ok(isBehindNda([OPEN_1, WHOLE_1]))
  t.notOk(isBehindNda([byEmail]))
})

t.test('a link is live until it is revoked or its last moment has come', async (t) => {
  t.equal(stateOf({ revokedAtMs: null, expiresAtMs: null }, 100), 'live')
  t.equal(stateOf({ revokedAtMs: null, expiresAtMs: 101 }, 100), 'live')
  t.equal(stateOf({ revokedAtMs: null, expiresAtMs: 100 }, 100), 'expired')
  t.equal(stateOf({ revokedAtMs: 50, expiresAtMs: 100 }, 100), 'revoked')
})

t.test('the secret of a link stands behind the hash, which browsers do not send', async (t) => {
  const url = new URL(addressOf('https://deck.example', 'grant', 'secret'))
  t.equal(url.pathname, '/g/grant')
  t.equal(url.hash, '#secret')
  t.equal(url.search, '')
})
