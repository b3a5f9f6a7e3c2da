/**
 * Figures for Prometheus: requests, and how far log and mail are behind. Engines are asked when somebody
 * asks us, not before.
 */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import { countForks, countPending, getPublishedAt } from '../db/queries/log.js'
import { countWaiting } from '../db/queries/mail.js'
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
  const requests = new Histogram({
    name: 'sealdeck_request_duration_seconds', help: 'Time to answer, by route and status.', registers: [registry],
    labelNames: ['method', 'route', 'status'], buckets: DURATION_BUCKETS_SECONDS,
  })
  gauge(registry, 'sealdeck_log_size', 'Entries under the published checkpoint.', async () => (await getPublishedAt(world.db)).size)
  gauge(registry, 'sealdeck_log_checkpoint_age_seconds', 'Since the checkpoint was published.', async () =>
    (world.clock.nowMs() - (await getPublishedAt(world.db)).publishedAtMs) / 1_000)
  gauge(registry, 'sealdeck_log_pending', 'Events that wait for the log, up to 10,000.', () => countPending(world.db, MAX_COUNTED))
  gauge(registry, 'sealdeck_log_unstamped_seconds', 'How long the newest checkpoint has gone without a time-stamp; 0 where none is asked for.', () => world.timeStamper.waitingSeconds())
  gauge(registry, 'sealdeck_log_forks', 'Checkpoints that were brought and do not fit the log: evidence of a second history.', () => countForks(world.db))
  gauge(registry, 'sealdeck_mail_pending', 'Mails that wait to be sent, up to 10,000.', () => countWaiting(world.db, MAX_COUNTED))
  return {
    observe(request, reply) {
      // The route's pattern, never the address: ids in labels would be a leak and a flood.
      const route = request.routeOptions.url ?? 'none'
      const labels = { method: request.method, route, status: reply.statusCode }
      requests.observe(labels, reply.elapsedTime / 1_000)
    },
    render: () => registry.metrics(),
  }
}

function gauge(
  registry: Registry, name: string, help: string, measure: () => Promise<number>,
): void {
  registry.registerMetric(new Gauge({
    name, help, registers: [], async collect() { this.set(await measure()) },
  }))
}
