/** What a reader waits for, where the founder has her link wait for witnesses; nothing elsewhere. */
import { useCopy } from '../copy.js'
import { investor } from '../copy/investor.js'
import styles from './investor.module.css'
import type { Gate } from './visit.js'

export function WitnessWait({ gate }: { gate: Gate }) {
  const copy = useCopy(investor)
  const { demandedWitnessCount } = gate.verified
  if (demandedWitnessCount === 0) return null
  return <p className={styles.quiet} role='status'>{copy.witnessesWait(demandedWitnessCount)}</p>
}
