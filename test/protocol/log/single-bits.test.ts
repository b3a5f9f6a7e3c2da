// Goal: whoever changes one bit of what a log gives out is found out, whichever bit it is.
// Method: by property, 1,000 random single-bit changes to each of: receipts, checkpoints, signed notes,
// tiles, bundles; of a real log with full and partial tiles on two levels. Random salts each run; the seed
// is in the report of a failure.
import { hash } from 'node:crypto'
import fc from 'fast-check'
import t from 'tap'
import { decodeUtf8, encodeUtf8 } from '../../../protocol/bytes.js'
import { ProtocolError } from '../../../protocol/errors.js'
import { verifyAcceptance } from '../../../protocol/log/acceptance.js'
import { entryOfOpening, sealEvent, type Opening } from '../../../protocol/log/event.js'
import { parsePolicy, verifyCheckpoint } from '../../../protocol/log/policy.js'
import { buildProof, verifyProof } from '../../../protocol/log/proof.js'
import { CHECKPOINT_PATH } from '../../../protocol/log/tile.js'
import { verifyLog } from '../../../protocol/log/whole-log.js'
import { randomBytes, ready } from '../../../protocol/sodium.js'
import { ada, aigul, POLICY_TEXT, VAULT } from '../evidence/signed-vault.js'
import { ORIGIN } from './worked-example.js'
import { WrittenLog } from './written-log.js'

await ready()

const CHANGE_COUNT = 1_000
/** A full tile and a partial one, and the level above. */
const ENTRY_COUNT = 270
const policy = parsePolicy(encodeUtf8(POLICY_TEXT))

const log = new WrittenLog()
const openings = Array.from({ length: ENTRY_COUNT }, (_, at): Opening => {
  const { salt, bytes: eventBytes } = sealEvent({
    type: 'access.revoked', id: `01890a5d-ac96-774b-bcce-${at.toString(16).padStart(12, '0')}`,
    log: ORIGIN, at: '2026-11-22T14:31:05.120Z', actor: 'server', vault: VAULT,
  })
  return { salt, eventBytes, vaultTag: randomBytes(16), partyTag: randomBytes(16) }
})
log.append(openings.map(entryOfOpening))

function flip(bytes: Uint8Array, bit: number): Uint8Array {
  return bytes.map((byte, at) => at === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte)
}

/** Anything else than a refusal would be our bug, and fails the property. */
function isRefused(check: () => unknown): boolean {
  try {
    check()
    return false
  } catch (error) {
    if (error instanceof ProtocolError) return true
    throw error
  }
}

/** One of the objects, and one of its bits. */
function changeOf(objects: readonly Uint8Array[]) {
  return fc.nat(objects.length - 1).chain((which) => {
    const bytes = objects[which] ?? new Uint8Array()
    return fc.nat(bytes.length * 8 - 1).map((bit) => flip(bytes, bit))
  })
}

function allRefused(objects: readonly Uint8Array[], check: (text: string) => unknown): void {
  for (const bytes of objects) check(decodeUtf8(bytes))
  const everyChange = fc.property(
    changeOf(objects), (bytes) => isRefused(() => check(decodeUtf8(bytes))))
  fc.assert(everyChange, { numRuns: CHANGE_COUNT })
}

t.test('receipts', async (t) => {
  const receipts = await Promise.all([0, 255, 256, ENTRY_COUNT - 1].map(async (at) => {
    const opening = openings[at]
    if (opening === undefined) throw new Error('such an event is there')
    const path = await log.path(BigInt(at))
    return encodeUtf8(buildProof({ index: BigInt(at), path, checkpoint: log.checkpoint, opening }))
  }))
  t.doesNotThrow(() => allRefused(receipts, (text) => verifyProof(text, policy)))
})

t.test('checkpoints, with the witness\'s line', async (t) => {
  const checkpoints = [encodeUtf8(log.checkpoint)]
  t.doesNotThrow(() => allRefused(checkpoints, (note) => verifyCheckpoint(note, policy)))
})

t.test('signed acceptances', async (t) => {
  t.doesNotThrow(() => allRefused([ada.note, aigul.note].map(encodeUtf8), verifyAcceptance))
})

/** The files that the newest checkpoint stands on: older partial tiles are nobody's any more. */
async function filesInUse(): Promise<string[]> {
  const paths = new Set<string>()
  await verifyAll(async (path) => { paths.add(path); return await log.read(path) })
  return [...paths].filter((path) => path !== CHECKPOINT_PATH && log.files.has(path))
}

async function verifyAll(read: typeof log.read): Promise<void> {
  await verifyLog(read, policy, { hash: (bytes) => hash('sha256', bytes, 'buffer') })
}

async function isChangeFound(path: string, bit: number): Promise<boolean> {
  const changed = flip(log.files.get(path) ?? new Uint8Array(), bit)
  try {
    await verifyAll(async (wanted) => wanted === path ? changed : await log.read(wanted))
    return false
  } catch (error) {
    if (error instanceof ProtocolError) return true
    throw error
  }
}

const KINDS = [['bundles', /^tile\/entries\//, 2], ['tiles', /^tile\/\d/, 3]] as const

for (const [what, pattern, least] of KINDS) {
  t.test(what, async (t) => {
    const paths = (await filesInUse()).filter((path) => pattern.test(path))
    t.ok(paths.length >= least, `${paths.length} files`)
    const changes = fc.constantFrom(...paths).chain((path) =>
      fc.nat((log.files.get(path)?.length ?? 0) * 8 - 1).map((bit) => ({ path, bit })))
    const everyChange = fc.asyncProperty(
      changes, async ({ path, bit }) => await isChangeFound(path, bit))
    await t.resolves(fc.assert(everyChange, { numRuns: CHANGE_COUNT }))
  })
}
