/** What a revocation did, person by person: a key that was released cannot be un-known, and this says so. */
import { useState, type ReactNode } from 'react'
import type { RevocationReport } from '../../protocol/api.js'
import { useCopy } from '../copy.js'
import { founder } from '../copy/founder.js'
import { Button } from '../ui/Button.js'
import { Notice } from '../ui/Notice.js'
import styles from './founder.module.css'

interface Revocations<T> {
  /** Whose revocation waits for a yes. */
  readonly asked: T | null
  readonly ask: (one: T | null) => void
  /** What the last one did, until it is put away. */
  readonly outcome: ReactNode
  readonly onRevoked: (report: RevocationReport) => void
}

/** A table whose rows can be revoked: asks first, says afterwards what it did. */
export function useRevocations<T>(
  nameOf: (one: T) => string, onChanged: () => void,
): Revocations<T> {
  const copy = useCopy(founder)
  const [asked, ask] = useState<T | null>(null)
  const [done, setDone] = useState<{ name: string, report: RevocationReport } | null>(null)

  function onRevoked(report: RevocationReport): void {
    if (asked !== null) setDone({ name: nameOf(asked), report })
    ask(null)
    onChanged()
  }
  const outcome = done === null ? null : (
    <RevocationOutcome
      title={copy.revokedTitle(done.name)} report={done.report} onClose={() => setDone(null)}
    />
  )
  return { asked, ask: (one) => ask(() => one), outcome, onRevoked }
}

interface RevocationOutcomeProps {
  readonly title: string
  readonly report: RevocationReport
  readonly onClose: () => void
}

function RevocationOutcome({ title, report, onClose }: RevocationOutcomeProps) {
  const copy = useCopy(founder)
  return (
    <Notice tone='seal' title={title} isLive actions={<Button size='small' onClick={onClose}>{copy.done}</Button>}>
      <p>{report.people.length === 0 ? copy.revokedNobody : copy.revokedSome}</p>
      {report.people.length > 0 && (
        <ul className={styles.outcome}>
          {report.people.map(({ personId, name, email, effect }) => (
            <li key={personId}><strong>{name === '' ? email ?? copy.somebody : name}</strong>{email !== null && name !== '' && ` (${email})`}: {copy.effects[effect]}</li>
          ))}
        </ul>
      )}
    </Notice>
  )
}
