// Goal: what should not happen is named at the entry where it shows, and nobody is accused of what was not read.
// Method: small stories, one oddity each, beside the same story without it; and each story read from its middle.
import t from 'tap'
import { AnomalyScanner, findAnomalies, type SeenEvent } from '../../../protocol/log/anomalies.js'
import type { Event } from '../../../protocol/log/event.js'

const VAULT = '01890a5d-ac96-774b-bcce-b302099a8057'
const ADA = '01890a5d-ac96-774b-bcce-b302099a8059'
const BOB = '01890a5d-ac96-774b-bcce-b302099a8060'
const GRANT = 'AAECAwQFBgcICQoLDA0ODw'

/** Event number `at` commits to `c<at>`. */
type Told = Pick<Event, 'type'> & Partial<Event> & { readonly address?: string }

function seen(story: readonly (Told | null)[], from = 0): SeenEvent[] {
  return story.map((told, index) => ({ ...seenOne(told, index), index, commitment: `c${index}` })).slice(from)
}

function seenOne(told: Told | null, index: number): Pick<SeenEvent, 'event' | 'details'> {
  if (told === null) return { event: null, details: null }
  const { address, ...event } = told
  const at = new Date(Date.UTC(2026, 10, 22, 14, 0, index)).toISOString()
  const id = `01890a5d-ac96-774b-bcce-${index.toString(16).padStart(12, '0')}`
  return {
    event: { id, log: 'log.example', at, actor: 'server', vault: VAULT, ...event },
    details: address === undefined ? null : { address },
  }
}

function kindsOf(
  story: readonly (Told | null)[],
  { from = 0, isWhole = from === 0 }: { from?: number, isWhole?: boolean } = {},
): string[] {
  return findAnomalies(seen(story, from), isWhole).map(({ kind, index }) => `${kind} ${index}`)
}

const enrolled: Told = { type: 'device.enrolled', party: ADA, grant: GRANT, deviceKey: 'key-1' }
const accepted: Told = { type: 'nda.accepted', party: ADA, grant: GRANT }
const revoked: Told = { type: 'access.revoked', party: ADA, grant: GRANT }
function released(because: string, party = ADA): Told {
  return { type: 'header.released', party, grant: GRANT, gate: 'nda', because }
}

t.test('a story by the rules has nothing to look at', async (t) => {
  t.same(kindsOf([enrolled, accepted, released('c1'), { type: 'version.fetched', party: ADA }, revoked]), [])
  const open: Told = { ...released('c0'), gate: 'email' }
  t.same(kindsOf([enrolled, open]), [], 'an enrolment permits what no NDA guards')
})

t.test('a release after a revocation is named, until access is given again', async (t) => {
  t.same(kindsOf([accepted, revoked, released('c0')]), ['released-after-revocation 2'])
  t.same(kindsOf([accepted, revoked, { type: 'access.approved', party: ADA, grant: GRANT }, released('c0')]), [])
  t.same(kindsOf([accepted, { type: 'access.revoked', grant: GRANT }, released('c0')]), ['released-after-revocation 2'])
  t.same(kindsOf([accepted, { type: 'access.revoked', party: BOB, grant: GRANT }, released('c0')]), [], 'another\'s revocation')
})

t.test('a release behind the NDA needs a signature, her own, made before', async (t) => {
  t.same(kindsOf([enrolled, released('c0')]), ['released-without-acceptance 1'])
  t.same(kindsOf([accepted, released('c0', BOB)]), ['permission-of-another 1'])
  t.same(kindsOf([released('c1'), accepted]), ['permission-later 0'])
  t.same(kindsOf([released('c9')]), ['permission-missing 0'])
  t.same(kindsOf([{ type: 'version.stored' }, released('c0')]), ['permission-missing 1'], 'not everything is a permission')
  t.same(kindsOf([null, released('c0')]), ['erased 0'], 'what was erased may have been one')
})

t.test('who has not read from the start says nothing of what is missing', async (t) => {
  t.same(kindsOf([accepted, released('c0')], { from: 1 }), [])
  t.same(kindsOf([accepted, released('c0'), revoked, released('c0')], { from: 1 }), ['released-after-revocation 3'])
  t.same(kindsOf([accepted, released('c0')], { from: 1, isWhole: true }), ['permission-missing 1'])
})

t.test('another device of a known person is named once', async (t) => {
  const second = { ...enrolled, deviceKey: 'key-2' }
  t.same(kindsOf([enrolled, enrolled, second, second]), ['new-device 2'])
  t.same(kindsOf([enrolled, { ...second, party: BOB }]), [], 'somebody else\'s first')
})

t.test('the fourth network address of one person is named', async (t) => {
  const from = (address: string): Told => ({ type: 'version.fetched', party: ADA, address })
  t.same(kindsOf([from('192.0.2.1'), from('192.0.2.2'), from('192.0.2.1'), from('192.0.2.3')]), [])
  t.same(kindsOf([from('192.0.2.1'), from('192.0.2.2'), from('192.0.2.3'), from('192.0.2.4'), from('192.0.2.4')]), ['many-addresses 3'])
})

t.test('a clock that goes back is named, a few minutes between servers are not', async (t) => {
  const at = (time: string): Told => ({ type: 'auditor.read', at: `2026-11-22T${time}.000Z` })
  t.same(kindsOf([at('14:00:00'), at('13:55:00')]), [])
  t.same(kindsOf([at('14:00:00'), at('13:54:59'), at('14:00:00')]), ['time-backwards 1'])
})

t.test('a gap in a vault\'s numbers is named, whichever vaults stand between', async (t) => {
  const scanner = new AnomalyScanner()
  const numbered = (vault: string, vaultSequence: number | null, index: number): SeenEvent => {
    const [one] = seen([{ type: 'auditor.read', vault }])
    if (one === undefined) throw new Error('one')
    return { ...one, index, vaultSequence }
  }
  t.same(scanner.scan(numbered(VAULT, 7, 0)), [], 'where reading begins')
  t.same(scanner.scan(numbered(BOB, 1, 1)), [])
  t.same(scanner.scan(numbered(VAULT, 8, 2)), [])
  t.same(scanner.scan(numbered(VAULT, 10, 3)), ['sequence-gap'])
  t.same(scanner.scan(numbered(VAULT, 10, 4)), ['sequence-gap'], 'a number twice is no better')
  t.same(scanner.scan(numbered(VAULT, null, 5)), [])
})
