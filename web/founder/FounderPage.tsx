/** The frame of a founder's screen. */
import { useEffect, type ReactNode } from 'react'
import { AppNavigation, SignOutButton } from '../AppPage.js'
import { Page } from '../ui/Page.js'

interface FounderPageProps {
  readonly title: string
  readonly width?: 'column' | 'page'
  readonly seal?: 'open' | 'closed' | 'checked'
  readonly children: ReactNode
}

export function FounderPage({ title, width = 'page', seal = 'closed', children }: FounderPageProps) {
  return (
    <Page title={title} width={width} seal={seal} homeHref='/vaults' navigation={<AppNavigation />} account={<SignOutButton />}>
      {children}
    </Page>
  )
}

/** Asks before the tab is closed while something would be lost. */
export function useLeaveGuard(isOn: boolean): void {
  useEffect(() => {
    if (!isOn) return
    const ask = (event: BeforeUnloadEvent): void => event.preventDefault()
    addEventListener('beforeunload', ask)
    return () => removeEventListener('beforeunload', ask)
  }, [isOn])
}
