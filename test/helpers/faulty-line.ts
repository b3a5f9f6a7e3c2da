/**
 * A line to PostgreSQL that can be broken: hung, cut, or cut after the question went through and before the
 * answer comes back, which is when nobody knows whether it was done.
 */
import { connect, createServer, type Socket } from 'node:net'

interface Test { teardown(end: () => Promise<void>): void }

export interface FaultyLine {
  readonly port: number
  /** Everything open breaks now; what is asked meanwhile is refused. */
  cut(): void
  /** Questions go through, answers do not; after a moment the line breaks. */
  swallowAnswers(): void
  mend(): void
}

type Mode = 'through' | 'cut' | 'swallowing'

const SWALLOW_MS = 100

export async function startFaultyLine(t: Test, toPort: number): Promise<FaultyLine> {
  let mode: Mode = 'through'
  const open = new Set<Socket>()
  function breakAll(): void {
    for (const socket of open) socket.destroy()
  }
  const server = createServer((near) => {
    if (mode === 'cut') return near.destroy()
    const far = connect(toPort, '127.0.0.1')
    for (const [from, to] of [[near, far], [far, near]] as const) {
      open.add(from)
      from.on('close', () => { open.delete(from); to.destroy() }).on('error', () => to.destroy())
    }
    near.on('data', (bytes) => far.write(bytes))
    far.on('data', (bytes) => { if (mode !== 'swallowing') near.write(bytes) })
  })
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve) })
  t.teardown(async () => { breakAll(); server.close() })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('a port')
  return {
    port: address.port,
    cut() {
      mode = 'cut'
      breakAll()
    },
    swallowAnswers() {
      mode = 'swallowing'
      setTimeout(breakAll, SWALLOW_MS)
    },
    mend() { mode = 'through' },
  }
}
