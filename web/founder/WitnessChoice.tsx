/**
 * Whether a link's keys wait for witnesses, for a new link and for one that is out. Offered where the server has
 * some; the founder signs who they are. A link that names others than the server asks today can keep them.
 */
import { useCopy } from '../copy.js'
import { founder } from '../copy/founder.js'
import { useSession } from '../session.js'
import { Checkbox } from '../ui/Checkbox.js'
import { ChoiceGroup, type Choice } from '../ui/ChoiceGroup.js'
import styles from './founder.module.css'

interface WitnessChoiceProps {
  /** Hash of those who must have cosigned; `null` for nobody. */
  readonly chosen: string | null
  readonly onChosen: (sha256: string | null) => void
  /** Whom the link names now; `null` for nobody, or for a new link. */
  readonly named?: string | null
}

export function WitnessChoice({ chosen, onChosen, named = null }: WitnessChoiceProps) {
  const copy = useCopy(founder)
  const witnesses = useSession().config?.witnesses ?? null
  if (named !== null && named !== witnesses?.sha256) {
    return <OtherWitnesses chosen={chosen} onChosen={onChosen} named={named} />
  }
  if (witnesses === null) return null
  return (
    <Checkbox
      checked={chosen !== null}
      onCheckedChange={(isDemanded) => onChosen(isDemanded ? witnesses.sha256 : null)}
    >
      {copy.waitForWitnesses(witnesses.quorumCount)}{' '}
      <span className={styles.quiet}>{copy.theWitnesses(witnesses.names.join(', '))}</span>
    </Checkbox>
  )
}

type Kept = 'named' | 'offered' | 'nobody'

function OtherWitnesses({ chosen, onChosen, named }: WitnessChoiceProps & { named: string }) {
  const copy = useCopy(founder)
  const witnesses = useSession().config?.witnesses ?? null
  const hashes: Readonly<Record<Kept, string | null>> =
    { named, offered: witnesses?.sha256 ?? null, nobody: null }
  const offered: Choice<Kept>[] = witnesses === null ? [] : [{
    value: 'offered', title: copy.waitForWitnesses(witnesses.quorumCount),
    detail: copy.theWitnesses(witnesses.names.join(', ')),
  }]
  return (
    <ChoiceGroup<Kept>
      legend={copy.witnessLegend}
      value={chosen === null ? 'nobody' : chosen === named ? 'named' : 'offered'}
      onValueChange={(kept) => onChosen(hashes[kept])}
      choices={[
        { value: 'named', ...copy.keepWitnesses }, ...offered,
        { value: 'nobody', ...copy.noWitnesses },
      ]}
    />
  )
}
