/** The pages on which nothing opens: each says why, as far as a stranger may know, and what to do. */
import { useCopy } from '../copy.js'
import { investor } from '../copy/investor.js'
import { useFailureWords, type Failure } from '../failure-words.js'
import { PROTOCOL_ERROR_CODES } from '../../protocol/errors.js'
import { Button } from '../ui/Button.js'
import { ErrorState } from '../ui/ErrorState.js'

type Kind = 'revoked' | 'expired' | 'absent' | 'person' | 'tampered' | 'failed'

const KINDS: Partial<Record<Failure, Kind>> = {
  'grant-revoked': 'revoked',
  'grant-expired': 'expired',
  'grant-not-found': 'absent',
  'not-found': 'absent',
  'bad-request': 'absent',
  'access-revoked': 'person',
}

function kindOf(code: Failure): Kind {
  if (PROTOCOL_ERROR_CODES.some((known) => known === code)) return 'tampered'
  return KINDS[code] ?? 'failed'
}

export function Closed({ code, retry }: { code: Failure, retry: () => void }) {
  const copy = useCopy(investor)
  const words = useFailureWords()
  const kind = kindOf(code)
  return (
    <ErrorState
      title={copy.closedTitle[kind]} code={code}
      {...(kind === 'failed' && { actions: <Button onClick={retry}>{copy.retry}</Button> })}
    >
      {kind === 'tampered' && <p>{copy.tamperedBody}</p>}
      {kind === 'failed' && <p>{words(code)}</p>}
      {kind !== 'failed' && kind !== 'tampered' && <p>{copy.closedAsk}</p>}
    </ErrorState>
  )
}

export function KeyMissing({ isForgotten = false }: { isForgotten?: boolean }) {
  const copy = useCopy(investor)
  return (
    <ErrorState title={isForgotten ? copy.forgotten : copy.keyMissingTitle}>
      <p>{isForgotten ? copy.forgottenBody : copy.keyMissingBody}</p>
    </ErrorState>
  )
}
