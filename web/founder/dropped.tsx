/**
 * The file that a founder has dropped, kept in this tab's memory from screen to screen until it is
 * sealed, or until she goes elsewhere.
 */
import { createContext, use, useEffect, useMemo, useRef, useState, type ReactNode } from 'react'
import { useSession } from '../session.js'

interface Dropped {
  readonly file: File | null
  /** It waits for something else to be done first, and is then gone back to. */
  readonly isHeld: boolean
  readonly drop: (file: File) => void
  readonly hold: () => void
  /** Its screen is there: it waits no more. */
  readonly take: () => void
  readonly clear: () => void
}

const nothing = (): void => undefined
const DroppedContext = createContext<Dropped>({
  file: null, isHeld: false, drop: nothing, hold: nothing, take: nothing, clear: nothing,
})

/** Stands around the routes: a file survives the way through the recovery code. */
export function DroppedProvider({ children }: { children: ReactNode }) {
  const { state: { step } } = useSession()
  const [file, setFile] = useState<File | null>(null)
  const [isHeld, setHeld] = useState(false)
  useEffect(() => {
    if (step === 'signed-out') setFile(null)
  }, [step])
  const dropped = useMemo(() => ({
    file, isHeld, drop: setFile, hold: () => setHeld(true), take: () => setHeld(false),
    clear: () => setFile(null),
  }), [file, isHeld])
  return <DroppedContext value={dropped}>{children}</DroppedContext>
}

export function useDropped(): Dropped {
  return use(DroppedContext)
}

/** For a screen that is not about the file: whoever comes here without being sent has left it. */
export function useLetGo(): void {
  // As it was on coming: a file that is dropped here later stays.
  const coming = useRef(useDropped())
  useEffect(() => {
    if (!coming.current.isHeld) coming.current.clear()
  }, [])
}
