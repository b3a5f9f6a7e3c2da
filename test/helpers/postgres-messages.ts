/**
 * PostgreSQL's protocol, as far as it takes to see in a connection's bytes which statement is about to be executed
 * and which was. Reads only; knows nothing of TLS, of copying or of what the statements mean.
 */

/** One message, with the byte that says its kind; the first of a client has none. */
export interface Message { readonly kind: string, readonly bytes: Buffer }

const LENGTH_SIZE = 4
const PID_OFFSET = 5

/** Cuts a stream into messages as it comes. */
export class Messages {
  #rest: Buffer = Buffer.alloc(0)
  #isKindDue: boolean

  /** @param from - the side that speaks. */
  constructor(from: 'client' | 'server') {
    this.#isKindDue = from === 'server'
  }

  /** @returns those that are whole by now. */
  push(chunk: Buffer): Message[] {
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    const messages: Message[] = []
    for (let next = this.#next(); next !== null; next = this.#next()) messages.push(next)
    return messages
  }

  #next(): Message | null {
    const start = this.#isKindDue ? 1 : 0
    if (this.#rest.length < start + LENGTH_SIZE) return null
    const end = start + this.#rest.readUInt32BE(start)
    if (this.#rest.length < end) return null
    const bytes = this.#rest.subarray(0, end)
    this.#rest = this.#rest.subarray(end)
    const kind = this.#isKindDue ? String.fromCharCode(bytes[0] ?? 0) : 'start'
    this.#isKindDue = true
    return { kind, bytes }
  }
}

/** What a client asks on one connection: which statement each of its messages is about. */
export class Asked {
  readonly #texts = new Map<string, string>()

  /** @returns the statement that this message brings to its execution, or null. */
  executes({ kind, bytes }: Message): string | null {
    const body = bytes.subarray(1 + LENGTH_SIZE)
    if (kind === 'Q') return textAt(body, 0).text
    if (kind === 'P') {
      const name = textAt(body, 0)
      this.#texts.set(name.text, textAt(body, name.end).text)
    }
    // Bound is as good as executed: no client of ours binds and then does not.
    return kind === 'B' ? this.#texts.get(textAt(body, textAt(body, 0).end).text) ?? '' : null
  }
}

/** The number of the process that serves this connection, where the message tells it. */
export function backendOf({ kind, bytes }: Message): number | null {
  return kind === 'K' ? bytes.readUInt32BE(PID_OFFSET) : null
}

function textAt(bytes: Buffer, start: number): { text: string, end: number } {
  const end = bytes.indexOf(0, start)
  return { text: bytes.toString('utf8', start, end), end: end + 1 }
}
