/** The deck as its founder reads it, and its versions. */
import { useState } from 'react'
import { Link } from 'react-router'
import type { StoredVersion } from '../../protocol/api.js'
import { useCopy, useLocale } from '../copy.js'
import { founder } from '../copy/founder.js'
import { formatBytes } from '../copy/language.js'
import { attemptReading, sourceOf } from '../crypto.js'
import { useFailureWords, type Failure } from '../failure-words.js'
import { useSession } from '../session.js'
import { Button, buttonClass } from '../ui/Button.js'
import { Card } from '../ui/Card.js'
import { EmptyState } from '../ui/EmptyState.js'
import { Icon } from '../ui/Icon.js'
import { Notice } from '../ui/Notice.js'
import { Table, type TableColumn } from '../ui/Table.js'
import { Tag } from '../ui/Tag.js'
import { Time } from '../ui/Time.js'
import { DeckFrame } from '../viewer/DeckFrame.js'
import styles from './founder.module.css'
import { UnfinishedVersion } from './Unfinished.js'
import { type OwnVault } from './vault.js'
import { newestOf, recordsBefore, type OwnDocument } from './versions.js'

export function VaultDeck({ vault }: { vault: OwnVault }) {
  const copy = useCopy(founder)
  if (vault.documents.length === 0) return <EmptyState icon='slides' title={copy.noVersionsTitle}>{copy.noVersions}</EmptyState>
  return (
    <div className={styles.stack}>
      {vault.documents.map((document) => (
        <Document key={document.documentId} vaultId={vault.vaultId} document={document} />
      ))}
      <UnfinishedVersion vault={vault} />
    </div>
  )
}

function Document({ vaultId, document }: { vaultId: string, document: OwnDocument }) {
  const copy = useCopy(founder)
  const [chosen, setChosen] = useState<string | null>(null)
  const shown = document.versions.find(
    ({ versionId }) => versionId === chosen
  ) ?? newestOf(document.versions, 0)
  return (
    <>
      <div className={styles.between}>
        <h2 className={styles.documentName}>{document.name}</h2>
        <Link to={`/vaults/${vaultId}/new-version/${document.documentId}`} className={buttonClass({ variant: 'plain', size: 'small', isWide: false })}>
          <Icon name='upload' />{copy.newVersion}
        </Link>
      </div>
      {shown !== null && (
        <Preview key={shown.versionId} vaultId={vaultId} document={document} version={shown} />
      )}
      <Versions document={document} shownId={shown?.versionId ?? null} onShow={setChosen} />
    </>
  )
}

interface PreviewProps {
  readonly vaultId: string
  readonly document: OwnDocument
  readonly version: StoredVersion
}

function Preview({ vaultId, document, version }: PreviewProps) {
  const copy = useCopy(founder)
  const words = useFailureWords()
  const { api, crypto, config } = useSession()
  const [failure, setFailure] = useState<Failure | null>(null)
  const [isFile, setFile] = useState(false)

  async function onPort(port: MessagePort): Promise<void> {
    const previousRecords = recordsBefore(document.versions, version)
    const opened = await attemptReading(
      () => crypto.openOwnVersion(
        { vaultId, version, previousRecords }, sourceOf(api, version.versionId), port,
      )
    )
    if (!opened.ok) setFailure(opened.code)
    else if (opened.value.mediaType !== 'application/pdf') setFile(true)
  }

  if (failure !== null) {
    const again = <Button size='small' onClick={() => setFailure(null)}>{copy.retry}</Button>
    return <Notice tone='fail' isLive actions={again}>{words(failure)}</Notice>
  }
  if (isFile) return <Card><EmptyState icon='file' title={copy.fileOnlyTitle}>{copy.fileOnly}</EmptyState></Card>
  if (config === null) return null
  return (
    <DeckFrame
      viewerOrigin={config.viewerOrigin} title={copy.previewOf(document.name)} watermark={null}
      onPort={(port) => void onPort(port)}
    />
  )
}

interface VersionsProps {
  readonly document: OwnDocument
  readonly shownId: string | null
  readonly onShow: (versionId: string) => void
}

function Versions({ document, shownId, onShow }: VersionsProps) {
  const copy = useCopy(founder)
  const { locale } = useLocale()
  const columns: ReadonlyArray<TableColumn<StoredVersion>> = [
    { id: 'version', title: copy.version, isRowHeader: true, cell: ({ version, part }) => <>{copy.versionNumber(version)} · {part === 1 ? copy.partOpen : copy.partWhole}</> },
    { id: 'gate', title: copy.gate, cell: ({ gate }) => <Tag {...(gate === 'nda' && { tone: 'seal' as const, icon: 'lock' as const })}>{copy.gates[gate]}</Tag> },
    { id: 'size', title: copy.size, align: 'end', cell: ({ payloadLength }) => formatBytes(locale, payloadLength) },
    { id: 'stored', title: copy.sealedAt, cell: ({ storedAtMs }) => <Time atMs={storedAtMs} /> },
    {
      id: 'show', title: copy.show, align: 'actions', cell: ({ versionId, version, part }) => versionId === shownId
        ? <Tag icon='eye'>{copy.shown}</Tag>
        : <Button size='small' variant='quiet' aria-label={`${copy.show}: ${copy.versionNumber(version)}, ${part === 1 ? copy.partOpen : copy.partWhole}`} onClick={() => onShow(versionId)}>{copy.show}</Button>,
    },
  ]
  return (
    <Table
      label={copy.versions} columns={columns} rows={document.versions}
      rowId={({ versionId }) => versionId}
    />
  )
}
