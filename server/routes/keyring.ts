/** The ways into one's own account. */
import {
  Empty, KeyringRowList, KeyringRowSummary, NewKeyringRow, PasskeyOptions, PassphraseRegistration,
  PassphraseRegistrationRequest, RowParams,
} from '../../protocol/api.js'
import type { App } from '../app.js'
import { addKeyringRow } from '../use-cases/add-keyring-row.js'
import { beginPasskey } from '../use-cases/begin-passkey.js'
import { beginPassphrase } from '../use-cases/begin-passphrase.js'
import { listKeyringRows } from '../use-cases/list-keyring-rows.js'
import { removeKeyringRow } from '../use-cases/remove-keyring-row.js'
import type { World } from '../world.js'

export function keyringRoutes(app: App, world: World): void {
  app.get('/api/keyring-rows', {
    schema: { response: { 200: KeyringRowList } }, preHandler: app.requireAccount,
  }, async (request) => await listKeyringRows(world, request.account.userId))

  app.post('/api/keyring-rows/passkey-options', {
    schema: { response: { 200: PasskeyOptions } }, preHandler: app.requireAccount,
  }, async (request) => await beginPasskey(world, request.account))

  app.post('/api/keyring-rows/passphrase-registration', {
    schema: { body: PassphraseRegistrationRequest, response: { 200: PassphraseRegistration } },
    preHandler: app.requireAccount,
  }, async (request) => await beginPassphrase(
    world, request.account, request.body.registrationRequest,
  ))

  app.post('/api/keyring-rows', {
    schema: { body: NewKeyringRow, response: { 201: KeyringRowSummary } },
    preHandler: app.requireAccount,
  }, async (request, reply) => await reply.code(201)
    .send(await addKeyringRow(world, request.account, request.body)))

  app.delete('/api/keyring-rows/:rowId', {
    schema: { params: RowParams, response: { 200: Empty } }, preHandler: app.requireAccount,
  }, async (request) => {
    await removeKeyringRow(world, request.account, request.params.rowId)
    return {}
  })
}
