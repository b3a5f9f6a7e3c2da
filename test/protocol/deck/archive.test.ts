// Goal: the plaintext of a version is a plain archive in one layout, padded, and believed only whole.
// Method: the system's own tar unpacks it; reads at every kind of edge; manifests with one fault each;
// sizes by the thousand.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import { equalBytes } from '../../../protocol/bytes.js'
import {
  FILE_OFFSET_BYTES, buildArchive, layOut, memberNameOf, padmeSize, readBytes, readManifest,
  sourceOfBytes,
} from '../../../protocol/deck/archive.js'
import type { ArchiveInput } from '../../../protocol/deck/archive.js'
import {
  MANIFEST_SIZE_BYTES, decodeManifest, encodeManifest,
} from '../../../protocol/deck/manifest.js'
import type { Manifest } from '../../../protocol/deck/manifest.js'
import { formatTarHeader, parseTarHeader } from '../../../protocol/deck/tar.js'
import { patternFile } from './sealed-world.js'

const INPUT: ArchiveInput = {
  title: 'Дизельпанк, Series A',
  fileName: 'план 2026.pdf',
  mediaType: 'application/pdf',
  file: patternFile(100_000),
  lockedPageCount: 7,
  pages: [{ width: 960, height: 540 }, { width: 960, height: 540 }, { width: 595, height: 842 }],
  prefetch: [{ offset: 0, length: 1024 }, { offset: 99_000, length: 1000 }],
  thumbnailType: 'image/webp',
  thumbnails: [1, 512, 70_000].map((size, index) =>
    ({ width: 320, height: 180 + index, bytes: new Uint8Array(size).fill(index + 1) })),
}

const MANIFEST: Manifest = {
  title: 'A plan',
  fileName: 'plan.pdf',
  mediaType: 'application/pdf',
  fileSize: 1000,
  lockedPageCount: 0,
  pages: [{ width: 960, height: 540 }],
  prefetch: [],
  thumbnailType: null,
  thumbnails: [],
}

t.test('the system\'s tar unpacks the file, the thumbnails and the manifest', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'sealdeck-archive-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const archive = buildArchive(INPUT)
  writeFileSync(join(folder, 'deck.tar'), await readBytes(archive, { offset: 0, length: archive.size }))
  const said = execFileSync('tar', ['xf', 'deck.tar'], { cwd: folder, encoding: 'utf8', stdio: 'pipe' })
  t.equal(said, '', 'no complaint')
  t.ok(equalBytes(readFileSync(join(folder, 'план 2026.pdf')), await readBytes(INPUT.file, { offset: 0, length: 100_000 })))
  t.same(readdirSync(join(folder, 'thumbnails')), ['0001.webp', '0002.webp', '0003.webp'])
  const thumbnail = readFileSync(join(folder, 'thumbnails/0003.webp'))
  t.same(new Uint8Array(thumbnail), new Uint8Array(70_000).fill(3))
  t.match(JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8')), {
    format: 'sealdeck-manifest/v1',
    title: INPUT.title,
    fileName: INPUT.fileName,
    fileOffset: 65536,
    fileSize: 100_000,
    lockedPageCount: 7,
    pages: [[2, 960, 540], [1, 595, 842]],
    prefetch: [[0, 1024], [99_000, 1000]],
    thumbnails: [[320, 180, 1], [320, 181, 512], [320, 182, 70_000]],
  })
})

t.test('the same input gives the same bytes, wherever they are read from', async (t) => {
  const archive = buildArchive(INPUT)
  const whole = await readBytes(archive, { offset: 0, length: archive.size })
  const again = buildArchive(INPUT)
  t.ok(equalBytes(await readBytes(again, { offset: 0, length: again.size }), whole))
  const edges = [0, 1, 511, 512, 513, 65023, 65024, 65535, 65536, 65537, 165_535, 165_888,
    archive.size]
  for (const start of edges) {
    for (const end of edges.filter((edge) => edge >= start)) {
      t.ok(equalBytes(await readBytes(archive, { offset: start, length: end - start }), whole.subarray(start, end)), `${start}-${end}`)
    }
  }
})

t.test('the manifest reads back from the first chunk', async (t) => {
  const archive = buildArchive(INPUT)
  const first = await readBytes(archive, { offset: 0, length: 65536 })
  const manifest = readManifest(first, archive.size)
  t.match(manifest, { title: INPUT.title, pages: INPUT.pages, prefetch: INPUT.prefetch })
  const layout = layOut(manifest)
  for (const [index, { offset, size }] of layout.thumbnails.entries()) {
    t.same(await readBytes(archive, { offset, length: size }), INPUT.thumbnails?.[index]?.bytes)
  }
  t.throws(() => readManifest(first, archive.size + 2048), { code: 'malformed-manifest' })
  t.throws(() => readManifest(first.subarray(1), archive.size), { code: 'malformed-manifest' }, 'cut')
  for (const offset of [0, 100, 124, 148, 156, 257, 345, 500, 600, 65023, 65024, 65200]) {
    const changed = first.slice()
    changed[offset] = (changed[offset] ?? 0) ^ 0x04
    t.throws(() => readManifest(changed, archive.size), { name: 'ProtocolError' }, `byte ${offset}`)
  }
})

t.test('an empty file and a file of one chunk are laid out alike', async (t) => {
  for (const size of [0, 1, 511, 512, 65536]) {
    const file = patternFile(size)
    const archive = buildArchive({ ...INPUT, file, prefetch: [], thumbnails: [] })
    const first = await readBytes(archive, { offset: 0, length: 65536 })
    const manifest = readManifest(first, archive.size)
    t.equal(manifest.fileSize, size)
    t.same(await readBytes(archive, { offset: FILE_OFFSET_BYTES, length: size }),
      await readBytes(patternFile(size), { offset: 0, length: size }))
    t.equal(archive.size % 512, 0)
  }
})

t.test('a deck at the page limit fits its manifest', (t) => {
  const sizes = Array.from({ length: 2000 }, (_, index) =>
    ({ width: 9999, height: 9000 + index % 1000 }))
  const manifest = {
    ...MANIFEST,
    title: '😀'.repeat(100),
    pages: sizes,
    thumbnailType: 'image/webp' as const,
    thumbnails: sizes.map(() => ({ width: 320, height: 180, sizeBytes: 99_999 })),
  }
  t.same(decodeManifest(encodeManifest(manifest)), manifest)
  t.throws(() => encodeManifest({ ...manifest, pages: [...sizes, { width: 1, height: 1 }] }),
    { code: 'malformed-manifest' })
  t.end()
})

t.test('manifests out of range are refused', (t) => {
  const thumbnail = { width: 320, height: 180, sizeBytes: 1 }
  const faults: Partial<Manifest>[] = [
    { title: '' }, { title: 't'.repeat(201) }, { title: 'a\u0000' }, { fileName: '' },
    { fileName: 'n'.repeat(256) }, { mediaType: 'pdf' }, { mediaType: 'Application/PDF' },
    { fileSize: -1 }, { fileSize: 1.5 }, { fileSize: 2 ** 30 + 1 }, { lockedPageCount: 2001 },
    { pages: [{ width: 0, height: 1 }] }, { pages: [{ width: 1.5, height: 1 }] },
    { prefetch: [{ offset: 0, length: 1001 }] }, { prefetch: [{ offset: 1001, length: 1 }] },
    { prefetch: new Array(17).fill({ offset: 0, length: 1 }) },
    { thumbnailType: 'image/webp' }, { thumbnails: [thumbnail] },
    { thumbnailType: 'image/png', thumbnails: [{ ...thumbnail, sizeBytes: 0 }] },
    { thumbnailType: 'image/png', thumbnails: [{ ...thumbnail, width: 4097 }] },
  ]
  for (const change of faults) {
    t.throws(() => encodeManifest({ ...MANIFEST, ...change }), { code: 'malformed-manifest' },
      JSON.stringify(change).slice(0, 60))
  }
  t.end()
})

t.test('a manifest in any other spelling is refused', (t) => {
  const text = Buffer.from(encodeManifest(MANIFEST)).toString().trimEnd()
  const inFull = (json: string) => new TextEncoder().encode(`${json.padEnd(MANIFEST_SIZE_BYTES - 1)}\n`)
  t.same(decodeManifest(inFull(text)), MANIFEST)
  const faults: Record<string, string> = {
    'not JSON': '{',
    'not an object': '7',
    'unknown key': text.replace('{', '{"x":1,'),
    'repeated key': text.replace('{', '{"title":"B",'),
    'missing key': text.replace('"lockedPageCount":0,', ''),
    'space inside': text.replace(',', ', '),
    'other format': text.replace('/v1', '/v2'),
    'other offset': text.replace('65536', '65024'),
    'number as text': text.replace('"fileSize":1000', '"fileSize":"1000"'),
    exponent: text.replace('"fileSize":1000', '"fileSize":1e3'),
  }
  for (const [name, fault] of Object.entries(faults)) {
    t.throws(() => decodeManifest(inFull(fault)), { code: 'malformed-manifest' }, name)
  }
  const tabbed = encodeManifest(MANIFEST)
  tabbed[MANIFEST_SIZE_BYTES - 2] = 0x09
  t.throws(() => decodeManifest(tabbed), { code: 'malformed-manifest' }, 'padded with a tab')
  t.throws(() => decodeManifest(tabbed.subarray(1)), { code: 'malformed-manifest' }, 'cut')
  t.end()
})

t.test('file names unpack safely and stay apart from the other members', (t) => {
  const names: Record<string, string> = {
    'deck.pdf': 'deck.pdf',
    'план.pdf': 'план.pdf',
    'a/b\\c:d.pdf': 'a_b_c_d.pdf',
    '../../etc/passwd': '__.._etc_passwd',
    '.hidden': '_hidden',
    'manifest.json': 'deck-manifest.json',
    thumbnails: 'deck-thumbnails',
  }
  for (const [name, member] of Object.entries(names)) t.equal(memberNameOf(name), member)
  fc.assert(fc.property(fc.string({ minLength: 1, maxLength: 255 }), (name) => {
    const member = memberNameOf(name)
    return Buffer.byteLength(member) <= 100 && !member.includes('/') && !member.startsWith('.')
  }))
  t.equal(memberNameOf(`${'д'.repeat(200)}.pdf`), `${'д'.repeat(48)}.pdf`)
  t.end()
})

t.test('tar headers read back, and only as we write them', (t) => {
  const member = { name: 'thumbnails/0001.webp', size: 123_456 }
  const header = formatTarHeader(member)
  t.same(parseTarHeader(header), member)
  for (let index = 0; index < 512; index++) {
    const changed = header.slice()
    changed[index] = (changed[index] ?? 0) ^ 1
    t.throws(() => parseTarHeader(changed), { name: 'ProtocolError' }, `byte ${index}`)
  }
  t.throws(() => formatTarHeader({ name: 'x'.repeat(101), size: 0 }), /fits its field/)
  t.end()
})

t.test('sizes are padded to few, at most an eighth up, in whole blocks', (t) => {
  const sizes = new Set<number>()
  for (let turn = 0; turn < 100_000; turn++) {
    // Evenly over the orders of magnitude from 64 KiB to 1 GiB.
    const size = Math.floor(65536 * 2 ** (14 * (turn / 100_000)))
    const padded = padmeSize(size)
    if (padded < size || padded > size * 1.12 || padded % 512 !== 0) t.fail(`${size} to ${padded}`)
    sizes.add(padded)
  }
  t.ok(sizes.size <= 450, `${sizes.size} sizes`)
  t.equal(padmeSize(65536), 65536)
  t.equal(padmeSize(65537), 67584)
  t.end()
})

t.test('what a buffer held before does not show through', async (t) => {
  const archive = buildArchive(INPUT)
  const clean = await readBytes(archive, { offset: 0, length: archive.size })
  const dirty = new Uint8Array(archive.size).fill(0xff)
  await archive.read(0, dirty)
  t.ok(equalBytes(dirty, clean))
  const file = { size: 1000, read: sourceOfBytes(new Uint8Array(10)).read }
  const short = buildArchive({ ...INPUT, file, prefetch: [] })
  await t.rejects(readBytes(short, { offset: 65536, length: 1000 }), /inside its source/)
})
