/** Who came through a vault's links. */
import { PersonList, PersonListQuery, VaultParams } from '../../protocol/api.js'
import type { App } from '../app.js'
import { pageLimit } from '../paging.js'
import { listPeople } from '../use-cases/list-people.js'
import type { World } from '../world.js'

export function peopleRoutes(app: App, world: World): void {
  app.get('/api/vaults/:vaultId/people', {
    schema: { params: VaultParams, querystring: PersonListQuery, response: { 200: PersonList } },
    preHandler: app.requireAccount,
  }, async ({ account, params, query }) => await listPeople(world, {
    vaultId: params.vaultId, userId: account.userId, after: query.after,
    limit: pageLimit(query.limit),
  }))
}
