/**
 * One line of text. `onValueChange` hands out the text itself; every other attribute of an input is
 * passed on (type, autoComplete, inputMode, maxLength, ref...). A password gets a *show* button.
 */
import { useState, type ComponentProps } from 'react'
import { common, useCopy } from '../copy.js'
import { IconButton } from './Button.js'
import { Field, type FieldWords } from './Field.js'
import styles from './Field.module.css'

interface TextFieldProps extends FieldWords, Omit<ComponentProps<'input'>, 'className' | 'id' | 'onChange'> {
  readonly value: string
  readonly onValueChange?: (value: string) => void
}

export function TextField(props: TextFieldProps) {
  const { label, hint, error, isOptional = false, onValueChange, ...rest } = props
  const words = { label, error, isOptional, ...(hint !== undefined && { hint }) }
  const input = {
    ...rest,
    onChange: (event: ChangeOf) => onValueChange?.(event.currentTarget.value),
  }
  return (
    <Field {...words}>
      {(links) => rest.type === 'password'
        ? <SecretInput {...input} {...links} />
        : <input {...input} {...links} className={styles.control} />}
    </Field>
  )
}

interface ChangeOf {
  readonly currentTarget: HTMLInputElement
}

function SecretInput(props: ComponentProps<'input'>) {
  const [isShown, setShown] = useState(false)
  const copy = useCopy(common)
  return (
    <div className={styles.withAction}>
      <input
        spellCheck={false} autoCapitalize='none' {...props}
        className={styles.control} type={isShown ? 'text' : 'password'}
      />
      <IconButton
        icon={isShown ? 'eye-off' : 'eye'} label={isShown ? copy.hideText : copy.showText}
        aria-pressed={isShown} onClick={() => setShown(!isShown)}
      />
    </div>
  )
}
