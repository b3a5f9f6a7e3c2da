/**
 * The Merkle tree over the log's entries, and proofs in it (SPEC.md § 7, source: RFC 6962 section 2).
 * Pure; must not know what an entry is or where hashes are stored: they are asked for by `TreeNode`.
 *
 *   leaf = H(00 ‖ entry)    node = H(01 ‖ left ‖ right)    root of no entries = H("")
 *
 * Sizes and indexes are bigint: a tree may outgrow 2^53, and `>>` on numbers is 32-bit.
 *
 * [Note: Edge] A tree of n leaves is a row of full subtrees, one for each 1-bit of n, largest first.
 * Their roots are all that appending needs: at most 63 hashes, whatever the tree's size.
 */
import { concatBytes, equalBytes } from '../bytes.js'
import { assert, ProtocolError } from '../errors.js'
import { HASH_SIZE_BYTES, sha256, type Hash } from '../hash.js'
import { MAX_ENTRY_SIZE_BYTES, MAX_PROOF_HASH_COUNT, MAX_TREE_SIZE } from '../limits.js'

/** The root of the 2^level leaves that start at leaf `index · 2^level`. Level 0 is the leaf hash. */
export interface TreeNode {
  readonly level: number
  readonly index: bigint
}

/** See [Note: Edge]. `hashes` are the roots of the full subtrees, largest first. */
export interface Edge {
  readonly size: bigint
  readonly hashes: readonly Uint8Array[]
}

/** Answers the hash of a full subtree of the tree that a proof is built in. */
export type NodeHash = (node: TreeNode) => Uint8Array

export const EMPTY_ROOT = sha256(new Uint8Array(0))
export const EMPTY_EDGE: Edge = { size: 0n, hashes: [] }

// Inputs are laid out here, so that hashing a tree allocates digests only.
const leafInput = new Uint8Array(1 + MAX_ENTRY_SIZE_BYTES)
const nodeInput = new Uint8Array(1 + 2 * HASH_SIZE_BYTES)
nodeInput[0] = 1

/** `H(00 ‖ entry)`; an entry is at most 65,535 bytes. */
export function hashLeaf(entry: Uint8Array, hash: Hash = sha256): Uint8Array {
  assert(entry.length <= MAX_ENTRY_SIZE_BYTES, 'an entry fits its length field')
  leafInput.set(entry, 1)
  return hash(leafInput.subarray(0, 1 + entry.length))
}

/** `H(01 ‖ left ‖ right)`. */
export function hashNode(left: Uint8Array, right: Uint8Array, hash: Hash = sha256): Uint8Array {
  nodeInput.set(left, 1)
  nodeInput.set(right, 1 + HASH_SIZE_BYTES)
  return hash(nodeInput)
}

// ---- Appending ----

/** The edge after more leaves. `leaves` are leaf hashes, in order. */
export function appendLeaves(edge: Edge, leaves: readonly Uint8Array[], hash: Hash = sha256): Edge {
  const levels = edgeLevels(edge.size)
  const hashes = [...edge.hashes]
  for (const leaf of leaves) {
    levels.push(0)
    hashes.push(leaf)
    mergeEqualLevels(levels, hashes, hash)
  }
  return { size: edge.size + BigInt(leaves.length), hashes }
}

function mergeEqualLevels(levels: number[], hashes: Uint8Array[], hash: Hash): void {
  while (levels.length > 1 && levels.at(-1) === levels.at(-2)) {
    const level = levels.pop() ?? 0
    const right = hashes.pop()
    const left = hashes.pop()
    assert(left !== undefined && right !== undefined, 'each level has its hash')
    levels[levels.length - 1] = level + 1
    hashes.push(hashNode(left, right, hash))
  }
}

/** The levels of the full subtrees, largest first: the 1-bits of the size. */
function edgeLevels(size: bigint): number[] {
  const levels: number[] = []
  for (let level = bitLength(size) - 1; level >= 0; level--) {
    if ((size >> BigInt(level)) & 1n) levels.push(level)
  }
  return levels
}

function bitLength(size: bigint): number {
  return size === 0n ? 0 : size.toString(2).length
}

export function edgeRoot(edge: Edge): Uint8Array {
  return edge.hashes.length === 0 ? EMPTY_ROOT : foldFromRight(edge.hashes)
}

function foldFromRight(hashes: readonly Uint8Array[], hash: Hash = sha256): Uint8Array {
  return hashes.reduceRight((right, left) => hashNode(left, right, hash))
}

/** The hashes one after another; the size tells how many there are. */
export function encodeEdge(edge: Edge): Uint8Array {
  return concatBytes(...edge.hashes)
}

/** @throws ProtocolError `malformed-tile` if the bytes are not one hash for each 1-bit of `size`. */
export function decodeEdge(size: bigint, bytes: Uint8Array): Edge {
  const count = edgeLevels(size).length
  if (bytes.length !== count * HASH_SIZE_BYTES) {
    throw new ProtocolError('malformed-tile', 'edge of another size')
  }
  return { size, hashes: splitHashes(bytes) }
}

/** 32-byte pieces of bytes whose length is a multiple of 32. */
export function splitHashes(bytes: Uint8Array): Uint8Array[] {
  return Array.from({ length: bytes.length / HASH_SIZE_BYTES }, (_, index) =>
    bytes.slice(index * HASH_SIZE_BYTES, (index + 1) * HASH_SIZE_BYTES))
}

/** The root over leaf hashes, straight from the definition: the check on every other way here. */
export function rootOfLeaves(leaves: readonly Uint8Array[]): Uint8Array {
  const [first] = leaves
  if (first === undefined) return EMPTY_ROOT
  if (leaves.length === 1) return first
  const split = 2 ** (bitLength(BigInt(leaves.length - 1)) - 1)
  return hashNode(rootOfLeaves(leaves.slice(0, split)), rootOfLeaves(leaves.slice(split)))
}

/** The root of 2^k hashes of one level. */
export function rootOfFullSubtree(hashes: readonly Uint8Array[], hash: Hash = sha256): Uint8Array {
  let row = hashes
  while (row.length > 1) row = pairUp(row, hash)
  const [root] = row
  assert(root !== undefined, 'a full subtree has hashes')
  return root
}

function pairUp(row: readonly Uint8Array[], hash: Hash): Uint8Array[] {
  const above: Uint8Array[] = []
  for (let index = 0; index + 1 < row.length; index += 2) {
    const left = row[index]
    const right = row[index + 1]
    assert(left !== undefined && right !== undefined, 'the index is inside the row')
    above.push(hashNode(left, right, hash))
  }
  return above
}

// ---- Which hashes a proof consists of ----

/** Leaves `start` to `end` (excluded): a proof is a list of the roots of such ranges. */
interface LeafRange {
  readonly start: bigint
  readonly end: bigint
}

/** RFC 6962 section 2.1.1, leaf side first. */
function inclusionRanges(index: bigint, size: bigint): LeafRange[] {
  const ranges: LeafRange[] = []
  let range = { start: 0n, end: size }
  while (range.end - range.start > 1n) {
    const middle = splitPoint(range)
    const goLeft = index < middle
    ranges.unshift(goLeft ? { start: middle, end: range.end } : { start: range.start, end: middle })
    range = goLeft ? { start: range.start, end: middle } : { start: middle, end: range.end }
  }
  return ranges
}

/** RFC 6962 section 2.1.2, `0 < oldSize <= size`. */
function consistencyRanges(oldSize: bigint, size: bigint): LeafRange[] {
  const ranges: LeafRange[] = []
  let range = { start: 0n, end: size }
  while (range.end !== oldSize) {
    const middle = splitPoint(range)
    const goLeft = oldSize <= middle
    ranges.unshift(goLeft ? { start: middle, end: range.end } : { start: range.start, end: middle })
    range = goLeft ? { start: range.start, end: middle } : { start: middle, end: range.end }
  }
  // The verifier knows the old root itself, so it is left out when it is a node of the new tree.
  return range.start === 0n ? ranges : [range, ...ranges]
}

/** Where RFC 6962 splits: at the largest power of two strictly smaller than the count. */
function splitPoint(range: LeafRange): bigint {
  return range.start + (1n << BigInt(bitLength(range.end - range.start - 1n) - 1))
}

/** The full subtrees of a range that starts where RFC 6962 splits, left to right. */
function fullSubtrees(range: LeafRange): TreeNode[] {
  let start = range.start
  return edgeLevels(range.end - range.start).map((level) => {
    const node = { level, index: start >> BigInt(level) }
    start += 1n << BigInt(level)
    return node
  })
}

function rootOfRange(range: LeafRange, nodeHash: NodeHash, hash: Hash): Uint8Array {
  return foldFromRight(fullSubtrees(range).map(nodeHash), hash)
}

function requireIndex(index: bigint, size: bigint): void {
  assert(index >= 0n && index < size && size <= MAX_TREE_SIZE, 'the index is inside the tree')
}

/** The nodes that `buildInclusionProof` will ask for. */
export function inclusionNodes(index: bigint, size: bigint): TreeNode[] {
  requireIndex(index, size)
  return inclusionRanges(index, size).flatMap(fullSubtrees)
}

/** The path from a leaf to the root, leaf side first; empty for a tree of one entry. */
export function buildInclusionProof(
  { index, size }: { index: bigint, size: bigint }, nodeHash: NodeHash, hash: Hash = sha256,
): Uint8Array[] {
  requireIndex(index, size)
  return inclusionRanges(index, size).map((range) => rootOfRange(range, nodeHash, hash))
}

/** What a leaf or a node above it is hashed with on one level; whole if it is a full subtree. */
interface Neighbour extends TreeNode {
  readonly isWhole: boolean
}

/** The ranges of RFC 6962 section 2.1.1 met from below: on each level the neighbour, if the tree has one. */
function neighboursOf(index: bigint, size: bigint): Neighbour[] {
  const neighbours: Neighbour[] = []
  let position = index
  let last = size - 1n
  for (let level = 0; last > 0n; level++) {
    const neighbour = position ^ 1n
    if (neighbour < last) neighbours.push({ level, index: neighbour, isWhole: true })
    if (neighbour === last) {
      neighbours.push({ level, index: last, isWhole: (last + 1n) << BigInt(level) === size })
    }
    position >>= 1n
    last >>= 1n
  }
  return neighbours
}

/**
 * Paths of many leaves of one tree, each as `buildInclusionProof` makes it: `nodes` are what they consist
 * of, to be fetched; `build` answers the paths, in the order of `indexes`. The right edge, which most of
 * them share, is hashed once.
 */
export function planInclusionProofs(indexes: readonly bigint[], size: bigint): {
  readonly nodes: readonly TreeNode[]
  build(nodeHash: NodeHash, hash?: Hash): Uint8Array[][]
} {
  for (const index of indexes) requireIndex(index, size)
  const paths = indexes.map((index) => neighboursOf(index, size))
  const edges = new Map(paths.flat().flatMap((node) => node.isWhole
    ? []
    : [[node.level, { start: node.index << BigInt(node.level), end: size }]]))
  const whole = paths.flat().filter(({ isWhole }) => isWhole)
  return {
    nodes: [...whole, ...[...edges.values()].flatMap(fullSubtrees)],
    build(nodeHash, hash = sha256) {
      const roots = new Map([...edges].map(
        ([level, range]) => [level, rootOfRange(range, nodeHash, hash)]))
      return paths.map((path) => path.map((node) => {
        const root = node.isWhole ? nodeHash(node) : roots.get(node.level)
        assert(root !== undefined, 'each level has one edge')
        return root
      }))
    },
  }
}

/** The nodes that `buildConsistencyProof` will ask for. */
export function consistencyNodes(oldSize: bigint, size: bigint): TreeNode[] {
  return consistencyProofRanges(oldSize, size).flatMap(fullSubtrees)
}

/** Shows that the first `oldSize` entries of the tree are the old tree. Empty if either is trivial. */
export function buildConsistencyProof(
  { oldSize, size }: { oldSize: bigint, size: bigint }, nodeHash: NodeHash,
): Uint8Array[] {
  return consistencyProofRanges(oldSize, size).map((range) => rootOfRange(range, nodeHash, sha256))
}

function consistencyProofRanges(oldSize: bigint, size: bigint): LeafRange[] {
  assert(oldSize >= 0n && oldSize <= size && size <= MAX_TREE_SIZE, 'a tree grows')
  return oldSize === 0n ? [] : consistencyRanges(oldSize, size)
}

/** The nodes that the tree of `size` leaves consists of: its edge ([Note: Edge]). */
export function edgeNodes(size: bigint): TreeNode[] {
  return fullSubtrees({ start: 0n, end: size })
}

// ---- Verifying ----

export interface InclusionClaim {
  readonly leaf: Uint8Array
  readonly index: bigint
  readonly size: bigint
  readonly root: Uint8Array
  readonly proof: readonly Uint8Array[]
}

/** @throws ProtocolError `bad-proof` unless the leaf is at `index` of the tree of `size` with `root`. */
export function verifyInclusion(claim: InclusionClaim): void {
  requireSize(claim.size)
  requireCount(claim.proof, MAX_PROOF_HASH_COUNT)
  requireHashes([claim.leaf, claim.root, ...claim.proof])
  if (claim.index < 0n || claim.index >= claim.size) throw new ProtocolError('bad-proof', 'index outside')
  let position = claim.index
  let last = claim.size - 1n
  let running = claim.leaf
  for (const hash of claim.proof) {
    if (last === 0n) throw new ProtocolError('bad-proof', 'path too long')
    if (isOdd(position) || position === last) {
      running = hashNode(hash, running)
      const shift = trailingZeros(position)
      position >>= shift
      last >>= shift
    } else {
      running = hashNode(running, hash)
    }
    position >>= 1n
    last >>= 1n
  }
  if (last !== 0n) throw new ProtocolError('bad-proof', 'path too short')
  if (!equalBytes(running, claim.root)) throw new ProtocolError('bad-proof', 'path to another root')
}

/** One step up from a leaf: the neighbour it was hashed with, and what came of it. */
export interface PathStep {
  readonly side: 'left' | 'right'
  readonly neighbour: Uint8Array
  /** The neighbour is the root over these leaves: from `start` to before `end`. */
  readonly start: bigint
  readonly end: bigint
  /** The hash of both: the last one is the root. */
  readonly node: Uint8Array
}

/**
 * The way from a leaf to the root, to be drawn. Verify the claim first: this follows it wherever it leads.
 * @see SPEC.md § 7.2
 */
export function traceInclusion(
  { leaf, index, size, proof }: Omit<InclusionClaim, 'root'>,
): PathStep[] {
  requireIndex(index, size)
  const ranges = inclusionRanges(index, size)
  assert(ranges.length === proof.length, 'a verified path has one hash for each range')
  let running = leaf
  return ranges.map(({ start, end }, at) => {
    const neighbour = proof[at] ?? running
    const side = start > index ? 'right' : 'left'
    running = side === 'right' ? hashNode(running, neighbour) : hashNode(neighbour, running)
    return { side, neighbour, start, end, node: running }
  })
}

export interface ConsistencyClaim {
  readonly oldSize: bigint
  readonly oldRoot: Uint8Array
  readonly size: bigint
  readonly root: Uint8Array
  readonly proof: readonly Uint8Array[]
}

/** @throws ProtocolError `bad-proof` unless the tree grew out of the old one by appending alone. */
export function verifyConsistency(claim: ConsistencyClaim): void {
  requireSize(claim.size)
  // One more than a path: where the old tree ends inside a subtree, that part is in it too.
  requireCount(claim.proof, MAX_PROOF_HASH_COUNT + 1)
  requireHashes([claim.oldRoot, claim.root, ...claim.proof])
  if (claim.oldSize < 0n || claim.oldSize > claim.size) throw new ProtocolError('bad-proof', 'tree shrank')
  if (claim.oldSize === 0n || claim.oldSize === claim.size) return verifyTrivialConsistency(claim)
  const { oldRoot, root } = rootsOfConsistency(claim)
  if (!equalBytes(oldRoot, claim.oldRoot)) throw new ProtocolError('bad-proof', 'another old root')
  if (!equalBytes(root, claim.root)) throw new ProtocolError('bad-proof', 'another new root')
}

function verifyTrivialConsistency(claim: ConsistencyClaim): void {
  if (claim.proof.length > 0) throw new ProtocolError('bad-proof', 'proof must be empty')
  if (claim.oldSize === 0n && !equalBytes(claim.oldRoot, EMPTY_ROOT)) {
    throw new ProtocolError('bad-proof', 'root of no entries')
  }
  if (claim.oldSize === claim.size && !equalBytes(claim.oldRoot, claim.root)) {
    throw new ProtocolError('bad-proof', 'two roots for one size')
  }
}

/** The two roots that the proof leads to, for `0 < oldSize < size`. */
function rootsOfConsistency(claim: ConsistencyClaim): { oldRoot: Uint8Array, root: Uint8Array } {
  const isPowerOfTwo = (claim.oldSize & (claim.oldSize - 1n)) === 0n
  const [first, ...rest] = isPowerOfTwo ? [claim.oldRoot, ...claim.proof] : claim.proof
  if (first === undefined || claim.proof.length === 0) throw new ProtocolError('bad-proof', 'empty proof')
  const shift = trailingZeros(claim.oldSize)
  let position = (claim.oldSize - 1n) >> shift
  let last = (claim.size - 1n) >> shift
  let oldRoot = first
  let root = first
  for (const hash of rest) {
    if (last === 0n) throw new ProtocolError('bad-proof', 'proof too long')
    if (isOdd(position) || position === last) {
      oldRoot = hashNode(hash, oldRoot)
      root = hashNode(hash, root)
      const zeros = trailingZeros(position)
      position >>= zeros
      last >>= zeros
    } else {
      root = hashNode(root, hash)
    }
    position >>= 1n
    last >>= 1n
  }
  if (last !== 0n) throw new ProtocolError('bad-proof', 'proof too short')
  return { oldRoot, root }
}

function requireSize(size: bigint): void {
  if (size < 0n || size > MAX_TREE_SIZE) throw new ProtocolError('bad-proof', 'size out of range')
}

function requireCount(proof: readonly Uint8Array[], limit: number): void {
  if (proof.length > limit) throw new ProtocolError('bad-proof', 'too many hashes')
}

function requireHashes(hashes: readonly Uint8Array[]): void {
  if (hashes.some((hash) => hash.length !== HASH_SIZE_BYTES)) {
    throw new ProtocolError('bad-proof', 'a hash is 32 bytes')
  }
}

function isOdd(value: bigint): boolean {
  return (value & 1n) === 1n
}

/** How often a number can be halved; 0 for 0, which is where the algorithms stop. */
function trailingZeros(value: bigint): bigint {
  if (value === 0n) return 0n
  let count = 0n
  while (((value >> count) & 1n) === 0n) count++
  return count
}
