// Goal: an investor takes her evidence with one press, and anybody checks it with one file and no network.
// Method: the real gate in Chromium; the pack it saves, checked on the command line; then verify.html opened
// from a disk, given the pack whole, damaged, and in pieces, with every request recorded.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import t, { type Test } from 'tap'
import { encodeUtf8 } from '../../protocol/bytes.js'
import { checkEvidence } from '../../protocol/evidence/check.js'
import { formatZip, parseZip, type PackFile } from '../../protocol/evidence/zip.js'
import { formatExport } from '../../protocol/log/export.js'
import { policyOfLog } from '../../protocol/log/policy.js'
import { findProgram } from '../helpers/engine.js'
import { main } from '../../scripts/sealdeck.js'
import { openProfile, useChromium, type Profile, type ProfileOptions } from '../helpers/chromium.js'
import { findViolations } from '../helpers/axe.js'
import { Founder } from '../helpers/people.js'
import { ADA, agreement, story } from '../protocol/evidence/signed-vault.js'
import { LOG_VKEY } from '../protocol/log/worked-example.js'
import { serveWorld } from '../web/serve.js'
import { sharesPitch } from './pitch.js'
import { visit, type Stand } from './visitor.js'

const browser = await useChromium(t)
const stand: Stand = { browser, ...await serveWorld(t, { EMAIL_CODES_PER_NETWORK: '1000' }) }
const vkey = stand.world.world.keys.log.vkey
const folder = mkdtempSync(join(tmpdir(), 'sealdeck-evidence-'))
t.teardown(() => rmSync(folder, { recursive: true, force: true }))
const NAME = 'Айгүл Әбдіқызы'

function write(name: string, bytes: Uint8Array): string {
  const path = join(folder, name)
  writeFileSync(path, bytes)
  return path
}

async function verifies(...args: string[]): Promise<{ status: number, out: string }> {
  const out: string[] = []
  const say = (line: string): void => { out.push(line) }
  const status = await main(['verify', 'evidence', ...args], { out: say, err: say, isWatched: false })
  return { status, out: out.join('\n') }
}

const founder = await new Founder(stand.world).signsUp()
const link = await sharesPitch(founder)
const reader = await visit(stand, { name: NAME, email: 'aigul@qor.example' })
await reader.comesIn(link)
await reader.signs()
await reader.reads('Signed, and on record')
const saved = await reader.saves('Evidence pack')
const packPath = write('pack.zip', saved.bytes)
const files = parseZip(saved.bytes)
const verifierPath = write('verify.html', fileIn(files, /^verify\.html$/).bytes)

function fileIn(all: readonly PackFile[], pattern: RegExp): PackFile {
  const file = all.find(({ name }) => pattern.test(name))
  if (file === undefined) throw new Error(`no file ${pattern.source}`)
  return file
}

t.test('one press saves a pack that proves itself', async (t) => {
  t.equal(saved.fileName, 'sealdeck-evidence.zip')
  const report = checkEvidence([{ name: 'pack.zip', bytes: saved.bytes }], policyOfLog(vkey))
  t.equal(report.outcome, 'verified')
  t.same(report.findings, [])
  const [accepted] = report.acceptances
  t.equal(accepted?.acceptance?.name, NAME)
  t.ok(accepted?.agreementFile)
  t.ok(accepted?.emailProof)
  t.ok((accepted?.releases.length ?? 0) > 0)
  const { status, out } = await verifies(packPath, '--vkey', vkey)
  t.equal(status, 0, out)
  t.match(out, NAME)
  t.same(reader.complaints, [], 'nothing that the policy had to stop')
})

t.test('the command line makes a pack of an export, without a server', async (t) => {
  const exportPath = write('log.json', encodeUtf8(formatExport(await story.export())))
  const agreementPath = write('nda.txt', agreement)
  const out = join(folder, 'made.zip')
  const said: string[] = []
  const say = (line: string) => said.push(line)
  const terminal = { out: say, err: say, isWatched: false }
  const args = ['evidence', exportPath, out, '--agreement', agreementPath, '--vkey', LOG_VKEY]
  const person = ['--person', ADA.email.toUpperCase(), '--language', 'ru']
  t.equal(await main([...args, ...person], terminal), 0, said.join('\n'))
  const made = await verifies(out, '--vkey', LOG_VKEY)
  t.equal(made.status, 0, made.out)
  t.match(made.out, ADA.name)
  t.match(made.out, 'byte for byte')
  t.equal(await main([...args, '--person', 'nobody@fund.example'], terminal), 1, 'nobody like that')
  t.equal(await main([...args, '--language', 'de'], terminal), 2)
})

t.test('the certificate can be read, in the reader\'s own letters', async (t) => {
  const pdftotext = findProgram('pdftotext')
  if (pdftotext === undefined) return t.comment('pdftotext is not installed')
  write('certificate.pdf', fileIn(files, /\.pdf$/).bytes)
  const text = execFileSync(pdftotext, ['-layout', join(folder, 'certificate.pdf'), '-'], { encoding: 'utf8' })
  for (const words of [NAME, 'aigul@qor.example', 'by a code sent to it']) t.match(text, words)
})

// ---- verify.html, from a disk

async function opensFile(t: Test, options: ProfileOptions = {}): Promise<Profile> {
  const profile = await openProfile(browser, options)
  t.teardown(() => profile.close())
  await profile.context.setOffline(true)
  await profile.page.goto(pathToFileURL(verifierPath).href)
  return profile
}

async function drops({ page }: Profile, ...paths: readonly string[]): Promise<void> {
  await page.locator('input[type=file]').setInputFiles([...paths])
}

/** Nothing was asked for but the file itself. */
function staysAlone(t: Test, { requests, complaints }: Profile): void {
  t.same(requests.map(({ url }) => url), [pathToFileURL(verifierPath).href], 'no request but for itself')
  t.same(complaints, [], 'and none that its policy had to stop')
}

t.test('the file says from a disk who agreed to what, without any request', async (t) => {
  for (const options of [{}, { locale: 'ru', isPhone: true }, { colorScheme: 'dark' }] as const) {
    const profile = await opensFile(t, options)
    await drops(profile, packPath)
    const isRussian = 'locale' in options
    await profile.page.getByText(isRussian ? 'pack.zip: Проверено' : 'pack.zip: Verified').waitFor()
    await profile.page.getByText(NAME).first().waitFor()
    const overhang: number = await profile.page.evaluate('document.documentElement.scrollWidth - innerWidth')
    t.ok(overhang <= 0, 'nothing sticks out')
    staysAlone(t, profile)
  }
})

t.test('everybody can read it', async (t) => {
  const profile = await openProfile(browser, { bypassesCsp: true })
  t.teardown(() => profile.close())
  await profile.page.goto(pathToFileURL(verifierPath).href)
  t.same(await findViolations(profile.page), [])
  await drops(profile, packPath)
  await profile.page.getByText('pack.zip: Verified').waitFor()
  t.same(await findViolations(profile.page), [])
})

t.test('the key that a reader brings decides', async (t) => {
  const profile = await opensFile(t)
  const { page } = profile
  await page.getByLabel(/^Whom you believe/).fill(vkey)
  await drops(profile, packPath)
  await page.getByText('The key of the log is the one that you named.').waitFor()
  const other = vkey.replace(/^[^+]+/, 'log.other.example')
  await page.getByLabel(/^Whom you believe/).fill(other)
  await page.getByLabel(/^Whom you believe/).blur()
  await page.getByText('That is neither the key of a log nor a policy.').waitFor()
  staysAlone(t, profile)
})

t.test('a damaged pack is refused, and a changed file named', async (t) => {
  const profile = await opensFile(t)
  const damaged = new Uint8Array(saved.bytes)
  damaged[9000] = (damaged[9000] ?? 0) ^ 4
  await drops(profile, write('damaged.zip', damaged))
  await profile.page.getByText('damaged.zip: Not verified').waitFor()
  t.notOk(await profile.page.getByText(NAME).count(), 'and says nothing of what it holds')
  t.equal((await verifies(join(folder, 'damaged.zip'))).status, 1)

  const receipt = fileIn(files, /nda\.accepted\.tlog-proof$/)
  const changed = files.map((file) => file === receipt
    ? { ...file, bytes: Buffer.from(Buffer.from(file.bytes).toString('latin1').replace('index ', 'index 1'), 'latin1') }
    : file)
  await profile.page.getByRole('button', { name: 'Start again' }).click()
  await drops(profile, write('changed.zip', formatZip(changed)))
  await profile.page.getByText('changed.zip: Not verified').waitFor()
  await profile.page.getByText(receipt.name).first().waitFor()
  staysAlone(t, profile)
})

t.test('single files come together', async (t) => {
  const profile = await opensFile(t)
  const { page } = profile
  const [receipt, note, agreement, policy] = [/nda\.accepted\.tlog-proof$/, /^acceptances\//, /^agreements\//, /^policy\.txt$/]
    .map((pattern) => fileIn(files, pattern))
    .map(({ name, bytes }) => write(name.replace(/^.*\//, ''), bytes))
  await drops(profile, receipt ?? '')
  await page.getByText('Files: Nothing here proves anything').waitFor()
  await drops(profile, note ?? '', agreement ?? '', policy ?? '')
  await page.getByText('Files: Verified').waitFor()
  await page.getByText('accepted the agreement').first().waitFor()
  await page.getByText(/is it, byte for byte/).waitFor()
  await drops(profile, write('other-nda.txt', Buffer.from('# Another agreement\n')))
  await page.getByText('Files: Not verified').waitFor()
  staysAlone(t, profile)
})

t.test('the server hands the verifier out to be saved, the same as in the pack', async (t) => {
  const page = reader.page
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.evaluate(`location.assign('${stand.origin}/verify.html')`),
  ])
  t.equal(download.suggestedFilename(), 'sealdeck-verify.html')
  const path = join(folder, 'downloaded.html')
  await download.saveAs(path)
  t.ok(readFileSync(path).equals(Buffer.from(fileIn(files, /^verify\.html$/).bytes)))
  t.equal(dirname(path), folder)
  await reader.leaves()
})

t.test('the built file holds all it needs and names nobody', async (t) => {
  const html = readFileSync(join(fileURLToPath(new URL('../..', import.meta.url)), 'dist/web/verify.html'), 'utf8')
  t.match(html, /<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'sha256-/)
  t.notMatch(html, /<(?:script|link|img|iframe)[^>]*(?:src|href)=/, 'no file beside it')
})
