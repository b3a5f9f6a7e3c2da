// Goal: notes, keys and signatures are those of c2sp.org/signed-note, read strictly.
// Method: the worked example's bytes; one text for each rule; every bit of a note flipped.
import fc from 'fast-check'
import t from 'tap'
import { concatBytes, decodeBase64, encodeBase64, encodeHex, encodeUtf8 } from '../../../protocol/bytes.js'
import { MAX_NOTE_SIGNATURE_COUNT, MAX_NOTE_SIZE_BYTES } from '../../../protocol/limits.js'
import {
  cosigner, ed25519Signer, formatNote, formatSecretKey, formatSignatureBy, formatVkey, noteKey,
  parseNote, parseSecretKey, parseVkey, signNote, verifyNote,
} from '../../../protocol/log/note.js'
import { ready } from '../../../protocol/sodium.js'
import {
  CHECKPOINT, CHECKPOINT_TEXT, COSIGNED_AT_SECONDS, LOG_LINE, LOG_SEED, LOG_VKEY, ORIGIN,
  SIGNER_NAME, SIGNER_SEED, SIGNER_VKEY, WITNESS_LINE, WITNESS_NAME, WITNESS_SEED, WITNESS_VKEY,
} from './worked-example.js'

await ready()

const log = ed25519Signer(ORIGIN, LOG_SEED)
const signer = ed25519Signer(SIGNER_NAME, SIGNER_SEED)
const witness = cosigner(WITNESS_NAME, WITNESS_SEED, () => COSIGNED_AT_SECONDS)
const keys = [log.key, witness.key]

t.test('keys of the worked example', async (t) => {
  t.equal(formatVkey(log.key), LOG_VKEY)
  t.equal(formatVkey(witness.key), WITNESS_VKEY)
  t.equal(formatVkey(signer.key), SIGNER_VKEY)
  t.equal(log.key.id, 0xed405ae9)
  t.equal(encodeHex(log.key.publicKey), '8a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c')
  t.same(parseVkey(LOG_VKEY), log.key)
  t.same(parseVkey(WITNESS_VKEY), witness.key)
})

t.test('the note of the worked example is made and verified byte for byte', async (t) => {
  t.equal(signNote(CHECKPOINT_TEXT, [log, witness]), CHECKPOINT)
  const verified = verifyNote(CHECKPOINT, keys)
  t.equal(verified.text, CHECKPOINT_TEXT)
  t.same(verified.signatures.map(({ key }) => key.name), [ORIGIN, WITNESS_NAME])
  t.equal(verified.signatures[1]?.timeSeconds, BigInt(COSIGNED_AT_SECONDS))
  t.equal(formatNote(parseNote(CHECKPOINT)), CHECKPOINT)
})

t.test('vkeys that are not exactly one key are refused', async (t) => {
  const [name, id, base64 = ''] = [ORIGIN, 'ed405ae9', LOG_VKEY.slice(ORIGIN.length + 10)]
  const typed = decodeBase64(base64)
  const wrong = {
    'another key ID': `${name}+ed405ae8+${base64}`,
    'upper-case key ID': `${name}+ED405AE9+${base64}`,
    'short key ID': `${name}+ed405ae+${base64}`,
    'no name': `+${id}+${base64}`,
    'a space in the name': `a b+${id}+${base64}`,
    'one part missing': `${name}+${id}`,
    'stray base64 bits': `${name}+${id}+${base64.slice(0, -1)}d`,
    'a newline after it': `${LOG_VKEY}\n`,
    'a short key': `${name}+${id}+${encodeBase64(typed.subarray(0, 32))}`,
    'an unknown type': `${name}+${id}+${encodeBase64(concatBytes(Uint8Array.of(2), typed.subarray(1)))}`,
  }
  for (const [what, vkey] of Object.entries(wrong)) {
    t.throws(() => parseVkey(vkey), { code: 'malformed-key' }, what)
  }
  t.throws(() => noteKey({ name: 'a+b', type: 1, publicKey: log.key.publicKey }), { code: 'malformed-key' })
  t.throws(() => noteKey({ name: 'a\u2003b', type: 1, publicKey: log.key.publicKey }), { code: 'malformed-key' })
  t.throws(() => noteKey({ name: 'x'.repeat(201), type: 1, publicKey: log.key.publicKey }), { code: 'malformed-key' })
})

t.test('a base64 part that holds a plus sign is not split there', async (t) => {
  let found = 0
  for (let byte = 0; byte < 40; byte++) {
    const { key } = ed25519Signer('plus.example', new Uint8Array(32).fill(byte))
    const vkey = formatVkey(key)
    t.same(parseVkey(vkey), key)
    if (vkey.split('+').length > 3) found++
  }
  t.ok(found > 0, `${found} of 40 keys have a plus sign`)
})

t.test('secret keys survive their text form and name their key', async (t) => {
  const text = formatSecretKey(log.key, LOG_SEED)
  t.match(text, /^PRIVATE\+KEY\+log\.sealdeck\.example\/2026\+ed405ae9\+/)
  t.same(parseSecretKey(text), { key: log.key, seed: LOG_SEED })
  t.same(parseSecretKey(formatSecretKey(witness.key, WITNESS_SEED)).key, witness.key)
  t.throws(() => parseSecretKey(LOG_VKEY), { code: 'malformed-key' })
  t.throws(() => parseSecretKey(text.replace('ed405ae9', 'ed405ae8')), { code: 'malformed-key' })
  t.throws(() => parseSecretKey(text.slice(0, -4)), { code: 'malformed-key' })
})

t.test('malformed notes are refused', async (t) => {
  const body = `text\n\n${LOG_LINE}`
  t.doesNotThrow(() => parseNote(body))
  const wrong = {
    'carriage return': `text\r\n\n${LOG_LINE}`,
    tab: `te\txt\n\n${LOG_LINE}`,
    'U+0000': `te\u0000xt\n\n${LOG_LINE}`,
    'lone surrogate': `te\ud800xt\n\n${LOG_LINE}`,
    'no last newline': body.slice(0, -1),
    'no signatures': 'text\n\n',
    'no empty line': `text\n${LOG_LINE}`,
    'empty line after the signatures': `${body}\n`,
    'text after the signatures': `${body}more\n`,
    'hyphen for the dash': body.replace('—', '-'),
    'two spaces': body.replace('— ', '—  '),
    'no name': body.replace(ORIGIN, ''),
    'plus in the name': body.replace(ORIGIN, 'a+b'),
    'no-break space in the name': body.replace(ORIGIN, 'a\u00a0b'),
    'payload of no bytes': `text\n\n— ${ORIGIN} 7UBa6Q==\n`,
    'payload of three bytes': `text\n\n— ${ORIGIN} 7UBa\n`,
    'base64 without padding': body.replace('AwAw=', 'AwAw').replace('qwAw=\n', 'qwAw\n'),
    'base64 with stray bits': body.replace('wAw=\n', 'wAx=\n'),
    'base64 of the URL alphabet': body.replace('+', '-'),
    'over the size limit': `${'x'.repeat(MAX_NOTE_SIZE_BYTES)}\n\n${LOG_LINE}`,
    'over the size limit in bytes': `${'я'.repeat(MAX_NOTE_SIZE_BYTES / 2)}\n\n${LOG_LINE}`,
    'too many signatures': `t\n\n${'— a AAAAAAA=\n'.repeat(MAX_NOTE_SIGNATURE_COUNT + 1)}`,
  }
  for (const [what, note] of Object.entries(wrong)) {
    t.throws(() => parseNote(note), { code: 'malformed-note' }, what)
  }
  t.equal(parseNote(`t\n\n${'— a AAAAAAA=\n'.repeat(MAX_NOTE_SIGNATURE_COUNT)}`).signatures.length,
    MAX_NOTE_SIGNATURE_COUNT)
  t.throws(() => signNote('no newline', [log]), { code: 'malformed-note' })
})

t.test('a text may hold empty lines, and other scripts', async (t) => {
  const text = 'первая\n\n\nthird — not a signature\n\nlast\n'
  const note = signNote(text, [log])
  t.equal(parseNote(note).text, text)
  t.equal(verifyNote(note, [log.key]).text, text)
})

t.test('lines by others are ignored, a wrong line by a known key is fatal', async (t) => {
  const strangerLine = formatSignatureBy(CHECKPOINT_TEXT, signer)
  const knownNameUnknownId = LOG_LINE.replace('7UBa6R', '7UBa7R')
  const unknownNameKnownId = LOG_LINE.replace(ORIGIN, 'other.example')
  const ignored = `${CHECKPOINT_TEXT}\n${strangerLine}${knownNameUnknownId}${unknownNameKnownId}`
  t.equal(verifyNote(`${ignored}${LOG_LINE}`, keys).signatures.length, 1)
  t.throws(() => verifyNote(ignored, keys), { code: 'unknown-signer' })

  const wrongLine = `— ${ORIGIN} 7UBa6R${'A'.repeat(85)}=\n`
  t.throws(() => verifyNote(`${CHECKPOINT_TEXT}\n${wrongLine}${WITNESS_LINE}`, keys), { code: 'bad-signature' })
  t.throws(() => verifyNote(CHECKPOINT.replace('\n3\n', '\n4\n'), keys), { code: 'bad-signature' })
})

t.test('of several lines by one key the first counts', async (t) => {
  const wrongLine = LOG_LINE.replace('Rlo', 'Rlp')
  const first = verifyNote(`${CHECKPOINT_TEXT}\n${LOG_LINE}${LOG_LINE}${wrongLine}`, keys)
  t.equal(first.signatures.length, 1)
  t.throws(() => verifyNote(`${CHECKPOINT_TEXT}\n${wrongLine}${LOG_LINE}`, keys), { code: 'bad-signature' })
})

t.test('sixteen and more signatures are read', async (t) => {
  const signers = Array.from({ length: 40 }, (_, at) => ed25519Signer(`s${at}.example`, new Uint8Array(32).fill(at)))
  const note = signNote('text\n', signers)
  t.equal(verifyNote(note, signers.map(({ key }) => key)).signatures.length, 40)
})

t.test('a cosignature holds for its time alone', async (t) => {
  const later = cosigner(WITNESS_NAME, WITNESS_SEED, () => COSIGNED_AT_SECONDS + 1)
  t.not(formatSignatureBy(CHECKPOINT_TEXT, later), WITNESS_LINE)
  const [line] = parseNote(`${CHECKPOINT_TEXT}\n${WITNESS_LINE}`).signatures
  const payload = line?.payload ?? new Uint8Array(72)
  const shifted = payload.map((byte, at) => at === 7 ? byte ^ 1 : byte)
  for (const wrong of [shifted, payload.subarray(1), payload.with(0, 0x80)]) {
    const signatures = [{ name: WITNESS_NAME, keyId: witness.key.id, payload: wrong }]
    const note = formatNote({ text: CHECKPOINT_TEXT, signatures })
    t.throws(() => verifyNote(note, keys), { code: 'bad-signature' })
  }
})

t.test('a cosignature is no signature over the text, nor the other way round', async (t) => {
  // The same seed under both types: only the domain in the message keeps them apart.
  const asLog = ed25519Signer(WITNESS_NAME, WITNESS_SEED)
  const [line] = parseNote(`${CHECKPOINT_TEXT}\n${WITNESS_LINE}`).signatures
  const payload = line?.payload.subarray(8) ?? new Uint8Array(64)
  const signatures = [{ name: WITNESS_NAME, keyId: asLog.key.id, payload }]
  const crossed = formatNote({ text: CHECKPOINT_TEXT, signatures })
  t.throws(() => verifyNote(crossed, [asLog.key]), { code: 'bad-signature' })
  // A note whose text is a cosignature's message carries a valid signature, but of another text.
  const message = `cosignature/v1\ntime ${COSIGNED_AT_SECONDS}\n${CHECKPOINT_TEXT}`
  const note = formatNote({ text: message, signatures })
  t.not(verifyNote(note, [asLog.key]).text, CHECKPOINT_TEXT)
})

t.test('every flipped bit of a note is noticed', async (t) => {
  const bytes = encodeUtf8(CHECKPOINT)
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  let noticed = 0
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const flipped = bytes.map((byte, at) => at === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte)
    try {
      const { signatures } = verifyNote(decoder.decode(flipped), keys)
      // A line whose name or key ID changed is a stranger's: its signature is gone, and that shows.
      if (signatures.length < 2) noticed++
    } catch {
      noticed++
    }
  }
  t.equal(noticed, bytes.length * 8)
  t.ok(noticed > 2000)
})

t.test('whatever text is signed is the text that is verified', async (t) => {
  fc.assert(fc.property(fc.array(fc.string({ unit: 'grapheme', maxLength: 40 }), { maxLength: 6 }), (lines) => {
    const text = `${lines.join('\n').replace(/[\u0000-\u0009\u000b-\u001f]/g, '')}\n`
    const verified = verifyNote(signNote(text, [log]), [log.key])
    t.equal(verified.text, text)
  }), { numRuns: 50 })
})
