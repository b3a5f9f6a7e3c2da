/**
 * Evidence packs out of the browser: what they are made of is fetched here, put together and checked in a
 * worker, and handed out as one file. Draws nothing.
 */
import type { Config, GateEvidence } from '../../protocol/api.js'
import { decodeBase64Url } from '../../protocol/bytes.js'
import type { EvidenceLanguage } from '../../protocol/evidence/account.js'
import type { ProofSource, ReceiptSource } from '../../protocol/evidence/pack.js'
import {
  gatherStamps, type StampableEntry, type StampSource,
} from '../../protocol/evidence/stamps.js'
import type { Answer, Api, GateApi } from '../api.js'
import type { Failure } from '../failure-words.js'
import { buildEvidence, listEntries, type StartWorker } from './evidence-worker.js'
import type { BuildInput } from './worker.js'

export type TakenPack = { ok: true, value: Blob } | { ok: false, code: Failure }

/** `Line`: the surface's own api. */
export interface PackTools<Line> {
  readonly api: Line
  readonly start: StartWorker
}

export interface VaultPackInput {
  readonly vaultId: string
  /** The log's key as this browser pinned it. */
  readonly logVkey: string
  /** Who may read the agreements, too: an auditor may not. */
  readonly isOwner: boolean
  /** One person's events alone. */
  readonly party: string | null
  readonly language: EvidenceLanguage
}

/** A vault's pack, or one person's of it; for its founder and, without identities or agreements, her auditors. */
export async function takeVaultPack(
  tools: PackTools<Api>, { vaultId, logVkey, isOwner, party, language }: VaultPackInput,
): Promise<TakenPack> {
  const { api } = tools
  const none: Answer<string[]> = { ok: true, value: [] }
  const agreements = isOwner ? await readAgreements(api, vaultId) : none
  if (!agreements.ok) return agreements
  const [config, exported] = [await api.readConfig(), await api.exportForPack(vaultId)]
  if (!config.ok) return config
  if (!exported.ok) return exported
  return await build(tools, config.value, {
    proofs: { exportText: exported.value, party }, agreements: agreements.value, language,
    believed: { logVkey, witnesses: config.value.witnesses?.text ?? null },
  })
}

async function readAgreements(api: Api, vaultId: string): Promise<Answer<string[]>> {
  const vault = await api.readVault(vaultId)
  if (!vault.ok) return vault
  const texts: string[] = []
  for (const { sha256 } of vault.value.ndas) {
    const read = await api.readNda(vaultId, sha256)
    if (!read.ok) return read
    texts.push(read.value.text)
  }
  return { ok: true, value: texts }
}

/** An investor's own pack: her receipts, and what she signed. */
export async function takeOwnPack(
  tools: PackTools<GateApi>, { grantId, policyText, language }:
  { grantId: string, policyText: string, language: EvidenceLanguage },
): Promise<TakenPack> {
  const { api } = tools
  const [config, evidence] = [await api.readConfig(), await api.readGateEvidence(grantId)]
  if (!config.ok) return config
  if (!evidence.ok) return evidence
  return await build(tools, config.value, {
    proofs: { receipts: receiptsIn(evidence.value) },
    agreements: evidence.value.agreements.map(({ text }) => text),
    believed: { policyText }, language,
  })
}

function receiptsIn({ receipts }: GateEvidence): ReceiptSource[] {
  return receipts.map(({ proof, details }) => ({
    proof,
    details: details && {
      bytes: decodeBase64Url(details.bytes), salt: decodeBase64Url(details.salt),
    },
  }))
}

type PackApi = Pick<Api, 'readPackPart' | 'readFirstTimeStamp'>

async function build(
  tools: PackTools<PackApi>, { logRotations }: Config,
  input: Omit<BuildInput, 'verifier' | 'font' | 'madeAt' | 'rotations' | 'stamps'>,
): Promise<TakenPack> {
  const { api, start } = tools
  const [verifier, font] = await Promise.all(
    [api.readPackPart('verify.html'), api.readPackPart('certificate.ttf')])
  if (!verifier.ok) return verifier
  if (!font.ok) return font
  const stamps = await readStamps(tools, input.proofs)
  if (!stamps.ok) return stamps
  const built = await buildEvidence(start, {
    ...input, rotations: logRotations, stamps: stamps.value, madeAt: new Date().toISOString(),
    verifier: verifier.value, font: font.value,
  })
  if (!built.ok) return built
  return { ok: true, value: new Blob([built.value], { type: 'application/zip' }) }
}

/** An authority's word about when the entries were there, if the log has one. */
async function readStamps(
  { api, start }: PackTools<PackApi>, proofs: ProofSource,
): Promise<{ ok: true, value: StampSource[] } | { ok: false, code: Failure }> {
  const listed = await listEntries(start, proofs)
  if (!listed.ok) return listed
  let failure: Failure | null = null
  const stamps = await gatherStamps(listed.value, async (entry) => {
    const answer = failure === null ? await readStamp(api, entry) : null
    if (answer === null) return null
    if (!answer.ok) failure = answer.code
    return answer.ok ? answer.value : null
  })
  return failure === null ? { ok: true, value: stamps } : { ok: false, code: failure }
}

async function readStamp(
  api: PackApi, { index, size, log }: StampableEntry,
): Promise<Answer<StampSource | null>> {
  const answer = await api.readFirstTimeStamp({ index, size, log })
  if (!answer.ok) return answer
  const { stamp } = answer.value
  return {
    ok: true,
    value: stamp && {
      checkpoint: stamp.checkpoint, token: decodeBase64Url(stamp.token), size,
      proof: stamp.proof.map(decodeBase64Url),
    },
  }
}
