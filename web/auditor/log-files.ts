/** The public files of the log, fetched for the worker, which has no network. */
import { logFolder } from '../../protocol/log/tile.js'
import type { Api } from '../api.js'
import type { ReadLogFile } from '../crypto.js'

/** A server that says *later* is asked again; a whole log is thousands of files. */
const MAX_TRIES = 40
const TRY_AFTER_MS = 2_000

/** Rejects, so that the worker stops, once `signal` is aborted or the server no longer answers. */
export function readerOf(api: Api, signal: AbortSignal): ReadLogFile {
  return async (path, origin) => {
    for (let tryIndex = 0; ; tryIndex++) {
      const file = await api.readLogFile(`log/${logFolder(origin)}/${path}`, signal)
      if (file.ok) return file.value
      if (file.code === 'not-found') return null
      const isLater = file.code === 'too-many-requests' || file.code === 'not-ready'
      // The code first: what crosses from a worker is a message.
      if (!isLater || signal.aborted || tryIndex === MAX_TRIES) throw new Error(`missing-tile: ${file.code}`)
      await new Promise((resolve) => setTimeout(resolve, TRY_AFTER_MS))
    }
  }
}
