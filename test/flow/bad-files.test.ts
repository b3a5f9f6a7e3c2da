// Goal: whatever a founder drops, she is told in plain words what is wrong and what to do, nothing half-made stays
// behind, and what can be sealed is sealed.
// Method: damaged, encrypted, empty, pageless, oversized and foreign files on the real screens of the built server;
// then its rows and objects are counted.
import { randomBytes } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { equalBytes } from '../../protocol/bytes.js'
import { useChromium } from '../helpers/chromium.js'
import {
  makeDeck, makeEncryptedPdf, makeGarbage, makePagelessPdf, makePng, truncate,
} from '../helpers/pdf.js'
import { startServer } from '../helpers/server.js'
import { Founder } from './main-job/founder.js'
import { Investor } from './main-job/investor.js'
import { openRows, readTree } from './main-job/stores.js'

const MAX_FILE_SIZE_BYTES = 300_000
const TIMEOUT_MS = 800_000

const deck = await makeDeck({ pageCount: 3, canary: 'quokka' })
const heavy = await makeDeck({ pageCount: 3, canary: 'quokka', imageSizeBytes: 60_000 })

/** What is refused, and the heading that says so. */
const REFUSED: ReadonlyArray<{ name: string, bytes: Uint8Array, says: string }> = [
  { name: 'cut-off.pdf', bytes: truncate(deck), says: 'This PDF is damaged' },
  { name: 'garbage.pdf', bytes: makeGarbage(), says: 'This PDF is damaged' },
  { name: 'encrypted.pdf', bytes: makeEncryptedPdf({ canary: 'quokka', passphrase: 'secret' }), says: 'This PDF needs a password' },
  { name: 'empty.pdf', bytes: new Uint8Array(), says: 'This file is empty' },
  { name: 'pageless.pdf', bytes: makePagelessPdf(), says: 'This PDF has no pages' },
  { name: 'too-large.pdf', bytes: randomBytes(MAX_FILE_SIZE_BYTES + 1), says: 'This file is too large' },
]

const browser = await useChromium(t)

t.test('files that are no decks', { timeout: TIMEOUT_MS }, async (t) => {
  const server = await startServer(
    t, { settings: { MAX_FILE_SIZE_BYTES: String(MAX_FILE_SIZE_BYTES) } },
  )
  const seat = { t, browser, server }
  const founder = await Founder.sitsDown(seat, { name: 'Ada Lovelace', email: 'ada@startup.example' })
  const place = async (name: string, bytes: Uint8Array): Promise<string> => {
    const path = join(server.folder, name)
    await writeFile(path, bytes)
    return path
  }
  await founder.signsUpWithPasskey()
  await founder.keepsRecoveryCode()

  for (const { name, bytes, says } of REFUSED) {
    await founder.drops(await place(name, bytes))
    await founder.reads(says)
    await founder.checks(`refused: ${name}`)
    t.equal(await founder.find('button', 'Seal and upload').count(), 0, 'there is nothing to seal')
    await founder.presses('Choose another file')
  }

  await founder.drops(await place('heavy.pdf', heavy))
  await founder.slowsDown(20_000)
  await founder.presses('Seal and upload')
  await founder.presses('Cancel')
  await founder.find('button', 'Seal and upload').waitFor()
  await founder.slowsDown()
  await founder.presses('Decks', 'link')
  await founder.reads('Your sealed decks will stand here')
  t.pass('after all that there is no deck, nor half of one')

  // Opens without asking, but may not be changed.
  await founder.drops(await place('locked.pdf', makeEncryptedPdf({ canary: 'numbat', passphrase: '' })))
  await founder.reads('No lock line for this file')
  await founder.checks('sealed as it is')
  await founder.presses('Seal and upload')
  await founder.sees('Create a link')
  await founder.presses('Not now')
  await founder.opensTab('Deck')
  await founder.readsSlide('numbat')
  await founder.presses('Decks', 'link')

  const picture = makePng()
  await founder.drops(await place('team.png', picture))
  await founder.reads('Not a PDF')
  await founder.checks('not a PDF')
  await founder.presses('Seal and upload')
  const link = await founder.createsLink()
  const investor = await Investor.sitsDown(seat, { name: 'Grace Hopper', email: 'grace@fund.example' })
  await investor.opensLink(link, founder.name)
  await investor.provesAddress()
  await investor.signsNda()
  const saved = await readFile(await investor.saves('Save the file'))
  t.ok(equalBytes(saved, picture), 'it comes out as it went in')
  t.same([...founder.complaints, ...investor.complaints], [], 'nobody had anything to complain about')

  t.equal(await server.stop(), 0)
  const rows = await openRows(server)
  t.equal(await rows.count('vaults where deleted_at is null'), 2, 'two files were sealed, and two vaults are there')
  t.equal(await rows.count("versions where status = 'uploading'"), 0, 'nothing is half-made')
  await rows.close()
  const objects = await readTree(join(server.dataFolder, 'bucket', 'versions'))
  t.equal(objects.length, 4, 'for each its one part and its hash list')
})
