/** Several lines of text; grows with them. */
import type { ComponentProps } from 'react'
import { classNames } from './class-names.js'
import { Field, type FieldWords } from './Field.js'
import styles from './Field.module.css'

interface TextAreaProps extends FieldWords, Omit<ComponentProps<'textarea'>, 'className' | 'id' | 'onChange'> {
  readonly value: string
  readonly onValueChange?: (value: string) => void
}

export function TextArea(props: TextAreaProps) {
  const { label, hint, error, isOptional = false, onValueChange, ...rest } = props
  const words = { label, error, isOptional, ...(hint !== undefined && { hint }) }
  return (
    <Field {...words}>
      {(links) => (
        <textarea
          rows={3} {...rest} {...links} className={classNames(styles.control, styles.area)}
          onChange={(event) => onValueChange?.(event.currentTarget.value)}
        />
      )}
    </Field>
  )
}
