/**
 * The words on the screen: which language is in force, and the hook that hands out a section in it.
 *
 * [Note: Copy by surface]
 * Every surface has its own section file in web/copy/ made with `defineSection`, and imports nobody
 * else's, so that the gate never loads the founder's sentences. `common` holds what widgets say.
 */
import { createContext, createElement, use, useEffect, useState, type ReactNode } from 'react'
import { en } from './copy/en.js'
import { LOCALES, defineSection, type Locale, type Section } from './copy/language.js'
import { ru } from './copy/ru.js'
import { readRemembered, remember } from './remembered.js'

export const common = defineSection({ en, ru })

interface LocaleChoice {
  readonly locale: Locale
  readonly chooseLocale: (locale: Locale) => void
}

const LocaleContext = createContext<LocaleChoice>({ locale: 'en', chooseLocale: () => undefined })

/** Starts from the remembered choice, else the browser's languages, and keeps `<html lang>` true. */
export function LocaleProvider({ children }: { children: ReactNode }) {
  const [locale, setLocale] = useState<Locale>(initialLocale)

  useEffect(() => {
    document.documentElement.lang = locale
  }, [locale])

  function chooseLocale(chosen: Locale): void {
    remember('locale', chosen)
    setLocale(chosen)
  }

  return createElement(LocaleContext, { value: { locale, chooseLocale } }, children)
}

export function useLocale(): LocaleChoice {
  return use(LocaleContext)
}

/** One section in the language in force: `const copy = useCopy(founder)`. */
export function useCopy<T>(section: Section<T>): T {
  return section[use(LocaleContext).locale]
}

function initialLocale(): Locale {
  const wanted = [readRemembered('locale') ?? '', ...navigator.languages]
  return pickLocale(wanted)
}

/** The first language of `wanted` that we speak, region ignored; English if none. */
export function pickLocale(wanted: readonly string[]): Locale {
  for (const tag of wanted) {
    const spoken = LOCALES.find((locale) => locale === tag.toLowerCase().split('-')[0])
    if (spoken !== undefined) return spoken
  }
  return 'en'
}
