/**
 * The sentences for what stopped a reader. There are many and few are needed, so they come right after the first
 * screen, not before it; until they are here, and where they cannot come, there is one for all.
 */
import { useEffect, useState } from 'react'
import { useCopy, useLocale } from '../copy.js'
import { investor } from '../copy/investor.js'
import type { Failure, failureWords } from '../failure-words.js'

let loaded: typeof failureWords | undefined
let loading: Promise<void> | undefined

async function load(): Promise<void> {
  loaded = (await import('../failure-words.js')).failureWords
}

export function useFailureWords(): (code: Failure) => string {
  const copy = useCopy(investor)
  const { locale } = useLocale()
  const [words, setWords] = useState(() => loaded)

  useEffect(() => {
    if (loaded !== undefined) return
    // A line that is down now may be up at the next screen: only a success is remembered.
    loading ??= load().catch(() => { loading = undefined })
    void loading.then(() => setWords(() => loaded))
  }, [])

  return (code) => words?.(locale, code) ?? (code === 'offline' ? copy.offline : copy.failedSomehow)
}
