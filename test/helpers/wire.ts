/**
 * A line between browsers and a server that keeps a copy of every byte, both ways: what was really
 * sent, whoever sent it (page, worker, frame or browser), to be searched for what must not be in it.
 */
import { connect, createServer, type Socket } from 'node:net'

export interface Wire {
  readonly port: number
  /** What has passed, one piece for each direction of each connection. */
  read(): Buffer[]
  close(): Promise<void>
}

/** Listens on loopback and hands everything on to `toPort`, whoever listens there at the moment. */
export async function startWire(toPort: number): Promise<Wire> {
  const copies: Buffer[][] = []
  const open = new Set<Socket>()
  const server = createServer((near) => {
    const far = connect(toPort, '127.0.0.1')
    for (const [from, to] of [[near, far], [far, near]] as const) {
      copies.push(join(from, to))
      open.add(from)
      from.on('close', () => open.delete(from))
    }
  })
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve) })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no TCP port was given')
  return {
    port: address.port,
    read: () => copies.map((copy) => Buffer.concat(copy)),
    async close() {
      for (const socket of open) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** @returns the copy, which grows. */
function join(from: Socket, to: Socket): Buffer[] {
  const copy: Buffer[] = []
  from.on('data', (chunk: Buffer) => copy.push(chunk))
  from.pipe(to)
  // A side that breaks takes the other with it; one that ends lets the rest of its bytes arrive.
  from.on('error', () => to.destroy())
  return copy
}
