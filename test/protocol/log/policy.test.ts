// Goal: a checkpoint is believed exactly when a log of the policy signed it and its quorum saw it.
// Method: policies as files, one damage for each rule; all subsets of witnesses against a quorum of
// groups; checkpoints of the worked example and their damages.
import t from 'tap'
import { encodeUtf8 } from '../../../protocol/bytes.js'
import {
  cosignCheckpoint, formatCheckpoint, parseCheckpoint, signCheckpoint,
} from '../../../protocol/log/checkpoint.js'
import { EMPTY_ROOT } from '../../../protocol/log/merkle.js'
import { cosigner, ed25519Signer, formatVkey, signNote } from '../../../protocol/log/note.js'
import {
  countForQuorum, formatPolicy, formatWitnesses, isQuorum, parsePolicy, parseWitnesses, policyOfLog,
  verifyCheckpoint,
} from '../../../protocol/log/policy.js'
import { ready } from '../../../protocol/sodium.js'
import {
  CHECKPOINT, CHECKPOINT_TEXT, COSIGNED_AT_SECONDS, LOG_LINE, LOG_SEED, LOG_VKEY, ORIGIN, ROOT,
  SIGNER_VKEY, WITNESS_LINE, WITNESS_NAME, WITNESS_SEED, WITNESS_VKEY,
} from './worked-example.js'

await ready()

const log = ed25519Signer(ORIGIN, LOG_SEED)
const witness = cosigner(WITNESS_NAME, WITNESS_SEED, () => COSIGNED_AT_SECONDS)

function policyOf(...lines: string[]) {
  return parsePolicy(encodeUtf8(lines.map((line) => `${line}\n`).join('')))
}

const WITNESSED = [`log ${LOG_VKEY}`, `witness w1 ${WITNESS_VKEY}`, 'quorum w1']

t.test('checkpoints of the worked example', async (t) => {
  const checkpoint = { origin: ORIGIN, size: 3n, root: ROOT }
  t.equal(formatCheckpoint(checkpoint), CHECKPOINT_TEXT)
  t.same(parseCheckpoint(CHECKPOINT_TEXT), checkpoint)
  t.equal(signCheckpoint(checkpoint, [log]), `${CHECKPOINT_TEXT}\n${LOG_LINE}`)
  t.equal(signCheckpoint(checkpoint, [log]), signCheckpoint(checkpoint, [log]), 'signing twice is signing once')
  t.equal(cosignCheckpoint(`${CHECKPOINT_TEXT}\n${LOG_LINE}`, witness), WITNESS_LINE)
})

t.test('malformed checkpoints are refused', async (t) => {
  const root = 'gxOel3EF28i5uTLEk3Wr4AvVkugJzuikBn9FcoIN644='
  const wrong = {
    'leading zero': `o\n03\n${root}\n`,
    'plus sign': `o\n+3\n${root}\n`,
    'minus zero': `o\n-0\n${root}\n`,
    'a space': `o\n3 \n${root}\n`,
    'hexadecimal': `o\n0x3\n${root}\n`,
    'over 2^63-1': `o\n9223372036854775808\n${root}\n`,
    'twenty digits': `o\n10000000000000000000\n${root}\n`,
    'no size': `o\n\n${root}\n`,
    'no origin': `\n3\n${root}\n`,
    'no root': 'o\n3\n',
    'two lines': 'o\n3\n\n',
    'short root': 'o\n3\ngxOel3EF28i5uTLEk3Wr4AvVkugJzuikBn9FcoIN6w==\n',
    'root with stray bits': `o\n3\n${root.replace('644=', '645=')}\n`,
    'root without padding': `o\n3\n${root.slice(0, -1)}\n`,
    'no last newline': `o\n3\n${root}`,
    'empty extension': `o\n3\n${root}\n\n`,
  }
  for (const [what, text] of Object.entries(wrong)) {
    t.throws(() => parseCheckpoint(text), { code: 'malformed-checkpoint' }, what)
  }
  t.equal(parseCheckpoint(`o\n9223372036854775807\n${root}\n`).size, 2n ** 63n - 1n)
  t.equal(parseCheckpoint(`o\n9007199254740993\n${root}\n`).size, 9007199254740993n)
  t.equal(parseCheckpoint(`o\n0\n${root}\n`).size, 0n)
  const extended = parseCheckpoint(`o\n3\n${root}\nmore\nlines\n`)
  t.same(extended.extensions, ['more', 'lines'])
  t.equal(formatCheckpoint(extended), `o\n3\n${root}\nmore\nlines\n`)
  t.throws(() => formatCheckpoint({ origin: 'a\nb', size: 3n, root: ROOT }), { code: 'malformed-checkpoint' })
  t.throws(() => formatCheckpoint({ origin: 'a\tb', size: 3n, root: ROOT }), { code: 'malformed-note' })
  t.throws(() => cosignCheckpoint(signNote('not a checkpoint\n', [log]), witness), { code: 'malformed-checkpoint' })
})

t.test('a policy of one log', async (t) => {
  const trusted = verifyCheckpoint(CHECKPOINT, policyOfLog(LOG_VKEY))
  t.equal(trusted.checkpoint.size, 3n)
  t.same(trusted.cosignatures, [])
  t.throws(() => policyOfLog(WITNESS_VKEY), { code: 'malformed-key' })
  t.throws(() => verifyCheckpoint(CHECKPOINT, policyOfLog(SIGNER_VKEY)), { code: 'wrong-origin' })
})

t.test('a policy that wants a witness', async (t) => {
  const policy = policyOf(...WITNESSED)
  t.same(verifyCheckpoint(CHECKPOINT, policy).cosignatures,
    [{ witness: 'w1', timeSeconds: BigInt(COSIGNED_AT_SECONDS) }])
  t.throws(() => verifyCheckpoint(`${CHECKPOINT_TEXT}\n${LOG_LINE}`, policy), { code: 'quorum-missing' })
  t.throws(() => verifyCheckpoint(`${CHECKPOINT_TEXT}\n${WITNESS_LINE}`, policy), { code: 'unknown-signer' })
  t.throws(() => verifyCheckpoint(CHECKPOINT.replace('\n3\n', '\n2\n'), policy), { code: 'bad-signature' })
})

t.test('a key that signs for another origin is not believed', async (t) => {
  const other = ed25519Signer('other.example', new Uint8Array(32).fill(9))
  const policy = policyOf(`log ${LOG_VKEY}`, `log ${formatVkey(other.key)}`, 'quorum none')
  t.throws(() => verifyCheckpoint(signNote(CHECKPOINT_TEXT, [other]), policy), { code: 'unknown-signer' })
  t.equal(verifyCheckpoint(signNote(CHECKPOINT_TEXT, [other, log]), policy).logKey.name, ORIGIN)
})

t.test('two keys of one log are both believed, for rotation', async (t) => {
  const fresh = ed25519Signer(ORIGIN, new Uint8Array(32).fill(0x0a))
  const policy = policyOf(`log ${LOG_VKEY}`, `log ${formatVkey(fresh.key)}`, 'quorum none')
  t.same(verifyCheckpoint(signNote(CHECKPOINT_TEXT, [fresh]), policy).logKey, fresh.key)
  t.same(verifyCheckpoint(signNote(CHECKPOINT_TEXT, [log, fresh]), policy).logKey, log.key)
})

t.test('an empty tree has the empty root or is not believed', async (t) => {
  const policy = policyOfLog(LOG_VKEY)
  const empty = signCheckpoint({ origin: ORIGIN, size: 0n, root: EMPTY_ROOT }, [log])
  t.equal(verifyCheckpoint(empty, policy).checkpoint.size, 0n)
  const wrong = signCheckpoint({ origin: ORIGIN, size: 0n, root: ROOT }, [log])
  t.throws(() => verifyCheckpoint(wrong, policy), { code: 'bad-proof' })
})

const witnesses = Array.from({ length: 6 }, (_, at) =>
  formatVkey(cosigner(`witness.example/${at}`, new Uint8Array(32).fill(0x40 + at), () => 1).key))

const GROUPED = [
  '# two organisations', `log ${LOG_VKEY} https://log.example/`, '',
  `witness X1 ${witnesses[0]}`, `witness X2 ${witnesses[1]}`, `witness X3 ${witnesses[2]}`,
  'group X 2 X1 X2 X3',
  `witness Y1 ${witnesses[3]} https://y1.example/`, `\twitness  Y2\t${witnesses[4]} `, `witness Y3 ${witnesses[5]}`,
  'group Y any Y1 Y2 Y3', 'group X-and-Y all X Y', 'quorum X-and-Y',
]

t.test('quorums of groups, for all 64 sets of witnesses', async (t) => {
  const policy = policyOf(...GROUPED)
  const names = ['X1', 'X2', 'X3', 'Y1', 'Y2', 'Y3']
  for (let set = 0; set < 64; set++) {
    const held = names.filter((_, at) => (set >> at) & 1)
    const xCount = held.filter((name) => name.startsWith('X')).length
    const expected = xCount >= 2 && held.length > xCount
    t.equal(isQuorum(policy, new Set(held)), expected, held.join(' '))
  }
  t.notOk(isQuorum(policy, new Set(['X', 'Y', 'X-and-Y'])), 'a group cannot be claimed')
  t.ok(isQuorum(policyOfLog(LOG_VKEY), new Set()))
})

t.test('a policy is written as it is read', async (t) => {
  const policy = policyOf(...GROUPED)
  t.same(parsePolicy(encodeUtf8(formatPolicy(policy))), policy)
  t.equal(formatPolicy(policyOfLog(LOG_VKEY)), `log ${LOG_VKEY}\nquorum none\n`)
  t.equal(policy.witnesses[3]?.url, 'https://y1.example/')
})

t.test('malformed policies are refused', async (t) => {
  const w1 = `witness w1 ${WITNESS_VKEY}`
  const w2 = `witness w2 ${witnesses[0]}`
  const renamed = formatVkey(cosigner('another.example', WITNESS_SEED, () => 1).key)
  const wrong: Record<string, string[]> = {
    'no quorum': [`log ${LOG_VKEY}`],
    'two quorums': ['quorum none', 'quorum none'],
    'a quorum not defined': ['quorum w1'],
    'a quorum before its witness': ['quorum w1', w1],
    'a quorum with more words': ['quorum none none'],
    'an unknown keyword': ['mirror x', 'quorum none'],
    'an upper-case keyword': ['Quorum none'],
    'a log without key': ['log', 'quorum none'],
    'a log with a cosignature key': [`log ${WITNESS_VKEY}`, 'quorum none'],
    'a witness with a log key': [`witness w1 ${LOG_VKEY}`, 'quorum none'],
    'a witness without key': ['witness w1', 'quorum none'],
    'a damaged key': [`log ${LOG_VKEY.slice(0, -1)}`, 'quorum none'],
    'a log twice': [`log ${LOG_VKEY}`, `log ${LOG_VKEY}`, 'quorum none'],
    'one key under two names': [w1, `witness w2 ${renamed}`, 'quorum none'],
    'a name twice': [w1, `witness w1 ${witnesses[0]}`, 'quorum none'],
    'a group named like a witness': [w1, 'group w1 any w1', 'quorum none'],
    'a witness called none': [`witness none ${WITNESS_VKEY}`, 'quorum none'],
    'a group called none': [w1, 'group none any w1', 'quorum none'],
    'a group of nobody': [w1, 'group g any', 'quorum none'],
    'a group of itself': [w1, 'group g any g', 'quorum none'],
    'a member not defined': [w1, 'group g any w2', w2, 'quorum none'],
    'a member twice': [w1, 'group g 2 w1 w1', 'quorum g'],
    'a member of two groups': [w1, 'group g any w1', 'group h any w1', 'quorum none'],
    'a threshold of zero': [w1, 'group g 0 w1', 'quorum none'],
    'a threshold too high': [w1, 'group g 2 w1', 'quorum none'],
    'a threshold with a leading zero': [w1, 'group g 01 w1', 'quorum none'],
    'a threshold in words': [w1, 'group g one w1', 'quorum none'],
    'a control character': ['# \u0007', 'quorum none'],
    'a carriage return': ['quorum none\r'],
    'a no-break space between words': ['quorum\u00a0none'],
    'too many lines': [...Array.from({ length: 500 }, () => '#'), 'quorum none'],
  }
  for (const [what, lines] of Object.entries(wrong)) {
    t.throws(() => policyOf(...lines), { code: 'malformed-policy-file' }, what)
  }
  t.throws(() => parsePolicy(encodeUtf8('quorum none')), { code: 'malformed-policy-file' })
  t.throws(() => parsePolicy(new Uint8Array(65_537).fill(0x0a)), { code: 'malformed-policy-file' })
  t.throws(() => parsePolicy(Uint8Array.of(0x23, 0xff, 0x0a)), { code: 'malformed-text' })
})

t.test('witnesses without their log and addresses are one text, and read back for one log', async (t) => {
  const keys = ['a', 'b', 'c', 'd'].map((name, at) => cosigner(name, new Uint8Array(32).fill(at + 1), () => 1).key)
  const lines = keys.map((key) => `witness ${key.name} ${formatVkey(key)}`)
  const groups = ['group pair all a b', 'group rest any c d', 'group two 2 pair rest', 'quorum two']
  const policy = policyOf(`log ${LOG_VKEY}`, ...lines.map((line) => `${line} https://w.example/x`), ...groups)
  const text = formatWitnesses(policy)
  t.equal(text, `${lines.join('\n')}\ngroup pair 2 a b\ngroup rest 1 c d\ngroup two 2 pair rest\nquorum two\n`)
  const read = parseWitnesses(text, LOG_VKEY)
  t.equal(formatWitnesses(read), text)
  t.same(read.logs, policyOfLog(LOG_VKEY).logs)
  t.equal(countForQuorum(read), 3, 'both of the pair, and one of the rest')
  t.equal(countForQuorum(policyOf(...lines, 'group g 2 a b c', 'quorum g')), 2)
  t.equal(countForQuorum(policyOf(...WITNESSED)), 1)
  t.equal(countForQuorum(policyOfLog(LOG_VKEY)), 0)
  const refused = {
    'a log': `log ${LOG_VKEY}\n${text}`,
    'an address': text.replace('\nwitness b', ' https://w.example\nwitness b'),
    'a rule in words': text.replace('pair 2', 'pair all'),
    'two spaces': text.replace('witness a', 'witness  a'),
    'a remark': `# ours\n${text}`,
    'a quorum of none': text.replace('quorum two', 'quorum none'),
    'no quorum': text.replace('quorum two\n', ''),
  }
  for (const [what, fault] of Object.entries(refused)) {
    t.throws(() => parseWitnesses(fault, LOG_VKEY), { code: 'malformed-policy-file' }, what)
  }
})
