/**
 * A line to PostgreSQL that can be broken: hung, cut, or cut after the question went through and before the
 * answer comes back, which is when nobody knows whether it was done. It sees which statements pass, and can strike
 * exactly one: its connection's process or the connection itself, right before it or right after it.
 */
import { connect, createServer, type Socket } from 'node:net'
import { Asked, backendOf, Messages, type Message } from './postgres-messages.js'

interface Test { teardown(end: () => Promise<void>): void }

/** What is done to a connection, and when: before the statement arrives, while it runs, or when it is done and nobody has heard so. */
export const WAYS = ['killed before', 'cut before', 'killed amid', 'killed after', 'cut after'] as const
export type Way = typeof WAYS[number]

/** A statement by its text, at its nth execution from now, from 1. */
export interface Place { readonly statement: string, readonly nth: number }

export interface FaultyLine {
  readonly port: number
  /** Everything open breaks now; what is asked meanwhile is refused. */
  cut(): void
  /** Questions go through, answers do not; after a moment the line breaks. */
  swallowAnswers(): void
  mend(): void
  /** The statements that are executed from now on, in order, until it is stopped. */
  record(): { stop(): readonly string[] }
  /** Strike the next execution of this place. `kill` ends a process of PostgreSQL and returns when it is gone. */
  aim(place: Place, way: Way, kill: (pid: number) => Promise<void>): Aim
}

export interface Aim {
  /** False as long as nothing was met there. */
  isStruck(): boolean
  /** Not any more. */
  drop(): void
}

type Mode = 'through' | 'cut' | 'swallowing'

const SWALLOW_MS = 100

export async function startFaultyLine(t: Test, toPort: number): Promise<FaultyLine> {
  const line = new Line(toPort)
  t.teardown(async () => line.close())
  await line.listen()
  return line
}

interface Target {
  readonly statement: string
  readonly way: Way
  readonly kill: (pid: number) => Promise<void>
  leftCount: number
  isStruck: boolean
}

class Line implements FaultyLine {
  readonly #open = new Set<Socket>()
  readonly #records = new Set<string[]>()
  readonly #server = createServer((near) => this.#accept(near))
  readonly #toPort: number
  #mode: Mode = 'through'
  #target: Target | null = null
  port = 0

  constructor(toPort: number) {
    this.#toPort = toPort
  }

  async listen(): Promise<void> {
    await new Promise<void>((resolve) => { this.#server.listen(0, '127.0.0.1', resolve) })
    const address = this.#server.address()
    if (address === null || typeof address === 'string') throw new Error('a port')
    this.port = address.port
  }

  close(): void {
    this.#breakAll()
    this.#server.close()
  }

  cut(): void {
    this.#mode = 'cut'
    this.#breakAll()
  }

  swallowAnswers(): void {
    this.#mode = 'swallowing'
    setTimeout(() => this.#breakAll(), SWALLOW_MS)
  }

  mend(): void {
    this.#mode = 'through'
  }

  record(): { stop(): readonly string[] } {
    const statements: string[] = []
    this.#records.add(statements)
    return {
      stop: () => {
        this.#records.delete(statements)
        return statements
      },
    }
  }

  aim({ statement, nth }: Place, way: Way, kill: (pid: number) => Promise<void>): Aim {
    const target: Target = { statement, way, kill, leftCount: nth, isStruck: false }
    this.#target = target
    return {
      isStruck: () => target.isStruck,
      drop: () => { if (this.#target === target) this.#target = null },
    }
  }

  #breakAll(): void {
    for (const socket of this.#open) socket.destroy()
  }

  #accept(near: Socket): void {
    if (this.#mode === 'cut') return void near.destroy()
    const far = connect(this.#toPort, '127.0.0.1')
    for (const [from, to] of [[near, far], [far, near]] as const) {
      this.#open.add(from)
      from.on('close', () => { this.#open.delete(from); to.destroy() }).on('error', () => to.destroy())
    }
    const passage = new Passage({ near, far }, (statement) => this.#meet(statement))
    near.on('data', (bytes) => passage.ask(bytes))
    far.on('data', (bytes) => { if (this.#mode !== 'swallowing') passage.answer(bytes) })
  }

  /** @returns the target, if this execution is the one. */
  #meet(statement: string): Target | null {
    for (const record of this.#records) record.push(statement)
    const target = this.#target
    if (target === null || target.statement !== statement || --target.leftCount > 0) return null
    this.#target = null
    target.isStruck = true
    return target
  }
}

interface Ends { readonly near: Socket, readonly far: Socket }

/** One connection. Each of its statements ends with the server's word that it is ready for the next. */
class Passage {
  readonly #ends: Ends
  readonly #meet: (statement: string) => Target | null
  readonly #questions = new Messages('client')
  readonly #answers = new Messages('server')
  readonly #asked = new Asked()
  /** The greeting is the first to be ended so. */
  #askedCount = 1
  #readyCount = 0
  #pid = 0
  #isDeaf = false
  /** Whose answer is kept back: the how manieth it is. */
  #kept: { readonly count: number, readonly target: Target } | null = null

  constructor(ends: Ends, meet: (statement: string) => Target | null) {
    this.#ends = ends
    this.#meet = meet
  }

  ask(bytes: Buffer): void {
    const through: Buffer[] = []
    const after: (() => void)[] = []
    for (const message of this.#questions.push(bytes)) {
      const statement = this.#asked.executes(message)
      const target = statement === null ? null : this.#meet(statement)
      if (target !== null) after.push(this.#strikeAt(target))
      if (this.#isDeaf) break
      if (message.kind === 'S' || message.kind === 'Q') this.#askedCount++
      through.push(message.bytes)
    }
    if (through.length > 0) this.#ends.far.write(Buffer.concat(through))
    for (const act of after) act()
  }

  /** @returns what is to be done once everything before it has gone through. */
  #strikeAt(target: Target): () => void {
    const { near } = this.#ends
    if (target.way.endsWith('before')) this.#isDeaf = true
    if (target.way === 'cut before') return () => near.destroy()
    if (target.way.startsWith('killed') && !target.way.endsWith('after')) return () => this.#kill(target)
    this.#kept = { count: this.#askedCount, target }
    return () => undefined
  }

  /** A failure of the kill is the test's: it sees what was struck, and nothing dead. */
  #kill({ kill }: Target): void {
    kill(this.#pid).catch(() => this.#ends.near.destroy())
  }

  answer(chunk: Buffer): void {
    const through = this.#answers.push(chunk).filter((message) => this.#lets(message))
    if (through.length > 0) this.#ends.near.write(Buffer.concat(through.map(({ bytes }) => bytes)))
  }

  #lets(message: Message): boolean {
    this.#pid = backendOf(message) ?? this.#pid
    const kept = this.#kept
    const isKept = kept !== null && this.#readyCount >= kept.count
    if (message.kind === 'Z') this.#readyCount++
    if (!isKept) return true
    if (message.kind === 'Z') this.#strikeDone(kept.target)
    return false
  }

  /** Done, and nobody has heard of it. What comes now is PostgreSQL's last word, if it says one. */
  #strikeDone(target: Target): void {
    this.#isDeaf = true
    this.#kept = null
    if (target.way === 'cut after') this.#ends.near.destroy()
    else this.#kill(target)
  }
}
