/** The frame of a screen that asks for one thing: heading, lead, and focus on the heading at each step. */
import { useEffect, useRef, type ReactNode } from 'react'
import { useCopy } from '../../copy.js'
import { accounts } from '../../copy/accounts.js'
import { findInvitation } from '../../kept-invitation.js'
import { Notice } from '../../ui/Notice.js'
import { Page, PageHeading } from '../../ui/Page.js'

interface AccountScreenProps {
  readonly title: string
  readonly lead?: ReactNode
  /** Changes when the screen turns to its next step; screen readers then start at the heading again. */
  readonly step: string
  readonly seal?: 'open' | 'closed' | 'checked'
  readonly account?: ReactNode
  readonly navigation?: ReactNode
  readonly children: ReactNode
}

export function AccountScreen({ title, lead, step, seal = 'open', account, navigation, children }: AccountScreenProps) {
  const copy = useCopy(accounts)
  useStepFocus(step)
  return (
    <Page title={title} width='column' seal={seal} homeHref='/' account={account} navigation={navigation}>
      <PageHeading lead={lead}>{title}</PageHeading>
      {findInvitation() !== null && <Notice>{copy.invitationWaits}</Notice>}
      {children}
    </Page>
  )
}

function useStepFocus(step: string): void {
  const shown = useRef(step)
  useEffect(() => {
    if (shown.current === step) return
    shown.current = step
    document.querySelector('h1')?.focus()
  }, [step])
}
