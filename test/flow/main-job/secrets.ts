/**
 * What nobody but the people themselves may hold, and the search for it: in every byte that a server has
 * stored, logged, mailed, sent or received.
 */
import type { Server } from '../../helpers/server.js'
import { dumpDatabase, openRows, readObjects, readTree } from './stores.js'

/** By name; text or bytes. */
export type Secrets = Readonly<Record<string, string | Uint8Array>>
/** Where it was looked, piece by piece. */
export type Places = Readonly<Record<string, readonly Buffer[]>>

/** @returns `secret in place`, for each that was found. */
export function findSecrets(places: Places, secrets: Secrets): string[] {
  return Object.entries(secrets).flatMap(([name, secret]) => {
    const needles = spellings(Buffer.from(secret))
    return Object.entries(places)
      .filter(
        ([, pieces]) => needles.some((needle) => pieces.some((piece) => piece.includes(needle))),
      )
      .map(([place]) => `${name} in ${place}`)
  })
}

/** As it is, in hexadecimal, and in base64 wherever in a longer text it may begin. */
function spellings(secret: Buffer): Buffer[] {
  const hex = secret.toString('hex')
  const base64 = [0, 1, 2].flatMap((offset) => {
    const padded = Buffer.concat([Buffer.alloc(offset), secret])
    // The symbols at both ends hold bits of the neighbours too.
    const inner = padded.toString('base64url').slice(Math.ceil(offset * 8 / 6), Math.floor(padded.length * 8 / 6))
    return [inner, inner.replaceAll('-', '+').replaceAll('_', '/')]
  })
  return [secret, ...[hex, hex.toUpperCase(), ...base64].map((text) => Buffer.from(text))]
}

/** Everything that a server which has ended left behind, and what went over its lines. */
export async function collectPlaces(server: Server): Promise<Places> {
  const rows = await openRows(server)
  const database = await rows.readAll()
  await rows.close()
  return {
    database,
    files: await readTree(server.dataFolder),
    ...server.bucket === null ? {} : { bucket: await readObjects(server.bucket) },
    ...server.databaseUrl === null ? {} : { dump: [await dumpDatabase(server.databaseUrl)] },
    log: [Buffer.from(server.output)],
    line: server.wires.flatMap((wire) => wire.read()),
  }
}
