/** A reader's own evidence pack: her receipts, what she signed, and what checks both without us. */
import { EvidenceButton } from '../evidence/EvidenceButton.js'
import { takeOwnPack } from '../evidence/take-pack.js'
import { startWorker } from '../trusted-worker.js'
import type { Gate, VisitTools } from './visit.js'

export function OwnPack({ tools: { api, grantId }, gate }: { tools: VisitTools, gate: Gate }) {
  const tools = { api, start: startWorker }
  const { logPolicy: policyText } = gate.verified
  return (
    <EvidenceButton
      fileName='sealdeck-evidence'
      take={(language) => takeOwnPack(tools, { grantId, policyText, language })}
    />
  )
}
