/** A choice of one where each needs a line of explanation; NativeSelect does for the rest. */
import { useId } from 'react'
import {
  Button as AriaButton, Label, ListBox, ListBoxItem, Popover, Select as AriaSelect, SelectValue,
  Text,
} from 'react-aria-components'
import { common, useCopy } from '../copy.js'
import { classNames } from './class-names.js'
import { FieldError } from './Field.js'
import { Icon } from './Icon.js'
import field from './Field.module.css'
import menu from './Menu.module.css'
import styles from './Select.module.css'

export interface SelectOption<T extends string> {
  readonly value: T
  readonly label: string
  readonly detail?: string
}

interface SelectProps<T extends string> {
  readonly label: string
  readonly hint?: string
  readonly error?: string | undefined
  readonly value: T | null
  readonly options: ReadonlyArray<SelectOption<T>>
  readonly onValueChange: (value: T) => void
}

export function Select<T extends string>(props: SelectProps<T>) {
  const { label, hint, error, value, options, onValueChange } = props
  const copy = useCopy(common)
  const errorId = useId()

  function onPick(key: unknown): void {
    const option = options.find((candidate) => candidate.value === key)
    if (option !== undefined) onValueChange(option.value)
  }

  return (
    <AriaSelect
      className={field.field ?? ''} value={value} isInvalid={error !== undefined} placeholder={copy.choose}
      aria-describedby={errorId} onChange={onPick}
    >
      <Label className={field.label ?? ''}>{label}</Label>
      {hint !== undefined && <Text slot='description' className={field.hint ?? ''}>{hint}</Text>}
      <AriaButton className={classNames(field.control, styles.trigger)}>
        <SelectValue className={styles.value ?? ''} />
        <Icon name='chevron-down' />
      </AriaButton>
      <FieldError id={errorId} error={error} />
      <Popover className={menu.popover ?? ''}>
        <ListBox className={menu.menu ?? ''} items={options.map((option) => ({ ...option, id: option.value }))}>
          {(option) => <Option id={option.id} label={option.label} detail={option.detail} />}
        </ListBox>
      </Popover>
    </AriaSelect>
  )
}

/** Hands its `id` on: the list finds the chosen option by it. */
function Option({ id, label, detail }: { id: string, label: string, detail: string | undefined }) {
  return (
    <ListBoxItem id={id} className={menu.item ?? ''} textValue={label}>
      <span className={menu.words}>
        <Text slot='label'>{label}</Text>
        {detail !== undefined && <Text slot='description' className={menu.detail ?? ''}>{detail}</Text>}
      </span>
      <span className={menu.tick}><Icon name='check' /></span>
    </ListBoxItem>
  )
}
