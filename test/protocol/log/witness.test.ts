// Goal: a witness answers each request with the status that c2sp.org/tlog-witness names, and its
// client takes only what the witness's key has made.
// Method: the worked example's request byte for byte; one request for each status; random growth.
import fc from 'fast-check'
import t from 'tap'
import { signCheckpoint, type Checkpoint } from '../../../protocol/log/checkpoint.js'
import {
  buildConsistencyProof, consistencyNodes, EMPTY_ROOT, hashLeaf, rootOfLeaves,
} from '../../../protocol/log/merkle.js'
import { cosigner, ed25519Signer, parseNote, signNote, verifyNote } from '../../../protocol/log/note.js'
import { parsePolicy } from '../../../protocol/log/policy.js'
import { readNodes } from '../../../protocol/log/tile.js'
import {
  addCosignatures, formatAddCheckpoint, formatCosignatures, isWitnessed, judgeAddCheckpoint,
  parseAddCheckpoint, type WitnessAnswer,
} from '../../../protocol/log/witness.js'
import { encodeUtf8 } from '../../../protocol/bytes.js'
import { ready } from '../../../protocol/sodium.js'
import {
  ADD_CHECKPOINT, CHECKPOINT, CHECKPOINT_TEXT, COSIGNED_AT_SECONDS, ENTRIES, LEAVES, LOG_LINE,
  LOG_SEED, LOG_VKEY, listedEntry, ORIGIN, ROOT, WITNESS_LINE, WITNESS_NAME, WITNESS_SEED,
  WITNESS_VKEY,
} from './worked-example.js'
import { WrittenLog } from './written-log.js'

await ready()

const log = ed25519Signer(ORIGIN, LOG_SEED)
const witness = cosigner(WITNESS_NAME, WITNESS_SEED, () => COSIGNED_AT_SECONDS)
const [leaf = EMPTY_ROOT] = LEAVES
const atOne: Checkpoint = { origin: ORIGIN, size: 1n, root: leaf }

function judge(body: string, latest: Checkpoint | null = atOne): WitnessAnswer {
  return judgeAddCheckpoint(body, { logKeys: [log.key], latestOf: () => latest })
}

function sign(size: bigint, root: Uint8Array, origin = ORIGIN): string {
  return signCheckpoint({ origin, size, root }, [ed25519Signer(origin, LOG_SEED)])
}

t.test('the request of the worked example', async (t) => {
  const request = parseAddCheckpoint(ADD_CHECKPOINT)
  t.same(request, { oldSize: 1n, proof: [LEAVES[1], LEAVES[2]], note: CHECKPOINT })
  t.equal(formatAddCheckpoint(request), ADD_CHECKPOINT)
  const answer = judge(ADD_CHECKPOINT)
  t.equal(answer.status, 200)
  if (answer.status !== 200) return
  t.same(answer.checkpoint, { origin: ORIGIN, size: 3n, root: ROOT })
  t.equal(formatCosignatures(answer.note, [witness]), WITNESS_LINE)
})

t.test('200: only lines of trusted keys are kept', async (t) => {
  const answer = judge(ADD_CHECKPOINT.replace(LOG_LINE, `— ${WITNESS_NAME} 3xwKNQAAAAAAAAAA\n${LOG_LINE}`))
  t.equal(answer.status, 200)
  t.equal(answer.status === 200 ? answer.note : '', `${CHECKPOINT_TEXT}\n${LOG_LINE}`)
})

t.test('400: malformed requests', async (t) => {
  const wrong = {
    'nothing': '',
    'no old line': ADD_CHECKPOINT.replace('old 1\n', ''),
    'old in upper case': ADD_CHECKPOINT.replace('old 1', 'OLD 1'),
    'old with a leading zero': ADD_CHECKPOINT.replace('old 1', 'old 01'),
    'old with a sign': ADD_CHECKPOINT.replace('old 1', 'old +1'),
    'old over 2^63-1': ADD_CHECKPOINT.replace('old 1', 'old 9223372036854775808'),
    'two spaces': ADD_CHECKPOINT.replace('old 1', 'old  1'),
    'a carriage return': ADD_CHECKPOINT.replace('old 1\n', 'old 1\r\n'),
    'a short hash': ADD_CHECKPOINT.replace('tr/cvay5', ''),
    'a hash with stray bits': ADD_CHECKPOINT.replace('4BWY=\n', '4BWZ=\n'),
    'no empty line': ADD_CHECKPOINT.replace('HBHQ=\n\n', 'HBHQ=\n'),
    'no checkpoint': ADD_CHECKPOINT.slice(0, ADD_CHECKPOINT.indexOf('\n\n') + 2),
    'a checkpoint without signatures': ADD_CHECKPOINT.slice(0, ADD_CHECKPOINT.indexOf('—')),
    'a note that is no checkpoint': `old 1\n\n${signNote('hello\n', [log])}`,
    'a size with a leading zero': ADD_CHECKPOINT.replace('\n3\n', '\n03\n'),
    '64 hashes': ADD_CHECKPOINT.replace('tr/cvay5msVt/mVj4lcjZms78vXlWPcWWIvNt404BWY=\n',
      'tr/cvay5msVt/mVj4lcjZms78vXlWPcWWIvNt404BWY=\n'.repeat(63)),
    'over the size limit': `${ADD_CHECKPOINT}${'— a AAAAAAA=\n'.repeat(3000)}`,
    'old larger than the checkpoint': ADD_CHECKPOINT.replace('old 1', 'old 4'),
  }
  for (const [what, body] of Object.entries(wrong)) t.same(judge(body), { status: 400 }, what)
})

t.test('404: an origin that the witness does not know', async (t) => {
  t.same(judge(formatAddCheckpoint({ oldSize: 0n, proof: [], note: sign(3n, ROOT, 'other.example') })), { status: 404 })
})

t.test('403: no good signature by a key trusted for the origin', async (t) => {
  const stranger = ed25519Signer(ORIGIN, new Uint8Array(32).fill(9))
  t.same(judge(`old 1\n\n${signNote(CHECKPOINT_TEXT, [stranger])}`), { status: 403 }, 'a stranger')
  t.same(judge(ADD_CHECKPOINT.replace('7UBa6Rlo', '7UBa6Rlp')), { status: 403 }, 'a trusted key\'s signature fails')
  t.same(judge(ADD_CHECKPOINT.replace('\n3\n', '\n4\n')), { status: 403 }, 'another size under the signature')
  t.same(judge(`old 1\n\n${CHECKPOINT_TEXT}\n${WITNESS_LINE}`), { status: 403 }, 'only the witness itself')
})

t.test('409: old is not what the witness last cosigned', async (t) => {
  t.same(judge(ADD_CHECKPOINT, null), { status: 409, latestSize: 0n })
  t.same(judge(ADD_CHECKPOINT, { ...atOne, size: 2n }), { status: 409, latestSize: 2n })
  t.same(judge(ADD_CHECKPOINT.replace('old 1', 'old 0')), { status: 409, latestSize: 1n })
  const largest = { ...atOne, size: 2n ** 63n - 1n }
  t.same(judge(ADD_CHECKPOINT, largest), { status: 409, latestSize: 2n ** 63n - 1n })
})

t.test('422: the tree did not grow out of the one before', async (t) => {
  const first = 'tr/cvay5msVt/mVj4lcjZms78vXlWPcWWIvNt404BWY=\n'
  t.same(judge(ADD_CHECKPOINT.replace(first, '')), { status: 422 }, 'a hash missing')
  t.same(judge(ADD_CHECKPOINT.replace(first, first.repeat(2))), { status: 422 }, 'a hash doubled')
  t.same(judge(ADD_CHECKPOINT, { ...atOne, root: ROOT }), { status: 422 }, 'another tree before')
  t.same(judge(`old 0\n${first}\n${CHECKPOINT}`, null), { status: 422 }, 'a proof from nothing')
  t.same(judge(`old 3\n\n${CHECKPOINT}`, { origin: ORIGIN, size: 3n, root: leaf }), { status: 422 }, 'another root')
  t.same(judge(`old 3\n${first}\n${CHECKPOINT}`, { origin: ORIGIN, size: 3n, root: ROOT }), { status: 422 }, 'a proof for the same size')
  t.same(judge(formatAddCheckpoint({ oldSize: 0n, proof: [], note: sign(0n, ROOT) }), null), { status: 422 }, 'an empty tree with a root')
})

t.test('200: first, same and empty checkpoints', async (t) => {
  t.equal(judge(`old 0\n\n${CHECKPOINT}`, null).status, 200, 'from nothing')
  t.equal(judge(`old 3\n\n${CHECKPOINT}`, { origin: ORIGIN, size: 3n, root: ROOT }).status, 200, 'the same again')
  t.equal(judge(formatAddCheckpoint({ oldSize: 0n, proof: [], note: sign(0n, EMPTY_ROOT) }), null).status, 200, 'an empty tree')
})

t.test('a log that grows at random is cosigned all the way, and no fork of it ever', async (t) => {
  const anyBatches = fc.array(fc.integer({ min: 1, max: 600 }), { minLength: 1, maxLength: 6 })
  await fc.assert(fc.asyncProperty(anyBatches, async (batches) => {
    const written = new WrittenLog()
    let latest: Checkpoint | null = null
    for (const count of batches) {
      const start = Number(written.edge.edge.size)
      written.append(Array.from({ length: count }, (_, at) => listedEntry(start + at)))
      const oldSize: bigint = latest?.size ?? 0n
      const size = written.edge.edge.size
      const nodes = consistencyNodes(oldSize, size)
      const nodeHash = await readNodes(written.read, { nodes, size })
      const proof = buildConsistencyProof({ oldSize, size }, nodeHash)
      const body = formatAddCheckpoint({ oldSize, proof, note: written.checkpoint })
      const answer = judge(body, latest)
      if (answer.status !== 200) throw new Error(`answered ${answer.status}`)
      const fork = formatAddCheckpoint({ oldSize, proof, note: sign(size, rootOfLeaves(LEAVES)) })
      if (oldSize > 0n) t.same(judge(fork, latest), { status: 422 })
      latest = answer.checkpoint
    }
  }), { numRuns: 15 })
})

t.test('a client keeps what the witness\'s key has made, once', async (t) => {
  const note = `${CHECKPOINT_TEXT}\n${LOG_LINE}`
  t.equal(addCosignatures(note, WITNESS_LINE, [witness.key]), CHECKPOINT)
  t.equal(addCosignatures(CHECKPOINT, WITNESS_LINE, [witness.key]), CHECKPOINT, 'not twice')
  t.equal(addCosignatures(note, `— other.example AAAAAAAA\n${WITNESS_LINE}`, [witness.key]), CHECKPOINT)
  t.throws(() => addCosignatures(note, '— other.example AAAAAAAA\n', [witness.key]), { code: 'unknown-signer' })
  t.throws(() => addCosignatures(note, WITNESS_LINE.replace('QAAAABrA', 'QAAAABrB'), [witness.key]), { code: 'bad-signature' })
  t.throws(() => addCosignatures(note, 'hello', [witness.key]), { code: 'malformed-note' })
  t.throws(() => addCosignatures(note, `\n${WITNESS_LINE}`, [witness.key]), { code: 'malformed-note' })
  const policy = parsePolicy(encodeUtf8(`log ${LOG_VKEY}\nwitness w1 ${WITNESS_VKEY}\nquorum w1\n`))
  t.notOk(isWitnessed(note, policy))
  t.ok(isWitnessed(CHECKPOINT, policy))
  t.equal(verifyNote(CHECKPOINT, [log.key, witness.key]).signatures.length, 2)
  t.equal(parseNote(CHECKPOINT).text, CHECKPOINT_TEXT)
  t.same(hashLeaf(ENTRIES[0] ?? ROOT), leaf)
})
