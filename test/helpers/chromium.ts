/**
 * A real browser for tests: Debian's Chromium through playwright-core, one profile per person, a
 * virtual authenticator instead of a finger, and a record of every request that left the browser.
 */
import { chromium, type Browser, type BrowserContext, type CDPSession, type Page } from 'playwright-core'
import { findProgram } from './engine.js'

const NAMES = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome']
const ACTION_TIMEOUT_MS = 60_000

/** How a person's browser differs from a desktop in English with a passkey that knows PRF. */
export interface ProfileOptions {
  readonly passkey?: 'prf' | 'no-prf' | 'none'
  readonly locale?: 'en' | 'ru'
  readonly isPhone?: boolean
  readonly colorScheme?: 'light' | 'dark'
  /** Only for tools that a test injects (axe): the product itself must run under its own policy. */
  readonly bypassesCsp?: boolean
}

/** One person's browser: storage, cookies and keys of their own. */
export interface Profile {
  readonly context: BrowserContext
  readonly page: Page
  readonly requests: readonly RecordedRequest[]
  /** What the page complained about: uncaught errors, console errors, policy violations. */
  readonly complaints: readonly string[]
  /** Another tab of the same person, with a passkey of its own. */
  openTab(): Promise<Page>
  close(): Promise<void>
}

/** What a request carried, for a search after secrets. */
export interface RecordedRequest {
  readonly method: string
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
}

interface Test { teardown(end: () => Promise<void>): void }

/** Where the browser is, or `undefined` if there is none. TEST_CHROMIUM names another one. */
export function findChromium(): string | undefined {
  const named = process.env.TEST_CHROMIUM
  if (named !== undefined) return named
  return NAMES.map((name) => findProgram(name)).find((path) => path !== undefined)
}

/** Starts a browser that ends with `t`; half a second, so each file has its own. */
export async function useChromium(t: Test): Promise<Browser> {
  const executablePath = findChromium()
  if (executablePath === undefined) throw new Error('Chromium is not installed')
  const browser = await chromium.launch({ executablePath, args: launchArgs() })
  t.teardown(async () => await browser.close())
  return browser
}

// Chromium's own sandbox refuses root, and /dev/shm is small in containers.
function launchArgs(): string[] {
  const isRoot = process.getuid?.() === 0
  return ['--disable-dev-shm-usage', '--disable-gpu', ...(isRoot ? ['--no-sandbox'] : [])]
}

/** Opens a fresh profile with one tab. */
export async function openProfile(
  browser: Browser, options: ProfileOptions = {},
): Promise<Profile> {
  const context = await browser.newContext({
    locale: options.locale === 'ru' ? 'ru-RU' : 'en-GB',
    timezoneId: 'UTC',
    colorScheme: options.colorScheme ?? 'light',
    acceptDownloads: true,
    bypassCSP: options.bypassesCsp ?? false,
    permissions: ['clipboard-read', 'clipboard-write'],
    ...screenOf(options.isPhone ?? false),
  })
  context.setDefaultTimeout(ACTION_TIMEOUT_MS)
  const requests = recordRequests(context)
  const complaints = recordComplaints(context)
  const openTab = async (): Promise<Page> => await openPage(context, options.passkey ?? 'prf')
  return {
    context, page: await openTab(), requests, complaints, openTab,
    close: async () => await context.close(),
  }
}

function screenOf(
  isPhone: boolean,
): { viewport: { width: number, height: number }, hasTouch: boolean, isMobile: boolean } {
  const viewport = isPhone ? { width: 360, height: 740 } : { width: 1280, height: 800 }
  return { viewport, hasTouch: isPhone, isMobile: isPhone }
}

async function openPage(context: BrowserContext, passkey: 'prf' | 'no-prf' | 'none'): Promise<Page> {
  const page = await context.newPage()
  if (passkey !== 'none') await addAuthenticator(page, { hasPrf: passkey === 'prf' })
  return page
}

/**
 * Gives a tab an authenticator that says yes at once. Its passkeys belong to this tab and go with
 * it, so a person who comes back must use the same tab or a passphrase.
 */
export async function addAuthenticator(
  page: Page, { hasPrf }: { hasPrf: boolean },
): Promise<CDPSession> {
  const session = await page.context().newCDPSession(page)
  await session.send('WebAuthn.enable')
  await session.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      ctap2Version: 'ctap2_1',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
      hasPrf,
    },
  })
  return session
}

function recordRequests(context: BrowserContext): RecordedRequest[] {
  const requests: RecordedRequest[] = []
  context.on('request', (request) => {
    requests.push({
      method: request.method(),
      url: request.url(),
      headers: request.headers(),
      body: request.postDataBuffer() ?? new Uint8Array(),
    })
  })
  return requests
}

function recordComplaints(context: BrowserContext): string[] {
  const complaints: string[] = []
  context.on('weberror', (error) => complaints.push(String(error.error())))
  context.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text())
  })
  return complaints
}
