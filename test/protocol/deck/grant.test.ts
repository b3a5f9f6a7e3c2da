// Goal: grants, policies, cards and wrap records say one thing in one spelling, from the founder only.
// Method: round trips; every bit of signed bytes flipped; policies with one fault each.
import t from 'tap'
import type { Test } from 'tap'
import { openCard, sealCard } from '../../../protocol/deck/card.js'
import type { Card } from '../../../protocol/deck/card.js'
import {
  decodeGrant, decodeWrap, encodeGrant, encodeWrap, grantSha256, requireNewerGrant, signGrant,
  verifyGrant, verifyWrap,
} from '../../../protocol/deck/grant.js'
import type { Grant } from '../../../protocol/deck/grant.js'
import { deriveOwnerKeys, makeGrantId, makeRoot } from '../../../protocol/deck/identity.js'
import { formatPolicy, parsePolicy } from '../../../protocol/deck/policy.js'
import { signIn } from '../../../protocol/deck/signature.js'
import { randomBytes } from '../../../protocol/sodium.js'
import { makeLink, makePolicy, sealVersion, wrapVersion } from './sealed-world.js'

const root = makeRoot()
const owner = deriveOwnerKeys(root)
const stranger = deriveOwnerKeys(makeRoot())
const founder = { signingKey: owner.signing.publicKey, fingerprint: owner.fingerprint }
const link = makeLink(root)

function expectAllFlipsRefused(
  t: Test, bytes: Uint8Array, take: (flipped: Uint8Array) => void,
): void {
  for (let bit = 0; bit < bytes.length * 8; bit += 3) {
    const flipped = bytes.slice()
    flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7))
    t.throws(() => take(flipped), { name: 'ProtocolError' }, `bit ${bit}`)
  }
}

t.test('a policy is sorted lines and reads back', (t) => {
  const policy = makePolicy({ expiresAtMs: Date.UTC(2026, 10, 30, 12), openPagesGate: 'email' })
  const text = formatPolicy(policy)
  t.equal(text.replace(/[0-9a-f]{64}/, 'H'), 'card-sha256: H\ndownload: no\n' +
    'expires-at: 2026-11-30T12:00:00.000Z\ngate: nda\nnda-consent: 2\nopen-pages-gate: email\n' +
    'release: on-signature\nwatermark: yes\n')
  t.same(parsePolicy(text), policy)
  const bare = makePolicy({ gate: 'link', ndaConsentVersion: null })
  t.same(parsePolicy(formatPolicy(bare)), bare)
  const witnessed = makePolicy({ witnessesSha256: new Uint8Array(32).fill(0xab) })
  t.match(formatPolicy(witnessed), new RegExp(`\nwatermark: yes\nwitnesses-sha256: ${'ab'.repeat(32)}\n$`))
  t.same(parsePolicy(formatPolicy(witnessed)), witnessed)
  t.end()
})

t.test('a policy written in any other way is refused', (t) => {
  const text = formatPolicy(makePolicy({ expiresAtMs: Date.UTC(2026, 10, 30) }))
  const faults: Record<string, string> = {
    empty: '',
    'unknown key': text.replace('download', 'allow: all\ndownload'),
    'missing key': text.replace('download: no\n', ''),
    'repeated key': text.replace('gate: nda\n', 'gate: nda\ngate: nda\n'),
    'order changed': text.replace('download: no\n', '') + 'download: no\n',
    'last line open': text.slice(0, -1),
    'empty line': `${text}\n`,
    'carriage returns': text.replaceAll('\n', '\r\n'),
    'two spaces': text.replace('gate: nda', 'gate:  nda'),
    'capital value': text.replace('download: no', 'download: No'),
    'unknown gate': text.replace('gate: nda', 'gate: none'),
    'unknown release': text.replace('on-signature', 'at-once'),
    'open slides behind the NDA': text.replace('release', 'open-pages-gate: nda\nrelease'),
    'short hash': text.replace(/[0-9a-f]{64}/, 'ab'),
    'capital hash': text.replace(/[0-9a-f]{64}/, 'AB'.repeat(32)),
    'impossible date': text.replace('2026-11-30T', '2026-11-31T'),
    'another zone': text.replace('.000Z', '.000+00:00'),
    'consent zero': text.replace('nda-consent: 2', 'nda-consent: 0'),
    'consent missing': text.replace('nda-consent: 2\n', ''),
    'consent without an NDA': text.replace('gate: nda', 'gate: email'),
    'witnesses without a hash': `${text}witnesses-sha256: \n`,
    'witnesses by a short hash': `${text}witnesses-sha256: abcd\n`,
    'witnesses before the watermark': text.replace('watermark', `witnesses-sha256: ${'ab'.repeat(32)}\nwatermark`),
    'over its limit': text + 'x'.repeat(3000),
  }
  for (const [name, fault] of Object.entries(faults)) {
    t.throws(() => parsePolicy(fault), { code: 'malformed-policy' }, name)
  }
  t.end()
})

t.test('a grant reads back, and only the pinned founder is believed', (t) => {
  t.same(verifyGrant(link.signed, founder), link.grant)
  const other = { signingKey: stranger.signing.publicKey, fingerprint: stranger.fingerprint }
  t.throws(() => verifyGrant(link.signed, other), { code: 'bad-founder-signature' })
  t.throws(() => verifyGrant(link.signed, { ...other, fingerprint: owner.fingerprint }), { code: 'wrong-founder' })
  t.throws(() => verifyGrant(link.signed, { ...founder, signingKey: new Uint8Array(31) }), { code: 'wrong-founder' })
  const asRecord = signIn('manifest', link.signed.bytes, owner.signing.secretKey)
  t.throws(() => verifyGrant(asRecord, founder), { code: 'bad-founder-signature' })
  t.end()
})

t.test('any bit of a grant flipped is refused', (t) => {
  expectAllFlipsRefused(t, link.signed.bytes,
    (bytes) => verifyGrant({ ...link.signed, bytes }, founder))
  expectAllFlipsRefused(t, link.signed.signature,
    (signature) => verifyGrant({ ...link.signed, signature }, founder))
  t.throws(() => decodeGrant(link.signed.bytes.subarray(1)), { code: 'malformed-grant' })
  t.throws(() => decodeGrant(new Uint8Array([...link.signed.bytes, 0])), { code: 'malformed-grant' })
  t.throws(() => decodeGrant(new Uint8Array(8193)), { code: 'malformed-grant' })
  t.end()
})

t.test('a grant out of range is refused', (t) => {
  const faults: [Partial<Grant>, string][] = [
    [{ revision: 0 }, 'malformed-grant'],
    [{ revision: 2 }, 'malformed-grant'],
    [{ previousSha256: randomBytes(32) }, 'malformed-grant'],
    [{ grantId: randomBytes(15) }, 'malformed-grant'],
    [{ ndaSha256: null }, 'malformed-grant'],
    [{ logVkey: 'two words' }, 'malformed-grant'],
    [{ logVkey: 'x'.repeat(513) }, 'malformed-grant'],
    [{ linkSigningKey: Uint8Array.of(1, ...new Uint8Array(31)) }, 'low-order-key'],
    [{ policy: makePolicy({ ndaConsentVersion: null }) }, 'malformed-policy'],
  ]
  for (const [change, code] of faults) {
    t.throws(() => encodeGrant({ ...link.grant, ...change }), { code }, Object.keys(change).join())
  }
  t.end()
})

t.test('a later revision is taken, an older or forked one refused', (t) => {
  const revise = (change: Partial<Grant>) => signGrant({
    ...link.grant, revision: 2, previousSha256: grantSha256(link.signed), ...change,
  }, owner.signing.secretKey)
  const second = revise({})
  t.doesNotThrow(() => requireNewerGrant(link.signed, link.signed))
  t.doesNotThrow(() => requireNewerGrant(link.signed, second))
  const fifth = revise({ revision: 5, previousSha256: randomBytes(32) })
  t.doesNotThrow(() => requireNewerGrant(link.signed, fifth))
  t.throws(() => requireNewerGrant(second, link.signed), { code: 'stale-version' })
  t.throws(() => requireNewerGrant(link.signed, revise({ previousSha256: randomBytes(32) })), { code: 'broken-chain' })
  t.throws(() => requireNewerGrant(second, revise({ ndaSha256: randomBytes(32) })), { code: 'broken-chain' })
  t.throws(() => requireNewerGrant(link.signed, revise({ grantId: makeGrantId() })), { code: 'wrong-grant' })
  const otherKey = revise({ linkSigningKey: stranger.signing.publicKey })
  t.throws(() => requireNewerGrant(link.signed, otherKey), { code: 'wrong-grant' })
  t.end()
})

t.test('a wrap record reads back, from the founder only, bit by bit', async (t) => {
  const version = await sealVersion({ owner, fileSize: 10 })
  const to = { grantId: link.grant.grantId, recipient: link.device.identity.recipient }
  for (const acceptanceSha256 of [null, randomBytes(32)]) {
    const made = wrapVersion(owner, version,
      acceptanceSha256 === null ? to : { ...to, acceptanceSha256 })
    t.same(verifyWrap(made.signed, founder), made.wrap)
    t.same(encodeWrap(decodeWrap(made.signed.bytes)), made.signed.bytes)
  }
  const { signed } = wrapVersion(owner, version, to)
  expectAllFlipsRefused(t, signed.bytes, (bytes) => verifyWrap({ ...signed, bytes }, founder))
  t.throws(() => verifyWrap(signIn('grant', signed.bytes, owner.signing.secretKey), founder),
    { code: 'bad-founder-signature' })
  t.throws(() => verifyWrap(signed, { ...founder, signingKey: stranger.signing.publicKey }),
    { code: 'wrong-founder' })
  t.throws(() => decodeWrap(link.signed.bytes), { code: 'malformed-wrap' }, 'a grant is no wrap record')
  t.throws(() => decodeGrant(signed.bytes), { code: 'malformed-grant' }, 'a wrap record is no grant')
  t.throws(() => decodeWrap(new Uint8Array(4097)), { code: 'malformed-wrap' })
})

t.test('a card opens for its link, as the policy names it', (t) => {
  const { sealed } = link.sealedCard
  t.same(openCard(sealed, link.keys.cardKey, link.grant), link.card)
  t.throws(() => openCard(sealed, randomBytes(32), link.grant), { code: 'malformed-grant' })
  const again = sealCard(link.card, link.keys.cardKey, link.grant.grantId)
  t.throws(() => openCard(again.sealed, link.keys.cardKey, link.grant), { code: 'wrong-grant' })
  const elsewhere = { ...link.grant, grantId: makeGrantId() }
  t.throws(() => openCard(sealed, link.keys.cardKey, elsewhere), { code: 'malformed-grant' })
  t.throws(() => openCard(new Uint8Array(5000), link.keys.cardKey, link.grant), { code: 'malformed-grant' })
  t.end()
})

t.test('a card holds plain lines within their limits', (t) => {
  const good: Card = { founder: 'Ада', title: 'План', pageCount: null }
  const seal = (change: Partial<Card>) =>
    sealCard({ ...good, ...change }, link.keys.cardKey, link.grant.grantId)
  t.doesNotThrow(() => seal({}))
  t.doesNotThrow(() => seal({ pageCount: 2000, title: 't'.repeat(200), founder: 'f'.repeat(120) }))
  const faults: Partial<Card>[] = [
    { founder: '' }, { founder: 'f'.repeat(121) }, { title: '' }, { title: 't'.repeat(201) },
    { title: 'two\nlines' }, { title: 'right\u202eto left' }, { title: 'lone \ud800' },
    { pageCount: 0 }, { pageCount: 2001 }, { pageCount: 1.5 },
  ]
  for (const change of faults) t.throws(() => seal(change), { code: 'malformed-grant' }, JSON.stringify(change))
  t.end()
})
