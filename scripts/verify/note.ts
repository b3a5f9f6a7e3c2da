/** `sealdeck verify note`: a statement by its own keys, any other note by keys that the caller names. */
import { encodeHex } from '../../protocol/bytes.js'
import { ProtocolError } from '../../protocol/errors.js'
import { MAX_NOTE_SIZE_BYTES } from '../../protocol/limits.js'
import {
  ACCEPTANCE_CONTEXT, ACCESS_REQUEST_CONTEXT, DECLINE_CONTEXT, ENROLMENT_CONTEXT, SESSION_CONTEXT,
  verifyAcceptance, verifyAccessRequest, verifyDecline, verifyEnrolment, verifySession,
} from '../../protocol/log/acceptance.js'
import { parseVkey, verifyNote } from '../../protocol/log/note.js'
import { verifyCheckpoint, type Policy } from '../../protocol/log/policy.js'
import { readArguments, UsageError, type Run } from '../command.js'
import { findPolicy, readText } from './trust.js'
import { line, listAcceptance, listCheckpoint, saySignatory, sayTime } from './words.js'

const USAGE = 'sealdeck verify note FILE [--vkey VKEY | --policy FILE]'

/** By the first line of the text: what to say once both of its keys have been found to have signed. */
const STATEMENTS: Readonly<Record<string, (note: string) => string[]>> = {
  [ACCEPTANCE_CONTEXT]: (note) => {
    const acceptance = verifyAcceptance(note)
    return [
      'VERIFIED: an acceptance, signed by link key and device key', ...listAcceptance(acceptance),
      line('agreement SHA-256', acceptance.agreementSha256), line('vault', acceptance.vault),
      ...listKeys(acceptance),
    ]
  },
  [DECLINE_CONTEXT]: (note) => {
    const decline = verifyDecline(note)
    return [
      'VERIFIED: a refusal, signed by link key and device key',
      line('signed by', saySignatory(decline)), line('agreement', decline.agreement),
      line('signer\'s clock', sayTime(decline.signedAt)), ...listKeys(decline),
    ]
  },
  [ACCESS_REQUEST_CONTEXT]: (note) => {
    const request = verifyAccessRequest(note)
    const who = request.signatory === undefined ? 'the holder of the link' : saySignatory(request.signatory)
    return [
      'VERIFIED: a request for access, signed by link key and device key', line('by', who),
      line('vault', request.vault), line('signer\'s clock', sayTime(request.signedAt)), ...listKeys(request),
    ]
  },
  [ENROLMENT_CONTEXT]: (note) => {
    const enrolment = verifyEnrolment(note)
    return [
      'VERIFIED: a device enrolled, signed by link key and device key',
      line('vault', enrolment.vault), line('signer\'s clock', sayTime(enrolment.signedAt)),
      ...listKeys(enrolment),
    ]
  },
  [SESSION_CONTEXT]: (note) => {
    const session = verifySession(note)
    return [
      'VERIFIED: a session, signed by the device key', line('grant', session.grant),
      line('device key', parseVkey(session.deviceKey).name),
    ]
  },
}

function listKeys({ linkKey, deviceKey }: { linkKey: string, deviceKey: string }): string[] {
  return [line('link key', parseVkey(linkKey).name), line('device key', parseVkey(deviceKey).name)]
}

export const verifyNoteFile: Run = async (args, terminal) => {
  const parsed = readArguments(args, { options: ['vkey', 'policy', 'rotations'], positionalCount: 1, usage: USAGE })
  const note = await readText(parsed.positionals[0] ?? '', MAX_NOTE_SIZE_BYTES)
  const context = note.slice(0, Math.max(0, note.indexOf('\n')))
  const describe = Object.hasOwn(STATEMENTS, context) ? STATEMENTS[context] : undefined
  const lines = describe?.(note) ?? describeOther(note, await findPolicy(parsed), parsed.option('vkey'))
  for (const text of lines) terminal.out(text)
  return 0
}

function describeOther(note: string, policy: Policy | null, vkey: string | undefined): string[] {
  if (policy === null) throw new UsageError('this note names no keys of its own: give --vkey or --policy')
  try {
    const trusted = verifyCheckpoint(note, policy)
    const root = line('root', encodeHex(trusted.checkpoint.root))
    return ['VERIFIED: a checkpoint', ...listCheckpoint(trusted), root]
  } catch (error) {
    const isOther = error instanceof ProtocolError && error.code === 'malformed-checkpoint'
    if (!isOther || vkey === undefined) throw error
    return describePlain(note, vkey)
  }
}

function describePlain(note: string, vkey: string): string[] {
  const { signatures } = verifyNote(note, [parseVkey(vkey)])
  return signatures.map(({ key }) => `VERIFIED: a note, signed by ${key.name}`)
}
