/** Replaces a file so that after a crash there is the old one or the new one, whole. */
import { open, rename } from 'node:fs/promises'
import { dirname } from 'node:path'

/** Temporary file, fsync, rename, fsync of the folder. Resolves once the new content is on disk. */
export async function replaceFile(path: string, content: string | Uint8Array): Promise<void> {
  const temporary = `${path}.new`
  await writeDurably(temporary, content)
  await rename(temporary, path)
  await syncFolder(dirname(path))
}

async function writeDurably(path: string, content: string | Uint8Array): Promise<void> {
  const file = await open(path, 'w', 0o600)
  try {
    await file.writeFile(content)
    await file.sync()
  } finally {
    await file.close()
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}
