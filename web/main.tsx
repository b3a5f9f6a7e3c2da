/**
 * The app of founders and auditors: session, routes, and the surfaces that are loaded when they are
 * entered. The fragment (an auditor's invitation carries one) is taken before anything else runs.
 */
import './fragment.js'
import { Suspense, lazy, useEffect, useState, type ReactNode } from 'react'
import { createRoot } from 'react-dom/client'
import { BrowserRouter, Navigate, Route, Routes, useNavigate, useParams } from 'react-router'
import './ui/tokens.css'
import './ui/base.css'
import { createApi } from './api.js'
import { LocaleProvider } from './copy.js'
import { startCrypto } from './crypto.js'
import { homePath, keepInvitation } from './kept-invitation.js'
import { DroppedProvider } from './founder/dropped.js'
import { Broken, BrokenBoundary, NotFound, Starting, Unreachable } from './shell.js'
import { SessionProvider, useSession } from './session.js'
import { AriaRoot } from './ui/AriaRoot.js'
import { NavigateContext } from './ui/navigate-context.js'
import { applyRememberedTheme } from './ui/ThemeSwitch.js'

const SignUp = lazy(async () => ({ default: (await import('./founder/accounts/SignUp.js')).SignUp }))
const SignIn = lazy(async () => ({ default: (await import('./founder/accounts/SignIn.js')).SignIn }))
const Unlock = lazy(async () => ({ default: (await import('./founder/accounts/Unlock.js')).Unlock }))
const Recovery = lazy(async () => ({ default: (await import('./founder/accounts/Recovery.js')).Recovery }))
const RecoveryCode = lazy(async () => ({ default: (await import('./founder/accounts/RecoveryCode.js')).RecoveryCode }))
const Dashboard = lazy(async () => ({ default: (await import('./founder/Dashboard.js')).Dashboard }))
const NewDeck = lazy(async () => ({ default: (await import('./founder/NewDeck.js')).NewDeck }))
const NewVersion = lazy(async () => ({ default: (await import('./founder/NewDeck.js')).NewVersion }))
const ResumeUpload = lazy(async () => ({ default: (await import('./founder/ResumeUpload.js')).ResumeUpload }))
const Vault = lazy(async () => ({ default: (await import('./founder/Vault.js')).Vault }))
const Audits = lazy(async () => ({ default: (await import('./auditor/Audits.js')).Audits }))
const Audit = lazy(async () => ({ default: (await import('./auditor/Audits.js')).Audit }))
const InstanceAudit = lazy(async () => ({ default: (await import('./auditor/Audits.js')).InstanceAudit }))
const AcceptInvitation = lazy(async () => ({ default: (await import('./auditor/AcceptInvitation.js')).AcceptInvitation }))
const CheckFile = lazy(async () => ({ default: (await import('./auditor/CheckFile.js')).CheckFile }))
const Ways = lazy(async () => ({ default: (await import('./founder/accounts/Ways.js')).Ways }))

/** The server answers the same paths with this page (server/routes/web.ts). */
function Screens() {
  return (
    <Routes>
      <Route path='/' element={<Navigate to={homePath()} replace />} />
      <Route path='/sign-up' element={<SignedOut><SignUp /></SignedOut>} />
      <Route path='/sign-in' element={<SignedOut isSentOn><SignIn /></SignedOut>} />
      <Route path='/recover' element={<SignedOut><Recovery /></SignedOut>} />
      <Route path='/account' element={<Open><Ways /></Open>} />
      <Route path='/account/recovery-code' element={<Open><RecoveryCode /></Open>} />
      <Route path='/vaults' element={<Open><Dashboard /></Open>} />
      <Route path='/vaults/new' element={<Open><NewDeck /></Open>} />
      <Route path='/vaults/:vaultId' element={<Open><Vault /></Open>} />
      <Route path='/vaults/:vaultId/resume' element={<Open><ResumeUpload /></Open>} />
      <Route path='/vaults/:vaultId/new-version/:documentId' element={<Open><NewVersion /></Open>} />
      <Route path='/audits' element={<Open><Audits /></Open>} />
      <Route path='/audits/instance' element={<Open><InstanceAudit /></Open>} />
      <Route path='/audits/:vaultId' element={<Open><Audit /></Open>} />
      <Route path='/audit/:invitationId' element={<Invited />} />
      <Route path='/check' element={<CheckFile />} />
      <Route path='*' element={<NotFound />} />
    </Routes>
  )
}

/** A screen that needs open keys: asks for what is missing in its place, and keeps the address. */
function Open({ children }: { children: ReactNode }) {
  const { state } = useSession()
  if (state.step === 'signed-out') return <SignIn />
  if (state.step === 'locked') return <Unlock account={state.account} />
  return children
}

/** The invitation is put by first: who is not signed in may have to sign up, and comes back to it. */
function Invited() {
  const { invitationId = '' } = useParams()
  const [isKept] = useState(() => { keepInvitation(invitationId); return true })
  return isKept && <Open><AcceptInvitation /></Open>
}

/** A screen on the way in. Who is in already is sent on; who comes in here is sent on by the screen itself. */
function SignedOut({ isSentOn = false, children }: { isSentOn?: boolean, children: ReactNode }) {
  const { state } = useSession()
  const isOpen = state.step === 'open'
  const [wasOpen] = useState(isOpen)
  return wasOpen || (isOpen && isSentOn) ? <Navigate to={homePath()} replace /> : children
}

function App() {
  const { state } = useSession()
  const isBroken = useUncaught()
  if (isBroken) return <Broken />
  if (state.step === 'starting') return <Starting />
  if (state.step === 'unreachable') return <Unreachable />
  return (
    <DroppedProvider>
      <BrokenBoundary>
        <Suspense fallback={<Starting />}><Screens /></Suspense>
      </BrokenBoundary>
    </DroppedProvider>
  )
}

/** The mark in the header follows the router: a reload would empty the worker's memory of keys. */
function Routed({ children }: { children: ReactNode }) {
  const navigate = useNavigate()
  return <NavigateContext value={(href) => void navigate(href)}>{children}</NavigateContext>
}

/** What nobody caught is our bug: it is said, once, instead of leaving a screen that waits for ever. */
function useUncaught(): boolean {
  const [isBroken, setBroken] = useState(false)
  useEffect(() => {
    const onRejection = () => setBroken(true)
    addEventListener('unhandledrejection', onRejection)
    return () => removeEventListener('unhandledrejection', onRejection)
  }, [])
  return isBroken
}

const root = document.getElementById('root')
applyRememberedTheme()
if (root !== null) {
  createRoot(root).render(
    <LocaleProvider>
      <BrowserRouter>
        <AriaRoot>
          <Routed>
            <SessionProvider api={createApi()} crypto={startCrypto()}><App /></SessionProvider>
          </Routed>
        </AriaRoot>
      </BrowserRouter>
    </LocaleProvider>)
}
