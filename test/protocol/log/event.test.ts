// Goal: an event has one spelling, its commitments and tags are the written ones, and nothing
// outside the closed lists gets in.
// Method: known bytes; the worked example's tags; one damage for each rule; random values by property.
import fc from 'fast-check'
import t from 'tap'
import { concatBytes, decodeHex, encodeHex, encodeUtf8 } from '../../../protocol/bytes.js'
import { sha256 } from '../../../protocol/hash.js'
import { MAX_DETAILS_SIZE_BYTES } from '../../../protocol/limits.js'
import { encodeCanonicalJson, parseCanonicalJson } from '../../../protocol/log/canonical-json.js'
import { EVENT_TYPES } from '../../../protocol/log/event-types.js'
import { commitDetails, commitEvent, decodeEntry, encodeDetails, encodeEntry, encodeEvent, entryOfOpening, formatTime, isTime, parseDetails, parseEvent, parseTime, partyTag, sealEvent, vaultTag, verifyDetails, type Event } from '../../../protocol/log/event.js'
import { hashLeaf } from '../../../protocol/log/merkle.js'
import { ready } from '../../../protocol/sodium.js'
import { ENTRIES, ORIGIN, PARTY_TAG_KEY, VAULT_TAG_KEY } from './worked-example.js'

await ready()

const HASH = 'ab'.repeat(32)
const VAULT = '01890a5d-ac96-774b-bcce-b302099a8057'
const released: Event = {
  type: 'header.released',
  id: '01890a5d-ac96-774b-bcce-b302099a8058',
  log: ORIGIN,
  at: '2026-11-22T14:31:05.120Z',
  actor: 'server',
  vault: VAULT,
  party: '01890a5d-ac96-774b-bcce-b302099a8059',
  document: '01890a5d-ac96-774b-bcce-b302099a805a',
  grant: 'AAECAwQFBgcICQoLDA0ODw',
  part: 0,
  version: 3,
  recordSha256: HASH,
  headerSha256: HASH,
  recipientSha256: HASH,
  because: HASH,
}

t.test('an event is sorted, spaceless JSON', async (t) => {
  const bytes = encodeEvent({
    type: 'log.started', id: VAULT, log: ORIGIN, at: '2026-11-22T14:31:05.120Z', actor: 'server',
    logKey: `${ORIGIN}+ed405ae9+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c`,
  })
  t.equal(new TextDecoder().decode(bytes), '{"actor":"server","at":"2026-11-22T14:31:05.120Z",' +
    `"id":"${VAULT}","log":"${ORIGIN}",` +
    `"logKey":"${ORIGIN}+ed405ae9+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c",` +
    '"type":"log.started","v":1}')
  t.same(parseEvent(encodeEvent(released)), released)
})

t.test('what is not canonical, known and complete is refused', async (t) => {
  const text = new TextDecoder().decode(encodeEvent(released))
  t.doesNotThrow(() => parseEvent(encodeUtf8(text)))
  const wrong = {
    'a key twice': text.replace('"part":0', '"part":0,"part":0'),
    'a key twice, far apart': text.replace('{', '{"vault":"x",'),
    'a space': text.replace('":', '": '),
    'a newline at the end': `${text}\n`,
    'a byte order mark': `\ufeff${text}`,
    'keys out of order': text.replace('{"actor":"server",', '{').replace('}', ',"actor":"server"}'),
    'an exponent': text.replace('"version":3', '"version":3e0'),
    'a fraction': text.replace('"version":3', '"version":3.5'),
    'a fraction of zero': text.replace('"version":3', '"version":3.0'),
    'minus zero': text.replace('"part":0', '"part":-0'),
    'a negative number': text.replace('"version":3', '"version":-3'),
    'a number over 2^53': text.replace('"version":3', '"version":9007199254740993'),
    'null': text.replace('"version":3', '"version":null'),
    'a text for a number': text.replace('"version":3', '"version":"3"'),
    'an escape that is not needed': text.replace('"server"', '"serve\\u0072"'),
    'an unknown field': text.replace('}', ',"zzz":1}'),
    'a personal field': text.replace('"actor"', '"aaname":"Ada","actor"').replace('{"aaname":"Ada","actor"', '{"aaname":"Ada","actor"'),
    'an unknown type': text.replace('header.released', 'header.opened'),
    'another version': text.replace('"v":1', '"v":2'),
    'no log': text.replace(`"log":"${ORIGIN}",`, ''),
    'no because': text.replace(`"because":"${HASH}",`, ''),
    'a hash in upper case': text.replace(HASH, HASH.toUpperCase()),
    'a short hash': text.replace(HASH, HASH.slice(2)),
    'a time without milliseconds': text.replace('05.120Z', '05Z'),
    'the 30th of February': text.replace('2026-11-22', '2026-02-30'),
    'an actor with an address': text.replace('"server"', '"ada@fund.example"'),
    'a grant id with stray bits': text.replace('AAECAwQFBgcICQoLDA0ODw', 'AAECAwQFBgcICQoLDA0ODx'),
    'an array': `[${text}]`,
    'a text': '"event"',
    'nothing': '',
    '__proto__': text.replace('{', '{"__proto__":{},'),
  }
  for (const [what, damaged] of Object.entries(wrong)) {
    t.throws(() => parseEvent(encodeUtf8(damaged)), { code: 'malformed-event' }, what)
  }
  t.throws(() => parseEvent(Uint8Array.of(0xff)), { code: 'malformed-text' })
  t.throws(() => parseEvent(new Uint8Array(8193).fill(0x20)), { code: 'malformed-event' })
  t.throws(() => parseEvent(encodeUtf8('['.repeat(4000))), { code: 'malformed-event' })
  t.throws(() => parseEvent(encodeUtf8(`${'['.repeat(4000)}${']'.repeat(4000)}`)), { code: 'malformed-event' })
})

t.test('every type refuses to be encoded without its fields', async (t) => {
  const head = { id: VAULT, log: ORIGIN, at: released.at, actor: 'server' }
  for (const type of EVENT_TYPES) {
    t.throws(() => encodeEvent({ type, ...head }), { code: 'malformed-event' }, type)
  }
})

t.test('canonical values come back as they went in, and in one spelling', async (t) => {
  const value = fc.letrec((tie) => ({
    value: fc.oneof({ maxDepth: 4 }, fc.string({ unit: 'grapheme' }), fc.maxSafeNat(), fc.boolean(),
      fc.array(tie('value'), { maxLength: 4 }), fc.dictionary(fc.string({ unit: 'grapheme' }), tie('value'), { maxKeys: 4 })),
  })).value
  fc.assert(fc.property(value, (random) => {
    const plain: unknown = JSON.parse(JSON.stringify(random))
    const bytes = encodeCanonicalJson(parseCanonical(plain), 'malformed-event')
    t.same(parseCanonicalJson(bytes, 'malformed-event'), plain)
    t.same(encodeCanonicalJson(parseCanonicalJson(bytes, 'malformed-event'), 'malformed-event'), bytes)
  }), { numRuns: 200 })
})

function parseCanonical(value: unknown) {
  // Through sorted text, so that the test needs no cast.
  return parseCanonicalJson(encodeUtf8(sortedText(value)), 'malformed-event')
}

function sortedText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(sortedText).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const keys = Object.keys(value).sort()
  return `{${keys.map((key) => `${JSON.stringify(key)}:${sortedText(Object.getOwnPropertyDescriptor(value, key)?.value)}`).join(',')}}`
}

t.test('keys are sorted by UTF-16 units, as RFC 8785 lists them', async (t) => {
  const bytes = encodeCanonicalJson({
    '\u20ac': 1, '\r': 2, '\ufb33': 3, 1: 4, '\u{1f600}': 5, '\u0080': 6, '\u00f6': 7,
  }, 'malformed-event')
  t.equal(new TextDecoder().decode(bytes),
    '{"\\r":2,"1":4,"\u0080":6,"ö":7,"€":1,"\u{1f600}":5,"\ufb33":3}')
  t.throws(() => encodeCanonicalJson('\ud800', 'malformed-event'), { code: 'malformed-event' })
})

t.test('names with controls, overrides and quotes stay one line of canonical bytes', async (t) => {
  for (const name of ['a\r\nb', 'a\u2028b', '\u202eevil', 'nul\u0000', '{"type":"x"}', 'e\u0301', 'x'.repeat(10_000)]) {
    const bytes = encodeDetails({ name })
    t.notOk(bytes.includes(0x0a), 'no raw newline')
    t.equal(parseDetails(bytes).name, name)
  }
  t.throws(() => encodeDetails({ name: 'x'.repeat(MAX_DETAILS_SIZE_BYTES) }), { code: 'malformed-event' })
  t.throws(() => parseDetails(encodeUtf8('{"phone":"1"}')), { code: 'malformed-event' })
  t.throws(() => parseDetails(encodeUtf8('{"name":1}')), { code: 'malformed-event' })
  t.throws(() => parseDetails(encodeUtf8('[]')), { code: 'malformed-event' })
})

t.test('commitments are the written hashes, each in its own domain', async (t) => {
  const salt = new Uint8Array(32).fill(0x11)
  const bytes = encodeEvent(released)
  t.same(commitEvent(salt, bytes), sha256(concatBytes(encodeUtf8('sealdeck/event-commitment/v1\n'), salt, bytes)))
  t.same(commitDetails(salt, bytes), sha256(concatBytes(encodeUtf8('sealdeck/details/v1\n'), salt, bytes)))
  t.notSame(commitEvent(salt, bytes), commitDetails(salt, bytes))
  t.throws(() => commitEvent(salt.subarray(1), bytes))
})

t.test('tags are those of the worked example', async (t) => {
  for (const sequence of [1, 2]) {
    const entry = decodeEntry(ENTRIES[sequence] ?? new Uint8Array(65))
    t.same(vaultTag(VAULT_TAG_KEY, sequence), entry.vaultTag)
    t.same(partyTag(PARTY_TAG_KEY, BigInt(sequence)), entry.partyTag)
  }
  t.throws(() => vaultTag(VAULT_TAG_KEY, 0))
})

t.test('the example of SPEC.md § 8.1, byte for byte', async (t) => {
  const details = encodeDetails({ name: 'Ada Lovelace', email: 'ada@fund.example' })
  const commitment = commitDetails(new Uint8Array(32).fill(0x13), details)
  t.equal(encodeHex(commitment), 'e49b808e2731ec9714b5eecd655db59f4efa1e6559ea7154564acbab6b822a46')
  const eventBytes = encodeEvent({
    type: 'email.verified',
    id: '01890a5d-ac96-774b-bcce-b302099a8058',
    log: ORIGIN,
    at: '2026-11-22T14:31:05.120Z',
    actor: 'server',
    vault: VAULT,
    party: '01890a5d-ac96-774b-bcce-b302099a8059',
    grant: 'AAECAwQFBgcICQoLDA0ODw',
    method: 'code',
    details: encodeHex(commitment),
  })
  t.equal(eventBytes.length, 378)
  const entry = entryOfOpening({
    salt: new Uint8Array(32).fill(0x10),
    eventBytes,
    vaultTag: vaultTag(VAULT_TAG_KEY, 1),
    partyTag: partyTag(PARTY_TAG_KEY, 1),
  })
  t.equal(encodeHex(entry), '01e7420934bc3fc9f807b51273b59c4ec8a36380b75879be0f286851f6f47b75d6' +
    '6adfa672c7629ec331d2160e5f31035ff95c64200a1f8b660c1cabe88d8fd99f')
  t.equal(encodeHex(hashLeaf(entry)), '2c00b5c5b76045168b33be48bb7c3dfcfc9c43741f4ba6cf51fc2c33e518bb27')
})

t.test('entries are 65 bytes of version 1', async (t) => {
  for (const entry of ENTRIES) t.same(encodeEntry(decodeEntry(entry)), entry)
  const [entry = new Uint8Array(65)] = ENTRIES
  t.throws(() => decodeEntry(entry.subarray(1)), { code: 'malformed-entry' })
  t.throws(() => decodeEntry(concatBytes(entry, Uint8Array.of(0))), { code: 'malformed-entry' })
  t.throws(() => decodeEntry(entry.with(0, 2)), { code: 'malformed-entry' })
})

t.test('a sealed event opens to its entry and its details', async (t) => {
  const sealed = sealEvent(released, { name: 'Ada Lovelace', email: 'ada@fund.example' })
  t.equal(sealed.atMs, Date.UTC(2026, 10, 22, 14, 31, 5, 120))
  t.equal(sealed.vaultId, VAULT)
  t.notMatch(new TextDecoder().decode(sealed.bytes), /Ada|fund/)
  const event = parseEvent(sealed.bytes)
  const { details = new Uint8Array(), detailsSalt = new Uint8Array() } = sealed
  t.same(verifyDetails(event, { bytes: details, salt: detailsSalt }), { name: 'Ada Lovelace', email: 'ada@fund.example' })
  const wrong = [
    { bytes: encodeDetails({ name: 'Eve' }), salt: detailsSalt },
    { bytes: details, salt: sealed.salt },
    { bytes: details, salt: detailsSalt.subarray(1) },
  ]
  for (const bad of wrong) t.throws(() => verifyDetails(event, bad), { code: 'bad-details' })
  t.throws(() => verifyDetails(parseEvent(sealEvent(released).bytes), { bytes: details, salt: detailsSalt }), { code: 'bad-details' })

  const tags = { vaultTag: vaultTag(VAULT_TAG_KEY, 1), partyTag: partyTag(PARTY_TAG_KEY, 1) }
  const entry = entryOfOpening({ salt: sealed.salt, eventBytes: sealed.bytes, ...tags })
  t.same(entry, encodeEntry({ commitment: sealed.commitment, ...tags }))
  t.notSame(sealEvent(released).salt, sealEvent(released).salt, 'salts are fresh')
})

t.test('different events never give one commitment', async (t) => {
  const seen = new Map<string, string>()
  const salt = new Uint8Array(32)
  fc.assert(fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (name, email) => {
    if (/\p{Surrogate}/u.test(name + email)) return
    const bytes = encodeDetails({ name, email })
    const commitment = encodeHex(commitDetails(salt, bytes))
    const text = JSON.stringify([name, email])
    t.equal(seen.get(commitment) ?? text, text)
    seen.set(commitment, text)
  }), { numRuns: 500 })
})

t.test('times are read as they are written', async (t) => {
  t.equal(formatTime(parseTime('2026-11-22T14:31:05.120Z')), '2026-11-22T14:31:05.120Z')
  for (const text of ['2026-11-22T14:31:05Z', '2026-11-22 14:31:05.120Z', '2026-13-01T00:00:00.000Z', '2026-11-22T24:00:00.000Z', '+002026-11-22T14:31:05.120Z', '2026-11-22T14:31:05.120+00:00', ' 2026-11-22T14:31:05.120Z', '2026-11-22T14:31:05.120Z\n']) {
    t.notOk(isTime(text), text)
    t.throws(() => parseTime(text), { code: 'malformed-event' })
  }
  t.same(decodeHex(HASH).length, 32)
})
