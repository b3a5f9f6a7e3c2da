/**
 * The newest that the command line has seen of an owner's links and versions (SPEC.md § 8.4), in a file beside her
 * session, one for each server and account. It outlives the session, and nothing in it opens anything. The command
 * line does not read her log: what it was once shown as revoked counts as revoked.
 */
import { join } from 'node:path'
import { Type } from 'typebox'
import { Value } from 'typebox/value'
import type { StoredVersion } from '../../protocol/api.js'
import { encodeBase64Url, encodeHex, encodeUtf8 } from '../../protocol/bytes.js'
import {
  lookAtVault, noteRevoked, type OlderState, type Seen, type ShownVault,
} from '../../protocol/deck/newest.js'
import { ProtocolError } from '../../protocol/errors.js'
import { sha256 } from '../../protocol/hash.js'
import { readSessionFolder } from '../../server/config.js'
import { Refused } from '../command.js'
import type { Owner } from './owner.js'
import { keep, readText } from './saved-session.js'

const MAX_SIZE_BYTES = 16 * 1024 * 1024
const NAME_HASH_LENGTH = 32

const SeenFile = Type.Object({
  links: Type.Record(
    Type.String(), Type.Object({ vaultId: Type.String(), revision: Type.Number() })),
  versions: Type.Record(Type.String(), Type.Number()),
  revoked: Type.Record(Type.String(), Type.Literal(true)),
})

const SENTENCES: Readonly<Record<OlderState['kind'], string>> = {
  'link-older': 'an older revision of link',
  'link-revived': 'as live the revoked link',
  'link-missing': 'no more the link',
  'version-older': 'an older newest version of document',
}

type Known = Pick<Owner, 'keys' | 'session'>

/**
 * Nothing is made for a server that goes back behind what was seen. A link that is not shown gets nothing anyway.
 *
 * @throws ProtocolError `stale-version`; Refused if the file cannot be understood.
 */
export async function requireNewest(owner: Known, vault: ShownVault): Promise<void> {
  const [older] = (await compareVault(owner, vault)).filter(({ kind }) => kind !== 'link-missing')
  if (older === undefined) return
  const what = `the server shows ${SENTENCES[older.kind]} ${older.id}`
  throw new ProtocolError('stale-version', `${what}; what was seen is in ${pathOf(owner)}`)
}

/** Versions that were just stored are seen: a server that hides them is found out. */
export async function noteStored(
  owner: Known, vaultId: string, stored: readonly StoredVersion[],
): Promise<void> {
  const documents = stored
    .map((version) => ({ documentId: version.documentId, versions: [version] }))
  await compareVault(owner, { vaultId, grants: [], documents })
}

async function compareVault(owner: Known, vault: ShownVault): Promise<OlderState[]> {
  const before = await readText(pathOf(owner), MAX_SIZE_BYTES)
  const seen = before === null ? { links: {}, versions: {}, revoked: {} } : readSeen(before, owner)
  const older = lookAtVault(seen, owner.keys, vault)
  // Only links that she signed are in `seen`: a server cannot fill the file with ids that it made up.
  const revoked = vault.grants
    .filter(({ grantId, revokedAtMs }) => revokedAtMs !== null && seen.links[grantId] !== undefined)
  noteRevoked(seen, revoked.map(({ grantId }) => grantId))
  await keep(nameOf(owner), seen)
  return older
}

/** What is there and not understood is never taken for nothing. */
function readSeen(text: string, owner: Known): Seen {
  try {
    const seen: unknown = JSON.parse(text)
    if (Value.Check(SeenFile, seen)) return seen
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
  }
  throw new Refused(`${pathOf(owner)} is damaged`)
}

function pathOf(owner: Known): string {
  return join(readSessionFolder(), nameOf(owner))
}

function nameOf({ keys, session }: Known): string {
  const account = `${session.address}\n${encodeBase64Url(keys.fingerprint)}`
  return `newest-${encodeHex(sha256(encodeUtf8(account))).slice(0, NAME_HASH_LENGTH)}.json`
}
