/** A long hash or key, shortened in the middle, whole on hover and on the clipboard. */
import { common, useCopy } from '../copy.js'
import { CopyButton } from './CopyButton.js'
import styles from './Hash.module.css'

const HEAD_LENGTH = 10
const TAIL_LENGTH = 8

interface HashProps {
  readonly value: string
  /** What it is the hash of, for the copy button's name. */
  readonly what: string
  readonly isWhole?: boolean
}

export function Hash({ value, what, isWhole = false }: HashProps) {
  const copy = useCopy(common)
  return (
    <span className={styles.hash}>
      <code className={styles.value} title={value}>{isWhole ? value : shorten(value)}</code>
      <CopyButton isIcon text={value} label={copy.hashOf(what)} />
    </span>
  )
}

function shorten(value: string): string {
  if (value.length <= HEAD_LENGTH + TAIL_LENGTH + 1) return value
  return `${value.slice(0, HEAD_LENGTH)}…${value.slice(-TAIL_LENGTH)}`
}
