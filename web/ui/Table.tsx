/**
 * Rows of one kind. A real table, so that screen readers, Tab and text selection work as people know
 * them; headers that sort are buttons; on a narrow screen every row becomes a card with its headers
 * beside the values. Roles are spelt out because that change of display would else drop them.
 */
import type { ReactNode } from 'react'
import { common, useCopy } from '../copy.js'
import { classNames } from './class-names.js'
import { Icon } from './Icon.js'
import { LiveRegion } from './LiveRegion.js'
import { VisuallyHidden } from './VisuallyHidden.js'
import styles from './Table.module.css'

export interface TableColumn<Row> {
  readonly id: string
  readonly title: string
  readonly cell: (row: Row) => ReactNode
  readonly isSortable?: boolean
  /** The column that names the row. */
  readonly isRowHeader?: boolean
  /** `end` for figures; `actions` for buttons, whose title is read but not drawn. */
  readonly align?: 'start' | 'end' | 'actions'
}

export interface TableSort {
  readonly columnId: string
  readonly direction: 'ascending' | 'descending'
}

interface TableProps<Row> {
  /** What the table lists: its accessible name. */
  readonly label: string
  readonly columns: ReadonlyArray<TableColumn<Row>>
  readonly rows: readonly Row[]
  readonly rowId: (row: Row) => string
  readonly sort?: TableSort
  readonly onSort?: (sort: TableSort) => void
  /** Shown instead of the rows when there are none: an EmptyState. */
  readonly empty?: ReactNode
}

export function Table<Row>(props: TableProps<Row>) {
  const { label, columns, rows, rowId, empty } = props
  const sortWords = useSortWords(columns, props.sort)
  if (rows.length === 0 && empty !== undefined) return <div className={styles.frame}>{empty}</div>
  return (
    <div className={styles.frame}>
      <LiveRegion>{sortWords}</LiveRegion>
      <table className={styles.table} role='table' aria-label={label}>
        <thead role='rowgroup'>
          <tr role='row'>
            {columns.map((column) => (
              <HeaderCell key={column.id} column={column} sort={props.sort} onSort={props.onSort} />
            ))}
          </tr>
        </thead>
        <tbody role='rowgroup'>
          {rows.map((row) => (
            <tr role='row' key={rowId(row)}>
              {columns.map((column) => <BodyCell key={column.id} column={column} row={row} />)}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

type SortColumn = Omit<TableColumn<never>, 'cell'>

interface HeaderCellProps {
  readonly column: SortColumn
  readonly sort: TableSort | undefined
  readonly onSort: ((sort: TableSort) => void) | undefined
}

function HeaderCell({ column, sort, onSort }: HeaderCellProps) {
  const direction = sort?.columnId === column.id ? sort.direction : undefined
  const name = column.align === 'actions' ? <VisuallyHidden>{column.title}</VisuallyHidden> : column.title
  return (
    <th role='columnheader' scope='col' className={alignClass(column.align)} aria-sort={direction}>
      {column.isSortable === true && onSort !== undefined
        ? <SortButton column={column} direction={direction} onSort={onSort} />
        : name}
    </th>
  )
}

interface SortButtonProps {
  readonly column: SortColumn
  readonly direction: TableSort['direction'] | undefined
  readonly onSort: (sort: TableSort) => void
}

function SortButton({ column, direction, onSort }: SortButtonProps) {
  const next = direction === 'ascending' ? 'descending' : 'ascending'
  return (
    <button
      type='button' className={classNames(styles.sort, direction !== undefined && styles.sorted)}
      onClick={() => onSort({ columnId: column.id, direction: next })}
    >
      {column.title}
      <Icon name={direction === 'descending' ? 'sort-down' : 'sort-up'} />
    </button>
  )
}

function BodyCell<Row>({ column, row }: { column: TableColumn<Row>, row: Row }) {
  const content = (
    <>
      <span className={styles.cellTitle} aria-hidden='true'>{column.title}</span>
      <div className={styles.cellValue}>{column.cell(row)}</div>
    </>
  )
  const className = alignClass(column.align)
  if (column.isRowHeader !== true) return <td role='cell' className={className}>{content}</td>
  return <th role='rowheader' scope='row' className={className}>{content}</th>
}

function alignClass(align: string | undefined): string | undefined {
  return align === 'end' || align === 'actions' ? styles[align] : undefined
}

/** Said after a sort, for who cannot see the arrow. */
function useSortWords(columns: readonly SortColumn[], sort: TableSort | undefined): string {
  const copy = useCopy(common)
  const column = columns.find(({ id }) => id === sort?.columnId)
  if (column === undefined || sort === undefined) return ''
  const isAscending = sort.direction === 'ascending'
  return `${column.title}: ${isAscending ? copy.sortedAscending : copy.sortedDescending}`
}
