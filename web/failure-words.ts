/**
 * One sentence for whatever stopped a person: the server's refusals, bytes that were refused here,
 * and the network. Must not say more than the code does.
 */
import type { ProtocolErrorCode } from '../protocol/errors.js'
import type { ApiFailure } from './api.js'
import { useLocale } from './copy.js'
import { defineSection, type Locale } from './copy/language.js'
import { protocolErrors } from './copy/protocol-errors.js'
import { refusals } from './copy/refusals.js'

export type Failure = ApiFailure | ProtocolErrorCode

const network = defineSection({
  en: {
    'offline': 'No answer from the server. Check your connection, then try again.',
    'answer-too-long': 'The server sent more than was asked for, so this browser stopped reading. Tell whoever runs it.',
  },
  ru: {
    'offline': 'Сервер не ответил. Проверьте соединение и повторите.',
    'answer-too-long': 'Сервер прислал больше, чем у него просили, и браузер перестал читать. Сообщите тому, кто его содержит.',
  },
})

/** `failureWords('ru', 'code-wrong')`; a code that has no words does not compile. */
export function failureWords(locale: Locale, code: Failure): string {
  const words: Readonly<Record<Failure, string>> = {
    ...protocolErrors[locale], ...refusals[locale], ...network[locale],
  }
  return words[code]
}

export function useFailureWords(): (code: Failure) => string {
  const { locale } = useLocale()
  return (code) => failureWords(locale, code)
}
