/** The operator's erasure: what a person's events say is destroyed, and the log goes on proving that they were there. */
import { readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { uuidv7 } from 'uuidv7'
import {
  deleteAddressed, listErasable, listOpenable, listWaitingOf, updateEnded, updateErased,
  type ErasablePerson,
} from '../../db/queries/erasure.js'
import { formatTime, sealEvent } from '../../protocol/log/event.js'
import { Refusal } from '../../protocol/refusals.js'
import { parseMail } from '../eml.js'
import type { World } from '../world.js'

export interface Erasure {
  readonly personCount: number
  /** Events whose openings are gone. */
  readonly eventCount: number
}

type ErasingWorld = Pick<World, 'config' | 'clock' | 'database' | 'keys' | 'sequencer'>

const MAX_PEOPLE = 10_000
const EVENTS_PER_STATEMENT = 1_000
const MAX_STATEMENTS = 10_000

/**
 * Erase one person, or all people of one address. Erasing again does nothing.
 * Refuses: not-found; log-unavailable.
 * Effects: access ended, codes and mails to her or about her deleted (what a mail server has is out of reach); salts, bytes and details of all events that are about them
 * destroyed, personal columns emptied; one event `erasure.done` a statement, published before this returns.
 */
export async function erasePerson(
  world: ErasingWorld, who: { email: string } | { personId: string },
): Promise<Erasure> {
  const people = await listErasable(world.database.db, who, MAX_PEOPLE)
  if (people.length === 0) throw new Refusal('not-found')
  let eventCount = 0
  for (const person of people) eventCount += await eraseOne(world, person)
  return { personCount: people.length, eventCount }
}

async function eraseOne(world: ErasingWorld, person: ErasablePerson): Promise<number> {
  const { config, clock, database, sequencer } = world
  await updateEnded(database.db, { personId: person.id, nowMs: clock.nowMs() })
  if (person.email !== null) {
    await deleteAddressed(database.db, person.email)
    if (config.smtpUrl === undefined) await deleteWrittenMails(config.outboxFolder, person.email)
  }
  let eventCount = 0
  // What a request had begun before her access ended may still arrive, so until nothing is left.
  for (let statement = 0; statement < MAX_STATEMENTS; statement++) {
    const waiting = await listWaitingOf(database.db, person.id, EVENTS_PER_STATEMENT)
    if (waiting.length > 0) await sequencer.published(waiting)
    const erased = await eraseSome(world, person)
    if (erased === undefined) break
    eventCount += erased
  }
  return eventCount
}

/** @returns how many events, or `undefined` if nothing was left. */
async function eraseSome(
  world: ErasingWorld, { id, vaultId }: ErasablePerson,
): Promise<number | undefined> {
  const { clock, database, keys, sequencer } = world
  const indexes = await listOpenable(database.db, id, EVENTS_PER_STATEMENT)
  // Without her pseudonym: that somebody of this vault was erased is all that the log keeps.
  const event = sealEvent({
    type: 'erasure.done', id: uuidv7(), log: keys.log.origin, at: formatTime(clock.nowMs()), actor: 'operator',
    vault: vaultId, count: indexes.length,
  })
  const erased = { personId: id, indexes, nowMs: clock.nowMs() }
  if (!await updateErased(database.erasureDb, erased, event)) return undefined
  await sequencer.published([event.id])
  return indexes.length
}

/** Without a mail server, mails are files. */
async function deleteWrittenMails(folder: string, email: string): Promise<void> {
  for (const name of await listFolder(folder)) {
    const { to, text } = parseMail(await readFile(join(folder, name), 'utf8'))
    const isAbout = `${to}\n${text}`.toLowerCase().includes(email)
    if (isAbout) await rm(join(folder, name), { force: true })
  }
}

async function listFolder(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).filter((name) => name.endsWith('.eml'))
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
    throw error
  }
}
