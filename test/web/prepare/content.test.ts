// Goal: every name a page's commands use is found, and no command that cannot be read is passed over.
// Method: small pieces of content, each with one peculiarity of the syntax.
import t from 'tap'
import { readUses, UnreadableContent } from '../../../protocol/pdf/content.js'
import type { Category } from '../../../protocol/pdf/content.js'

const read = (text: string) => readUses(new Uint8Array(Buffer.from(text, 'latin1')))

const USES: readonly { what: string, content: string, category: Category, names: string[] }[] = [
  { what: 'a picture', content: '/Im1 Do', category: 'XObject', names: ['Im1'] },
  { what: 'a name with an escaped space', content: '/A#20B Do', category: 'XObject', names: ['A B'] },
  { what: 'a font', content: 'BT /F1 12 Tf (x) Tj ET', category: 'Font', names: ['F1'] },
  { what: 'a state', content: '/G1 gs', category: 'ExtGState', names: ['G1'] },
  { what: 'a shading', content: '/S1 sh', category: 'Shading', names: ['S1'] },
  { what: 'colour spaces', content: '/C1 cs /C2 CS', category: 'ColorSpace', names: ['C1', 'C2'] },
  { what: 'no device space', content: '/DeviceRGB cs /Pattern CS', category: 'ColorSpace', names: [] },
  { what: 'a pattern', content: '1 0 0 /P1 scn /P2 SCN', category: 'Pattern', names: ['P1', 'P2'] },
  { what: 'no pattern in a colour', content: '1 0 0 scn', category: 'Pattern', names: [] },
  { what: 'marks', content: '/OC /M1 BDC EMC /Span /M2 DP', category: 'Properties', names: ['M1', 'M2'] },
  { what: 'no mark inline', content: '/Span << /MCID 1 >> BDC', category: 'Properties', names: [] },
  { what: 'nothing in a comment', content: '% /Im1 Do\n/Im2 Do', category: 'XObject', names: ['Im2'] },
  { what: 'nothing in a string', content: '(/Im1 Do \\) ( /Im3 Do )) Tj', category: 'XObject', names: [] },
  { what: 'nothing in a hexadecimal string', content: '<2F 49> Tj /Im1 Do', category: 'XObject', names: ['Im1'] },
  { what: 'commands without spaces', content: '[(a)-1(b)]TJ/Im1 Do', category: 'XObject', names: ['Im1'] },
  {
    what: 'what follows an inline picture with EI inside',
    content: 'BI /W 1 /H 1 /BPC 8 /CS /C1 ID \x01 EI \x9f\x80 EI\nQ /Im1 Do',
    category: 'XObject',
    names: ['Im1'],
  },
  {
    what: 'the colour space of an inline picture',
    content: 'BI /W 1 /H 1 /BPC 8 /CS /C1 ID x EI Q',
    category: 'ColorSpace',
    names: ['C1'],
  },
]

for (const { what, content, category, names } of USES) {
  t.test(`finds ${what}`, async (t) => {
    t.same([...read(content).names[category]], names)
  })
}

t.test('codes belong to the font in force, also after a saved state', async (t) => {
  const { shown } = read('BT /F1 1 Tf (a) Tj q /F2 1 Tf [(b) 3 <6364>] TJ Q (e) \' ET')
  const text = (font: string): string => Buffer.concat(shown.get(font) ?? []).toString('latin1')
  t.equal(text('F1'), 'ae')
  t.equal(text('F2'), 'bcd')
})

t.test('escapes in strings', async (t) => {
  const { shown } = read('/F 1 Tf (\\101\\7\\n\\)\\\n\\\r\nz\\q) Tj')
  t.same([...Buffer.concat(shown.get('F') ?? [])], [0x41, 7, 10, 0x29, 0x7a, 0x71])
})

t.test('text without a named font is told', async (t) => {
  t.equal(read('BT (x) Tj ET').hasUnnamedFont, true)
  t.equal(read('BT /F 1 Tf (x) Tj ET').hasUnnamedFont, false)
})

const UNREADABLE = [
  '(never closed', '<61', '<6g> Tj', '[ 1 2', '<< /A 1 >', '[ 1 Tj ] TJ', ') Tj', '} Tj', 'Do', '12 Do',
  'BI /W 1 ID xxxx', 'BI /W 1 q ID x EI', 'a'.repeat(300), '['.repeat(40), 'q '.repeat(600),
]

for (const content of UNREADABLE) {
  t.test(`refuses ${content.slice(0, 20)}`, async (t) => {
    t.throws(() => read(content), UnreadableContent)
  })
}
