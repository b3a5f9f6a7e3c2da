/** Whom the caller believes: `--vkey` or `--policy`, with `--rotations` for keys taken since; and files of bounded size. */
import { readFile, stat } from 'node:fs/promises'
import { decodeUtf8 } from '../../protocol/bytes.js'
import { MAX_POLICY_FILE_SIZE_BYTES } from '../../protocol/limits.js'
import { parsePolicy, policyOfLog, type Policy } from '../../protocol/log/policy.js'
import { UsageError, type Arguments } from '../command.js'
import { readerOf } from './read-log.js'
import { withRotations } from './rotations.js'

/**
 * The policy that was named, or `null`; with `--rotations`, and the keys that the log in that place has taken since.
 * @throws ProtocolError `malformed-key`, `malformed-policy-file`; what a broken statement throws.
 */
export async function findPolicy(args: Arguments): Promise<Policy | null> {
  const policy = await findNamedPolicy(args)
  const place = args.option('rotations')
  return policy === null || place === undefined
    ? policy
    : await withRotations(policy, readerOf(place))
}

async function findNamedPolicy({ option }: Arguments): Promise<Policy | null> {
  const vkey = option('vkey')
  const policyPath = option('policy')
  if (vkey !== undefined && policyPath !== undefined) {
    throw new UsageError('give --vkey or --policy, not both')
  }
  if (vkey !== undefined) return policyOfLog(vkey)
  if (policyPath === undefined) return null
  return parsePolicy(await readBytes(policyPath, MAX_POLICY_FILE_SIZE_BYTES))
}

/** @throws UsageError if neither was named: a key from the file itself would prove nothing. */
export async function requirePolicy(args: Arguments): Promise<Policy> {
  const policy = await findPolicy(args)
  if (policy === null) {
    throw new UsageError('give the key of the log with --vkey, or a policy with --policy')
  }
  return policy
}

/** An authority's certificates. */
export const MAX_PEM_SIZE_BYTES = 256 * 1024

export async function readBytes(path: string, maxSizeBytes: number): Promise<Uint8Array> {
  const { size } = await stat(path)
  if (size > maxSizeBytes) throw new UsageError(`${path} is larger than ${maxSizeBytes} bytes`)
  return await readFile(path)
}

/** @throws ProtocolError `malformed-text` if it is not UTF-8. */
export async function readText(path: string, maxSizeBytes: number): Promise<string> {
  return decodeUtf8(await readBytes(path, maxSizeBytes))
}
