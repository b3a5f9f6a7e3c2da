/**
 * The page that is measured: the product's own crypto worker, asked as the product's page asks it, and
 * typage beside it. The browser that has no ChaCha20-Poly1305, and the one whose second worker never
 * starts, are this one with a line before the worker's script (measure.ts).
 */
import { Decrypter, Encrypter, generateX25519Identity, identityToRecipient } from 'age-encryption'
import { proxy, transfer, wrap } from 'comlink'

const IDS = {
  vaultId: '019ab4f2-7c1e-7d3a-9f00-1b2c3d4e5f60', documentId: '019ab4f2-7c1e-7d3a-9f00-aabbccddeeff',
}
/** As a viewer asks (web/viewer/ports.ts). */
const READ_SIZE_BYTES = 1024 * 1024
const OPEN_READ_COUNT = 16

const plain = { file: null, bytes: null, identity: '', sealed: null }

/** The worker of one variant, with its own root. */
async function startCrypto(variant) {
  const worker = new globalThis.Worker(`/worker.js?${variant}`, { type: 'module', name: 'crypto' })
  await new Promise((resolve, reject) => {
    worker.addEventListener('message', resolve, { once: true })
    worker.addEventListener('error', (event) => reject(new Error(event.message)), { once: true })
  })
  const crypto = wrap(worker)
  await crypto.createRoot()
  return { crypto, end: () => worker.terminate() }
}

function beginSeal(crypto, file) {
  return crypto.beginSeal({
    ...IDS, part: 0, gate: 'nda', version: 1, previousRecord: null, title: 'Bench',
    fileName: 'deck.bin', mediaType: 'application/octet-stream', file, pageSizes: [], thumbnails: [],
  }, proxy(() => undefined))
}

async function sealParts(crypto, sealId, onPart) {
  for (;;) {
    const part = await crypto.nextPart(sealId)
    if (part === null) return await crypto.finishSeal(sealId)
    onPart(part)
  }
}

/** Milliseconds that fingerprint and parts took. */
async function seal(crypto, file, onPart) {
  const startedAtMs = performance.now()
  const { sealId, beginUpload } = await beginSeal(crypto, file)
  const begunAtMs = performance.now()
  const finished = await sealParts(crypto, sealId, onPart)
  const endedAtMs = performance.now()
  return {
    beginUpload, finished, ms: endedAtMs - begunAtMs, fingerprintMs: begunAtMs - startedAtMs,
  }
}

async function runSeal(variant) {
  const { crypto, end } = await startCrypto(variant)
  const { ms, fingerprintMs } = await seal(crypto, plain.file, () => undefined)
  end()
  return { ms, wholeMs: ms + fingerprintMs }
}

const toOpen = { crypto: null, sealed: null, payload: null, end: null }

/** Sealed by the worker that opens it: nobody else has its key. */
async function prepareOpen(variant) {
  const { crypto, end } = await startCrypto(variant)
  const parts = []
  const sealed = await seal(crypto, plain.file, ({ bytes }) => parts.push(bytes))
  const payload = new Uint8Array(await new Blob(parts).arrayBuffer())
  Object.assign(toOpen, { crypto, sealed, payload, end })
}

async function runOpen() {
  const { crypto, sealed, payload, end } = toOpen
  const measured = await timed(() => readAll(crypto, sealed, payload))
  end()
  return measured
}

/** From header in hand to the last byte at the viewer's end of the port. */
async function readAll(crypto, { beginUpload, finished }, payload) {
  const { record, recordSignature, hashList } = finished
  const versionId = IDS.documentId
  const version = { ...beginUpload, versionId, record, recordSignature, storedAtMs: 0 }
  const move = (bytes) => transfer(bytes, [bytes.buffer])
  const source = proxy({
    readHashList: async () => move(hashList.slice()),
    readPayload: async (start, end) => move(payload.slice(start, end)),
  })
  const { port1, port2 } = new MessageChannel()
  const opened = await crypto.openOwnVersion(
    { vaultId: IDS.vaultId, version, previousRecords: [] }, source, transfer(port2, [port2]))
  await readFrom(port1, opened.sizeBytes)
  port1.close()
}

function readFrom(port, size) {
  const readCount = Math.ceil(size / READ_SIZE_BYTES)
  let askedCount = 0
  let doneCount = 0
  function ask() {
    if (askedCount === readCount) return
    const offset = askedCount++ * READ_SIZE_BYTES
    const length = Math.min(READ_SIZE_BYTES, size - offset)
    port.postMessage({ id: askedCount, kind: 'read', offset, length })
  }
  return new Promise((resolve, reject) => {
    port.onmessage = ({ data }) => {
      if (data.kind === 'document') return
      if (data.error !== undefined) return reject(new Error(data.error))
      doneCount++
      if (doneCount === readCount) resolve()
      else ask()
    }
    for (let turn = 0; turn < OPEN_READ_COUNT; turn++) ask()
  })
}

/** A file that was chosen, sealed part by part; each part is dropped as if it had been sent. */
async function sealChosen() {
  const [file] = document.querySelector('input').files
  let sealedBytes = 0
  await seal(idle.crypto, file, ({ bytes }) => { sealedBytes += bytes.length })
  return sealedBytes
}

/** As the product's page stands when nothing happens: its worker is there, the second is not. */
const idle = { crypto: null }

async function standIdle(variant) {
  const { crypto } = await startCrypto(variant)
  idle.crypto = crypto
}

// ---- typage, from memory to memory

async function runTypage(action) {
  if (action === 'open') {
    const decrypter = new Decrypter()
    decrypter.addIdentity(plain.identity)
    return await timed(() => decrypter.decrypt(plain.sealed))
  }
  const encrypter = new Encrypter()
  encrypter.addRecipient(await identityToRecipient(plain.identity))
  return await timed(async () => { plain.sealed = await encrypter.encrypt(plain.bytes) })
}

async function timed(work) {
  const startedAtMs = performance.now()
  await work()
  return { ms: performance.now() - startedAtMs }
}

async function prepare(sizeBytes) {
  const [file] = document.querySelector('input').files
  plain.file = file
  plain.bytes = new Uint8Array(await file.slice(0, sizeBytes).arrayBuffer())
  plain.identity = await generateX25519Identity()
  await runTypage('seal') // Opening needs something sealed.
}

Object.assign(globalThis, {
  bench: { prepare, runSeal, prepareOpen, runOpen, runTypage, standIdle, sealChosen },
})
