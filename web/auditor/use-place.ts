/** Where one is in a log, as the address says it: filter, page, entry. Whoever gets the address sees the same. */
import { useEffect, useMemo, useState } from 'react'
import { useSearchParams } from 'react-router'
import { readFilter, writeFilter, type Filter } from './filter.js'

export interface AddressedPlace {
  readonly filter: Filter
  readonly setFilter: (filter: Filter) => void
  /** Only events before this entry; `null`: from the newest. */
  readonly before: number | null
  readonly goTo: (before: number | null) => void
  readonly canGoBack: boolean
  readonly goBack: () => void
  readonly isOnlyOdd: boolean
  readonly setOnlyOdd: (isOnlyOdd: boolean) => void
  readonly chosenIndex: number | null
  readonly choose: (index: number | null) => void
}

const NAMES = { chosen: 'entry', before: 'before', odd: 'odd' } as const

/** The address's parameters. The router takes them over when it has time; what was pressed shows at once. */
function useParams(): [URLSearchParams, (params: URLSearchParams, isReplaced: boolean) => void] {
  const [address, setAddress] = useSearchParams()
  const [params, setParams] = useState(address)
  useEffect(() => setParams(address), [address.toString()])

  function change(next: URLSearchParams, isReplaced: boolean): void {
    setParams(next)
    setAddress(next, { replace: isReplaced })
  }
  return [params, change]
}

export function usePlace(): AddressedPlace {
  const [params, setParams] = useParams()
  const [passed, setPassed] = useState<readonly (number | null)[]>([])
  const filter = useMemo(() => readFilter(params), [params])
  const before = numberOf(params.get(NAMES.before))

  function change(name: string, value: string | null, isReplaced = true): void {
    setParams(withParameter(params, name, value), isReplaced)
  }
  function turnTo(page: number | null, through: readonly (number | null)[]): void {
    setPassed(through)
    change(NAMES.before, page === null ? null : String(page), false)
  }
  return {
    filter, before,
    setFilter(chosen) {
      setPassed([])
      setParams(writeFilter(withoutPlace(params), chosen), true)
    },
    goTo: (page) => turnTo(page, page === null ? [] : [...passed, before]),
    canGoBack: passed.length > 0,
    goBack: () => turnTo(passed.at(-1) ?? null, passed.slice(0, -1)),
    isOnlyOdd: params.get(NAMES.odd) === '1',
    setOnlyOdd: (isOnlyOdd) => change(NAMES.odd, isOnlyOdd ? '1' : null),
    chosenIndex: numberOf(params.get(NAMES.chosen)),
    choose: (index) => change(NAMES.chosen, index === null ? null : String(index)),
  }
}

/** Another filter begins at its newest event, with none of them open. */
function withoutPlace(params: URLSearchParams): URLSearchParams {
  return withParameter(withParameter(params, NAMES.before, null), NAMES.chosen, null)
}

function withParameter(
  params: URLSearchParams, name: string, value: string | null,
): URLSearchParams {
  const next = new URLSearchParams(params)
  if (value === null) next.delete(name)
  else next.set(name, value)
  return next
}

function numberOf(text: string | null): number | null {
  return text !== null && /^\d{1,15}$/.test(text) ? Number(text) : null
}
