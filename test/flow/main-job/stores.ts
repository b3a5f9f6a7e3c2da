/** What a server has stored, read behind its back: rows, files, objects. In the embedded default it must have ended. */
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

export class Rows {
  readonly #ask: (query: string) => Promise<unknown[]>
  readonly close: () => Promise<void>

  constructor(ask: (query: string) => Promise<unknown[]>, close: () => Promise<void>) {
    this.#ask = ask
    this.close = close
  }

  /** Every row as text. PostgreSQL packs long values, so its files alone do not show what is in them. */
  async readAll(): Promise<Buffer[]> {
    const tables = await this.#ask(`select format('%I.%I', table_schema, table_name) as name from information_schema.tables
      where table_type = 'BASE TABLE' and table_schema not in ('pg_catalog', 'information_schema')`)
    const pieces: Buffer[] = []
    for (const table of tables) {
      const rows = await this.#ask(`select to_jsonb(t)::text as row from ${textOf(table, 'name')} t`)
      pieces.push(...rows.map((row) => Buffer.from(textOf(row, 'row'))))
    }
    return pieces
  }

  async count(table: string): Promise<number> {
    const [row] = await this.#ask(`select count(*) as count from ${table}`)
    return Number(textOf(row, 'count'))
  }
}

function textOf(row: unknown, column: string): string {
  return String(Reflect.get(Object(row), column))
}

export async function openRows({ databaseUrl, dataFolder }: Server): Promise<Rows> {
  if (databaseUrl !== null) {
    const client = postgres(databaseUrl, { max: 1, onnotice: () => {} })
    return new Rows(
      async (query) => [...await client.unsafe(query)], async () => await client.end(),
    )
  }
  const database = await PGlite.create(join(dataFolder, 'database'))
  return new Rows(
    async (query) => (await database.query(query)).rows, async () => await database.close(),
  )
}

/** All files of a folder: in the embedded default database, bucket, mails and keys. */
export async function readTree(folder: string): Promise<Buffer[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile())
  return await Promise.all(files.map((file) => readFile(join(file.parentPath, file.name))))
}

export async function readObjects({ name, access }: NonNullable<Server['bucket']>): Promise<Buffer[]> {
  const client = connectS3(access)
  const {
    Contents = [], IsTruncated,
  } = await client.send(new ListObjectsV2Command({ Bucket: name }))
  if (IsTruncated === true) throw new Error('more objects than one list holds')
  const objects: Buffer[] = []
  for (const { Key } of Contents) {
    const { Body } = await client.send(new GetObjectCommand({ Bucket: name, Key }))
    objects.push(Buffer.from(await Body?.transformToByteArray() ?? []), Buffer.from(Key ?? ''))
  }
  client.destroy()
  return objects
}

/** As an operator backs it up. */
export async function dumpDatabase(url: string): Promise<Buffer> {
  const program = join(findPostgres() ?? '', 'pg_dump')
  const { stdout } = await execute(program, ['--inserts', url], { maxBuffer: DUMP_LIMIT_BYTES, encoding: 'buffer' })
  return stdout
}
