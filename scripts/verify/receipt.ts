/** `sealdeck verify receipt`: one event, proved; who agreed to what, and when. */
import { encodeHex } from '../../protocol/bytes.js'
import { ProtocolError } from '../../protocol/errors.js'
import { sha256 } from '../../protocol/hash.js'
import {
  MAX_DETAILS_SIZE_BYTES, MAX_NDA_SIZE_BYTES, MAX_NOTE_SIZE_BYTES, MAX_RECEIPT_SIZE_BYTES,
} from '../../protocol/limits.js'
import {
  requireSameAcceptance, verifyAcceptance, type Acceptance,
} from '../../protocol/log/acceptance.js'
import { verifyDetails, type Details, type Event } from '../../protocol/log/event.js'
import { parseDetailsFile } from '../../protocol/log/export.js'
import { listOrigins } from '../../protocol/log/line.js'
import { verifyProof } from '../../protocol/log/proof.js'
import { readArguments, type Arguments, type Run } from '../command.js'
import { readBytes, readText, requirePolicy } from './trust.js'
import {
  line, listAcceptance, listCheckpoint, listFacts, sayEvent, saySignatory, sayTime,
} from './words.js'

const USAGE = 'sealdeck verify receipt FILE (--vkey VKEY | --policy FILE) [--nda FILE] [--note FILE] [--details FILE]'

export const verifyReceiptFile: Run = async (args, terminal) => {
  const parsed = readArguments(args, {
    options: ['vkey', 'policy', 'rotations', 'nda', 'note', 'details'], positionalCount: 1, usage: USAGE,
  })
  const policy = await requirePolicy(parsed)
  const text = await readText(parsed.positionals[0] ?? '', MAX_RECEIPT_SIZE_BYTES)
  const receipt = verifyProof(text, policy)
  const { event } = receipt

  const details = await verifyDetailsOption(parsed, event)
  const origins = listOrigins(policy, event.log)
  const acceptance = await verifyNoteOption(parsed, { event, details, origins })
  const ndaLine = await verifyNdaOption(parsed, event)
  terminal.out(`VERIFIED: ${sayEvent(event, nameSigner(acceptance, details))}`)
  const lines = [
    line('server\'s clock', sayTime(event.at)),
    line('index', `${receipt.index}`),
    ...listCheckpoint(receipt),
    ...listFacts(event),
    ...acceptance === null ? [] : listAcceptance(acceptance),
    ...ndaLine === null ? [] : [ndaLine],
  ]
  for (const fact of lines) terminal.out(fact)
  return 0
}

function nameSigner(acceptance: Acceptance | null, details: Details | null): string | null {
  if (acceptance !== null) return saySignatory(acceptance)
  if (details?.name === undefined) return null
  return `${details.name}${details.email === undefined ? '' : ` <${details.email}>`} (as the server noted)`
}

async function verifyDetailsOption({ option }: Arguments, event: Event): Promise<Details | null> {
  const path = option('details')
  if (path === undefined) return null
  return verifyDetails(event, parseDetailsFile(await readText(path, 2 * MAX_DETAILS_SIZE_BYTES)))
}

/** The signed acceptance from its own file, or from the details. */
async function verifyNoteOption(
  { option }: Arguments,
  { event, details, origins }:
  { event: Event, details: Details | null, origins: readonly string[] },
): Promise<Acceptance | null> {
  const path = option('note')
  const note = path === undefined ? details?.note : await readText(path, MAX_NOTE_SIZE_BYTES)
  if (note === undefined || (path === undefined && event.type !== 'nda.accepted')) return null
  const acceptance = verifyAcceptance(note)
  requireSameAcceptance(event, acceptance, origins)
  return acceptance
}

async function verifyNdaOption({ option }: Arguments, event: Event): Promise<string | null> {
  const path = option('nda')
  if (path === undefined) return null
  const bytes = await readBytes(path, MAX_NDA_SIZE_BYTES)
  if (encodeHex(sha256(bytes)) !== event.agreementSha256) {
    throw new ProtocolError('bad-details', `${path} is not the agreement of this event`)
  }
  return line('agreement file', `${path} is the one that was agreed to, byte for byte`)
}
