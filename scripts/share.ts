/**
 * `sealdeck share`: makes a link to a vault and prints all of it, its secret included: whoever has
 * that line may ask for what the vault holds, and nobody else may, the server least of all.
 */
import type { Config, GrantSummary, PublishedNda, StoredVersion } from '../protocol/api.js'
import { decodeBase64Url, encodeBase64Url } from '../protocol/bytes.js'
import { makeGrantId } from '../protocol/deck/identity.js'
import { sealLabel } from '../protocol/deck/keyring.js'
import { CONSENT_VERSION, headersForLink, signLink, type LinkTerms } from '../protocol/deck/link.js'
import type { GrantPolicy } from '../protocol/deck/policy.js'
import { ProtocolError } from '../protocol/errors.js'
import { sha256 } from '../protocol/hash.js'
import { MAX_NAME_LENGTH } from '../protocol/limits.js'
import {
  checkNdaFields, fillNda, findTemplate, listTemplates, suggestNdaFields, type FilledNda,
} from '../protocol/nda.js'
import { requireNoFork } from './account/history.js'
import { unlockOwner, type Owner } from './account/owner.js'
import { requireNewest } from './account/newest.js'
import { currentVersions, readOwnVault, type OwnVault } from './account/own-vault.js'
import { readArguments, Refused, UsageError, type Arguments, type Run } from './command.js'

const USAGE = `sealdeck share VAULT [--name N] [--nda TEMPLATE] [--party P] [--law L] [--purpose P]
                      [--release on-signature|on-approval] [--expires DATE] [--download yes|no]
                      [--watermark yes|no] [--witnesses yes|no] [--passphrase-file FILE]

Prints the link. What is behind an NDA needs one: TEMPLATE is ${listTemplates().map(({ id }) => id).join(', ')};
the disclosing party is your account's name unless --party says otherwise.
on-signature: keys leave when the reader signs, and the NDA gate is the server's promise.
on-approval: no key exists until you have approved the signed NDA in the browser.
--witnesses yes: no key leaves before the server's witnesses have cosigned the log's entry.
--expires takes a day, 2027-01-31, and holds to its end, or a time in UTC, 2027-01-31T12:00:00Z.

Exit codes: 0 done, 1 refused, 2 wrong usage.`

const DEFAULT_TEMPLATE = 'one-way-en'
export interface Terms {
  readonly name: string | undefined
  readonly release: GrantPolicy['release']
  readonly expiresAtMs: number | null
  readonly mayDownload: boolean
  readonly hasWatermark: boolean
  readonly isWitnessed: boolean
}

export const run: Run = async (args, terminal) => {
  const parsed = readArguments(args, {
    options: [
      'name', 'nda', 'party', 'law', 'purpose', 'release', 'expires', 'download', 'watermark',
      'witnesses', 'passphrase-file',
    ],
    positionalCount: 1, usage: USAGE,
  })
  const terms = readTerms(parsed)
  const owner = await unlockOwner(parsed.option('passphrase-file'))
  try {
    await requireNoFork({ address: owner.session.address, line: owner.line })
    const vault = await readOwnVault(owner, parsed.positionals[0] ?? '')
    await requireNewest(owner, vault)
    const versions = currentVersions(vault.documents)
    if (versions.length === 0) throw new Refused('there is nothing in this vault yet: sealdeck upload')
    const hasNda = versions.some(({ gate }) => gate === 'nda')
    const nda = hasNda ? await publishNda(owner, vault.vaultId, orderNda(parsed, owner)) : null
    terminal.out(await makeLink(owner, { vault, versions, terms, nda }))
    return 0
  } finally {
    owner.end()
  }
}

function readTerms({ option }: Arguments): Terms {
  const name = option('name')
  const release = option('release') ?? 'on-signature'
  if (name !== undefined && (name.trim() === '' || name.length > MAX_NAME_LENGTH)) {
    throw new UsageError(`a name has 1 to ${MAX_NAME_LENGTH} characters`)
  }
  if (release !== 'on-signature' && release !== 'on-approval') {
    throw new UsageError('--release is on-signature or on-approval')
  }
  return {
    name, release, expiresAtMs: readExpiry(option('expires')),
    mayDownload: readYesNo('download', option('download') ?? 'no'),
    hasWatermark: readYesNo('watermark', option('watermark') ?? 'yes'),
    isWitnessed: readYesNo('witnesses', option('witnesses') ?? 'no'),
  }
}

function readYesNo(name: string, text: string): boolean {
  if (text !== 'yes' && text !== 'no') throw new UsageError(`--${name} is yes or no`)
  return text === 'yes'
}

function readExpiry(text: string | undefined): number | null {
  if (text === undefined) return null
  const match = /^(\d{4}-\d\d-\d\d)(T\d\d:\d\d:\d\dZ)?$/.exec(text)
  const timeMs = Date.parse(`${match?.[1] ?? ''}${match?.[2] ?? 'T23:59:59Z'}`)
  // A day that no month has would be taken for one of the next.
  const isReal = !Number.isNaN(timeMs) && new Date(timeMs).toISOString().startsWith(match?.[1] ?? ' ')
  if (!isReal) throw new UsageError('--expires is a day, 2027-01-31, or a time, 2027-01-31T12:00:00Z')
  if (timeMs <= Date.now()) throw new UsageError('--expires is over already')
  return timeMs
}

// ---- the agreement

function orderNda({ option }: Arguments, { session }: Owner): FilledNda {
  const template = findTemplate(option('nda') ?? DEFAULT_TEMPLATE)
  if (template === undefined) throw new UsageError(`--nda is one of ${listTemplates().map(({ id }) => id).join(', ')}`)
  const suggested = suggestNdaFields(template.language, option('party') ?? session.account.name)
  const fields = {
    ...suggested,
    governingLaw: option('law') ?? suggested.governingLaw,
    purpose: option('purpose') ?? suggested.purpose,
  }
  const [problem] = checkNdaFields(fields)
  if (problem !== undefined) throw new UsageError(`the agreement's ${problem.field} is ${problem.problem}`)
  return fillNda({ template, fields })
}

/** The same text again has the same hash, and the server keeps it once. */
async function publishNda(
  { line }: Owner, vaultId: string,
  { text, bytes, title, templateId, templateVersion, language }: FilledNda,
): Promise<PublishedNda> {
  const published = await line.post<PublishedNda>(`/api/vaults/${vaultId}/ndas`,
    { text, title, templateId, templateVersion, language })
  // What she signs is the hash of her own text, whatever the server says that it published.
  if (published.sha256 !== encodeBase64Url(sha256(bytes))) {
    throw new ProtocolError('malformed-nda', 'the server published another text')
  }
  return published
}

// ---- the link

export interface LinkOrder {
  readonly vault: OwnVault
  readonly versions: readonly StoredVersion[]
  readonly terms: Terms
  readonly nda: PublishedNda | null
}

/** @returns the whole address, fragment and all. */
export async function makeLink(owner: Owner, order: LinkOrder): Promise<string> {
  const { logVkey, publicUrl, witnesses } = await owner.line.get<Config>('/api/config')
  const { vault, versions, nda } = order
  const terms = { ...order.terms, witnessesSha256: witnessesOf(order.terms, witnesses) }
  const grantId = makeGrantId()
  const link = signLink(owner, {
    vaultId: vault.vaultId, grantId, previous: null, logVkey, policy: policyOf(versions, terms),
    ndaSha256: nda === null ? null : decodeBase64Url(nda.sha256),
    card: { founder: owner.session.account.name, title: vault.title, pageCount: null },
  })
  const id = encodeBase64Url(grantId)
  const name = terms.name?.trim() ?? `Link ${vault.grants.length + 1}`
  await owner.line.post<GrantSummary>(`/api/vaults/${vault.vaultId}/grants`, {
    grantId: id, ...link.sent,
    nameSealed: sealLabel(owner.root, { purpose: 'grant-name', id }, name),
    headers: headersForLink(owner, link.grant, versions),
  })
  return `${publicUrl}/g/${id}#${link.fragment}`
}

type SignedTerms = Terms & Pick<GrantPolicy, 'witnessesSha256'>

function witnessesOf({ isWitnessed }: Terms, witnesses: Config['witnesses']): Uint8Array | null {
  if (!isWitnessed) return null
  if (witnesses === null) throw new Refused('this server has no witnesses to wait for')
  return decodeBase64Url(witnesses.sha256)
}

/** What the versions' own gates do not decide, the founder does. */
function policyOf(versions: readonly StoredVersion[], terms: SignedTerms): LinkTerms['policy'] {
  const hasNda = versions.some(({ gate }) => gate === 'nda')
  const isByLink = versions.every(({ gate }) => gate === 'link')
  const hasOpenLink = versions.some(({ part, gate }) => part === 1 && gate === 'link')
  return {
    mayDownload: terms.mayDownload, hasWatermark: terms.hasWatermark,
    witnessesSha256: terms.witnessesSha256,
    expiresAtMs: terms.expiresAtMs,
    gate: hasNda ? 'nda' : isByLink ? 'link' : 'email',
    ndaConsentVersion: hasNda ? CONSENT_VERSION : null,
    openPagesGate: hasNda ? hasOpenLink ? 'link' : 'email' : null,
    release: hasNda ? terms.release : 'on-signature',
  }
}
