/**
 * The shell of a screen: skip link, header with the mark, the surface's own navigation, language and
 * theme; then the content in a column of the right width. One `Page` a screen, one `title` a page.
 */
import { use, useEffect, type MouseEvent, type ReactNode } from 'react'
import { common, useCopy } from '../copy.js'
import { classNames } from './class-names.js'
import { LanguageSwitch } from './LanguageSwitch.js'
import { NavigateContext } from './navigate-context.js'
import { SealMark, type SealState } from './SealMark.js'
import { ThemeSwitch } from './ThemeSwitch.js'
import styles from './Page.module.css'

interface PageProps {
  /** What the browser's tab says; nothing confidential, for it is shown in histories. */
  readonly title: string
  /** `column` for one thing to do, `page` for lists, `full` for a deck. */
  readonly width?: 'column' | 'page' | 'full'
  /** The mark in the header: open until something is sealed or verified. */
  readonly seal?: SealState
  /** Where the mark leads; follows NavigateContext. */
  readonly homeHref?: string
  /** Links of the surface, between the mark and the switches. */
  readonly navigation?: ReactNode
  /** After the switches: an account menu, a sign-out button. */
  readonly account?: ReactNode
  readonly footer?: ReactNode
  readonly children: ReactNode
}

export function Page(props: PageProps) {
  const { title, width = 'page', footer, children } = props
  const copy = useCopy(common)
  useTitle(title, copy.productName)
  return (
    <div className={styles.shell}>
      <a className={styles.skip} href='#content' onClick={skipToContent}>{copy.skipToContent}</a>
      <Header {...props} />
      <main className={classNames(styles.main, styles[width])} id='content' tabIndex={-1}>{children}</main>
      {footer !== undefined && <footer className={styles.footer}>{footer}</footer>}
    </div>
  )
}

function Header({ seal = 'closed', homeHref, navigation, account }: PageProps) {
  const copy = useCopy(common)
  const brand = <><SealMark state={seal} size='small' /><span>{copy.productName}</span></>
  return (
    <header className={styles.header}>
      {homeHref === undefined
        ? <span className={styles.brand}>{brand}</span>
        : <HomeLink href={homeHref}>{brand}</HomeLink>}
      {navigation !== undefined && <nav className={styles.navigation}>{navigation}</nav>}
      <div className={styles.switches}>
        <LanguageSwitch />
        <ThemeSwitch />
        {account}
      </div>
    </header>
  )
}

function HomeLink({ href, children }: { href: string, children: ReactNode }) {
  const navigate = use(NavigateContext)

  function onPress(event: MouseEvent): void {
    const isPlain = event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey
    if (navigate === null || !isPlain) return
    event.preventDefault()
    navigate(href)
  }

  return <a className={styles.brand} href={href} onClick={onPress}>{children}</a>
}

/** Moves focus itself: following the fragment would rewrite an address whose fragment is a secret. */
function skipToContent(event: { preventDefault: () => void }): void {
  event.preventDefault()
  document.getElementById('content')?.focus()
}

function useTitle(title: string, productName: string): void {
  useEffect(() => {
    document.title = title === '' ? productName : `${title} · ${productName}`
  }, [title, productName])
}

interface PageHeadingProps {
  readonly children: ReactNode
  /** A sentence under the heading. */
  readonly lead?: ReactNode
  readonly actions?: ReactNode
}

/** The one `h1`, with what the screen is for and what can be done on it. */
export function PageHeading({ children, lead, actions }: PageHeadingProps) {
  return (
    <div className={styles.heading}>
      <div className={styles.headingWords}>
        <h1 tabIndex={-1}>{children}</h1>
        {lead !== undefined && <p className={styles.lead}>{lead}</p>}
      </div>
      {actions !== undefined && <div className={styles.actions}>{actions}</div>}
    </div>
  )
}
