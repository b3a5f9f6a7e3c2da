/** The page of the worker's tests: the product's own `startCrypto`, and longer scenes in it. */
import type { GateView } from '../../../protocol/api.js'
import { startCrypto, type CryptoWorker, type OpenedVersion } from '../../../web/crypto.js'

const worker = startCrypto()

const VAULT_ID = '019aa9d3-0000-7000-8000-000000000001'
const DOCUMENT_ID = '019aa9d3-0000-7000-8000-000000000002'
/** 32 bytes, as the server's nonces are. */
const NONCE = 'A'.repeat(43)

interface Sealed {
  readonly opened: OpenedVersion
  readonly tail: number[]
  readonly partCount: number
  readonly payloadSize: number
  readonly wantedSize: number
  readonly progress: number[]
}

/** Seals a file of this size and reads its last bytes through a port, as the viewer would. */
async function sealAndRead(size: number): Promise<Sealed> {
  await worker.createRoot()
  const file = new Blob([new Uint8Array(size - 3).fill(7), new Uint8Array([1, 2, 3])])
  const progress: number[] = []
  const begun = await worker.beginSeal({
    vaultId: VAULT_ID, documentId: DOCUMENT_ID, part: 0, gate: 'nda', version: 1, previousRecord: null,
    title: 'Deck', fileName: 'deck.pdf', mediaType: 'application/pdf', file, pageSizes: [], thumbnails: [],
  }, (doneBytes) => progress.push(doneBytes))
  const parts = await takeParts(begun.sealId)
  const { hashList, record, recordSignature } = await worker.finishSeal(begun.sealId)
  const payload = new Blob(parts)
  const version = {
    versionId: VAULT_ID, ...begun.beginUpload, record, recordSignature, storedAtMs: 0,
  }
  const { port1, port2 } = new MessageChannel()
  const opened = await worker.openOwnVersion({ vaultId: VAULT_ID, version, previousRecords: [] }, {
    readHashList: async () => hashList.slice(),
    async readPayload(start, end) {
      return new Uint8Array(await payload.slice(start, end).arrayBuffer())
    },
  }, port2)
  const tail = await readTail(port1, file.size)
  const wantedSize = begun.beginUpload.payloadLength
  return { opened, tail, partCount: parts.length, payloadSize: payload.size, wantedSize, progress }
}

async function takeParts(sealId: string): Promise<Uint8Array<ArrayBuffer>[]> {
  const parts: Uint8Array<ArrayBuffer>[] = []
  for (;;) {
    const part = await worker.nextPart(sealId)
    if (part === null) return parts
    parts.push(part.bytes)
  }
}

function readTail(port: MessagePort, size: number): Promise<number[]> {
  return new Promise((resolve) => {
    port.onmessage = ({ data }) => { if (data.id === 1) resolve([...data.bytes]) }
    port.postMessage({ id: 1, kind: 'read', offset: size - 4, length: 4 })
  })
}

/** Makes a link as its founder, and asks for access to it as an investor on the same device. */
async function visitOwnLink(logVkey: string): Promise<{ view: GateView, fragment: string }> {
  const { signingKey } = await worker.createRoot()
  const made = await worker.makeGrant({
    vaultId: VAULT_ID, ndaSha256: null, card: { founder: 'Ada', title: 'Deck' }, logVkey, versions: [],
    policy: {
      gate: 'email', openGate: 'email', release: 'on-signature', expiresAtMs: null, watermark: true,
      download: false, witnessesSha256: null,
    },
  })
  const { grantId, fragment, headers: _headers, ...grant } = made
  const view: GateView = {
    grantId, vaultId: VAULT_ID, ...grant, signingKey, logVkey, witnesses: null, nda: null,
    parts: [],
  }
  await worker.takeFragment({ grantId, fragment })
  await worker.verifyGate(view)
  await worker.signAccessRequest({ grantId, name: 'Grace', email: 'grace@fund.example', nonce: NONCE })
  return { view, fragment }
}

async function returnToLink(view: GateView) {
  const { grantId } = view
  const isKnown = await worker.recallLink(grantId)
  const gate = await worker.verifyGate(view)
  const session = await worker.signSession({ grantId, nonce: NONCE })
  return { isKnown, title: gate.card.title, note: session?.sessionNote ?? '' }
}

/** What lies in the device's store, as anyone with the browser's files would find it. */
async function readStore(): Promise<{ entries: number[][], isExtractable: boolean[] }> {
  const db = await settled(indexedDB.open('sealdeck-device'))
  const [entries, keys] = await Promise.all(['entries', 'keys'].map((store) =>
    settled(db.transaction(store).objectStore(store).getAll())))
  return {
    entries: (entries ?? []).map((entry) => entry instanceof Uint8Array ? [...entry] : []),
    isExtractable: (keys ?? []).map((key) => !(key instanceof CryptoKey) || key.extractable),
  }
}

function settled<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error ?? new Error('storage'))
  })
}

const stand = { worker, sealAndRead, visitOwnLink, returnToLink, readStore }

declare global {
  interface Window { stand: Omit<typeof stand, 'worker'> & { worker: CryptoWorker } }
}

window.stand = stand
