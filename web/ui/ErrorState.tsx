/**
 * What should be here could not be shown: says so, why, and what to do. `code` is for whoever is
 * asked for help, so it is small and can be selected.
 */
import type { ReactNode } from 'react'
import { classNames } from './class-names.js'
import { Icon } from './Icon.js'
import styles from './State.module.css'

interface ErrorStateProps {
  readonly title: string
  readonly children?: ReactNode
  readonly actions?: ReactNode
  readonly code?: string
}

export function ErrorState({ title, children, actions, code }: ErrorStateProps) {
  return (
    <div className={styles.state} role='alert'>
      <span className={classNames(styles.mark, styles.failed)}><Icon name='failed' /></span>
      <p className={styles.title}>{title}</p>
      {children !== undefined && <div className={styles.words}>{children}</div>}
      {actions !== undefined && <div className={styles.actions}>{actions}</div>}
      {code !== undefined && <code className={styles.code}>{code}</code>}
    </div>
  )
}
