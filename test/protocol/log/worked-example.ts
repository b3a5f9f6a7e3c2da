// The worked example of SPEC.md § 7: bytes that independent implementations agree on.
import { concatBytes, decodeBase64, decodeHex, encodeUtf8 } from '../../../protocol/bytes.js'
import { sha256 } from '../../../protocol/hash.js'

export const LOG_SEED = new Uint8Array(32).fill(0x01)
export const WITNESS_SEED = new Uint8Array(32).fill(0x02)
export const SIGNER_SEED = new Uint8Array(32).fill(0x03)
export const VAULT_TAG_KEY = new Uint8Array(32).fill(0xd0)
export const PARTY_TAG_KEY = new Uint8Array(32).fill(0xa0)

export const ORIGIN = 'log.sealdeck.example/2026'
export const LOG_VKEY = `${ORIGIN}+ed405ae9+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c`
export const WITNESS_NAME = 'witness.example/w1'
export const WITNESS_VKEY = `${WITNESS_NAME}+df1c0a35+BIE5dw6ofRdfVqNUZsNMfszLjYqRtO43ol32D1uPybOU`
export const SIGNER_NAME = 'sealdeck.example/signer/7Q2M'
export const SIGNER_VKEY = `${SIGNER_NAME}+60e4f204+Ae1JKMYo0cLG6ukDOJBZlWEpWSc6XGP5NjbBRhSshzfR`
export const COSIGNED_AT_SECONDS = 1795357868

export const ENTRIES = [
  `0147a8e8edaab82e3637660001f8de9c79ba67df6549283236f17d503683c719bd${'ee'.repeat(16)}${'ef'.repeat(16)}`,
  '01ae4d9787cc875a4ea04d7f3e7ac8457badf5daa13c6202c69420630b268659b86adfa672c7629ec331d2160e5f31035ff95c64200a1f8b660c1cabe88d8fd99f',
  '0102e5d1396e4a4a1b8859439e9f9718b1aba9bfd50fb0bf17636ecc88dc3175c5c3186b075bce05539056a8cd5deb7b177666e183874c593e1cade1746b212077',
].map(decodeHex)

export const LEAVES = [
  '9b962a59f904a00cbea39267a03ef17826c157ae15e4b14982f8d7cacf88816f',
  'b6bfdcbdacb99ac56dfe6563e25723666b3bf2f5e558f716588bcdb78d380566',
  '75826332c6e99bc0ddc821830af96a7a446c7155ec19c2281fb8081fdfc70474',
].map(decodeHex)

export const NODE_0_1 = decodeHex('ba4b6b27189546c8268c32b9d2cfd0f7ba747a75345cf8d9fdd368fb78daa869')
export const ROOT = decodeHex('83139e977105dbc8b9b932c49375abe00bd592e809cee8a4067f4572820deb8e')

export const CHECKPOINT_TEXT = `${ORIGIN}\n3\ngxOel3EF28i5uTLEk3Wr4AvVkugJzuikBn9FcoIN644=\n`
export const LOG_LINE = `— ${ORIGIN} 7UBa6Rlo/gdOVbyAoCXzNw+cetxi29aSDvDHrAIiYposYxeThoqjNFJsif/+RAWuuMdqwlBAI1qBh1wkSKo9t8FqwAw=\n`
export const WITNESS_LINE = `— ${WITNESS_NAME} 3xwKNQAAAABrAvysG0GAGdzL92osOFpv7cIoW5jXFsO/46AaYfL3r3fSD+cYSfTm3x7UCBluHtjufOWbBKHlkenjog/7/BogARRmDQ==\n`
export const CHECKPOINT = `${CHECKPOINT_TEXT}\n${LOG_LINE}${WITNESS_LINE}`

export const ADD_CHECKPOINT = 'old 1\n' +
  'tr/cvay5msVt/mVj4lcjZms78vXlWPcWWIvNt404BWY=\n' +
  'dYJjMsbpm8DdyCGDCvlqekRscVXsGcIoH7gIH9/HBHQ=\n' +
  `\n${CHECKPOINT}`

/** Entry i of the listed roots: `01 ‖ SHA-256("event i")`. */
export function listedEntry(index: number): Uint8Array {
  return concatBytes(Uint8Array.of(1), sha256(encodeUtf8(`event ${index}`)))
}

export const LISTED_ROOTS: readonly (readonly [number, Uint8Array])[] = ([
  [1, 'eVNezIrvhpWzE5A8uS5CuWYXingeYgsC6cV5678epzc='],
  [2, 'feG6vFuN8/kW/3Hb1+OyF+assbuSqWbPjMI9A1j1/mk='],
  [3, 's9ZJ3s158epkL6iOB3AOqsr9pXK9TOtqDSgdNQfbAeE='],
  [255, 'Idcx+LVuzxXHjjthPalcllfFP0QZsJiIuddr11AYm0k='],
  [256, 'ycZp/CVvvYsfXHWkDT8Cv7VXoguIblv+T4bJ40Y7GpY='],
  [257, 'E33uMH11iBP9emJ33+JpVpbtP/nax1V7xvW0DdC4/I8='],
  [1500, 'APyHOl82+y/u38lcefvB7eUVyMk/hX7R3lyFfauTju0='],
  [70000, 'D3TepnrAMaQcAno0TAe+xvf0CnvEZNuz5muZ0ee6Trc='],
] as const).map(([size, root]) => [size, decodeBase64(root)] as const)
