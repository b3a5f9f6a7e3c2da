// A vault whose story is in a log: two people signed with real keys, one in Cyrillic; both opened it.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { encodeHex, encodeUtf8 } from '../../../protocol/bytes.js'
import { buildPack, type PackInput } from '../../../protocol/evidence/pack.js'
import type { StampSource } from '../../../protocol/evidence/stamps.js'
import { parseZip, type PackFile } from '../../../protocol/evidence/zip.js'
import { sha256 } from '../../../protocol/hash.js'
import {
  formatAcceptance, hashRecipient, roleKey, signStatement, type Acceptance,
} from '../../../protocol/log/acceptance.js'
import { commitEvent, type Details, type Event } from '../../../protocol/log/event.js'
import { formatExport, type AuditExport } from '../../../protocol/log/export.js'
import { buildConsistencyProof, consistencyNodes } from '../../../protocol/log/merkle.js'
import { ed25519Signer, formatVkey } from '../../../protocol/log/note.js'
import { parsePolicy, type Policy } from '../../../protocol/log/policy.js'
import { buildProof } from '../../../protocol/log/proof.js'
import { readNodes } from '../../../protocol/log/tile.js'
import { fillNda, findTemplate, suggestNdaFields } from '../../../protocol/nda.js'
import { ready, signKeyPairFromSeed } from '../../../protocol/sodium.js'
import { encodeQuery } from '../../../server/time-stamp-token.js'
import { LOG_VKEY, ORIGIN, WITNESS_VKEY } from '../log/worked-example.js'
import { WrittenLog } from '../log/written-log.js'

await ready()

export const VAULT = '01890a5d-ac96-774b-bcce-b302099a8057'
const GRANT = 'AAECAwQFBgcICQoLDA0ODw'
const DOCUMENT = '01890a5d-ac96-774b-bcce-b302099a805a'
const HASH = 'ab'.repeat(32)
export const MADE_AT = '2026-11-23T09:00:00.000Z'

export const POLICY_TEXT = `log ${LOG_VKEY}\nwitness w1 ${WITNESS_VKEY}\nquorum w1\n`
export const policy: Policy = parsePolicy(encodeUtf8(POLICY_TEXT))

const template = findTemplate('mutual-en')
if (template === undefined) throw new Error('there is such a template')
export const agreement = fillNda({ template, fields: suggestNdaFields('en', 'Grace Hopper') }).bytes
export const AGREEMENT_SHA256 = createHash('sha256').update(agreement).digest('hex')

export const ADA = { name: 'Ada Lovelace', email: 'ada@fund.example', organisation: 'Fund I GP LLC' }
/** Letters of Kazakh, which few fonts have. */
export const AIGUL = { name: 'Айгүл Әбдіқызы', email: 'aigul@qor.example' }

function keyOf(role: 'founder' | 'link' | 'device', byte: number) {
  const seed = new Uint8Array(32).fill(byte)
  const key = roleKey(role, signKeyPairFromSeed(seed).publicKey)
  return { vkey: formatVkey(key), signer: ed25519Signer(key.name, seed) }
}

const founder = keyOf('founder', 0x21)
const link = keyOf('link', 0x22)

export interface Person {
  readonly party: string
  readonly note: string
  readonly acceptance: Acceptance
}

/** Tells the story, one second after the other. */
export class SignedVault {
  readonly log = new WrittenLog()
  #seconds = 0

  tell(event: Pick<Event, 'type'> & Partial<Event>, details?: Details): string {
    this.#seconds++
    const at = new Date(Date.UTC(2026, 10, 22, 14, 0, this.#seconds)).toISOString()
    const id = `01890a5d-ac96-774b-bcce-${this.#seconds.toString(16).padStart(12, '0')}`
    const { opening } = this.log.appendEvent({ id, log: ORIGIN, at, actor: 'server', vault: VAULT, ...event }, details)
    return encodeHex(commitEvent(opening.salt, opening.eventBytes))
  }

  /** Address, device, signature, key. */
  signs(who: { name: string, email: string, organisation?: string }, number: number): Person {
    const party = `01890a5d-ac96-774b-bcce-b302099a80${number.toString(16).padStart(2, '0')}`
    const device = keyOf('device', number)
    const acceptance: Acceptance = {
      ...who, agreement: 'Mutual NDA (en), version 1', agreementSha256: AGREEMENT_SHA256, vault: VAULT,
      grantSha256: HASH, recordSha256s: [HASH], founderKey: founder.vkey, linkKey: link.vkey,
      deviceKey: device.vkey, recipientSha256: hashRecipient(`age1pq1${number}`),
      consent: 'esign-disclosure version 1, accepted', log: ORIGIN,
      signedAt: '2026-11-22T14:00:00.000Z', expiresAt: '2026-11-22T14:15:00.000Z',
      nonce: number.toString(16).padStart(2, '0').repeat(32),
    }
    const note = signStatement(formatAcceptance(acceptance), [link.signer, device.signer])
    const { name, email } = who
    const personal = { name, email, address: '192.0.2.7', userAgent: 'Browser/1' }
    const place = { party, grant: GRANT }
    const keys = {
      linkKey: link.vkey, deviceKey: device.vkey, recipientSha256: acceptance.recipientSha256,
    }
    this.tell({ type: 'email.verified', ...place, method: 'code' }, personal)
    this.tell({ type: 'device.enrolled', ...place, ...keys }, personal)
    const because = this.tell({
      type: 'nda.accepted', ...place, ...keys, agreementSha256: AGREEMENT_SHA256, grantSha256: HASH,
      founderKey: founder.vkey,
    }, { ...personal, note })
    this.tell({
      type: 'header.released', ...place, document: DOCUMENT, part: 0, version: 1, recordSha256: HASH,
      headerSha256: HASH, recipientSha256: acceptance.recipientSha256, because,
    })
    return { party, note, acceptance }
  }

  async export(): Promise<AuditExport> {
    const events = await Promise.all(this.log.events.map(async ({ opening, details }, at) => ({
      index: BigInt(at), opened: { bytes: opening.eventBytes, salt: opening.salt },
      vaultTag: opening.vaultTag, partyTag: opening.partyTag, path: await this.log.path(BigInt(at)),
      ...details === undefined ? {} : { details },
    })))
    return {
      origin: ORIGIN, vkey: LOG_VKEY, checkpoint: this.log.checkpoint, exportedAt: MADE_AT,
      vaultId: VAULT, events,
    }
  }

  /** Receipts of one person's events, as her browser holds them. */
  async receiptsOf(party: string) {
    const sources = this.log.events.map(async ({ event, opening, details = null }, at) => {
      const index = BigInt(at)
      const path = await this.log.path(index)
      const proof = buildProof({ index, path, checkpoint: this.log.checkpoint, opening })
      return { party: event.party, proof, details }
    })
    return (await Promise.all(sources)).filter((source) => source.party === party)
  }
}

export const story = new SignedVault()
story.tell({ type: 'nda.published', agreementSha256: AGREEMENT_SHA256 })
story.tell({ type: 'grant.made', grant: GRANT, revision: 1, grantSha256: HASH })
export const ada = story.signs(ADA, 0x41)
/** What an authority stamped before the witness had come by. */
export const STAMPED_NOTE = signedByLog(story.log.checkpoint)
export const aigul = story.signs(AIGUL, 0x42)

function signedByLog(note: string): string {
  return note.split('\n').filter((line) => !line.startsWith('— ') || line.startsWith(`— ${ORIGIN} `)).join('\n')
}

const FONT = new URL(
  '../../../node_modules/@expo-google-fonts/noto-sans/400Regular/NotoSans_400Regular.ttf', import.meta.url)

export const common: Omit<PackInput, 'proofs'> = {
  agreements: [agreement], policy, madeAt: MADE_AT, language: 'en',
  verifier: encodeUtf8('<!doctype html>\n'), font: readFileSync(FONT),
}

export async function packVault(
  party: string | null = null, stamps: readonly StampSource[] = [],
): Promise<Uint8Array<ArrayBuffer>> {
  const exportText = formatExport(await story.export())
  return await buildPack({ ...common, stamps, proofs: { exportText, party } })
}

/** A stamp over a tree of the log, for a pack whose proofs lead to another. */
export async function stampOf(
  { log }: SignedVault, { checkpoint, size, reply }:
  { checkpoint: string, size: number, reply: (query: Buffer) => Uint8Array },
): Promise<StampSource> {
  const nonce = Uint8Array.of(0x41, 2, 3, 4, 5, 6, 7, 8)
  const query = encodeQuery({ sha256: sha256(encodeUtf8(checkpoint)), nonce })
  const stamped = Number(checkpoint.split('\n')[1])
  const sizes = { oldSize: BigInt(Math.min(size, stamped)), size: BigInt(Math.max(size, stamped)) }
  const nodes = consistencyNodes(sizes.oldSize, sizes.size)
  const nodeHash = await readNodes(log.read, { nodes, size: sizes.size })
  const proof = buildConsistencyProof(sizes, nodeHash)
  return { checkpoint, token: reply(Buffer.from(query)), size, proof }
}

export function fileIn(files: readonly PackFile[], pattern: RegExp): PackFile {
  const file = files.find(({ name }) => pattern.test(name))
  if (file === undefined) throw new Error(`no file ${pattern.source}`)
  return file
}

export function unpack(pack: Uint8Array): PackFile[] {
  return parseZip(pack)
}
