/**
 * Runs pdf-lib away from the page, in a worker whose own policy gives it no network: what it reads is
 * the founder's plaintext, what parses it is a large library.
 */
import { expose, transfer } from 'comlink'
import { normalisePdf } from './normalise.js'
import { openSlides } from './open-slides.js'
import type { PrepareWorker } from './prepare.js'

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
