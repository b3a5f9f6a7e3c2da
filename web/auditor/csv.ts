/** A checked export as a table (RFC 4180), for those who sort and count. The proofs stay in the JSON. */
import type { CheckedLog } from '../crypto.js'
import { fieldOf } from './events.js'

const EVENT_FIELDS = ['at', 'type', 'id', 'actor', 'party', 'grant', 'revision', 'document', 'part', 'version', 'device',
  'agreementSha256', 'recordSha256', 'headerSha256', 'because', 'action'] as const
const DETAIL_FIELDS = ['name', 'email', 'organisation', 'address'] as const

export function formatCsv(log: CheckedLog): string {
  const rows = log.events.map(({ index, isProven, event, details }) => [
    String(index), isProven ? 'yes' : 'no',
    ...EVENT_FIELDS.map((field) => fieldOf(event, field)),
    ...DETAIL_FIELDS.map((field) => fieldOf(details, field)),
  ])
  return [['index', 'proven', ...EVENT_FIELDS, ...DETAIL_FIELDS], ...rows].map(formatRow).join('')
}

function formatRow(cells: readonly string[]): string {
  return `${cells.map(formatCell).join(',')}\r\n`
}

/** Spreadsheets run what begins like a formula: a leading apostrophe makes it text. */
function formatCell(text: string): string {
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text
  return `"${safe.replaceAll('"', '""')}"`
}
