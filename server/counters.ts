/**
 * What this process has counted since it started, for Prometheus (metrics.ts). Labels come from closed lists:
 * nothing that a client or a founder wrote stands in one.
 */
import { Counter, Registry } from 'prom-client'

export interface Counters {
  readonly registry: Registry
  /** Headers that left, once they were in the log. */
  released(count: number): void
  /** A request to the bucket that failed; an object that is not there is no failure. */
  bucketFailed(operation: string): void
  /** A page or worker that its own policy stopped, as its browser says. @param directive - a known one, or `other`. */
  policyBroken(directive: string): void
  /** A figure that could not be measured. */
  unmeasured(): void
}

export function openCounters(): Counters {
  const registry = new Registry()
  const counter = (name: string, help: string, labelNames: readonly string[] = []) =>
    new Counter({ name, help, labelNames, registers: [registry] })
  const released = counter('sealdeck_released_headers_total', 'Headers handed over, each logged before.')
  const bucketFailures = counter('sealdeck_bucket_errors_total', 'Requests to the bucket that failed.', ['operation'])
  const brokenPolicies = counter('sealdeck_csp_reports_total', 'Reports of pages that their policy stopped.', ['directive'])
  const unmeasured = counter('sealdeck_unmeasured_total', 'Figures that could not be measured, for example without a database.')
  return {
    registry,
    released: (count) => { released.inc(count) },
    bucketFailed: (operation) => { bucketFailures.inc({ operation }) },
    policyBroken: (directive) => { brokenPolicies.inc({ directive }) },
    unmeasured: () => { unmeasured.inc() },
  }
}
