/**
 * What is on the screen as files, complete within the filter: with proofs for programs, as a table for people. Other
 * kinds of evidence stand beside them as `children`.
 */
import { useRef, useState, type ReactNode } from 'react'
import { useCopy } from '../copy.js'
import { auditor } from '../copy/auditor.js'
import { useFailureWords } from '../failure-words.js'
import { saveBlob } from '../save.js'
import { Button } from '../ui/Button.js'
import { LiveRegion } from '../ui/LiveRegion.js'
import type { LogTools } from './events.js'
import { isFiltered, type Filter } from './filter.js'
import styles from './auditor.module.css'
import { takeExport, type ExportFormat } from './take-export.js'
import { useTask } from './use-task.js'

interface ExportButtonsProps {
  readonly tools: LogTools
  readonly filter: Filter
  readonly children?: ReactNode
}

export function ExportButtons({ tools, filter, children }: ExportButtonsProps) {
  const copy = useCopy(auditor)
  const words = useFailureWords()
  const [format, setFormat] = useState<ExportFormat>('json')
  const asked = useRef<ExportFormat>('json')
  const { task, start, stop } = useTask(tools.vaultId ?? 'instance', async (report, signal) => {
    const taken = await takeExport(tools, { format: asked.current, filter }, report, signal)
    if (taken.ok && !signal.aborted) saveBlob(taken.value, nameOf(tools, filter, asked.current))
    return taken
  })

  function onExport(chosen: ExportFormat): void {
    asked.current = chosen
    setFormat(chosen)
    start()
  }

  const isRunning = task.step === 'running'
  return (
    <div className={styles.exports}>
      <Button size='small' icon='download' isBusy={isRunning && format === 'json'} onClick={() => onExport('json')}>{copy.exportJson}</Button>
      <Button size='small' icon='download' isBusy={isRunning && format === 'csv'} onClick={() => onExport('csv')}>{copy.exportCsv}</Button>
      {children}
      {isRunning && (
        <>
          <span className={styles.quiet}>{copy.exportedSoFar(task.doneCount)}</span>
          <Button size='small' variant='quiet' onClick={stop}>{copy.stop}</Button>
        </>
      )}
      {isFiltered(filter) && !isRunning && (
        <span className={styles.quiet}>{copy.exportFiltered}</span>
      )}
      {task.step === 'failed' && <p role='alert'>{words(task.code)}</p>}
      <LiveRegion>{isRunning ? copy.exporting : ''}</LiveRegion>
    </div>
  )
}

function nameOf({ vaultId }: LogTools, filter: Filter, format: ExportFormat): string {
  const part = isFiltered(filter) ? '-part' : ''
  return `sealdeck-audit-${vaultId ?? 'instance'}${part}.${format}`
}
