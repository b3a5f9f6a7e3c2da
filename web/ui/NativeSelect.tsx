/** A choice of one from a short list, with the browser's own list: light enough for any surface. */
import type { ComponentProps } from 'react'
import { classNames } from './class-names.js'
import { Field, type FieldWords } from './Field.js'
import { Icon } from './Icon.js'
import styles from './Field.module.css'

export interface NativeOption<T extends string> {
  readonly value: T
  readonly label: string
}

interface NativeSelectProps<T extends string>
  extends FieldWords, Omit<ComponentProps<'select'>, 'className' | 'id' | 'onChange' | 'children' | 'value'> {
  readonly value: T
  readonly options: ReadonlyArray<NativeOption<T>>
  readonly onValueChange: (value: T) => void
}

export function NativeSelect<T extends string>(props: NativeSelectProps<T>) {
  const { label, hint, error, isOptional = false, options, onValueChange, ...rest } = props
  const words = { label, error, isOptional, ...(hint !== undefined && { hint }) }

  function onPick(picked: string): void {
    const option = options.find(({ value }) => value === picked)
    if (option !== undefined) onValueChange(option.value)
  }

  return (
    <Field {...words}>
      {(links) => (
        <div className={styles.pickable}>
          <select
            {...rest} {...links} className={classNames(styles.control, styles.list)}
            onChange={(event) => onPick(event.currentTarget.value)}
          >
            {options.map((option) => (
              <option key={option.value} value={option.value}>{option.label}</option>
            ))}
          </select>
          <Icon name='chevron-down' />
        </div>
      )}
    </Field>
  )
}
