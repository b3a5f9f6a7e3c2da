/** One yes or no, whose words are the label: consent says exactly what is agreed to. */
import { useId, type ComponentProps, type ReactNode } from 'react'
import { FieldError } from './Field.js'
import styles from './Choice.module.css'

interface CheckboxProps extends Omit<ComponentProps<'input'>, 'className' | 'id' | 'type' | 'onChange'> {
  readonly children: ReactNode
  readonly checked: boolean
  readonly onCheckedChange: (checked: boolean) => void
  readonly error?: string | undefined
}

export function Checkbox({ children, onCheckedChange, error, ...rest }: CheckboxProps) {
  const id = useId()
  const hasError = error !== undefined
  return (
    <div className={styles.single}>
      <label className={styles.choice}>
        <input
          {...rest} type='checkbox' className={styles.box}
          aria-describedby={hasError ? id : undefined} aria-invalid={hasError || undefined}
          onChange={(event) => onCheckedChange(event.currentTarget.checked)}
        />
        <span className={styles.words}>{children}</span>
      </label>
      <FieldError id={id} error={error} />
    </div>
  )
}
