/** The agreement's side of the screen begins here; where nothing stands beside it, so does the page. */
import type { ReactNode } from 'react'
import styles from './investor.module.css'

export function SignHeading({ isAll, children }: { isAll: boolean, children: ReactNode }) {
  const Heading = isAll ? 'h1' : 'h2'
  return <Heading className={styles.signTitle} tabIndex={-1}>{children}</Heading>
}
