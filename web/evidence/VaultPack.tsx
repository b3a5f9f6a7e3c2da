/** The evidence pack of a vault, or of one person in it. */
import { useSession } from '../session.js'
import { startWorker } from '../trusted-worker.js'
import { EvidenceButton } from './EvidenceButton.js'
import { takeVaultPack } from './take-pack.js'

interface VaultPackProps {
  readonly vaultId: string
  /** The log's key as this browser pinned it. */
  readonly logVkey: string
  readonly isOwner: boolean
  readonly person?: { readonly personId: string, readonly name: string }
}

export function VaultPack({ vaultId, logVkey, isOwner, person }: VaultPackProps) {
  const { api } = useSession()
  const party = person?.personId ?? null
  return (
    <EvidenceButton
      fileName={`sealdeck-evidence-${(party ?? vaultId).slice(-8)}`} {...person === undefined ? {} : { of: person.name }}
      take={(language) => takeVaultPack(
        { api, start: startWorker }, { vaultId, logVkey, isOwner, party, language })}
    />
  )
}
