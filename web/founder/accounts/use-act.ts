/** One act at a time, where passkeys, passphrases and codes can fail, too. */
import { useCopy } from '../../copy.js'
import { accounts } from '../../copy/accounts.js'
import { useFailureWords } from '../../failure-words.js'
import type { KeyringFailure } from '../../keyring.js'
import { useActIn, type Act as ActOf } from '../loaded.js'

export type Act = ActOf<KeyringFailure>

export function useAct(): Act {
  return useActIn(useKeyringWords())
}

export function useKeyringWords(): (code: KeyringFailure) => string {
  const { failures } = useCopy(accounts)
  const words = useFailureWords()
  function isOwn(code: KeyringFailure): code is keyof typeof failures {
    return Object.hasOwn(failures, code)
  }
  return (code) => isOwn(code) ? failures[code] : words(code)
}
