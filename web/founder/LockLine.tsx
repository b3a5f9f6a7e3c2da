/**
 * The lock line between thumbnails: what stands before it is open, what stands after it waits behind the
 * NDA. Dragged, moved with the keyboard as a slider, or put between two slides with a click.
 */
import { useEffect, useLayoutEffect, useRef, useState, type KeyboardEvent, type PointerEvent, type RefObject } from 'react'
import { useCopy } from '../copy.js'
import { founder } from '../copy/founder.js'
import type { SealThumbnail } from '../crypto.js'
import { classNames } from '../ui/class-names.js'
import { Icon } from '../ui/Icon.js'
import styles from './lock-line.module.css'

interface LockLineProps {
  readonly thumbnails: ReadonlyArray<SealThumbnail | null>
  /** Slides before the line. */
  readonly openCount: number
  /** Without it the slides are only shown. */
  readonly onMove: ((openCount: number) => void) | null
}

export function LockLine({ thumbnails, openCount, onMove }: LockLineProps) {
  const copy = useCopy(founder)
  const list = useRef<HTMLOListElement>(null)
  return (
    <div className={styles.board}>
      <ol className={styles.slides} role='list' ref={list} aria-label={copy.slides}>
        {thumbnails.map((thumbnail, index) => (
          <Slide
            key={index} index={index} thumbnail={thumbnail} isLocked={index >= openCount}
            {...(onMove !== null && { onCut: (after: number) => onMove(after) })}
          />
        ))}
      </ol>
      {onMove !== null && (
        <Line list={list} pageCount={thumbnails.length} openCount={openCount} onMove={onMove} />
      )}
    </div>
  )
}

interface SlideProps {
  readonly index: number
  readonly thumbnail: SealThumbnail | null
  readonly isLocked: boolean
  readonly onCut?: (openCount: number) => void
}

function Slide({ index, thumbnail, isLocked, onCut }: SlideProps) {
  const copy = useCopy(founder)
  const url = useObjectUrl(thumbnail?.image ?? null)
  const name = isLocked ? copy.slideLocked(index + 1) : copy.slideOpen(index + 1)
  return (
    <li className={classNames(styles.slide, isLocked && styles.locked)}>
      <div className={styles.paper} {...(thumbnail !== null && { style: { aspectRatio: `${thumbnail.width} / ${thumbnail.height}` } })}>
        {url === null ? <span className={styles.blank} role='img' aria-label={name} /> : <img src={url} alt={name} draggable={false} />}
        {isLocked && <span className={styles.lock}><Icon name='lock' /></span>}
      </div>
      <span className={styles.number} aria-hidden='true'>{index + 1}</span>
      {/* For pointers only: with the keyboard the line itself is moved. */}
      {onCut !== undefined && (
        <button type='button' className={styles.cut} tabIndex={-1} aria-hidden='true' title={copy.cutAfter(index + 1)} onClick={() => onCut(index + 1)} />
      )}
    </li>
  )
}

function useObjectUrl(image: Blob | null): string | null {
  const [url, setUrl] = useState<string | null>(null)
  useEffect(() => {
    if (image === null) return
    const made = URL.createObjectURL(image)
    setUrl(made)
    return () => URL.revokeObjectURL(made)
  }, [image])
  return url
}

interface LineProps {
  readonly list: RefObject<HTMLOListElement | null>
  readonly pageCount: number
  readonly openCount: number
  readonly onMove: (openCount: number) => void
}

const PAGE_STEP = 5

function Line({ list, pageCount, openCount, onMove }: LineProps) {
  const copy = useCopy(founder)
  const line = useRef<HTMLDivElement>(null)
  usePlace(line, list, openCount)

  function onKey(event: KeyboardEvent): void {
    const to = targetOf(event.key, openCount, pageCount)
    if (to === null) return
    event.preventDefault()
    onMove(Math.min(pageCount, Math.max(0, to)))
  }

  function onDrag(event: PointerEvent<HTMLDivElement>): void {
    if (!event.currentTarget.hasPointerCapture(event.pointerId) || list.current === null) return
    const to = gapAt(list.current, event)
    if (to !== openCount) onMove(to)
  }

  return (
    <div
      ref={line} className={styles.line} role='slider' tabIndex={0} aria-label={copy.lockLine} aria-orientation='horizontal'
      aria-valuemin={0} aria-valuemax={pageCount} aria-valuenow={openCount}
      aria-valuetext={copy.lineValue(openCount, pageCount)}
      onKeyDown={onKey} onPointerMove={onDrag}
      onPointerDown={(event) => event.currentTarget.setPointerCapture(event.pointerId)}
    >
      <span className={styles.grip}><Icon name='lock' /></span>
    </div>
  )
}

function targetOf(key: string, openCount: number, pageCount: number): number | null {
  switch (key) {
    case 'ArrowLeft':
    case 'ArrowUp': return openCount - 1
    case 'ArrowRight':
    case 'ArrowDown': return openCount + 1
    case 'PageUp': return openCount - PAGE_STEP
    case 'PageDown': return openCount + PAGE_STEP
    case 'Home': return 0
    case 'End': return pageCount
    default: return null
  }
}

/** How many slides lie before the point: by row, then by the nearer side of the slide. */
function gapAt(list: HTMLElement, point: { clientX: number, clientY: number }): number {
  let count = 0
  for (const [index, slide] of [...list.children].entries()) {
    const { top, bottom, left, width } = slide.getBoundingClientRect()
    const isBefore = bottom < point.clientY || (
      top <= point.clientY && left + width / 2 < point.clientX
    )
    if (isBefore) count = index + 1
  }
  return count
}

/** Puts the line into the gap, wherever the slides have flowed; it stays one element, or it would lose the focus. */
function usePlace(
  line: RefObject<HTMLDivElement | null>, list: RefObject<HTMLOListElement | null>,
  openCount: number,
): void {
  useLayoutEffect(() => {
    const slides = list.current
    if (slides === null) return
    const place = (): void => putLine(line.current, slides, openCount)
    place()
    const observer = new ResizeObserver(place)
    observer.observe(slides)
    return () => observer.disconnect()
  })
}

function putLine(line: HTMLElement | null, slides: HTMLElement, openCount: number): void {
  const after = slides.children[openCount - 1]
  const before = slides.children[openCount]
  if (line === null) return
  const gapPixels = Number.parseFloat(getComputedStyle(slides).columnGap) / 2
  // The side of the slide that has the line beside it in the same row.
  if (before instanceof HTMLElement) {
    line.style.transform = `translate(${before.offsetLeft - gapPixels}px, ${before.offsetTop}px)`
    line.style.blockSize = `${before.offsetHeight}px`
  } else if (after instanceof HTMLElement) {
    line.style.transform = `translate(${after.offsetLeft + after.offsetWidth + gapPixels}px, ${after.offsetTop}px)`
    line.style.blockSize = `${after.offsetHeight}px`
  }
}
