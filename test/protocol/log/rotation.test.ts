// Goal: a pin on one key of a log leads to the others through the log's own statements, and through nothing else.
// Method: logs written in memory, signed by one, two or other keys; statements true, cut, forged, transplanted,
// in any order; every bit of one flipped.
import fc from 'fast-check'
import t from 'tap'
import { ProtocolError } from '../../../protocol/errors.js'
import type { Event } from '../../../protocol/log/event.js'
import {
  ed25519Signer, formatVkey, parseVkey, type NoteKey, type NoteSigner,
} from '../../../protocol/log/note.js'
import { policyOfLog, verifyCheckpoint } from '../../../protocol/log/policy.js'
import { buildProof, parseProof } from '../../../protocol/log/proof.js'
import {
  listLinkedKeys, parseRotationPath, rotationPath, verifyRotation, withLinkedKeys,
} from '../../../protocol/log/rotation.js'
import { formatAddCheckpoint, judgeAddCheckpoint } from '../../../protocol/log/witness.js'
import { ready } from '../../../protocol/sodium.js'
import { LOG_VKEY, ORIGIN } from './worked-example.js'
import { WrittenLog } from './written-log.js'

await ready()

const keys = [0x01, 0x41, 0x42, 0x43]
  .map((byte) => ed25519Signer(ORIGIN, new Uint8Array(32).fill(byte)))
const vkeys = keys.map(({ key }) => formatVkey(key))
const [first = '', second = '', third = ''] = vkeys
const elsewhere = ed25519Signer('other.example/log', new Uint8Array(32).fill(0x44))

function signersAt(...places: readonly number[]): NoteSigner[] {
  return places.flatMap((place) => keys[place] ?? [])
}

/** The event of one key following another, logged under these signers, and its receipt. */
async function state(
  log: WrittenLog, named: Partial<Event> & Pick<Event, 'logKey' | 'previousLogKey'>,
  signers: readonly NoteSigner[],
): Promise<string> {
  log.signers = signers
  const { opening } = log.appendEvent({
    type: 'log.key-rotated', id: '01890a5d-ac96-774b-bcce-000000000001', log: ORIGIN, at: '2026-11-22T14:00:00.000Z',
    actor: 'operator', ...named,
  })
  const index = BigInt(log.events.length - 1)
  return buildProof({ index, path: await log.path(index), opening, checkpoint: log.checkpoint })
}

async function rotate(log: WrittenLog, from: number, to: number): Promise<string> {
  return await state(log, { previousLogKey: vkeys[from] ?? '', logKey: vkeys[to] ?? '' }, signersAt(from, to))
}

function codeOf(run: () => unknown): string {
  try {
    run()
    return 'no error'
  } catch (error) {
    return error instanceof ProtocolError ? error.code : String(error)
  }
}

t.test('any key of the line leads to all of them, oldest first', async (t) => {
  const log = new WrittenLog()
  const links = [
    verifyRotation(await rotate(log, 0, 1)), verifyRotation(await rotate(log, 1, 2)),
    verifyRotation(await rotate(log, 2, 3)),
  ]
  fc.assert(fc.property(fc.shuffledSubarray(links, { minLength: 3 }), fc.nat(3), (shuffled, at) => {
    const linked = listLinkedKeys(parseVkey(vkeys[at] ?? ''), shuffled)
    return linked.map(formatVkey).join() === vkeys.join()
  }))
  t.same(listLinkedKeys(parseVkey(first), links.slice(1)).map(formatVkey), [first], 'a missing link ends the line')
  t.same(listLinkedKeys(elsewhere.key, links).map(formatVkey), [formatVkey(elsewhere.key)])
  t.equal(listLinkedKeys(parseVkey(second), [...links, ...links]).length, 4, 'twice stated is once')
})

t.test('a checkpoint by the new key alone is believed with the statement, and not without', async (t) => {
  const log = new WrittenLog()
  const statement = await rotate(log, 0, 1)
  await state(log, { previousLogKey: second, logKey: third }, signersAt(1))
  const pinned = policyOfLog(LOG_VKEY)
  t.equal(codeOf(() => verifyCheckpoint(log.checkpoint, pinned)), 'unknown-signer')
  const followed = withLinkedKeys(pinned, [verifyRotation(statement)])
  const trusted = verifyCheckpoint(log.checkpoint, followed)
  t.equal(formatVkey(trusted.logKey), second)
  t.same(withLinkedKeys(pinned, []).logs, pinned.logs)
  const both = { ...pinned, logs: [...pinned.logs, ...policyOfLog(second).logs] }
  t.equal(withLinkedKeys(both, [verifyRotation(statement)]).logs.length, 2, 'no key twice')
})

t.test('no statement counts that one of its keys has not signed', async (t) => {
  const cases: [string, NoteSigner[], string][] = [
    ['the new key alone: whoever takes over a server', signersAt(1), 'unknown-signer'],
    ['the old key alone: whoever would adopt a log', signersAt(0), 'unknown-signer'],
    ['a third and the new one', signersAt(2, 1), 'unknown-signer'],
    ['both', signersAt(0, 1), 'no error'],
  ]
  for (const [what, signers, expected] of cases) {
    const named = { previousLogKey: first, logKey: second }
    const receipt = await state(new WrittenLog(), named, signers)
    t.equal(codeOf(() => verifyRotation(receipt)), expected, what)
  }
})

t.test('no statement links what cannot follow', async (t) => {
  const both = signersAt(0, 1)
  const other = formatVkey(elsewhere.key)
  for (const [what, named] of [
    ['itself', { previousLogKey: first, logKey: first }],
    ['a log of another name', { previousLogKey: first, logKey: other }],
    ['from another name', { previousLogKey: other, logKey: first }],
    ['another event', { previousLogKey: first, logKey: second, type: 'log.started' as const }],
  ] as const) {
    const receipt = await state(new WrittenLog(), named, both)
    t.equal(codeOf(() => verifyRotation(receipt)), 'bad-rotation', what)
  }
  const elsewhereEvent = await state(
    new WrittenLog(), { previousLogKey: first, logKey: second, log: 'other.example/log' }, both)
  t.equal(codeOf(() => verifyRotation(elsewhereEvent)), 'bad-rotation', 'an event made for another log')
})

t.test('two successors or a circle are believed for nothing', async (t) => {
  const log = new WrittenLog()
  const other = await rotate(new WrittenLog(), 0, 2)
  const links = [verifyRotation(await rotate(log, 0, 1)), verifyRotation(other)]
  t.equal(codeOf(() => listLinkedKeys(parseVkey(first), links)), 'bad-rotation')
  const two = [verifyRotation(await rotate(log, 0, 2)), verifyRotation(await rotate(log, 1, 2))]
  t.equal(codeOf(() => listLinkedKeys(parseVkey(third), two)), 'bad-rotation', 'two predecessors')
  const circle = [verifyRotation(await rotate(log, 0, 1)), verifyRotation(await rotate(log, 1, 0))]
  t.equal(codeOf(() => listLinkedKeys(parseVkey(first), circle)), 'bad-rotation')
})

t.test('to a witness it stays the same log, once it has been told the new key', async (t) => {
  const log = new WrittenLog()
  const [old, next] = signersAt(0, 1).map(({ key }) => key)
  async function statusOf(
    signers: readonly NoteSigner[], logKeys: readonly (NoteKey | undefined)[],
  ): Promise<number> {
    await state(log, { previousLogKey: first, logKey: second }, signers)
    const body = formatAddCheckpoint({ oldSize: 0n, proof: [], note: log.checkpoint })
    const known = logKeys.flatMap((key) => key ?? [])
    return judgeAddCheckpoint(body, { logKeys: known, latestOf: () => null }).status
  }
  t.equal(await statusOf(signersAt(0, 1), [old]), 200, 'the new key\'s line is nobody\'s to it')
  t.equal(await statusOf(signersAt(0, 1), [old, next]), 200)
  t.equal(await statusOf(signersAt(1), [old, next]), 200)
  t.equal(await statusOf(signersAt(1), [old]), 403, 'not told')
})

t.test('a proof from one log does not serve under the checkpoint of another', async (t) => {
  const mine = new WrittenLog()
  const forged = await state(mine, { previousLogKey: first, logKey: second }, signersAt(1))
  const honest = new WrittenLog()
  await rotate(honest, 0, 2)
  honest.signers = signersAt(0, 1)
  honest.append([new Uint8Array(65).fill(1)])
  const transplanted = forged.replace(parseProof(forged).checkpoint, honest.checkpoint)
  t.equal(codeOf(() => verifyRotation(transplanted)), 'bad-proof')
})

t.test('every bit of a statement counts', async (t) => {
  const statement = await rotate(new WrittenLog(), 0, 1)
  const bytes = Buffer.from(statement)
  // The witness's line is nobody's here: what it says is not looked at.
  const end = Buffer.byteLength(statement.slice(0, statement.lastIndexOf('— witness')))
  const passed: number[] = []
  for (let bit = 0; bit < end * 8; bit += 3) {
    const changed = Buffer.from(bytes)
    changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7))
    if (codeOf(() => verifyRotation(changed.toString('utf8'))) === 'no error') passed.push(bit)
  }
  t.same(passed, [])
})

t.test('statements have their names', (t) => {
  t.equal(parseRotationPath(rotationPath(12)), 12)
  for (const path of ['rotations/0.tlog-proof', 'rotations/33.tlog-proof', 'rotations/01.tlog-proof', 'rotations/1', 'x/rotations/1.tlog-proof']) {
    t.equal(parseRotationPath(path), null, path)
  }
  t.end()
})
