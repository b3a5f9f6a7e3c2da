/**
 * A process that runs the log and nothing else: writers that append events and wait for them, on the engines that
 * the environment names. Started by log-under-fire.ts, which tells it by lines on its input at which step to
 * stop or to die, and reads on its output what was answered.
 */
import { randomInt } from 'node:crypto'
import { writeSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { uuidv7 } from 'uuidv7'
import { insertEvents } from '../../db/queries/outbox.js'
import { formatTime, sealEvent } from '../../protocol/log/event.js'
import { readConfig } from '../../server/config.js'
import { Integrator } from '../../server/integrator.js'
import { openEngines, openLog } from '../../server/open-world.js'
import { startSequencer, type Sequencer } from '../../server/sequencer.js'
import type { LogParts } from '../../server/world.js'

const WRITER_COUNT = 6
const REST_MS = 4
const REST_AFTER_FAILURE_MS = 20

/** What the parent says: `go`, `arm <step> <nth> <stop|die>`, `on`. */
let armed: { step: string, left: number, isDeadly: boolean } | undefined
let goOn: (() => void) | undefined

/** Before or after each write; at the step that is armed, stop until told to go on, or die. */
async function pass(step: string): Promise<void> {
  if (armed?.step !== step || --armed.left > 0) return
  const { isDeadly } = armed
  armed = undefined
  say(`at ${step}`)
  if (isDeadly) process.kill(process.pid, 'SIGKILL')
  await new Promise<void>((resolve) => { goOn = resolve })
}

/** At once, whatever happens next: what was said counts as answered. */
function say(line: string): void {
  writeSync(1, `${line}\n`)
}

async function around<T>(step: string, write: () => Promise<T>): Promise<T> {
  await pass(`${step}:before`)
  const result = await write()
  await pass(`${step}:after`)
  return result
}

function watchWrites({ bucket }: LogParts): void {
  const { put, replace, delete: remove } = bucket
  bucket.put = async (...args) => await around('file', () => put.apply(bucket, args))
  bucket.replace = async (...args) => await around('checkpoint', () => replace.apply(bucket, args))
  bucket.delete = async (...args) => await around('sweep', () => remove.apply(bucket, args))
  const { turn, note } = Integrator.prototype
  Integrator.prototype.turn = async function (...args) {
    return await around('turn', () => turn.apply(this, args))
  }
  Integrator.prototype.note = async function (...args) {
    await around('note', () => note.apply(this, args))
  }
}

async function keepWriting(parts: LogParts, sequencer: Sequencer): Promise<void> {
  for (;;) {
    const { id, event } = makeEvent(parts)
    try {
      await around('outbox', () => insertEvents(parts.database.db, [event]))
      const [published] = await sequencer.published([id])
      say(`answered ${id} ${published?.index}`)
      await pass('answer:after')
      await delay(randomInt(REST_MS))
    } catch {
      await delay(REST_AFTER_FAILURE_MS) // Cut off: nobody was told anything.
    }
  }
}

function makeEvent({ keys, clock }: LogParts) {
  const id = uuidv7()
  const vault = process.env.LOG_PROCESS_VAULT
  const head = { id, log: keys.log.origin, at: formatTime(clock.nowMs()), actor: 'server' }
  const event = vault === undefined || randomInt(2) === 0
    ? sealEvent({ ...head, type: 'admin.acted', action: 'test' })
    : sealEvent({ ...head, type: 'export.made', vault })
  return { id, event }
}

async function go(): Promise<void> {
  const { parts } = await openEngines(readConfig(process.env), { log: openLog('fatal') })
  watchWrites(parts)
  const sequencer = await startSequencer(parts)
  say('working')
  await Promise.all(Array.from({ length: WRITER_COUNT }, () => keepWriting(parts, sequencer)))
}

function obey(line: string): void {
  const [word, step = '', nth = '1', fate] = line.split(' ')
  if (word === 'arm') armed = { step, left: Number(nth), isDeadly: fate === 'die' }
  if (word === 'on') goOn?.()
  if (word === 'go') {
    go().catch((error: unknown) => {
      say(`failed ${error instanceof Error ? error.message : String(error)}`)
      process.exit(1)
    })
  }
}

createInterface({ input: process.stdin }).on('line', obey)
say('loaded')
