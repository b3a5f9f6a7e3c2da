/** Checked events as a table (RFC 4180), for those who sort and count. The proofs stay in the JSON. */
import type { CheckedEvent } from '../crypto.js'
import { fieldOf } from './pages.js'

const EVENT_FIELDS = ['at', 'type', 'id', 'vault', 'actor', 'party', 'grant', 'revision', 'document', 'part', 'version', 'device',
  'agreementSha256', 'recordSha256', 'headerSha256', 'because', 'action'] as const
const DETAIL_FIELDS = ['name', 'email', 'organisation', 'address'] as const

export function formatCsvHead(): string {
  return formatRow(['index', 'proven', ...EVENT_FIELDS, ...DETAIL_FIELDS])
}

export function formatCsvRows(events: readonly CheckedEvent[]): string {
  return events.map(({ index, isProven, event, details }) => formatRow([
    String(index), isProven ? 'yes' : 'no',
    ...EVENT_FIELDS.map((field) => fieldOf(event, field)),
    ...DETAIL_FIELDS.map((field) => fieldOf(details, field)),
  ])).join('')
}

function formatRow(cells: readonly string[]): string {
  return `${cells.map(formatCell).join(',')}\r\n`
}

/** Spreadsheets run what begins like a formula, also after spaces: a leading apostrophe makes it text. */
function formatCell(text: string): string {
  const safe = /^\s*[=+\-@|%＝＋－＠]|^[\t\r\n]/.test(text) ? `'${text}` : text
  return `"${safe.replaceAll('"', '""')}"`
}
