/** A moment as people say it, with the exact UTC and local time behind it. */
import { useLocale } from '../copy.js'
import { formatAgo, formatDate, formatDateTime, formatUtc } from '../copy/language.js'
import { useNow } from './use-now.js'
import styles from './Time.module.css'

interface TimeProps {
  readonly atMs: number
  /** `ago`: "2 hr ago". `date`: the day. `utc`: to the second, as in the log. */
  readonly style?: 'ago' | 'date' | 'utc'
}

export function Time({ atMs, style = 'ago' }: TimeProps) {
  const { locale } = useLocale()
  const nowMs = useNow()
  const exact = `${formatUtc(atMs)}\n${formatDateTime(locale, atMs)}`
  const words = {
    ago: () => formatAgo(locale, { atMs, nowMs }),
    date: () => formatDate(locale, atMs),
    utc: () => formatUtc(atMs),
  }
  return (
    <time className={style === 'utc' ? undefined : styles.whole} dateTime={new Date(atMs).toISOString()} title={exact}>{words[style]()}</time>
  )
}
