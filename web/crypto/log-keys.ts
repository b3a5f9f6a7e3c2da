/**
 * The keys that logs have taken one after another, as their own statements prove (SPEC.md § 7.11). Holds what was verified, for
 * as long as the page is open. Must not trust a key: it only tells which ones a trusted key leads to.
 */
import { ProtocolError } from '../../protocol/errors.js'
import { MAX_ROTATION_COUNT } from '../../protocol/limits.js'
import { formatVkey, parseVkey } from '../../protocol/log/note.js'
import { policyOfLog, type Policy } from '../../protocol/log/policy.js'
import {
  listLinkedKeys, verifyRotation, withLinkedKeys, type Rotation,
} from '../../protocol/log/rotation.js'

export interface LogKeys {
  /** Take what a server shows. A statement that does not hold links nothing, and is left out. */
  learn(statements: readonly string[]): void
  /** The policy with every key that its logs' keys lead to. @throws ProtocolError `bad-rotation`, `forked-log`. */
  trust(policy: Policy): Policy
  /** The statements that lead from one log to the next, as they were learnt. */
  borders(): string[]
  /** All keys of the log that this is one of, oldest first. @throws ProtocolError `bad-rotation`, `malformed-key`. */
  linkedTo(vkey: string): string[]
}

export function createLogKeys(): LogKeys {
  const links = new Map<string, Rotation>()
  return {
    learn(statements) {
      for (const statement of statements.slice(0, MAX_ROTATION_COUNT)) {
        const link = findLink(statement)
        if (link !== null) links.set(nameOf(link), link)
      }
    },
    trust: (policy) => withLinkedKeys(policy, [...links.values()]),
    borders: () => [...links.values()].flatMap(({ closing }) => closing?.statement ?? []),
    linkedTo(vkey) {
      const rotations = [...links.values()]
      withLinkedKeys(policyOfLog(vkey), rotations) // Or a line that ends twice would pass.
      return listLinkedKeys(parseVkey(vkey), rotations).map(formatVkey)
    },
  }
}

/** Another end of the same log is another link: both together are two histories. */
function nameOf({ previous, next, closing }: Rotation): string {
  return [formatVkey(previous), formatVkey(next), closing?.checkpoint.size ?? '', closing?.note ?? ''].join(' ')
}

function findLink(statement: string): Rotation | null {
  try {
    return verifyRotation(statement)
  } catch (error) {
    if (error instanceof ProtocolError) return null
    throw error
  }
}
