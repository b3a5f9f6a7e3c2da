/** One act at a time: busy while it runs, and afterwards the words for why it did not go through. */
import { useRef, useState } from 'react'
import { useCopy } from '../../copy.js'
import { accounts } from '../../copy/accounts.js'
import { useFailureWords } from '../../failure-words.js'
import type { Done, KeyringFailure } from '../../keyring.js'

export interface Act {
  readonly isBusy: boolean
  readonly failure: KeyringFailure | null
  /** Why the last act failed, in words; `undefined` while nothing has. */
  readonly error: string | undefined
  /** `null` if another act is still running. */
  readonly run: <T>(act: () => Promise<Done<T>>) => Promise<Done<T> | null>
  readonly clear: () => void
}

export function useAct(): Act {
  const [isBusy, setBusy] = useState(false)
  const [failure, setFailure] = useState<KeyringFailure | null>(null)
  const isRunning = useRef(false)
  const words = useKeyringWords()

  async function run<T>(act: () => Promise<Done<T>>): Promise<Done<T> | null> {
    if (isRunning.current) return null
    isRunning.current = true
    setBusy(true)
    setFailure(null)
    try {
      const done = await act()
      if (!done.ok) setFailure(done.code)
      return done
    } finally {
      isRunning.current = false
      setBusy(false)
    }
  }
  return {
    isBusy, failure, error: failure === null ? undefined : words(failure), run,
    clear: () => setFailure(null),
  }
}

export function useKeyringWords(): (code: KeyringFailure) => string {
  const { failures } = useCopy(accounts)
  const words = useFailureWords()
  function isOwn(code: KeyringFailure): code is keyof typeof failures {
    return Object.hasOwn(failures, code)
  }
  return (code) => isOwn(code) ? failures[code] : words(code)
}
