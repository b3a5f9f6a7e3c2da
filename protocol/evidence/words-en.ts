/**
 * What evidence says in English: the cover, the certificate, the command line and the offline verifier
 * all speak from here (SPEC.md § 12.3). Must not say more than protocol/evidence/check.ts has proved.
 */
import type { AlarmKind } from '../log/anomalies.js'
import type { EventType } from '../log/event-types.js'
import type { FileKind, Trust, Verdict } from './check.js'

const events: Readonly<Record<EventType, string>> = {
  'log.started': 'the log was started',
  'log.closed': 'the log was closed',
  'log.recovered': 'the log was recovered',
  'log.key-rotated': 'the log took a new key',
  'client.served': 'a web client was served',
  'version.stored': 'a version of a document was stored',
  'grant.made': 'a link was made',
  'grant.revised': 'a link was changed',
  'nda.published': 'an agreement was published',
  'email.verified': 'an e-mail address was proven',
  'device.enrolled': 'a device was enrolled',
  'nda.accepted': 'the agreement was accepted',
  'nda.declined': 'the agreement was declined',
  'access.approved': 'access was approved',
  'access.denied': 'access was denied',
  'access.revoked': 'access was revoked',
  'header.released': 'the key of a document was released',
  'version.fetched': 'a document was fetched',
  'export.made': 'the log was exported',
  'admin.acted': 'the operator acted',
  'auditor.read': 'an auditor read the log of the vault',
  'erasure.done': 'personal details were erased',
}

const alarms: Readonly<Record<AlarmKind, string>> = {
  'released-after-revocation': 'is a release after access was revoked',
  'released-without-acceptance': 'is a release behind the agreement that no signature permits',
  'permission-missing': 'names a permission that is not here',
  'permission-later': 'names a permission that came after it',
  'permission-of-another': 'names the permission of another person',
  'sequence-gap': 'does not follow the number of the event before it',
  'time-backwards': 'says an earlier time than the events before it',
}

const kinds: Readonly<Record<FileKind, string>> = {
  receipt: 'receipt', export: 'events with proofs', statement: 'signed note', details: 'details of an event',
  agreement: 'agreement', checkpoint: 'checkpoint of the log', policy: 'whom to believe',
  checksums: 'list of hashes', stamped: 'checkpoint that was stamped', timestamp: 'time-stamp',
  certificates: 'certificates of a time-stamp', growth: 'how two checkpoints hang together', other: 'words or a program',
}

const verdicts: Readonly<Record<Verdict, string>> = {
  proved: 'proved', fits: 'fits; its signature is for OpenSSL to check', unchanged: 'unchanged since the pack was made', unjudged: 'not checked', failed: 'DOES NOT HOLD',
}

const trust: Readonly<Record<Trust, string>> = {
  named: 'The key of the log is the one that you named.',
  files: 'The key of the log was taken from these files. They fit together; whether the key is the right one, ' +
    'compare with one that you got another way: from the founder, from the link\'s first visit, from your own policy.',
  none: 'No key of a log was named, so receipts and checkpoints could not be judged.',
}

export const english = {
  language: 'en',
  events,
  alarms,
  kinds,
  verdicts,
  trust,

  certificateTitle: 'Certificate of acceptance',
  vaultTitle: 'Evidence of a vault',
  coverTitle: 'Evidence of an agreement and of what it opened',
  madeAt: 'This pack was made at',
  vault: 'Vault',
  accepted: (who: string) => `${who} accepted the agreement`,
  acceptedBySomebody: (party: string) => `Person ${party} accepted the agreement`,
  signedOnly: (who: string) => `${who} signed the agreement; no receipt of the log is here`,
  acceptances: (count: number) => count === 1 ? 'One acceptance' : `${count} acceptances`,

  party: 'Party who accepted',
  disclosing: 'Key of the founder',
  agreement: 'Agreement',
  agreementSha256: 'SHA-256 of the agreement',
  agreementFile: 'Text of the agreement',
  agreementIs: (name: string) => `${name} is it, byte for byte`,
  agreementMissing: 'not here: whoever has it can compare its SHA-256',
  consent: 'Consent to sign electronically',
  signerClock: 'Signed at, by the signer\'s clock',
  serverClock: 'Recorded at, by the server\'s clock',
  place: 'Place in the log',
  placeIn: (index: string, origin: string) => `entry ${index} of ${origin}`,
  checkpoint: 'Proved under',
  checkpointOf: (size: string, root: string) => `the checkpoint of ${size} entries, root ${root}`,
  cosignedBy: 'Cosigned by',
  noWitness: 'no witness; the log alone signed',
  stamped: 'Time-stamped',
  stampedAt: (at: string, name: string) => `was there by ${at}, says ${name}`,
  emailProof: 'How the address was proven',
  emailByCode: (at: string, index: string) => `by a code sent to it and typed back, ${at}, entry ${index}`,
  emailUnknown: 'no event of it is here',
  linkKey: 'Key of the link',
  deviceKey: 'Key of the device',
  grantSha256: 'SHA-256 of the grant',
  commitment: 'Commitment in the log',
  address: 'Network address',
  userAgent: 'Browser',
  released: 'Opened by this signature',
  releasedOne: (part: number, version: number, at: string, index: string) =>
    `${part === 1 ? 'open slides' : 'whole document'}, version ${version}, ${at}, entry ${index}`,
  releasedNone: 'nothing yet',
  releasedMore: (count: number) => `and ${count} more`,
  withheld: 'Name and address are not here: the reader may not see them, or they were erased.',
  inLog: 'What the log says',
  eventLine: (index: string, at: string, what: string) => `${index}  ${at}  ${what}`,
  erased: 'erased; its place in the log is proved',
  moreEvents: (count: number) => `${count} more events are in the files.`,

  checkedTitle: 'What was checked',
  checkedSignatures: 'Each signed acceptance is signed by the key of the link and by the key of the device that it names.',
  checkedInclusion: (count: number) => `${count === 1 ? 'One event is' : `${count} events are`} in the log: each leads, hash by hash, to a checkpoint that the log signed.`,
  checkedAgreements: (count: number) => `${count === 1 ? 'One agreement is' : `${count} agreements are`} the text whose SHA-256 was signed.`,
  checkedDetails: 'Names and addresses are those that the log committed to.',
  checkedPermissions: 'Each release names the event that permits it, and that event came before.',
  checkedStamps: (count: number) => `${count === 1 ? 'One time-stamp is' : `${count} time-stamps are`} over checkpoints that this log signed; where an acceptance names one, its entry is under that checkpoint.`,
  checkedSums: 'Every file is as it was when the pack was made.',
  notCheckedTitle: 'What was not, and cannot be checked here',
  notPerson: 'Who sat at the keyboard. That a code reached the address is what the server witnessed.',
  notClock: 'The clocks. The server\'s time is its word, the signer\'s time hers; the order in the log is proved, and a witness\'s time is the witness\'s word.',
  notStampSigner: (command: string) => `Whose signature the time-stamps bear. OpenSSL does that, with the authority's root certificates: ${command}`,
  notComplete: 'That these are all events. Whoever holds the vault\'s tag key, or reads the whole log, can check that.',
  notGrowth: 'That several checkpoints are of one history: the whole log shows it.',
  notWords: 'Cover, certificate and descriptions: they are words about the proofs, as whoever made the pack put them. What counts is said here.',
  notVerifier: 'The verifier inside the pack. Take one from a place of your own choice.',
  findingsTitle: 'Look at this',
  finding: (index: string, what: string) => `Entry ${index} ${what}.`,

  filesTitle: 'Files',
  failedTitle: 'Does not hold',
  outcomes: { verified: 'Verified', failed: 'Not verified', nothing: 'Nothing here proves anything' },
  outcomeLines: {
    verified: 'Everything here that can be checked holds.',
    failed: 'At least one file was changed, damaged, or does not belong here. Do not rely on it.',
    nothing: 'No receipt, signed note, export or checkpoint was found.',
  },
  contents: [
    ['README.txt', 'this page'],
    ['certificate.pdf', 'the same facts on a page to print; a summary, no proof'],
    ['agreements/', 'each agreement as it was signed, named by its SHA-256'],
    ['acceptances/', 'each signed acceptance, a note that people and programs can read'],
    ['receipts/', 'for each acceptance and each release a receipt (c2sp.org/tlog-proof), and the details it commits to'],
    ['events.json', 'all events with their proofs, where the pack was made by a founder or an auditor'],
    ['checkpoints/', 'the signed checkpoints that the receipts lead to'],
    ['timestamps/', 'where an authority stamped the log: the stamped checkpoint, the authority\'s answer, its certificates, and how the stamped checkpoint hangs together with that of the receipts'],
    ['policy.txt', 'whose signatures count (c2sp.org/tlog-policy)'],
    ['HOW-TO-CHECK.txt', 'steps, with programs that we did not write'],
    ['process-en.txt, process-ru.txt', 'how the system works'],
    ['verify.html', 'a page that checks this pack without any network; open it in a browser'],
    ['SHA256SUMS', 'the hash of every file: sha256sum -c SHA256SUMS'],
  ],
  contentsTitle: 'What lies here',
  readFirst: 'Open verify.html in a browser, even one without network, and drop the pack on it; or run: npx sealdeck verify evidence FILE.zip',
  undrawable: (count: number) => count === 1
    ? 'One character cannot be drawn here and stands as a box; the signed acceptance has it.'
    : `${count} characters cannot be drawn here and stand as boxes; the signed acceptance has them.`,
  summaryOnly: 'This page summarises proofs and is none itself. They lie beside it and can be checked without Sealdeck.',
  page: (number: number, count: number) => `Page ${number} of ${count}`,
}

export type EvidenceWords = typeof english
