/** Names and what they are, aligned: who shares, what is recorded, until when. */
import type { ReactNode } from 'react'
import styles from './Facts.module.css'

interface FactsProps {
  readonly facts: ReadonlyArray<{ readonly name: string, readonly value: ReactNode }>
}

export function Facts({ facts }: FactsProps) {
  return (
    <dl className={styles.facts}>
      {facts.map(({ name, value }) => (
        <div key={name} className={styles.fact}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  )
}
