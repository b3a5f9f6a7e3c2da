/** One press, one pack: makes it, saves it, says what stopped it. What to take is the caller's. */
import { useState } from 'react'
import type { EvidenceLanguage } from '../../protocol/evidence/account.js'
import { useCopy, useLocale } from '../copy.js'
import { evidence } from '../copy/evidence.js'
import { useFailureWords, type Failure } from '../failure-words.js'
import { saveBlob } from '../save.js'
import { Button } from '../ui/Button.js'
import { LiveRegion } from '../ui/LiveRegion.js'
import type { TakenPack } from './take-pack.js'

interface EvidenceButtonProps {
  readonly take: (language: EvidenceLanguage) => Promise<TakenPack>
  /** Without its ending. */
  readonly fileName: string
  /** Of whom, where several stand in a list. */
  readonly of?: string
}

type State = { readonly step: 'idle', readonly failure?: Failure } | { readonly step: 'taking' }

export function EvidenceButton({ take, fileName, of }: EvidenceButtonProps) {
  const copy = useCopy(evidence)
  const words = useFailureWords()
  const { locale } = useLocale()
  const [state, setState] = useState<State>({ step: 'idle' })

  async function onTake(): Promise<void> {
    setState({ step: 'taking' })
    const taken = await take(locale)
    if (taken.ok) saveBlob(taken.value, `${fileName}.zip`)
    setState(taken.ok ? { step: 'idle' } : { step: 'idle', failure: taken.code })
  }

  const isTaking = state.step === 'taking'
  return (
    <>
      <Button
        size='small' icon='download' isBusy={isTaking} onClick={() => void onTake()}
        {...of === undefined ? {} : { 'aria-label': copy.takeOf(of) }}
      >
        {copy.take}
      </Button>
      <LiveRegion>{isTaking ? copy.taking : ''}</LiveRegion>
      {state.step === 'idle' && state.failure !== undefined && <p role='alert'>{words(state.failure)}</p>}
    </>
  )
}
