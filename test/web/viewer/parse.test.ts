// Goal: on the viewer's ports nothing is believed that is not exactly a message of ours.
// Method: every message there is passes; with any field dropped or of another kind it does not.
import fc from 'fast-check'
import t from 'tap'
import {
  parseLinkUrl, parseOpenViewer, parsePageMessage, parseSourceAnswer, parseSourceDocument,
  parseSourceRequest, parseViewerMessage,
} from '../../../web/viewer/parse.js'

type Parse = (value: unknown) => unknown
interface Sample { parse: Parse, message: Record<string, unknown>, optional?: readonly string[] }

const bytes = Uint8Array.of(1, 2, 3)
const watermark = { email: 'ada@fund.example', atMs: 1 }
const settings = {
  pdfjsVersion: '6.5.438',
  isScriptingOff: true,
  isXfaOff: true,
  isAnnotationLayerOff: true,
  maxImageSizePixels: 1,
  isPolicyEffective: true,
  areTrustedTypesEnforced: true,
}
const page = { index: 0, width: 480, height: 270, mediaType: 'image/webp', bytes }
const thumbnails = [{ mediaType: 'image/webp', width: 480, height: 270 }]

const SAMPLES: readonly Sample[] = [
  {
    parse: parseOpenViewer,
    message: { kind: 'open-viewer', version: 1, mode: 'read', theme: 'dark', locale: 'ru', watermark },
  },
  {
    parse: parseSourceDocument,
    message: {
      kind: 'document', size: 9, title: 'T', mediaType: 'application/pdf', tailOffset: 4, pageCount: 3, lockedPageCount: 1, thumbnails,
    },
    optional: ['tailOffset', 'pageCount', 'lockedPageCount', 'thumbnails'],
  },
  { parse: parseSourceRequest, message: { id: 1, kind: 'read', offset: 0, length: 65_536 } },
  { parse: parseSourceRequest, message: { id: 1, kind: 'thumbnail', index: 4 } },
  { parse: parseSourceAnswer, message: { id: 1, bytes } },
  { parse: parseSourceAnswer, message: { id: 1, error: 'offline' } },
  { parse: parsePageMessage, message: { kind: 'watermark', watermark } },
  { parse: parsePageMessage, message: { kind: 'theme', theme: 'light' } },
  { parse: parsePageMessage, message: { kind: 'locale', locale: 'en' } },
  { parse: parsePageMessage, message: { kind: 'go-to', index: 3 } },
  { parse: parsePageMessage, message: { kind: 'fullscreen', isOn: true } },
  { parse: parsePageMessage, message: { kind: 'ping', id: 3 } },
  { parse: parsePageMessage, message: { kind: 'rasterise', indexes: [0, 2] } },
  { parse: parsePageMessage, message: { kind: 'close' } },
  { parse: parseViewerMessage, message: { kind: 'ready', settings } },
  { parse: parseViewerMessage, message: { kind: 'opened', pageCount: 3 } },
  { parse: parseViewerMessage, message: { kind: 'rendered-first-page', elapsedMs: 1.5, fetchedBytes: 9 } },
  { parse: parseViewerMessage, message: { kind: 'page-shown', index: 0, pageCount: 3 } },
  { parse: parseViewerMessage, message: { kind: 'error', code: 'watchdog' } },
  { parse: parseViewerMessage, message: { kind: 'pong', id: 3 } },
  { parse: parseViewerMessage, message: { kind: 'closed' } },
  { parse: parseViewerMessage, message: { kind: 'asked', what: 'unlock' } },
  { parse: parseViewerMessage, message: { kind: 'link', url: 'https://northwind.example/' } },
  {
    parse: parseViewerMessage,
    message: { kind: 'inspected', verdict: 'opens', pageSizes: [{ width: 960, height: 540 }] },
  },
  { parse: parseViewerMessage, message: { kind: 'thumbnail', page } },
  { parse: parseViewerMessage, message: { kind: 'raster', page } },
  { parse: parseViewerMessage, message: { kind: 'thumbnails-done' } },
  { parse: parseViewerMessage, message: { kind: 'rasters-done' } },
]

for (const { parse, message, optional = [] } of SAMPLES) {
  const what = String(message.kind ?? Object.keys(message))
  t.test(`${what}: itself, without what it does not know, and nothing less`, async (t) => {
    t.same(parse(message), message)
    t.same(parse({ ...message, surprise: 1 }), message, 'an unknown field is not passed on')
    for (const field of Object.keys(message)) {
      const { [field]: dropped, ...rest } = message
      const isOptional = optional.includes(field)
      t.equal(parse(rest) === null, !isOptional, `without ${field} (${String(dropped)})`)
      if (isOptional) continue
      for (const wrong of [undefined, -1, Number.NaN, 1e300, {}, [null], () => undefined]) {
        t.equal(parse({ ...message, [field]: wrong }), null, `${field}: ${String(wrong)}`)
      }
    }
  })
}

t.test('a setting that is not said to hold does not hold', async (t) => {
  const parsed = parseViewerMessage({ kind: 'ready', settings: { ...settings, isPolicyEffective: 'yes' } })
  t.match(parsed, { settings: { isPolicyEffective: false } })
})

t.test('a watermark that was meant but is not understood is not "none"', async (t) => {
  t.same(parsePageMessage({ kind: 'watermark', watermark: null }), { kind: 'watermark', watermark: null })
  t.equal(parsePageMessage({ kind: 'watermark', watermark: { email: 'ada' } }), null)
})

const LINKS: readonly [address: string, outcome: string | null][] = [
  ['https://a.example/x', 'https://a.example/x'],
  ['mailto:ada@fund.example', 'mailto:ada@fund.example'],
  ['javascript:alert(1)', null],
  [' JaVaScRiPt:alert(1)', null],
  ['data:text/html,x', null],
  ['file:///etc/passwd', null],
  ['blob:https://a.example/x', null],
  ['/relative', null],
  [`https://a.example/${'x'.repeat(2_048)}`, null],
]
for (const [address, outcome] of LINKS) {
  t.test(`link ${address.slice(0, 30)}`, async (t) => t.equal(parseLinkUrl(address), outcome))
}

t.test('no value whatever makes a parser throw', async (t) => {
  const parsers: readonly Parse[] = [...new Set(SAMPLES.map(({ parse }) => parse)), parseLinkUrl]
  fc.assert(fc.property(fc.anything({ withTypedArray: true, withNullPrototype: true }), (value) => {
    for (const parse of parsers) parse(value)
    for (const { parse, message } of SAMPLES) {
      for (const field of Object.keys(message)) parse({ ...message, [field]: value })
    }
  }), { numRuns: 300 })
  t.pass('none did')
})
