// Goal: what a founder takes out of the browser opens in a program that is not ours, and nothing that
// was tampered with gets that far.
// Method: the worker's core seals and exports; typage and the identity it gave read the file.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Decrypter } from 'age-encryption'
import t from 'tap'
import { ready } from '../../protocol/sodium.js'
import { makeClient, sealAndStore, sealInput, sourceOfStored } from './founder-fixture.js'

await ready()

const { crypto } = makeClient()
await crypto.createRoot()
const original = new Uint8Array(9_000_003).map((_, index) => index % 241)
const input = sealInput({ file: new Blob([original]) })
const stored = await sealAndStore(crypto, input)
const own = { vaultId: input.vaultId, version: stored.version, previousRecords: [] }

t.test('header and payload are an age file, the file in it byte for byte', async (t) => {
  const progress: number[] = []
  const file = await crypto.exportVersion(
    own, sourceOfStored(stored), (doneBytes) => { progress.push(doneBytes) })
  t.same(progress.toSorted((a, b) => a - b), progress)
  const decrypter = new Decrypter()
  const key = /^AGE-SECRET-KEY-PQ-1\w+$/m.exec(await crypto.exportKeyFile())?.[0] ?? ''
  decrypter.addIdentity(key)
  const archive = await decrypter.decrypt(new Uint8Array(await file.arrayBuffer()))
  const folder = mkdtempSync(join(tmpdir(), 'sealdeck-leaving-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  execFileSync('tar', ['x', '-C', folder], { input: archive })
  t.ok(readFileSync(join(folder, 'deck.pdf')).equals(original))
})

t.test('what does not verify is not exported', async (t) => {
  const payload = stored.payload.slice()
  payload[7_000_000] = (payload[7_000_000] ?? 0) ^ 1
  const tampered = sourceOfStored({ ...stored, payload })
  await t.rejects(crypto.exportVersion(own, tampered, () => undefined), { message: /^bad-chunk-hash/ })
  const elsewhere = { ...own, vaultId: sealInput().vaultId }
  await t.rejects(crypto.exportVersion(elsewhere, sourceOfStored(stored), () => undefined), { message: /^wrong-vault/ })
})
