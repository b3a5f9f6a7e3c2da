/** One report: the verdict, who agreed to what, what was checked and what was not, every file. */
import {
  EVIDENCE_WORDS, tellAcceptances, tellChecks, tellEvents, type Section,
} from '../../protocol/evidence/account.js'
import type { CheckedFile, EvidenceReport } from '../../protocol/evidence/check.js'
import type { EvidenceWords } from '../../protocol/evidence/words-en.js'
import { useCopy, useLocale } from '../copy.js'
import { verify } from '../copy/verify.js'
import { failureWords } from '../failure-words.js'
import { Facts } from '../ui/Facts.js'
import { Notice, type Tone } from '../ui/Notice.js'
import { Table } from '../ui/Table.js'
import styles from './verify.module.css'

const TONES: Readonly<Record<EvidenceReport['outcome'], Tone>> = {
  verified: 'seal', failed: 'fail', nothing: 'warn',
}

/** More lines than a page is read for; the files have the rest. */
const MAX_SHOWN_FILE_COUNT = 500

export function ReportView({ title, report }: { title: string, report: EvidenceReport }) {
  const { locale } = useLocale()
  const words = EVIDENCE_WORDS[locale]
  const failed = report.files.filter(({ verdict }) => verdict === 'failed')
  const isSound = report.outcome === 'verified'
  return (
    <section className={styles.report} aria-label={title}>
      <Notice tone={toneOf(report)} title={`${title}: ${words.outcomes[report.outcome]}`} isLive>
        <p>{words.outcomeLines[report.outcome]}</p>
        <p>{words.trust[report.trust]}</p>
      </Notice>
      {failed.length > 0 && <Failures files={failed} words={words} />}
      {isSound && tellAcceptances(report, words).map((section, at) =>
        <SectionView key={at} section={section} isMarked />)}
      {isSound && tellChecks(report, words).map((section) =>
        <SectionView key={section.title} section={section} />)}
      {isSound && report.events.length > 0 && <SectionView section={tellEvents(report, words)} />}
      <FileList files={report.files} words={words} />
    </section>
  )
}

function toneOf({ outcome, findings, trust }: EvidenceReport): Tone {
  const isDoubtful = outcome === 'verified' && (findings.length > 0 || trust === 'none')
  return isDoubtful ? 'warn' : TONES[outcome]
}

function SectionView({ section, isMarked = false }: { section: Section, isMarked?: boolean }) {
  const { title, facts = [], lines = [] } = section
  return (
    <div className={isMarked ? styles.marked : undefined}>
      <h2 className={styles.title}>{title}</h2>
      {facts.length > 0 && (
        <Facts
          facts={facts.map(({ name, value, isCode = false }) =>
            ({ name, value: isCode ? <code className={styles.code}>{value}</code> : value }))}
        />
      )}
      {lines.length > 0 && (
        <ul className={styles.lines}>{lines.map((line) => <li key={line}>{line}</li>)}</ul>
      )}
    </div>
  )
}

function Failures({ files, words }: { files: readonly CheckedFile[], words: EvidenceWords }) {
  const { locale } = useLocale()
  return (
    <div>
      <h2 className={styles.title}>{words.failedTitle}</h2>
      <ul className={styles.lines}>
        {files.map(({ name, code, reason }) => (
          <li key={name}>
            <strong>{name}</strong>: {code === undefined ? '' : failureWords(locale, code)}{' '}
            <code className={styles.code}>{reason}</code>
          </li>
        ))}
      </ul>
    </div>
  )
}

function FileList({ files, words }: { files: readonly CheckedFile[], words: EvidenceWords }) {
  const copy = useCopy(verify)
  return (
    <details className={styles.files}>
      <summary>{copy.files(files.length)}</summary>
      <Table
        label={words.filesTitle} rows={files.slice(0, MAX_SHOWN_FILE_COUNT)}
        rowId={({ name }) => name} empty={null}
        columns={[
          { id: 'name', title: copy.fileName, isRowHeader: true, cell: ({ name }) => <span className={styles.code}>{name}</span> },
          { id: 'kind', title: copy.fileKind, cell: ({ kind }) => words.kinds[kind] },
          { id: 'verdict', title: copy.fileVerdict, cell: ({ verdict }) => words.verdicts[verdict] },
        ]}
      />
    </details>
  )
}
