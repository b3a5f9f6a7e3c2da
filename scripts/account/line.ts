/**
 * The command line's line to a server: the HTTP API that browsers speak (protocol/api.ts). Renews a
 * session once when the server says 401, tries again what may safely be tried again, and throws a
 * sentence for every refusal. Must never be given a key, a passphrase or a fragment.
 */
import { setTimeout } from 'node:timers/promises'
import type { DirectRange, PartTarget, SignedIn } from '../../protocol/api.js'
import { Refused, UsageError } from '../command.js'

const ANSWER_TIMEOUT_MS = 300_000
const MAX_TRIES = 5
const RETRY_AFTER_MS = 500
const MAX_ANSWER_SIZE_BYTES = 256 * 1024 * 1024

export type Method = 'GET' | 'POST' | 'PUT' | 'DELETE'

export interface Call {
  readonly method: Method
  readonly path: string
  /** JSON, or octets. */
  readonly body?: object
  readonly headers?: Readonly<Record<string, string>>
}

/** What a session is renewed by; `keep` is told of every renewal before it is used. */
export interface Tokens {
  readonly accessToken: string
  /** `name=value` */
  readonly refreshCookie: string
}

interface Stretch { readonly start: number, readonly end: number }

function rangeOf({ start, end }: Stretch): string {
  return `bytes=${start}-${end - 1}`
}

interface LineOptions {
  readonly tokens: Tokens | null
  readonly keep?: (tokens: Tokens) => Promise<void>
}

/** @throws UsageError for an address over which tokens would travel in the clear. */
export function readAddress(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null
  const isNear = url !== null && ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname)
  const isSafe = url?.protocol === 'https:' || (url?.protocol === 'http:' && isNear)
  if (url === null || !isSafe) throw new UsageError(`${text}: an https address, or http on this machine`)
  return url.origin
}

export class Line {
  readonly #address: string
  readonly #keep: (tokens: Tokens) => Promise<void>
  #tokens: Tokens | null
  #renewing: Promise<void> | null = null

  constructor(address: string, { tokens, keep = async () => undefined }: LineOptions) {
    this.#address = address
    this.#tokens = tokens
    this.#keep = keep
  }

  get<T>(path: string): Promise<T> {
    return this.#json<T>({ method: 'GET', path })
  }

  post<T>(path: string, body: object = {}): Promise<T> {
    return this.#json<T>({ method: 'POST', path, body })
  }

  async text(call: Call): Promise<string> {
    return Buffer.from(await readBody(await this.#send(call))).toString('utf8')
  }

  async bytes(call: Call): Promise<Uint8Array<ArrayBuffer>> {
    return await readBody(await this.#send(call))
  }

  /** Sends a part where its upload says, to the server itself or to its bucket. */
  async putPart(target: PartTarget, part: { bytes: Uint8Array, sha256: string }): Promise<void> {
    const url = new URL(target.url, this.#address)
    if (url.origin === this.#address) {
      const headers = { ...target.headers, 'x-content-sha256': part.sha256 }
      await this.bytes({ method: 'PUT', path: url.pathname, body: part.bytes, headers })
      return
    }
    // A bucket's presigned address gets what it was signed for, and no token of ours.
    const response = await this.#try('PUT', () => request(url, {
      method: 'PUT', body: Buffer.from(part.bytes), headers: target.headers,
    }))
    // 412: in the bucket already, and looked at before the version is stored.
    if (!response.ok && response.status !== 412) throw new Refused(`the bucket answered ${response.status}`)
    await readBody(response)
  }

  /** Bytes `start` up to but not including `end` of a payload, from the server or from its bucket. */
  async payload(versionId: string, { start, end }: Stretch): Promise<Uint8Array<ArrayBuffer>> {
    const headers = { range: rangeOf({ start, end }) }
    const response = await this.#send({ method: 'GET', path: `/api/versions/${versionId}/payload`, headers })
    if (response.status === 206) return await readBody(response)
    const { pieces } = await readJson<DirectRange>(response)
    const bytes: Uint8Array[] = []
    for (const piece of pieces) bytes.push(await this.#piece(piece))
    return new Uint8Array(Buffer.concat(bytes))
  }

  async #piece({ url, start, end }: DirectRange['pieces'][number]): Promise<Uint8Array> {
    const headers = { range: rangeOf({ start, end }) }
    const response = await this.#try('GET', () => request(new URL(url), { headers }))
    if (response.status !== 206) throw new Refused(`the bucket answered ${response.status}`)
    return await readBody(response)
  }

  /** A sign-in's answer, and the tokens that came with it. */
  async signIn(path: string, body: object): Promise<{ signedIn: SignedIn, tokens: Tokens }> {
    const response = await this.#send({ method: 'POST', path, body })
    const refreshCookie = cookieOf(response)
    const signedIn = await readJson<SignedIn>(response)
    if (refreshCookie === null) throw new Refused('the server gave no session')
    return { signedIn, tokens: { accessToken: signedIn.accessToken, refreshCookie } }
  }

  async #json<T>(call: Call): Promise<T> {
    return await readJson<T>(await this.#send(call))
  }

  async #send(call: Call): Promise<Response> {
    const sentWith = this.#tokens
    const response = await this.#ask(call)
    if (response.status !== 401 || sentWith === null) return await requireOk(response)
    await readBody(response)
    // Somebody else may have renewed while this one was on its way.
    if (this.#tokens === sentWith) {
      await (this.#renewing ??= this.#renew(sentWith).finally(() => { this.#renewing = null }))
    }
    return await requireOk(await this.#ask(call))
  }

  async #renew({ refreshCookie }: Tokens): Promise<void> {
    const response = await this.#try('POST', () => request(new URL('/api/sessions/refresh', this.#address), {
      method: 'POST', headers: { 'x-sealdeck': '1', cookie: refreshCookie },
    }))
    const renewed = await readJson<SignedIn>(await requireOk(response))
    this.#tokens = {
      accessToken: renewed.accessToken, refreshCookie: cookieOf(response) ?? refreshCookie,
    }
    await this.#keep(this.#tokens)
  }

  #ask({ method, path, body, headers }: Call): Promise<Response> {
    const isOctets = body instanceof Uint8Array
    const type = isOctets ? 'application/octet-stream' : 'application/json'
    return this.#try(method, () => request(new URL(path, this.#address), {
      method,
      headers: {
        'x-sealdeck': '1',
        ...body === undefined ? {} : { 'content-type': type },
        ...this.#tokens === null ? {} : { authorization: `Bearer ${this.#tokens.accessToken}` },
        ...headers,
      },
      ...body === undefined ? {} : { body: isOctets ? Buffer.from(body) : JSON.stringify(body) },
    }))
  }

  /** Again after a while: what the server was not ready for, and what may arrive twice. */
  async #try(method: Method, ask: () => Promise<Response>): Promise<Response> {
    for (let tryIndex = 1; ; tryIndex++) {
      const isLast = tryIndex === MAX_TRIES
      try {
        const response = await ask()
        if (response.status !== 503 || isLast) return response
        await readBody(response)
      } catch (error) {
        if (isLast || method === 'POST' || error instanceof Refused) throw offline(error)
      }
      await setTimeout(RETRY_AFTER_MS * 2 ** (tryIndex - 1))
    }
  }
}

function request(url: URL, options: RequestInit): Promise<Response> {
  return fetch(url, { ...options, redirect: 'error', signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS) })
}

function offline(error: unknown): Error {
  if (error instanceof Refused) return error
  const cause = error instanceof Error && error.cause instanceof Error ? `: ${error.cause.message}` : ''
  return new Refused(`the server does not answer${cause}`)
}

function cookieOf(response: Response): string | null {
  const cookie = response.headers.getSetCookie().find((one) => /^[\w-]+=[^;]+;/.test(one))
  return cookie?.split(';', 1)[0] ?? null
}

async function readJson<T>(response: Response): Promise<T> {
  const value: T = JSON.parse(Buffer.from(await readBody(response)).toString('utf8'))
  return value
}

async function readBody(response: Response): Promise<Uint8Array<ArrayBuffer>> {
  const pieces: Uint8Array[] = []
  let size = 0
  for await (const piece of response.body ?? []) {
    size += piece.length
    if (size > MAX_ANSWER_SIZE_BYTES) throw new Refused('the answer is longer than any of ours')
    pieces.push(piece)
  }
  return new Uint8Array(Buffer.concat(pieces))
}

// ---- refusals

async function requireOk(response: Response): Promise<Response> {
  if (response.ok) return response
  const code = codeOf(Buffer.from(await readBody(response)).toString('utf8'))
  throw new ServerRefusal(code ?? `status-${response.status}`)
}

/** The server said no; `code` is one of protocol/refusals.ts or protocol/errors.ts. */
export class ServerRefusal extends Refused {
  readonly code: string

  constructor(code: string) {
    super(SENTENCES[code] ?? `the server refused: ${code}`)
    this.code = code
  }
}

function codeOf(text: string): string | undefined {
  return /"code":"([a-z-]{1,40})"/.exec(text)?.[1]
}

/** Where the code alone would not say what to do. */
const SENTENCES: Readonly<Record<string, string>> = {
  'not-signed-in': 'the session has ended: sealdeck login ADDRESS --email E',
  'sign-in-failed': 'address and passphrase do not match an account',
  'code-wrong': 'that is not the code that was sent',
  'code-expired': 'the code has expired: begin the login again',
  'too-many-requests': 'too many tries: wait a minute, then try again',
  'recovery-unconfirmed': 'confirm the recovery code in the browser first',
  'vault-not-found': 'there is no such vault, or it is not yours',
  'file-too-large': 'the file is larger than this server accepts',
  'quota-reached': 'the account\'s storage is full',
  'instance-full': 'the server\'s storage is full: its operator must add room',
  conflict: 'this was changed elsewhere in the meantime: look again, then try again',
  'log-unavailable': 'the log cannot record right now; try again in a moment',
}
