/**
 * The gate: which screen an investor sees. Holds the state of the visit and nothing secret; each screen
 * does one thing and reports what came of it.
 */
import { useEffect, useRef, useState } from 'react'
import { useCopy } from '../copy.js'
import { investor } from '../copy/investor.js'
import type { Failure } from '../failure-words.js'
import { onNewFragment, takeFragment } from '../fragment.js'
import { LoadingState } from '../ui/LoadingState.js'
import { Page } from '../ui/Page.js'
import { Closed, KeyMissing } from './Closed.js'
import { EnterCode, type Sent } from './EnterCode.js'
import { useHeadingFocus } from './heading-focus.js'
import { Reading } from './Reading.js'
import { Uncaught } from './Uncaught.js'
import { arrive, type Arrival, type Gate as OpenGate, type Opened, type Person, type VisitTools } from './visit.js'
import { Welcome } from './Welcome.js'

type State =
  | { readonly step: 'opening' }
  | Exclude<Arrival, { step: 'known' }>
  | { readonly step: 'code', readonly gate: OpenGate, readonly sent: Sent }
  | { readonly step: 'inside', readonly gate: OpenGate, readonly person: Person, readonly opened: Opened }
  | { readonly step: 'forgotten' }

interface GateProps {
  readonly tools: VisitTools
}

export function Gate({ tools }: GateProps) {
  const copy = useCopy(investor)
  const [state, setState] = useState<State>({ step: 'opening' })
  const hasStarted = useRef(false)

  async function start(): Promise<void> {
    setState({ step: 'opening' })
    const arrival = await arrive(tools, takeFragment())
    setState(arrival.step === 'known' ? { ...arrival, step: 'inside' } : arrival)
  }

  useEffect(() => {
    // React runs effects twice in development; the link is taken once.
    if (!hasStarted.current) {
      hasStarted.current = true
      void start()
    }
    return onNewFragment(() => void start())
  }, [])
  useHeadingFocus(state.step)

  const isInside = state.step === 'inside'
  return (
    <Page title={copy.tab} width={isInside ? 'full' : 'column'} seal={isInside ? 'open' : 'closed'}>
      <Uncaught>
        <Step state={state} setState={setState} tools={tools} retry={() => void start()} />
      </Uncaught>
    </Page>
  )
}

interface StepProps {
  readonly state: State
  readonly setState: (state: State) => void
  readonly tools: VisitTools
  readonly retry: () => void
}

function Step({ state, setState, tools, retry }: StepProps) {
  const copy = useCopy(investor)
  if (state.step === 'opening') return <LoadingState label={copy.opening} />
  if (state.step === 'key-missing') return <KeyMissing />
  if (state.step === 'forgotten') return <KeyMissing isForgotten />
  if (state.step === 'closed') return <Closed {...state} tools={tools} retry={retry} />
  const { gate } = state
  const shared = {
    tools,
    gate,
    onEntered: (entered: { person: Person, opened: Opened }) => setState({ step: 'inside', gate, ...entered }),
    onClosed: (code: Failure) =>
      setState({ step: 'closed', code, logOrigin: gate.verified.logOrigin }),
  }
  if (state.step === 'new') return <Welcome {...shared} onSent={(sent) => setState({ step: 'code', gate, sent })} />
  if (state.step === 'code') {
    return <EnterCode {...shared} sent={state.sent} onBack={() => setState({ step: 'new', gate })} />
  }
  return (
    <Reading
      {...shared} person={state.person} opened={state.opened}
      onChanged={(changed) => setState({ step: 'inside', gate, person: state.person, opened: state.opened, ...changed })}
      onForgotten={() => setState({ step: 'forgotten' })}
    />
  )
}
