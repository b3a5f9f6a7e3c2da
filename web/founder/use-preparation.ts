/** A file's preparation, for as long as the screen that shows it stands. */
import { useEffect, useRef, useState, type RefObject } from 'react'
import type { Config } from '../../protocol/api.js'
import { useCopy } from '../copy.js'
import { founder } from '../copy/founder.js'
import { DeckPreparation, type Preparation } from './prepare-deck.js'

interface Prepared {
  readonly preparation: Preparation
  readonly preparer: RefObject<DeckPreparation | null>
  /** Give it to an element that is in view. */
  readonly container: RefObject<HTMLDivElement | null>
}

export function usePreparation(file: File, config: Config): Prepared {
  const copy = useCopy(founder)
  const [preparation, setPreparation] = useState<Preparation>({ step: 'reading' })
  // The frame's name changes with the language, which must not begin again.
  const frameTitle = useRef(copy.preparerFrame)
  const container = useRef<HTMLDivElement>(null)
  const preparer = useRef<DeckPreparation | null>(null)

  useEffect(() => {
    if (container.current === null) return
    const { maxFileSizeBytes, viewerOrigin } = config
    const started = new DeckPreparation({
      file, maxFileSizeBytes, viewerOrigin, container: container.current,
      frameTitle: frameTitle.current, onChange: setPreparation,
    })
    preparer.current = started
    setPreparation({ step: 'reading' })
    void started.start()
    return () => started.close()
  }, [file, config])
  return { preparation, preparer, container }
}
