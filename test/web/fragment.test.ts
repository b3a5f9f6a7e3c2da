// Goal: the secret in a link is nowhere in the page a moment after it opened, and leaves in no request. What an
// auditor's invitation pins are hashes of public keys: these wait in the tab's own store, and nowhere else.
// Method: open the gate with a canary for a secret; look at everything a script in the page could,
// and at everything that was sent.
import t from 'tap'
import { openProfile, useChromium } from '../helpers/chromium.js'
import { serveWorld } from './serve.js'

const GRANT_ID = 'AAAAAAAAAAAAAAAAAAAAAA'
const CANARY = `AQ${'canary'.repeat(10)}AAAA`

const browser = await useChromium(t)
const { world, origin } = await serveWorld(t)

for (const path of [`/g/${GRANT_ID}`, '/audit/019aa9d3-0000-7000-8000-000000000001']) {
  t.test(`${path.split('/', 2).join('/')} keeps its fragment from the page`, async (t) => {
    const profile = await openProfile(browser)
    await profile.page.goto(`${origin}${path}#${CANARY}`)
    await profile.page.locator('h1').waitFor()
    t.equal(profile.page.url(), `${origin}${path}`, 'it is not in the address bar')

    const visible = await profile.page.evaluate(() => JSON.stringify({
      address: [location.href, document.URL, document.baseURI, document.referrer, history.state],
      timings: performance.getEntries().map((entry) => [entry.name, entry]),
      navigation: performance.getEntriesByType('navigation')[0]?.name,
      page: document.documentElement.outerHTML,
      kept: [{ ...localStorage }, document.cookie, window.name],
    }))
    t.notOk(visible.includes('canary'), 'no script can read it')
    const inTab = await profile.page.evaluate(() => Object.entries({ ...sessionStorage }))
    const holders = inTab.filter(([, value]) => value.includes('canary')).map(([name]) => name)
    t.same(holders, path.startsWith('/audit') ? ['sealdeck.invitation'] : [], 'nor in the tab\'s store, but for what is no secret')
    t.ok(visible.includes(path), 'though all else about the page can be read')

    const decoder = new TextDecoder()
    const sent = profile.requests.map(({ url, headers, body }) =>
      `${url.split('#')[0]}\n${JSON.stringify(headers)}\n${decoder.decode(body)}`).join('\n')
    t.notOk(sent.includes('canary'), 'it left in no request')
    t.notOk(world.logLines.some((line) => line.includes('canary')), 'nor does the server know it')
    await profile.close()
  })
}
