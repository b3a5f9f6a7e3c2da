// Vector files: the manner in which they are written and read (README.md beside this).
import { readFileSync } from 'node:fs'
import { concatBytes, decodeBase64Url, decodeHex, encodeBase64Url } from '../../../../protocol/bytes.js'
import { buildArchive, readBytes, sourceOfBytes } from '../../../../protocol/deck/archive.js'
import type { ByteSource } from '../../../../protocol/deck/archive.js'
import type { Signed } from '../../../../protocol/deck/signature.js'
import { derivePayloadKey, sealChunk } from '../../../../protocol/deck/stream.js'

export const CHUNK = 65536
export const FILE_SIZE = 150_000

export type DeckName = 'a' | 'b'

export interface DeckKeys {
  readonly fileKey: Uint8Array<ArrayBuffer>
  readonly nonce: Uint8Array<ArrayBuffer>
}

export type Decks = Readonly<Record<DeckName, DeckKeys>>

/** The keys of both decks: `decks.txt`. */
export function readDecks(): Decks {
  const fields = parseFields(readFileSync(new URL('decks.txt', import.meta.url), 'utf8'))
  const keysOf = (name: DeckName): DeckKeys => ({
    fileKey: decodeHex(one(fields, `${name}-file-key`)),
    nonce: decodeHex(one(fields, `${name}-nonce`)),
  })
  return { a: keysOf('a'), b: keysOf('b') }
}

export function deckPlaintext(name: DeckName): ByteSource {
  const shift = name === 'a' ? 0 : 1
  const bytes = new Uint8Array(FILE_SIZE)
    .map((_, index) => (index * 167 + (index >> 8) + shift) & 0xff)
  return buildArchive({
    title: `Deck ${name}`,
    fileName: 'deck.bin',
    mediaType: 'application/octet-stream',
    file: sourceOfBytes(bytes),
  })
}

export type Fields = ReadonlyMap<string, readonly string[]>

export function parseFields(text: string): Fields {
  const fields = new Map<string, string[]>()
  for (const line of text.replace(/\n$/, '').split('\n')) {
    const separator = line.indexOf(': ')
    if (separator < 1) throw new Error(`not a field: ${line}`)
    const key = line.slice(0, separator)
    fields.set(key, [...fields.get(key) ?? [], line.slice(separator + 2)])
  }
  return fields
}

export function one(fields: Fields, key: string): string {
  const [value, ...others] = fields.get(key) ?? []
  if (value === undefined || others.length > 0) throw new Error(`not exactly one ${key}`)
  return value
}

export function formatSigned(signed: Signed): string {
  return `${encodeBase64Url(signed.bytes)} ${encodeBase64Url(signed.signature)}`
}

export function parseSigned(text: string): Signed {
  const [bytes = '', signature = ''] = text.split(' ')
  return { bytes: decodeBase64Url(bytes), signature: decodeBase64Url(signature) }
}

/** The payload that a vector's lines describe. */
export async function buildPayload(lines: readonly string[], decks: Decks): Promise<Uint8Array> {
  const pieces = []
  for (const line of lines) pieces.push(await buildPiece(line, decks))
  return concatBytes(...pieces)
}

const PIECE = /^(?:(nonce|bytes) ([0-9a-f]+)|(chunk|final) (\d+)(?: of ([ab]))?(?: first (\d+))?(?: flip (\d+))?)$/

async function buildPiece(line: string, decks: Decks): Promise<Uint8Array> {
  const [isPiece, , hex, kind, index, deck, first, flip] = PIECE.exec(line) ?? []
  if (isPiece === undefined) throw new Error(`not a piece: ${line}`)
  if (hex !== undefined) return decodeHex(hex)
  const name = deck === 'b' ? 'b' : 'a'
  const sealed = await sealPiece(name, decks[name], { index: Number(index), isFinal: kind === 'final' })
  if (flip !== undefined) sealed[Number(flip)] = (sealed[Number(flip)] ?? 0) ^ 1
  return first === undefined ? sealed : sealed.subarray(0, Number(first))
}

async function sealPiece(
  name: DeckName, keys: DeckKeys, place: { index: number, isFinal: boolean },
): Promise<Uint8Array> {
  const plaintext = deckPlaintext(name)
  const offset = place.index * CHUNK
  const length = Math.min(CHUNK, plaintext.size - offset)
  const payloadKey = derivePayloadKey(keys.fileKey, keys.nonce)
  return sealChunk(payloadKey, place, await readBytes(plaintext, { offset, length }))
}
