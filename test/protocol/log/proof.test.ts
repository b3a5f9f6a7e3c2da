// Goal: a receipt proves its event and nothing else does.
// Method: the worked example's receipt byte for byte; receipts of our own events; damages one by
// one; 1,000 and more single bits.
import t from 'tap'
import { decodeUtf8, encodeBase64, encodeHex, encodeUtf8 } from '../../../protocol/bytes.js'
import { ProtocolError } from '../../../protocol/errors.js'
import { MAX_RECEIPT_SIZE_BYTES } from '../../../protocol/limits.js'
import { cosignCheckpoint, signCheckpoint } from '../../../protocol/log/checkpoint.js'
import {
  encodeEvent, entryOfOpening, partyTag, sealEvent, vaultTag, type Event, type Opening,
} from '../../../protocol/log/event.js'
import {
  buildInclusionProof, hashLeaf, rootOfLeaves, verifyInclusion, type NodeHash,
} from '../../../protocol/log/merkle.js'
import { cosigner, ed25519Signer } from '../../../protocol/log/note.js'
import { parsePolicy, policyOfLog, verifyCheckpoint } from '../../../protocol/log/policy.js'
import {
  buildProof, decodeOpening, encodeOpening, formatProof, parseProof, verifyProof,
} from '../../../protocol/log/proof.js'
import { ready } from '../../../protocol/sodium.js'
import {
  CHECKPOINT, COSIGNED_AT_SECONDS, LEAVES, LOG_SEED, LOG_VKEY, NODE_0_1, ORIGIN, PARTY_TAG_KEY,
  ROOT, VAULT_TAG_KEY, WITNESS_NAME, WITNESS_SEED, WITNESS_VKEY,
} from './worked-example.js'

await ready()

const EXAMPLE = 'c2sp.org/tlog-proof@v1\nindex 2\n' +
  `uktrJxiVRsgmjDK50s/Q97p0enU0XPjZ/dNo+3jaqGk=\n\n${CHECKPOINT}`

const policy = parsePolicy(encodeUtf8(`log ${LOG_VKEY}\nwitness w1 ${WITNESS_VKEY}\nquorum w1\n`))
const log = ed25519Signer(ORIGIN, LOG_SEED)
const witness = cosigner(WITNESS_NAME, WITNESS_SEED, () => COSIGNED_AT_SECONDS)
const HASH = 'ab'.repeat(32)

function fetchedEvent(at: number, log = ORIGIN): Event {
  return {
    type: 'version.fetched',
    id: `01890a5d-ac96-774b-bcce-${at.toString(16).padStart(12, '0')}`,
    log,
    at: '2026-11-22T14:31:05.120Z',
    actor: 'server',
    vault: '01890a5d-ac96-774b-bcce-b302099a8057',
    party: '01890a5d-ac96-774b-bcce-b302099a8059',
    document: '01890a5d-ac96-774b-bcce-b302099a805a',
    part: 0,
    version: at,
    recordSha256: HASH,
  }
}

function openingOf(event: Event, sequence: number): Opening {
  const { salt, bytes } = sealEvent(event)
  return {
    salt,
    eventBytes: bytes,
    vaultTag: vaultTag(VAULT_TAG_KEY, sequence),
    partyTag: partyTag(PARTY_TAG_KEY, sequence),
  }
}

function logOf(openings: readonly Opening[]) {
  const leaves = openings.map((opening) => hashLeaf(entryOfOpening(opening)))
  const nodeHash: NodeHash = ({ level, index }) => {
    const start = Number(index) * 2 ** level
    return rootOfLeaves(leaves.slice(start, start + 2 ** level))
  }
  const size = BigInt(leaves.length)
  const signed = signCheckpoint({ origin: ORIGIN, size, root: rootOfLeaves(leaves) }, [log])
  const checkpoint = `${signed}${cosignCheckpoint(signed, witness)}`
  function receipt(index: number): string {
    const opening = openings[index]
    if (opening === undefined) throw new Error('no such event')
    const place = { index: BigInt(index), size }
    const path = buildInclusionProof(place, nodeHash)
    return buildProof({ index: place.index, path, checkpoint, opening })
  }
  return { receipt, checkpoint }
}

const openings = Array.from({ length: 7 }, (_, at) => openingOf(fetchedEvent(at), at + 1))
const ours = logOf(openings)

t.test('the receipt of the worked example', async (t) => {
  const proof = { index: 2n, path: [NODE_0_1], checkpoint: CHECKPOINT }
  t.same(parseProof(EXAMPLE), proof)
  t.equal(formatProof(proof), EXAMPLE)
  const { checkpoint: { size, root } } = verifyCheckpoint(proof.checkpoint, policy)
  const [, , leaf = ROOT] = LEAVES
  t.doesNotThrow(() => verifyInclusion({ leaf, index: 2n, size, root, proof: proof.path }))
  t.throws(() => verifyProof(EXAMPLE, policy), { code: 'malformed-proof' }, 'it opens no event')
})

t.test('receipts of our events verify and say what happened', async (t) => {
  for (const [index, opening] of openings.entries()) {
    const verified = verifyProof(ours.receipt(index), policy)
    t.same(verified.event, fetchedEvent(index))
    t.equal(verified.index, BigInt(index))
    t.same(verified.opening, opening)
    t.same(verified.cosignatures, [{ witness: 'w1', timeSeconds: BigInt(COSIGNED_AT_SECONDS) }])
  }
})

t.test('a log of one entry has a receipt without path', async (t) => {
  const [opening] = openings
  if (opening === undefined) throw new Error('there is one')
  const text = logOf([opening]).receipt(0)
  t.match(text, /\nindex 0\n\nlog\.sealdeck\.example/)
  t.equal(verifyProof(text, policy).index, 0n)
})

t.test('openings survive their encoding', async (t) => {
  for (const opening of openings) t.same(decodeOpening(encodeOpening(opening)), opening)
  t.throws(() => decodeOpening(new Uint8Array(66).fill(2)), { code: 'malformed-proof' })
  t.throws(() => decodeOpening(new Uint8Array(65).fill(1)), { code: 'malformed-proof' })
  t.throws(() => decodeOpening(new Uint8Array(65 + 8193).fill(1)), { code: 'malformed-proof' })
  t.throws(() => decodeOpening(new Uint8Array(0)), { code: 'malformed-proof' })
})

t.test('damaged receipts are refused', async (t) => {
  const text = ours.receipt(3)
  const other = ours.receipt(4)
  const line = (name: string, from: string) => from.split('\n').find((candidate) => candidate.startsWith(name)) ?? ''
  const [path] = text.split('\n').slice(3)
  const wrong: Record<string, [string, string]> = {
    'another first line': [text.replace('@v1', '@v2'), 'malformed-proof'],
    'a space behind the first line': [text.replace('@v1\n', '@v1 \n'), 'malformed-proof'],
    'no index': [text.replace(/index 3\n/, ''), 'malformed-proof'],
    'a leading zero': [text.replace('index 3', 'index 03'), 'malformed-proof'],
    'a plus sign': [text.replace('index 3', 'index +3'), 'malformed-proof'],
    'minus zero': [text.replace('index 3', 'index -0'), 'malformed-proof'],
    'another index': [text.replace('index 3', 'index 2'), 'bad-proof'],
    'an index outside': [text.replace('index 3', 'index 7'), 'bad-proof'],
    'an index of 2^63': [text.replace('index 3', 'index 9223372036854775808'), 'malformed-proof'],
    'the extra of another': [text.replace(line('extra', text), line('extra', other)), 'bad-proof'],
    'no extra': [text.replace(`${line('extra', text)}\n`, ''), 'malformed-proof'],
    'extra twice': [text.replace(line('extra', text), `${line('extra', text)}\n${line('extra', text)}`), 'malformed-proof'],
    'extra behind the index': [text.replace(`${line('extra', text)}\nindex 3\n`, `index 3\n${line('extra', text)}\n`), 'malformed-proof'],
    'extra that is not base64': [text.replace('extra A', 'extra *'), 'malformed-proof'],
    'a hash dropped': [text.replace(`${path}\n`, ''), 'bad-proof'],
    'a hash doubled': [text.replace(`${path}\n`, `${path}\n${path}\n`), 'bad-proof'],
    'a short hash': [text.replace(`${path}\n`, 'AAAA\n'), 'malformed-proof'],
    '64 hashes': [text.replace(`${path}\n`, `${path}\n`.repeat(64)), 'malformed-proof'],
    'no checkpoint': [text.slice(0, text.indexOf('\n\n')), 'malformed-proof'],
    'a carriage return': [text.replace('index 3', 'index 3\r'), 'malformed-proof'],
    'a newline at the end': [`${text}\n`, 'malformed-note'],
    'over the size limit': [text.padEnd(MAX_RECEIPT_SIZE_BYTES + 1, '\n'), 'malformed-proof'],
  }
  for (const [what, [damaged, code]] of Object.entries(wrong)) {
    t.throws(() => verifyProof(damaged, policy), { code }, what)
  }
})

t.test('an event made for another log does not pass in this one', async (t) => {
  const foreign = logOf([openingOf(fetchedEvent(1, 'test.sealdeck.example/2026'), 1)])
  t.throws(() => verifyProof(foreign.receipt(0), policy), { code: 'wrong-origin' })
})

t.test('what is in the tree but is no event is refused', async (t) => {
  const eventBytes = encodeUtf8('{"type":"nonsense"}')
  const [opening] = openings
  if (opening === undefined) throw new Error('there is one')
  const text = logOf([{ ...opening, eventBytes }]).receipt(0)
  t.throws(() => verifyProof(text, policy), { code: 'malformed-event' })
})

t.test('a receipt upgraded with a cosignature satisfies a policy that wants one', async (t) => {
  const text = ours.receipt(0)
  const plain = text.split('\n').filter((line) => !line.startsWith(`— ${WITNESS_NAME}`)).join('\n')
  t.throws(() => verifyProof(plain, policy), { code: 'quorum-missing' })
  t.equal(verifyProof(plain, policyOfLog(LOG_VKEY)).cosignatures.length, 0)
  const proof = parseProof(plain)
  const upgraded = formatProof({ ...proof, checkpoint: `${proof.checkpoint}${cosignCheckpoint(proof.checkpoint, witness)}` })
  t.equal(upgraded, text)
  t.equal(encodeHex(encodeUtf8(upgraded)), encodeHex(encodeUtf8(text)))
})

t.test('every flipped bit of a receipt is refused', async (t) => {
  const bytes = encodeUtf8(ours.receipt(5))
  let refused = 0
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const flipped = bytes.map((byte, at) => at === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte)
    try {
      verifyProof(decodeUtf8(flipped), policy)
    } catch (error) {
      if (error instanceof ProtocolError) refused++
      else throw error
    }
  }
  t.equal(refused, bytes.length * 8)
  t.ok(refused > 1000, `${refused} bits`)
})

t.test('the same event under another salt or tag is another leaf', async (t) => {
  const [opening] = openings
  if (opening === undefined) throw new Error('there is one')
  const leaf = encodeBase64(hashLeaf(entryOfOpening(opening)))
  for (const changed of [
    { ...opening, salt: opening.salt.with(0, (opening.salt[0] ?? 0) ^ 1) },
    { ...opening, vaultTag: opening.partyTag },
    { ...opening, partyTag: opening.vaultTag },
    { ...opening, eventBytes: encodeEvent(fetchedEvent(99)) },
  ]) t.not(encodeBase64(hashLeaf(entryOfOpening(changed))), leaf)
})
