/** The languages side by side, each named in itself; the short name is part of the spoken one. */
import { common, useCopy, useLocale } from '../copy.js'
import { LOCALES } from '../copy/language.js'
import styles from './LanguageSwitch.module.css'

export function LanguageSwitch() {
  const copy = useCopy(common)
  const { locale, chooseLocale } = useLocale()
  return (
    <div className={styles.languages} role='group' aria-label={copy.language}>
      {LOCALES.map((choice) => (
        <button
          key={choice} type='button' lang={choice} className={styles.language}
          aria-label={`${choice.toUpperCase()}, ${copy.languageNames[choice]}`} title={copy.languageNames[choice]}
          aria-pressed={choice === locale} onClick={() => chooseLocale(choice)}
        >
          {choice.toUpperCase()}
        </button>
      ))}
    </div>
  )
}
