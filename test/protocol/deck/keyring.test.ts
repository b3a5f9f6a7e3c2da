// Goal: a locked root opens with its own key in its own place only, and its commitment is checked first.
// Method: every field of the place changed; every bit of sealed bytes and commitment flipped; a row
// crafted to open under a second key.
import t from 'tap'
import {
  KEYRING_METHODS, deriveRootWrapKey, lockRoot, openPrivate, sealPrivate, unlockRoot,
} from '../../../protocol/deck/keyring.js'
import type { KeyringPlace } from '../../../protocol/deck/keyring.js'
import { makeRoot } from '../../../protocol/deck/identity.js'
import { equalBytes } from '../../../protocol/bytes.js'
import { randomBytes, ready } from '../../../protocol/sodium.js'

await ready()

const PLACE: KeyringPlace = { userId: 'user-1', method: 'recovery', rowId: 'row-1' }
const root = makeRoot()
const wrapKey = deriveRootWrapKey('recovery', randomBytes(20))

function withFlippedBit(bytes: Uint8Array, bit: number): Uint8Array {
  const flipped = bytes.slice()
  flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7))
  return flipped
}

t.test('a locked root opens with its key, in its place', (t) => {
  const locked = lockRoot(root, wrapKey, PLACE)
  t.equal(locked.sealed.length, 72)
  t.same(unlockRoot(locked, wrapKey, PLACE), root)
  t.notSame(lockRoot(root, wrapKey, PLACE).sealed, locked.sealed, 'a new nonce each time')
  t.end()
})

t.test('with another key it is simply not ours', (t) => {
  const locked = lockRoot(root, wrapKey, PLACE)
  t.equal(unlockRoot(locked, randomBytes(32), PLACE), null)
  t.end()
})

t.test('moved to another account, way in or row it does not open', (t) => {
  const locked = lockRoot(root, wrapKey, PLACE)
  t.throws(() => unlockRoot(locked, wrapKey, { ...PLACE, userId: 'user-2' }), { code: 'bad-key-commitment' })
  t.throws(() => unlockRoot(locked, wrapKey, { ...PLACE, method: 'passkey' }), { code: 'bad-key-commitment' })
  t.equal(unlockRoot(locked, wrapKey, { ...PLACE, rowId: 'row-2' }), null)
  t.throws(() => unlockRoot({ ...locked, version: 0 }, wrapKey, PLACE), { code: 'unsupported-version' })
  t.throws(() => unlockRoot({ ...locked, version: 2 }, wrapKey, PLACE), { code: 'unsupported-version' })
  t.end()
})

t.test('any bit flipped is refused', (t) => {
  const locked = lockRoot(root, wrapKey, PLACE)
  for (let bit = 0; bit < locked.sealed.length * 8; bit++) {
    const flipped = { ...locked, sealed: withFlippedBit(locked.sealed, bit) }
    t.throws(() => unlockRoot(flipped, wrapKey, PLACE), { code: 'bad-key-commitment' }, `sealed ${bit}`)
  }
  for (let bit = 0; bit < locked.commit.length * 8; bit++) {
    const flipped = { ...locked, commit: withFlippedBit(locked.commit, bit) }
    t.equal(unlockRoot(flipped, wrapKey, PLACE), null, `commitment ${bit}`)
  }
  const cut = { ...locked, sealed: locked.sealed.subarray(0, 71) }
  t.throws(() => unlockRoot(cut, wrapKey, PLACE), { code: 'bad-key-commitment' })
  t.end()
})

t.test('a row that another key would open is refused before it is opened', (t) => {
  const ours = lockRoot(root, wrapKey, PLACE)
  const theirs = lockRoot(makeRoot(), randomBytes(32), PLACE)
  t.throws(() => unlockRoot({ ...theirs, commit: ours.commit }, wrapKey, PLACE), { code: 'bad-key-commitment' })
  t.equal(unlockRoot({ ...ours, commit: theirs.commit }, wrapKey, PLACE), null)
  t.end()
})

t.test('one secret gives each way in a key of its own', (t) => {
  const secret = randomBytes(32)
  const keys = KEYRING_METHODS.map((method) => deriveRootWrapKey(method, secret))
  for (const [index, key] of keys.entries()) {
    t.notOk(keys.some((other, at) => at !== index && equalBytes(other, key)))
  }
  t.throws(() => deriveRootWrapKey('passkey', new Uint8Array(8)), /at least 128 bits/)
  t.end()
})

t.test('private bytes open for their root, purpose and id, and for no other', (t) => {
  const place = { purpose: 'vault-title', id: 'vault-1' } as const
  const title = new TextEncoder().encode('Series A')
  const sealed = sealPrivate(root, place, title)
  t.same(openPrivate(root, place, sealed), title)
  t.equal(openPrivate(makeRoot(), place, sealed), null)
  t.equal(openPrivate(root, { ...place, id: 'vault-2' }, sealed), null)
  t.equal(openPrivate(root, { ...place, purpose: 'grant-name' }, sealed), null)
  t.equal(openPrivate(root, place, sealed.subarray(0, 39)), null)
  t.equal(openPrivate(root, place, new Uint8Array(70_000)), null)
  t.throws(() => sealPrivate(root, place, new Uint8Array(65_537)), /stay small/)
  t.end()
})
