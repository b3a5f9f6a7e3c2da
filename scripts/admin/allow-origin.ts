/** `sealdeck admin allow-origin`: lets the pages of PUBLIC_URL reach the bucket, for UPLOADS and DOWNLOADS=direct. */
import type { LogParts } from '../../server/world.js'
import { UsageError, type Terminal } from '../command.js'

const USAGE = 'usage: sealdeck admin allow-origin'

export async function allowOrigin(
  { bucket, config }: LogParts, args: readonly string[], terminal: Terminal,
): Promise<number> {
  if (args.length > 0) throw new UsageError(USAGE)
  if (bucket.direct === undefined) {
    terminal.err('the bucket is a folder: there is nothing to allow. Set S3_BUCKET first')
    return 1
  }
  await bucket.direct.allowOrigin(config.publicUrl)
  terminal.out(`pages of ${config.publicUrl} may put and get objects by the addresses that this server signs`)
  return 0
}
