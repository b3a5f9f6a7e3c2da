/** What the screens of a signed-in person share: the navigation, and the way out. */
import { NavLink } from 'react-router'
import { useCopy } from './copy.js'
import { accounts } from './copy/accounts.js'
import { useSession } from './session.js'
import { Button } from './ui/Button.js'

export function AppNavigation() {
  const { shell } = useCopy(accounts)
  return (
    <>
      <NavLink to='/vaults'>{shell.decks}</NavLink>
      <NavLink to='/audits'>{shell.audits}</NavLink>
      <NavLink to='/account'>{shell.ways}</NavLink>
    </>
  )
}

export function SignOutButton() {
  const { shell } = useCopy(accounts)
  const { signOut } = useSession()
  return <Button variant='quiet' size='small' onClick={signOut}>{shell.signOut}</Button>
}
