// Goal: a filter survives its way through an address and finds what it names; a table runs nothing; news never hide a gap.
// Method: the pure parts of the auditor's screens, by themselves.
import t from 'tap'
import type { LoggedEvent } from '../../protocol/api.js'
import { formatCsvHead, formatCsvRows } from '../../web/auditor/csv.js'
import { type CheckedPage, type ShownEvent, joinNews } from '../../web/auditor/pages.js'
import { fits, isFiltered, NO_FILTER, queryOf, readFilter, writeFilter } from '../../web/auditor/filter.js'

const PERSON = '01890a5d-ac96-774b-bcce-b302099a8059'
const DOCUMENT = '01890a5d-ac96-774b-bcce-b302099a805a'
const FULL = { type: 'nda.accepted', personId: PERSON, documentId: DOCUMENT, fromDay: '2026-11-01', toDay: '2026-11-22' }

function shown(index: number, more: Partial<LoggedEvent> = {}, party = PERSON): ShownEvent {
  return {
    checkpoint: '',
    logged: {
      index, eventId: String(index), type: 'nda.accepted', atMs: Date.parse('2026-11-22T23:59:59.999Z'), event: null, salt: null,
      commitment: '', vaultTag: '', partyTag: '', vaultSequence: null, details: null, proof: [], ...more,
    },
    checked: {
      index, isProven: true, commitment: '', vaultSequence: null, details: null,
      event: { type: 'nda.accepted', id: '', log: '', at: '', actor: 'server', party, document: DOCUMENT },
    },
  }
}

function page(indexes: readonly number[], next: number | null = null): CheckedPage {
  const checked = { origin: '', treeSize: 0, rootHash: '', rememberedSize: null, atMs: 0 }
  return {
    events: indexes.map((index) => shown(index)), next, totalCount: 0, newest: indexes[0] ?? null,
    vaultTagKey: null, checked,
  }
}

const indexesOf = ({ events }: CheckedPage) => events.map(({ logged }) => logged.index)

t.test('a filter is read from the address as it was written, beside what else stands there', async (t) => {
  const written = writeFilter(new URLSearchParams('tab=log&entry=7'), FULL)
  t.same(readFilter(written), FULL)
  t.equal(written.get('tab'), 'log')
  t.same(readFilter(new URLSearchParams()), NO_FILTER)
  t.equal(writeFilter(written, NO_FILTER).toString(), 'tab=log&entry=7')
  t.ok(isFiltered(FULL))
  t.notOk(isFiltered(NO_FILTER))
})

t.test('what no filter would write counts as not asked for', async (t) => {
  const odd = new URLSearchParams('type=<script>&person=../../x&document=1&from=2026-13-45&to=yesterday')
  t.same(readFilter(odd), NO_FILTER)
})

t.test('days are whole and UTC, the last one included', async (t) => {
  t.same(queryOf(FULL), {
    type: 'nda.accepted', personId: PERSON, documentId: DOCUMENT,
    fromMs: Date.parse('2026-11-01T00:00:00.000Z'), toMs: Date.parse('2026-11-22T23:59:59.999Z'),
  })
  t.same(queryOf(NO_FILTER), {})
})

t.test('an event at hand fits a filter as the server would say', async (t) => {
  t.ok(fits(FULL, shown(1)))
  t.notOk(fits(FULL, shown(1, { type: 'nda.declined' })))
  t.notOk(fits(FULL, shown(1, {}, DOCUMENT)), 'somebody else')
  t.notOk(fits(FULL, shown(1, { atMs: Date.parse('2026-11-23T00:00:00.000Z') })), 'a millisecond late')
  t.ok(fits(NO_FILTER, shown(1)))
})

t.test('news come on top; more than a page of them stands alone', async (t) => {
  t.same(indexesOf(joinNews(page([3, 2], 2), page([5, 4]))), [5, 4, 3, 2])
  t.equal(joinNews(page([3, 2], 2), page([5, 4])).next, 2, 'and the list goes on where it went on')
  t.same(indexesOf(joinNews(page([3, 2]), page([900, 899], 899))), [900, 899], 'what lies between was not read')
  t.same(indexesOf(joinNews(null, page([5]))), [5])
  const long = joinNews(page(Array.from({ length: 299 }, (_, at) => 300 - at)), page([302, 301]))
  t.equal(long.events.length, 300)
  t.equal(long.next, 3, 'what made room is the next page')
})

t.test('a cell is text, whatever a spreadsheet would make of it', async (t) => {
  const { checked } = shown(7)
  const names = ['=1+1', '+1', '-1', '@x', ' =1', '\t=1', '\r=1', '＝1', '|x', '%x', '"quoted"', 'a,b', 'line\nbreak']
  for (const name of names) {
    const row = formatCsvRows([{ ...checked, details: { name } }])
    const cell = row.split('","').at(-4) ?? ''
    const isText = !/^\s*[=+\-@|%＝]/.test(cell) && !/^[\t\r\n]/.test(cell)
    t.ok(isText, JSON.stringify(name))
    t.ok(row.endsWith('\r\n'))
  }
  t.equal(formatCsvHead().split(',').length, formatCsvRows([checked]).split('","').length)
})
