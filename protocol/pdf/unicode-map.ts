/** A font's /ToUnicode: which text each code stands for (ISO 32000-1 §9.10.3). Read, cut, written anew. */
import { asLatin1 } from './content.js'
import { encodeUtf8 } from '../bytes.js'

const MAX_RANGE_COUNT = 65_536
const BLOCK_SIZE = 100

/** Text as UTF-16 code units in hexadecimal, by code. */
export type UnicodeMap = Map<number, string>

/** What can be understood of a map; the rest is left out. */
export function readUnicodeMap(bytes: Uint8Array): UnicodeMap {
  const map: UnicodeMap = new Map()
  const text = asLatin1(bytes)
  for (const [, body = ''] of text.matchAll(/beginbfchar([\s\S]*?)endbfchar/g)) {
    for (const [, code = '', unicode = ''] of body.matchAll(/<([^>]*)>\s*<([^>]*)>/g)) {
      map.set(fromHex(code), clean(unicode))
    }
  }
  for (const [, body = ''] of text.matchAll(/beginbfrange([\s\S]*?)endbfrange/g)) readRanges(body, map)
  return map
}

function readRanges(body: string, map: UnicodeMap): void {
  const range = /<([^>]*)>\s*<([^>]*)>\s*(?:<([^>]*)>|\[([^\]]*)\])/g
  for (const [, first = '', last = '', start, list] of body.matchAll(range)) {
    const [from, to] = [fromHex(first), fromHex(last)]
    const count = Math.min(to - from + 1, MAX_RANGE_COUNT)
    const each = list === undefined ? [] : [...list.matchAll(/<([^>]*)>/g)].map(([, one = '']) => clean(one))
    for (let at = 0; at < count; at++) {
      const unicode = start === undefined ? each[at] : plus(clean(start), at)
      if (unicode !== undefined) map.set(from + at, unicode)
    }
  }
}

const clean = (hex: string): string => hex.replace(/\s/g, '').toUpperCase()
const fromHex = (hex: string): number => Number.parseInt(clean(hex), 16)

/** The last code unit counts up along a range. */
function plus(hex: string, by: number): string {
  const unit = (Number.parseInt(hex.slice(-4), 16) + by) & 0xffff
  return hex.slice(0, -4) + unit.toString(16).toUpperCase().padStart(4, '0')
}

/** The map of `codes` alone. `codeSize`: 1 byte for simple fonts, 2 for composite ones. */
export function writeUnicodeMap(
  map: UnicodeMap, codes: readonly number[], codeSize: 1 | 2,
): Uint8Array {
  const width = codeSize * 2
  const hex = (code: number): string => `<${code.toString(16).toUpperCase().padStart(width, '0')}>`
  const lines = codes.flatMap((code) => {
    const unicode = map.get(code)
    return unicode === undefined || !/^(?:[0-9A-F]{4})+$/.test(unicode) ? [] : [`${hex(code)} <${unicode}>`]
  })
  const blocks: string[] = []
  for (let at = 0; at < lines.length; at += BLOCK_SIZE) {
    const block = lines.slice(at, at + BLOCK_SIZE)
    blocks.push(`${block.length} beginbfchar`, ...block, 'endbfchar')
  }
  return encodeUtf8([
    '/CIDInit /ProcSet findresource begin', '12 dict begin', 'begincmap',
    '/CMapName /Adobe-Identity-UCS def', '/CMapType 2 def',
    '1 begincodespacerange', `${hex(0)} <${'F'.repeat(width)}>`, 'endcodespacerange',
    ...blocks, 'endcmap', 'CMapName currentdict /CMap defineresource pop', 'end', 'end', '',
  ].join('\n'))
}
