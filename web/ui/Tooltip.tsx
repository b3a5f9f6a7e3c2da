/** A few words about a control, on hover and on focus. Never the only place where they stand. */
import type { ReactElement } from 'react'
import { Focusable, Tooltip as AriaTooltip, TooltipTrigger, type FocusableElement } from 'react-aria-components'
import type { DOMAttributes } from 'react'
import styles from './Tooltip.module.css'

interface TooltipProps {
  readonly words: string
  /** One control that takes a ref: Button, IconButton, a link. */
  readonly children: ReactElement<DOMAttributes<FocusableElement>, string>
}

export function Tooltip({ words, children }: TooltipProps) {
  return (
    <TooltipTrigger delay={400} closeDelay={80}>
      <Focusable>{children}</Focusable>
      <AriaTooltip className={styles.tooltip ?? ''} offset={6}>{words}</AriaTooltip>
    </TooltipTrigger>
  )
}
