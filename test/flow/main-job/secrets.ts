/**
 * What nobody but the people themselves may hold, and the search for it: in every byte that a server has
 * stored, logged, mailed, sent or received.
 */
import { execFile } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { GetObjectCommand, ListObjectsV2Command } from '@aws-sdk/client-s3'
import { PGlite } from '@electric-sql/pglite'
import postgres from 'postgres'
import { findPostgres } from '../../helpers/postgres.js'
import { connectS3 } from '../../helpers/s3.js'
import type { Server } from '../../helpers/server.js'

const DUMP_LIMIT_BYTES = 256 * 1024 ** 2
const execute = promisify(execFile)

/** By name; text or bytes. */
export type Secrets = Readonly<Record<string, string | Uint8Array>>
/** Where it was looked, piece by piece. */
export type Places = Readonly<Record<string, readonly Buffer[]>>

/** @returns `secret in place`, for each that was found. */
export function findSecrets(places: Places, secrets: Secrets): string[] {
  return Object.entries(secrets).flatMap(([name, secret]) => {
    const needles = spellings(Buffer.from(secret))
    return Object.entries(places)
      .filter(([, pieces]) => needles.some((needle) => pieces.some((piece) => piece.includes(needle))))
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
  return {
    database: await readRows(server),
    files: await readTree(server.dataFolder),
    ...server.bucket === null ? {} : { bucket: await readObjects(server.bucket) },
    ...server.databaseUrl === null ? {} : { dump: [await dumpDatabase(server.databaseUrl)] },
    log: [Buffer.from(server.output)],
    line: server.wires.flatMap((wire) => wire.read()),
  }
}

/** All files of a folder: in the embedded default database, bucket, mails and keys. */
export async function readTree(folder: string): Promise<Buffer[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile())
  return await Promise.all(files.map((file) => readFile(join(file.parentPath, file.name))))
}

/** Every row as text. PostgreSQL packs long values, so its files alone do not show what is in them. */
async function readRows({ databaseUrl, dataFolder }: Server): Promise<Buffer[]> {
  if (databaseUrl !== null) {
    const client = postgres(databaseUrl, { max: 1, onnotice: () => {} })
    try {
      return await readTables(async (query) => [...await client.unsafe(query)])
    } finally {
      await client.end()
    }
  }
  const database = await PGlite.create(join(dataFolder, 'database'))
  try {
    return await readTables(async (query) => (await database.query(query)).rows)
  } finally {
    await database.close()
  }
}

async function readTables(ask: (query: string) => Promise<unknown[]>): Promise<Buffer[]> {
  const tables = await ask(`select format('%I.%I', table_schema, table_name) as name from information_schema.tables
    where table_type = 'BASE TABLE' and table_schema not in ('pg_catalog', 'information_schema')`)
  const pieces: Buffer[] = []
  for (const table of tables) {
    const rows = await ask(`select to_jsonb(t)::text as row from ${textOf(table, 'name')} t`)
    pieces.push(...rows.map((row) => Buffer.from(textOf(row, 'row'))))
  }
  return pieces
}

function textOf(row: unknown, column: string): string {
  return String(Reflect.get(Object(row), column))
}

async function readObjects({ name, access }: NonNullable<Server['bucket']>): Promise<Buffer[]> {
  const client = connectS3(access)
  const { Contents = [], IsTruncated } = await client.send(new ListObjectsV2Command({ Bucket: name }))
  if (IsTruncated === true) throw new Error('more objects than one list holds')
  const objects: Buffer[] = []
  for (const { Key } of Contents) {
    const { Body } = await client.send(new GetObjectCommand({ Bucket: name, Key }))
    objects.push(Buffer.from(await Body?.transformToByteArray() ?? []), Buffer.from(Key ?? ''))
  }
  client.destroy()
  return objects
}

async function dumpDatabase(url: string): Promise<Buffer> {
  const program = join(findPostgres() ?? '', 'pg_dump')
  const { stdout } = await execute(program, ['--inserts', url], { maxBuffer: DUMP_LIMIT_BYTES, encoding: 'buffer' })
  return stdout
}
