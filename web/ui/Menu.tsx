/** Acts that do not earn a button of their own, behind one. */
import { Button as AriaButton, Menu as AriaMenu, MenuItem, MenuTrigger, Popover } from 'react-aria-components'
import { buttonClass } from './Button.js'
import { classNames } from './class-names.js'
import { Icon, type IconName } from './Icon.js'
import styles from './Menu.module.css'

export interface MenuEntry {
  readonly id: string
  readonly label: string
  readonly icon?: IconName
  /** Shown in the colour of what destroys; it still has to ask before it does. */
  readonly isDestructive?: boolean
  readonly isDisabled?: boolean
  readonly onAction: () => void
}

interface MenuProps {
  /** What the menu is for: read aloud, and written on the button unless it shows a symbol alone. */
  readonly label: string
  readonly icon?: IconName
  readonly isIconOnly?: boolean
  readonly entries: readonly MenuEntry[]
}

export function Menu({ label, icon = 'more', isIconOnly = false, entries }: MenuProps) {
  return (
    <MenuTrigger>
      <AriaButton
        className={classNames(buttonClass({ variant: 'quiet', size: 'small', isWide: false }), styles.trigger)}
        aria-label={label}
      >
        <Icon name={icon} />
        {!isIconOnly && <span>{label}</span>}
      </AriaButton>
      <Popover className={styles.popover ?? ''} placement='bottom end'>
        <AriaMenu className={styles.menu ?? ''} items={entries}>
          {(entry) => <Entry id={entry.id} entry={entry} />}
        </AriaMenu>
      </Popover>
    </MenuTrigger>
  )
}

/** Takes its `id` beside the entry: the list finds its items by that property. */
function Entry({ id, entry }: { id: string, entry: MenuEntry }) {
  const { label, icon, isDestructive = false, isDisabled = false, onAction } = entry
  return (
    <MenuItem
      id={id} className={classNames(styles.item, isDestructive && styles.destructive)}
      textValue={label} isDisabled={isDisabled} onAction={onAction}
    >
      {icon !== undefined && <Icon name={icon} />}
      <span>{label}</span>
    </MenuItem>
  )
}
