// Goal: an owner needs no browser: she signs in, uploads, shares and leaves by the command line, what
// she shares opens for investors, and what she takes with her opens in programs that are not ours.
// Method: the commands against a real server over HTTP, with a folder of their own for the session;
// typage and, where it is there, the stock age program read what was exported.
import { execFileSync, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Decrypter } from 'age-encryption'
import t, { type Test } from 'tap'
import type { Upload, UploadList, VaultDetail } from '../../protocol/api.js'
import { decodeBase64Url } from '../../protocol/bytes.js'
import { decodeGrant } from '../../protocol/deck/grant.js'
import { deriveLinkKeys, formatIdentity, parseFragment } from '../../protocol/deck/identity.js'
import { normalisePdf } from '../../protocol/pdf/normalise.js'
import { main } from '../../scripts/sealdeck.js'
import { Investor } from '../helpers/investor.js'
import { takeCode } from '../helpers/mailbox.js'
import { makeDeck } from '../helpers/pdf.js'
import { Founder, type Link } from '../helpers/people.js'
import { checkLog, startWorld, type TestWorld } from '../helpers/world.js'

const folder = mkdtempSync(join(tmpdir(), 'sealdeck-account-'))
t.teardown(() => rmSync(folder, { recursive: true }))
process.env.XDG_CONFIG_HOME = join(folder, 'config')
const path = (name: string) => join(folder, name)
writeFileSync(path('pass'), 'correct horse battery staple\n')
writeFileSync(path('wrong'), 'correct horse battery stable\n')

interface Ran { readonly code: number, readonly out: string, readonly err: string }

async function sealdeck(...args: readonly string[]): Promise<Ran> {
  const [out, err]: [string[], string[]] = [[], []]
  const code = await main(args, {
    out: (line) => { out.push(line) }, err: (line) => { err.push(line) }, isWatched: false,
  })
  return { code, out: out.join('\n'), err: err.join('\n') }
}

const PASS = ['--passphrase-file', path('pass')]

async function listens(t: Test, world: TestWorld): Promise<string> {
  await world.app.listen({ port: 0, host: '127.0.0.1' })
  if (!world.app.server.listening) await once(world.app.server, 'listening')
  const address = world.app.server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return `http://127.0.0.1:${address.port}`
}

interface SignedInWorld {
  readonly world: TestWorld, readonly founder: Founder, readonly address: string,
  /** How many more parts the server takes, and how many came. */
  readonly parts: { roomCount: number, takenCount: number },
  /** What the server shows as the vault instead of what it is; what it does when an upload is looked at. */
  readonly lies: { vault: VaultDetail | null, onUploadRead: () => void },
}

async function startSignedIn(t: Test): Promise<SignedInWorld> {
  const world = await startWorld(t)
  const parts = { roomCount: Infinity, takenCount: 0 }
  world.app.addHook('onRequest', async (request, reply) => {
    if (!request.url.includes('/parts/')) return
    if (parts.takenCount === parts.roomCount) await reply.code(400).send({ code: 'part-mismatch' })
    else parts.takenCount++
  })
  const lies: SignedInWorld['lies'] = { vault: null, onUploadRead: () => undefined }
  world.app.addHook('onSend', async ({ method, url }, _reply, payload) => {
    if (method === 'GET' && url.startsWith('/api/uploads/')) lies.onUploadRead()
    const isVault = method === 'GET' && /^\/api\/vaults\/[^/]+$/.test(url)
    return isVault && lies.vault !== null ? JSON.stringify(lies.vault) : payload
  })
  const founder = new Founder(world)
  founder.stretching = 'memory-constrained'
  await founder.signsUp()
  const address = await listens(t, world)
  const asked = await sealdeck('login', address, '--email', founder.email, ...PASS)
  t.match(asked, { code: 0, err: /a code was sent to ada@fund\.example/ })
  const code = await takeCode(world.world, founder.email)
  t.match(await sealdeck('login', address, '--email', founder.email, '--code', code), { code: 0, err: /signed in/ })
  return { world, founder, address, parts, lies }
}

function fieldOf(out: string, name: string): string {
  return new RegExp(`^${name} (\\S+)$`, 'm').exec(out)?.[1] ?? ''
}

t.test('signing in leaves a session for its owner alone, and no key in it', async (t) => {
  const { founder, address } = await startSignedIn(t)
  const file = path('config/sealdeck/session.json')
  t.equal(statSync(file).mode & 0o777, 0o600)
  t.notOk(readFileSync(file, 'utf8').includes(Buffer.from(founder.root).toString('base64url')))
  t.notOk(existsSync(path('config/sealdeck/sign-in.json')), 'the code is used up')
  const wrong = ['login', address, '--email', founder.email, '--passphrase-file', path('wrong')]
  t.match(await sealdeck(...wrong), { code: 1, err: 'sealdeck: address and passphrase do not match an account' })
  t.match(await sealdeck('login', address, '--email', founder.email, '--code', '12345678'), { code: 1, err: /no code was sent/ })
  t.match(await sealdeck('login', 'http://deck.example', '--email', founder.email), { code: 2, err: /an https address/ })
  t.match(await sealdeck('share', 'not-a-vault', ...PASS), { code: 2, err: /not the id of a vault/ })
})

t.test('a deck goes up with its lock line, and opens for the investor who signs', async (t) => {
  const { world, founder } = await startSignedIn(t)
  writeFileSync(path('plan.pdf'), await makeDeck({ pageCount: 5, canary: 'MAGPIE' }))
  const uploaded = await sealdeck('upload', path('plan.pdf'), '--open', '1-2', '--title', 'Series A', ...PASS)
  t.match(uploaded, { code: 0, err: '' })
  const vaultId = fieldOf(uploaded.out, 'vault')
  const shared = await sealdeck('share', vaultId, '--name', 'Fund I', '--nda', 'mutual-en', '--expires', '2099-01-31', ...PASS)
  t.match(shared, { code: 0, err: '', out: /^http:\/\/localhost:4870\/g\/[\w-]{22}#[\w-]+$/ })

  const link = await readLink(founder, vaultId, shared.out)
  t.match(link.grant.policy, { gate: 'nda', openPagesGate: 'email', release: 'on-signature', expiresAtMs: Date.parse('2099-01-31T23:59:59') })
  const investor = new Investor(world)
  const access = await investor.enters(link)
  t.same(access.release.headers.map(({ part }) => part), [1], 'open slides after the code')
  const signed = await investor.signsNda(link)
  const whole = signed.headers.find(({ part }) => part === 0)
  t.ok(whole !== undefined && investor.opens(link, whole), 'the deck after the signature')
  await checkLog(t, world.world)

  const approval = await sealdeck('share', vaultId, '--release', 'on-approval', ...PASS)
  const held = await readLink(founder, vaultId, approval.out)
  const later = await new Investor(world, { email: 'lin@fund.example' }).enters(held)
  t.same(later.release.headers.map(({ gate }) => gate), ['email'], 'no key behind the NDA exists')
})

/** What the printed line says, as test people know a link. */
async function readLink(founder: Founder, vaultId: string, address: string): Promise<Link> {
  const { pathname, hash } = new URL(address)
  const grantId = pathname.slice('/g/'.length)
  const grantIdBytes = decodeBase64Url(grantId)
  const fragment = parseFragment(hash.slice(1))
  const vault = await founder.gets<VaultDetail>(`/api/vaults/${vaultId}`)
  const summary = vault.grants.find((one) => one.grantId === grantId)
  if (summary === undefined) throw new Error('the server has no such grant')
  return {
    vaultId, grantId, grantIdBytes, secret: fragment.linkSecret, fragment: hash.slice(1),
    keys: deriveLinkKeys(fragment.linkSecret, grantIdBytes), summary,
    founderKey: founder.keys.signing.publicKey, grant: decodeGrant(decodeBase64Url(summary.grant)),
    decks: [], nda: vault.ndas[0] ?? null,
  }
}

t.test('a new version is served by links that are there', async (t) => {
  const { world, founder } = await startSignedIn(t)
  writeFileSync(path('notes.txt'), 'first')
  const first = await sealdeck('upload', path('notes.txt'), '--gate', 'email', ...PASS)
  const vaultId = fieldOf(first.out, 'vault')
  const link = await readLink(founder, vaultId, (await sealdeck('share', vaultId, ...PASS)).out)
  writeFileSync(path('notes.txt'), 'second')
  const second = await sealdeck('upload', path('notes.txt'), '--gate', 'email', '--vault', vaultId, '--document', fieldOf(first.out, 'document'), ...PASS)
  t.equal(fieldOf(second.out, 'version'), '2')
  const { release } = await new Investor(world).enters(link)
  t.same(release.headers.map(({ version, records }) => [version, records.length]), [[2, 2]], 'with its whole chain')
})

t.test('a server that goes back behind what was seen gets nothing', async (t) => {
  const { founder, lies } = await startSignedIn(t)
  writeFileSync(path('terms.txt'), 'first')
  const first = await sealdeck('upload', path('terms.txt'), ...PASS)
  const vaultId = fieldOf(first.out, 'vault')
  const again = ['upload', path('terms.txt'), '--vault', vaultId, '--document', fieldOf(first.out, 'document'), ...PASS]
  const share = ['share', vaultId, ...PASS]
  const link = await readLink(founder, vaultId, (await sealdeck(...share)).out)
  const shown = async () => await founder.gets<VaultDetail>(`/api/vaults/${vaultId}`)
  const before = await shown()
  await founder.posts(`/api/grants/${link.grantId}/revisions`, founder.preparesRevision(link, { release: 'on-approval' }))
  t.match(await sealdeck(...again), { code: 0 }, 'the second revision is seen, the second version stored')
  const now = await shown()
  const [file = ''] = readdirSync(path('config/sealdeck')).filter((name) => {
    return name.startsWith('newest-') && readFileSync(join(path('config/sealdeck'), name), 'utf8').includes(vaultId)
  })
  t.equal(statSync(join(path('config/sealdeck'), file)).mode & 0o777, 0o600)

  lies.vault = { ...now, grants: before.grants }
  t.match(await sealdeck(...again), { code: 1, err: /stale-version.* older revision of link [^\n]+$/ })
  lies.vault = { ...now, documents: before.documents }
  t.match(await sealdeck(...share), { code: 1, err: /stale-version.* older newest version of document/, out: '' })
  lies.vault = null
  t.same(await shown(), now, 'nothing was stored and no link made')

  await founder.revokes(link)
  t.match(await sealdeck(...share), { code: 0 })
  lies.vault = { ...await shown(), grants: now.grants }
  t.match(await sealdeck(...again), { code: 1, err: /stale-version.* as live the revoked link/ })
  const out = path('older')
  t.match(await sealdeck('export', vaultId, out, ...PASS), { code: 1, err: /as live the revoked link/ })
  t.ok(existsSync(join(out, 'README.txt')), 'what the server has is hers to take all the same')
})

t.test('an interrupted upload of the same file goes on under its own key', async (t) => {
  const { founder, parts, lies } = await startSignedIn(t)
  const original = randomBytes(9 * 1024 * 1024)
  writeFileSync(path('big.bin'), original)
  const vault = await founder.makesVault()
  parts.roomCount = 1
  const upload = ['upload', path('big.bin'), '--vault', vault.vaultId, ...PASS]
  t.match(await sealdeck(...upload), { code: 1, err: /part-mismatch/ })
  const [begun] = await unfinished(founder, vault.vaultId)
  t.equal(begun?.parts.filter(({ isStored }) => isStored).length, 1)
  parts.roomCount = Infinity
  // Saved in place, as long as before, after it was hashed and before its last part is read.
  lies.onUploadRead = () => writeFileSync(path('big.bin'), Buffer.from(original).fill(0, 8 * 1024 * 1024))
  t.match(await sealdeck(...upload), { code: 1, err: /source-changed/ })
  lies.onUploadRead = () => undefined
  writeFileSync(path('big.bin'), original)
  t.match(await sealdeck(...upload), { code: 0 })
  t.equal(parts.takenCount, begun?.parts.length, 'each part was sent once')
  t.same(await unfinished(founder, vault.vaultId), [])
  const [document] = (await founder.gets<VaultDetail>(`/api/vaults/${vault.vaultId}`)).documents
  t.equal(document?.versions[0]?.versionId, begun?.versionId, 'the same version')
})

async function unfinished(founder: Founder, vaultId: string): Promise<Upload[]> {
  return (await founder.gets<UploadList>(`/api/vaults/${vaultId}/uploads`)).uploads
}

t.test('an export opens in other programs, byte for byte', async (t) => {
  const { world, founder } = await startSignedIn(t)
  const original = randomBytes(5_000_000)
  writeFileSync(path('model.xlsx'), original)
  const vaultId = fieldOf((await sealdeck('upload', path('model.xlsx'), ...PASS)).out, 'vault')
  const pdf = await makeDeck({ pageCount: 3, canary: 'WREN' })
  writeFileSync(path('deck.pdf'), pdf)
  t.match(await sealdeck('upload', path('deck.pdf'), '--vault', vaultId, '--open', '1', ...PASS), { code: 0 })
  const link = await readLink(founder, vaultId, (await sealdeck('share', vaultId, ...PASS)).out)
  const investor = new Investor(world)
  await investor.enters(link)
  await investor.signsNda(link)

  const out = path('out')
  t.match(await sealdeck('export', vaultId, out, ...PASS), { code: 0, err: /key\.txt opens every deck/ })
  t.same(readdirSync(out).sort(), [
    '01-model-v1.age', '02-deck-v1-open.age', '02-deck-v1.age', 'README.txt', 'agreements', 'key.txt',
    'log.json', 'receipts', 'records', 'vault.json',
  ])
  t.equal(statSync(join(out, 'key.txt')).mode & 0o777, 0o600)
  t.ok(readFileSync(join(out, 'key.txt'), 'utf8').includes(formatIdentity(founder.keys.identity)))

  await t.test('typage opens the hybrid files', async (t) => {
    t.ok((await unpacked(join(out, '01-model-v1.age'), out, 'model.xlsx')).equals(original))
    const normalised = await normalisePdf(pdf)
    const deck = await unpacked(join(out, '02-deck-v1.age'), out, 'deck.pdf')
    t.ok(normalised.kind === 'normalised' && deck.equals(normalised.bytes))
  })

  await t.test('the log, the receipts and the records prove themselves', async (t) => {
    t.match(await sealdeck('verify', 'export', join(out, 'log.json')), { code: 0 })
    const { vkey } = world.world.keys.log
    const receipts = readdirSync(join(out, 'receipts'))
    const accepted = receipts.find((name) => name.endsWith('nda.accepted.tlog-proof')) ?? ''
    const note = join(out, 'receipts', accepted.replace('.tlog-proof', '.note.txt'))
    const [agreement = ''] = readdirSync(join(out, 'agreements'))
    const verified = await sealdeck('verify', 'receipt', join(out, 'receipts', accepted), '--vkey', vkey,
      '--note', note, '--nda', join(out, 'agreements', agreement))
    t.match(verified, { code: 0, out: /^VERIFIED: .*Grace Hopper/ })
    t.ok(receipts.some((name) => name.endsWith('header.released.tlog-proof')))
    t.equal(readdirSync(join(out, 'records')).length, 2 * (3 + 1), 'three versions, one grant')
    t.match(JSON.parse(readFileSync(join(out, 'vault.json'), 'utf8')), { documents: [{ name: 'model' }, { name: 'deck' }] })
    t.match(readFileSync(join(out, 'README.txt'), 'utf8'), /age -d -i key\.txt 01-model-v1\.age \| tar x/)
  })

  await t.test('never into a folder that holds something', async (t) => {
    t.match(await sealdeck('export', vaultId, out, ...PASS), { code: 1, err: /is not empty/ })
  })

  const skip = spawnSync('age', ['--version']).status !== 0 && 'age is not installed'
  await t.test('the stock age program opens what was exported for an X25519 key', { skip }, async (t) => {
    const key = execFileSync('age-keygen', { encoding: 'utf8', stdio: 'pipe' })
    writeFileSync(path('x25519.txt'), key)
    const recipient = /age1[0-9a-z]+/.exec(key)?.[0] ?? ''
    const stock = path('stock')
    t.match(await sealdeck('export', vaultId, stock, '--recipient', recipient, ...PASS), { code: 0, err: '' })
    t.notOk(existsSync(join(stock, 'key.txt')), 'the owner\'s key stays where it is')
    execFileSync('sh', ['-c', 'age -d -i "$1" "$2" | tar x -C "$3"', 'sh', path('x25519.txt'), join(stock, '01-model-v1.age'), stock])
    t.ok(readFileSync(join(stock, 'model.xlsx')).equals(original))
  })
})

/** With typage and the identity file, then the system's tar. */
async function unpacked(ageFile: string, out: string, member: string): Promise<Buffer> {
  const decrypter = new Decrypter()
  const key = /^AGE-SECRET-KEY-PQ-1\w+$/m.exec(readFileSync(join(out, 'key.txt'), 'utf8'))?.[0] ?? ''
  decrypter.addIdentity(key)
  const archive = await decrypter.decrypt(new Uint8Array(readFileSync(ageFile)))
  const target = mkdtempSync(join(folder, 'unpacked-'))
  execFileSync('tar', ['x', '-C', target], { input: archive })
  return readFileSync(join(target, member))
}
