/** A button that asks for one file. */
import { useRef, type ChangeEvent } from 'react'
import { Button } from '../ui/Button.js'

interface FilePickProps {
  readonly label: string
  readonly onFile: (file: File) => void
}

export function FilePick({ label, onFile }: FilePickProps) {
  const input = useRef<HTMLInputElement>(null)

  function onPicked(event: ChangeEvent<HTMLInputElement>): void {
    const [file] = event.currentTarget.files ?? []
    event.currentTarget.value = '' // So that picking the same file again is a change again.
    if (file !== undefined) onFile(file)
  }

  return (
    <>
      <input type='file' hidden ref={input} onChange={onPicked} aria-label={label} />
      <Button size='small' icon='upload' onClick={() => input.current?.click()}>{label}</Button>
    </>
  )
}
