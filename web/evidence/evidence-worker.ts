/** The page's end of the evidence worker: one for each task, ended with it. */
import type { ProofSource } from '../../protocol/evidence/pack.js'
import type { StampableEntry } from '../../protocol/evidence/stamps.js'
import type { CheckedGroup, CheckInput } from '../verify/check-here.js'
import type { BuildInput, EvidenceAnswer, EvidenceTask } from './worker.js'
import workerUrl from './worker.ts?worker&url'

/** web/trusted-worker.ts: the only way from an address to code. */
export type StartWorker = (url: string, name: string) => Worker

export function buildEvidence(
  start: StartWorker, input: BuildInput,
): Promise<EvidenceAnswer<Uint8Array<ArrayBuffer>>> {
  return run(start, { task: 'build', input })
}

/** For which entries time-stamps are to be asked for. */
export function listEntries(
  start: StartWorker, proofs: ProofSource,
): Promise<EvidenceAnswer<StampableEntry[]>> {
  return run(start, { task: 'list', input: proofs })
}

export function checkFiles(
  start: StartWorker, input: CheckInput,
): Promise<EvidenceAnswer<CheckedGroup[]>> {
  return run(start, { task: 'check', input })
}

async function run<T>(start: StartWorker, task: EvidenceTask): Promise<EvidenceAnswer<T>> {
  const worker = start(workerUrl, 'evidence')
  try {
    return await new Promise((resolve, reject) => {
      worker.addEventListener('message', ({ data }: MessageEvent<EvidenceAnswer<T>>) => resolve(data))
      worker.addEventListener('error', () => reject(new Error('the evidence worker failed')))
      worker.postMessage(task)
    })
  } finally {
    worker.terminate()
  }
}
