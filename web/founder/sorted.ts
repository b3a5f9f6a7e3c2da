/** Rows in the order that a table's header asks for. */
import type { TableSort } from '../ui/Table.js'

export function sorted<Row>(
  rows: readonly Row[], keys: Readonly<Record<string, (row: Row) => string | number>>, {
    columnId, direction,
  }: TableSort,
): readonly Row[] {
  const keyOf = keys[columnId]
  if (keyOf === undefined) return rows
  const sign = direction === 'ascending' ? 1 : -1
  return [...rows].sort((a, b) => sign * compare(keyOf(a), keyOf(b)))
}

function compare(a: string | number, b: string | number): number {
  return typeof a === 'number' && typeof b === 'number' ? a - b : String(a).localeCompare(String(b))
}
