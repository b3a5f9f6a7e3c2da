// Goal: paths, tiles and bundles are those of c2sp.org/tlog-tiles, and a log written batch by batch
// is the same log as one written at once.
// Method: listed paths and counts; random batches into a map that refuses rewrites, reread whole
// after each batch; sizes around every border; every flipped bit of a tile and a bundle.
import fc from 'fast-check'
import t, { type Test } from 'tap'
import { concatBytes, encodeHex, equalBytes } from '../../../protocol/bytes.js'
import { ProtocolError } from '../../../protocol/errors.js'
import {
  buildConsistencyProof, buildInclusionProof, consistencyNodes, edgeRoot, hashLeaf, inclusionNodes,
  rootOfLeaves, verifyConsistency, verifyInclusion,
} from '../../../protocol/log/merkle.js'
import {
  bundleOfEntry, bundlePath, decodeBundle, decodeTile, EMPTY_TILE_EDGE, encodeBundle, listBundles,
  listTiles, parseTilePath, planIntegration, readBundle, readNodes, readTile, readTileEdge,
  rootOfLevels, tileOfNode, tilePath, type ReadResource, type TileEdge,
} from '../../../protocol/log/tile.js'
import { ENTRIES, LEAVES, LISTED_ROOTS, listedEntry, ROOT } from './worked-example.js'

/** Keeps resources as a bucket would, and refuses to write other bytes to a path. */
class Shelf {
  readonly files = new Map<string, Uint8Array>()
  edge: TileEdge = EMPTY_TILE_EDGE
  root = edgeRoot(EMPTY_TILE_EDGE.edge)

  append(entries: readonly Uint8Array[]): void {
    const integration = planIntegration(this.edge, entries)
    for (const { path, bytes } of integration.resources) {
      const there = this.files.get(path)
      if (there !== undefined && !equalBytes(there, bytes)) throw new Error(`${path} rewritten`)
      this.files.set(path, bytes)
    }
    this.edge = integration.edge
    this.root = integration.root
  }

  read: ReadResource = async (path) => this.files.get(path) ?? null
}

function entriesFrom(start: number, count: number): Uint8Array[] {
  return Array.from({ length: count }, (_, at) => listedEntry(start + at))
}

function shelfOf(...batches: number[]): Shelf {
  const shelf = new Shelf()
  let size = 0
  for (const count of batches) {
    shelf.append(entriesFrom(size, count))
    size += count
  }
  return shelf
}

/** What a whole log of this size consists of, from the definition. */
async function checkShelf(t: Test, shelf: Shelf, size: number): Promise<void> {
  const entries: Uint8Array[] = []
  for (const bundle of listBundles(BigInt(size))) {
    entries.push(...await readBundle(shelf.read, bundle))
  }
  const expectedEntries = concatBytes(...entriesFrom(0, size))
  t.ok(equalBytes(concatBytes(...entries), expectedEntries), `entries of ${size}`)
  const leaves = entries.map((entry) => hashLeaf(entry))
  t.same(shelf.root, rootOfLeaves(leaves), `root of ${size}`)
  t.same(rootOfLevels(shelf.edge.levels), shelf.root, `root of ${size} by the second way`)
  for (const tile of listTiles(BigInt(size))) {
    const span = 256 ** tile.level
    const expected = Array.from({ length: tile.width }, (_, at) => {
      const start = (Number(tile.index) * 256 + at) * span
      return rootOfLeaves(leaves.slice(start, start + span))
    })
    const hashes = shelf.files.get(tilePath(tile))
    const isSame = hashes !== undefined && equalBytes(hashes, concatBytes(...expected))
    if (!isSame) t.fail(tilePath(tile))
  }
  t.same(await readTileEdge(shelf.read, { size: BigInt(size), root: shelf.root }), shelf.edge)
}

t.test('paths as the specification writes them', async (t) => {
  t.equal(tilePath({ level: 0, index: 0n, width: 256 }), 'tile/0/000')
  t.equal(tilePath({ level: 0, index: 999n, width: 256 }), 'tile/0/999')
  t.equal(tilePath({ level: 1, index: 1000n, width: 256 }), 'tile/1/x001/000')
  t.equal(tilePath({ level: 2, index: 1234067n, width: 5 }), 'tile/2/x001/x234/067.p/5')
  t.equal(bundlePath({ index: 1234067n, width: 256 }), 'tile/entries/x001/x234/067')
  t.equal(bundlePath({ index: 0n, width: 255 }), 'tile/entries/000.p/255')
  t.equal(tilePath({ level: 0, index: 2n ** 55n, width: 1 }), 'tile/0/x036/x028/x797/x018/x963/968.p/1')
  t.throws(() => tilePath({ level: 0, index: 0n, width: 0 }))
  t.throws(() => tilePath({ level: 0, index: 0n, width: 257 }))
})

t.test('a path is read only as it is written', async (t) => {
  t.same(parseTilePath('tile/2/x001/x234/067.p/5'), { level: 2, index: 1234067n, width: 5 })
  t.same(parseTilePath('tile/entries/999'), { index: 999n, width: 256 })
  const wrong = [
    'checkpoint', 'tile/0/0', 'tile/0/00', 'tile/00/000', 'tile/64/000', 'tile/0/x000/001',
    'tile/0/001/000', 'tile/0/x001', 'tile/0/000.p/0', 'tile/0/000.p/256', 'tile/0/000.p/05',
    'tile/0/000.p/', 'tile/0/000/', '/tile/0/000', 'tile/0/000\n', 'tile/-1/000', 'tile/0/../000',
    'tile/entries/x01/000', 'tile/0/X001/000', `tile/0/${'x001/'.repeat(30)}000`,
    'tile/0/x009/x223/x372/x036/x854/x775/808',
  ]
  for (const path of wrong) t.equal(parseTilePath(path), null, path)
  fc.assert(fc.property(fc.bigInt(0n, 2n ** 63n - 1n), fc.integer({ min: 0, max: 63 }),
    fc.integer({ min: 1, max: 256 }), (index, level, width) => {
      t.same(parseTilePath(tilePath({ level, index, width })), { level, index, width })
      t.same(parseTilePath(bundlePath({ index, width })), { index, width })
    }), { numRuns: 100 })
})

t.test('which tiles a size has', async (t) => {
  const paths = (size: bigint) => [...listTiles(size)].map(tilePath)
  t.same(paths(0n), [])
  t.same(paths(1n), ['tile/0/000.p/1'])
  t.same(paths(255n), ['tile/0/000.p/255'])
  t.same(paths(256n), ['tile/0/000', 'tile/1/000.p/1'])
  t.same(paths(257n), ['tile/0/000', 'tile/0/001.p/1', 'tile/1/000.p/1'])
  t.equal(paths(65_535n).length, 255 + 1 + 1)
  t.same(paths(65_536n).slice(-2), ['tile/1/000', 'tile/2/000.p/1'])
  t.same(paths(65_537n).slice(256), ['tile/0/x000/256.p/1', 'tile/1/000', 'tile/2/000.p/1']
    .map((path) => path.replace('x000/', '')))
  const large = paths(70_000n)
  t.equal(large.length, 277)
  t.equal(large.filter((path) => path.startsWith('tile/0/') && !path.includes('.p/')).length, 273)
  t.ok(['tile/0/273.p/112', 'tile/1/000', 'tile/1/001.p/17', 'tile/2/000.p/1'].every((path) => large.includes(path)))
  t.ok([...listTiles(256_001n)].some((tile) => tilePath(tile) === 'tile/0/x001/000.p/1'))
  t.same([...listBundles(257n)].map(bundlePath), ['tile/entries/000', 'tile/entries/001.p/1'])
  t.same(bundleOfEntry(3n, 300n), { index: 0n, width: 256 })
  t.same(bundleOfEntry(299n, 300n), { index: 1n, width: 44 })
})

t.test('the worked example as files', async (t) => {
  const { resources, root } = planIntegration(EMPTY_TILE_EDGE, ENTRIES)
  t.same(root, ROOT)
  t.same(resources.map(({ path }) => path), ['tile/entries/000.p/3', 'tile/0/000.p/3'])
  t.equal(resources[0]?.bytes.length, 201)
  t.equal(encodeHex(resources[0]?.bytes ?? ROOT),
    ENTRIES.map((entry) => `0041${encodeHex(entry)}`).join(''))
  t.same(resources[1]?.bytes, concatBytes(...LEAVES))
})

t.test('listed roots, written in batches of 4,096', async (t) => {
  const shelf = new Shelf()
  let size = 0
  for (const [end, root] of LISTED_ROOTS) {
    while (size < end) {
      const count = Math.min(4096, end - size)
      shelf.append(entriesFrom(size, count))
      size += count
    }
    t.same(shelf.root, root, `root of ${end}`)
  }
  t.same([...listTiles(70_000n)].filter((tile) => !shelf.files.has(tilePath(tile))), [])
  await checkShelf(t, shelf, 70_000)
})

t.test('borders: batches that end on, before and after a full tile, and cross two', async (t) => {
  for (const batches of [
    [256], [255, 1], [255, 2], [1, 255, 1], [256, 256], [100, 600], [300, 512], [1, 1, 1, 254, 257],
    [4096, 4096], [4096, 1], [256, 256, 3584, 4096, 10],
  ]) {
    const size = batches.reduce((sum, count) => sum + count, 0)
    await checkShelf(t, shelfOf(...batches), size)
  }
  const written = (count: number) =>
    planIntegration(shelfOf(100).edge, entriesFrom(100, count)).resources.map(({ path }) => path)
  t.same(written(156), ['tile/entries/000', 'tile/0/000', 'tile/1/000.p/1'], 'nothing partial at level 0')
  t.same(written(500), [
    'tile/entries/000', 'tile/entries/001', 'tile/entries/002.p/88',
    'tile/0/000', 'tile/0/001', 'tile/0/002.p/88', 'tile/1/000.p/2',
  ])
})

t.test('levels 2 are reached at 65,535, 65,536 and 65,537', async (t) => {
  const shelf = shelfOf(...Array.from({ length: 15 }, () => 4096), 4095)
  for (const size of [65_535, 65_536, 65_537]) {
    if (size > 65_535) shelf.append(entriesFrom(size - 1, 1))
    await checkShelf(t, shelf, size)
    t.equal(shelf.files.has('tile/2/000.p/1'), size >= 65_536)
  }
})

t.test('random batches: never another byte at a path, always the tree of the definition', async (t) => {
  const anyBatches = fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 6 })
  await fc.assert(fc.asyncProperty(anyBatches, async (batches) => {
    await checkShelf(t, shelfOf(...batches), batches.reduce((sum, count) => sum + count, 0))
  }), { numRuns: 25 })
})

t.test('proofs built from tiles, for every size a checkpoint had', async (t) => {
  const shelf = shelfOf(3, 250, 3, 1, 300)
  const sizes = [3n, 253n, 256n, 257n, 557n]
  const leaves = entriesFrom(0, 557).map((entry) => hashLeaf(entry))
  const rootOf = (size: bigint) => rootOfLeaves(leaves.slice(0, Number(size)))
  for (const size of sizes) {
    for (const index of [0n, 1n, size / 2n, size - 1n]) {
      const nodeHash = await readNodes(shelf.read, { nodes: inclusionNodes(index, size), size })
      const proof = buildInclusionProof({ index, size }, nodeHash)
      const leaf = leaves[Number(index)] ?? ROOT
      verifyInclusion({ leaf, index, size, root: rootOf(size), proof })
    }
    for (const oldSize of sizes.filter((old) => old <= size)) {
      const nodeHash = await readNodes(shelf.read, { nodes: consistencyNodes(oldSize, size), size })
      const proof = buildConsistencyProof({ oldSize, size }, nodeHash)
      verifyConsistency({ oldSize, oldRoot: rootOf(oldSize), size, root: rootOf(size), proof })
    }
  }
  t.pass('all proofs verified')
})

t.test('who holds an old checkpoint finds the full tile when the partial is gone', async (t) => {
  const shelf = shelfOf(100, 200)
  const partial = { level: 0, index: 0n, width: 100 }
  const before = await readTile(shelf.read, partial)
  const entriesBefore = await readBundle(shelf.read, { index: 0n, width: 100 })
  shelf.files.delete('tile/0/000.p/100')
  shelf.files.delete('tile/entries/000.p/100')
  t.same(await readTile(shelf.read, partial), before)
  t.same(await readBundle(shelf.read, { index: 0n, width: 100 }), entriesBefore)
  shelf.files.delete('tile/0/000')
  shelf.files.delete('tile/entries/000')
  await t.rejects(readTile(shelf.read, partial), { code: 'missing-tile' })
  await t.rejects(readBundle(shelf.read, { index: 0n, width: 100 }), { code: 'missing-tile' })
})

t.test('an edge read back from damaged files is refused', async (t) => {
  const damage = async (path: string) => {
    const shelf = shelfOf(300)
    const bytes = shelf.files.get(path)
    if (bytes === undefined) throw new Error(path)
    shelf.files.set(path, bytes.map((byte, at) => at === bytes.length - 1 ? byte ^ 1 : byte))
    await t.rejects(readTileEdge(shelf.read, { size: 300n, root: shelf.root }), { code: 'bad-tile' }, path)
  }
  await damage('tile/0/001.p/44')
  await damage('tile/1/000.p/1')
  await damage('tile/entries/001.p/44')
  const shelf = shelfOf(300)
  shelf.files.delete('tile/1/000.p/1')
  await t.rejects(readTileEdge(shelf.read, { size: 300n, root: shelf.root }), { code: 'missing-tile' })
  t.same(await readTileEdge(shelf.read, { size: 0n, root: rootOfLeaves([]) }), EMPTY_TILE_EDGE)
})

t.test('tiles and bundles of another width are refused', async (t) => {
  t.throws(() => decodeTile(new Uint8Array(31), 1), { code: 'malformed-tile' })
  t.throws(() => decodeTile(new Uint8Array(64), 1), { code: 'malformed-tile' })
  const bundle = encodeBundle(ENTRIES)
  t.same(decodeBundle(bundle, 3), ENTRIES)
  t.throws(() => decodeBundle(bundle, 2), { code: 'malformed-tile' })
  t.throws(() => decodeBundle(bundle, 4), { code: 'malformed-tile' })
  t.throws(() => decodeBundle(bundle.subarray(0, -1), 3), { code: 'malformed-tile' })
  t.throws(() => decodeBundle(concatBytes(bundle, Uint8Array.of(0)), 3), { code: 'malformed-tile' })
  t.same(decodeBundle(encodeBundle([new Uint8Array(0)]), 1), [new Uint8Array(0)])
  const longest = new Uint8Array(65_535).fill(7)
  t.same(decodeBundle(encodeBundle([longest]), 1), [longest])
  t.throws(() => encodeBundle([new Uint8Array(65_536)]))
})

t.test('every flipped bit of a tile or a bundle changes the root', async (t) => {
  const { resources } = planIntegration(EMPTY_TILE_EDGE, ENTRIES)
  for (const { path, bytes } of resources) {
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const flipped = bytes.map((byte, at) => at === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte)
      const root = rootAfterDamage(path, flipped)
      if (root !== null && equalBytes(root, ROOT)) t.fail(`bit ${bit} of ${path}`)
    }
    t.pass(`${bytes.length * 8} bits of ${path}`)
  }
})

function rootAfterDamage(path: string, bytes: Uint8Array): Uint8Array | null {
  try {
    return path.startsWith('tile/entries/')
      ? rootOfLeaves(decodeBundle(bytes, 3).map((entry) => hashLeaf(entry)))
      : rootOfLeaves(decodeTile(bytes, 3))
  } catch (error) {
    if (error instanceof ProtocolError && error.code === 'malformed-tile') return null
    throw error
  }
}

t.test('nodes above tile level lie in the tiles of the level they need', async (t) => {
  t.same(tileOfNode({ level: 7, index: 1n }, 300n), { level: 0, index: 0n, width: 256 })
  t.same(tileOfNode({ level: 8, index: 0n }, 300n), { level: 1, index: 0n, width: 1 })
  t.same(tileOfNode({ level: 0, index: 256n }, 300n), { level: 0, index: 1n, width: 44 })
  t.throws(() => tileOfNode({ level: 0, index: 512n }, 300n))
})
