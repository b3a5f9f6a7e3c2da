/**
 * Figures for Prometheus: requests, and how far log and mail are behind. Engines are asked when somebody
 * asks us, not before.
 */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import { countForks, countPending, getPublishedAt } from '../db/queries/log.js'
import { countWaiting } from '../db/queries/mail.js'
import { countFailed, findOldestWaiting, readInstanceUsage } from '../db/queries/operator.js'
import { readClockDifferenceMs } from './clock-difference.js'
import { checkReadiness } from './use-cases/check-readiness.js'
import type { World } from './world.js'

const DURATION_BUCKETS_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
const MAX_COUNTED = 10_000

export interface Metrics {
  observe(request: FastifyRequest, reply: FastifyReply): void
  /** In Prometheus' text format. */
  render(): Promise<string>
}

export function openMetrics(world: World): Metrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const gauge = (name: string, help: string, measure: () => Promise<number>) =>
    registerGauge({ registry, world }, name, help, measure)
  const requests = new Histogram({
    name: 'sealdeck_request_duration_seconds', help: 'Time to answer, by route and status.', registers: [registry],
    labelNames: ['method', 'route', 'status'], buckets: DURATION_BUCKETS_SECONDS,
  })
  gauge('sealdeck_log_size', 'Entries under the published checkpoint.', async () => (await getPublishedAt(world.db)).size)
  gauge('sealdeck_log_checkpoint_age_seconds', 'Since the checkpoint was published.', async () =>
    (world.clock.nowMs() - (await getPublishedAt(world.db)).publishedAtMs) / 1_000)
  gauge('sealdeck_log_pending', 'Events that wait for the log, up to 10,000.', () => countPending(world.db, MAX_COUNTED))
  gauge('sealdeck_log_unstamped_seconds', 'How long the newest checkpoint has gone without a time-stamp; 0 where none is asked for.', () => world.timeStamper.waitingSeconds())
  gauge('sealdeck_log_forks', 'Checkpoints that were brought and do not fit the log: evidence of a second history.', () => countForks(world.db))
  registerWitnesses(registry, world)
  gauge('sealdeck_log_oldest_pending_seconds', 'How long the oldest event has waited for the log; 0 if none waits.', async () => await ageOf(world, 'event'))
  gauge('sealdeck_mail_oldest_pending_seconds', 'How long the oldest mail has waited to be sent; 0 if none waits.', async () => await ageOf(world, 'mail'))
  gauge('sealdeck_mail_failed', 'Mails given up within the last MAIL_RECORD_DAYS, up to 10,000.', () => countFailed(world.db, MAX_COUNTED))
  gauge('sealdeck_used_bytes', 'Ciphertext of all accounts, uploads included.', () => readInstanceUsage(world.db))
  gauge('sealdeck_clock_difference_seconds', 'How far this machine\'s clock is from the database\'s.', async () => (await readClockDifferenceMs(world)) / 1_000)
  gauge('sealdeck_ready', '1 if database, clock, bucket and log work.', async () => (await checkReadiness(world)).length === 0 ? 1 : 0)
  gauge('sealdeck_mail_pending', 'Mails that wait to be sent, up to 10,000.', () => countWaiting(world.db, MAX_COUNTED))
  return {
    observe(request, reply) {
      // The route's pattern, never the address: ids in labels would be a leak and a flood.
      const route = request.routeOptions.url ?? 'none'
      const labels = { method: request.method, route, status: reply.statusCode }
      requests.observe(labels, reply.elapsedTime / 1_000)
    },
    render: () => Registry.merge([registry, world.counters.registry]).metrics(),
  }
}

/** Where witnesses are asked at all; of single ones only the instance that leads knows. */
function registerWitnesses(registry: Registry, world: World): void {
  const { witnesses } = world
  if (witnesses.policy === undefined) return
  registerGauge({ registry, world }, 'sealdeck_log_not_cosigned', 'Published entries under no checkpoint that the witnesses\' quorum has cosigned.', () =>
    witnesses.countBehind())
  registry.registerMetric(new Gauge({
    name: 'sealdeck_witness_failures', help: 'Questions in a row that a witness did not answer rightly.', labelNames: ['witness'], registers: [],
    collect() {
      for (const { name: witness, failureCount } of witnesses.standings()) {
        this.set({ witness }, failureCount)
      }
    },
  }))
}

/** Without its engine a figure is missing; the others, and the count of what is missing, are told all the same. */
function registerGauge(
  { registry, world }: { registry: Registry, world: World },
  name: string, help: string, measure: () => Promise<number>,
): void {
  registry.registerMetric(new Gauge({
    name, help, registers: [],
    async collect() {
      try {
        this.set(await measure())
      } catch (error) {
        this.remove()
        world.counters.unmeasured()
        world.log.warn({ metric: name, err: error }, 'not measured')
      }
    },
  }))
}

async function ageOf({ db, clock }: World, kind: 'event' | 'mail'): Promise<number> {
  const sinceMs = await findOldestWaiting(db, kind)
  return sinceMs === null ? 0 : Math.max(0, clock.nowMs() - sinceMs) / 1_000
}
