// Goal: where a founder has her link wait for witnesses, a reader is told what she waits for, gets in when they
// have cosigned, and holds a receipt that says who has; checked by her own browser, and by the command line.
// Method: the built gate in Chromium, the real server, two of our own witnesses as processes; one is killed while
// she signs and comes back.
import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t from 'tap'
import type { Config } from '../../protocol/api.js'
import { decodeBase64Url } from '../../protocol/bytes.js'
import { ready } from '../../protocol/sodium.js'
import { useChromium } from '../helpers/chromium.js'
import { makeFolder, removeFolder } from '../helpers/engine.js'
import { slideText } from '../helpers/pdf.js'
import { Founder } from '../helpers/people.js'
import { makeLogKey, startWitness, writePolicy } from '../helpers/witness.js'
import { checkLog } from '../helpers/world.js'
import { serveWorld } from '../web/serve.js'
import { sharesPitch, WHOLE_CANARY } from './pitch.js'
import { visit } from './visitor.js'

const execute = promisify(execFile)
const COMMAND = fileURLToPath(new URL('../../scripts/sealdeck.mjs', import.meta.url))
await ready()

t.test('a reader waits for witnesses, knows it, and holds what they signed', async (t) => {
  const browser = await useChromium(t)
  const folder = await makeFolder('policy')
  t.teardown(() => removeFolder(folder))
  const { LOG_KEY, vkey } = makeLogKey('witnessed.example/2026')
  const [north, south] = await Promise.all(['north', 'south'].map((name) => startWitness(t, name, vkey)))
  if (north === undefined || south === undefined) throw new Error('two')
  const served = await serveWorld(t, {
    LOG_KEY, WITNESSES: await writePolicy(folder, [north, south], 2), LOG_WAIT_TIMEOUT_MS: '5000',
  })
  const { world } = served
  const founder = await new Founder(world).signsUp()
  const { witnesses } = await founder.gets<Config>('/api/config')
  const witnessesSha256 = decodeBase64Url(witnesses?.sha256 ?? '')
  const link = await sharesPitch(founder, { policy: { witnessesSha256 } })

  const grace = await visit({ browser, ...served }, { email: 'grace@fund.example' })
  await grace.opens(link)
  await grace.reads('2 independent witnesses confirm that the log has recorded it')
  await grace.looks(t, 'welcome, with witnesses')
  await grace.namesSelf()
  await grace.typesCode()
  await grace.sees('Non-Disclosure Agreement')

  await south.kill()
  await grace.signs()
  await grace.reads('Once it is in the log, 2 independent witnesses confirm the entry; then the key comes.')
  await grace.looks(t, 'waiting for witnesses')
  await grace.page.waitForTimeout(1_500)
  t.equal(await grace.page.getByText('Signed, and on record').count(), 0, 'one of two is too few')
  await south.restart()
  await grace.reads('Signed, and on record')
  await grace.reads('Cosigned by 2 independent witnesses: north, south.')
  await grace.readsSlide(slideText(WHOLE_CANARY, 0))
  await grace.looks(t, 'a cosigned receipt')

  const receipt = await grace.saves('Save the receipt')
  const policy = await grace.saves('Save who confirms it')
  const [receiptPath, policyPath] = [join(folder, receipt.fileName), join(folder, policy.fileName)]
  await Promise.all([writeFile(receiptPath, receipt.bytes), writeFile(policyPath, policy.bytes)])
  const { stdout } = await execute(process.execPath, [COMMAND, 'verify', 'receipt', receiptPath, '--policy', policyPath])
  t.match(stdout, /^VERIFIED/m)
  t.match(stdout, /north[^]*south/, 'and says who cosigned')
  await checkLog(t, world.world)
  await grace.leaves()
})
