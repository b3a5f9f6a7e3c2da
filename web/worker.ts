/**
 * The crypto worker: the only place where unlocked keys live ([Note: Keys stay in the worker]). Its
 * response carries `connect-src 'none'`: whatever goes wrong in here cannot speak to the network.
 */
import { expose, transfer } from 'comlink'
import { ready } from '../protocol/sodium.js'
import { createBrowserPlatform, findOwnCipher, hashNatively } from './crypto/browser.js'
import { createCrypto } from './crypto/core.js'
import { SECOND_NAME, serveTasks, type Task } from './crypto/pool.js'
import type { ReadConsistency, WorkerWire } from './crypto.js'

const crypto = createCrypto(createBrowserPlatform())

const wire: WorkerWire = {
  ...crypto,
  async nextPart(sealId) {
    const part = await crypto.nextPart(sealId)
    return part === null ? null : transfer(part, [part.bytes.buffer])
  },
  checkEvents(input, readConsistency) {
    return crypto.checkEvents({ ...input, readConsistency: required(readConsistency) })
  },
  checkReceipts(input, readConsistency) {
    return crypto.checkReceipts({ ...input, readConsistency: required(readConsistency) })
  },
}

function required(readConsistency: ReadConsistency | undefined): ReadConsistency {
  if (readConsistency === undefined) throw new TypeError('a consistency proof can be asked for')
  return readConsistency
}

/** [Note: Two workers] */
function serveSecond(): void {
  const makeCipher = ready().then(findOwnCipher)
  const serve = serveTasks({ makeCipher, hash: hashNatively },
    (done, moved) => postMessage(done, { transfer: moved }))
  addEventListener('message', ({ data }: MessageEvent<Task>) => { void serve(data) })
}

if (self.name === SECOND_NAME) serveSecond()
else expose(wire)

// The page sends nothing before this: a library that fails its known answers must seal nothing.
ready().then(() => postMessage('started'), () => postMessage('unsafe'))
