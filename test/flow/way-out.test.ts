// Goal: a founder takes her vault out of the browser, and programs that are not ours read it, byte for byte.
// Method: the built server, a real deck with a lock line, the dialog and its downloads; typage with the key
// that was saved, and the system's tar.
import { execFile } from 'node:child_process'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Decrypter } from 'age-encryption'
import t, { type Test } from 'tap'
import { normalisePdf } from '../../protocol/pdf/normalise.js'
import { useChromium } from '../helpers/chromium.js'
import { makeDeck } from '../helpers/pdf.js'
import { startServer } from '../helpers/server.js'
import { Founder } from './main-job/founder.js'

const execute = promisify(execFile)
const TIMEOUT_MS = 400_000
const SAVED_COUNT = 6

/** Presses what saves, and waits for all of its files. */
async function savesAll(founder: Founder): Promise<Map<string, string>> {
  const saved = new Map<string, string>()
  const done = new Promise<void>((resolve, reject) => {
    founder.page.on('download', (download) => {
      const path = join(founder.server.folder, download.suggestedFilename())
      download.saveAs(path).then(() => {
        saved.set(download.suggestedFilename(), path)
        if (saved.size === SAVED_COUNT) resolve()
      }, reject)
    })
  })
  await founder.find('alertdialog', /^Take/).getByRole('button', { name: 'Export' }).click()
  await done
  return saved
}

/** The file inside, by typage and tar. */
async function opens(agePath: string, identity: string, into: string): Promise<Uint8Array> {
  const decrypter = new Decrypter()
  decrypter.addIdentity(identity)
  const archive = await decrypter.decrypt(await readFile(agePath))
  await mkdir(into)
  await writeFile(`${into}.tar`, archive)
  await execute('tar', ['xf', `${into}.tar`, '-C', into])
  return await readFile(join(into, 'plan.pdf'))
}

async function takesOut(t: Test, founder: Founder): Promise<Map<string, string>> {
  await founder.presses(/^More$/)
  await founder.presses('Export', 'menuitem')
  await founder.find('alertdialog', /^Take/).waitFor()
  await founder.reads('key.txt')
  await founder.checks('export')
  const saved = await savesAll(founder)
  await founder.reads('Exported')
  t.same([...saved.keys()].sort(), [
    '01-A-plan-v1-open.age', '01-A-plan-v1.age', 'README.txt', 'key.txt', 'log.json', 'vault.json',
  ].sort())
  return saved
}

t.test('a vault leaves by the browser', { timeout: TIMEOUT_MS }, async (t) => {
  const browser = await useChromium(t)
  const server = await startServer(t, { engines: 'embedded' })
  const founder = await Founder.sitsDown({ t, browser, server }, { name: 'Ada Lovelace', email: 'ada@startup.example' }, { passkey: 'prf' })
  await founder.signsUpWithPasskey()
  await founder.keepsRecoveryCode()
  const pdf = await makeDeck({ pageCount: 3, imageSizeBytes: 20_000, canary: 'quokka' })
  const path = join(server.folder, 'plan.pdf')
  await writeFile(path, pdf)
  await founder.drops(path)
  await founder.sealsDeck({ title: 'A plan', openCount: 2, pageCount: 3, by: 'keyboard' })
  await founder.createsLink()
  await founder.presses('Done')

  const saved = await takesOut(t, founder)
  const pathOf = (name: string) => saved.get(name) ?? ''
  const identity = /^AGE-SECRET-KEY-PQ-1\w+$/m.exec(await readFile(pathOf('key.txt'), 'utf8'))?.[0]
  const whole = await opens(
    pathOf('01-A-plan-v1.age'), identity ?? '', join(server.folder, 'whole'))
  const expected = await normalisePdf(new Uint8Array(pdf))
  t.ok(expected.kind === 'normalised' && Buffer.from(whole).equals(expected.bytes), 'byte for byte')
  const open = await opens(
    pathOf('01-A-plan-v1-open.age'), identity ?? '', join(server.folder, 'open'))
  t.match(Buffer.from(open).subarray(0, 5).toString(), '%PDF-')

  const verified = await execute('npx', ['--no', 'sealdeck', 'verify', 'export', pathOf('log.json'), '--vkey', server.vkey])
  t.match(verified.stdout, /^VERIFIED/m)
  t.match(await readFile(pathOf('README.txt'), 'utf8'), 'age -d -i key.txt 01-A-plan-v1.age')
  t.same(founder.complaints, [], 'nothing to complain about')
})
