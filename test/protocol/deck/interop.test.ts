// Goal: what we seal, programs that we did not write open; what they seal, we open.
// Method: age-encryption (TypeScript, hybrid and X25519, armor, passphrase) both ways; the `age` program
// where it is installed; a sealed version opened by both as its owner would without us.
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { scrypt as nobleScrypt } from '@noble/hashes/scrypt.js'
import { Decrypter, Encrypter, armor, identityToRecipient } from 'age-encryption'
import t from 'tap'
import { concatBytes, equalBytes } from '../../../protocol/bytes.js'
import { readBytes } from '../../../protocol/deck/archive.js'
import { AgeReader, AgeWriter } from '../../../protocol/deck/age-file.js'
import { wrapFileKey } from '../../../protocol/deck/header.js'
import {
  deriveOwnerKeys, formatIdentity, formatRecipient, makeFileKey, makeIdentity, makeRoot,
  parseIdentity,
} from '../../../protocol/deck/identity.js'
import type { Identity, KeyType } from '../../../protocol/deck/identity.js'
import {
  identityUnwrapper, passphraseUnwrapper, wrapFor, wrapWithPassphrase,
} from '../../../protocol/deck/stanza.js'
import type { Scrypt, Stanza, Unwrapper } from '../../../protocol/deck/stanza.js'
import { randomBytes } from '../../../protocol/sodium.js'
import { sealVersion } from './sealed-world.js'

const SIZES = [0, 1, 65535, 65536, 65537, 200_000]
const LOG_N = 10

const scrypt: Scrypt = (passphrase, salt, logN) =>
  nobleScrypt(passphrase, salt, { N: 2 ** logN, r: 8, p: 1, dkLen: 32 })

function plaintextOf(size: number): Uint8Array<ArrayBuffer> {
  return size === 0 ? new Uint8Array(0) : randomBytes(size)
}

function sealFile(plaintext: Uint8Array, options: {
  stanzasFor: (fileKey: Uint8Array<ArrayBuffer>) => Stanza[], isArmored?: boolean,
}): Uint8Array<ArrayBuffer> {
  const fileKey = makeFileKey()
  const stanzas = options.stanzasFor(fileKey)
  const writer = new AgeWriter({ stanzas, fileKey, isArmored: options.isArmored ?? false })
  return concatBytes(...writer.push(plaintext), ...writer.end())
}

function openFile(file: Uint8Array, unwrapper: Unwrapper): Uint8Array {
  const reader = new AgeReader([unwrapper])
  return concatBytes(...reader.push(file), reader.end())
}

async function openByTypage(file: Uint8Array, identity: Identity): Promise<Uint8Array> {
  const decrypter = new Decrypter()
  decrypter.addIdentity(formatIdentity(identity))
  return decrypter.decrypt(file)
}

async function sealByTypage(plaintext: Uint8Array, identity: Identity): Promise<Uint8Array> {
  const encrypter = new Encrypter()
  encrypter.addRecipient(formatRecipient(identity.recipient))
  return encrypter.encrypt(plaintext)
}

for (const type of ['hybrid', 'x25519'] satisfies KeyType[]) {
  t.test(`${type}: typage opens ours, and we open typage's`, async (t) => {
    const identity = makeIdentity(type)
    const recipient = await identityToRecipient(formatIdentity(identity))
    t.equal(recipient, formatRecipient(identity.recipient))
    for (const size of SIZES) {
      const plaintext = plaintextOf(size)
      const ours = sealFile(plaintext, { stanzasFor: (key) => [wrapFor(identity.recipient, key)] })
      t.ok(equalBytes(await openByTypage(ours, identity), plaintext), `ours, ${size}`)
      const theirs = await sealByTypage(plaintext, identity)
      t.ok(equalBytes(openFile(theirs, identityUnwrapper(identity)), plaintext), `theirs, ${size}`)
    }
  })
}

t.test('several recipients: each opens, a stranger does not', async (t) => {
  const identities = [makeIdentity('hybrid'), makeIdentity('hybrid'), makeIdentity('hybrid')]
  const plaintext = randomBytes(1000)
  const file = sealFile(plaintext, {
    stanzasFor: (key) => identities.map(({ recipient }) => wrapFor(recipient, key)),
  })
  for (const identity of identities) {
    t.ok(equalBytes(openFile(file, identityUnwrapper(identity)), plaintext))
    t.ok(equalBytes(await openByTypage(file, identity), plaintext))
  }
  t.throws(() => openFile(file, identityUnwrapper(makeIdentity('hybrid'))), { code: 'wrong-header' })
})

t.test('armor: typage reads ours, and we read typage\'s', async (t) => {
  const identity = makeIdentity('hybrid')
  for (const size of SIZES) {
    const plaintext = plaintextOf(size)
    const ours = sealFile(plaintext,
      { stanzasFor: (key) => [wrapFor(identity.recipient, key)], isArmored: true })
    const bare = armor.decode(Buffer.from(ours).toString())
    t.ok(equalBytes(await openByTypage(bare, identity), plaintext), `ours, ${size}`)
    const theirs = Buffer.from(armor.encode(await sealByTypage(plaintext, identity)))
    t.ok(equalBytes(openFile(theirs, identityUnwrapper(identity)), plaintext), `theirs, ${size}`)
  }
})

t.test('passphrases: typage opens ours, and we open typage\'s', async (t) => {
  const plaintext = randomBytes(1000)
  const passphrase = 'correct horse battery staple'
  const ours = sealFile(plaintext,
    { stanzasFor: (key) => [wrapWithPassphrase(key, passphrase, { scrypt, logN: LOG_N })] })
  const decrypter = new Decrypter()
  decrypter.addPassphrase(passphrase)
  t.ok(equalBytes(await decrypter.decrypt(ours), plaintext))
  const encrypter = new Encrypter()
  encrypter.setPassphrase(passphrase)
  encrypter.setScryptWorkFactor(LOG_N)
  const theirs = await encrypter.encrypt(plaintext)
  t.ok(equalBytes(openFile(theirs, passphraseUnwrapper(passphrase, scrypt)), plaintext))
  t.throws(() => openFile(theirs, passphraseUnwrapper('another', scrypt)), { code: 'wrong-header' })
})

t.test('header and payload of a sealed version are an age file of its owner\'s', async (t) => {
  const owner = deriveOwnerKeys(makeRoot())
  const version = await sealVersion({ owner, fileSize: 100_000 })
  const file = concatBytes(wrapFileKey(version.fileKey, owner.identity.recipient), version.payload)
  const archive = await openByTypage(file, owner.identity)
  const whole = await readBytes(version.plaintext, { offset: 0, length: version.plaintext.size })
  t.ok(equalBytes(archive, whole))
})

const isAgeThere = spawnSync('age', ['--version']).status === 0

t.test('the age program opens ours, and we open its (X25519)', {
  skip: isAgeThere ? false : 'THE AGE PROGRAM IS NOT INSTALLED HERE',
}, (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'sealdeck-interop-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const path = (name: string) => join(folder, name)
  const key = execFileSync('age-keygen', { encoding: 'utf8', stdio: 'pipe' })
  writeFileSync(path('key.txt'), key)
  const identity = parseIdentity(/^AGE-SECRET-KEY-1.*$/m.exec(key)?.[0] ?? '')
  const recipient = formatRecipient(identity.recipient)
  for (const size of SIZES) {
    const plaintext = plaintextOf(size)
    const ours = sealFile(plaintext, { stanzasFor: (key) => [wrapFor(identity.recipient, key)] })
    const opened = execFileSync('age', ['-d', '-i', path('key.txt')], { input: ours })
    t.ok(equalBytes(opened, plaintext), `ours, ${size}`)
    for (const flags of [[], ['-a']]) {
      writeFileSync(path('plain'), plaintext)
      execFileSync('age', ['-r', recipient, ...flags, '-o', path('sealed'), path('plain')])
      const theirs = readFileSync(path('sealed'))
      t.ok(equalBytes(openFile(theirs, identityUnwrapper(identity)), plaintext), `${flags}, ${size}`)
      rmSync(path('sealed'))
    }
  }
  t.end()
})
