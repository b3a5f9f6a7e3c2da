/** The code of an error that the worker threw: Comlink carries name and message, not the class. */
import { PROTOCOL_ERROR_CODES, type ProtocolErrorCode } from '../protocol/errors.js'

/** `null` for what is no refusal of bytes. */
export function protocolErrorCode(error: unknown): ProtocolErrorCode | null {
  if (!(error instanceof Error)) return null
  const stated = error.message.split(':', 1)[0]
  return PROTOCOL_ERROR_CODES.find((code) => code === stated) ?? null
}

/** Signed by a key, or of a log, that is not known yet: the log's statements may lead there. */
export function isOfLaterLog(code: string | null): boolean {
  return code === 'unknown-signer' || code === 'wrong-origin'
}
