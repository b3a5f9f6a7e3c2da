/** A state in a word or two, with a symbol so that colour is never alone. */
import type { ReactNode } from 'react'
import { classNames } from './class-names.js'
import { Icon, type IconName } from './Icon.js'
import styles from './Tag.module.css'

interface TagProps {
  readonly tone?: 'neutral' | 'accent' | 'seal' | 'warn' | 'fail'
  readonly icon?: IconName
  readonly children: ReactNode
}

export function Tag({ tone = 'neutral', icon, children }: TagProps) {
  return (
    <span className={classNames(styles.tag, styles[tone])}>
      {icon !== undefined && <Icon name={icon} />}
      {children}
    </span>
  )
}
