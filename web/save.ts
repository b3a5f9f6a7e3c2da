/** Files that were made in this page, on their way to the reader's disk. */

/** How long the browser may take to begin the download. */
const REVOKE_AFTER_MS = 60_000

export function saveBlob(file: Blob, fileName: string): void {
  const url = URL.createObjectURL(file)
  const anchor = document.createElement('a')
  anchor.href = url
  anchor.download = fileName
  anchor.click()
  setTimeout(() => URL.revokeObjectURL(url), REVOKE_AFTER_MS)
}

export function saveText(text: string, fileName: string): void {
  saveBlob(new Blob([text], { type: 'text/plain;charset=utf-8' }), fileName)
}
