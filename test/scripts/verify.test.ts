// Goal: `sealdeck verify` says in plain words what was proved, and with its exit code whether.
// Method: real files in a folder of their own, from a log written as a server writes it; each file
// true, then damaged; the launcher once as a process of its own; a log over HTTP.
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { concatBytes, encodeHex, encodeUtf8 } from '../../protocol/bytes.js'
import { sha256 } from '../../protocol/hash.js'
import {
  formatAcceptance, hashRecipient, roleKey, signStatement, type Acceptance,
} from '../../protocol/log/acceptance.js'
import { commitEvent } from '../../protocol/log/event.js'
import { formatDetailsFile, formatExport } from '../../protocol/log/export.js'
import { ed25519Signer, formatVkey } from '../../protocol/log/note.js'
import { buildProof } from '../../protocol/log/proof.js'
import { ready, signKeyPairFromSeed } from '../../protocol/sodium.js'
import { main } from '../../scripts/sealdeck.js'
import {
  LOG_VKEY, listedEntry, ORIGIN, SIGNER_VKEY, VAULT_TAG_KEY, WITNESS_VKEY,
} from '../protocol/log/worked-example.js'
import { WrittenLog } from '../protocol/log/written-log.js'

await ready()

const root = fileURLToPath(new URL('../..', import.meta.url))
const VAULT = '01890a5d-ac96-774b-bcce-b302099a8057'
const PARTY = '01890a5d-ac96-774b-bcce-b302099a8059'
const NDA = 'The agreement.\n'

function useFolder(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'sealdeck-verify-'))
  t.teardown(() => { rmSync(folder, { recursive: true, force: true }) })
  return folder
}

/** Runs the command line in this process. */
async function sealdeck(...args: string[]) {
  const out: string[] = []
  const err: string[] = []
  const status = await main(args, {
    out: (line) => out.push(line), err: (line) => err.push(line), isWatched: false,
  })
  return { status, out: out.join('\n'), err: err.join('\n') }
}

function keyOf(role: 'founder' | 'link' | 'device', byte: number) {
  const seed = new Uint8Array(32).fill(byte)
  const key = roleKey(role, signKeyPairFromSeed(seed).publicKey)
  return { vkey: formatVkey(key), signer: ed25519Signer(key.name, seed) }
}

const founder = keyOf('founder', 0x21)
const link = keyOf('link', 0x22)
const device = keyOf('device', 0x23)

const acceptance: Acceptance = {
  name: 'Ada Lovelace',
  email: 'ada@fund.example',
  organisation: 'Fund I GP LLC',
  agreement: 'Mutual NDA (en), version 3',
  agreementSha256: encodeHex(sha256(encodeUtf8(NDA))),
  vault: VAULT,
  grantSha256: 'a2'.repeat(32),
  recordSha256s: [],
  founderKey: founder.vkey,
  linkKey: link.vkey,
  deviceKey: device.vkey,
  recipientSha256: hashRecipient('age1pq1q'),
  log: ORIGIN,
  consent: 'esign-disclosure version 2, accepted',
  signedAt: '2026-11-22T14:31:05.120Z',
  expiresAt: '2026-11-22T14:46:05.120Z',
  nonce: '8f'.repeat(32),
}
const NOTE = signStatement(formatAcceptance(acceptance), [link.signer, device.signer])

/** A vault's story: agreement published, accepted, key released. */
function writeStory(): WrittenLog {
  const log = new WrittenLog()
  const head = { log: ORIGIN, actor: 'server', vault: VAULT }
  const grant = 'AAECAwQFBgcICQoLDA0ODw'
  const { agreementSha256, grantSha256, linkKey, deviceKey, recipientSha256 } = acceptance
  log.appendEvent({
    ...head, type: 'nda.published', id: '01890a5d-ac96-774b-bcce-000000000001', at: '2026-11-22T14:00:00.000Z', agreementSha256,
  })
  const { opening } = log.appendEvent({
    ...head, type: 'nda.accepted', id: '01890a5d-ac96-774b-bcce-000000000002', at: '2026-11-22T14:31:06.000Z',
    party: PARTY, grant, agreementSha256, grantSha256, linkKey, deviceKey, recipientSha256,
  }, { name: 'Ada Lovelace', email: 'ada@fund.example', note: NOTE })
  log.appendEvent({
    ...head, type: 'header.released', id: '01890a5d-ac96-774b-bcce-000000000003', at: '2026-11-22T14:31:06.000Z',
    party: PARTY, grant, document: VAULT, part: 0, version: 1, recordSha256: grantSha256,
    headerSha256: grantSha256, recipientSha256,
    because: encodeHex(commitEvent(opening.salt, opening.eventBytes)),
  })
  return log
}

async function exportOf(log: WrittenLog): Promise<string> {
  const events = await Promise.all(log.events.map(async ({ opening, details }, at) => ({
    index: BigInt(at),
    opened: { bytes: opening.eventBytes, salt: opening.salt },
    vaultTag: opening.vaultTag,
    partyTag: opening.partyTag,
    path: await log.path(BigInt(at)),
    ...details === undefined ? {} : { details },
  })))
  return formatExport({
    origin: ORIGIN, vkey: LOG_VKEY, checkpoint: log.checkpoint, exportedAt: '2026-11-22T15:00:00.000Z', vaultId: VAULT, events,
  })
}

async function receiptOf(log: WrittenLog, index: number): Promise<string> {
  const opening = log.events[index]?.opening
  if (opening === undefined) throw new Error('no such event')
  return buildProof({
    index: BigInt(index), path: await log.path(BigInt(index)), checkpoint: log.checkpoint, opening,
  })
}

/** Entries of other vaults: 65 bytes, and noise to this one. */
function listStrangers(count: number): Uint8Array[] {
  return Array.from({ length: count }, (_, at) => {
    const entry = listedEntry(at)
    return concatBytes(entry, entry.subarray(1))
  })
}

/** Everything that a person would have been given, as files. */
async function writeFiles(t: Test) {
  const folder = useFolder(t)
  const log = writeStory()
  const write = (name: string, content: string | Uint8Array) => {
    const path = join(folder, name)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, content)
    return path
  }
  const writeLog = (from: WrittenLog) => {
    for (const [path, bytes] of from.files) write(`log/${path}`, bytes)
    return join(folder, 'log')
  }
  const details = log.events[1]?.details
  if (details === undefined) throw new Error('the acceptance has details')
  return {
    folder, log, write, writeLog,
    receipt: write('acceptance.tlog-proof', await receiptOf(log, 1)),
    details: write('acceptance.details.json', formatDetailsFile(details)),
    note: write('acceptance.note', NOTE),
    nda: write('nda.txt', NDA),
    policy: write('policy.txt', `log ${LOG_VKEY}\nwitness w1 ${WITNESS_VKEY}\nquorum w1\n`),
    export: write('export.json', await exportOf(log)),
    logFolder: writeLog(log),
  }
}

t.test('a receipt says who agreed to what, when, cosigned by whom', async (t) => {
  const files = await writeFiles(t)
  const bare = await sealdeck('verify', 'receipt', files.receipt, '--vkey', LOG_VKEY)
  t.equal(bare.status, 0)
  t.match(bare.out, /VERIFIED: the agreement was accepted: person 01890a5d/)
  t.match(bare.out, /server's clock +2026-11-22 14:31:06 UTC/)
  t.notMatch(bare.out, /Ada/, 'a receipt alone names nobody')

  const whole = await sealdeck('verify', 'receipt', files.receipt, '--policy', files.policy,
    '--nda', files.nda, '--note', files.note, '--details', files.details)
  t.equal(whole.status, 0, whole.err)
  t.match(whole.out, /VERIFIED: the agreement was accepted: Ada Lovelace <ada@fund\.example>, for Fund I GP LLC/)
  t.match(whole.out, /cosigned by +w1, 2026-11-22 14:31:08 UTC/)
  t.match(whole.out, /agreement +Mutual NDA \(en\), version 3/)
  t.match(whole.out, /nda\.txt is the one that was agreed to, byte for byte/)

  const fromDetails = await sealdeck('verify', 'receipt', files.receipt, '--vkey', LOG_VKEY, '--details', files.details)
  t.match(fromDetails.out, /signed by +Ada Lovelace/)
})

t.test('a receipt that proves something else is not verified', async (t) => {
  const files = await writeFiles(t)
  const verify = async (...args: string[]) => {
    const { status, out, err } = await sealdeck('verify', 'receipt', ...args)
    t.equal(out, '', 'nothing is claimed')
    t.match(err, /^NOT VERIFIED: [^\n]+$/, 'one line')
    return status
  }
  const damaged = files.write('damaged.tlog-proof', (await receiptOf(files.log, 1)).replace('index 1', 'index 0'))
  t.equal(await verify(damaged, '--vkey', LOG_VKEY), 1)
  t.equal(await verify(files.receipt, '--vkey', SIGNER_VKEY), 1)
  const otherNda = files.write('other.txt', `${NDA} `)
  t.equal(await verify(files.receipt, '--vkey', LOG_VKEY, '--nda', otherNda), 1)
  const otherNote = files.write('other.note', signStatement(
    formatAcceptance({ ...acceptance, grantSha256: 'a3'.repeat(32) }), [link.signer, device.signer]))
  t.equal(await verify(files.receipt, '--vkey', LOG_VKEY, '--note', otherNote), 1)
  const release = files.write('release.tlog-proof', await receiptOf(files.log, 2))
  t.equal(await verify(release, '--vkey', LOG_VKEY, '--note', files.note), 1, 'not the event of that note')
  t.equal(await verify(release, '--vkey', LOG_VKEY, '--details', files.details), 1)
  const strict = files.write('strict.txt', `log ${LOG_VKEY}\nwitness x ${formatVkey(link.signer.key)}\nquorum x\n`)
  t.equal(await verify(files.receipt, '--policy', strict), 1, 'a witness with a log\'s key type')
})

t.test('an export is listed in words, and what is odd about it ends with 1', async (t) => {
  const files = await writeFiles(t)
  const pinned = await sealdeck('verify', 'export', files.export, '--vkey', LOG_VKEY)
  t.equal(pinned.status, 0, pinned.err)
  t.match(pinned.out, /VERIFIED: 3 events of vault 01890a5d/)
  t.match(pinned.out, / 1 {2}2026-11-22 14:31:06 UTC {2}the agreement was accepted: Ada Lovelace/)
  t.equal(pinned.err, '')
  const unpinned = await sealdeck('verify', 'export', files.export)
  t.equal(unpinned.status, 0)
  t.match(unpinned.err, /taken from the file itself/)

  files.log.appendEvent({
    log: ORIGIN, actor: 'server', vault: VAULT, type: 'header.released', at: '2026-11-22T15:00:00.000Z',
    id: '01890a5d-ac96-774b-bcce-000000000004', party: PARTY, grant: 'AAECAwQFBgcICQoLDA0ODw', document: VAULT,
    part: 0, version: 1, recordSha256: 'a2'.repeat(32), headerSha256: 'a2'.repeat(32),
    recipientSha256: 'a2'.repeat(32), because: 'ee'.repeat(32),
  })
  const odd = await sealdeck('verify', 'export', files.write('odd.json', await exportOf(files.log)), '--vkey', LOG_VKEY)
  t.equal(odd.status, 1)
  t.match(odd.err, /LOOK AT THIS: event 3 names a permission that is not here/)
  const damaged = files.write('damaged.json', (await exportOf(files.log)).replace('"index":1', '"index":2'))
  t.equal((await sealdeck('verify', 'export', damaged, '--vkey', LOG_VKEY)).status, 1)
})

t.test('a statement verifies by its own keys, a checkpoint by those that are named', async (t) => {
  const files = await writeFiles(t)
  const statement = await sealdeck('verify', 'note', files.note)
  t.equal(statement.status, 0)
  t.match(statement.out, /VERIFIED: an acceptance, signed by link key and device key/)
  const checkpoint = files.write('checkpoint', files.log.checkpoint)
  t.match((await sealdeck('verify', 'note', checkpoint, '--vkey', LOG_VKEY)).out, /VERIFIED: a checkpoint/)
  t.match((await sealdeck('verify', 'note', checkpoint)).err, /give --vkey or --policy/)
  t.equal((await sealdeck('verify', 'note', checkpoint)).status, 2)
  t.equal((await sealdeck('verify', 'note', files.write('bad.note', NOTE.replace('Ada', 'Eve')))).status, 1)
  const plain = files.write('plain.note', `hello\n\n${NOTE.slice(NOTE.indexOf('—'))}`)
  t.equal((await sealdeck('verify', 'note', plain, '--vkey', LOG_VKEY)).status, 1)
})

t.test('a whole log, from a folder and over HTTP', async (t) => {
  const files = await writeFiles(t)
  const log = new WrittenLog()
  log.append(Array.from({ length: 700 }, (_, at) => listedEntry(at)))
  const folder = files.writeLog(log)
  const whole = await sealdeck('verify', 'log', folder, '--policy', files.policy)
  t.equal(whole.status, 0, whole.err)
  t.match(whole.out, /VERIFIED: every entry and every tile leads to the checkpoint\n.*700 entries/)

  const server = createServer((request, response) => {
    const bytes = log.files.get((request.url ?? '').replace(/^\/prefix\//, ''))
    response.writeHead(bytes === undefined ? 403 : 200).end(bytes)
  })
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve) })
  t.teardown(() => { server.close() })
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const remote = await sealdeck('verify', 'log', `http://127.0.0.1:${port}/prefix`, '--vkey', LOG_VKEY)
  t.equal(remote.status, 0, remote.err)

  files.write('log/tile/1/000.p/2', new Uint8Array(64))
  const damaged = await sealdeck('verify', 'log', folder, '--vkey', LOG_VKEY)
  t.equal(damaged.status, 1)
  t.match(damaged.err, /NOT VERIFIED: bad-tile: tile\/1\/000\.p\/2/)
  rmSync(join(folder, 'tile/entries/000'))
  t.equal((await sealdeck('verify', 'log', folder, '--vkey', LOG_VKEY)).status, 1)
})

t.test('a monitor remembers, finds the vault\'s events, and raises alarm at a fork', async (t) => {
  const files = await writeFiles(t)
  const state = join(files.folder, 'monitor')
  const tagKey = files.write('tag-key', `${encodeHex(VAULT_TAG_KEY)}\n`)
  const look = (...more: string[]) => sealdeck('verify', 'monitor', files.logFolder, '--vkey', LOG_VKEY,
    '--state', state, '--tag-key', tagKey, ...more)
  const first = await look('--export', files.export)
  t.equal(first.status, 0, first.err)
  t.match(first.out, /grew from 0 to 3 entries[^]*3 new events of the vault/)
  t.match((await look()).out, /grew from 3 to 3 entries[^]*0 new events/)

  const before = new Map(files.log.files)
  files.log.append(listStrangers(400))
  files.log.appendEvent({
    log: ORIGIN, actor: 'server', vault: VAULT, type: 'auditor.read', at: '2026-11-22T15:00:00.000Z',
    id: '01890a5d-ac96-774b-bcce-000000000004',
  })
  files.writeLog(files.log)
  const ghost = await look('--export', files.export)
  t.equal(ghost.status, 1)
  t.match(ghost.err, /ALARM: event number 4 of the vault, at index 403, is not in the export/)
  t.match((await look()).out, /grew from 404 to 404/)

  for (const [path, bytes] of before) files.write(`log/${path}`, bytes)
  const rolledBack = await look()
  t.equal(rolledBack.status, 1)
  t.match(rolledBack.err, /ALARM: the checkpoint does not follow/)

  const fork = writeStory()
  fork.append(listStrangers(500))
  files.writeLog(fork)
  const forked = await look()
  t.equal(forked.status, 1)
  t.match(forked.err, /Both checkpoints are kept in .*monitor\.fork/)
  t.match(readFileSync(`${state}.fork`, 'utf8'), /seen before:[^]*\n404\n[^]*seen now:[^]*\n503\n/)
  t.equal((await look()).status, 1, 'the alarm stays')
})

t.test('a monitor\'s state that was changed is refused', async (t) => {
  const files = await writeFiles(t)
  const state = join(files.folder, 'monitor')
  const look = () => sealdeck('verify', 'monitor', files.logFolder, '--vkey', LOG_VKEY, '--state', state)
  t.equal((await look()).status, 0)
  writeFileSync(state, 'sealdeck-monitor/v1\nsize 0\nedge \nnext 1\n\n' + files.log.checkpoint)
  t.equal((await look()).status, 1)
  writeFileSync(state, 'something else')
  t.equal((await look()).status, 2)
})

t.test('wrong usage ends with 2 and says what would be right', async (t) => {
  const files = await writeFiles(t)
  const missing = join(files.folder, 'missing')
  const wrong: [string[], RegExp][] = [
    [['frobnicate'], /no command "frobnicate"/],
    [['constructor'], /no command/],
    [['verify'], /usage: sealdeck verify receipt/],
    [['verify', 'toString'], /usage/],
    [['verify', 'receipt'], /usage/],
    [['verify', 'receipt', files.receipt], /give the key of the log/],
    [['verify', 'receipt', files.receipt, '--vkey', LOG_VKEY, '--policy', files.policy], /not both/],
    [['verify', 'receipt', files.receipt, '--vkey', LOG_VKEY, '--vkey', LOG_VKEY], /--vkey is given once/],
    [['verify', 'receipt', files.receipt, '--key', 'x'], /Unknown option '--key'/],
    [['verify', 'receipt', missing, '--vkey', LOG_VKEY], /ENOENT/],
    [['verify', 'receipt', files.receipt, files.receipt, '--vkey', LOG_VKEY], /usage/],
    [['verify', 'receipt', files.write('large', new Uint8Array(65_537)), '--vkey', LOG_VKEY], /larger than/],
    [['verify', 'monitor', files.logFolder, '--vkey', LOG_VKEY], /usage/],
    [['verify', 'monitor', files.logFolder, '--vkey', LOG_VKEY, '--state', missing, '--every', '0'], /--every/],
  ]
  for (const [args, message] of wrong) {
    const { status, out, err } = await sealdeck(...args)
    t.equal(status, 2, args.join(' ').replaceAll(files.folder, ''))
    t.equal(out, '')
    t.match(err, message)
  }
  t.equal((await sealdeck('verify', 'receipt', files.receipt, '--vkey', 'x')).status, 1, 'a key that is none')
  t.match((await sealdeck('help')).out, /verify +check a receipt/)
  t.equal((await sealdeck()).status, 0)
})

t.test('the launcher runs from a clone, without network', async (t) => {
  const files = await writeFiles(t)
  const run = (...args: string[]) => spawnSync(process.execPath, [join(root, 'scripts/sealdeck.mjs'), ...args], { encoding: 'utf8' })
  const good = run('verify', 'receipt', files.receipt, '--vkey', LOG_VKEY)
  t.equal(good.status, 0, good.stderr)
  t.match(good.stdout, /^VERIFIED/)
  t.equal(run('verify', 'receipt', files.nda, '--vkey', LOG_VKEY).status, 1)
  t.equal(run('verify').status, 2)
})
