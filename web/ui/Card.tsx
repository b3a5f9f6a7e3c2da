/** A sheet on the paper: one matter, with its heading and, at its foot, what can be done about it. */
import { useId, type ReactNode } from 'react'
import styles from './Card.module.css'

interface CardProps {
  readonly title?: ReactNode
  /** The heading's level on this screen. */
  readonly level?: 2 | 3
  /** Beside the title: a tag, a menu, a small button. */
  readonly aside?: ReactNode
  readonly footer?: ReactNode
  readonly children?: ReactNode
}

export function Card({ title, level = 2, aside, footer, children }: CardProps) {
  const id = useId()
  const Heading = level === 2 ? 'h2' : 'h3'
  return (
    <section className={styles.card} aria-labelledby={title === undefined ? undefined : id}>
      {title !== undefined && (
        <div className={styles.head}>
          <Heading className={styles.title} id={id}>{title}</Heading>
          {aside}
        </div>
      )}
      {children}
      {footer !== undefined && <div className={styles.foot}>{footer}</div>}
    </section>
  )
}
