/**
 * Wrap a surface that uses dialogs, menus, tabs, selects, tooltips or toasts in this once: it gives
 * them the language in force and shows the toasts. The gate does without it, and without them.
 *
 * [Note: No style elements]
 * The library adds one <style> element on first use, which our content security policy refuses and
 * reports. It looks for an element of that id first, so we put an empty one there; the rule itself
 * stands in AriaRoot.module.css.
 */
import type { ReactNode } from 'react'
import { I18nProvider } from 'react-aria-components'
import { useLocale } from '../copy.js'
import { Toasts } from './Toasts.js'
import './AriaRoot.module.css'

const LIBRARY_STYLE_ID = 'react-aria-pressable-style'

function reserveStyleId(): void {
  if (document.getElementById(LIBRARY_STYLE_ID) !== null) return
  const placeholder = document.createElement('meta')
  placeholder.id = LIBRARY_STYLE_ID
  document.head.append(placeholder)
}

reserveStyleId()

export function AriaRoot({ children }: { children: ReactNode }) {
  const { locale } = useLocale()
  return (
    <I18nProvider locale={locale}>
      {children}
      <Toasts />
    </I18nProvider>
  )
}
