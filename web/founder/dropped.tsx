/** The file that a founder has dropped, kept in this tab's memory from screen to screen until it is sealed. */
import { createContext, use, useEffect, useMemo, useState, type ReactNode } from 'react'
import { useSession } from '../session.js'

interface Dropped {
  readonly file: File | null
  readonly drop: (file: File) => void
  readonly clear: () => void
}

const DroppedContext = createContext<Dropped>(
  { file: null, drop: () => undefined, clear: () => undefined }
)

/** Stands around the routes: a file survives the way through the recovery code. */
export function DroppedProvider({ children }: { children: ReactNode }) {
  const { state: { step } } = useSession()
  const [file, setFile] = useState<File | null>(null)
  useEffect(() => { if (step === 'signed-out') setFile(null) }, [step])
  const dropped = useMemo(() => ({ file, drop: setFile, clear: () => setFile(null) }), [file])
  return <DroppedContext value={dropped}>{children}</DroppedContext>
}

export function useDropped(): Dropped {
  return use(DroppedContext)
}
