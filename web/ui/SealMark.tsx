/**
 * The product's mark: a ring with a gap is open, a whole ring is sealed, a ring with a check is
 * verified. A change of state draws the ring shut; with reduced motion it is simply shut.
 */
import { classNames } from './class-names.js'
import styles from './SealMark.module.css'

export type SealState = 'open' | 'closed' | 'checked'

interface SealMarkProps {
  readonly state: SealState
  readonly size?: 'small' | 'normal' | 'large'
  /** What it says to who cannot see it; leave out when the words beside it say so. */
  readonly label?: string
}

export function SealMark({ state, size = 'normal', label }: SealMarkProps) {
  const voice = label === undefined ? { 'aria-hidden': true } : { role: 'img', 'aria-label': label }
  return (
    <svg className={classNames(styles.seal, styles[state], styles[size])} viewBox='0 0 48 48' {...voice}>
      <circle className={styles.ring} cx='24' cy='24' r='19' pathLength='100' />
      <circle className={styles.core} cx='24' cy='24' r='11.5' />
      <path className={styles.check} d='m16.5 24.5 5.2 5.2 10-11.2' pathLength='100' />
    </svg>
  )
}
