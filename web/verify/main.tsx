/**
 * The one-file verifier's entry (SPEC.md § 12.4): built into verify.html, which works from a disk, without
 * a server and without a network. Must not ask for anything: its policy lets nothing through.
 */
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import '../ui/tokens.css'
import '../ui/base.css'
import { ready } from '../../protocol/sodium.js'
import { LocaleProvider } from '../copy.js'
import { applyRememberedTheme } from '../ui/ThemeSwitch.js'
import { checkHere, type CheckInput } from './check-here.js'
import { VerifyPage } from './VerifyPage.js'

applyRememberedTheme()
const root = document.getElementById('root')
if (root !== null) {
  // Known answers first: a library that fails them must not judge anything.
  const started = ready()
  const check = (input: CheckInput) => started.then(() => checkHere(input))
  createRoot(root).render(
    <StrictMode><LocaleProvider><VerifyPage check={check} /></LocaleProvider></StrictMode>)
}
