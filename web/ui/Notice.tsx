/**
 * A few sentences that stand apart: `info` to know, `warn` to read before going on, `fail` for what
 * was not done, `seal` for what is sealed, signed or verified. The symbol has a name, so the kind is
 * never told by colour alone.
 */
import type { ReactNode } from 'react'
import { common, useCopy } from '../copy.js'
import { classNames } from './class-names.js'
import { Icon, type IconName } from './Icon.js'
import styles from './Notice.module.css'

export type Tone = 'info' | 'warn' | 'fail' | 'seal'

const TONE_ICONS: Readonly<Record<Tone, IconName>> = { info: 'info', warn: 'warning', fail: 'failed', seal: 'shield' }

interface NoticeProps {
  readonly tone?: Tone
  readonly title?: string
  readonly children?: ReactNode
  /** A button or two, under the words. */
  readonly actions?: ReactNode
  /** Set it on what appears in answer to an act: `fail` interrupts, the others wait their turn. */
  readonly isLive?: boolean
}

export function Notice({ tone = 'info', title, children, actions, isLive = false }: NoticeProps) {
  const copy = useCopy(common)
  const role = isLive ? (tone === 'fail' ? 'alert' : 'status') : undefined
  return (
    <div className={classNames(styles.notice, styles[tone])} role={role}>
      <span className={styles.mark}>
        <Icon name={TONE_ICONS[tone]} label={copy.notice[tone]} />
      </span>
      <div className={styles.words}>
        {title !== undefined && <p className={styles.title}>{title}</p>}
        {children !== undefined && <div>{children}</div>}
        {actions !== undefined && <div className={styles.actions}>{actions}</div>}
      </div>
    </div>
  )
}
