/** Signed, and the founder decides; or she has decided against it. */
import { useEffect, useState } from 'react'
import { useCopy } from '../copy.js'
import { investor } from '../copy/investor.js'
import type { Failure } from '../failure-words.js'
import { Button } from '../ui/Button.js'
import { SealMark } from '../ui/SealMark.js'
import { isFinal } from './Closed.js'
import styles from './investor.module.css'
import type { Change } from './Reading.js'
import { Receipts } from './Receipts.js'
import { SignHeading } from './SignHeading.js'
import { receiveAgain, type Gate, type Opened, type Person, type VisitTools } from './visit.js'

/** Only while somebody looks; the mail tells everybody else. */
const LOOK_AGAIN_AFTER_MS = 10_000

interface AfterSigningProps {
  readonly tools: VisitTools
  readonly gate: Gate
  readonly person: Person
  readonly opened: Opened
  /** Nothing else is on the screen: its heading is the page's. */
  readonly isAll: boolean
  readonly onChanged: (change: Change) => void
  readonly onClosed: (code: Failure) => void
  readonly onForgotten: () => void
}

export function AfterSigning(props: AfterSigningProps) {
  const copy = useCopy(investor)
  if (props.opened.standing !== 'denied') return <Waiting {...props} />
  return (
    <div className={styles.waiting}>
      <SealMark state='open' size='large' />
      <SignHeading isAll={props.isAll}>{copy.deniedTitle}</SignHeading>
      <p>{copy.deniedBody}</p>
      <Receipts {...props} />
    </div>
  )
}

function Waiting(props: AfterSigningProps) {
  const { tools, gate, person, opened, isAll, onChanged, onClosed } = props
  const copy = useCopy(investor)
  const [said, setSaid] = useState('')

  async function look(isAsked: boolean): Promise<void> {
    const again = await receiveAgain(tools, gate)
    if (!again.ok) return isFinal(again.code) ? onClosed(again.code) : setSaid('')
    if (again.value.standing !== opened.standing) return onChanged({ opened: again.value })
    if (isAsked) setSaid(copy.waitingLooked)
  }

  useEffect(() => {
    const timer = setInterval(() => {
      if (document.visibilityState === 'visible') void look(false)
    }, LOOK_AGAIN_AFTER_MS)
    return () => clearInterval(timer)
  }, [opened.standing])

  return (
    <div className={styles.waiting}>
      <SealMark state='closed' size='large' />
      <SignHeading isAll={isAll}>{copy.waitingTitle}</SignHeading>
      <p>{copy.waitingBody(person.email ?? '')}</p>
      <div className={styles.actions}>
        <Button onClick={() => void look(true)}>{copy.waitingLook}</Button>
        <span className={styles.quiet} role='status'>{said}</span>
      </div>
      <Receipts {...props} />
    </div>
  )
}
