/** What was dropped, as bytes. Judges nothing but its size. */
import type { PackFile } from '../../protocol/evidence/zip.js'
import { MAX_PACK_SIZE_BYTES } from '../../protocol/limits.js'

export async function readFiles(
  dropped: readonly File[],
): Promise<PackFile[] | 'tooLarge' | 'unreadable'> {
  const size = dropped.reduce((sum, file) => sum + file.size, 0)
  if (size > MAX_PACK_SIZE_BYTES) return 'tooLarge'
  try {
    return await Promise.all(dropped.map(async (file) =>
      ({ name: file.name, bytes: new Uint8Array(await file.arrayBuffer()) })))
  } catch {
    return 'unreadable' // A folder, or a file that is gone.
  }
}
