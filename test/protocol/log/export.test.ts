// Goal: an export proves each event in it, has one spelling, and hides nothing odd.
// Method: an export of a whole story, read back and verified; each field damaged; the oddities one
// by one.
import t from 'tap'
import { encodeHex } from '../../../protocol/bytes.js'
import { ProtocolError } from '../../../protocol/errors.js'
import { commitEvent, type Details, type Event } from '../../../protocol/log/event.js'
import {
  formatExport, parseExport, verifyExport, WHOLE_INSTANCE, type AuditExport,
} from '../../../protocol/log/export.js'
import { splitExport } from '../../../protocol/log/export-pieces.js'
import { policyOfLog } from '../../../protocol/log/policy.js'
import { ready } from '../../../protocol/sodium.js'
import { LOG_VKEY, ORIGIN, SIGNER_VKEY, VAULT_TAG_KEY } from './worked-example.js'
import { WrittenLog } from './written-log.js'

await ready()

const policy = policyOfLog(LOG_VKEY)
const VAULT = '01890a5d-ac96-774b-bcce-b302099a8057'
const PARTY = '01890a5d-ac96-774b-bcce-b302099a8059'
const OTHER = '01890a5d-ac96-774b-bcce-b302099a8060'
const DOCUMENT = '01890a5d-ac96-774b-bcce-b302099a805a'
const GRANT = 'AAECAwQFBgcICQoLDA0ODw'
const HASH = 'ab'.repeat(32)

/** Tells a vault's story, one second after the other. */
class Story {
  readonly log = new WrittenLog()
  #seconds = 0

  tell(event: Pick<Event, 'type'> & Partial<Event>, details?: Details): string {
    this.#seconds++
    const at = event.at ?? new Date(Date.UTC(2026, 10, 22, 14, 0, this.#seconds)).toISOString()
    const id = `01890a5d-ac96-774b-bcce-${this.#seconds.toString(16).padStart(12, '0')}`
    const { opening } = this.log.appendEvent({ id, log: ORIGIN, at, actor: 'server', vault: VAULT, ...event }, details)
    return encodeHex(commitEvent(opening.salt, opening.eventBytes))
  }

  accepts(party = PARTY): string {
    return this.tell({
      type: 'nda.accepted', party, grant: GRANT, agreementSha256: HASH, grantSha256: HASH,
      linkKey: SIGNER_VKEY, deviceKey: SIGNER_VKEY, recipientSha256: HASH,
    }, { name: 'Ada Lovelace', email: 'ada@fund.example' })
  }

  releases(because: string, party = PARTY): string {
    return this.tell({
      type: 'header.released', party, grant: GRANT, document: DOCUMENT, part: 0, version: 1,
      recordSha256: HASH, headerSha256: HASH, recipientSha256: HASH, because,
    })
  }

  async export(): Promise<AuditExport> {
    const events = await Promise.all(this.log.events.map(async ({ opening, details }, at) => ({
      index: BigInt(at),
      opened: { bytes: opening.eventBytes, salt: opening.salt },
      vaultTag: opening.vaultTag,
      partyTag: opening.partyTag,
      path: await this.log.path(BigInt(at)),
      ...details === undefined ? {} : { details },
    })))
    return {
      origin: ORIGIN, vkey: LOG_VKEY, checkpoint: this.log.checkpoint, exportedAt: '2026-11-22T15:00:00.000Z',
      vaultId: VAULT, events,
    }
  }
}

async function told(tell: (story: Story) => void): Promise<AuditExport> {
  const story = new Story()
  tell(story)
  return await story.export()
}

const audit = await told((story) => {
  story.tell({ type: 'nda.published', agreementSha256: HASH })
  story.releases(story.accepts())
  story.tell({ type: 'access.revoked', party: PARTY })
})

t.test('an export comes back as it was, and every event in it is proved', async (t) => {
  const text = formatExport(audit)
  t.same(parseExport(text), audit)
  const verified = verifyExport(parseExport(text), policy)
  t.same(verified.events.map(({ event }) => event?.type),
    ['nda.published', 'nda.accepted', 'header.released', 'access.revoked'])
  t.same(verified.events[1]?.details, { name: 'Ada Lovelace', email: 'ada@fund.example' })
  t.same(verified.findings, [])
  t.equal(text.trimEnd().split('\n').length, audit.events.length + 2, 'one event a line')
  t.same(JSON.parse(text).events[0].index, 0)
})

t.test('an empty export is one too', async (t) => {
  const empty = { ...audit, events: [] }
  t.same(verifyExport(parseExport(formatExport(empty)), policy).events, [])
})

t.test('an erased event is still proved to be there', async (t) => {
  const erased = {
    ...audit,
    events: audit.events.map((event, at) => {
      const { details: _details, ...rest } = event
      return at === 1 && 'bytes' in event.opened
        ? { ...rest, opened: { commitment: commitEvent(event.opened.salt, event.opened.bytes) } }
        : event
    }),
  }
  const verified = verifyExport(parseExport(formatExport(erased)), policy)
  t.equal(verified.events[1]?.event, null)
  t.same(verified.findings, [], 'the release still names a permission that stands in the log')
  t.notMatch(formatExport(erased), /"details"/)
})

t.test('details may be left out for those who may not see them', async (t) => {
  const pseudonymous = {
    ...audit, events: audit.events.map(({ details: _details, ...event }) => event),
  }
  const verified = verifyExport(parseExport(formatExport(pseudonymous)), policy)
  t.equal(verified.events[1]?.event?.type, 'nda.accepted')
  t.equal(verified.events[1]?.details, undefined)
})

t.test('an export with anything changed is refused', async (t) => {
  const text = formatExport(audit)
  const [first, second] = audit.events
  if (first === undefined || second === undefined) throw new Error('there are four')
  const wrong: Record<string, string> = {
    'another format': text.replace('export/v1', 'export/v2'),
    'a space': text.replace('":', '": '),
    'no last newline': text.trimEnd(),
    'a field twice': text.replace('{"format"', '{"vaultId":"x","format"'),
    'a field more': text.replace('{"format"', '{"extra":1,"format"'),
    'events twice': text.replace('"events":[', '"events":[],"events":['),
    'no events': text.replace(/,"events":\[[^]*\n\]/, ''),
    'an index with a fraction': text.replace('"index":1,', '"index":1.0,'),
    'a negative index': text.replace('"index":0,', '"index":-1,'),
    'an index in words': text.replace('"index":1,', '"index":"1",'),
    'not JSON': text.slice(1),
    'a list': `[${text}]`,
    'null': 'null',
    'a time without zone': text.replace('15:00:00.000Z', '15:00:00.000'),
    'base64 with stray bits': text.replace(/"vaultTag":"(.{21})."/, '"vaultTag":"$1_"'),
    'a short salt': text.replace(/"salt":"..../, '"salt":"'),
    'events out of order': formatExport({ ...audit, events: [second, first] }),
    'an event twice': formatExport({ ...audit, events: [first, first] }),
  }
  for (const [what, damaged] of Object.entries(wrong)) {
    t.throws(() => parseExport(damaged), { code: 'malformed-export' }, what)
  }
})

t.test('an export that proves something else is refused', async (t) => {
  const [first, second] = audit.events
  if (first === undefined || second === undefined) throw new Error('there are four')
  const other = await told((story) => { story.tell({ type: 'auditor.read' }) })
  const wrong: Record<string, [AuditExport, string]> = {
    'another index': [{ ...audit, events: [{ ...first, index: 1n }] }, 'bad-proof'],
    'another path': [{ ...audit, events: [{ ...first, path: second.path }] }, 'bad-proof'],
    'another event': [{ ...audit, events: [{ ...first, opened: second.opened }] }, 'bad-proof'],
    'another tag': [{ ...audit, events: [{ ...first, vaultTag: second.vaultTag }] }, 'bad-proof'],
    'details of another': [{ ...audit, events: [first, { ...second, details: { bytes: first.path[0] ?? VAULT_TAG_KEY, salt: VAULT_TAG_KEY } }] }, 'bad-details'],
    'details of nothing': [{ ...audit, events: [{ ...first, details: { bytes: VAULT_TAG_KEY, salt: VAULT_TAG_KEY } }] }, 'bad-details'],
    'another checkpoint': [{ ...audit, checkpoint: other.checkpoint }, 'bad-proof'],
    'another vault': [{ ...audit, vaultId: OTHER }, 'wrong-vault'],
    'another origin': [{ ...audit, origin: 'other.example' }, 'wrong-origin'],
    'another key': [{ ...audit, vkey: SIGNER_VKEY }, 'wrong-origin'],
    'no key': [{ ...audit, vkey: 'key' }, 'malformed-key'],
    'a checkpoint not signed': [{ ...audit, checkpoint: audit.checkpoint.replace('\n4\n', '\n5\n') }, 'bad-signature'],
  }
  for (const [what, [damaged, code]] of Object.entries(wrong)) {
    t.throws(() => verifyExport(damaged, policy), { code }, what)
  }
  t.throws(() => verifyExport(audit, policyOfLog(SIGNER_VKEY)), { code: 'wrong-origin' })
})

t.test('a thousand flipped bits are all refused', async (t) => {
  const text = formatExport(audit)
  const stride = Math.max(1, Math.floor(text.length / 1100))
  let tried = 0
  for (let at = 0; at < text.length; at += stride) {
    const flipped = String.fromCharCode(text.charCodeAt(at) ^ (1 << (at % 7)))
    const damaged = `${text.slice(0, at)}${flipped}${text.slice(at + 1)}`
    tried++
    if (isAccepted(damaged)) t.fail(`character ${at}: ${encodeURI(text.slice(at - 20, at + 20))}`)
  }
  t.ok(tried >= 1000, `${tried} bits`)
})

// The time of the export and the witnesses' lines are the file's own words: nothing proves them.
function isAccepted(text: string): boolean {
  try {
    const { exportedAt, checkpoint } = parseExport(text)
    verifyExport(parseExport(text), policy)
    return exportedAt === audit.exportedAt && checkpoint === audit.checkpoint
  } catch (error) {
    if (error instanceof ProtocolError) return false
    throw error
  }
}

t.test('oddities are named', async (t) => {
  const kinds = (of: AuditExport) => verifyExport(of, policy).findings.map(({ kind, index }) => `${kind} ${index}`)
  t.same(kinds(await told((story) => { story.releases(HASH) })), ['permission-missing 0'])
  t.same(kinds(await told((story) => { story.releases(story.accepts(), OTHER) })), ['permission-of-another 1'])
  t.same(kinds(await told((story) => {
    const permission = story.accepts()
    story.tell({ type: 'access.revoked', party: PARTY })
    story.releases(permission)
  })), ['released-after-revocation 2'])
  t.same(kinds(await told((story) => {
    const permission = story.accepts()
    story.tell({ type: 'access.revoked', party: PARTY })
    story.tell({ type: 'access.approved', party: PARTY, grant: GRANT })
    story.releases(permission)
  })), [])
  t.same(kinds(await told((story) => {
    const permission = story.accepts()
    story.tell({ type: 'access.revoked', grant: GRANT })
    story.releases(permission)
  })), ['released-after-revocation 2'])
  t.same(kinds(await told((story) => {
    story.tell({ type: 'auditor.read' })
    story.tell({ type: 'auditor.read', at: '2026-11-22T13:00:00.000Z' })
  })), ['time-backwards 1'])
})

t.test('a filtered export accuses nobody of what the filter left out', async (t) => {
  const released = await told((story) => { story.releases(HASH) })
  const filtered = { ...released, filter: 'type=header.released' }
  t.same(parseExport(formatExport(filtered)), filtered)
  t.same(verifyExport(filtered, policy).findings, [])
})

t.test('an export of the instance holds events of every vault', async (t) => {
  const whole = { ...audit, vaultId: WHOLE_INSTANCE }
  t.equal(verifyExport(parseExport(formatExport(whole)), policy).events.length, 4)
})

t.test('a long export comes in pieces, each of which proves its events', async (t) => {
  const text = formatExport(audit)
  async function * cut(size: number) {
    for (let at = 0; at < text.length; at += size) yield text.slice(at, at + size)
  }
  const cuts = [[1, 1], [7, 3], [100, 4], [text.length, 2], [text.length, 9]] as const
  for (const [size, count] of cuts) {
    const indexes: bigint[] = []
    for await (const piece of splitExport(cut(size), count)) {
      const { events } = verifyExport(parseExport(piece), policy)
      t.ok(events.length <= count)
      indexes.push(...events.map(({ index }) => index))
    }
    t.same(indexes, [0n, 1n, 2n, 3n], `cut every ${size}, ${count} a piece`)
  }
  const pieces = async (wrong: string) => {
    const texts = (async function * () { yield wrong })()
    for await (const piece of splitExport(texts, 2)) parseExport(piece)
  }
  await t.rejects(pieces(text.slice(0, -3)), { code: 'malformed-export' }, 'cut off')
  await t.rejects(pieces(''), { code: 'malformed-export' }, 'nothing')
  await t.rejects(pieces(`${text}x\n`), { code: 'malformed-export' }, 'something after')
  await t.rejects(pieces(text.replace('},\n', '}\n')), { code: 'malformed-export' }, 'no comma')
})
