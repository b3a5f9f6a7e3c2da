/** Something is under way. Silent: whoever shows it says in words, or in a live region, what it is. */
import styles from './Spinner.module.css'

export function Spinner() {
  return (
    <svg className={styles.spinner} viewBox='0 0 20 20' aria-hidden='true'>
      <circle className={styles.track} cx='10' cy='10' r='7.5' />
      <circle className={styles.arc} cx='10' cy='10' r='7.5' pathLength='100' />
    </svg>
  )
}
