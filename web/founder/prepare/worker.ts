/**
 * Runs pdf-lib away from the page, in a worker whose own policy gives it no network: what it reads is
 * the founder's plaintext, what parses it is a large library.
 */
import { expose, transfer } from 'comlink'
import { normalisePdf } from '../../../protocol/pdf/normalise.js'
import { openSlides } from '../../../protocol/pdf/open-slides.js'
import type { Normalised, OpenSlides, OpenSlidesInput } from '../../../protocol/pdf/prepare.js'

/** What the page may ask. `bytes` are transferred both ways; keep a File, not a second copy. */
export interface PrepareWorker {
  normalisePdf(bytes: Uint8Array<ArrayBuffer>): Promise<Normalised>
  openSlides(input: OpenSlidesInput): Promise<OpenSlides>
}

const worker: PrepareWorker = {
  async normalisePdf(bytes) {
    const result = await normalisePdf(bytes)
    return result.kind === 'normalised' ? transfer(result, [result.bytes.buffer]) : result
  },
  async openSlides(input) {
    const result = await openSlides(input)
    return result.kind === 'built' ? transfer(result, [result.bytes.buffer]) : result
  },
}

expose(worker)
