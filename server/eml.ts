/**
 * Reads the mails that our own mailer wrote into the outbox folder: subject, recipient, date and plain
 * text. Not a general MIME parser; what it does not know it shows as it is.
 */
import { decodeBase64 } from '../protocol/bytes.js'
import { ProtocolError } from '../protocol/errors.js'

export interface OutboxMail {
  readonly to: string
  readonly subject: string
  readonly date: string
  readonly text: string
}

const MAX_PART_DEPTH = 4

/** @param source - a whole `.eml` file. */
export function parseMail(source: string): OutboxMail {
  const { headers } = splitPart(source)
  return {
    to: decodeWords(headers.get('to') ?? ''),
    subject: decodeWords(headers.get('subject') ?? ''),
    date: headers.get('date') ?? '',
    text: plainText(source, 0) ?? '',
  }
}

interface Part { readonly headers: ReadonlyMap<string, string>, readonly body: string }

function splitPart(source: string): Part {
  const lines = source.replaceAll('\r\n', '\n')
  if (lines.startsWith('\n')) return { headers: new Map(), body: lines.slice(1) }
  const end = lines.indexOf('\n\n')
  const head = (end < 0 ? lines : lines.slice(0, end)).replace(/\n[ \t]+/g, ' ') // A header goes on in an indented line.
  const headers = head.split('\n').map((line) => {
    const colon = line.indexOf(':')
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const
  })
  return { headers: new Map(headers), body: end < 0 ? '' : lines.slice(end + 2) }
}

/** The first text/plain part; `undefined` if there is none. */
function plainText(source: string, depth: number): string | undefined {
  const { headers, body } = splitPart(source)
  const type = headers.get('content-type') ?? 'text/plain'
  const boundary = /boundary="?([^";]+)"?/.exec(type)?.[1]
  if (type.startsWith('multipart/') && boundary !== undefined && depth < MAX_PART_DEPTH) {
    const parts = `\n${body}`.split(`\n--${boundary}`).slice(1, -1)
    return parts.map((part) => plainText(part.replace(/^\n/, ''), depth + 1)).find((text) => text !== undefined)
  }
  if (!type.startsWith('text/plain')) return undefined
  return decodeBody(body, headers.get('content-transfer-encoding') ?? '7bit')
}

function decodeBody(body: string, encoding: string): string {
  if (encoding === 'quoted-printable') return decodeQuoted(body.replaceAll('=\n', ''))
  return encoding === 'base64' ? decodeBase64Text(body.replaceAll('\n', '')) : body
}

function decodeQuoted(text: string): string {
  const bytes: number[] = []
  for (const token of text.match(/=[0-9A-Fa-f]{2}|[^]/gu) ?? []) {
    if (token.length === 3 && token.startsWith('=')) bytes.push(Number.parseInt(token.slice(1), 16))
    else bytes.push(...new TextEncoder().encode(token))
  }
  return new TextDecoder().decode(Uint8Array.from(bytes))
}

function decodeBase64Text(text: string): string {
  try {
    return new TextDecoder().decode(decodeBase64(text))
  } catch (error) {
    if (error instanceof ProtocolError) return text
    throw error
  }
}

/** `=?UTF-8?Q?...?=` and `=?UTF-8?B?...?=` (RFC 2047). */
function decodeWords(header: string): string {
  return header
    .replace(/\?=\s+=\?/g, '?==?')
    .replace(/=\?utf-8\?([qb])\?([^?]*)\?=/gi, (_word, kind: string, text: string) =>
      kind.toLowerCase() === 'b' ? decodeBase64Text(text) : decodeQuoted(text.replaceAll('_', ' ')))
}
