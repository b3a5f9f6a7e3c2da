/**
 * The frame of a form field: label above, hint below it, error under the control, all tied together
 * for screen readers. Draws no control of its own.
 */
import { useId, type ReactNode } from 'react'
import { common, useCopy } from '../copy.js'
import { Icon } from './Icon.js'
import styles from './Field.module.css'

export interface FieldWords {
  readonly label: string
  readonly hint?: ReactNode
  /** What is wrong and how to put it right; `undefined` while nothing is. */
  readonly error?: string | undefined
  readonly isOptional?: boolean
}

interface ControlLinks {
  readonly id: string
  readonly 'aria-describedby': string | undefined
  readonly 'aria-invalid': true | undefined
}

interface FieldProps extends FieldWords {
  readonly children: (links: ControlLinks) => ReactNode
}

export function Field({ label, hint, error, isOptional = false, children }: FieldProps) {
  const id = useId()
  const copy = useCopy(common)
  const described = [hint !== undefined && `${id}-hint`, error !== undefined && `${id}-error`]
  const links: ControlLinks = {
    id,
    'aria-describedby': described.filter((part) => part !== false).join(' ') || undefined,
    'aria-invalid': error === undefined ? undefined : true,
  }
  return (
    <div className={styles.field}>
      <label className={styles.label} htmlFor={id}>
        {label}
        {isOptional && <span className={styles.optional}> {copy.optional}</span>}
      </label>
      {hint !== undefined && <div className={styles.hint} id={`${id}-hint`}>{hint}</div>}
      {children(links)}
      <FieldError id={`${id}-error`} error={error} />
    </div>
  )
}

/** Mounted from the start, so that the words are read out when they arrive. */
export function FieldError({ id, error }: { id: string, error: string | undefined }) {
  return (
    <div className={styles.error} id={id} aria-live='polite'>
      {error !== undefined && <><Icon name='failed' /><span>{error}</span></>}
    </div>
  )
}
