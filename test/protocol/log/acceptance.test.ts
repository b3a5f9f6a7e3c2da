// Goal: what an investor signs reads as one text and means one thing, and only the two keys that it
// names can have signed it.
// Method: the exact text; a damage of each line; random names by property; every flipped bit; the
// signature of each kind of statement, record and checkpoint tried on every other.
import fc from 'fast-check'
import t from 'tap'
import { decodeUtf8, encodeBase64Url, encodeUtf8 } from '../../../protocol/bytes.js'
import { ProtocolError } from '../../../protocol/errors.js'
import {
  cleanName, formatAcceptance, formatAccessRequest, formatDecline, formatEnrolment, formatSession,
  hashRecipient, nameKey, parseAcceptance, parseAccessRequest, parseDecline, parseEnrolment,
  parseSession, roleKey, signStatement, verifyAcceptance, verifyAccessRequest, verifyDecline,
  verifyEnrolment, verifySession, type Acceptance,
} from '../../../protocol/log/acceptance.js'
import { parseCheckpoint } from '../../../protocol/log/checkpoint.js'
import { ed25519Signer, formatVkey, parseNote, signNote, verifyNote } from '../../../protocol/log/note.js'
import { ready, signKeyPairFromSeed } from '../../../protocol/sodium.js'
import { CHECKPOINT_TEXT, ORIGIN } from './worked-example.js'

await ready()

function keyOf(role: 'founder' | 'link' | 'device', byte: number) {
  const seed = new Uint8Array(32).fill(byte)
  const key = roleKey(role, signKeyPairFromSeed(seed).publicKey)
  return { vkey: formatVkey(key), signer: ed25519Signer(key.name, seed) }
}

const founder = keyOf('founder', 0x21)
const link = keyOf('link', 0x22)
const device = keyOf('device', 0x23)
const signers = [link.signer, device.signer]

const freshness = {
  log: ORIGIN,
  signedAt: '2026-11-22T14:31:05.120Z',
  expiresAt: '2026-11-22T14:46:05.120Z',
  nonce: '8f1c2a90d1f64b7e8f1c2a90d1f64b7e8f1c2a90d1f64b7e8f1c2a90d1f64b7e',
}
const vault = '01890a5d-ac96-774b-bcce-b302099a8057'
const grant = encodeBase64Url(new Uint8Array(16).fill(9))
const RECIPIENT = `age1pq1${'q'.repeat(1950)}`

const acceptance: Acceptance = {
  name: 'Ada Lovelace',
  email: 'ada@fund.example',
  organisation: 'Fund I GP LLC',
  agreement: 'Mutual NDA (en), version 3',
  agreementSha256: '63'.repeat(32),
  vault,
  grantSha256: 'a2'.repeat(32),
  recordSha256s: ['91'.repeat(32), '92'.repeat(32)],
  founderKey: founder.vkey,
  linkKey: link.vkey,
  deviceKey: device.vkey,
  recipientSha256: hashRecipient(RECIPIENT),
  consent: 'esign-disclosure version 2, accepted',
  ...freshness,
}
const decline = {
  name: acceptance.name,
  email: acceptance.email,
  agreement: acceptance.agreement,
  agreementSha256: acceptance.agreementSha256,
  vault,
  grantSha256: acceptance.grantSha256,
  linkKey: link.vkey,
  deviceKey: device.vkey,
  ...freshness,
}
const request = {
  vault,
  grant,
  grantSha256: acceptance.grantSha256,
  founderKey: founder.vkey,
  linkKey: link.vkey,
  deviceKey: device.vkey,
  recipientSha256: acceptance.recipientSha256,
  ...freshness,
}
const enrolment = {
  vault, grant, linkKey: link.vkey, deviceKey: device.vkey, recipient: RECIPIENT, ...freshness,
}
const session = { grant, deviceKey: device.vkey, ...freshness }

const TEXT = `sealdeck/nda-acceptance/v1
Ada Lovelace <ada@fund.example>, for Fund I GP LLC, accepts the agreement below
and intends this to be their electronic signature.

agreement: Mutual NDA (en), version 3
agreement-sha256: ${'63'.repeat(32)}
vault: ${vault}
grant-sha256: ${'a2'.repeat(32)}
record-sha256: ${'91'.repeat(32)}
record-sha256: ${'92'.repeat(32)}
founder-key: ${founder.vkey}
link-key: ${link.vkey}
device-key: ${device.vkey}
recipient-sha256: ${hashRecipient(RECIPIENT)}
log: log.sealdeck.example/2026
consent: esign-disclosure version 2, accepted
signed-at: 2026-11-22T14:31:05.120Z
expires-at: 2026-11-22T14:46:05.120Z
nonce: 8f1c2a90d1f64b7e8f1c2a90d1f64b7e8f1c2a90d1f64b7e8f1c2a90d1f64b7e
`

t.test('the acceptance reads as written', async (t) => {
  t.equal(formatAcceptance(acceptance), TEXT)
  t.same(parseAcceptance(TEXT), acceptance)
  const { organisation: _organisation, ...forHerself } = acceptance
  t.match(formatAcceptance(forHerself), /\nAda Lovelace <ada@fund\.example> accepts the agreement below\n/)
  t.same(parseAcceptance(formatAcceptance(forHerself)), forHerself)
  const withoutRecords = { ...acceptance, recordSha256s: [] }
  t.same(parseAcceptance(formatAcceptance(withoutRecords)), withoutRecords)
})

t.test('the other statements read as written', async (t) => {
  t.equal(formatDecline(decline).split('\n')[1], 'Ada Lovelace <ada@fund.example> declines the agreement below.')
  t.same(parseDecline(formatDecline(decline)), decline)
  t.equal(formatAccessRequest(request).split('\n')[1], 'The holder of this link asks to open what this link shares.')
  t.same(parseAccessRequest(formatAccessRequest(request)), request)
  const named = { ...request, signatory: { name: 'Ada', email: 'ada@fund.example', organisation: 'Fund' } }
  t.equal(formatAccessRequest(named).split('\n')[1], 'Ada <ada@fund.example>, for Fund, asks to open what this link shares.')
  t.same(parseAccessRequest(formatAccessRequest(named)), named)
  t.same(parseEnrolment(formatEnrolment(enrolment)), enrolment)
  t.same(parseSession(formatSession(session)), session)
})

t.test('every statement verifies with its own keys', async (t) => {
  t.same(verifyAcceptance(signStatement(TEXT, signers)), acceptance)
  t.same(verifyDecline(signStatement(formatDecline(decline), signers)), decline)
  t.same(verifyAccessRequest(signStatement(formatAccessRequest(request), signers)), request)
  t.same(verifyEnrolment(signStatement(formatEnrolment(enrolment), signers)), enrolment)
  t.same(verifySession(signStatement(formatSession(session), [device.signer])), session)
})

t.test('the example of SPEC.md § 9.1 is signed as it stands there', async (t) => {
  const example = {
    ...acceptance,
    recordSha256s: ['91'.repeat(32)],
    recipientSha256: hashRecipient('age1pq1q'),
    nonce: '8f'.repeat(32),
  }
  const [, lines = ''] = signStatement(formatAcceptance(example), signers).split(/\n\n(?=—)/)
  t.equal(lines, '— link/2CJV RNBNGi+88RqYALjX4QNGaALAuVBS5ymoJUR33MDDYeR6O+lT9lThEofnjnYv4WWEuCDM1WV6QfTNAaeRLvLtAKlJBwc=\n' +
    '— device/H8W2 mMkkO7Pkk3EnjceSXkMHqU9p1gETbnncQsx50UMiyHHC4cv7Yheg2Z9RRRjeS26oFmggjO2c5jWjRiwZK3l3XL+SFAc=\n')
  t.equal(example.founderKey, 'founder/936A+405c8e97+AYhLiFf06qFhPGFQTbNNS+rzRlF6DjHePN3U2bQgHZ0L')
})

t.test('one key of two is not enough, and a stranger is nobody', async (t) => {
  t.throws(() => verifyAcceptance(signStatement(TEXT, [link.signer])), { code: 'unknown-signer' })
  t.throws(() => verifyAcceptance(signStatement(TEXT, [device.signer])), { code: 'unknown-signer' })
  const stranger = ed25519Signer(device.signer.key.name, new Uint8Array(32).fill(0x66))
  t.throws(() => verifyAcceptance(signStatement(TEXT, [link.signer, stranger])), { code: 'unknown-signer' })
  t.throws(() => verifySession(signStatement(formatSession(session), [link.signer])), { code: 'unknown-signer' })
})

t.test('a text with any line changed, added, doubled, moved or dropped is refused', async (t) => {
  const lines = TEXT.slice(0, -1).split('\n')
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at] ?? ''
    // Two hashes of records are a list, and a list may be shorter.
    const mayGo = line.startsWith('record-sha256')
    const variants = [
      lines.toSpliced(at, 0, 'extra: line'),
      lines.toSpliced(at, 0, ''),
      lines.with(at, `${line} `),
      lines.with(at, ` ${line}`),
      lines.with(at, line.replace(': ', ':')),
      lines.with(at, line.replace(': ', ':  ')),
      lines.with(at, line.replace(': ', ': \u00a0')),
      ...mayGo ? [] : [lines.toSpliced(at, 1), lines.toSpliced(at, 0, line)],
      ...at + 1 < lines.length && !mayGo ? [lines.toSpliced(at, 2, lines[at + 1] ?? '', line)] : [],
    ].map((variant) => `${variant.join('\n')}\n`).filter((variant) => variant !== TEXT)
    for (const variant of variants) {
      t.throws(() => parseAcceptance(variant), { name: 'ProtocolError' }, `line ${at}`)
    }
  }
  for (const variant of [TEXT.slice(0, -1), `${TEXT}\n`, TEXT.replace('/v1', '/v2'), TEXT.replace('their', 'her')]) {
    t.throws(() => parseAcceptance(variant), { code: 'malformed-statement' })
  }
})

t.test('values outside their limits are refused', async (t) => {
  const wrong: Partial<Acceptance>[] = [
    { name: '' }, { name: ' Ada' }, { name: 'Ada ' }, { name: 'A  da' }, { name: 'Ada\nnonce: 1' },
    { name: 'A<b>' }, { name: 'A\u202eda' }, { name: 'A\u200bda' }, { name: 'A\u2028da' }, { name: 'A\u00a0da' },
    { name: 'x'.repeat(121) }, { email: 'ada' }, { email: 'a b@c.example' }, { email: 'a@b>.example' },
    { email: `${'x'.repeat(250)}@a.ex` }, { organisation: '' }, { organisation: 'Fund>' },
    { agreement: '' }, { agreement: 'x'.repeat(201) }, { agreement: 'a\tb' }, { agreementSha256: 'AB'.repeat(32) },
    { vault: 'vault' }, { grantSha256: '' }, { recordSha256s: ['x'] }, { recordSha256s: Array.from({ length: 65 }, () => '91'.repeat(32)) },
    { recipientSha256: 'x' }, { log: '' }, { log: 'a b' }, { consent: '' }, { consent: 'x'.repeat(121) },
    { signedAt: '2026-11-22' }, { expiresAt: freshness.signedAt }, { expiresAt: '2026-11-21T14:46:05.120Z' },
    { nonce: '8f' }, { nonce: '8F'.repeat(16) }, { nonce: '8f'.repeat(33) },
    { linkKey: device.vkey }, { deviceKey: link.vkey }, { founderKey: link.vkey },
  ]
  for (const change of wrong) {
    t.throws(() => formatAcceptance({ ...acceptance, ...change }), { code: 'malformed-statement' }, encodeURI(JSON.stringify(change)))
  }
  t.throws(() => formatAcceptance({ ...acceptance, linkKey: 'x' }), { code: 'malformed-key' })
  t.throws(() => formatEnrolment({ ...enrolment, recipient: 'age1qqq' }), { code: 'malformed-statement' })
  t.throws(() => formatEnrolment({ ...enrolment, recipient: `age1pq1${'q'.repeat(2100)}` }), { code: 'malformed-statement' })
  t.throws(() => formatSession({ ...session, grant: 'x' }), { code: 'malformed-statement' })
})

t.test('any name that can be signed comes back as it was', async (t) => {
  let signed = 0
  const words = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 60 })
  const nasty = fc.constantFrom('x, for Y,', 'accepts the agreement below', 'A, for B, accepts the agreement below', ', for ', 'agreement: x', '— a AAAA', 'Łucja Źdźbło', '王小明', 'Жанна д’Арк')
  const anyName = fc.oneof(words, nasty)
  const maybeName = fc.option(anyName, { nil: undefined })
  fc.assert(fc.property(anyName, maybeName, (typed, typedOrganisation) => {
    const name = cleanName(typed)
    const organisation = typedOrganisation === undefined ? undefined : cleanName(typedOrganisation)
    const { organisation: _organisation, ...bare } = acceptance
    const fields = organisation === undefined ? { ...bare, name } : { ...bare, name, organisation }
    if (name === '' || organisation === '' || name.length > 120 || (organisation?.length ?? 0) > 120) return
    t.same(parseAcceptance(formatAcceptance(fields)), fields)
    signed++
  }), { numRuns: 400 })
  t.ok(signed > 100, `${signed} names`)
  t.equal(cleanName('  Ada \t\u200b <b>Love\u202elace\u0301\n'), 'Ada bLovelacé')
})

t.test('every flipped bit of a signed acceptance is refused', async (t) => {
  const bytes = encodeUtf8(signStatement(TEXT, signers))
  let refused = 0
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const flipped = bytes.map((byte, at) => at === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte)
    try {
      verifyAcceptance(decodeUtf8(flipped))
    } catch (error) {
      if (error instanceof ProtocolError) refused++
      else throw error
    }
  }
  t.equal(refused, bytes.length * 8)
})

t.test('no signature of one kind passes as another', async (t) => {
  const texts = [
    TEXT, formatDecline(decline), formatAccessRequest(request), formatEnrolment(enrolment),
    formatSession(session),
  ]
  const verifiers = [
    verifyAcceptance, verifyDecline, verifyAccessRequest, verifyEnrolment, verifySession,
  ]
  for (const [from, text] of texts.entries()) {
    const note = signStatement(text, signers)
    for (const [to, verify] of verifiers.entries()) {
      if (from !== to) t.throws(() => verify(note), { code: 'malformed-statement' }, `${from} as ${to}`)
    }
    // The signature lines of one under the text of another.
    for (const [to, other] of texts.entries()) {
      if (from === to) continue
      const moved = `${other}\n${note.slice(text.length + 1)}`
      t.throws(() => verifiers[to]?.(moved), { name: 'ProtocolError' })
    }
    t.throws(() => parseCheckpoint(text), { code: 'malformed-checkpoint' }, 'a statement is no checkpoint')
  }
  t.throws(() => signStatement(CHECKPOINT_TEXT, signers), { code: 'malformed-statement' })
  t.throws(() => parseAcceptance(CHECKPOINT_TEXT), { code: 'malformed-statement' })
})

t.test('no note can hold what a founder signs in binary', async (t) => {
  // `Sign` puts a zero byte behind its context, and notes hold no zero byte.
  for (const context of ['manifest', 'grant', 'wrap', 'delegate']) {
    t.throws(() => signNote(`sealdeck/v1/${context}\u0000\n`, [founder.signer]), { code: 'malformed-note' })
  }
})

t.test('the names of keys follow from the keys', async (t) => {
  t.match(nameKey('device', device.signer.key.publicKey), /^device\/[0-9A-HJKMNP-TV-Z]{4}$/)
  t.equal(parseNote(signStatement(TEXT, signers)).signatures[0]?.name, link.signer.key.name)
  const renamed = ed25519Signer('device/0000', new Uint8Array(32).fill(0x23))
  t.throws(() => formatAcceptance({ ...acceptance, deviceKey: formatVkey(renamed.key) }), { code: 'malformed-statement' })
  t.equal(verifyNote(signStatement(TEXT, signers), [link.signer.key]).signatures.length, 1)
})
