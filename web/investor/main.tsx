/** The gate's entry. The fragment is taken before anything else runs. */
import '../fragment.js'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import '../ui/tokens.css'
import '../ui/base.css'
import { LocaleProvider } from '../copy.js'
import { applyRememberedTheme } from '../ui/ThemeSwitch.js'
import { Gate } from './Gate.js'
import { openVisit } from './visit.js'

const grantId = /^\/g\/([A-Za-z0-9_-]{22})\/?$/.exec(location.pathname)?.[1] ?? ''
applyRememberedTheme()
const root = document.getElementById('root')
if (root !== null) {
  createRoot(root).render(
    <StrictMode>
      <LocaleProvider><Gate tools={openVisit(grantId)} /></LocaleProvider>
    </StrictMode>)
}
