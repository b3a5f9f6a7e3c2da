/** What a screen reads first: on its way, here, or not to be had; and an act that it does. */
import { useCallback, useEffect, useRef, useState } from 'react'
import { useFailureWords, type Failure } from '../failure-words.js'

export type Result<T> = { ok: true, value: T } | { ok: false, code: Failure }

export type Loaded<T> =
  | { readonly step: 'loading' }
  | { readonly step: 'failed', readonly code: Failure }
  | { readonly step: 'here', readonly value: T }

/** Reads again when `key` changes or on `reload`; what was here stays until the new comes. */
export function useLoaded<T>(
  key: string, load: () => Promise<Result<T>>,
): { state: Loaded<T>, reload: () => void } {
  const [state, setState] = useState<Loaded<T>>({ step: 'loading' })
  const [turn, setTurn] = useState(0)
  const latest = useRef(load)
  latest.current = load

  useEffect(() => {
    let isCurrent = true
    void latest.current().then((read) => {
      if (isCurrent) setState(read.ok ? { step: 'here', value: read.value } : { step: 'failed', code: read.code })
    })
    return () => { isCurrent = false }
  }, [key, turn])
  return { state, reload: useCallback(() => setTurn((before) => before + 1), []) }
}

type Outcome<T, Code> = { ok: true, value: T } | { ok: false, code: Code }

export interface Act<Code> {
  readonly isBusy: boolean
  /** Why the last act failed; `null` while nothing has. */
  readonly failure: Code | null
  /** The same in words. */
  readonly error: string | undefined
  /** `null` if it is running already. */
  readonly run: <T>(act: () => Promise<Outcome<T, Code>>) => Promise<Outcome<T, Code> | null>
  readonly clear: () => void
}

/** One act at a time, and the words for why it did not go through. */
export function useAct(): Act<Failure> {
  return useActIn(useFailureWords())
}

/** The same where there are more ways to fail than the server and the worker know. */
export function useActIn<Code>(words: (code: Code) => string): Act<Code> {
  const [isBusy, setBusy] = useState(false)
  const [failure, setFailure] = useState<Code | null>(null)
  const isRunning = useRef(false)

  async function run<T>(act: () => Promise<Outcome<T, Code>>): Promise<Outcome<T, Code> | null> {
    if (isRunning.current) return null
    isRunning.current = true
    setBusy(true)
    setFailure(null)
    try {
      const done = await act()
      if (!done.ok) setFailure(() => done.code)
      return done
    } finally {
      isRunning.current = false
      setBusy(false)
    }
  }
  return {
    isBusy, failure, error: failure === null ? undefined : words(failure), run,
    clear: useCallback(() => setFailure(null), []),
  }
}
