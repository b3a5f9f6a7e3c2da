// Goal: the whole of it works for people: a founder seals a real deck and shares it behind an NDA, an investor
// signs and reads, an auditor checks, and nobody else ever holds a word of the deck or a secret.
// Method: the built server, three browser profiles and real PDFs, on both sets of engines; then every stored,
// logged, mailed and sent byte is searched.
import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import { parseFragment, parseRecoveryCode } from '../../protocol/deck/identity.js'
import { ready } from '../../protocol/sodium.js'
import type { Environment } from '../../server/config.js'
import { useChromium, type ProfileOptions } from '../helpers/chromium.js'
import { takeMail } from '../helpers/mailbox.js'
import { makeDeck, slideText } from '../helpers/pdf.js'
import { startServer, type Server } from '../helpers/server.js'
import { Auditor } from './main-job/auditor.js'
import { Founder } from './main-job/founder.js'
import { Investor } from './main-job/investor.js'
import type { Seat } from './main-job/person.js'
import { collectPlaces, findSecrets, type Secrets } from './main-job/secrets.js'

const execute = promisify(execFile)
const COMMAND = fileURLToPath(new URL('../../scripts/sealdeck.mjs', import.meta.url))
const browser = await useChromium(t)
await ready()

/** On an idle machine a run takes a minute. */
const TIMEOUT_MS = 800_000

interface Run {
  readonly engines: 'embedded' | 'real'
  readonly settings?: Environment
  readonly founder: ProfileOptions
  /** How the lock line is drawn. */
  readonly by: 'keyboard' | 'pointer'
  readonly deck: {
    readonly pageCount: number, readonly imageSizeBytes: number, readonly openCount: number,
  }
}

const RUNS: readonly Run[] = [
  { engines: 'embedded', founder: { passkey: 'prf' }, deck: { pageCount: 3, imageSizeBytes: 20_000, openCount: 2 }, by: 'keyboard' },
  {
    engines: 'real', settings: { UPLOADS: 'direct', DOWNLOADS: 'direct' }, founder: { passkey: 'no-prf', colorScheme: 'dark' },
    deck: { pageCount: 150, imageSizeBytes: 60_000, openCount: 4 }, by: 'pointer',
  },
]

/** A word that occurs nowhere else. */
function canary(bird: string): string {
  return `${bird}${randomBytes(6).toString('hex')}`
}

/** Bytes of a picture in the deck: what would be found of a PDF that is stored as it is. */
function pictureOf(pdf: Uint8Array): Uint8Array {
  const bytes = Buffer.from(pdf)
  const start = bytes.indexOf('stream\n', bytes.indexOf('/DeviceGray')) + 1_000
  return bytes.subarray(start, start + 32)
}

async function verifies(t: Test, args: readonly string[]): Promise<void> {
  const { stdout } = await execute(process.execPath, [COMMAND, 'verify', ...args])
  t.match(stdout, /^VERIFIED/m, `sealdeck verify ${args[0]}`)
}

for (const run of RUNS) {
  t.test(`the main job on ${run.engines} engines`, { timeout: TIMEOUT_MS }, async (t) => {
    const server = await startServer(t, { engines: run.engines, settings: run.settings ?? {} })
    const seat: Seat = { t, browser, server }
    const words = { slides: canary('quokka'), title: canary('wombat'), fileName: canary('numbat'), linkName: canary('bilby') }
    const passphrases = { founder: `${canary('dunnart')} passphrase`, auditor: `${canary('potoroo')} passphrase` }
    const founderName = `Ada ${canary('heron')}`
    const { pageCount, openCount, imageSizeBytes } = run.deck
    const pdf = await makeDeck(
      { pageCount, imageSizeBytes, canary: words.slides, hasOutline: true },
    )
    const path = join(server.folder, `${words.fileName}.pdf`)
    await writeFile(path, pdf)

    // ---- The founder signs up, seals and shares.
    const founder = await Founder.sitsDown(seat, { name: founderName, email: 'ada@startup.example' }, run.founder)
    if (run.founder.passkey === 'prf') await founder.signsUpWithPasskey()
    else await founder.fallsBackToPassphrase(passphrases.founder)
    const recoveryCode = await founder.keepsRecoveryCode()
    await founder.checks('no decks yet')
    founder.clickCount = 0
    await founder.drops(path)
    await founder.sealsDeck({ title: words.title, openCount, pageCount, by: run.by })
    const link = await founder.createsLink({ name: words.linkName })
    t.equal(founder.clickCount, 3, 'three clicks from the dropped file to the copied link')
    t.match(link, new RegExp(`^${server.origin}/g/[\\w-]+#[\\w-]+$`))
    await founder.presses('Done')
    await founder.opensTab('Deck')
    await founder.readsSlide(slideText(words.slides, 0))
    await founder.checks('vault')

    // ---- The investor signs and reads, on a phone.
    const investor = await Investor.sitsDown(seat, { name: 'Grace Hopper', email: 'grace@fund.example' }, { isPhone: true })
    await investor.opensLink(link, founderName)
    await investor.provesAddress()
    await investor.readsSlide(slideText(words.slides, 0))
    await investor.turnsTo(openCount)
    await investor.readsSlide(slideText(words.slides, openCount - 1))
    await investor.checks('open slides')
    await investor.signsNda()
    await investor.seesNoMore('Read and sign to open the rest')
    await investor.reads('Signed, and on record')
    t.equal(investor.clickCount, 3, 'three clicks to a signed NDA')
    t.equal(investor.fieldCount, 2, 'two fields')
    await investor.turnsTo(pageCount)
    await investor.readsSlide(slideText(words.slides, pageCount - 1))
    await investor.checks('the whole deck')
    const receipt = await investor.saves('Save the receipt')
    await verifies(t, ['receipt', receipt, '--vkey', server.vkey])
    await verifies(t, ['evidence', await investor.saves('Evidence pack'), '--vkey', server.vkey])
    const receiptMail = await takeMail(server.world, investor.email, /./)
    t.match(receiptMail.body, 'tlog-proof', 'the receipt is in the mail too')

    await investor.page.reload()
    await investor.readsSlide(slideText(words.slides, 0))
    t.equal(await investor.find('textbox', 'Your name').count(), 0, 'a second visit goes straight in')

    // ---- On approval: the investor waits until the founder has looked.
    await founder.presses('New link')
    const approvalLink = await founder.createsLink({ name: 'Careful fund', isOnApproval: true })
    await founder.presses('Done')
    const careful = await Investor.sitsDown(seat, { name: 'Katherine Johnson', email: 'katherine@fund.example' })
    await careful.opensLink(approvalLink, founderName)
    await careful.provesAddress()
    await careful.readsSlide(slideText(words.slides, 0))
    await careful.signsNda()
    await careful.sees('Signed. Now the founder decides')
    await careful.readsSlide(slideText(words.slides, 0))
    await careful.checks('waiting for the founder')
    await founder.presses('Decks', 'link')
    await founder.sees('Waiting for you')
    await founder.checks('decks, somebody waits')
    founder.clickCount = 0
    await founder.presses(`Let ${careful.name} in`)
    await founder.reads(`${careful.name} has been let in`)
    t.equal(founder.clickCount, 1, 'one click lets them in')
    await careful.presses('Look again')
    await careful.seesNoMore('Signed. Now the founder decides')
    await careful.readsSlide(slideText(words.slides, 0))
    await careful.turnsTo(pageCount)
    await careful.readsSlide(slideText(words.slides, pageCount - 1))

    // ---- The auditor checks.
    await founder.presses(new RegExp(words.title), 'link')
    const invitation = await founder.invitesAuditor('mary@audit.example')
    const auditor = await Auditor.sitsDown(seat, { name: 'Mary Cartwright', email: 'mary@audit.example' }, { passkey: 'none' })
    await auditor.signsUpWithPassphrase(passphrases.auditor)
    const auditorCode = await auditor.keepsRecoveryCode()
    await auditor.page.goto(invitation)
    await auditor.unlocksWithPassphrase(passphrases.auditor)
    await auditor.acceptsInvitation()
    await auditor.find('row', /NDA signed.*Grace Hopper.*Proven/).waitFor()
    await auditor.checks('log')
    const exported = await auditor.saves('Export with proofs (JSON)')
    await verifies(t, ['export', exported, '--vkey', server.vkey])
    await verifies(t, ['evidence', await auditor.saves('Evidence pack'), '--vkey', server.vkey])

    // ---- The founder sees, and revokes.
    await founder.opensTab('People')
    await founder.reads(investor.email)
    await founder.checks('people')
    const hers = await founder.saves('Evidence pack: Grace Hopper')
    await verifies(t, ['evidence', hers, '--vkey', server.vkey])
    await founder.opensTab('Log')
    await founder.reads(/events are proven to be in the log/)
    await founder.checks('the founder\'s log')
    for (const person of [founder, investor, careful, auditor]) {
      t.same(person.complaints, [], `nothing to complain about: ${person.name}`)
    }
    await founder.revokesLink(words.linkName)
    await founder.reads(/had the key and opened pages/)
    await founder.checks('revoked')
    await investor.page.reload()
    await investor.sees('This link was revoked')
    await investor.checks('revoked link')

    // ---- The recovery code recovers, where she has never been.
    const elsewhere = await Founder.sitsDown(seat, founder, { passkey: 'none' })
    await elsewhere.recovers(recoveryCode)
    await elsewhere.reads(words.title)
    t.same(elsewhere.complaints, [], 'nothing to complain about after a recovery')

    // ---- Nobody else holds any of it.
    t.equal(await server.stop(), 0)
    t.same(findSecrets({ file: [Buffer.from(pdf)] }, { picture: pictureOf(pdf) }), ['picture in file'])
    const secrets: Secrets = {
      ...words, ...passphrases, picture: pictureOf(pdf),
      'founder\'s recovery code': recoveryCode, 'founder\'s recovery bytes': parseRecoveryCode(recoveryCode),
      'auditor\'s recovery code': auditorCode, 'auditor\'s recovery bytes': parseRecoveryCode(auditorCode),
      ...secretsOf('link', link), ...secretsOf('approval link', approvalLink),
    }
    await searches(t, server, { secrets, founderName })
    for (const person of [founder, investor, careful, auditor, elsewhere]) {
      await person.profile.close()
    }
  })
}

function secretsOf(name: string, link: string): Secrets {
  const fragment = new URL(link).hash.slice(1)
  return { [`fragment of the ${name}`]: fragment, [`secret of the ${name}`]: parseFragment(fragment).linkSecret }
}

/** First what must be there, so that a search that finds nothing is worth something. */
async function searches(
  t: Test, server: Server, { secrets, founderName }: { secrets: Secrets, founderName: string },
): Promise<void> {
  const places = await collectPlaces(server)
  // The NDA's parties are the server's to know; the log's name stands in each checkpoint.
  const known: Secrets = { party: founderName, log: server.world.keys.log.origin, path: '/api/vaults' }
  const found = findSecrets(places, known)
  const due = [
    'party in database', 'party in files', 'party in line', 'path in log',
    ...server.bucket === null ? ['log in files'] : ['log in bucket', 'party in dump'],
  ]
  t.same(due.filter((one) => !found.includes(one)), [], 'the search finds what is there')
  t.same(findSecrets(places, secrets), [], 'and no secret anywhere')
}
