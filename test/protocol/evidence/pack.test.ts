// Goal: an evidence pack proves who agreed to what, to whoever holds it and nobody's server; nothing in
// it can be changed unseen; any zip program opens it.
// Method: packs of a vault, of one person and of a reader's own receipts, checked whole and file by
// file; every file with one bit flipped, with and without its hash put right; time-stamps by OpenSSL as the
// authority; unzip, sha256sum, openssl and pdftotext where they are installed.
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { decodeUtf8, encodeHex, encodeUtf8 } from '../../../protocol/bytes.js'
import { checkEvidence, type EvidenceReport } from '../../../protocol/evidence/check.js'
import { checksumsOf, CHECKSUMS_NAME } from '../../../protocol/evidence/checksums.js'
import { buildPack } from '../../../protocol/evidence/pack.js'
import { gatherStamps } from '../../../protocol/evidence/stamps.js'
import { formatExport } from '../../../protocol/log/export.js'
import { formatZip, parseZip, type PackFile } from '../../../protocol/evidence/zip.js'
import { hashLeaf } from '../../../protocol/log/merkle.js'
import { entryOfOpening } from '../../../protocol/log/event.js'
import { policyOfLog } from '../../../protocol/log/policy.js'
import { decodeOpening, parseProof } from '../../../protocol/log/proof.js'
import { hasOpenssl, startTimeStampAuthority } from '../../helpers/time-stamp-authority.js'
import { LOG_VKEY, ORIGIN, SIGNER_VKEY } from '../log/worked-example.js'
import {
  ada, ADA, agreement, AGREEMENT_SHA256, aigul, AIGUL, common, fileIn, packVault, policy,
  SignedVault, STAMPED_NOTE, stampOf, story, unpack,
} from './signed-vault.js'

const vaultPack = await packVault()
const adaPack = await packVault(ada.party)

function check(bytes: Uint8Array): EvidenceReport {
  return checkEvidence([{ name: 'pack.zip', bytes }], policy)
}

/** The files with one of them replaced, and the list of hashes made anew. */
function repacked(files: readonly PackFile[], changed: PackFile): PackFile[] {
  const others = files.filter(({ name }) => name !== CHECKSUMS_NAME)
    .map((file) => file.name === changed.name ? changed : file)
  return [...others, checksumsOf(others)]
}

function flipped({ name, bytes }: PackFile, bit: number): PackFile {
  const changed = new Uint8Array(bytes)
  const at = Math.floor(bit / 8) % bytes.length
  changed[at] = (changed[at] ?? 0) ^ (1 << (bit % 8))
  return { name, bytes: changed }
}

function failures({ files }: EvidenceReport): string[] {
  return files.filter(({ verdict }) => verdict === 'failed').map(({ name }) => name)
}

t.test('the pack of a vault says who agreed to what, and what it opened', async (t) => {
  const report = check(vaultPack)
  t.equal(report.outcome, 'verified')
  t.same(failures(report), [])
  t.same(report.findings, [])
  t.equal(report.trust, 'named')
  t.same(report.acceptances.map(({ acceptance }) => acceptance?.name), [ADA.name, AIGUL.name])
  const [first] = report.acceptances
  t.equal(first?.proof?.index, 4n)
  t.equal(first?.agreementFile, `agreements/${AGREEMENT_SHA256}.txt`)
  t.same(first?.releases.map(({ index }) => index), [5n])
  t.equal(first?.emailProof?.index, 2n)
  t.same(first?.proof?.seen.cosignatures.map(({ witness }) => witness), ['w1'])
  t.equal(report.events.length, story.log.events.length)
  const kinds = report.files.map(({ kind, verdict }) => `${kind} ${verdict}`)
  for (const kind of ['agreement', 'statement', 'receipt', 'details', 'export', 'checkpoint']) {
    t.ok(kinds.includes(`${kind} proved`), kind)
    t.notOk(kinds.includes(`${kind} unjudged`), kind)
  }
})

t.test('the pack of one person holds nothing of another', async (t) => {
  const report = check(adaPack)
  t.equal(report.outcome, 'verified')
  t.same(report.acceptances.map(({ acceptance }) => acceptance?.name), [ADA.name])
  t.ok(report.events.every(({ event }) => event?.party !== aigul.party))
  t.same(report.events.map(({ event }) => event?.type), [
    'nda.published', 'grant.made', 'email.verified', 'device.enrolled', 'nda.accepted', 'header.released',
  ])
  t.notOk(Buffer.from(adaPack).includes('aigul@qor.example'))
})

t.test('a reader packs her own receipts, without an export', async (t) => {
  const receipts = await story.receiptsOf(aigul.party)
  const pack = await buildPack({ ...common, language: 'ru', proofs: { receipts } })
  const report = check(pack)
  t.equal(report.outcome, 'verified')
  t.same(report.acceptances.map(({ acceptance }) => acceptance?.name), [AIGUL.name])
  t.equal(report.acceptances[0]?.agreementFile, `agreements/${AGREEMENT_SHA256}.txt`)
  t.same(report.findings, [])
})

t.test('who may not see identities gets a pack without them', async (t) => {
  const audit = await story.export()
  const events = audit.events.map(({ details: _details, ...event }) => event)
  const proofs = { exportText: formatExport({ ...audit, events }), party: null }
  const pack = await buildPack({ ...common, agreements: [], proofs })
  const report = check(pack)
  t.equal(report.outcome, 'verified')
  t.same(report.acceptances.map(({ acceptance }) => acceptance), [null, null])
  t.notOk(Buffer.from(pack).includes(ADA.email))
})

t.test('the same proofs give the same bytes', async (t) => {
  t.same(await packVault(), vaultPack)
})

t.test('without a policy of the reader\'s own the report says whose word the key is', async (t) => {
  const report = checkEvidence([{ name: 'pack.zip', bytes: vaultPack }], null)
  t.equal(report.trust, 'files')
  t.equal(report.outcome, 'verified')
})

t.test('a policy of another log believes nothing', async (t) => {
  const report = checkEvidence([{ name: 'pack.zip', bytes: vaultPack }], policyOfLog(SIGNER_VKEY))
  t.equal(report.outcome, 'failed')
  t.same(report.acceptances.filter(({ proof }) => proof !== null), [])
})

t.test('a bit flipped anywhere in the zip is found', async (t) => {
  const count = 400
  const pack = { name: 'pack.zip', bytes: adaPack }
  const bits = Array.from({ length: count }, (_, at) => Math.floor(at * adaPack.length * 8 / count))
  const missed = bits.filter((bit) => check(flipped(pack, bit).bytes).outcome !== 'failed')
  t.same(missed, [])
})

t.test('a bit flipped in any file is found by the list of hashes, and the file named', async (t) => {
  const files = unpack(adaPack)
  for (const [at, file] of files.entries()) {
    const changed = files.map((other) => other === file ? flipped(file, at * 37 + 3) : other)
    const report = check(formatZip(changed))
    t.equal(report.outcome, 'failed', file.name)
    if (file.name !== CHECKSUMS_NAME) t.ok(failures(report).includes(file.name), file.name)
  }
})

t.test('a bit flipped in what proves is found even if its hash was put right', async (t) => {
  const files = unpack(adaPack)
  const proving = files.filter(({ name }) =>
    /^(?:receipts|acceptances|agreements|checkpoints)\/|^events\.json$/.test(name))
  t.ok(proving.length >= 9, 'acceptance, agreement, receipts with details, events, checkpoint')
  for (const file of proving) {
    for (let flip = 0; flip < 16; flip++) {
      const bit = Math.floor(flip * file.bytes.length * 8 / 16) + flip % 8
      const report = check(formatZip(repacked(files, flipped(file, bit))))
      if (report.outcome !== 'failed') t.fail(`${file.name}, bit ${bit}`)
    }
  }
})

t.test('a file added, left out or renamed is found', async (t) => {
  const files = unpack(adaPack)
  const receipt = fileIn(files, /nda\.accepted\.tlog-proof$/)
  const added = [...files, { name: 'receipts/extra.txt', bytes: encodeUtf8('hello') }]
  t.equal(check(formatZip(added)).outcome, 'failed', 'added')
  t.equal(check(formatZip(files.filter((file) => file !== receipt))).outcome, 'failed', 'left out')
  const renamed = files.map((file) => file === receipt ? { ...file, name: 'receipts/note.txt' } : file)
  t.equal(check(formatZip(renamed)).outcome, 'failed', 'renamed')
  const unlisted = files.filter(({ name }) => name !== CHECKSUMS_NAME)
  t.equal(check(formatZip(unlisted)).outcome, 'failed', 'no list')
})

t.test('the acceptance of another in the place of this one is refused', async (t) => {
  const files = unpack(adaPack)
  const file = fileIn(files, /^acceptances\//)
  const report = check(formatZip(repacked(files, { ...file, bytes: encodeUtf8(aigul.note) })))
  t.same(failures(report), [file.name])
  t.equal(report.files.find(({ verdict }) => verdict === 'failed')?.code, 'bad-details')
})

t.test('another agreement in the place of this one is refused', async (t) => {
  const files = unpack(adaPack)
  const file = fileIn(files, /^agreements\//)
  const text = decodeUtf8(agreement).replace('Grace', 'Grape')
  const changed = repacked(files, { ...file, bytes: encodeUtf8(text) })
  t.same(failures(check(formatZip(changed))), [file.name])
})

t.test('nothing is packed that does not hold', async (t) => {
  const audit = await story.export()
  const events = audit.events.map((event, at) => at === 3 ? { ...event, path: [] } : event)
  const proofs = { exportText: formatExport({ ...audit, events }), party: null }
  await t.rejects(buildPack({ ...common, proofs }), { code: 'bad-proof' })
  await t.rejects(buildPack({ ...common, policy: policyOfLog(SIGNER_VKEY), proofs }), { code: 'wrong-origin' })
})

// ---- loose files

t.test('loose files are told apart by what they are, and checked together', async (t) => {
  const files = unpack(adaPack)
  const receipt = fileIn(files, /nda\.accepted\.tlog-proof$/)
  const note = { name: 'x.bin', bytes: encodeUtf8(ada.note) }
  const text = { name: 'nda', bytes: agreement }
  const report = checkEvidence([text, note, { ...receipt, name: 'a' }], policyOfLog(LOG_VKEY))
  t.same(report.files.map(({ kind, verdict }) => `${kind} ${verdict}`),
    ['agreement proved', 'statement proved', 'receipt proved'])
  t.equal(report.acceptances[0]?.acceptance?.name, ADA.name)
  t.equal(report.acceptances[0]?.proof?.seen.checkpoint.origin, ORIGIN)
  t.same(report.findings, [], 'a single receipt owes nobody its permission')

  const other = { name: 'nda', bytes: encodeUtf8(`${decodeUtf8(agreement)}\n`) }
  t.equal(checkEvidence([other, receipt], policyOfLog(LOG_VKEY)).outcome, 'failed')
  t.equal(checkEvidence([receipt], null).outcome, 'nothing', 'no key, no verdict')
  t.equal(checkEvidence([{ name: 'x', bytes: encodeUtf8('hello') }], null).outcome, 'nothing')
  t.equal(checkEvidence([], null).outcome, 'nothing')
})

t.test('a signed note alone is a signature, and no receipt', async (t) => {
  const report = checkEvidence([{ name: 'a.txt', bytes: encodeUtf8(ada.note) }], null)
  t.equal(report.outcome, 'verified')
  t.equal(report.acceptances[0]?.proof, null)
  t.equal(report.acceptances[0]?.acceptance?.email, ADA.email)
})

t.test('two histories of one log are evidence of a fork', async (t) => {
  const other = new SignedVault()
  other.tell({ type: 'nda.published', agreementSha256: '00'.repeat(32) })
  other.tell({ type: 'nda.published', agreementSha256: '01'.repeat(32) })
  while (other.log.events.length < story.log.events.length) {
    other.tell({ type: 'nda.published', agreementSha256: '02'.repeat(32) })
  }
  const notes = [story, other].map(({ log }, at) =>
    ({ name: `${at}.txt`, bytes: encodeUtf8(log.checkpoint) }))
  const report = checkEvidence(notes, policy)
  t.equal(report.outcome, 'failed')
  t.equal(report.files.find(({ verdict }) => verdict === 'failed')?.code, 'forked-log')
})

// ---- time-stamps

const tsaFolder = mkdtempSync(join(tmpdir(), 'sealdeck-tsa-'))
t.teardown(() => rmSync(tsaFolder, { recursive: true, force: true }))
const skip = hasOpenssl() ? false : 'no openssl on this machine'

t.test('a time-stamp over an earlier tree says when the signature was there', { skip }, async (t) => {
  const { reply, caPem } = await startTimeStampAuthority(t, tsaFolder)
  const size = story.log.events.length
  const stamp = await stampOf(story, { checkpoint: STAMPED_NOTE, size, reply })
  const pack = await packVault(null, [stamp])
  const report = check(pack)
  t.same(failures(report), [])
  t.equal(report.outcome, 'verified')
  const [first, second] = report.acceptances
  t.equal(first?.stamp?.tokenFile, 'timestamps/0000000000000006.tsr')
  t.ok(Math.abs((first?.stamp?.atMs ?? 0) - Date.now()) < 60_000)
  t.equal(second?.stamp, null, 'what was signed later is not under it')
  t.equal(report.trust, 'named', 'although no witness had seen the stamped tree')

  const files = unpack(pack)
  const stamped = files.filter(({ name }) => name.startsWith('timestamps/'))
  t.same(stamped.map(({ name }) => name.slice(11)), [
    '0000000000000006.checkpoint', '0000000000000006.tsr', '0000000000000006.pem',
    '0000000000000006-0000000000000010.growth',
  ])
  t.match(decodeUtf8(fileIn(files, /^README/).bytes), /Time-stamped +was there by 20.* UTC, says timestamps\/0/)
  checkByOpenssl(t, { files, caPem })

  for (const [pattern, changed, code] of [
    [/\.checkpoint$/, story.log.checkpoint, 'bad-time-stamp'],
    [/\.growth$/, decodeUtf8(fileIn(files, /\.growth$/).bytes).replace(/\n./, (two) => two === '\nA' ? '\nB' : '\nA'), 'bad-proof'],
    [/\.growth$/, decodeUtf8(fileIn(files, /\.growth$/).bytes).replace('old 6', 'old 7'), 'bad-proof'],
    [/\.pem$/, caPem, 'bad-time-stamp'],
    [/\.tsr$/, 'hello', 'bad-time-stamp'],
  ] as const) {
    const file = fileIn(files, pattern)
    const other = check(formatZip(repacked(files, { ...file, bytes: encodeUtf8(changed) })))
    t.equal(other.outcome, 'failed', file.name)
    const failed = pattern.source.includes('checkpoint') ? /\.tsr$/ : pattern
    t.equal(other.files.find(({ name }) => failed.test(name))?.code, code, file.name)
  }
  const ungrown = files.filter(({ name }) => !name.endsWith('.growth'))
  const unlinked = check(formatZip(repacked(ungrown, fileIn(files, /\.tsr$/))))
  t.equal(unlinked.acceptances[0]?.stamp, null, 'trees that nothing links say nothing of each other')
})

/** By the very commands that the pack names. */
function checkByOpenssl(
  t: Test, { files, caPem }: { files: readonly PackFile[], caPem: string },
): void {
  for (const { name, bytes } of files.filter((file) => file.name.startsWith('timestamps/'))) {
    mkdirSync(join(tsaFolder, 'timestamps'), { recursive: true })
    writeFileSync(join(tsaFolder, name), bytes)
  }
  writeFileSync(join(tsaFolder, 'AUTHORITY.pem'), caPem)
  const steps = decodeUtf8(fileIn(files, /^HOW-TO-CHECK/).bytes)
  const commands = steps.split('\n').filter((line) => line.startsWith('       openssl ts '))
  const said = commands.map((command) =>
    spawnSync('sh', ['-c', `${command} 2>&1`], { cwd: tsaFolder, encoding: 'utf8' }).stdout).join('')
  t.match(said, /Verification: OK/)
  t.match(said, /Time stamp: /)
}

t.test('a time-stamp over a later tree counts, one of another history is a fork', { skip }, async (t) => {
  const { reply } = await startTimeStampAuthority(t, tsaFolder)
  const vault = new SignedVault()
  vault.tell({ type: 'nda.published', agreementSha256: AGREEMENT_SHA256 })
  const { party } = vault.signs(ADA, 0x41)
  const receipts = await vault.receiptsOf(party)
  const size = vault.log.events.length
  const later = vault.log.checkpoint
  vault.tell({ type: 'log.recovered', size: 5, count: 0 })
  const stamp = await stampOf(vault, { checkpoint: vault.log.checkpoint, size, reply })
  const same = await stampOf(vault, { checkpoint: later, size, reply })
  for (const stamps of [[stamp], [same]]) {
    const report = check(await buildPack({ ...common, proofs: { receipts }, stamps }))
    t.equal(report.outcome, 'verified')
    const expected = BigInt(stamps[0] === stamp ? size + 1 : size)
    t.equal(report.acceptances[0]?.stamp?.checkpoint.size, expected)
  }
  const forked = { ...same, checkpoint: STAMPED_NOTE.replace(/^6$/m, `${size}`) }
  await t.rejects(buildPack({ ...common, proofs: { receipts }, stamps: [forked] }), { code: 'bad-signature' })
  const other = new SignedVault()
  while (other.log.events.length < size) {
    other.tell({ type: 'nda.published', agreementSha256: '02'.repeat(32) })
  }
  const fork = await stampOf(other, { checkpoint: other.log.checkpoint, size, reply })
  await t.rejects(buildPack({ ...common, proofs: { receipts }, stamps: [fork] }), { code: 'forked-log' })
})

t.test('the first stamp over each entry is asked for, signatures first, none twice', async (t) => {
  const types = ['nda.published', 'email.verified', 'nda.accepted', 'header.released', 'email.verified', 'nda.accepted', 'header.released'] as const
  const entries = types.map((type, at) => ({ index: at * 10, size: 100, type, log: ORIGIN }))
  const asked: number[] = []
  const stampedSizes = [5, 25, 58]
  const stamps = await gatherStamps(entries, async ({ index, size }) => {
    asked.push(index)
    const stamped = stampedSizes.find((one) => one > index)
    if (stamped === undefined) return null
    const checkpoint = story.log.checkpoint.replace(/^10$/m, `${stamped}`)
    return { checkpoint, token: new Uint8Array(), size, proof: [] }
  })
  t.same(asked, [20, 50, 60], 'earlier entries are under the first, and nothing is over the last')
  t.same(stamps.map(({ checkpoint }) => checkpoint.split('\n')[1]), ['25', '58'])
  const many = Array.from({ length: 200 }, (_, index) => ({ index, size: 1000, type: 'nda.accepted' as const, log: ORIGIN }))
  const bounded = await gatherStamps(many, async ({ index, size }) => ({
    checkpoint: story.log.checkpoint.replace(/^10$/m, `${index + 1}`), token: new Uint8Array(), size, proof: [],
  }))
  t.equal(bounded.length, 32)
})

// ---- others' programs

t.test('other programs open the pack and find the same', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'sealdeck-pack-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  writeFileSync(join(folder, 'pack.zip'), vaultPack)
  const files = parseZip(vaultPack)
  function run(command: string, args: readonly string[]): string | null {
    const has = spawnSync('sh', ['-c', `command -v ${command}`]).status === 0
    if (!has) t.comment(`${command} is not installed`)
    return has ? execFileSync(command, args, { cwd: folder, encoding: 'utf8' }) : null
  }

  const unzipped = run('unzip', ['-q', 'pack.zip'])
  if (unzipped === null) return
  const sums = run('sha256sum', ['-c', '--quiet', CHECKSUMS_NAME])
  if (sums !== null) t.equal(sums, '')

  const howTo = decodeUtf8(fileIn(files, /^HOW-TO-CHECK/).bytes)
  const commands = howTo.split('\n').filter((line) => /^ {7}(?:grep|tail|\()/.test(line)).join('\n')
  t.match(commands, 'sealdeck/event-commitment/v1')
  const leaf = run('bash', ['-euo', 'pipefail', '-c', commands])
  const proof = parseProof(decodeUtf8(fileIn(files, /\.tlog-proof$/).bytes))
  const entry = entryOfOpening(decodeOpening(proof.extra ?? new Uint8Array()))
  if (leaf !== null) t.match(leaf, encodeHex(hashLeaf(entry)), 'openssl comes to the same leaf')

  const text = run('pdftotext', ['-layout', 'certificate.pdf', '-'])
  if (text !== null) {
    const drawn = [ADA.name, AIGUL.name, ADA.email, AGREEMENT_SHA256.slice(0, 20)]
    for (const words of drawn) t.match(text, words)
  }
})
