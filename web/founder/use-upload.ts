/** One upload on a screen: under way, stopped and ready to go on, or over. */
import { useEffect, useRef, useState } from 'react'
import type { StoredVersion } from '../../protocol/api.js'
import { useSession } from '../session.js'
import { DeckUpload, mayGoOn, type UploadFailure, type UploadPlan, type UploadProgress } from './upload-deck.js'

export type UploadState =
  | { readonly step: 'idle' }
  /** Open slides are cut out; no bytes yet. */
  | { readonly step: 'cutting' }
  | { readonly step: 'running', readonly progress: UploadProgress | null }
  | { readonly step: 'stopped', readonly progress: UploadProgress | null, readonly code: UploadFailure }
  | { readonly step: 'failed', readonly code: UploadFailure }
  | { readonly step: 'cancelling' }

interface Uploading {
  readonly state: UploadState
  readonly start: (plan: () => Promise<UploadPlan>) => Promise<void>
  readonly goOn: () => Promise<void>
  readonly cancel: () => Promise<void>
}

export function useUpload(onStored: (versions: readonly StoredVersion[]) => void): Uploading {
  const { api, crypto } = useSession()
  const [state, setState] = useState<UploadState>({ step: 'idle' })
  const upload = useRef<DeckUpload | null>(null)
  const progress = useRef<UploadProgress | null>(null)
  const isGone = useRef(false)
  useEffect(() => () => {
    isGone.current = true
    const left = upload.current
    upload.current = null
    void left?.abandon()
  }, [])

  function show(next: UploadState): void {
    if (!isGone.current) setState(next)
  }

  async function start(plan: () => Promise<UploadPlan>): Promise<void> {
    show({ step: 'cutting' })
    progress.current = null
    const planned = await plan()
    if (isGone.current) return
    upload.current = new DeckUpload({ api, crypto }, planned, (now) => {
      progress.current = now
      setState((before) => before.step === 'running' ? { step: 'running', progress: now } : before)
    })
    await run(upload.current)
  }

  async function run(current: DeckUpload): Promise<void> {
    show({ step: 'running', progress: progress.current })
    const end = await current.run()
    if (upload.current !== current) return // Cancelled meanwhile.
    if (end.ok) return onStored(end.value)
    if (mayGoOn(end.code)) return show({ step: 'stopped', progress: progress.current, code: end.code })
    // What was begun stays only where it is not this file's.
    if (end.code !== 'different-file') await current.cancel()
    upload.current = null
    show({ step: 'failed', code: end.code })
  }

  async function goOn(): Promise<void> {
    if (upload.current !== null) await run(upload.current)
  }

  async function cancel(): Promise<void> {
    const current = upload.current
    upload.current = null
    if (current === null) return
    show({ step: 'cancelling' })
    await current.cancel()
    show({ step: 'idle' })
  }

  return { state, start, goOn, cancel }
}
