/**
 * Mails by which a founder learns of what happens in her vault without her: each key that is given out, and what her
 * auditors do. They name events as the log does, so that she can hold them against what her browser shows (SPEC.md § 8.4).
 *
 * [Note: One mail a version] A device that comes again is released its headers again; she hears of the first time
 * each version goes to each device. Her screens and the log show all of them.
 */
import { takeTurn } from '../db/queries/codes.js'
import { insertMails } from '../db/queries/mail.js'
import type { OutboxEvent } from '../db/queries/outbox.js'
import { listGivenBefore } from '../db/queries/releases.js'
import { findUser } from '../db/queries/users.js'
import { findVault } from '../db/queries/vaults.js'
import type { ChosenHeader, OpenGate } from './gate.js'
import { listedEvents, noticeMail } from './mail-texts.js'
import type { World } from './world.js'

const HOUR_MS = 3_600_000
/** A link that a thousand people open is no reason for a thousand mails: the last one says that there are more. */
const MAILS_PER_HOUR = 30

interface Given {
  readonly deviceId: string
  readonly email: string | null
  readonly released: readonly { readonly event: OutboxEvent, readonly header: ChosenHeader }[]
}

/** Tell the founder whom a key was given to, once its event is published. See [Note: One mail a version]. */
export async function mailReleases(world: World, { grant }: OpenGate, given: Given): Promise<void> {
  const events = await listFirst(world, given)
  const [first] = events
  const kind = first === undefined ? null : await chooseKind(world, grant.vaultId)
  if (first === undefined || kind === null) return
  const to = { email: grant.ownerEmail, locale: grant.ownerLocale }
  const listed = listedEvents(events, given.email)
  await insertMails(world.db, [{ ...noticeMail(world, kind, to, listed), id: first.id }])
  world.mailer.wake()
}

async function listFirst(world: World, { deviceId, released }: Given): Promise<OutboxEvent[]> {
  if (released.length === 0) return []
  const known = await listGivenBefore(world.db, {
    deviceId, eventIds: released.map(({ event }) => event.id),
    versionIds: released.map(({ header }) => header.version.id),
  })
  return released.filter(({ header }) => !known.includes(header.version.id))
    .map(({ event }) => event)
}

async function chooseKind(
  world: World, vaultId: string,
): Promise<'keys-released' | 'many-released' | null> {
  const nowMs = world.clock.nowMs()
  const turn = (scope: string, maxCount: number) =>
    takeTurn(world.db, [{ scope: `${scope}:${vaultId}`, maxCount, windowMs: HOUR_MS }], nowMs)
  if (await turn('release-mail', MAILS_PER_HOUR)) return 'keys-released'
  return await turn('release-mails', 1) ? 'many-released' : null
}

/** Tell the founder what somebody else did in her vault. */
export async function mailAct(
  world: World, act: { vaultId: string, email: string, event: OutboxEvent },
): Promise<void> {
  const vault = await findVault(world.db, act.vaultId)
  const owner = vault && await findUser(world.db, vault.ownerId)
  if (owner === undefined) return
  const listed = listedEvents([act.event], act.email)
  await insertMails(world.db, [{ ...noticeMail(world, 'act-logged', owner, listed), id: act.event.id }])
  world.mailer.wake()
}
