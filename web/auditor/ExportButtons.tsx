/** The whole vault's log as files: with proofs for programs, as a table for people. */
import { useState } from 'react'
import { useCopy } from '../copy.js'
import { auditor } from '../copy/auditor.js'
import { attempt } from '../crypto.js'
import { useFailureWords, type Failure } from '../failure-words.js'
import { saveText } from '../save.js'
import { Button } from '../ui/Button.js'
import { formatCsv } from './csv.js'
import type { LogTools } from './events.js'
import styles from './auditor.module.css'

type State = { readonly step: 'idle', readonly failure?: Failure } | { readonly step: 'json' | 'csv' }

export function ExportButtons({ tools }: { tools: LogTools }) {
  const copy = useCopy(auditor)
  const words = useFailureWords()
  const [state, setState] = useState<State>({ step: 'idle' })

  async function onExport(step: 'json' | 'csv'): Promise<void> {
    setState({ step })
    const failure = await exportLog(tools, step)
    setState(failure === undefined ? { step: 'idle' } : { step: 'idle', failure })
  }

  return (
    <div className={styles.exports}>
      <Button size='small' icon='download' isBusy={state.step === 'json'} onClick={() => void onExport('json')}>{copy.exportJson}</Button>
      <Button size='small' icon='download' isBusy={state.step === 'csv'} onClick={() => void onExport('csv')}>{copy.exportCsv}</Button>
      {state.step === 'idle' && state.failure !== undefined && <p role='alert'>{words(state.failure)}</p>}
    </div>
  )
}

async function exportLog(tools: LogTools, format: 'json' | 'csv'): Promise<Failure | undefined> {
  const { api, crypto, vaultId, logVkey } = tools
  const exported = await api.exportEvents(vaultId)
  if (!exported.ok) return exported.code
  const checked = await attempt(() => crypto.checkExport({ text: exported.value, logVkey }))
  if (!checked.ok) return checked.code
  const name = `sealdeck-audit-${vaultId}`
  if (format === 'json') saveText(exported.value, `${name}.json`)
  else saveText(formatCsv(checked.value), `${name}.csv`)
  return undefined
}
