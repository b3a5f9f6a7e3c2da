/**
 * What axe finds wrong with a screen. It runs in a world of its own beside the page's scripts, so that the page
 * stays under the product's own policy; the viewer's frame is another origin and has tests of its own.
 */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { CDPSession, Page } from 'playwright-core'

const source = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** A colour on its way is neither the one nor the other: what ends by itself ends first, and is painted. */
const SETTLED = `Promise.race([
  new Promise((resolve) => setTimeout(resolve, 10_000)),
  (async () => {
    const frame = () => new Promise((resolve) => requestAnimationFrame(resolve))
    const listMoving = () => document.getAnimations().filter((one) =>
      one.playState === 'running' && one.effect?.getComputedTiming().endTime !== Infinity)
    do { await frame(); await frame() } while (listMoving().length > 0)
  })(),
]).then(() => undefined)`
const RUN = `axe.run(document, { iframes: false, resultTypes: ['violations'] }).then(({ violations }) =>
  violations.flatMap(({ id, nodes }) => nodes.map(({ target, html }) => id + ': ' + target + ' ' + html.slice(0, 120))))`

const sessions = new WeakMap<Page, Promise<CDPSession>>()

/** One for each tab, for all time: when a session ends, Chromium takes the tab's passkeys with it. */
export async function sessionOf(page: Page): Promise<CDPSession> {
  const known = sessions.get(page)
  if (known !== undefined) return await known
  const made = page.context().newCDPSession(page)
  sessions.set(page, made)
  return await made
}

/** One line for each element at fault; empty if there is none. */
export async function findViolations(page: Page): Promise<string[]> {
  const session = await sessionOf(page)
  const { frameTree } = await session.send('Page.getFrameTree')
  const { executionContextId: contextId } = await session.send('Page.createIsolatedWorld', {
    frameId: frameTree.frame.id, worldName: 'axe',
  })
  await session.send('Runtime.evaluate', { expression: SETTLED, contextId, awaitPromise: true })
  await session.send('Runtime.evaluate', { expression: source, contextId })
  const { result, exceptionDetails } = await session.send('Runtime.evaluate', {
    expression: RUN, contextId, awaitPromise: true, returnByValue: true,
  })
  if (exceptionDetails !== undefined) throw new Error(exceptionDetails.text)
  return result.value
}
