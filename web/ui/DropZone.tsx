/**
 * Takes files dropped anywhere on the page, picked with a button, or pasted. Says while a file is
 * held over the window that it may be let go. Hands files out; judges nothing about them.
 */
import { useEffect, useId, useRef, useState, type ReactNode } from 'react'
import { classNames } from './class-names.js'
import { buttonClass } from './Button.js'
import { Icon } from './Icon.js'
import styles from './DropZone.module.css'

interface DropZoneProps {
  readonly title: string
  readonly hint?: ReactNode
  readonly buttonLabel: string
  /** Shown over the whole page while a file is held above it. */
  readonly dropLabel: string
  /** As the `accept` of a file input; what is dropped or pasted comes unfiltered. */
  readonly accept?: string
  readonly isMultiple?: boolean
  readonly isDisabled?: boolean
  readonly size?: 'normal' | 'large'
  readonly onFiles: (files: readonly File[]) => void
}

export function DropZone(props: DropZoneProps) {
  const { title, hint, buttonLabel, dropLabel, accept, isMultiple = false, isDisabled = false, size = 'normal' } = props
  const id = useId()
  const isHeldOver = useWindowFiles(isDisabled ? ignoreFiles : props.onFiles)
  return (
    <div className={classNames(styles.zone, styles[size])} role='group' aria-labelledby={`${id}-title`}>
      <span className={styles.mark}><Icon name='upload' /></span>
      <p className={styles.title} id={`${id}-title`}>{title}</p>
      <label className={classNames(buttonClass({ variant: 'primary', size: undefined, isWide: undefined }), styles.pick)}>
        <input
          type='file' className={styles.input} accept={accept} multiple={isMultiple} disabled={isDisabled}
          aria-describedby={hint === undefined ? undefined : `${id}-hint`}
          onChange={(event) => takePicked(event.currentTarget, props.onFiles)}
        />
        {buttonLabel}
      </label>
      {hint !== undefined && <div className={styles.hint} id={`${id}-hint`}>{hint}</div>}
      {isHeldOver && !isDisabled && <div className={styles.over}><p>{dropLabel}</p></div>}
    </div>
  )
}

function ignoreFiles(): void {}

function takePicked(input: HTMLInputElement, onFiles: (files: readonly File[]) => void): void {
  const files = [...input.files ?? []]
  input.value = '' // So that picking the same file again is a change again.
  if (files.length > 0) onFiles(files)
}

/** @returns whether files are held over the window now. */
function useWindowFiles(onFiles: (files: readonly File[]) => void): boolean {
  const [isHeldOver, setHeldOver] = useState(false)
  const latest = useRef(onFiles)
  useEffect(() => {
    latest.current = onFiles
  })
  useEffect(() => listenForFiles({ setHeldOver, onFiles: (files) => latest.current(files) }), [])
  return isHeldOver
}

interface FileListener {
  readonly setHeldOver: (isHeldOver: boolean) => void
  readonly onFiles: (files: readonly File[]) => void
}

function listenForFiles({ setHeldOver, onFiles }: FileListener): () => void {
  const listening = new AbortController()
  const { signal } = listening

  function take(transfer: DataTransfer | null, event: Event): void {
    setHeldOver(false)
    const files = [...transfer?.files ?? []]
    if (files.length === 0) return
    event.preventDefault()
    onFiles(files)
  }

  window.addEventListener('dragover', (event) => {
    if (!event.dataTransfer?.types.includes('Files')) return
    event.preventDefault() // Else the browser opens the file and leaves the page.
    setHeldOver(true)
  }, { signal })
  window.addEventListener('dragleave', (event) => {
    if (event.relatedTarget === null) setHeldOver(false)
  }, { signal })
  window.addEventListener('drop', (event) => take(event.dataTransfer, event), { signal })
  window.addEventListener('paste', (event) => take(event.clipboardData, event), { signal })
  return () => listening.abort()
}
