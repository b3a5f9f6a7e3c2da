// Goal: the same fields give the same NDA bytes for ever, and nothing a founder types can disturb them.
// Method: golden hashes of every template; one below, at and above each limit; random fields; a damaged
// text for every rule of the markup.
import { createHash } from 'node:crypto'
import fc from 'fast-check'
import t from 'tap'
import { encodeUtf8 } from '../../protocol/bytes.js'
import {
  MAX_NAME_LENGTH, MAX_NDA_BLOCK_COUNT, MAX_NDA_FIELD_LENGTH, MAX_NDA_PURPOSE_LENGTH,
  MAX_NDA_SIZE_BYTES,
} from '../../protocol/limits.js'
import {
  checkNdaFields, fillNda, findTemplate, listTemplates, type NdaFields, type NdaTemplate,
} from '../../protocol/nda.js'
import { parseNdaText, type NdaBlock } from '../../protocol/nda/markup.js'

const FIELDS: NdaFields = {
  disclosingParty: 'Лавлейс Аналитика / Lovelace Analytics Ltd.',
  disclosingDetails: 'company no. 18151127, 12 St James’s Square, London',
  purpose: 'evaluating an investment in the Disclosing Party',
  termYears: 3,
  governingLaw: 'England and Wales',
  courts: 'London',
  hasAiClause: true,
  hasUsImmunityNotice: true,
}

const SHORT: NdaFields = {
  ...FIELDS, disclosingDetails: '', courts: '', termYears: 1, hasAiClause: false, hasUsImmunityNotice: false,
}

function template(id: string): NdaTemplate {
  const found = findTemplate(id)
  if (found === undefined) throw new Error(`no template ${id}`)
  return found
}

function hashOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

/** The words of a block with the markup put back: the inverse of parsing, written independently. */
function write(block: NdaBlock): string {
  switch (block.kind) {
    case 'title': return `# ${block.text}`
    case 'heading': return `## ${block.number}. ${block.text}`
    case 'clause': return `${block.number} ${block.text}`
    case 'item': return `${block.label} ${block.text}`
    case 'paragraph': return block.text
  }
}

t.test('there are four templates, each with its own name', async (t) => {
  t.same(listTemplates().map(({ id }) => id), ['one-way-en', 'mutual-en', 'one-way-ru', 'mutual-ru'])
  t.equal(template('mutual-en').title, 'Mutual Non-Disclosure Agreement')
  t.equal(findTemplate('mutual-fr'), undefined)
})

// A change here means that a template's words changed: raise its version in the same commit.
const GOLDEN: Readonly<Record<string, { long: string, short: string }>> = {
  'one-way-en': {
    long: '3a878bfac67b7cc6ad29e25ebd54396edbe5c04a07b5e2a526077f123750e51a',
    short: 'b5169f7fda1320c4993a6de27f0d68fff086bca99535abf29aae4dda140713a5',
  },
  'mutual-en': {
    long: '8bc37c893487e88ce188bead7f361a9e87fffc25fe217d772b653ad69f19a796',
    short: 'b16b9418c47413c415ac31a2e49dcb8f82c5967cb45e0496d0e77b7c413f7a39',
  },
  'one-way-ru': {
    long: 'ebd86881d0c2b4607ab82deffdc84cfa0205bbf7a0f37fffc0f5dea2d6742f95',
    short: '63056635452b1e31677a05fae8aff4fea264f1fdb9e78ca0bfe47c55d0387bba',
  },
  'mutual-ru': {
    long: '3943bc41f2076c07244fcd4c886a23c871e2e913fb14d466de46700f4e396adc',
    short: 'c6923fc1d27b3501b3d34d25e1d7b4d7a29003f1697a831b3d177870b7d1f5b7',
  },
}

t.test('every template has the bytes it always had', async (t) => {
  for (const each of listTemplates()) {
    t.equal(each.version, 1)
    t.equal(hashOf(fillNda({ template: each, fields: FIELDS }).bytes), GOLDEN[each.id]?.long, `${each.id}, all clauses`)
    t.equal(hashOf(fillNda({ template: each, fields: SHORT }).bytes), GOLDEN[each.id]?.short, `${each.id}, the fewest`)
  }
})

t.test('the bytes are the text, and the text says where it came from', async (t) => {
  const filled = fillNda({ template: template('one-way-ru'), fields: FIELDS })
  t.same(filled.bytes, encodeUtf8(filled.text))
  t.match(filled, {
    templateId: 'one-way-ru', templateVersion: 1, language: 'ru', title: 'Соглашение о неразглашении',
  })
})

t.test('every field stands in the text, and an optional clause only when asked for', async (t) => {
  for (const each of listTemplates()) {
    const long = fillNda({ template: each, fields: FIELDS }).text
    const { disclosingParty, disclosingDetails, purpose, governingLaw, courts } = FIELDS
    for (const words of [disclosingParty, disclosingDetails, purpose, governingLaw, courts]) {
      t.ok(long.includes(words), `${each.id}: ${words}`)
    }
    const short = fillNda({ template: each, fields: SHORT }).text
    t.match(long, /1833\(b\)/)
    t.notMatch(short, /1833\(b\)/)
    t.match(long, /(artificial intelligence|искусственного интеллекта)/)
    t.notMatch(short, /(artificial intelligence|искусственного интеллекта)/)
    t.notMatch(`${long}${short}`, /undefined|null|\$\{| {2}|\.\.|,,| ,/, `${each.id} has no seams`)
  }
})

t.test('the receiving party is whoever signs the acceptance, never a name', async (t) => {
  for (const each of listTemplates()) {
    const { text } = fillNda({ template: each, fields: FIELDS })
    t.match(text, /the person who signs the acceptance|лицо, подписавшее акцепт/)
  }
})

t.test('the term is spelt as each language counts', async (t) => {
  function termOf(id: string, termYears: number): string {
    return fillNda({ template: template(id), fields: { ...FIELDS, termYears } }).text
  }

  t.match(termOf('one-way-en', 1), 'last for one year from')
  t.match(termOf('one-way-en', 10), 'last for 10 years from')
  t.match(termOf('one-way-ru', 1), 'в течение одного года с')
  t.match(termOf('one-way-ru', 2), 'в течение 2 лет с')
})

t.test('what looks the same gives the same bytes', async (t) => {
  const one = fillNda({ template: template('mutual-en'), fields: { ...FIELDS, disclosingParty: 'Café Müller' } })
  const other = fillNda({
    template: template('mutual-en'),
    fields: { ...FIELDS, disclosingParty: '  Cafe\u0301\u00a0Mu\u0308ller ', governingLaw: 'England and Wales.' },
  })
  t.same(one.bytes, other.bytes)
})

t.test('each limit holds, one below, at it, and one above', async (t) => {
  const limits = [
    ['disclosingParty', MAX_NAME_LENGTH], ['disclosingDetails', MAX_NDA_FIELD_LENGTH],
    ['purpose', MAX_NDA_PURPOSE_LENGTH], ['governingLaw', MAX_NDA_FIELD_LENGTH], ['courts', MAX_NDA_FIELD_LENGTH],
  ] as const
  for (const [field, limit] of limits) {
    for (const length of [limit - 1, limit]) t.same(checkNdaFields({ ...FIELDS, [field]: 'ж'.repeat(length) }), [])
    t.same(checkNdaFields({ ...FIELDS, [field]: 'ж'.repeat(limit + 1) }), [{ field, problem: 'too-long' }])
  }
  for (const termYears of [1, 10]) t.same(checkNdaFields({ ...FIELDS, termYears }), [])
  for (const termYears of [0, 11, 2.5, -1, Number.NaN, Number.POSITIVE_INFINITY]) {
    t.same(checkNdaFields({ ...FIELDS, termYears }), [{ field: 'termYears', problem: 'out-of-range' }], `${termYears} years`)
  }
})

t.test('the longest fields still fit into an NDA', async (t) => {
  const longest = {
    ...FIELDS,
    disclosingParty: 'Ж'.repeat(MAX_NAME_LENGTH),
    disclosingDetails: 'ж'.repeat(MAX_NDA_FIELD_LENGTH),
    purpose: '字'.repeat(MAX_NDA_PURPOSE_LENGTH),
    governingLaw: '字'.repeat(MAX_NDA_FIELD_LENGTH),
    courts: '字'.repeat(MAX_NDA_FIELD_LENGTH),
  }
  for (const each of listTemplates()) {
    const { bytes, text } = fillNda({ template: each, fields: longest })
    t.ok(bytes.length <= MAX_NDA_SIZE_BYTES, `${each.id}: ${bytes.length} bytes`)
    t.ok(parseNdaText(text).length > 20)
  }
})

t.test('what must be filled in cannot be left out', async (t) => {
  const empty = { ...FIELDS, disclosingParty: '', disclosingDetails: '', purpose: ' ', governingLaw: '', courts: '' }
  t.same(checkNdaFields(empty), [
    { field: 'disclosingParty', problem: 'empty' },
    { field: 'purpose', problem: 'empty' },
    { field: 'governingLaw', problem: 'empty' },
  ])
  t.throws(() => fillNda({ template: template('one-way-en'), fields: empty }), { code: 'nda-field' })
})

t.test('a character that cannot be seen is refused in every field', async (t) => {
  const fields = ['disclosingParty', 'disclosingDetails', 'purpose', 'governingLaw', 'courts'] as const
  for (const unseen of ['\n', '\r', '\t', '\0', '\u007f', '\u202e', '\u2066', '\u200b', '\ufeff', '\ud800', '\u2028', '\ue000']) {
    for (const field of fields) {
      const broken = { ...FIELDS, [field]: `a${unseen}b` }
      t.same(checkNdaFields(broken), [{ field, problem: 'unseen-character' }], `U+${unseen.charCodeAt(0).toString(16)} in ${field}`)
      t.throws(() => fillNda({ template: template('one-way-en'), fields: broken }), { code: 'nda-field' })
    }
  }
})

t.test('every text parses into blocks that hold all of it', async (t) => {
  for (const each of listTemplates()) {
    for (const fields of [FIELDS, SHORT]) {
      const { text, title } = fillNda({ template: each, fields })
      const blocks = parseNdaText(text)
      t.equal(`${blocks.map(write).join('\n\n')}\n`, text)
      t.same(blocks[0], { kind: 'title', text: title })
      t.same(blocks.flatMap((block) => block.kind === 'heading' ? [block.number] : []),
        Array.from({ length: fields.hasAiClause ? 12 : 11 }, (_, index) => `${index + 1}`))
    }
  }
})

t.test('no field can become markup, whatever is typed', async (t) => {
  const line = fc.oneof(
    fc.string({ minLength: 1, maxLength: 100, unit: 'grapheme' }),
    fc.constantFrom(
      '# A title', '## 1. A heading', '1.1 A clause', '(a) an item', '{purpose}', '{{purpose}}', '</section>', '$&', '$1',
    ),
  )
  const plain = fillNda({ template: template('mutual-en'), fields: SHORT })
  const shape = parseNdaText(plain.text).map(({ kind }) => kind)
  const typed = fc.record({ party: line, purpose: line, law: line })
  fc.assert(fc.property(typed, ({ party, purpose, law }) => {
    const fields = { ...SHORT, disclosingParty: party, purpose, governingLaw: law }
    if (checkNdaFields(fields).length > 0) return
    const { text } = fillNda({ template: template('mutual-en'), fields })
    t.same(parseNdaText(text).map(({ kind }) => kind), shape)
  }), { numRuns: 300 })
})

t.test('a text that is not in the one form is refused', async (t) => {
  const damaged: Readonly<Record<string, string>> = {
    'no text': '',
    'no title': 'A paragraph\n',
    'no line end': '# A',
    'a second line end': '# A\n\n',
    'a title in the middle': '# A\n\n# B\n',
    'a carriage return': '# A\r\n',
    'a block of two lines': '# A\n\nfirst\nsecond\n',
    'three line ends': '# A\n\n\nb\n',
    'a space before a block': '# A\n\n b\n',
    'a space after a block': '# A\n\nb \n',
    'a tab': '# A\n\nb\tc\n',
    'a bidi override': '# A\n\nb\u202ec\n',
    'decomposed letters': '# A\n\nCafe\u0301\n',
    'too many blocks': `# A\n${'\nb\n'.repeat(MAX_NDA_BLOCK_COUNT)}`,
    'too many bytes': `# A\n\n${'b'.repeat(MAX_NDA_SIZE_BYTES)}\n`,
  }
  for (const [name, text] of Object.entries(damaged)) {
    t.throws(() => parseNdaText(text), { code: 'malformed-nda' }, name)
  }
  t.same(parseNdaText('# A\n\nb\n').length, 2, 'the same without the damage is read')
})
