// Goal: a body has one meaning or none.
// Method: named hostile texts; then whatever our reader accepts, the platform's reads the same.
import fc from 'fast-check'
import t from 'tap'
import { ProtocolError } from '../../protocol/errors.js'
import { parseJson } from '../../server/json.js'

/** Ours have no prototype; the platform's do. */
function plain(text: string): unknown {
  return JSON.parse(JSON.stringify(parseJson(text)))
}

t.test('what is read', async (t) => {
  for (const text of ['{}', '[]', ' {"a" : [1, -2.5e3, true, false, null, "x"]}\r\n', '"\\u00e9\\n\\"\\/"', '0', '-0', '9007199254740991', '[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]']) {
    t.same(plain(text), JSON.parse(text), text)
  }
  t.same(Object.keys(Object(parseJson('{"__proto__":1,"constructor":2}'))), ['__proto__', 'constructor'], 'no key is special')
})

t.test('what is refused', async (t) => {
  const refused = {
    'a key twice': '{"a":1,"a":2}', 'a key twice by an escape': '{"a":1,"\\u0061":2}', 'a byte order mark': '\ufeff{}', 'nothing': '', 'two values': '{} {}',
    'a comma too many': '[1,]', 'a comma too few': '[1 2]', 'a bare key': '{a:1}', 'single quotes': "{'a':1}", 'a comment': '{}//',
    'seventeen levels': `${'['.repeat(17)}1${']'.repeat(17)}`, 'a hundred thousand levels': '['.repeat(100_000), 'a number that loses digits': '9007199254740993',
    'a number without end': '1e999', 'a leading zero': '01', 'a plus': '+1', 'not a number': 'NaN', 'U+0000': '"\\u0000"', 'a raw control': '"\u0001"',
    'a lone surrogate': '"\\ud800"', 'a lone surrogate in a key': '{"\\udc00":1}', 'an open string': '"a', 'an open object': '{"a":1', 'a bad escape': '"\\x"', 'a form feed': '\f1',
  }
  for (const [name, text] of Object.entries(refused)) {
    t.throws(() => parseJson(text), ProtocolError, name)
  }
})

t.test('our reader and the platform\'s agree', async (t) => {
  fc.assert(fc.property(fc.json({ maxDepth: 6 }), (text) => {
    let ours: unknown
    try {
      ours = plain(text)
    } catch (error) {
      if (error instanceof ProtocolError) return // Refused more than the platform does: numbers, surrogates, U+0000.
      throw error
    }
    t.same(ours, JSON.parse(text))
  }), { numRuns: 300 })
  fc.assert(fc.property(fc.string({ maxLength: 40 }), (text) => {
    try {
      parseJson(text)
    } catch (error) {
      if (error instanceof ProtocolError) return
      throw error
    }
    JSON.parse(text)
  }), { numRuns: 2_000 })
  t.pass('nothing is read that the platform refuses')
})
