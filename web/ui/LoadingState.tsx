/** A whole area that is on its way. */
import { common, useCopy } from '../copy.js'
import { Spinner } from './Spinner.js'
import styles from './State.module.css'

export function LoadingState({ label }: { label?: string }) {
  const copy = useCopy(common)
  return (
    <div className={styles.state} role='status'>
      <span className={styles.mark}><Spinner /></span>
      <p className={styles.words}>{label ?? copy.loading}</p>
    </div>
  )
}
