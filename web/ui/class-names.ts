/** The names that are there, joined: `classNames(styles.button, isWide && styles.wide)`. */
export function classNames(...names: ReadonlyArray<string | false | undefined>): string {
  return names.filter((name) => name !== undefined && name !== false).join(' ')
}
