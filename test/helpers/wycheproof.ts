// Project Wycheproof's vectors, where they lie beside the project; they are not part of it. Where they
// do not, a few published answers stand in, and the run says so.
import { existsSync, readFileSync } from 'node:fs'

const FOLDER = new URL('../../../shared/vectors/wycheproof/', import.meta.url)

export type Case = Readonly<Record<string, unknown>>

export interface CaseFile {
  /** False: the stand-ins below. */
  readonly isWhole: boolean
  readonly cases: readonly Case[]
}

/** All cases of one file, each with the plain fields of its group mixed in. */
export function readCases(name: keyof typeof STAND_INS): CaseFile {
  const file = new URL(`${name}_test.json`, FOLDER)
  if (!existsSync(file)) return { isWhole: false, cases: STAND_INS[name] }
  const parsed: unknown = JSON.parse(readFileSync(file, 'utf8'))
  return { isWhole: true, cases: objectsIn(parsed, 'testGroups').flatMap(casesOf) }
}

function casesOf(group: Case): Case[] {
  return objectsIn(group, 'tests').map((one) => ({ ...group, tests: undefined, ...one }))
}

function objectsIn(value: unknown, key: string): Case[] {
  const list: unknown = isCase(value) ? value[key] : undefined
  if (!Array.isArray(list)) throw new Error(`no list of ${key}`)
  return list.filter(isCase)
}

function isCase(value: unknown): value is Case {
  return typeof value === 'object' && value !== null
}

export function textOf(one: Case, key: string): string {
  const value = one[key]
  if (typeof value !== 'string') throw new Error(`no text ${key}`)
  return value
}

export function numberOf(one: Case, key: string): number {
  const value = one[key]
  if (typeof value !== 'number') throw new Error(`no number ${key}`)
  return value
}

export function bytesOf(one: Case, key: string): Uint8Array {
  return new Uint8Array(Buffer.from(textOf(one, key), 'hex'))
}

/** RFC 8439, 8032, 5869, 4231 and 7748, and one damaged case each where damage has a meaning. */
const STAND_INS = {
  chacha20_poly1305: [
    {
      tcId: 1,
      ivSize: 96,
      result: 'valid',
      key: '808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f',
      iv: '070000004041424344454647',
      aad: '50515253c0c1c2c3c4c5c6c7',
      msg: '4c616469657320616e642047656e746c656d656e206f662074686520636c617373206f66202739393a' +
        '204966204920636f756c64206f6666657220796f75206f6e6c79206f6e652074697020666f7220746865206675' +
        '747572652c2073756e73637265656e20776f756c642062652069742e',
      ct: 'd31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d63dbea45e8ca9671282fafb' +
        '69da92728b1a71de0a9e060b2905d6a5b67ecd3b3692ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585' +
        '808b4831d7bc3ff4def08e4b7a9de576d26586cec64b6116',
      tag: '1ae10b594f09e26a7e902ecbd0600691',
    },
  ],
  ed25519: [
    {
      tcId: 1,
      result: 'valid',
      publicKey: { pk: '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c' },
      msg: '72',
      sig: '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da' +
        '085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
    },
    {
      tcId: 2,
      result: 'invalid',
      publicKey: { pk: '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c' },
      msg: '73',
      sig: '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da' +
        '085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
    },
  ],
  hkdf_sha256: [
    {
      tcId: 1,
      result: 'valid',
      size: 42,
      ikm: '0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b',
      salt: '000102030405060708090a0b0c',
      info: 'f0f1f2f3f4f5f6f7f8f9',
      okm: '3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865',
    },
  ],
  hmac_sha256: [
    {
      tcId: 1,
      result: 'valid',
      tagSize: 256,
      key: '4a656665',
      msg: '7768617420646f2079612077616e7420666f72206e6f7468696e673f',
      tag: '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
    },
  ],
  x25519: [
    {
      tcId: 1,
      result: 'valid',
      private: 'a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4',
      public: 'e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c',
      shared: 'c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552',
    },
    {
      tcId: 2,
      result: 'acceptable',
      private: 'a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4',
      public: '0000000000000000000000000000000000000000000000000000000000000000',
      shared: '0000000000000000000000000000000000000000000000000000000000000000',
    },
  ],
} satisfies Record<string, readonly Case[]>
