/**
 * Rows that are inserted only while something else holds, for statements that make several changes
 * at once ([Note: One statement] in queries/outbox.ts). Knows no tables.
 */
import { getTableColumns, is, sql, SQL } from 'drizzle-orm'
import type { PgColumn, PgInsertValue, PgTable } from 'drizzle-orm/pg-core'
import { assert } from '../protocol/errors.js'

const MAX_ROWS = 1_000

/** For `db.insert(table).select(...)`: the row, if the condition holds when the statement runs. */
export function rowWhere<T extends PgTable>(table: T, row: PgInsertValue<T>, condition: SQL): SQL {
  return rowsWhere(table, [{ row, condition }])
}

/** As `rowWhere`, for 1 to 1,000 rows with a condition each. */
export function rowsWhere<T extends PgTable>(
  table: T, rows: readonly { row: PgInsertValue<T>, condition: SQL }[],
): SQL {
  assert(rows.length > 0 && rows.length <= MAX_ROWS, 'a statement inserts 1 to 1,000 rows')
  const columns = Object.entries(getTableColumns(table))
  return sql.join(rows.map(({ row, condition }) => {
    const cells = columns.map(([name, column]) => cell(Reflect.get(row, name), column))
    return sql`select ${sql.join(cells, sql`, `)} where ${condition}`
  }), sql` union all `)
}

function cell(value: unknown, column: PgColumn): SQL {
  if (is(value, SQL)) return value
  // `default` is not allowed in a select: what the schema gives as a plain value stands in.
  const given = value === undefined ? column.default ?? null : value
  return sql`${sql.param(given, column)}::${sql.raw(column.getSQLType())}`
}
