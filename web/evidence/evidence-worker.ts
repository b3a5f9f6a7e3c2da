/** The page's end of the evidence worker: one for each task, ended with it. */
import { wrap } from 'comlink'
import { attempt, type Outcome } from '../crypto.js'
import { startWorker } from '../trusted-worker.js'
import type { EvidenceWorker } from './worker.js'
import workerUrl from './worker.ts?worker&url'

/** Lends a worker to one task. What the worker refuses as broken becomes a value. */
export async function withEvidence<T>(
  use: (worker: EvidenceWorker) => Promise<T>,
): Promise<Outcome<T>> {
  const worker = startWorker(workerUrl, 'evidence')
  const failed = new Promise<never>((_resolve, reject) => {
    worker.addEventListener('error', () => reject(new Error('the evidence worker failed')), { once: true })
  })
  try {
    return await attempt(() => Promise.race([use(wrap<EvidenceWorker>(worker)), failed]))
  } finally {
    worker.terminate()
  }
}
