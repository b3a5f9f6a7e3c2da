// Goal: roots and proofs are those of RFC 6962, and no damaged proof is accepted.
// Method: listed roots; every pair of sizes up to 70 against the recursive definition; damage of
// each hash, index and size; random trees by property.
import fc from 'fast-check'
import t from 'tap'
import { ProtocolError } from '../../../protocol/errors.js'
import { sha256 } from '../../../protocol/hash.js'
import {
  appendLeaves, buildConsistencyProof, buildInclusionProof, consistencyNodes, decodeEdge,
  EMPTY_EDGE, EMPTY_ROOT, edgeNodes, edgeRoot, encodeEdge, hashLeaf, hashNode, inclusionNodes,
  planInclusionProofs, rootOfLeaves, traceInclusion, verifyConsistency, verifyInclusion,
  type NodeHash,
} from '../../../protocol/log/merkle.js'
import { encodeBase64, encodeHex } from '../../../protocol/bytes.js'
import { ENTRIES, LEAVES, LISTED_ROOTS, listedEntry, NODE_0_1, ROOT } from './worked-example.js'

const MAX_SIZE = 70
const leaves = Array.from({ length: MAX_SIZE }, (_, index) => hashLeaf(listedEntry(index)))

function nodeHashIn(all: readonly Uint8Array[]): NodeHash {
  return ({ level, index }) => {
    const start = Number(index) * 2 ** level
    return rootOfLeaves(all.slice(start, start + 2 ** level))
  }
}

const nodeHash = nodeHashIn(leaves)
const roots = Array.from({ length: MAX_SIZE + 1 }, (_, size) => rootOfLeaves(leaves.slice(0, size)))

function flip(bytes: Uint8Array, bit: number): Uint8Array {
  return bytes.map((byte, at) => at === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte)
}

function refuses(run: () => void): boolean {
  try {
    run()
    return false
  } catch (error) {
    if (error instanceof ProtocolError && error.code === 'bad-proof') return true
    throw error
  }
}

t.test('leaves, nodes and root of the worked example', async (t) => {
  t.same(ENTRIES.map((entry) => encodeHex(hashLeaf(entry))), LEAVES.map(encodeHex))
  const [first, second, third] = LEAVES
  if (first === undefined || second === undefined || third === undefined) throw new Error('three leaves')
  t.same(hashNode(first, second), NODE_0_1)
  t.same(hashNode(NODE_0_1, third), ROOT)
  t.same(rootOfLeaves(LEAVES), ROOT)
})

t.test('the empty tree has the hash of nothing as its root', async (t) => {
  t.equal(encodeBase64(EMPTY_ROOT), '47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=')
  t.same(edgeRoot(EMPTY_EDGE), EMPTY_ROOT)
  t.same(rootOfLeaves([]), EMPTY_ROOT)
})

t.test('listed roots, from the edge and from the definition', async (t) => {
  const all = Array.from({ length: 70_000 }, (_, index) => hashLeaf(listedEntry(index)))
  for (const [size, root] of LISTED_ROOTS) {
    t.same(edgeRoot(appendLeaves(EMPTY_EDGE, all.slice(0, size))), root, `edge of ${size}`)
    t.same(rootOfLeaves(all.slice(0, size)), root, `definition of ${size}`)
  }
})

t.test('appending in any batches gives the same edge, and it survives its encoding', async (t) => {
  fc.assert(fc.property(fc.array(fc.nat(40), { maxLength: 8 }), (batches) => {
    let edge = EMPTY_EDGE
    let size = 0
    for (const batch of batches) {
      const more = Array.from({ length: batch }, (_, at) => hashLeaf(listedEntry(size + at)))
      edge = appendLeaves(edge, more)
      size += batch
    }
    const all = Array.from({ length: size }, (_, at) => hashLeaf(listedEntry(at)))
    t.same(edgeRoot(edge), rootOfLeaves(all))
    t.same(decodeEdge(edge.size, encodeEdge(edge)), edge)
  }), { numRuns: 60 })
})

t.test('an edge of another size is refused', async (t) => {
  const bytes = encodeEdge(appendLeaves(EMPTY_EDGE, leaves.slice(0, 7)))
  t.throws(() => decodeEdge(8n, bytes), { code: 'malformed-tile' })
  t.throws(() => decodeEdge(7n, bytes.subarray(1)), { code: 'malformed-tile' })
})

t.test('the edge of a tree is the nodes it names', async (t) => {
  for (let size = 0; size <= MAX_SIZE; size++) {
    const { hashes } = appendLeaves(EMPTY_EDGE, leaves.slice(0, size))
    t.same(edgeNodes(BigInt(size)).map(nodeHash), hashes)
  }
})

t.test('every inclusion proof up to size 70 verifies, and every damage to it is refused', async (t) => {
  let accepted = 0
  let damaged = 0
  for (let size = 1; size <= MAX_SIZE; size++) {
    for (let index = 0; index < size; index++) {
      const place = { index: BigInt(index), size: BigInt(size) }
      const proof = buildInclusionProof(place, nodeHash)
      const leaf = leaves[index] ?? EMPTY_ROOT
      const root = roots[size] ?? EMPTY_ROOT
      const claim = { ...place, leaf, root, proof }
      verifyInclusion(claim)
      accepted++
      const wrong = [
        { ...claim, leaf: flip(leaf, index) },
        { ...claim, root: flip(root, index) },
        { ...claim, proof: [...proof, EMPTY_ROOT] },
        { ...claim, index: BigInt(size) },
        { ...claim, index: -1n },
        { ...claim, index: BigInt((index + 1) % size), leaf: size === 1 ? flip(leaf, 0) : leaf },
        ...proof.map((hash, at) => ({ ...claim, proof: proof.with(at, flip(hash, at)) })),
        ...proof.map((_, at) => ({ ...claim, proof: proof.toSpliced(at, 1) })),
      ]
      const passed = wrong.filter((bad) => !refuses(() => verifyInclusion(bad)))
      if (passed.length > 0) t.fail(`damage accepted at ${index} of ${size}`)
      damaged += wrong.length
    }
  }
  t.equal(accepted, MAX_SIZE * (MAX_SIZE + 1) / 2)
  t.ok(damaged > 30_000, `${damaged} damaged proofs were refused`)
})

t.test('the paths of many leaves are those of each, from nodes that were announced', async (t) => {
  for (let size = 1; size <= MAX_SIZE; size++) {
    const indexes = Array.from({ length: size }, (_, index) => BigInt(index))
    const plan = planInclusionProofs(indexes, BigInt(size))
    const announced = new Set(plan.nodes.map(({ level, index }) => `${level}/${index}`))
    const paths = plan.build((node) => {
      if (!announced.has(`${node.level}/${node.index}`)) t.fail(`${node.level}/${node.index} of ${size} was not announced`)
      return nodeHash(node)
    })
    const each = indexes.map(
      (index) => buildInclusionProof({ index, size: BigInt(size) }, nodeHash))
    if (JSON.stringify(paths) !== JSON.stringify(each)) t.fail(`other paths in a tree of ${size}`)
  }
  t.throws(() => planInclusionProofs([0n, 2n], 2n), 'and there is none outside the tree')
})

t.test('every consistency proof up to size 70 verifies, and every damage to it is refused', async (t) => {
  let accepted = 0
  let damaged = 0
  for (let size = 0; size <= MAX_SIZE; size++) {
    for (let oldSize = 0; oldSize <= size; oldSize++) {
      const sizes = { oldSize: BigInt(oldSize), size: BigInt(size) }
      const proof = buildConsistencyProof(sizes, nodeHash)
      const oldRoot = roots[oldSize] ?? EMPTY_ROOT
      const root = roots[size] ?? EMPTY_ROOT
      const claim = { ...sizes, oldRoot, root, proof }
      verifyConsistency(claim)
      accepted++
      const wrong = [
        { ...claim, oldRoot: flip(oldRoot, size) },
        // From the empty tree everything follows, so its new root is not checked by this proof.
        ...(oldSize === 0 && size > 0 ? [] : [{ ...claim, root: flip(root, size) }]),
        { ...claim, proof: [...proof, EMPTY_ROOT] },
        { ...claim, oldSize: BigInt(size + 1) },
        { ...claim, oldSize: -1n },
        ...proof.map((hash, at) => ({ ...claim, proof: proof.with(at, flip(hash, at)) })),
        ...proof.map((_, at) => ({ ...claim, proof: proof.toSpliced(at, 1) })),
      ]
      const passed = wrong.filter((bad) => !refuses(() => verifyConsistency(bad)))
      if (passed.length > 0) t.fail(`damage accepted from ${oldSize} to ${size}`)
      damaged += wrong.length
    }
  }
  t.equal(accepted, (MAX_SIZE + 1) * (MAX_SIZE + 2) / 2)
  t.ok(damaged > 20_000, `${damaged} damaged proofs were refused`)
})

// A tree of equal leaves has one hash a level, so it can be as large as the format allows.
const levelHashes = [EMPTY_ROOT]
for (let level = 0; level < 63; level++) {
  const below = levelHashes[level] ?? EMPTY_ROOT
  levelHashes.push(hashNode(below, below))
}
const uniform: NodeHash = ({ level }) => levelHashes[level] ?? EMPTY_ROOT

function uniformRoot(size: bigint): Uint8Array {
  return edgeNodes(size).map(uniform).reduceRight((right, left) => hashNode(left, right))
}

t.test('proofs hold in trees beyond 2^53, up to 2^63-1', async (t) => {
  const largest = 2n ** 63n - 1n
  const leaf = EMPTY_ROOT
  fc.assert(fc.property(fc.bigInt(1n, largest), fc.bigInt(0n, largest), (size, anyIndex) => {
    const index = anyIndex % size
    const proof = buildInclusionProof({ index, size }, uniform)
    verifyInclusion({ leaf, index, size, root: uniformRoot(size), proof })
    t.same(planInclusionProofs([index], size).build(uniform), [proof])
    const oldSize = index + 1n
    const claim = { oldSize, oldRoot: uniformRoot(oldSize), size, root: uniformRoot(size) }
    const consistency = buildConsistencyProof({ oldSize, size }, uniform)
    verifyConsistency({ ...claim, proof: consistency })
    t.notOk(refuses(() => verifyConsistency({ ...claim, proof: consistency })))
  }), {
    examples: [
      [largest, largest - 1n],
      // A consistency proof of 64 hashes.
      [8070450532247928826n, 8646911284551352304n],
      [2n ** 53n + 1n, 2n ** 53n],
      [2n ** 32n, 2n ** 31n],
    ],
  })
  t.throws(() => verifyInclusion({
    leaf, index: 0n, size: largest + 1n, root: EMPTY_ROOT, proof: [],
  }), { code: 'bad-proof' })
})

t.test('the nodes named for a proof are those that it asks for', async (t) => {
  const places = [[0n, 1n], [3n, 7n], [69n, 70n], [2n ** 53n, 2n ** 60n + 5n]] as const
  for (const [index, size] of places) {
    const asked: string[] = []
    buildInclusionProof({ index, size }, (node) => {
      asked.push(`${node.level} ${node.index}`)
      return uniform(node)
    })
    t.same(asked, inclusionNodes(index, size).map((node) => `${node.level} ${node.index}`))
    const askedAgain: string[] = []
    buildConsistencyProof({ oldSize: index + 1n, size }, (node) => {
      askedAgain.push(`${node.level} ${node.index}`)
      return uniform(node)
    })
    t.same(askedAgain, consistencyNodes(index + 1n, size).map((node) => `${node.level} ${node.index}`))
  }
})

t.test('hashes that are not 32 bytes are refused', async (t) => {
  const [leaf = EMPTY_ROOT, sibling = EMPTY_ROOT] = leaves
  const root = roots[2] ?? EMPTY_ROOT
  const claim = { leaf, index: 0n, size: 2n, root, proof: [sibling] }
  t.doesNotThrow(() => verifyInclusion(claim))
  t.throws(() => verifyInclusion({ ...claim, proof: [sibling.subarray(1)] }), { code: 'bad-proof' })
  t.throws(() => verifyInclusion({ ...claim, leaf: leaf.subarray(1) }), { code: 'bad-proof' })
  t.throws(() => verifyConsistency({
    oldSize: 1n, oldRoot: leaf.subarray(1), size: 2n, root, proof: [sibling],
  }), { code: 'bad-proof' })
})

t.test('a leaf is no node and a node is no leaf', async (t) => {
  const [left = EMPTY_ROOT, right = EMPTY_ROOT] = leaves
  const pair = new Uint8Array([...left, ...right])
  t.notSame(hashLeaf(pair), hashNode(left, right))
  t.notSame(hashLeaf(pair), sha256(pair))
})

t.test('the way to the root is told as it is: each neighbour with its leaves, each node on the way', async (t) => {
  for (const size of [1, 2, 3, 7, 8, 13, 64, 67]) {
    for (let index = 0; index < size; index++) {
      const place = { index: BigInt(index), size: BigInt(size) }
      const leaf = leaves[index] ?? sha256(new Uint8Array())
      const proof = buildInclusionProof(place, nodeHashIn(leaves.slice(0, size)))
      const steps = traceInclusion({ leaf, ...place, proof })
      const neighbours = steps.map(
        ({ start, end }) => rootOfLeaves(leaves.slice(Number(start), Number(end))))
      t.same(neighbours, proof, `${index} of ${size}`)
      t.same(steps.at(-1)?.node ?? leaf, roots[size])
      t.ok(steps.every(({ side, start, end }) => side === 'right' ? start > place.index : end <= place.index))
    }
  }
})
