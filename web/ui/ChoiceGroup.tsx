/**
 * One of a few, each with a sentence that says what it means: for choices worth reading.
 * Arrow keys move between them, as in every radio group.
 */
import { useId, type ReactNode } from 'react'
import { classNames } from './class-names.js'
import styles from './Choice.module.css'

export interface Choice<T extends string> {
  readonly value: T
  readonly title: string
  readonly detail?: ReactNode
  readonly isDisabled?: boolean
}

interface ChoiceGroupProps<T extends string> {
  readonly legend: string
  readonly hint?: ReactNode
  readonly value: T | null
  readonly choices: ReadonlyArray<Choice<T>>
  readonly onValueChange: (value: T) => void
}

export function ChoiceGroup<T extends string>(props: ChoiceGroupProps<T>) {
  const { legend, hint, value, choices, onValueChange } = props
  const name = useId()
  return (
    <fieldset className={styles.group}>
      <legend className={styles.legend}>{legend}</legend>
      {hint !== undefined && <p className={styles.detail}>{hint}</p>}
      {choices.map((choice) => (
        <label key={choice.value} className={classNames(styles.choice, styles.card)}>
          <input
            type='radio' name={name} className={styles.dot} disabled={choice.isDisabled}
            checked={choice.value === value} onChange={() => onValueChange(choice.value)}
          />
          <span className={styles.words}>
            <span className={styles.title}>{choice.title}</span>
            {choice.detail !== undefined && <span className={styles.detail}>{choice.detail}</span>}
          </span>
        </label>
      ))}
    </fieldset>
  )
}
