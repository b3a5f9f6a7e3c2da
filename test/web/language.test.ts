// Goal: sentences, figures and times follow the rules of the language in force.
// Method: the words of both languages at the counts and distances where the form changes.
import t from 'tap'
import { PROTOCOL_ERROR_CODES } from '../../protocol/errors.js'
import { REFUSAL_CODES } from '../../protocol/refusals.js'
import { pickLocale } from '../../web/copy.js'
import {
  formatAgo, formatBytes, formatPercent, formatUtc, plural, type Locale,
} from '../../web/copy/language.js'
import { protocolErrors } from '../../web/copy/protocol-errors.js'
import { refusals } from '../../web/copy/refusals.js'

const SLIDES = { one: '# слайд', few: '# слайда', many: '# слайдов' }
const NOW_MS = Date.UTC(2026, 10, 22, 16, 55, 3)
const [SECOND_MS, MINUTE_MS, HOUR_MS, DAY_MS] = [1000, 60_000, 3_600_000, 86_400_000]

/** Intl parts its figures and units with spaces that do not break. */
function plain(text: string): string {
  return text.replaceAll(/[\u00a0\u202f]/g, ' ')
}

t.test('Russian counts in three forms', async (t) => {
  const counted = [0, 1, 2, 4, 5, 11, 14, 21, 22, 25, 101, 111, 1.5].map((count) => plural('ru', count, SLIDES))
  t.same(counted.map(plain), [
    '0 слайдов', '1 слайд', '2 слайда', '4 слайда', '5 слайдов', '11 слайдов', '14 слайдов', '21 слайд',
    '22 слайда', '25 слайдов', '101 слайд', '111 слайдов', '1,5 слайда',
  ])
})

t.test('English counts in two', async (t) => {
  const counted = [0, 1, 2, 1000].map((count) => plural('en', count, { one: '# slide', other: '# slides' }))
  t.same(counted, ['0 slides', '1 slide', '2 slides', '1,000 slides'])
})

t.test('sizes change their unit at powers of 1024', async (t) => {
  const sizes = [0, 1, 1023, 1024, 1536, 1024 ** 2, 200 * 1024 ** 2, 1024 ** 3, 1024 ** 6]
  t.same(sizes.map((size) => plain(formatBytes('en', size))), [
    '0 bytes', '1 byte', '1,023 bytes', '1 kB', '1.5 kB', '1 MB', '200 MB', '1 GB', '1,048,576 TB',
  ])
  t.equal(plain(formatBytes('ru', 1536)), '1,5 кБ')
})

t.test('progress does not say 100 % before the end', async (t) => {
  const shown = [0, 0.004, 0.999, 1, 1.2, -1].map((share) => formatPercent('en', share))
  t.same(shown, ['0%', '0%', '99%', '100%', '100%', '0%'])
})

t.test('times are told by their distance, and by their date from a week on', async (t) => {
  function tell(locale: Locale, aheadMs: number): string {
    return plain(formatAgo(locale, { atMs: NOW_MS + aheadMs, nowMs: NOW_MS }))
  }

  t.equal(tell('en', -44 * SECOND_MS), 'now')
  t.equal(tell('en', -45 * SECOND_MS), '1 min ago')
  t.equal(tell('en', -119 * MINUTE_MS), '1 hr ago', 'never more than has passed')
  t.equal(tell('en', -2 * HOUR_MS), '2 hr ago')
  t.equal(tell('en', -DAY_MS), 'yesterday')
  t.equal(tell('en', 3 * DAY_MS), 'in 3 days')
  t.match(tell('en', -7 * DAY_MS), /^15 November 2026$/)
  t.equal(tell('ru', -2 * HOUR_MS), '2 ч назад')
  t.equal(tell('ru', -DAY_MS), 'вчера')
  t.equal(formatUtc(NOW_MS), '2026-11-22 16:55:03 UTC')
})

t.test('the first language that we speak is taken, else English', async (t) => {
  t.equal(pickLocale(['', 'fr-CA', 'ru-RU', 'en']), 'ru')
  t.equal(pickLocale(['EN-us', 'ru']), 'en')
  t.equal(pickLocale(['fr', 'rue', '']), 'en')
})

t.test('every code has a plain sentence in every language', async (t) => {
  const russian = /[а-яё]/
  const sections = [[refusals, REFUSAL_CODES], [protocolErrors, PROTOCOL_ERROR_CODES]] as const
  for (const [section, codes] of sections) {
    const sentences = new Map([...Object.entries(section.en), ...Object.entries(section.ru)])
    t.equal(sentences.size, codes.length)
    for (const [code, sentence] of Object.entries(section.en)) {
      t.match(sentence, /^[A-Z].+\.$/, code)
      t.notMatch(sentence, russian, code)
    }
    for (const [code, sentence] of Object.entries(section.ru)) {
      t.match(sentence, /^[А-ЯЁ].*[а-яё].*\.$/s, code)
    }
    const all = [...Object.values(section.en), ...Object.values(section.ru)].join(' ')
    t.notMatch(all, /!|successfully|oops|успешно/i, 'the voice stays calm')
  }
})
