/**
 * PostgreSQL's connections struck at every statement that signing and releasing send. The statements are not
 * listed here: they are seen on the line while one investor passes undisturbed. Then one investor after another
 * enters, signs, is approved and receives, and each of these acts loses a connection at one of its statements; she
 * repeats it as her browser would. In the end what stands in the log about her must be what stands there about whom
 * nobody disturbed.
 */
import { randomInt } from 'node:crypto'
import type postgres from 'postgres'
import type { Test } from 'tap'
import type { AccessRequestList, GateAccess, GateSession, Release } from '../../protocol/api.js'
import { encodeUtf8 } from '../../protocol/bytes.js'
import { sha256 } from '../../protocol/hash.js'
import { WAYS, type FaultyLine, type Place, type Way } from './faulty-line.js'
import { Investor } from './investor.js'
import type { Answer, Browser, Founder, Link } from './people.js'
import type { Server } from './server.js'

const KILL_TIMEOUT_MS = 2_000
/** What the log does on its own comes within that time, or is not met. */
const REST_MS = 150
const RETRY_MS = 20
/** I8. */
const RECOVERY_MS = 30_000

export interface Field {
  readonly line: FaultyLine
  /** Past the line. */
  readonly client: postgres.Sql
  readonly server: Server
  readonly founder: Founder
  /** Released on signature, and on approval. */
  readonly links: readonly Link[]
}

/** One thing that somebody asks for, and how she goes on when it failed. */
interface Act {
  readonly name: string
  readonly who: Browser
  ask(): Promise<Answer>
  again(): Promise<Answer>
}

/** Every statement of an act, in every way. */
interface Target { readonly act: string, readonly place: Place, readonly way: Way }

/** What came of some strikes. */
interface Counts {
  killCount: number
  /** It was answered as if nothing had been. */
  unharmedCount: number
  /** It was refused, and was done all the same: nobody could know. */
  unknownCount: number
  readonly lastedMs: number[]
  /** What was answered. */
  readonly codes: string[]
}

function noCounts(): Counts {
  return { killCount: 0, unharmedCount: 0, unknownCount: 0, lastedMs: [], codes: [] }
}

/** The strikes at one place in one way. */
export interface Tally extends Counts {
  readonly act: string
  readonly statement: string
  readonly way: Way
}

export class StepKills {
  readonly #field: Field
  readonly #calm = new Map<Link, string[]>()
  readonly #people = new Map<string, Link>()
  readonly #answered = new Map<string, number>()
  #targets: Target[] = []
  readonly #tallies = new Map<string, Tally>()
  readonly #turns = new Map<string, number>()
  #visitorCount = 0

  private constructor(field: Field) {
    this.#field = field
  }

  /**
   * Watches what undisturbed investors of each link send, act by act.
   * @param rounds - more than one sees what the log does on its own at other moments, too.
   */
  static async watch(field: Field, rounds: number): Promise<StepKills> {
    const kills = new StepKills(field)
    for (const link of Array.from({ length: rounds }, () => field.links).flat()) {
      const steps = new Map<string, Place[]>()
      const visitor = await kills.#visits(link, async (act) => {
        const record = field.line.record()
        const answer = await act.ask()
        if (answer.statusCode >= 300) throw new Error(`${act.name}: ${answer.statusCode} ${answer.rawPayload.toString()}`)
        steps.set(act.name, placesOf(record.stop()))
        return answer
      })
      kills.#calm.set(link, await kills.#eventsOf(visitor))
      kills.#remember(steps)
    }
    return kills
  }

  #remember(steps: ReadonlyMap<string, readonly Place[]>): void {
    for (const [act, places] of steps) {
      for (const place of places) {
        const isKnown = this.#targets.some((known) => known.act === act &&
          known.place.nth === place.nth && known.place.statement === place.statement)
        if (!isKnown) this.#targets.push(...WAYS.map((way) => ({ act, place, way })))
      }
    }
  }

  /** For a few strikes: of each act the change itself, before and after, one step of the log, and one of the rest. */
  shorten(): void {
    const wanted: readonly (readonly [Kind, readonly Way[]])[] = [
      ['change', ['cut after']], ['change', ['killed before']], ['log', WAYS], ['read', WAYS],
    ]
    const acts = [...new Set(this.#targets.map(({ act }) => act))]
    this.#targets = acts.flatMap((act) => wanted.flatMap(([kind, ways]) => {
      const those = this.#targets.filter((target) => target.act === act &&
        kindOf(target.place) === kind && ways.includes(target.way))
      return those.length === 0 ? [] : those.slice(randomInt(those.length)).slice(0, 1)
    }))
  }

  /** Places by ways. */
  get targetCount(): number {
    return this.#targets.length
  }

  get killCount(): number {
    return this.tallies.reduce((sum, { killCount }) => sum + killCount, 0)
  }

  get tallies(): readonly Tally[] {
    return [...this.#tallies.values()]
  }

  /** Investors came one after another until so many more were struck; or until all are through twice. */
  async strike(t: Test, count: number): Promise<void> {
    const goal = this.killCount + count
    for (let visit = 0; this.killCount < goal && visit < 2 * count; visit++) {
      const link = this.#field.links[visit % this.#field.links.length]
      if (link === undefined) throw new Error('there are links')
      await this.#visits(link, async (act) => await this.#disturb(t, act))
    }
  }

  /** Each of the acts is aimed at in turn, its places one after another. */
  async #disturb(t: Test, act: Act): Promise<Answer> {
    const own = this.#targets.filter((target) => target.act === act.name)
    const target = own[this.#turnOf(act.name) % own.length]
    if (target === undefined) return await act.ask()
    const aim = this.#field.line.aim(target.place, target.way, async (pid) => await this.#kill(pid))
    const before = await this.#countWritten()
    act.who.isPatient = false
    const first = await heard(act.ask)
    if (!aim.isStruck()) await new Promise((resolve) => setTimeout(resolve, REST_MS))
    aim.drop()
    const struckMs = performance.now()
    const wasDone = await this.#countWritten() > before
    const isGood = first !== null && first.statusCode < 300
    const answer = isGood ? first : await untilGood(act)
    act.who.isPatient = true
    const lastedMs = performance.now() - struckMs
    if (lastedMs > RECOVERY_MS) t.fail(`I8: ${act.name} went on only after ${Math.round(lastedMs)} ms`)
    const code = isGood ? 'answered' : codeOf(first)
    if (aim.isStruck()) this.#count(target, { code, isGood, wasDone, lastedMs })
    if (isGood) this.#compare(t, act, { first, again: await untilGood(act) })
    return answer
  }

  #turnOf(act: string): number {
    const turn = this.#turns.get(act) ?? 0
    this.#turns.set(act, turn + 1)
    return turn
  }

  async #kill(pid: number): Promise<void> {
    await this.#field.client`select pg_terminate_backend(${pid}::integer, ${KILL_TIMEOUT_MS}::bigint)`
  }

  /** Acts of one visitor at a time: what is there more was done by her. */
  async #countWritten(): Promise<number> {
    const [row] = await this.#field.client<{ count: number }[]>`
      select ((select count(*) from devices) + (select count(*) from acceptances)
        + (select count(*) from acceptances where decided_at is not null) + (select count(*) from releases))::integer as count`
    return row?.count ?? 0
  }

  #count({ act, place, way }: Target, seen: Seen): void {
    const statement = nameOf(place)
    const key = `${act} ${statement} ${way}`
    const tally = this.#tallies.get(key) ?? { act, statement, way, ...noCounts() }
    this.#tallies.set(key, tally)
    tally.killCount++
    if (seen.isGood) tally.unharmedCount++
    else if (seen.wasDone) tally.unknownCount++
    tally.lastedMs.push(seen.lastedMs)
    tally.codes.push(seen.code)
  }

  /** I6: what was answered and is asked for again has the same places in the log. */
  #compare(t: Test, act: Act, { first, again }: { first: Answer, again: Answer }): void {
    const [before, after] = [receiptsIn(first), receiptsIn(again)]
    for (const [eventId, index] of after) {
      if (before.has(eventId) && before.get(eventId) !== index) t.fail(`I6: ${act.name} is answered with another place`)
    }
  }

  /** All acts of one investor at a link. */
  async #visits(link: Link, does: (act: Act) => Promise<Answer>): Promise<string> {
    const { server, founder } = this.#field
    const email = `grace-${this.#visitorCount++}@fund.example`
    const investor = new Investor(server, { name: 'Grace Hopper', email })
    this.#people.set(email, link)
    const done = async (act: Act): Promise<Answer> => {
      const answer = await does(act)
      for (const [eventId, index] of receiptsIn(answer)) this.#answered.set(eventId, index)
      return answer
    }
    const isApprovalDue = link.grant.policy.release === 'on-approval'
    await done(await entering(investor, link))
    await done(await signing(investor, link, isApprovalDue ? 'sign, to be approved' : 'sign'))
    if (!isApprovalDue) return email
    await done(await approving(founder, { link, email }))
    await done(receiving(investor, link))
    return email
  }

  /** What the log holds about her, in order: types alone. */
  async #eventsOf(email: string): Promise<string[]> {
    return (await this.#listEvents()).get(email) ?? []
  }

  async #listEvents(): Promise<Map<string, string[]>> {
    const rows = await this.#field.client<{ email: string, types: string[] }[]>`
      select p.email, json_agg(o.type order by o.idx) as types
      from people p join audit_opening o on o.party_id = p.id
      where p.email like 'grace-%' group by p.email, p.id`
    const events = new Map<string, string[]>()
    for (const { email, types } of rows) {
      // Two people of one address at one link would be one act done twice.
      events.set(email, [...events.get(email) ?? [], ...types])
    }
    return events
  }

  /** One effect each: nobody has more or less in the log than whom nobody disturbed. */
  async check(t: Test): Promise<void> {
    const events = await this.#listEvents()
    const odd = [...this.#people].filter(([email, link]) =>
      String(events.get(email)) !== String(this.#calm.get(link)))
    t.same(odd.map(([email]) => [email, events.get(email)]), [], `I6: each of ${this.#people.size} investors has done everything once`)
  }

  /** What people hold in their hands: events by their index. */
  get receipts(): ReadonlyMap<string, number> {
    return this.#answered
  }
}

/** With the nth of each. */
function placesOf(statements: readonly string[]): Place[] {
  const counts = new Map<string, number>()
  return statements.map((statement) => {
    const nth = (counts.get(statement) ?? 0) + 1
    counts.set(statement, nth)
    return { statement, nth }
  })
}

type Kind = 'read' | 'log' | 'change'

function kindOf(place: Place): Kind {
  const name = nameOf(place)
  if (/^write .*(?:acceptances|releases|devices)/.test(name)) return 'change'
  return / (?:integrate|tlog_|audit_outbox)/.test(name) ? 'log' : 'read'
}

/** What it writes, or else what it reads first. */
function nameOf({ statement, nth }: Place): string {
  const plain = statement.replaceAll('"', '').replaceAll(/\s+/g, ' ')
  const writes = [...plain.matchAll(/(?:insert into|(?<!do )(?<!for )(?<!for no key )update|delete from) ([a-z_]+)/g)].map(([, table]) => table)
  const called = /^select ([a-z_]+)\(/.exec(plain)?.[1]
  const name = writes.length > 0 ? `write ${[...new Set(writes)].join(', ')}`
    : called !== undefined ? `call ${called}` : `read ${/ from ([a-z_]+)/.exec(plain)?.[1] ?? plain.slice(0, 40)}`
  return nth === 1 ? name : `${name} (${nth})`
}

/** Events by their index, as an answer's receipts have it. */
export function receiptsIn(answer: Answer): Map<string, number> {
  const body = answer.json<Partial<Release & GateAccess>>()
  const receipts = body.receipts ?? body.release?.receipts ?? []
  return new Map(receipts.map(({ eventId, proof }) => [eventId, Number(/^index (\d+)$/m.exec(proof)?.[1] ?? -1)]))
}

interface Seen {
  readonly code: string, readonly isGood: boolean, readonly wasDone: boolean,
  readonly lastedMs: number,
}

function codeOf(answer: Answer | null): string {
  return answer === null ? 'silence' : `${answer.statusCode} ${answer.json<{ code: string }>().code}`
}

// ---- what came of it ----

interface Row extends Counts { readonly act: string, readonly what: string }

/** By statements, then by ways. */
export function tableOf(tallies: readonly Tally[]): string[] {
  return [
    ...linesOf('statement', tallies, ({ act, statement }) => ({ act, what: statement })),
    ...linesOf('way', tallies, ({ act, way }) => ({ act, what: way })),
    ...linesOf('all', tallies, ({ act }) => ({ act, what: 'all' })),
    ...codesOf(tallies),
  ]
}

function linesOf(
  title: string, tallies: readonly Tally[], named: (tally: Tally) => { act: string, what: string },
): string[] {
  const rows = new Map<string, Row>()
  for (const tally of tallies) {
    const { act, what } = named(tally)
    const row = rows.get(`${act} ${what}`) ?? { act, what, ...noCounts() }
    rows.set(`${act} ${what}`, row)
    row.killCount += tally.killCount
    row.unharmedCount += tally.unharmedCount
    row.unknownCount += tally.unknownCount
    row.lastedMs.push(...tally.lastedMs)
  }
  return [
    `| act | ${title} | kills | answered at once | refused, not done | refused, but done | until well, s: median | most |`,
    '|---|---|---:|---:|---:|---:|---:|---:|',
    ...[...rows.values()].map(formatRow),
  ]
}

/** What clients were told, and how often. */
function codesOf(tallies: readonly Tally[]): string[] {
  const counts = new Map<string, number>()
  for (const code of tallies.flatMap(({ codes }) => codes)) {
    counts.set(code, (counts.get(code) ?? 0) + 1)
  }
  return [...counts].sort(([, a], [, b]) => b - a).map(([code, count]) => `${count} times ${code}`)
}

function formatRow({ act, what, killCount, unharmedCount, unknownCount, lastedMs }: Row): string {
  const sorted = [...lastedMs].sort((a, b) => a - b)
  const [median, most] = [sorted[sorted.length >> 1] ?? 0, sorted.at(-1) ?? 0]
  const undoneCount = killCount - unharmedCount - unknownCount
  const counts = [killCount, unharmedCount, undoneCount, unknownCount]
  const seconds = [median, most].map((ms) => (ms / 1_000).toFixed(2))
  return `| ${[act, what, ...counts, ...seconds].join(' | ')} |`
}

// ---- acts, as browsers do them ----

/** A page that failed is opened again: a device that is known goes on, another asks anew. */
async function entering(investor: Investor, link: Link): Promise<Act> {
  const { nonce, emailProof } = await investor.provesEmail(link)
  const asks = async (withNonce: string): Promise<Answer> => {
    const body = { ...investor.notesFor(link, { nonce: withNonce }), emailProof }
    const answer = await investor.asks('POST', `/api/gate/${link.grantId}/access-requests`, body)
    if (answer.statusCode >= 300) return answer
    investor.accessToken = answer.json<GateAccess>().session.accessToken
    return answer
  }
  return {
    name: 'enter', who: investor,
    ask: async () => await asks(nonce),
    async again() {
      const session = await investor.asksToReturn(link)
      if (session.statusCode >= 500) return session
      if (session.statusCode >= 300) return await asks(await investor.takesNonce(link))
      investor.accessToken = session.json<GateSession>().accessToken
      return await investor.asks('POST', `/api/gate/${link.grantId}/releases`, {})
    },
  }
}

/** The same note again. */
async function signing(investor: Investor, link: Link, name: string): Promise<Act> {
  const acceptance = await investor.acceptanceFor(link)
  const ask = async () => await investor.asksToAccept(link, acceptance)
  return { name, who: investor, ask, again: ask }
}

async function approving(
  founder: Founder, { link, email }: { link: Link, email: string },
): Promise<Act> {
  const { requests } = await founder.gets<AccessRequestList>('/api/requests')
  const request = requests.find((one) => one.email === email)
  if (request === undefined) throw new Error(`${email} waits for an approval`)
  const headers = founder.headersFor(link, {
    recipient: request.recipient, acceptanceSha256: sha256(encodeUtf8(request.acceptance)),
  })
  const ask = async () => await founder.asks('POST', `/api/acceptances/${request.acceptanceId}/approve`, { headers })
  return { name: 'approve', who: founder, ask, again: ask }
}

function receiving(investor: Investor, link: Link): Act {
  const ask = async () => await investor.asks('POST', `/api/gate/${link.grantId}/releases`, {})
  return { name: 'receive', who: investor, ask, again: ask }
}

/** The answer, whatever it says; null if none came. */
export async function heard(act: () => Promise<Answer>): Promise<Answer | null> {
  try {
    return await act()
  } catch {
    return null // The line broke, or a step was refused for now: it is done again afterwards.
  }
}

/** People try again what failed. @throws if nothing helps. */
async function untilGood({ name, again }: Act): Promise<Answer> {
  for (const untilMs = performance.now() + 2 * RECOVERY_MS; ;) {
    const answer = await heard(again)
    if (answer !== null && answer.statusCode < 300) return answer
    if (performance.now() > untilMs) throw new Error(`${name}: still ${answer?.statusCode ?? 'silent'}: ${answer?.rawPayload.toString() ?? ''}`)
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
  }
}
