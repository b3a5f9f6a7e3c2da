/**
 * One event's proof as a picture of the tree: the entry at the foot, at each level the neighbour it is hashed with, the
 * root at the top, and over it the checkpoint that was signed. The same in words beside it, with every hash whole.
 */
import { useCopy } from '../copy.js'
import { auditor } from '../copy/auditor.js'
import type { TracedEvent } from '../crypto.js'
import { Hash } from '../ui/Hash.js'
import styles from './proof-path.module.css'

type Step = TracedEvent['steps'][number]

const WIDTH = 340
const SPINE = WIDTH / 2
const REACH = 56
const LEVEL = 44
const SEAL_HEIGHT = 58
const FOOT_HEIGHT = 46
const NODE_RADIUS = 6

interface ProofPathProps {
  readonly traced: TracedEvent
  readonly index: number
  /** What happened, for the entry's plate. */
  readonly title: string
}

export function ProofPath({ traced, index, title }: ProofPathProps) {
  const copy = useCopy(auditor)
  const { steps, treeSize, leafHash, rootHash } = traced
  return (
    <div className={styles.proof}>
      <Picture traced={traced} index={index} title={title} />
      <div>
        <p className={styles.lead}>{copy.pathBody(steps.length)}</p>
        <ol className={styles.steps} reversed>
          <li className={styles.top}>
            <span>{copy.stepRoot(treeSize)}</span>
            <Hash value={rootHash} what={copy.checkpoint} />
          </li>
          {[...steps.entries()].reverse().map(([level, step]) => (
            <li key={level} data-side={step.side}>
              <span>{copy.step(step.side, step.start, step.end)}</span>
              <Hash value={step.neighbour} what={copy.neighbourOf(step.start, step.end)} />
            </li>
          ))}
          <li className={styles.foot}>
            <span>{copy.stepLeaf(index)}</span>
            <Hash value={leafHash} what={copy.eventTitle(index)} />
          </li>
        </ol>
      </div>
    </div>
  )
}

function Picture({ traced, index, title }: ProofPathProps) {
  const copy = useCopy(auditor)
  const { steps, treeSize, origin } = traced
  const rootY = SEAL_HEIGHT + LEVEL * 0.8
  const leafY = rootY + steps.length * LEVEL
  const height = leafY + NODE_RADIUS + FOOT_HEIGHT + 14
  const yOf = (level: number): number => leafY - level * LEVEL
  return (
    <svg
      className={styles.picture} viewBox={`0 0 ${WIDTH} ${height}`} role='img'
      aria-label={copy.pathPicture(index, steps.length, treeSize)}
    >
      <Plate y={4} height={SEAL_HEIGHT - 8} kind='seal' lines={[copy.signedOver(treeSize), shorten(origin, 34)]} />
      <line className={styles.stem} x1={SPINE} y1={SEAL_HEIGHT - 4} x2={SPINE} y2={rootY} />
      {steps.map((step, level) => (
        <Level
          key={level} step={step} y={yOf(level)} nextY={yOf(level + 1)}
          label={copy.entriesUnder(step.end - step.start)}
        />
      ))}
      <Node y={rootY} hash={traced.rootHash} side='right' isRoot />
      {steps.map(({ side }, level) => (
        <Node key={level} y={yOf(level)} hash={level === 0 ? traced.leafHash : steps[level - 1]?.node ?? ''} side={side === 'left' ? 'right' : 'left'} />
      ))}
      <line className={styles.stem} x1={SPINE} y1={leafY} x2={SPINE} y2={leafY + 18} />
      <Plate
        y={leafY + 16} height={FOOT_HEIGHT - 6} kind='entry'
        lines={[copy.eventTitle(index), shorten(title, 38)]}
      />
    </svg>
  )
}

/** The neighbour, and the lines that meet in the node above. A wide neighbour is drawn as the tree that it is. */
function Level({ step, y, nextY, label }: { step: Step, y: number, nextY: number, label: string }) {
  const away = step.side === 'left' ? -1 : 1
  const x = SPINE + away * REACH
  const words = { x: x + away * 16, textAnchor: away < 0 ? 'end' : 'start' } as const
  const isTree = step.end - step.start > 1
  return (
    <g>
      <line className={styles.stem} x1={SPINE} y1={y} x2={SPINE} y2={nextY} />
      <line className={styles.branch} x1={x} y1={y} x2={SPINE} y2={nextY} />
      {isTree
        ? <path className={styles.tree} d={`M${x} ${y - 8} l11 16 h-22 Z`} />
        : <rect className={styles.tree} x={x - 6} y={y - 6} width={12} height={12} rx={2} />}
      <text className={styles.count} y={y - 1} {...words}>{label}</text>
      <text className={styles.hash} y={y + 12} {...words}>{shortHash(step.neighbour)}</text>
    </g>
  )
}

interface NodeProps {
  readonly y: number
  readonly hash: string
  /** Where its hash stands: away from the neighbour. */
  readonly side: 'left' | 'right'
  readonly isRoot?: boolean
}

function Node({ y, hash, side, isRoot = false }: NodeProps) {
  const x = side === 'left' ? SPINE - 14 : SPINE + 14
  return (
    <g>
      {isRoot && <circle className={styles.ring} cx={SPINE} cy={y} r={NODE_RADIUS + 4} />}
      <circle className={styles.node} cx={SPINE} cy={y} r={NODE_RADIUS} />
      <text className={styles.hash} x={x} y={y + 4} textAnchor={side === 'left' ? 'end' : 'start'}>
        {shortHash(hash)}
      </text>
    </g>
  )
}

interface PlateProps {
  readonly y: number
  readonly height: number
  readonly kind: 'seal' | 'entry'
  readonly lines: readonly [string, string]
}

function Plate({ y, height, kind, lines: [first, second] }: PlateProps) {
  return (
    <g>
      <rect className={styles[kind]} x={30} y={y} width={WIDTH - 60} height={height} rx={7} />
      <text className={styles.plateTitle} x={SPINE} y={y + height / 2 - 3} textAnchor='middle'>{first}</text>
      <text className={styles.plateText} x={SPINE} y={y + height / 2 + 13} textAnchor='middle'>{second}</text>
    </g>
  )
}

function shortHash(hash: string): string {
  return `${hash.slice(0, 6)}…`
}

function shorten(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`
}
