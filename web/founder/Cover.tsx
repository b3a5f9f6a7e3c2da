/**
 * A deck's first slide, small, from the thumbnail that was sealed with it: our own viewer drew it, so
 * showing it here decodes nothing that a stranger made. Kept for this visit of the screen only.
 */
import { useEffect, useState } from 'react'
import { attemptReading, sourceOf } from '../crypto.js'
import { useSession, type SessionTools } from '../session.js'
import { SealMark } from '../ui/SealMark.js'
import { parseSourceAnswer, parseSourceDocument } from '../viewer/parse.js'
import type { SourceRequest } from '../viewer/ports.js'
import styles from './founder.module.css'
import { newestOf, recordsBefore } from './versions.js'

/** The worker answers at once or not at all; a card without its slide is still a card. */
const COVER_TIMEOUT_MS = 20_000

export function Cover({ vaultId }: { vaultId: string }) {
  const { api, crypto } = useSession()
  const [url, setUrl] = useState<string | null>(null)

  useEffect(() => {
    const left = new AbortController()
    let made: string | null = null
    void readCover({ api, crypto }, vaultId, left.signal).then((image) => {
      if (image === null || left.signal.aborted) return
      made = URL.createObjectURL(image)
      setUrl(made)
    }).catch((error: unknown) => {
      // Signing out takes the keys away under it.
      if (!left.signal.aborted) throw error
    })
    return () => {
      left.abort()
      if (made !== null) URL.revokeObjectURL(made)
    }
  }, [api, crypto, vaultId])

  return (
    <span className={styles.cover}>
      {url === null ? <SealMark state='closed' size='large' /> : <img src={url} alt='' />}
    </span>
  )
}

/** `null` where there is none: not a PDF, or not to be had now. */
async function readCover(
  { api, crypto }: SessionTools, vaultId: string, signal: AbortSignal,
): Promise<Blob | null> {
  const vault = await api.readVault(vaultId)
  const versions = vault.ok ? vault.value.documents.flatMap((document) => document.versions) : []
  const version = newestOf(versions, 0)
  if (version === null || signal.aborted) return null
  const own = versions.filter(({ documentId }) => documentId === version.documentId)
  const { port1, port2 } = new MessageChannel()
  const image = askForCover(port1, AbortSignal.any([signal, AbortSignal.timeout(COVER_TIMEOUT_MS)]))
  const input = { vaultId, version, previousRecords: recordsBefore(own, version) }
  const opened = await attemptReading(() =>
    crypto.openOwnVersion(input, sourceOf(api, version.versionId), port2))
  if (!opened.ok) port1.close()
  return opened.ok ? await image : null
}

function askForCover(port: MessagePort, signal: AbortSignal): Promise<Blob | null> {
  return new Promise((resolve) => {
    let mediaType = ''
    const end = (image: Blob | null): void => {
      port.close()
      resolve(image)
    }
    signal.addEventListener('abort', () => end(null))
    port.onmessage = ({ data }: MessageEvent<unknown>) => {
      const first = parseSourceDocument(data)?.thumbnails?.[0]
      const answer = parseSourceAnswer(data)
      if (first !== undefined) {
        mediaType = first.mediaType
        port.postMessage({ id: 1, kind: 'thumbnail', index: 0 } satisfies SourceRequest)
      } else if (answer !== null && 'bytes' in answer) {
        end(new Blob([answer.bytes], { type: mediaType }))
      } else end(null)
    }
  })
}
