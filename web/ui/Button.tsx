/**
 * A button, labelled with the person's own act. One `primary` a screen: the one thing to do next.
 * While `isBusy` it keeps focus and its place, and takes no second press.
 */
import type { ComponentProps, MouseEvent, ReactNode } from 'react'
import { classNames } from './class-names.js'
import { Icon, type IconName } from './Icon.js'
import { Spinner } from './Spinner.js'
import styles from './Button.module.css'

/** `danger` starts what destroys; `destroy` is the last word on it, inside a confirmation. */
export type ButtonVariant = 'primary' | 'plain' | 'quiet' | 'danger' | 'destroy'

interface ButtonLook {
  readonly variant?: ButtonVariant
  readonly size?: 'normal' | 'small'
  /** As wide as its container: for phones and single-column forms. */
  readonly isWide?: boolean
}

interface ButtonProps extends ButtonLook, Omit<ComponentProps<'button'>, 'className'> {
  readonly icon?: IconName
  readonly isBusy?: boolean
}

export function Button(props: ButtonProps) {
  const { variant, size, isWide, icon, isBusy = false, children, onClick, ...rest } = props

  function onPress(event: MouseEvent<HTMLButtonElement>): void {
    // Not `disabled`, which would throw the focus away: a busy button only stops listening.
    if (isBusy) event.preventDefault()
    else onClick?.(event)
  }

  return (
    <button
      type='button' {...rest} className={buttonClass({ variant, size, isWide })}
      aria-disabled={isBusy || undefined} aria-busy={isBusy || undefined} onClick={onPress}
    >
      <ButtonMark icon={icon} isBusy={isBusy} />
      {children}
    </button>
  )
}

function ButtonMark({ icon, isBusy }: { icon: IconName | undefined, isBusy: boolean }): ReactNode {
  if (isBusy) return <Spinner />
  return icon === undefined ? null : <Icon name={icon} />
}

type OrUndefined<T> = { readonly [Key in keyof T]: T[Key] | undefined }

/** The look alone, for a router's link that acts as a button. */
export function buttonClass({ variant = 'plain', size = 'normal', isWide }: OrUndefined<ButtonLook>): string {
  return classNames(
    styles.button, styles[variant], size === 'small' && styles.small, isWide === true && styles.wide,
  )
}

interface IconButtonProps extends Omit<ComponentProps<'button'>, 'className' | 'children'> {
  readonly icon: IconName
  /** Read aloud, and shown on hover. */
  readonly label: string
}

/** A square with a symbol, where a word would crowd out the content. */
export function IconButton({ icon, label, ...rest }: IconButtonProps) {
  return (
    <button
      type='button' title={label} aria-label={label} {...rest}
      className={classNames(styles.button, styles.quiet, styles.square)}
    >
      <Icon name={icon} />
    </button>
  )
}
