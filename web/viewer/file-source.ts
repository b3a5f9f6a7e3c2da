/**
 * Answers a viewer's reads from a file that this page already has: the founder's own, before it is
 * sealed. Runs on the page; the worker answers for sealed documents.
 */
import { parseSourceRequest } from './parse.js'
import type { SourceAnswer, SourceDocument, SourceRequest } from './ports.js'

/** Announces `file` on `port` and answers its reads until the other end closes. */
export function serveFile(port: MessagePort, file: File): void {
  port.onmessage = (event: MessageEvent<unknown>) => {
    const request = parseSourceRequest(event.data)
    if (request === null) return
    answer(file, request).then(
      (given) => port.postMessage(given, 'bytes' in given ? [given.bytes.buffer] : []),
      // The file was moved, changed or unplugged since it was chosen.
      () => port.postMessage({ id: request.id, error: 'refused' } satisfies SourceAnswer),
    )
  }
  const document: SourceDocument = {
    kind: 'document', size: file.size, title: file.name, mediaType: file.type,
  }
  port.postMessage(document)
}

async function answer(file: File, request: SourceRequest): Promise<SourceAnswer> {
  if (request.kind === 'thumbnail') return { id: request.id, error: 'out-of-range' }
  const end = request.offset + request.length
  if (end > file.size) return { id: request.id, error: 'out-of-range' }
  const bytes = new Uint8Array(await file.slice(request.offset, end).arrayBuffer())
  return { id: request.id, bytes }
}
