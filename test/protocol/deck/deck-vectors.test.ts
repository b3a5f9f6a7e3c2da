// Goal: one fault, one refusal, under its own name, before a byte more than the good ones is shown.
// Method: each text file of vectors/ is opened as a client opens it, and read chunk by chunk.
import { readFileSync, readdirSync } from 'node:fs'
import t from 'tap'
import { decodeBase64Url, decodeHex, equalBytes } from '../../../protocol/bytes.js'
import { readBytes } from '../../../protocol/deck/archive.js'
import { openDeck, openReleasedHeader } from '../../../protocol/deck/deck.js'
import type { HeaderToOpen, PayloadSource } from '../../../protocol/deck/deck.js'
import { verifyGrant } from '../../../protocol/deck/grant.js'
import { parseIdentity } from '../../../protocol/deck/identity.js'
import { decodeRecord } from '../../../protocol/deck/record.js'
import type { SeenVersion } from '../../../protocol/deck/record.js'
import { ProtocolError } from '../../../protocol/errors.js'
import { hashBulk } from '../../../protocol/hash.js'
import { ready } from '../../../protocol/sodium.js'
import {
  CHUNK, buildPayload, deckPlaintext, one, parseFields, parseSigned, readDecks,
} from './vectors/vector-file.js'
import type { Fields } from './vectors/vector-file.js'

await ready()

const FOLDER = new URL('vectors/', import.meta.url)
const VECTOR_COUNT = 82

const names = readdirSync(FOLDER)
  .filter((name) => name.endsWith('.txt') && name !== 'decks.txt').sort()

/** As a client does: grant, then header, then bytes in order. Answers the refusal, if any. */
async function open(
  fields: Fields, source: PayloadSource, release: (plaintext: Uint8Array) => void,
): Promise<string> {
  try {
    const opened = openReleasedHeader(headerToOpen(fields))
    const reader = await openDeck({ ...opened, source, hash: hashBulk })
    for (let offset = 0; offset < reader.size; offset += CHUNK) {
      release(await reader.read(offset, Math.min(CHUNK, reader.size - offset)))
    }
    return 'success'
  } catch (error) {
    if (error instanceof ProtocolError) return error.code
    throw error
  }
}

function headerToOpen(fields: Fields): HeaderToOpen {
  const records = (fields.get('record') ?? []).map(parseSigned)
  const fingerprint = decodeHex(one(fields, 'fingerprint'))
  const founder = { signingKey: decodeRecord(last(records).bytes).signingKey, fingerprint }
  const grant = fields.has('grant') ? verifyGrant(parseSigned(one(fields, 'grant')), founder) : null
  const acceptance = fields.get('acceptance-sha256')?.[0]
  return {
    header: decodeBase64Url(one(fields, 'header')),
    identity: parseIdentity(one(fields, 'identity')),
    records,
    fingerprint,
    vaultId: one(fields, 'vault'),
    seen: parseSeen(fields.get('seen')?.[0]),
    wrap: grant === null || !fields.has('wrap')
      ? null
      : {
          signed: parseSigned(one(fields, 'wrap')),
          grant,
          acceptanceSha256: acceptance === undefined ? null : decodeHex(acceptance),
        },
  }
}

function parseSeen(text: string | undefined): SeenVersion | null {
  if (text === undefined) return null
  const [version = '', sha256 = ''] = text.split(' ')
  return { version: Number(version), sha256: decodeHex(sha256) }
}

function last<T>(list: readonly T[]): T {
  const value = list.at(-1)
  if (value === undefined) throw new Error('an empty list')
  return value
}

t.test('the folder is complete', (t) => {
  t.equal(names.length, VECTOR_COUNT)
  t.end()
})

for (const name of names) {
  t.test(name, async (t) => {
    const text = readFileSync(new URL(name, FOLDER), 'utf8')
    const [head = '', body = ''] = text.split('\n\n')
    const fields = parseFields(head)
    const payload = await buildPayload(body.trimEnd().split('\n'), readDecks())
    const source: PayloadSource = {
      readHashList: async () => decodeBase64Url(one(fields, 'hash-list')),
      readPayload: async (start, end) => payload.slice(start, end),
    }
    const expected = deckPlaintext('a')
    const pieces: Uint8Array[] = []
    let releasedSize = 0
    const outcome = await open(fields, source, (plaintext) => {
      releasedSize += plaintext.length
      pieces.push(plaintext)
    })
    t.equal(outcome, one(fields, 'expect'), one(fields, 'comment'))
    t.equal(releasedSize, Number(one(fields, 'released')), 'released')
    t.ok(equalBytes(Buffer.concat(pieces), await readBytes(expected, { offset: 0, length: releasedSize })), 'the good prefix')
  })
}
