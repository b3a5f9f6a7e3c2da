/**
 * The simple markup NDA texts are written in, and how it is read back (SPEC.md § 5). Knows no
 * template: whoever only shows an agreement loads no other.
 *
 * [Note: NDA markup]
 * UTF-8, Unicode form C, lines ended by LF. A block is one line; one empty line between two blocks.
 *   `# text`       the title: the first block, and only there
 *   `## 3. text`   a section's heading
 *   `3.1 text`     a numbered clause
 *   `(a) text`     an item of the clause above it; the letter is Latin or Cyrillic
 *   anything else  a paragraph
 * No other character is markup, so nothing that a founder types can become any.
 */
import { encodeUtf8 } from '../bytes.js'
import { ProtocolError } from '../errors.js'
import { MAX_NDA_BLOCK_COUNT, MAX_NDA_SIZE_BYTES } from '../limits.js'

/** Controls, format characters (bidi overrides too), half surrogates, private use, line separators. */
export const UNSEEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]/u

export type NdaBlock =
  | { readonly kind: 'title', readonly text: string }
  | { readonly kind: 'heading', readonly number: string, readonly text: string }
  | { readonly kind: 'clause', readonly number: string, readonly text: string }
  | { readonly kind: 'item', readonly label: string, readonly text: string }
  | { readonly kind: 'paragraph', readonly text: string }

/**
 * Read the markup back, for the screen and the printer. Every character of the text is in the blocks
 * or is the markup itself, so nothing that was signed stays unseen.
 *
 * @throws ProtocolError `malformed-nda` if the text is too large, has no title, has characters that
 *   cannot be seen, or is not laid out as [Note: NDA markup] says.
 */
export function parseNdaText(text: string): readonly NdaBlock[] {
  if (encodeUtf8(text).length > MAX_NDA_SIZE_BYTES) throw new ProtocolError('malformed-nda', 'over its limit')
  if (!text.endsWith('\n') || text.normalize('NFC') !== text) {
    throw new ProtocolError('malformed-nda', 'not in the one form')
  }
  const lines = text.slice(0, -1).split('\n\n')
  if (lines.length > MAX_NDA_BLOCK_COUNT) throw new ProtocolError('malformed-nda', 'too many blocks')
  const blocks = lines.map(parseBlock)
  const hasOneTitle = blocks.every((block, index) => (block.kind === 'title') === (index === 0))
  if (!hasOneTitle) throw new ProtocolError('malformed-nda', 'one title, and first')
  return blocks
}

const HEADING = /^## (\d{1,3})\. (.+)$/u
const CLAUSE = /^(\d{1,3}\.\d{1,3}) (.+)$/u
const ITEM = /^(\([a-zа-я]\)) (.+)$/u

function parseBlock(line: string): NdaBlock {
  if (line === '' || line.trim() !== line || UNSEEN.test(line)) {
    throw new ProtocolError('malformed-nda', 'a block is one line of visible text')
  }
  if (line.startsWith('# ')) return { kind: 'title', text: line.slice(2) }
  const [, headingNumber, headingText] = HEADING.exec(line) ?? []
  if (headingNumber !== undefined && headingText !== undefined) {
    return { kind: 'heading', number: headingNumber, text: headingText }
  }
  return parseNumbered(line)
}

function parseNumbered(line: string): NdaBlock {
  const [, number, clauseText] = CLAUSE.exec(line) ?? []
  if (number !== undefined && clauseText !== undefined) return { kind: 'clause', number, text: clauseText }
  const [, label, itemText] = ITEM.exec(line) ?? []
  if (label !== undefined && itemText !== undefined) return { kind: 'item', label, text: itemText }
  return { kind: 'paragraph', text: line }
}
