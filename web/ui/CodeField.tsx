/**
 * A numeric code from a mail, drawn in two groups. One real input, so that paste, one-time-code
 * auto-fill and screen readers work as everywhere. Anything but digits is dropped; the full code
 * calls `onComplete` once, without a button.
 */
import { useLayoutEffect, useRef, type ChangeEvent, type Ref } from 'react'
import { common, useCopy } from '../copy.js'
import { classNames } from './class-names.js'
import { Field, type FieldWords } from './Field.js'
import field from './Field.module.css'
import styles from './CodeField.module.css'

interface CodeFieldProps extends Omit<FieldWords, 'hint' | 'isOptional'> {
  /** Digits only. */
  readonly value: string
  readonly onValueChange: (digits: string) => void
  readonly onComplete: (digits: string) => void
  /** Even; two groups of half as many. */
  readonly length?: number
  readonly isDisabled?: boolean
  readonly hint?: string
  readonly autoFocus?: boolean
  readonly ref?: Ref<HTMLInputElement>
}

export function CodeField(props: CodeFieldProps) {
  const { label, error, value, length = 8, isDisabled = false, hint, autoFocus = false } = props
  const copy = useCopy(common)
  const caret = useCaret(length)

  function onChange(event: ChangeEvent<HTMLInputElement>): void {
    const digits = onlyDigits(event.currentTarget.value).slice(0, length)
    caret.keep(event.currentTarget)
    if (digits === value) return
    props.onValueChange(digits)
    if (digits.length === length) props.onComplete(digits)
  }

  return (
    <Field label={label} error={error} hint={hint ?? copy.codeGroups(length)}>
      {(links) => (
        <input
          {...links} ref={(input) => attach(props.ref, caret.attach(input))}
          className={classNames(field.control, styles.code)}
          type='text' inputMode='numeric' autoComplete='one-time-code' spellCheck={false} autoFocus={autoFocus}
          placeholder={inGroups('·'.repeat(length), length)} size={length + 1}
          disabled={isDisabled} value={inGroups(value, length)} onChange={onChange}
        />
      )}
    </Field>
  )
}

function onlyDigits(text: string): string {
  return text.replaceAll(/\D/g, '')
}

function inGroups(symbols: string, length: number): string {
  const half = length / 2
  return symbols.length > half ? `${symbols.slice(0, half)} ${symbols.slice(half)}` : symbols
}

/** The gap moves the caret: remember how many digits stood before it, and put it back after them. */
function useCaret(length: number) {
  const input = useRef<HTMLInputElement | null>(null)
  const digitsBefore = useRef<number | null>(null)

  useLayoutEffect(() => {
    if (digitsBefore.current === null || input.current === null) return
    const half = length / 2
    const place = digitsBefore.current + (digitsBefore.current > half ? 1 : 0)
    digitsBefore.current = null
    input.current.setSelectionRange(place, place)
  })

  return {
    attach(element: HTMLInputElement | null): HTMLInputElement | null {
      input.current = element
      return element
    },
    keep(element: HTMLInputElement): void {
      const before = onlyDigits(element.value.slice(0, element.selectionStart ?? length + 1))
      digitsBefore.current = Math.min(before.length, length)
    },
  }
}

function attach(ref: Ref<HTMLInputElement> | undefined, element: HTMLInputElement | null): void {
  if (typeof ref === 'function') ref(element)
  else if (ref !== undefined && ref !== null) ref.current = element
}
