/**
 * Two checkpoints that one key has signed and that cannot both be true, as they are: for whoever compares them. For
 * every surface, so it brings no words of its own.
 */
import type { ForkEvidence } from './crypto.js'
import styles from './two-histories.module.css'

interface TwoHistoriesProps {
  readonly fork: ForkEvidence
  readonly names: { readonly remembered: string, readonly offered: string }
}

export function TwoHistories({ fork, names }: TwoHistoriesProps) {
  return (
    <div className={styles.histories}>
      <Checkpoint name={names.remembered} note={fork.remembered} />
      <Checkpoint name={names.offered} note={fork.offered} />
    </div>
  )
}

function Checkpoint({ name, note }: { name: string, note: string }) {
  return (
    <figure className={styles.checkpoint}>
      <figcaption>{name}</figcaption>
      <pre tabIndex={0} aria-label={name}>{note.trimEnd()}</pre>
    </figure>
  )
}
