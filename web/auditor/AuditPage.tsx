/** The frame of an auditor's screen. */
import type { ReactNode } from 'react'
import { AppNavigation, SignOutButton } from '../AppPage.js'
import { Page } from '../ui/Page.js'

interface AuditPageProps {
  readonly title: string
  readonly width?: 'column' | 'page'
  readonly children: ReactNode
}

export function AuditPage({ title, width = 'page', children }: AuditPageProps) {
  return (
    <Page
      title={title} width={width} seal='checked' homeHref='/audits'
      navigation={<AppNavigation />} account={<SignOutButton />}
    >
      {children}
    </Page>
  )
}
