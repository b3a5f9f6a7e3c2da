// Goal: an invitation's pins hold for its founder and its log, whichever of the log's linked keys they name, and for
// nobody else's.
// Method: pure, with a storage in memory in the browser's place.
import t from 'tap'
import { encodeBase64Url, encodeUtf8 } from '../../protocol/bytes.js'
import { sha256 } from '../../protocol/hash.js'
import { pinningOf, rememberPins } from '../../web/auditor/pins.js'

const kept = new Map<string, string>()
Object.defineProperty(globalThis, 'localStorage', { value: {
  getItem: (name: string) => kept.get(name) ?? null,
  setItem: (name: string, value: string) => { kept.set(name, value) },
} })

const FOUNDER = new Uint8Array(32).fill(7)
const [OLD, NEXT, STRANGE] = ['log/2026+00000001+AQ', 'log/2026+00000002+AQ', 'log/2026+00000003+AQ']

function pinOf(bytes: Uint8Array): string {
  return encodeBase64Url(sha256(bytes).subarray(0, 16))
}

function vaultOf({ invitationId = 'first', founder = FOUNDER, logVkey = '' }) {
  return {
    invitationId, vaultId: 'vault', founderName: 'Ada', founderSigningKey: encodeBase64Url(founder),
    withIdentities: false, acceptedAtMs: 0, eventCount: 0, logVkey,
  }
}

t.test('a pin on any key of the log holds, and on none but those', (t) => {
  t.equal(pinningOf(vaultOf({ logVkey: OLD }), []), 'unknown')
  rememberPins('first', { founderFingerprint: pinOf(FOUNDER), logKeySha256: pinOf(encodeUtf8(OLD ?? '')) })
  const linked = [OLD ?? '', NEXT ?? '']
  t.equal(pinningOf(vaultOf({ logVkey: OLD }), linked), 'pinned')
  t.equal(pinningOf(vaultOf({ logVkey: NEXT }), linked), 'pinned', 'the log itself has linked them')
  t.equal(pinningOf(vaultOf({ logVkey: NEXT }), [NEXT ?? '']), 'mismatch', 'without the statement')
  t.equal(pinningOf(vaultOf({ logVkey: STRANGE }), linked), 'mismatch', 'a key beside the line')
  const other = new Uint8Array(32).fill(8)
  t.equal(pinningOf(vaultOf({ logVkey: OLD, founder: other }), linked), 'mismatch', 'another founder')
  t.end()
})
