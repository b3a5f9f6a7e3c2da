/** Signed, and the founder decides; or she has decided against it. */
import { useEffect, useState } from 'react'
import { useCopy } from '../copy.js'
import { investor } from '../copy/investor.js'
import type { Failure } from '../failure-words.js'
import { Button } from '../ui/Button.js'
import { LiveRegion } from '../ui/LiveRegion.js'
import { SealMark } from '../ui/SealMark.js'
import styles from './investor.module.css'
import type { Change } from './Reading.js'
import { Receipts } from './Receipts.js'
import { receiveAgain, type Gate, type Opened, type Person, type VisitTools } from './visit.js'

/** Only while somebody looks; the mail tells everybody else. */
const LOOK_AGAIN_AFTER_MS = 10_000

interface AfterSigningProps {
  readonly tools: VisitTools
  readonly gate: Gate
  readonly person: Person
  readonly opened: Opened
  readonly onChanged: (change: Change) => void
  readonly onClosed: (code: Failure) => void
  readonly onForgotten: () => void
}

export function AfterSigning(props: AfterSigningProps) {
  const copy = useCopy(investor)
  if (props.opened.standing === 'denied') {
    return (
      <>
        <h2 className={styles.signTitle}>{copy.deniedTitle}</h2>
        <p>{copy.deniedBody}</p>
        <Receipts {...props} />
      </>
    )
  }
  return <Waiting {...props} />
}

function Waiting(props: AfterSigningProps) {
  const { tools, gate, person, opened, onChanged, onClosed } = props
  const copy = useCopy(investor)
  const [said, setSaid] = useState('')

  async function look(isAsked: boolean): Promise<void> {
    const again = await receiveAgain(tools, gate)
    if (!again.ok) return again.code === 'offline' ? setSaid('') : onClosed(again.code)
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
      <h2 className={styles.signTitle}>{copy.waitingTitle}</h2>
      <p>{copy.waitingBody(person.email ?? '')}</p>
      <Button onClick={() => void look(true)}>{copy.waitingLook}</Button>
      <p className={styles.quiet} aria-hidden='true'>{said}</p>
      <LiveRegion>{said}</LiveRegion>
      <Receipts {...props} />
    </div>
  )
}
