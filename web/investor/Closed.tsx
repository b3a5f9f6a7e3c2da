/** The pages on which nothing opens: each says why, as far as a stranger may know, and what to do. */
import { useEffect, useState, type ReactNode } from 'react'
import { useCopy } from '../copy.js'
import { investor } from '../copy/investor.js'
import type { ForkEvidence } from '../crypto.js'
import type { Failure } from '../failure-words.js'
import { PROTOCOL_ERROR_CODES } from '../../protocol/errors.js'
import { saveText } from '../save.js'
import { TwoHistories } from '../TwoHistories.js'
import { Button } from '../ui/Button.js'
import { Icon, type IconName } from '../ui/Icon.js'
import { PageHeading } from '../ui/Page.js'
import { useFailureWords } from './failures.js'
import styles from './investor.module.css'
import type { VisitTools } from './visit.js'

type Kind = 'revoked' | 'expired' | 'absent' | 'person' | 'tampered' | 'failed'

const KINDS: Partial<Record<Failure, Kind>> = {
  'grant-revoked': 'revoked',
  'grant-expired': 'expired',
  'grant-not-found': 'absent',
  'not-found': 'absent',
  'bad-request': 'absent',
  'access-revoked': 'person',
  'version-not-found': 'person',
  // Not a contradiction: this page is older than what it was sent.
  'unsupported-version': 'failed',
}

const ICONS: Readonly<Record<Kind, IconName>> = {
  revoked: 'lock', expired: 'clock', absent: 'search', person: 'lock', tampered: 'warning', failed: 'failed',
}

function kindOf(code: Failure): Kind {
  const known = KINDS[code]
  if (known !== undefined) return known
  return isContradiction(code) ? 'tampered' : 'failed'
}

function isContradiction(code: Failure): boolean {
  return PROTOCOL_ERROR_CODES.some((known) => known === code)
}

/** True for what no second try on the same screen can mend: the visit is over. */
export function isFinal(code: Failure): boolean {
  return kindOf(code) !== 'failed'
}

interface ClosedProps {
  readonly tools: VisitTools
  readonly code: Failure
  /** Whose two histories are evidence, if it came to that. */
  readonly logOrigin?: string
  readonly retry: () => void
}

export function Closed({ tools, code, logOrigin, retry }: ClosedProps) {
  const copy = useCopy(investor)
  const words = useFailureWords()
  const kind = kindOf(code)
  const lead = { tampered: copy.tamperedBody, failed: words(code) }
  return (
    <Shut icon={ICONS[kind]} isAlarm={kind === 'tampered'} title={copy.closedTitle[kind]} code={code}>
      <p>{kind === 'tampered' || kind === 'failed' ? lead[kind] : copy.closedBody[kind]}</p>
      {kind === 'tampered' && <p className={styles.quiet}>{words(code)}</p>}
      {code === 'forked-log' && logOrigin !== undefined && <Evidence tools={tools} origin={logOrigin} />}
      {kind === 'failed' && <Button variant='primary' onClick={retry}>{copy.retry}</Button>}
    </Shut>
  )
}

/** Both checkpoints are signed by the log's key: together they prove what neither does alone. */
function Evidence({ tools, origin }: { tools: VisitTools, origin: string }) {
  const copy = useCopy(investor)
  const [fork, setFork] = useState<ForkEvidence | null>(null)
  useEffect(() => { void tools.crypto.forkEvidence(origin).then(setFork) }, [tools, origin])
  if (fork === null) return null
  const text = `${fork.remembered}\n${fork.offered}`
  return (
    <>
      <TwoHistories fork={fork} names={copy.histories} />
      <Button variant='primary' icon='download' onClick={() => saveText(text, 'sealdeck-two-histories.txt')}>{copy.saveEvidence}</Button>
    </>
  )
}

export function KeyMissing({ isForgotten = false }: { isForgotten?: boolean }) {
  const copy = useCopy(investor)
  return isForgotten
    ? <Shut icon='check' title={copy.forgotten}><p>{copy.forgottenBody}</p></Shut>
    : <Shut icon='link' title={copy.keyMissingTitle}><p>{copy.keyMissingBody}</p><p>{copy.keyMissingDo}</p></Shut>
}

export function Broken() {
  const copy = useCopy(investor)
  return (
    <Shut icon='failed' title={copy.closedTitle.failed}>
      <p>{copy.broken}</p>
      <p>{copy.brokenStore}</p>
      <Button variant='primary' onClick={() => location.reload()}>{copy.reload}</Button>
    </Shut>
  )
}

interface ShutProps {
  readonly icon: IconName
  readonly title: string
  readonly isAlarm?: boolean
  /** For whoever is asked for help. */
  readonly code?: string
  readonly children: ReactNode
}

function Shut({ icon, title, isAlarm = false, code, children }: ShutProps) {
  return (
    <section className={isAlarm ? styles.alarm : styles.shut} role={isAlarm ? 'alert' : undefined}>
      <span className={styles.shutMark}><Icon name={icon} /></span>
      <PageHeading>{title}</PageHeading>
      <div className={styles.shutWords}>{children}</div>
      {code !== undefined && <code className={styles.code}>{code}</code>}
    </section>
  )
}
