/**
 * What can stand in the log (SPEC.md § 8). Apart from event.ts, so that screens can name events without
 * loading the cryptography that seals them.
 */

/** The closed list of version 1. Named after what the server witnessed. */
export const EVENT_TYPES = [
  'log.started', 'log.closed', 'log.recovered', 'log.key-rotated', 'client.served', 'version.stored',
  'grant.made', 'grant.revised', 'nda.published', 'email.verified', 'device.enrolled', 'nda.accepted',
  'nda.declined', 'access.approved', 'access.denied', 'access.revoked', 'header.released',
  'version.fetched', 'export.made', 'admin.acted', 'auditor.read', 'erasure.done',
] as const

export type EventType = typeof EVENT_TYPES[number]
