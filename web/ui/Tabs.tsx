/** Views of one thing, side by side; arrow keys move between them. */
import type { ReactNode } from 'react'
import { Tab, TabList, TabPanel, Tabs as AriaTabs } from 'react-aria-components'
import styles from './Tabs.module.css'

export interface TabView<T extends string> {
  readonly id: T
  readonly title: string
  /** How many are waiting inside; zero is not shown. */
  readonly count?: number
  readonly content: ReactNode
}

interface TabsProps<T extends string> {
  readonly label: string
  readonly views: ReadonlyArray<TabView<T>>
  readonly selected: T
  readonly onSelect: (id: T) => void
}

export function Tabs<T extends string>({ label, views, selected, onSelect }: TabsProps<T>) {
  function onChange(key: unknown): void {
    const view = views.find(({ id }) => id === key)
    if (view !== undefined) onSelect(view.id)
  }

  return (
    <AriaTabs className={styles.tabs ?? ''} selectedKey={selected} onSelectionChange={onChange}>
      <TabList className={styles.list ?? ''} aria-label={label} items={views}>
        {(view) => (
          <Tab className={styles.tab ?? ''}>
            {view.title}
            {(view.count ?? 0) > 0 && <span className={styles.count}>{view.count}</span>}
          </Tab>
        )}
      </TabList>
      {views.map((view) => (
        <TabPanel key={view.id} id={view.id} className={styles.panel ?? ''}>{view.content}</TabPanel>
      ))}
    </AriaTabs>
  )
}
