/** `sealdeck upload`: seals a file on this machine and uploads it; only ciphertext leaves. */
import { basename } from 'node:path'
import { uuidv7 } from 'uuidv7'
import type { StoredVersion, UploadList } from '../protocol/api.js'
import { encodeBase64Url } from '../protocol/bytes.js'
import { deriveVaultTagKey } from '../protocol/deck/identity.js'
import { sealLabel } from '../protocol/deck/keyring.js'
import { headersForLink, readOwnLink } from '../protocol/deck/link.js'
import type { Gate } from '../protocol/deck/record.js'
import { GATES } from '../protocol/deck/record.js'
import { MAX_TITLE_LENGTH } from '../protocol/limits.js'
import { requireNoFork } from './account/history.js'
import { unlockOwner, type Owner } from './account/owner.js'
import { noteStored, requireNewest } from './account/newest.js'
import { newestOf, readOwnVault, type OwnDocument, type OwnVault } from './account/own-vault.js'
import { prepareFile, type PreparedFile } from './account/prepared-file.js'
import { sealAndSend, type SentPart } from './account/seal-upload.js'
import { readArguments, UsageError, type Arguments, type Run, type Terminal } from './command.js'

const USAGE = `sealdeck upload FILE [--vault ID [--document ID]] [--title T] [--gate link|email|nda]
                       [--open 1-N [--open-gate link|email]] [--passphrase-file FILE]

Without --vault a new vault is made. --document adds a version to one that is there; live links serve
it at once. --gate (nda) is what the file asks for; --open draws the lock line after page N: those
slides ask for --open-gate (email), the whole for the NDA.

An interrupted upload goes on when the same command is given with --vault. A PDF is rewritten so that
its first page comes soon; thumbnails are drawn in browsers only, and a deck whose open slides must be
drawn is uploaded there.

Exit codes: 0 done, 1 refused, 2 wrong usage or nothing to read.`

interface Terms {
  readonly title: string
  readonly gate: Gate
  readonly openCount: number
  readonly openGate: 'link' | 'email'
}

export const run: Run = async (args, terminal) => {
  const parsed = readArguments(args, {
    options: ['vault', 'document', 'title', 'gate', 'open', 'open-gate', 'passphrase-file'],
    positionalCount: 1, usage: USAGE,
  })
  const path = parsed.positionals[0] ?? ''
  const terms = readTerms(parsed, path)
  const prepared = await prepareFile(path, terms.openCount)
  if (prepared.keptReason !== null) terminal.err(`sealed as it is: ${prepared.keptReason}`)
  const owner = await unlockOwner(parsed.option('passphrase-file'))
  try {
    await requireNoFork({ address: owner.session.address, line: owner.line })
    const vault = await findVault(owner, parsed, terms.title)
    terminal.out(`vault ${vault.vaultId}`)
    const document = findDocument(vault, parsed.option('document'))
    const stored = await upload(owner, { vault, document, prepared, terms }, terminal)
    await noteStored(owner, vault.vaultId, stored)
    await serveOnLinks(owner, vault, stored)
    terminal.out(`document ${stored[0]?.documentId ?? ''}`)
    terminal.out(`version ${stored[0]?.version ?? ''}`)
    return 0
  } finally {
    owner.end()
    await prepared.close()
  }
}

function readTerms({ option }: Arguments, path: string): Terms {
  const openCount = readOpenCount(option('open'))
  const gate = GATES.find((known) => known === (option('gate') ?? 'nda'))
  const openGate = option('open-gate') ?? 'email'
  if (gate === undefined) throw new UsageError('--gate is link, email or nda')
  if (openGate !== 'email' && openGate !== 'link') throw new UsageError('--open-gate is link or email')
  if (openCount > 0 && gate !== 'nda') throw new UsageError('behind the lock line stands the NDA: --gate nda')
  if (option('document') !== undefined && option('vault') === undefined) {
    throw new UsageError('--document goes with --vault')
  }
  const title = option('title') ?? titleOf(basename(path))
  if (title.trim() === '' || title.length > MAX_TITLE_LENGTH) {
    throw new UsageError(`a title has 1 to ${MAX_TITLE_LENGTH} characters`)
  }
  return { title: title.trim(), gate, openCount, openGate }
}

function readOpenCount(range: string | undefined): number {
  if (range === undefined) return 0
  const count = /^(?:1-)?([1-9][0-9]{0,3})$/.exec(range)?.[1]
  if (count === undefined) throw new UsageError('--open names the first slides: 1-3')
  return Number(count)
}

function titleOf(fileName: string): string {
  const bare = fileName.replace(/\.[A-Za-z0-9]{1,5}$/, '').replace(/[_\s]+/g, ' ').trim()
  return bare === '' ? fileName : bare
}

async function findVault(owner: Owner, { option }: Arguments, title: string): Promise<OwnVault> {
  const named = option('vault')
  if (named !== undefined) {
    const vault = await readOwnVault(owner, named)
    await requireNewest(owner, vault)
    return vault
  }
  const vaultId = uuidv7()
  await owner.line.post('/api/vaults', {
    vaultId, tagKey: encodeBase64Url(deriveVaultTagKey(owner.root, vaultId)),
    titleSealed: sealLabel(owner.root, { purpose: 'vault-title', id: vaultId }, title),
  })
  return { vaultId, title, documents: [], grants: [], ndas: [] }
}

/** `null` for a new one. */
function findDocument(vault: OwnVault, documentId: string | undefined): OwnDocument | null {
  if (documentId === undefined) return null
  const found = vault.documents.find((document) => document.documentId === documentId)
  if (found === undefined) throw new UsageError(`${documentId}: no document of this vault`)
  return found
}

interface Order {
  readonly vault: OwnVault
  readonly document: OwnDocument | null
  readonly prepared: PreparedFile
  readonly terms: Terms
}

/** Open slides first; both appear together, when all is there. */
async function upload(
  owner: Owner, { vault, document, prepared, terms }: Order, terminal: Terminal,
): Promise<StoredVersion[]> {
  const { uploads } = await owner.line.get<UploadList>(`/api/vaults/${vault.vaultId}/uploads`)
  let documentId = document?.documentId ?? null
  const parts = [
    ...prepared.openSlides === null
      ? []
      : [{ part: 1 as const, gate: terms.openGate, content: prepared.openSlides }],
    { part: 0 as const, gate: terms.gate, content: prepared.whole },
  ]
  const sent: SentPart[] = []
  for (const { part, gate, content } of parts) {
    const archive = { title: terms.title, fileName: prepared.fileName, ...content }
    const previous = document === null ? null : newestOf(document.versions, part)
    const progress = reporter(terminal, part === 1 ? 'open slides' : 'deck')
    const one = await sealAndSend(owner, {
      vaultId: vault.vaultId, documentId, part, gate, previous, archive, unfinished: uploads,
    }, progress)
    documentId = one.documentId
    sent.push(one)
  }
  const stored: StoredVersion[] = []
  for (const part of sent) stored.push(await part.complete())
  return stored
}

const TENTHS = 10

/** A line for each tenth, where somebody watches. */
function reporter(
  terminal: Terminal, name: string,
): (doneBytes: number, totalBytes: number) => void {
  let told = 0
  return (doneBytes, totalBytes) => {
    const tenth = Math.floor(doneBytes / totalBytes * TENTHS)
    if (tenth > told && terminal.isWatched) terminal.err(`${name}: ${tenth * TENTHS} %`)
    told = Math.max(told, tenth)
  }
}

/** The headers that make live links serve what is new. */
async function serveOnLinks(
  owner: Owner, vault: OwnVault, versions: readonly StoredVersion[],
): Promise<void> {
  for (const summary of vault.grants) {
    if (summary.revokedAtMs !== null) continue
    const { grant } = readOwnLink(owner, vault.vaultId, summary)
    const isOver = grant.policy.expiresAtMs !== null && grant.policy.expiresAtMs <= Date.now()
    const headers = isOver ? [] : headersForLink(owner, grant, versions)
    if (headers.length > 0) await owner.line.post(`/api/grants/${summary.grantId}/headers`, { headers })
  }
}
