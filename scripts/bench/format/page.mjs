/** The page that is measured: makes a deck, hands it to workers, and to typage beside them. */
import { Decrypter, Encrypter, generateX25519Identity, identityToRecipient } from 'age-encryption'
import { concatBytes } from '../../../protocol/bytes.ts'
import { buildArchive } from '../../../protocol/deck/archive.ts'
import { promisesOf } from '../../../protocol/deck/deck.ts'
import { payloadLengthOf } from '../../../protocol/deck/record.ts'
import { ready } from '../../../protocol/sodium.ts'

const fileKey = new Uint8Array(16).fill(1)
const nonce = new Uint8Array(16).fill(2)
const sealed = { plaintext: null, payload: null, hashList: null, record: null }
const typage = { plaintext: null, file: null, identity: '' }

function listen(worker, onPart) {
  return new Promise((resolve, reject) => {
    worker.onmessage = ({ data }) => {
      if (data === 'ready' || data === 'done') resolve()
      else if ('error' in data) reject(new Error(data.error))
      else onPart(data)
    }
    worker.onerror = (event) => reject(new Error(event.message))
  })
}

async function startWorkers(count) {
  const workers = Array.from({ length: count }, () =>
    new globalThis.Worker('/worker.js', { type: 'module' }))
  await Promise.all(workers.map((worker) => listen(worker, () => undefined)))
  return workers
}

/** Milliseconds from the first message to the last answer; workers are started before. */
async function run(action, { cipher, workerCount }) {
  const workers = await startWorkers(workerCount)
  const parts = []
  const record = sealed.record ?? { nonce, payloadLength: payloadLengthOf(sealed.plaintext.size) }
  const startedAtMs = performance.now()
  await Promise.all(workers.map((worker, first) => {
    const done = listen(worker, (part) => parts.push(part))
    worker.postMessage({ action, cipher, ...sealed, record, fileKey, first, stride: workerCount })
    return done
  }))
  const elapsedMs = performance.now() - startedAtMs
  for (const worker of workers) worker.terminate()
  if (action === 'seal') keep(parts)
  return elapsedMs
}

/** A file that was chosen, sealed part by part; each part is dropped as if it had been sent. */
async function sealChosen({ cipher, workerCount }) {
  const [plaintext] = document.querySelector('input').files
  const workers = await startWorkers(workerCount)
  let sealedBytes = 0
  await Promise.all(workers.map((worker, first) => {
    const done = listen(worker, ({ bytes }) => { sealedBytes += bytes.length })
    worker.postMessage({
      action: 'seal', cipher, plaintext, record: { nonce }, fileKey, first, stride: workerCount,
    })
    return done
  }))
  for (const worker of workers) worker.terminate()
  return sealedBytes
}

/** What was sealed is what is opened next. */
function keep(parts) {
  parts.sort((one, other) => one.index - other.index)
  const hashList = concatBytes(...parts.map(({ chunkHashes }) => chunkHashes))
  const payloadLength = payloadLengthOf(sealed.plaintext.size)
  sealed.payload = new Blob(parts.map(({ bytes }) => bytes))
  sealed.hashList = hashList
  sealed.record = {
    nonce, payloadLength, ...promisesOf({ fileKey, nonce, payloadLength, hashList }),
  }
}

async function runTypage(action) {
  if (action === 'open') {
    const decrypter = new Decrypter()
    decrypter.addIdentity(typage.identity)
    return await timed(() => decrypter.decrypt(typage.file))
  }
  const encrypter = new Encrypter()
  encrypter.addRecipient(await identityToRecipient(typage.identity))
  return await timed(async () => { typage.file = await encrypter.encrypt(typage.plaintext) })
}

async function timed(work) {
  const startedAtMs = performance.now()
  await work()
  return performance.now() - startedAtMs
}

async function prepare(sizeBytes) {
  const bytes = new Uint8Array(sizeBytes)
  for (let offset = 0; offset < sizeBytes; offset += 65536) {
    crypto.getRandomValues(bytes.subarray(offset, Math.min(offset + 65536, sizeBytes)))
  }
  const read = async (offset, length) => bytes.subarray(offset, offset + length)
  const archive = buildArchive({
    title: 'Bench', fileName: 'deck.bin', mediaType: 'application/octet-stream',
    file: { size: sizeBytes, read },
  })
  sealed.plaintext = new Blob([await archive.read(0, archive.size)])
  typage.plaintext = bytes
  typage.identity = await generateX25519Identity()
  // Opening needs something sealed.
  await runTypage('seal')
  await run('seal', { cipher: 'sodium', workerCount: 2 })
}

await ready()
Object.assign(globalThis, { bench: { prepare, run, runTypage, sealChosen } })
