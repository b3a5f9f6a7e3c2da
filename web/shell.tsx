/** What the app shows when it has nothing else to show: starting, unreachable, broken, no such page. */
import { Link } from 'react-router'
import { useCopy } from './copy.js'
import { accounts } from './copy/accounts.js'
import { useSession } from './session.js'
import { Button, buttonClass } from './ui/Button.js'
import { EmptyState } from './ui/EmptyState.js'
import { ErrorState } from './ui/ErrorState.js'
import { LoadingState } from './ui/LoadingState.js'
import { Page } from './ui/Page.js'

export function Starting() {
  const { shell } = useCopy(accounts)
  return <Page title='' width='column'><LoadingState label={shell.starting} /></Page>
}

export function Unreachable() {
  const { shell } = useCopy(accounts)
  const { retry } = useSession()
  return (
    <Page title={shell.unreachableTitle} width='column'>
      <ErrorState title={shell.unreachableTitle} actions={<Button variant='primary' onClick={retry}>{shell.retry}</Button>}>{shell.unreachable}</ErrorState>
    </Page>
  )
}

export function Broken() {
  const { shell } = useCopy(accounts)
  return (
    <Page title={shell.brokenTitle} width='column'>
      <ErrorState title={shell.brokenTitle} actions={<Button variant='primary' onClick={() => location.reload()}>{shell.reload}</Button>}>{shell.broken}</ErrorState>
    </Page>
  )
}

export function NotFound() {
  const { shell } = useCopy(accounts)
  const home = <Link to='/vaults' className={buttonClass({ variant: 'primary', size: 'normal', isWide: false })}>{shell.home}</Link>
  return (
    <Page title={shell.notFoundTitle} width='column'>
      <EmptyState icon='search' title={shell.notFoundTitle} actions={home}>{shell.notFound}</EmptyState>
    </Page>
  )
}
