/**
 * Seals the parts of a version and uploads them while they are sealed. Can be run again after a lost
 * connection and goes on where it stood; completes nothing before every part is there, so that a
 * version appears whole or not at all. Cancelling leaves nothing behind. Draws nothing.
 */
import type { PartTarget, StoredVersion, Upload } from '../../protocol/api.js'
import { assert } from '../../protocol/errors.js'
import { attempt, type SealBegun, type SealFinished, type SealInput, type SealedPart } from '../crypto.js'
import type { Failure } from '../failure-words.js'
import type { SessionTools } from '../session.js'

/** Sealed parts on their way at a time; each holds 4 MiB. */
const LANE_COUNT = 2
/** The share of a presigned address's life after which it is not used any more. */
const USED_LIFE = 0.75

export type UploadFailure = Failure | 'different-file'
export type UploadEnd = {
  ok: true, value: readonly StoredVersion[],
} | { ok: false, code: UploadFailure }

/** After these the same upload can go on. */
const PASSING: readonly UploadFailure[] = [
  'offline', 'not-ready', 'too-many-requests', 'internal-error', 'log-unavailable', 'part-mismatch', 'not-signed-in',
]

export function mayGoOn(code: UploadFailure): boolean {
  return PASSING.includes(code)
}

export interface UploadPlan {
  readonly vaultId: string
  /** The label of a vault that is made first; null if it is there. */
  readonly newVaultTitle: string | null
  /** Open slides first. */
  readonly parts: ReadonlyArray<{ readonly input: SealInput, readonly begun: Upload | null }>
}

export interface UploadProgress {
  readonly sealedBytes: number
  readonly sealTotalBytes: number
  readonly sentBytes: number
  readonly sendTotalBytes: number
}

interface PartUpload {
  readonly input: SealInput
  readonly resumed: Upload | null
  /** Both passes over the file: hashing, sealing. */
  hashed: { doneBytes: number, totalBytes: number }
  sealedBytes: number
  begun: SealBegun | null
  upload: Upload | null
  /** When the addresses of its parts were asked for. */
  askedAtMs: number
  /** Sealed, and not there yet. */
  readonly unsent: SealedPart[]
  asking: Promise<SealedPart | null>
  readonly sentBytes: Map<number, number>
  finished: SealFinished | null
  isListed: boolean
  stored: StoredVersion | null
}

type Step = { ok: true } | { ok: false, code: UploadFailure }
const DONE: Step = { ok: true }

export class DeckUpload {
  readonly #tools: SessionTools
  readonly #plan: UploadPlan
  readonly #onProgress: (progress: UploadProgress) => void
  readonly #parts: readonly PartUpload[]
  readonly #abort = new AbortController()
  #vault: { tagKey: string, titleSealed: string } | null = null
  #isVaultMade: boolean
  #running: Promise<UploadEnd> | null = null

  constructor(
    tools: SessionTools, plan: UploadPlan, onProgress: (progress: UploadProgress) => void,
  ) {
    this.#tools = tools
    this.#plan = plan
    this.#onProgress = onProgress
    this.#isVaultMade = plan.newVaultTitle === null
    this.#parts = plan.parts.map(({ input, begun }) => ({
      input, resumed: begun, hashed: { doneBytes: 0, totalBytes: input.file.size },
      sealedBytes: 0, begun: null, upload: null, askedAtMs: 0,
      unsent: [], asking: Promise.resolve(null), sentBytes: new Map(), finished: null,
      isListed: false, stored: null,
    }))
  }

  /** Everything that is not done yet. Call it again after a failure that passes. */
  run(): Promise<UploadEnd> {
    this.#running = this.#run()
    return this.#running
  }

  async #run(): Promise<UploadEnd> {
    const made = await this.#makeVault()
    if (!made.ok) return made
    for (const part of this.#parts) {
      const sent = await this.#send(part)
      if (!sent.ok) return sent
    }
    for (const part of this.#parts) {
      const completed = await this.#complete(part)
      if (!completed.ok) return completed
    }
    return { ok: true, value: this.#parts.flatMap(({ stored }) => stored ?? []) }
  }

  /** Here and on the server. A vault that was made for it goes too. */
  async cancel(): Promise<void> {
    await this.#stop()
    for (const { upload, resumed, stored } of this.#parts) {
      const waiting = upload ?? resumed
      if (waiting === null || stored !== null) continue
      await this.#tools.api.cancelUpload(waiting.versionId)
    }
    await this.#removeVault()
  }

  /** Here alone: what was sent stays, to be taken up later with the same file. */
  async abandon(): Promise<void> {
    await this.#stop()
    if (this.#parts.every(({ upload }) => upload === null)) await this.#removeVault()
  }

  async #stop(): Promise<void> {
    this.#abort.abort()
    // What is on its way may still arrive; only then is it known what there is to take back.
    await this.#running
    for (const { begun } of this.#parts) {
      if (begun !== null) await this.#tools.crypto.cancelSeal(begun.sealId)
    }
  }

  async #removeVault(): Promise<void> {
    if (this.#vault === null || !this.#isVaultMade) return
    await this.#tools.api.removeVault(this.#plan.vaultId)
  }

  async #makeVault(): Promise<Step> {
    const { vaultId, newVaultTitle } = this.#plan
    if (this.#isVaultMade || newVaultTitle === null) return DONE
    const { api, crypto } = this.#tools
    this.#vault ??= {
      tagKey: await crypto.vaultTagKey(vaultId),
      titleSealed: await crypto.sealLabel({ label: newVaultTitle, context: `vault-title:${vaultId}` }),
    }
    const made = await api.createVault({ vaultId, ...this.#vault })
    this.#isVaultMade = made.ok
    return made
  }

  async #send(part: PartUpload): Promise<Step> {
    if (part.isListed) return DONE
    if (this.#abort.signal.aborted) return { ok: false, code: 'offline' }
    const begun = await this.#begin(part)
    if (!begun.ok) return begun
    const lanes = await Promise.all(Array.from({ length: LANE_COUNT }, () => this.#lane(part)))
    const failed = lanes.find((lane) => !lane.ok)
    if (failed !== undefined) return failed
    return await this.#list(part)
  }

  async #begin(part: PartUpload): Promise<Step> {
    const sealing = await this.#beginSeal(part)
    if (!sealing.ok || part.begun === null) return sealing
    if (this.#abort.signal.aborted) return { ok: false, code: 'offline' }
    const { api } = this.#tools
    part.askedAtMs = performance.now()
    // Asked for again after a failure: addresses of a bucket expire.
    const begun = part.upload === null && part.resumed === null
      ? await api.beginUpload(this.#plan.vaultId, part.begun.beginUpload)
      : await api.readUpload((part.upload ?? part.resumed)?.versionId ?? '')
    if (!begun.ok) return begun
    part.upload = begun.value
    return DONE
  }

  async #beginSeal(part: PartUpload): Promise<Step> {
    if (part.begun !== null) return DONE
    const { crypto } = this.#tools
    const onHashed = (doneBytes: number, totalBytes: number): void => {
      part.hashed = { doneBytes, totalBytes }
      this.#tellProgress()
    }
    const { input, resumed } = part
    const begun = await attempt<SealBegun | null>(() => resumed === null
      ? crypto.beginSeal(input, onHashed)
      : crypto.resumeSeal(
        {
          ...input, draftSealed: resumed.draftSealed, nonce: resumed.nonce,
          ownerHeader: resumed.ownerHeader,
        },
        onHashed,
      ))
    if (!begun.ok) return begun
    if (begun.value === null) return { ok: false, code: 'different-file' }
    part.begun = begun.value
    return DONE
  }

  /** Takes the next sealed part when its last one is there, so that few are in memory. */
  async #lane(part: PartUpload): Promise<Step> {
    for (;;) {
      if (this.#abort.signal.aborted) return { ok: false, code: 'offline' }
      const sealed = part.unsent.shift() ?? await this.#nextPart(part)
      if (sealed === null) return DONE
      const sent = await this.#put(part, sealed)
      if (sent.ok) continue
      part.unsent.push(sealed)
      return sent
    }
  }

  /** One after the other: the worker seals in order. */
  #nextPart(part: PartUpload): Promise<SealedPart | null> {
    part.asking = part.asking.then(async () => {
      if (part.begun === null || this.#abort.signal.aborted) return null
      const sealed = await this.#tools.crypto.nextPart(part.begun.sealId)
      part.sealedBytes += sealed?.bytes.length ?? 0
      this.#tellProgress()
      return sealed
    })
    return part.asking
  }

  async #put(part: PartUpload, sealed: SealedPart): Promise<Step> {
    const target = await this.#targetOf(part, sealed.index)
    if (target === null) return { ok: false, code: 'offline' }
    const count = (sentBytes: number): void => {
      part.sentBytes.set(sealed.index, Math.min(sentBytes, sealed.bytes.length))
      this.#tellProgress()
    }
    const sent = target.isStored
      ? DONE
      : await this.#tools.api.putPart(target, sealed, { onSent: count, signal: this.#abort.signal })
    count(sent.ok ? sealed.bytes.length : 0)
    return sent
  }

  /** Where a part goes; asked for anew where the address would soon be over. Null if that fails. */
  async #targetOf(part: PartUpload, index: number): Promise<PartTarget | null> {
    const target = part.upload?.parts.find((one) => one.index === index)
    assert(target !== undefined, 'an upload has a place for each of its parts')
    const lifeMs = (target.expiresInSeconds ?? Number.POSITIVE_INFINITY) * 1_000
    if (performance.now() - part.askedAtMs < lifeMs * USED_LIFE) return target
    const askedAtMs = performance.now()
    const read = await this.#tools.api.readUpload(part.upload?.versionId ?? '')
    if (!read.ok) return null
    Object.assign(part, { upload: read.value, askedAtMs })
    return read.value.parts.find((one) => one.index === index) ?? null
  }

  async #list(part: PartUpload): Promise<Step> {
    const { api, crypto } = this.#tools
    if (part.begun === null || part.upload === null) return { ok: false, code: 'upload-not-found' }
    part.finished ??= await crypto.finishSeal(part.begun.sealId)
    const listed = await api.putHashList(part.upload.versionId, part.finished.hashList)
    part.isListed = listed.ok
    return listed
  }

  async #complete(part: PartUpload): Promise<Step> {
    if (part.stored !== null || part.upload === null || part.finished === null) return DONE
    const { record, recordSignature } = part.finished
    const stored = await this.#tools.api.completeUpload(
      part.upload.versionId, { record, recordSignature },
    )
    if (stored.ok) part.stored = stored.value
    return stored
  }

  #tellProgress(): void {
    const total = { sealedBytes: 0, sealTotalBytes: 0, sentBytes: 0, sendTotalBytes: 0 }
    for (const { hashed, sealedBytes, sentBytes, begun } of this.#parts) {
      const totalBytes = begun?.beginUpload.payloadLength ?? hashed.totalBytes
      total.sealedBytes += (
        Math.min(hashed.doneBytes, totalBytes) + Math.min(sealedBytes, totalBytes)
      ) / 2
      total.sealTotalBytes += totalBytes
      for (const bytes of sentBytes.values()) total.sentBytes += bytes
      total.sendTotalBytes += totalBytes
    }
    this.#onProgress(total)
  }
}
