/**
 * Says aloud what changed, without moving focus. Keep it mounted and change what is in it: a region
 * that appears together with its words stays silent in some screen readers.
 */
import type { ReactNode } from 'react'
import styles from './VisuallyHidden.module.css'

interface LiveRegionProps {
  /** Interrupts whatever is being read: only for what has failed. */
  readonly isUrgent?: boolean
  readonly children: ReactNode
}

export function LiveRegion({ isUrgent = false, children }: LiveRegionProps) {
  return <span className={styles.hidden} role={isUrgent ? 'alert' : 'status'}>{children}</span>
}
