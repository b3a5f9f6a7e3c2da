/** Where a new screen begins for whoever hears it or steps through it by keys. */
import { useEffect } from 'react'

/** With each `step` focus goes to the heading, unless a field asked for the first word or something still has it. */
export function useHeadingFocus(step: string): void {
  useEffect(() => {
    const { activeElement } = document
    const isTaken = activeElement !== null && activeElement !== document.body
    if (!isTaken) document.querySelector('h1')?.focus()
  }, [step])
}
