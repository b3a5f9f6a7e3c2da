/**
 * The log as files: tiles of hashes, bundles of entries, their paths, and which of them one batch of
 * entries writes (SPEC.md § 7, source: c2sp.org/tlog-tiles). Pure; must not read or write a file:
 * resources come from a `ReadResource` and go out as a list.
 *
 *   tile/<level>/<index>[.p/<width>]      hashes, 32 bytes each, 256 in a full tile
 *   tile/entries/<index>[.p/<width>]      for each entry: u16 length ‖ bytes
 *
 * [Note: Partial tiles] A tile at the right edge is written at each width that a checkpoint had, and
 * replaced by the full one in the end. Who holds an older checkpoint finds the full tile and takes
 * the first hashes of it: what a tile once said stays true.
 */
import { concatBytes, equalBytes } from '../bytes.js'
import { assert, ProtocolError } from '../errors.js'
import { HASH_SIZE_BYTES, sha256, type Hash } from '../hash.js'
import { MAX_ENTRY_SIZE_BYTES, MAX_INTEGRATION_ENTRY_COUNT, MAX_TREE_SIZE } from '../limits.js'
import {
  appendLeaves, EMPTY_EDGE, edgeNodes, edgeRoot, hashLeaf, hashNode, rootOfFullSubtree, splitHashes,
  type Edge, type NodeHash, type TreeNode,
} from './merkle.js'

export const TILE_WIDTH = 256
const TILE_LEVEL_BITS = 8
const MAX_TILE_LEVEL = 63
const MAX_PATH_LENGTH = 80

export const CHECKPOINT_PATH = 'checkpoint'

/** The name of a log's folder: the last letters, digits and `-` of its origin (SPEC.md § 7.5). */
export function logFolder(origin: string): string {
  return /[a-z0-9-]{1,32}$/.exec(origin)?.[0] ?? 'main'
}

/** `width` 256 is a full tile, 1 to 255 a partial one. */
export interface Tile {
  readonly level: number
  readonly index: bigint
  readonly width: number
}

/** As a level-0 tile, but of entries. */
export interface Bundle {
  readonly index: bigint
  readonly width: number
}

/** Bytes and where they lie below the log's prefix. */
export interface Resource {
  readonly path: string
  readonly bytes: Uint8Array
}

/** The bytes at a path below the log's prefix, or `null` if there are none. */
export type ReadResource = (path: string) => Promise<Uint8Array | null>

// ---- Paths ----

export function tilePath(tile: Tile): string {
  return `tile/${tile.level}/${formatIndex(tile.index)}${formatWidth(tile.width)}`
}

export function bundlePath(bundle: Bundle): string {
  return `tile/entries/${formatIndex(bundle.index)}${formatWidth(bundle.width)}`
}

// 1234067 -> x001/x234/067
function formatIndex(index: bigint): string {
  const digits = index.toString()
  const padded = digits.padStart(Math.ceil(digits.length / 3) * 3, '0')
  const groups = padded.match(/.{3}/g) ?? []
  return groups.map((group, at) => at === groups.length - 1 ? group : `x${group}`).join('/')
}

function formatWidth(width: number): string {
  assert(Number.isInteger(width) && width >= 1 && width <= TILE_WIDTH, 'a tile is 1 to 256 wide')
  return width === TILE_WIDTH ? '' : `.p/${width}`
}

/** What a path names, or `null` if it names no tile: `level` is absent for entries. */
export function parseTilePath(path: string): Tile | (Bundle & { readonly level?: never }) | null {
  const match = /^tile\/(entries|0|[1-9][0-9]?)\/((?:x[0-9]{3}\/)*[0-9]{3})(?:\.p\/([1-9][0-9]{0,2}))?$/
    .exec(path.slice(0, MAX_PATH_LENGTH + 1))
  const [, kind, groups, widthText] = match ?? []
  if (kind === undefined || groups === undefined) return null
  const index = BigInt(groups.replace(/[x/]/g, ''))
  const width = widthText === undefined ? TILE_WIDTH : Number(widthText)
  const level = kind === 'entries' ? undefined : Number(kind)
  // One path for each tile: what formats otherwise (leading zeros, width 256) is no tile.
  if (width > TILE_WIDTH || (level ?? 0) > MAX_TILE_LEVEL || index > MAX_TREE_SIZE) return null
  const parsed = level === undefined ? { index, width } : { level, index, width }
  const canonical = level === undefined ? bundlePath(parsed) : tilePath({ level, index, width })
  return canonical === path ? parsed : null
}

// ---- Bytes ----

/** @param width - how many hashes there must be. @throws ProtocolError `malformed-tile`. */
export function decodeTile(bytes: Uint8Array, width: number): Uint8Array[] {
  return splitHashes(requireTileSize(bytes, width))
}

function requireTileSize(bytes: Uint8Array, width: number): Uint8Array {
  if (bytes.length !== width * HASH_SIZE_BYTES) throw new ProtocolError('malformed-tile', 'wrong size')
  return bytes
}

export function encodeBundle(entries: readonly Uint8Array[]): Uint8Array {
  return concatBytes(...entries.flatMap((entry) => {
    assert(entry.length <= MAX_ENTRY_SIZE_BYTES, 'an entry fits its length field')
    return [Uint8Array.of(entry.length >> 8, entry.length & 0xff), entry]
  }))
}

/** @param width - how many entries there must be. @throws ProtocolError `malformed-tile`. */
export function decodeBundle(bytes: Uint8Array, width: number): Uint8Array[] {
  const entries: Uint8Array[] = []
  let offset = 0
  while (offset < bytes.length && entries.length < width) {
    const start = offset + 2
    const end = start + ((bytes[offset] ?? 0) << 8 | (bytes[offset + 1] ?? 0))
    if (end > bytes.length) throw new ProtocolError('malformed-tile', 'bundle cut short')
    entries.push(bytes.subarray(start, end))
    offset = end
  }
  if (entries.length !== width || offset !== bytes.length) {
    throw new ProtocolError('malformed-tile', 'bundle of another width')
  }
  return entries
}

// ---- Which tiles a tree has ----

/** Every tile of a tree, level by level, partial ones last in their level. */
export function * listTiles(size: bigint): Generator<Tile> {
  for (let level = 0; size >> BigInt(level * TILE_LEVEL_BITS) > 0n; level++) {
    yield * tilesOfLevel(size, level)
  }
}

function * tilesOfLevel(size: bigint, level: number): Generator<Tile> {
  const hashCount = size >> BigInt(level * TILE_LEVEL_BITS)
  const fullCount = hashCount >> BigInt(TILE_LEVEL_BITS)
  for (let index = 0n; index < fullCount; index++) yield { level, index, width: TILE_WIDTH }
  const width = Number(hashCount & 255n)
  if (width > 0) yield { level, index: fullCount, width }
}

/** Every bundle of a tree, in order, the partial one last. */
export function * listBundles(size: bigint): Generator<Bundle> {
  for (const { index, width } of tilesOfLevel(size, 0)) yield { index, width }
}

/** The bundle that holds an entry, as wide as the tree of `size` makes it. */
export function bundleOfEntry(index: bigint, size: bigint): Bundle {
  const { index: bundle, width } = tileAt({ level: 0, index: index >> 8n }, size)
  return { index: bundle, width }
}

function tileAt({ level, index }: { level: number, index: bigint }, size: bigint): Tile {
  const hashCount = size >> BigInt(level * TILE_LEVEL_BITS)
  const left = hashCount - (index << BigInt(TILE_LEVEL_BITS))
  assert(left > 0n, 'the tile is inside the tree')
  return { level, index, width: left >= 256n ? TILE_WIDTH : Number(left) }
}

/** The tile of a tree that a node is computed from. */
export function tileOfNode(node: TreeNode, size: bigint): Tile {
  const { level, index } = placeInTile(node)
  return tileAt({ level, index }, size)
}

// A node at tree level 8·L + r is the root of 2^r hashes of a level-L tile.
function placeInTile(
  node: TreeNode,
): { level: number, index: bigint, start: number, count: number } {
  const level = Math.floor(node.level / TILE_LEVEL_BITS)
  const rise = node.level % TILE_LEVEL_BITS
  const first = node.index << BigInt(rise)
  return {
    level, index: first >> BigInt(TILE_LEVEL_BITS), start: Number(first & 255n), count: 2 ** rise,
  }
}

// ---- Reading ----

/**
 * The first `width` hashes or entries at a place, from the tile of that width or from the full one
 * ([Note: Partial tiles]).
 *
 * @throws ProtocolError `missing-tile` if neither is there, `malformed-tile` if it is of another size.
 */
export async function readTile(read: ReadResource, tile: Tile): Promise<Uint8Array[]> {
  return splitHashes(await readTileBytes(read, tile))
}

/** As `readTile`, the hashes one after another. */
export async function readTileBytes(read: ReadResource, tile: Tile): Promise<Uint8Array> {
  const exact = await read(tilePath(tile))
  if (exact !== null) return requireTileSize(exact, tile.width)
  const full = await read(tilePath({ ...tile, width: TILE_WIDTH }))
  if (full === null) throw new ProtocolError('missing-tile', tilePath(tile))
  return requireTileSize(full, TILE_WIDTH).subarray(0, tile.width * HASH_SIZE_BYTES)
}

/** As `readTile`, for entries. @throws ProtocolError `missing-tile`. */
export async function readBundle(read: ReadResource, bundle: Bundle): Promise<Uint8Array[]> {
  const exact = await read(bundlePath(bundle))
  if (exact !== null) return decodeBundle(exact, bundle.width)
  const full = await read(bundlePath({ ...bundle, width: TILE_WIDTH }))
  if (full === null) throw new ProtocolError('missing-tile', bundlePath(bundle))
  return decodeBundle(full, TILE_WIDTH).slice(0, bundle.width)
}

/**
 * Fetch the tiles that some nodes need, each once, and answer a function that computes them, each once:
 * the paths of many entries share most of their nodes.
 * Nothing is checked here: a proof built of wrong tiles does not verify.
 *
 * @param hash - the platform's SHA-256 where there is a faster one.
 */
export async function readNodes(
  read: ReadResource, { nodes, size }: { nodes: readonly TreeNode[], size: bigint },
  hash: Hash = sha256,
): Promise<NodeHash> {
  const wanted = tilesOfNodes(nodes, size)
  const tiles = new Map(await Promise.all([...wanted].map(
    async ([path, tile]) => [path, await readTile(read, tile)] as const)))
  const computed = new NodeMap<Uint8Array>()
  return (node) => {
    const known = computed.get(node)
    if (known !== undefined) return known
    const value = nodeFromTile(tiles.get(tilePath(tileOfNode(node, size))), node, hash)
    computed.set(node, value)
    return value
  }
}

/** By path, each once. */
function tilesOfNodes(nodes: readonly TreeNode[], size: bigint): ReadonlyMap<string, Tile> {
  const seen = new NodeMap<true>()
  const tiles = new Map<string, Tile>()
  for (const node of nodes) {
    if (seen.get(node) !== undefined) continue
    seen.set(node, true)
    const tile = tileOfNode(node, size)
    tiles.set(tilePath(tile), tile)
  }
  return tiles
}

/** Something for each of many nodes. */
class NodeMap<T> {
  readonly #levels: Map<bigint, T>[] = []

  get({ level, index }: TreeNode): T | undefined {
    return this.#levels[level]?.get(index)
  }

  set({ level, index }: TreeNode, value: T): void {
    const row = this.#levels[level] ??= new Map()
    row.set(index, value)
  }
}

function nodeFromTile(
  hashes: readonly Uint8Array[] | undefined, node: TreeNode, hash: Hash,
): Uint8Array {
  assert(hashes !== undefined, 'the node was asked for')
  const { start, count } = placeInTile(node)
  return rootOfFullSubtree(hashes.slice(start, start + count), hash)
}

// ---- Appending ----

/** All that is needed to append: the tree's edge, and what its unfinished tiles hold so far. */
export interface TileEdge {
  readonly edge: Edge
  /** By tile level: the 0 to 255 hashes of the tile at the right edge. */
  readonly levels: readonly (readonly Uint8Array[])[]
  /** The entries of the unfinished bundle, as many as `levels[0]` has hashes. */
  readonly entries: readonly Uint8Array[]
}

export const EMPTY_TILE_EDGE: TileEdge = { edge: EMPTY_EDGE, levels: [], entries: [] }

export interface Integration {
  readonly edge: TileEdge
  readonly root: Uint8Array
  /** Bundles first, then tiles from level 0 up. Never a path that was written with other bytes. */
  readonly resources: readonly Resource[]
}

/**
 * What appending entries changes: the new edge and root, and the files to write before a
 * checkpoint of the new size may be shown.
 *
 * @param entries - 1 to 4,096 of them, each at most 65,535 bytes.
 * @param hash - the platform's SHA-256 where there is a faster one.
 */
export function planIntegration(
  old: TileEdge, entries: readonly Uint8Array[], hash: Hash = sha256,
): Integration {
  assert(entries.length > 0, 'an integration appends something')
  assert(entries.length <= MAX_INTEGRATION_ENTRY_COUNT, 'a batch stays within its limit')
  const leaves = entries.map((entry) => hashLeaf(entry, hash))
  const edge = appendLeaves(old.edge, leaves, hash)
  const bundles = planBundles(old, entries)
  const tiles = planTiles(old, leaves, hash)
  const root = edgeRoot(edge)
  return {
    edge: { edge, levels: tiles.levels, entries: bundles.unfinished },
    root,
    resources: [...bundles.resources, ...tiles.resources],
  }
}

interface Row<T> { readonly full: readonly (readonly T[])[], readonly unfinished: readonly T[] }

/** Cut an unfinished row and what follows it into full tiles and the new unfinished rest. */
function cutRow<T>(unfinished: readonly T[], added: readonly T[]): Row<T> {
  const all = [...unfinished, ...added]
  const fullCount = Math.floor(all.length / TILE_WIDTH)
  const full = Array.from({ length: fullCount }, (_, index) =>
    all.slice(index * TILE_WIDTH, (index + 1) * TILE_WIDTH))
  return { full, unfinished: all.slice(fullCount * TILE_WIDTH) }
}

function planBundles(
  old: TileEdge, entries: readonly Uint8Array[],
): { resources: Resource[], unfinished: readonly Uint8Array[] } {
  const row = cutRow(old.entries, entries)
  const resources = rowResources(row, old.edge.size >> 8n, (place, part) => (
    { path: bundlePath(place), bytes: encodeBundle(part) }))
  return { resources, unfinished: row.unfinished }
}

function planTiles(
  old: TileEdge, leaves: readonly Uint8Array[], hash: Hash,
): { resources: Resource[], levels: Uint8Array[][] } {
  const levels = old.levels.map((hashes) => [...hashes])
  const resources: Resource[] = []
  let added: readonly Uint8Array[] = leaves
  // A level changes only if tiles of the level below were filled.
  for (let level = 0; added.length > 0; level++) {
    const row = cutRow(levels[level] ?? [], added)
    const firstIndex = old.edge.size >> BigInt((level + 1) * TILE_LEVEL_BITS)
    resources.push(...rowResources(row, firstIndex, (place, part) => (
      { path: tilePath({ level, ...place }), bytes: concatBytes(...part) })))
    levels[level] = [...row.unfinished]
    added = row.full.map((hashes) => rootOfFullSubtree(hashes, hash))
  }
  return { resources, levels }
}

function rowResources<T>(
  row: Row<T>, firstIndex: bigint, toResource: (place: Bundle, part: readonly T[]) => Resource,
): Resource[] {
  const parts = row.unfinished.length > 0 ? [...row.full, row.unfinished] : row.full
  return parts.map((part, at) =>
    toResource({ index: firstIndex + BigInt(at), width: part.length }, part))
}

/**
 * The edge of a published tree, read back from its files.
 *
 * @throws ProtocolError `missing-tile`, or `bad-tile` if files and `root` do not fit together.
 */
export async function readTileEdge(
  read: ReadResource, { size, root }: { size: bigint, root: Uint8Array },
): Promise<TileEdge> {
  const [levels, entries] = await Promise.all([readLevels(read, size), readUnfinished(read, size)])
  const leaves = entries.map((entry) => hashLeaf(entry))
  const edge = { size, hashes: edgeHashes(levels, size) }
  if (!sameHashes(leaves, levels[0] ?? [])) throw new ProtocolError('bad-tile', 'entries differ')
  if (!equalBytes(rootOfLevels(levels), root)) throw new ProtocolError('bad-tile', 'another root')
  return { edge, levels, entries }
}

async function readLevels(read: ReadResource, size: bigint): Promise<Uint8Array[][]> {
  const levels: Promise<Uint8Array[]>[] = []
  for (let level = 0; size >> BigInt(level * TILE_LEVEL_BITS) > 0n; level++) {
    const hashCount = size >> BigInt(level * TILE_LEVEL_BITS)
    const width = Number(hashCount & 255n)
    levels.push(width === 0
      ? Promise.resolve([])
      : readTile(read, { level, index: hashCount >> BigInt(TILE_LEVEL_BITS), width }))
  }
  return await Promise.all(levels)
}

async function readUnfinished(read: ReadResource, size: bigint): Promise<Uint8Array[]> {
  const width = Number(size & 255n)
  return width === 0 ? [] : await readBundle(read, { index: size >> 8n, width })
}

function sameHashes(a: readonly Uint8Array[], b: readonly Uint8Array[]): boolean {
  return a.length === b.length && a.every((hash, at) => equalBytes(hash, b[at] ?? hash.subarray(1)))
}

function edgeHashes(levels: readonly (readonly Uint8Array[])[], size: bigint): Uint8Array[] {
  return edgeNodes(size).map((node) => {
    const { level, start, count } = placeInTile(node)
    return rootOfFullSubtree((levels[level] ?? []).slice(start, start + count))
  })
}

/**
 * The root straight from the rows of the unfinished tiles. It shares no step with `appendLeaves`,
 * so the two can check each other before a checkpoint is signed.
 */
export function rootOfLevels(levels: readonly (readonly Uint8Array[])[]): Uint8Array {
  let right: Uint8Array | null = null
  for (const row of levels) right = rootOfRow(row, right)
  return right ?? edgeRoot(EMPTY_EDGE)
}

/** The root of a row of hashes and of the smaller subtree to the right of them, if there is one. */
function rootOfRow(row: readonly Uint8Array[], right: Uint8Array | null): Uint8Array | null {
  if (row.length === 0) return right
  const width = 2 ** Math.floor(Math.log2(row.length))
  const left = rootOfFullSubtree(row.slice(0, width))
  const rest = rootOfRow(row.slice(width), right)
  return rest === null ? left : hashNode(left, rest)
}
