/** Light, dark, or as the system says; remembered on this browser. */
import { useState } from 'react'
import { common, useCopy } from '../copy.js'
import { readRemembered, remember } from '../remembered.js'
import { IconButton } from './Button.js'
import type { IconName } from './Icon.js'

const THEMES = ['system', 'light', 'dark'] as const

type Theme = typeof THEMES[number]

const THEME_ICONS: Readonly<Record<Theme, IconName>> = { system: 'monitor', light: 'sun', dark: 'moon' }

function rememberedTheme(): Theme {
  return THEMES.find((theme) => theme === readRemembered('theme')) ?? 'system'
}

function showTheme(theme: Theme): void {
  if (theme === 'system') delete document.documentElement.dataset['theme']
  else document.documentElement.dataset['theme'] = theme
}

/** Call before the first render, or a dark room gets a white flash. */
export function applyRememberedTheme(): void {
  showTheme(rememberedTheme())
}

export function ThemeSwitch() {
  const copy = useCopy(common)
  const [theme, setTheme] = useState<Theme>(rememberedTheme)

  function onPress(): void {
    const next = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length] ?? 'system'
    remember('theme', next)
    showTheme(next)
    setTheme(next)
  }

  return <IconButton icon={THEME_ICONS[theme]} label={`${copy.theme}: ${copy.themeNames[theme]}`} onClick={onPress} />
}
