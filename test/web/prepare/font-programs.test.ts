// Goal: letters that are not shown lose their outlines, shown ones keep theirs, and damage is kept whole.
// Method: real TrueType and CFF programs; every glyph compared before and after; programs cut and bent.
import fc from 'fast-check'
import t from 'tap'
import {
  blankCff, blankOpenTypeOrCff, blankTrueType, glyphsOfCodes,
} from '../../../protocol/pdf/font-programs.js'
import { fontBytes } from './secret-deck.js'

const trueType = fontBytes('LiberationSans-Regular.ttf')
const cff = fontBytes('FoxitSerif.pfb')
const COMPOSED_GLYPH = 132 // `Adieresis`, made of `A` and a dieresis
const LETTER_A = 36

/** How many bytes of two programs differ. */
function differing(one: Uint8Array, other: Uint8Array | null): number {
  if (other === null || one.length !== other.length) return Number.POSITIVE_INFINITY
  return one.reduce((count, byte, at) => count + (byte === other[at] ? 0 : 1), 0)
}

t.test('TrueType: most of the outlines go, the size stays', async (t) => {
  const blank = blankTrueType(trueType, [LETTER_A], { isIndexedByGlyph: true })
  t.equal(blank?.length, trueType.length)
  t.ok(differing(trueType, blank) > trueType.length / 3)
})

t.test('TrueType: a composed letter keeps what it is made of', async (t) => {
  const composed = blankTrueType(trueType, [COMPOSED_GLYPH], { isIndexedByGlyph: false })
  const both = blankTrueType(trueType, [COMPOSED_GLYPH, LETTER_A], { isIndexedByGlyph: false })
  t.equal(differing(composed ?? trueType, both), 0, 'A is kept for its sake')
})

t.test('TrueType: keeping every glyph changes nothing', async (t) => {
  const all = Array.from({ length: 65_535 }, (_, gid) => gid)
  t.equal(differing(trueType, blankTrueType(trueType, all, { isIndexedByGlyph: false })), 0)
})

t.test('TrueType: codes find their glyphs through the character map', async (t) => {
  const gids = glyphsOfCodes(trueType, [0x41], (code) => code)
  t.ok(gids?.has(LETTER_A))
  t.ok((gids?.size ?? 99) < 5)
  t.equal(glyphsOfCodes(cff, [0x41], (code) => code), null)
})

t.test('CFF: other glyphs become empty, and all of them kept is the same program', async (t) => {
  const blank = blankCff(cff, new Set([34]))
  t.equal(blank?.length, cff.length)
  t.ok(differing(cff, blank) > cff.length / 3)
  const all = new Set(Array.from({ length: 1_000 }, (_, gid) => gid))
  const whole = blankCff(cff, all)
  t.ok(whole === null || differing(cff, whole) === 0)
  t.equal(differing(blank ?? cff, blankOpenTypeOrCff(cff, new Set([34]))), 0)
})

t.test('a program cut or bent is blanked at its own size or kept whole', async (t) => {
  const bend = fc.record({
    size: fc.integer({ min: 0, max: 4_000 }),
    at: fc.integer({ min: 0, max: 3_999 }),
    byte: fc.integer({ min: 0, max: 255 }),
  })
  for (const program of [trueType, cff]) {
    fc.assert(fc.property(bend, ({ size, at, byte }) => {
      const bent = program.slice(0, size)
      if (at < size) bent[at] = byte
      for (const blank of [
        blankTrueType(bent, [1], { isIndexedByGlyph: true }),
        blankOpenTypeOrCff(bent, new Set([1])),
      ]) {
        if (blank !== null && blank.length !== bent.length) return false
      }
      glyphsOfCodes(bent, [0x41], (code) => code)
      return true
    }), { numRuns: 400 })
  }
  t.pass('none threw')
})
