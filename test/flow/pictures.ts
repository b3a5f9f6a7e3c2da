// The README's pictures, taken from the real product: `npm run pictures`. Founder, investor and auditor do their
// job once more, with an invented deck, and stop for the photographer.
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { useChromium } from '../helpers/chromium.js'
import { startServer } from '../helpers/server.js'
import { Founder } from './main-job/founder.js'
import { Investor } from './main-job/investor.js'
import type { Person } from './main-job/person.js'
import { makePictureDeck } from './picture-deck.js'

const FOLDER = fileURLToPath(new URL('../../docs/pictures', import.meta.url))
const TIMEOUT_MS = 800_000

await mkdir(FOLDER, { recursive: true })
const browser = await useChromium(t)

/** Without the caret and whatever the pointer has woken. */
async function takes(person: Person, name: string): Promise<void> {
  await person.page.mouse.move(0, 0)
  await person.page.screenshot({ path: join(FOLDER, `${name}.png`), animations: 'disabled', caret: 'hide' })
}

t.test('the pictures', { timeout: TIMEOUT_MS }, async (t) => {
  const server = await startServer(t, { settings: { LOG_ORIGIN: 'decks.northwind.example/log/2026' } })
  const seat = { t, browser, server }
  const founder = await Founder.sitsDown(seat, { name: 'Maya Lindqvist', email: 'maya@northwind.example' })
  await founder.signsUpWithPasskey()
  await founder.keepsRecoveryCode()
  const path = join(server.folder, 'Northwind Batteries.pdf')
  await writeFile(path, await makePictureDeck())
  await founder.drops(path)
  await founder.find('button', 'Seal and upload').waitFor()
  await takes(founder, 'lock-line')
  await founder.presses('Seal and upload')
  const link = await founder.createsLink({ name: 'Osei Ventures' })

  const investor = await Investor.sitsDown(seat, { name: 'Daniel Osei', email: 'daniel@osei.example' })
  await investor.opensLink(link, founder.name)
  await takes(investor, 'gate')
  await investor.provesAddress()
  await investor.readsSlide('Northwind Batteries')
  await investor.find('button', 'Sign and open').waitFor()
  await takes(investor, 'agreement')
  await investor.signsNda()
  await investor.seesNoMore('Read and sign to open the rest')
  await investor.turnsTo(5)
  await investor.readsSlide('Traction')
  await takes(investor, 'deck')

  await founder.presses('Done')
  await founder.opensTab('Log')
  await founder.reads(/events are proven to be in the log/)
  await takes(founder, 'log')
})
