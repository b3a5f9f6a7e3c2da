// Goal: every text token can be read on every surface, in both themes, and colours have one home.
// Method: parse tokens.css, compute WCAG 2.2 contrast of each pair, search the widgets' CSS for colours.
import { readdirSync, readFileSync } from 'node:fs'
import t, { type Test } from 'tap'

type Theme = 'light' | 'dark'
type Palette = ReadonlyMap<string, Readonly<Record<Theme, string>>>

const UI_FOLDER = new URL('../../web/ui/', import.meta.url)
const TOKENS = readFileSync(new URL('tokens.css', UI_FOLDER), 'utf8')
const THEMES: readonly Theme[] = ['light', 'dark']

function parsePalette(css: string): Palette {
  const palette = new Map<string, Record<Theme, string>>()
  const pattern = /^ {2}--color-([a-z-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\);$/gm
  for (const [, name, light, dark] of css.matchAll(pattern)) {
    palette.set(name ?? '', { light: light ?? '', dark: dark ?? '' })
  }
  return palette
}

function luminance(hex: string): number {
  const [red, green, blue] = [1, 3, 5].map((start) => {
    const share = Number.parseInt(hex.slice(start, start + 2), 16) / 255
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * (red ?? 0) + 0.7152 * (green ?? 0) + 0.0722 * (blue ?? 0)
}

function contrast(a: string, b: string): number {
  const [dimmer, brighter] = [luminance(a), luminance(b)].sort((x, y) => x - y)
  return ((brighter ?? 0) + 0.05) / ((dimmer ?? 0) + 0.05)
}

const palette = parsePalette(TOKENS)
const names = [...palette.keys()]
const grounds = ['paper', 'sheet', 'well']
const surfaces = [...grounds, ...names.filter((name) => name.startsWith('tint-'))]
const texts = names.filter((name) => name === 'text' || name.startsWith('text-'))

function checkPair(t: Test, front: string, back: string, atLeast: number): void {
  for (const theme of THEMES) {
    const ratio = contrast(palette.get(front)?.[theme] ?? '', palette.get(back)?.[theme] ?? '')
    t.ok(ratio >= atLeast, `${front} on ${back}, ${theme}: ${ratio.toFixed(2)} is at least ${atLeast}`)
  }
}

t.test('the ruler itself is right', async (t) => {
  t.equal(contrast('#000000', '#ffffff').toFixed(2), '21.00')
  t.equal(contrast('#777777', '#ffffff').toFixed(2), '4.48', 'the well-known grey just below the bar')
})

t.test('every colour token was understood', async (t) => {
  const declared = [...TOKENS.matchAll(/^ {2}--color-([a-z-]+):/gm)].map(([, name]) => name)
  t.same(declared.filter((name) => name !== 'veil'), names)
  t.ok(texts.length >= 6 && surfaces.length >= 7)
})

t.test('every text token can be read on every surface', async (t) => {
  for (const text of texts) {
    for (const surface of surfaces) checkPair(t, text, surface, 4.5)
  }
})

t.test('what is written on a filled colour can be read, hovered over or not', async (t) => {
  for (const front of names.filter((name) => name.startsWith('on-'))) {
    const fill = front.slice('on-'.length)
    checkPair(t, front, fill, 4.5)
    checkPair(t, front, `${fill}-hover`, 4.5)
  }
})

t.test('edges of controls, the focus ring and the seal stand out', async (t) => {
  for (const front of ['edge', 'focus', 'accent', 'seal', 'fail']) {
    for (const ground of grounds) checkPair(t, front, ground, 3)
  }
})

t.test('no widget names a colour of its own', async (t) => {
  const sheets = readdirSync(UI_FOLDER).filter((name) => name.endsWith('.css') && name !== 'tokens.css')
  t.ok(sheets.length > 0)
  for (const name of sheets) {
    const css = readFileSync(new URL(name, UI_FOLDER), 'utf8')
    t.notMatch(css, /#[0-9a-f]{3,8}\b|rgba?\(|hsla?\(|oklch\(/i, name)
  }
})
