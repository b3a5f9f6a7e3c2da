/**
 * `sealdeck inspect`: says what a file is without opening it: an age file (its stanzas, its sizes), a
 * version record, a grant or a wrap record of an export. With -i, also what a sealed version holds.
 * Nothing it says of a record is verified: `sealdeck verify` and `sealdeck open` do that.
 */
import { encodeBase64Url, encodeHex } from '../protocol/bytes.js'
import { AgeReader } from '../protocol/deck/age-file.js'
import { readManifest } from '../protocol/deck/archive.js'
import { decodeGrant, decodeWrap } from '../protocol/deck/grant.js'
import { fingerprintOf, formatRecipient } from '../protocol/deck/identity.js'
import type { Manifest } from '../protocol/deck/manifest.js'
import { formatPolicy } from '../protocol/deck/policy.js'
import { chunkCountOf, decodeRecord, plaintextSizeOf } from '../protocol/deck/record.js'
import { identityUnwrapper } from '../protocol/deck/stanza.js'
import type { Unwrapper } from '../protocol/deck/stanza.js'
import { ProtocolError } from '../protocol/errors.js'
import {
  CHUNK_SIZE_BYTES, MAX_GRANT_SIZE_BYTES, MAX_HEADER_SIZE_BYTES,
} from '../protocol/limits.js'
import { ready } from '../protocol/sodium.js'
import { readAgeArguments } from './age/arguments.js'
import { readIdentityFile } from './age/keys.js'
import { openInput, refuse } from './age/streams.js'
import { type Run } from './command.js'

const USAGE = 'sealdeck inspect [-i IDENTITY-FILE]... [INPUT]'

const OPENS_WHOLE = 'yes, whole'

type Line = readonly [string, string | number]

export const run: Run = async (args, terminal) => {
  const parsed = readAgeArguments(args, {
    usage: USAGE,
    options: { identity: { letter: 'i', takesValue: true } },
  })
  await ready()
  const unwrappers: Unwrapper[] = []
  for (const path of parsed.values('identity')) {
    unwrappers.push(...(await readIdentityFile(path, undefined)).map(identityUnwrapper))
  }
  try {
    const lines = await inspect(openInput(parsed.input), unwrappers)
    for (const [name, value] of lines) terminal.out(`${name.padEnd(16)} ${value}`)
    const opens = lines.find(([name]) => name === 'opens')
    return opens === undefined || opens[1] === OPENS_WHOLE ? 0 : 1
  } catch (error) {
    if (error instanceof ProtocolError) return refuse(error, terminal)
    throw error
  }
}

async function inspect(
  pieces: AsyncIterable<Uint8Array>, unwrappers: readonly Unwrapper[],
): Promise<Line[]> {
  const probe = new Probe(unwrappers)
  for await (const piece of pieces) probe.push(new Uint8Array(piece))
  return probe.describe()
}

/** Reads a file once, whatever it is: keeps its start and its size, never all of it. */
class Probe {
  readonly #unwrappers: readonly Unwrapper[]
  readonly #opener: AgeReader
  #isOpened = false
  readonly #start: Uint8Array[] = []
  #startSize = 0
  #fileSize = 0
  /** Payload bytes as they lie in the file, less the armor. */
  #reader: AgeReader | null
  #plaintextSize = 0
  readonly #firstChunk: Uint8Array[] = []
  #failure: ProtocolError | null = null

  constructor(unwrappers: readonly Unwrapper[]) {
    this.#unwrappers = unwrappers
    this.#opener = new AgeReader(unwrappers)
    this.#reader = this.#opener
  }

  push(piece: Uint8Array): void {
    this.#fileSize += piece.length
    if (this.#startSize <= MAX_GRANT_SIZE_BYTES) {
      this.#start.push(piece)
      this.#startSize += piece.length
    }
    if (this.#reader === null) return
    try {
      for (const plaintext of this.#reader.push(piece)) this.#take(plaintext)
    } catch (error) {
      this.#fail(error)
    }
  }

  #take(plaintext: Uint8Array): void {
    if (this.#plaintextSize < CHUNK_SIZE_BYTES) this.#firstChunk.push(plaintext)
    this.#plaintextSize += plaintext.length
    this.#isOpened = true
  }

  #fail(error: unknown): void {
    if (!(error instanceof ProtocolError)) throw error
    this.#failure = error
    this.#reader = null
  }

  describe(): Line[] {
    const record = this.#describeRecord()
    if (record !== null) return record
    try {
      if (this.#reader !== null) this.#take(this.#reader.end())
    } catch (error) {
      this.#fail(error)
    }
    const { header } = this.#opener
    if (header === null) throw this.#failure ?? new ProtocolError('malformed-header', 'empty')
    return [...this.#describeAge(header.macInput.length), ...this.#describeContent()]
  }

  #describeRecord(): Line[] | null {
    const bytes = Buffer.concat(this.#start)
    if (this.#fileSize !== bytes.length) return null
    const label = bytes.subarray(4, 4 + (bytes[3] ?? 0)).toString('latin1')
    const describe = Object.hasOwn(RECORDS, label) ? RECORDS[label] : undefined
    return describe === undefined ? null : describe(new Uint8Array(bytes))
  }

  #describeAge(macInputSize: number): Line[] {
    const header = this.#opener.header
    const headerSize = macInputSize + ' '.length + 43 + '\n'.length
    const lines: Line[] = [
      ['format', `age v1${this.#opener.isArmored ? ', armored' : ''}`],
      ['file size', this.#fileSize],
      ['header size', `${headerSize}${headerSize > MAX_HEADER_SIZE_BYTES ? ' (more than Sealdeck takes)' : ''}`],
      ...(header?.stanzas ?? []).map((stanza): Line => ['recipient', stanza.type]),
    ]
    if (this.#opener.isArmored) return lines
    const payloadLength = this.#fileSize - headerSize
    const size = plaintextSizeOf(payloadLength)
    return [...lines, ['payload size', payloadLength],
      ['chunks', size === null ? 'an impossible size: truncated or extended' : chunkCountOf(payloadLength)],
      ...(size === null ? [] : [['plaintext size', size] satisfies Line])]
  }

  #describeContent(): Line[] {
    if (this.#unwrappers.length === 0) return []
    if (this.#failure !== null && !this.#isOpened) throw this.#failure
    const opened: Line[] = [['opens', this.#failure === null ? OPENS_WHOLE : `damaged: ${this.#failure.message}`]]
    const manifest = this.#findManifest()
    return manifest === null ? opened : [...opened, ...describeManifest(manifest)]
  }

  /** An age file need not be a sealed version. */
  #findManifest(): Manifest | null {
    try {
      const first = new Uint8Array(Buffer.concat(this.#firstChunk)).subarray(0, CHUNK_SIZE_BYTES)
      return readManifest(first, this.#plaintextSize)
    } catch (error) {
      if (error instanceof ProtocolError) return null
      throw error
    }
  }
}

function describeManifest(manifest: Manifest): Line[] {
  return [
    ['title', manifest.title],
    ['file', `${manifest.fileName}, ${manifest.mediaType}, ${manifest.fileSize} bytes`],
    ['pages', manifest.pages.length],
    ['locked pages', manifest.lockedPageCount],
    ['thumbnails', manifest.thumbnails.length],
  ]
}

const RECORDS: Readonly<Record<string, (bytes: Uint8Array) => Line[]>> = {
  'sealdeck-manifest-v1': (bytes) => {
    const record = decodeRecord(bytes)
    return [
      ['format', 'version record, not verified'],
      ['vault', record.vaultId], ['document', record.documentId],
      ['part', record.part === 0 ? 'whole' : 'open slides'], ['gate', record.gate],
      ['version', record.version],
      ['previous', record.previousSha256 === null ? 'none' : encodeHex(record.previousSha256)],
      ['payload size', record.payloadLength], ['nonce', encodeHex(record.nonce)],
      ['root', encodeHex(record.root)], ['key commitment', encodeHex(record.keyCommit)],
      ['founder', encodeHex(fingerprintOf(record.signingKey))],
    ]
  },
  'sealdeck-grant-v1': (bytes) => {
    const grant = decodeGrant(bytes)
    return [
      ['format', 'grant, not verified'],
      ['vault', grant.vaultId], ['grant', encodeBase64Url(grant.grantId)], ['revision', grant.revision],
      ['nda', grant.ndaSha256 === null ? 'none' : encodeHex(grant.ndaSha256)],
      ['log', grant.logVkey], ['link', formatRecipient(grant.linkRecipient)],
      ...formatPolicy(grant.policy).trimEnd().split('\n').map((line): Line => ['policy', line]),
    ]
  },
  'sealdeck-wrap-v1': (bytes) => {
    const wrap = decodeWrap(bytes)
    return [
      ['format', 'wrap record, not verified'],
      ['grant', encodeBase64Url(wrap.grantId)], ['record', encodeHex(wrap.recordSha256)],
      ['header', encodeHex(wrap.headerSha256)],
      ['acceptance', wrap.acceptanceSha256 === null ? 'none' : encodeHex(wrap.acceptanceSha256)],
      ['recipient', formatRecipient(wrap.recipient)],
    ]
  },
}
