/** One vault with its documents, links and NDAs. */
import { listGrants } from '../../db/queries/grants.js'
import { listNdas } from '../../db/queries/ndas.js'
import { listDocuments } from '../../db/queries/vaults.js'
import { listStoredVersions } from '../../db/queries/versions.js'
import type { VaultDetail } from '../../protocol/api.js'
import { encodeBase64Url } from '../../protocol/bytes.js'
import { presentGrant, presentNda, presentVersion, requireVault } from '../vaults.js'
import type { World } from '../world.js'

const MAX_DOCUMENTS = 500
const MAX_VERSIONS = 5_000
const MAX_GRANTS = 1_000
const MAX_NDAS = 500

/** The vault as its founder sees it. Refuses: vault-not-found. */
export async function readVault(
  world: World, key: { vaultId: string, userId: string },
): Promise<VaultDetail> {
  const vault = await requireVault(world, key)
  const [documents, versions, grants, ndas] = await Promise.all([
    listDocuments(world.db, vault.id, MAX_DOCUMENTS),
    listStoredVersions(world.db, vault.id, MAX_VERSIONS),
    listGrants(world.db, vault.id, MAX_GRANTS),
    listNdas(world.db, vault.id, MAX_NDAS),
  ])
  return {
    vaultId: vault.id,
    titleSealed: encodeBase64Url(vault.titleSealed),
    createdAtMs: vault.createdAtMs,
    documents: documents.map(({ id, nameSealed }) => ({
      documentId: id,
      nameSealed: encodeBase64Url(nameSealed),
      versions: versions.filter((version) => version.documentId === id).map(presentVersion),
    })),
    grants: grants.map(presentGrant),
    ndas: ndas.map(presentNda),
  }
}
