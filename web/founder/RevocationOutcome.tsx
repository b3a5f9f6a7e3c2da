/** What a revocation did, person by person: a key that was released cannot be un-known, and this says so. */
import type { RevocationReport } from '../../protocol/api.js'
import { useCopy } from '../copy.js'
import { founder } from '../copy/founder.js'
import { Button } from '../ui/Button.js'
import { Notice } from '../ui/Notice.js'
import styles from './founder.module.css'

interface RevocationOutcomeProps {
  readonly title: string
  readonly report: RevocationReport
  readonly onClose: () => void
}

export function RevocationOutcome({ title, report, onClose }: RevocationOutcomeProps) {
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
