/** What the app shows when it has nothing else to show: starting, unreachable, broken, no such page. */
import { Component, type ReactNode } from 'react'
import { Link } from 'react-router'
import { useCopy } from './copy.js'
import { accounts } from './copy/accounts.js'
import { useSession } from './session.js'
import { Button, buttonClass } from './ui/Button.js'
import { LoadingState } from './ui/LoadingState.js'
import { Page, PageHeading } from './ui/Page.js'

export function Starting() {
  const { shell } = useCopy(accounts)
  return <Page title='' width='column'><LoadingState label={shell.starting} /></Page>
}

export function Unreachable() {
  const { shell } = useCopy(accounts)
  const { retry } = useSession()
  return (
    <Stopped
      title={shell.unreachableTitle} words={shell.unreachable}
      act={<Button variant='primary' onClick={retry}>{shell.retry}</Button>}
    />
  )
}

/** A screen that fails to draw, or to load: the server may have been renewed under an open tab. */
export class BrokenBoundary extends Component<{ children: ReactNode }, { isBroken: boolean }> {
  override state = { isBroken: false }

  static getDerivedStateFromError(): { isBroken: boolean } {
    return { isBroken: true }
  }

  override render(): ReactNode {
    return this.state.isBroken ? <Broken /> : this.props.children
  }
}

export function Broken() {
  const { shell } = useCopy(accounts)
  return (
    <Stopped
      title={shell.brokenTitle} words={shell.broken}
      act={<Button variant='primary' onClick={() => location.reload()}>{shell.reload}</Button>}
    />
  )
}

export function NotFound() {
  const { shell } = useCopy(accounts)
  const look = buttonClass({ variant: 'primary', size: 'normal', isWide: false })
  return (
    <Stopped
      title={shell.notFoundTitle} words={shell.notFound}
      act={<Link to='/vaults' className={look}>{shell.home}</Link>}
    />
  )
}

function Stopped({ title, words, act }: { title: string, words: string, act: ReactNode }) {
  return (
    <Page title={title} width='column' homeHref='/'>
      <div role='alert'><PageHeading lead={words}>{title}</PageHeading></div>
      <div>{act}</div>
    </Page>
  )
}
