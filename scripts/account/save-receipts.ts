/** Receipts of an exported log: for each signature and each key that left, its proof and what was signed. */
import type { Receipt } from '../../protocol/api.js'
import { parseExport, verifyExport } from '../../protocol/log/export.js'
import { policyOfLog } from '../../protocol/log/policy.js'
import type { Owner } from './owner.js'

/** What somebody may have to prove years later. */
const PROVEN_TYPES = new Set(['nda.accepted', 'nda.declined', 'header.released', 'access.revoked'])

/**
 * @param text - the export, which must verify under the key that it names.
 * @throws ProtocolError as `parseExport` and `verifyExport`.
 */
export async function saveReceipts(
  { line }: Owner, text: string, save: (name: string, content: string) => Promise<void>,
): Promise<void> {
  const audit = parseExport(text)
  const { events } = verifyExport(audit, policyOfLog(audit.vkey))
  for (const { index, event, details } of events) {
    if (event === null || !PROVEN_TYPES.has(event.type)) continue
    const name = `${String(index).padStart(8, '0')}-${event.type}`
    const receipt = await line.get<Receipt>(`/api/receipts/${event.id}`)
    await save(`${name}.tlog-proof`, receipt.proof)
    if (details?.note !== undefined) await save(`${name}.note.txt`, details.note)
  }
}
