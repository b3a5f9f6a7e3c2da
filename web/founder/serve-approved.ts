/**
 * Those whom the founder let in on approval get the newest versions, too: their keys are made here, by her own browser,
 * after it has checked again that it was she who let each of them in ([Note: Approved by her] in web/crypto/granting.ts).
 */
import type { Approval, GrantSummary, StoredVersion } from '../../protocol/api.js'
import { attempt } from '../crypto.js'
import type { SessionTools } from '../session.js'
import type { Result } from './loaded.js'

/** A hundred people each. */
const MAX_ROUNDS = 20

export interface Served {
  readonly givenCount: number
  /** Whom the server called approved, and nothing of hers says so. */
  readonly refusedCount: number
}

interface ServeInput {
  readonly vaultId: string
  readonly grants: readonly GrantSummary[]
  /** The newest of each document and part. */
  readonly versions: readonly StoredVersion[]
}

/** Make and send what is missing. Asking again when nothing is missing costs one request. */
export async function serveApproved(
  tools: SessionTools, input: ServeInput,
): Promise<Result<Served>> {
  let givenCount = 0
  const refused = new Set<string>()
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const listed = await tools.api.listApprovals(input.vaultId)
    if (!listed.ok) return listed
    const due = listed.value.approvals
      .filter(({ request }) => !refused.has(request.acceptanceId))
    if (due.length === 0) break
    for (const approval of due) {
      const given = await serveOne(tools, input, approval)
      if (!given.ok) return given
      if (given.value) givenCount++
      else refused.add(approval.request.acceptanceId)
    }
  }
  return { ok: true, value: { givenCount, refusedCount: refused.size } }
}

/** False for whom no key is made: the worker refused what the server said of her. */
async function serveOne(
  { api, crypto }: SessionTools, { vaultId, grants, versions }: ServeInput, approval: Approval,
): Promise<Result<boolean>> {
  const { acceptanceId, grantId } = approval.request
  const summary = grants.find((grant) => grant.grantId === grantId)
  if (summary === undefined) return { ok: true, value: false }
  const made = await attempt(() => crypto.approveAgain({ vaultId, summary, approval, versions }))
  if (!made.ok) return { ok: true, value: false }
  const added = await api.addApprovedHeaders(acceptanceId, made.value)
  return added.ok ? { ok: true, value: true } : added
}
