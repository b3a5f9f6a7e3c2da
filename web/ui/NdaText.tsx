/**
 * A contract, rendered from the very text that is hashed and signed, and from nothing else: serif,
 * about 70 characters a line, three sizes, fit for the printer. A text that breaks the markup's rules
 * throws before this is reached: parse first, show the refusal instead.
 */
import { useState, type ReactNode } from 'react'
import type { NdaBlock } from '../../protocol/nda/markup.js'
import { common, useCopy } from '../copy.js'
import { readRemembered, remember } from '../remembered.js'
import { IconButton } from './Button.js'
import { classNames } from './class-names.js'
import styles from './NdaText.module.css'

const ZOOMS = ['100', '125', '150', '200'] as const

type Zoom = typeof ZOOMS[number]

interface NdaTextProps {
  /** From `parseNdaText`. */
  readonly blocks: readonly NdaBlock[]
  /** The contract's own language, whatever the interface speaks. */
  readonly language: string
  /** Scrolls inside a frame of its own, for a screen with fields below it. */
  readonly isFramed?: boolean
  /** Whatever else is on the screen stays off the paper. */
  readonly isPrintedAlone?: boolean
  /** Buttons beside the zoom: print, download. */
  readonly actions?: ReactNode
  /** The level of its title among the screen's headings. */
  readonly level?: 1 | 2 | 3
}

export function NdaText(props: NdaTextProps) {
  const { blocks, language, isFramed = false, isPrintedAlone = true, actions, level = 2 } = props
  const [zoom, setZoom] = useState<Zoom>(() => ZOOMS.find((size) => size === readRemembered('nda-zoom')) ?? '100')
  const title = blocks.find(({ kind }) => kind === 'title')?.text

  function onZoom(chosen: Zoom): void {
    remember('nda-zoom', chosen)
    setZoom(chosen)
  }

  return (
    <div
      className={classNames(
        styles.sheet, isFramed && styles.framed, isPrintedAlone && styles.alone,
      )}
    >
      <div className={styles.tools}>
        <ZoomButtons zoom={zoom} onZoom={onZoom} />
        {actions}
      </div>
      {/* Focusable, so that it can be scrolled with the keyboard. */}
      <article
        className={classNames(styles.scroll, styles[`zoom${zoom}`])} lang={language} aria-label={title}
        {...(isFramed && { tabIndex: 0, role: 'region' })}
      >
        <div className={styles.text}>
          {blocks.map((block, index) => <Block key={index} block={block} level={level} />)}
        </div>
      </article>
    </div>
  )
}

function ZoomButtons({ zoom, onZoom }: { zoom: Zoom, onZoom: (zoom: Zoom) => void }) {
  const copy = useCopy(common)
  const place = ZOOMS.indexOf(zoom)
  const [smaller, larger] = [ZOOMS[place - 1], ZOOMS[place + 1]]
  return (
    <div className={styles.zoom} role='group' aria-label={copy.textSize}>
      <IconButton
        icon='zoom-out' label={copy.smallerText} disabled={smaller === undefined}
        onClick={() => { if (smaller !== undefined) onZoom(smaller) }}
      />
      <span className={styles.percent} aria-live='polite'>{zoom} %</span>
      <IconButton
        icon='zoom-in' label={copy.largerText} disabled={larger === undefined}
        onClick={() => { if (larger !== undefined) onZoom(larger) }}
      />
    </div>
  )
}

function Block({ block, level }: { block: NdaBlock, level: 1 | 2 | 3 }) {
  const Title = `h${level}` as const
  const Heading = level === 1 ? 'h2' : level === 2 ? 'h3' : 'h4'
  switch (block.kind) {
    case 'title': return <Title className={styles.title}>{block.text}</Title>
    case 'heading': return <Heading className={styles.heading}>{block.number}. {block.text}</Heading>
    case 'clause': return <p className={styles.clause}><span>{block.number}</span> <span>{block.text}</span></p>
    case 'item': return <p className={classNames(styles.clause, styles.item)}><span>{block.label}</span> <span>{block.text}</span></p>
    case 'paragraph': return <p>{block.text}</p>
  }
}
