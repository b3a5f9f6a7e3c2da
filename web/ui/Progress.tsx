/**
 * How far one or several things have come, one bar each under one another, with figures.
 * Measured in bytes or as a share; `null` means under way with no end known.
 */
import { useId } from 'react'
import { common, useCopy, useLocale } from '../copy.js'
import { formatPercent } from '../copy/language.js'
import { classNames } from './class-names.js'
import styles from './Progress.module.css'

interface BarCommon {
  readonly label: string
  /** `seal` for sealing and verifying. */
  readonly tone?: 'accent' | 'seal'
}

export type Bar = BarCommon & (
  | { readonly doneBytes: number, readonly totalBytes: number }
  | { readonly share: number | null }
)

export function Progress({ bars }: { bars: readonly Bar[] }) {
  return (
    <div className={styles.progress}>
      {bars.map((bar) => <ProgressBar key={bar.label} bar={bar} />)}
    </div>
  )
}

function ProgressBar({ bar }: { bar: Bar }) {
  const id = useId()
  const share = shareOf(bar)
  const figures = useFigures(bar, share)
  return (
    <div className={styles.bar}>
      <span className={styles.label} id={id}>{bar.label}</span>
      <span className={styles.figures}>{figures}</span>
      <div
        className={classNames(styles.track, share === null && styles.endless)} role='progressbar' aria-labelledby={id}
        aria-valuemin={0} aria-valuemax={100} aria-valuetext={figures}
        aria-valuenow={share === null ? undefined : Math.floor(share * 100)}
      >
        <div
          className={classNames(styles.done, bar.tone === 'seal' && styles.seal)}
          style={{ inlineSize: `${(share ?? 0) * 100}%` }}
        />
      </div>
    </div>
  )
}

function shareOf(bar: Bar): number | null {
  const share = 'share' in bar ? bar.share : bar.doneBytes / Math.max(1, bar.totalBytes)
  return share === null ? null : Math.min(1, Math.max(0, share))
}

function useFigures(bar: Bar, share: number | null): string {
  const copy = useCopy(common)
  const { locale } = useLocale()
  if (share === null) return copy.working
  const percent = formatPercent(locale, share)
  return 'share' in bar ? percent : `${copy.bytesOf(bar.doneBytes, bar.totalBytes)} · ${percent}`
}
