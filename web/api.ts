/**
 * The only file of the web client that speaks to the network: one typed call for each route of
 * protocol/api.ts. Holds one session in memory, renews it once when the server says 401, and answers
 * every refusal as a value. Must not keep anything beyond the page's life, and must never be given
 * a key, a passphrase or a fragment.
 *
 * [Note: One api, one session] A surface makes its own `Api`: the founder's renews by the refresh
 * cookie, the gate's by a signature of the device key, so that a token of one cannot reach the other.
 */
import type {
  AccessRequestList, Account, AccountStorage, ApprovalList, Approve, AskStatements, AuditedVault,
  AuditedVaultList, BeginUpload, CompleteUpload, Config, ConsistencyProof, CreateAccount,
  CreateVault, DirectRange, EmailChallenge, EmailProof, EventList, FirstTimeStamp, GateAccess,
  GateEmailProof, GateEvidence, GateSession, GateView, GossipAnswer, GrantSummary, Invitation,
  InvitationList, KeepDeviceHeaders, KeyringRow, KeyringRowList, KeyringRowSummary, MakeGrant,
  NdaText, NewKeyringRow, Nonce, PartTarget, PasskeyOptions, PassphraseLogin,
  PassphraseRegistration, PersonList, ProveEmail, PublishNda, PublishedNda, Receipt, Release,
  RequestAccess, RequestEmailCode, ReviseGrant, RevocationReport, SignInOptions, SignedIn,
  Statements, StoredVersion, Upload, UploadList, VaultDetail, VaultList, WrappedHeader,
} from '../protocol/api.js'
import { concatBytes } from '../protocol/bytes.js'
import { PROTOCOL_ERROR_CODES, type ProtocolErrorCode } from '../protocol/errors.js'
import { MAX_EXPORT_SIZE_BYTES } from '../protocol/limits.js'
import { REFUSAL_CODES, type RefusalCode } from '../protocol/refusals.js'

/**
 * Not allowed, or bytes that the server refused as broken. `offline`: no answer came; whether the
 * request arrived is not known. `answer-too-long`: longer than any that was asked for, so not read on.
 */
export type ApiFailure = RefusalCode | ProtocolErrorCode | 'offline' | 'answer-too-long'
export type Answer<T> = { ok: true, value: T } | { ok: false, code: ApiFailure }

export interface Session { accessToken: string, expiresAtMs: number }

const ANSWER_TIMEOUT_MS = 30_000
const PART_TIMEOUT_MS = 300_000
/** A stream: its reader sees it move, and may stop it. */
const EXPORT_TIMEOUT_MS = 7_200_000
/** 32 for each chunk of the largest payload, which has 18,838. */
const MAX_HASH_LIST_SIZE_BYTES = 602_816
/** A public file: the longest is a bundle of 256 entries. */
const MAX_FILE_SIZE_BYTES = 17_000_000
/** JSON: the longest is a page of events with their details. */
const MAX_JSON_SIZE_BYTES = 64 * 1024 * 1024
/** A range is no longer than a stored part, so that it lies in two at most. */
const MAX_PIECE_COUNT = 2
/** Sent once more after a network failure: stored parts are write-once, so sending again is safe. */
const PART_TRY_COUNT = 3
const PART_RETRY_AFTER_MS = 1_000

// ---------------------------------------------------------------------------- one request

type Method = 'GET' | 'POST' | 'PUT' | 'DELETE'
type Query = Readonly<Record<string, string | number | null | undefined>>

interface Call {
  readonly method: Method
  readonly path: string
  readonly query?: Query
  /** Sent as JSON, or as octets if it is bytes. */
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
  /** Goes without a token, and is not repeated on 401. */
  readonly isOpen?: boolean
  /** The path is the whole address: a public file, not a call. */
  readonly isFile?: boolean
}

type Read<T> = (response: Response) => Promise<T>
type Send = <T>(call: Call, read: Read<T>) => Promise<Answer<T>>

async function readJson<T>(response: Response): Promise<T> {
  const value: T = JSON.parse(await readText(response, MAX_JSON_SIZE_BYTES))
  return value
}

async function readText(response: Response, maxSizeBytes: number): Promise<string> {
  return new TextDecoder().decode(await readBytes(response, maxSizeBytes))
}

/** Breaks off where an answer is longer than what was asked for can be. @throws RangeError then. */
async function readBytes(
  response: Response, maxSizeBytes: number,
): Promise<Uint8Array<ArrayBuffer>> {
  let leftBytes = maxSizeBytes
  const counted = response.body?.pipeThrough(new TransformStream<Uint8Array<ArrayBuffer>>({
    transform(piece, out) {
      leftBytes -= piece.length
      if (leftBytes < 0) out.error()
      else out.enqueue(piece)
    },
  }))
  try {
    return new Uint8Array(await new Response(counted).arrayBuffer())
  } catch (error) {
    // Browsers call every broken stream a network error.
    throw leftBytes < 0 ? new RangeError() : error
  }
}

function readUpTo(maxSizeBytes: number): Read<Uint8Array<ArrayBuffer>> {
  return (response) => readBytes(response, maxSizeBytes)
}

function readExport(response: Response): Promise<string> {
  return readText(response, MAX_EXPORT_SIZE_BYTES)
}

interface Stretch { readonly start: number, readonly end: number }

function rangeHeader({ start, end }: Stretch): string {
  return `bytes=${start}-${end - 1}`
}

/** The bytes themselves, or where they lie in the bucket. */
async function readRange(
  response: Response, sizeBytes: number,
): Promise<Uint8Array<ArrayBuffer>> {
  if (response.status === 206) return await readBytes(response, sizeBytes)
  const { pieces } = await readJson<DirectRange>(response)
  if (pieces.length > MAX_PIECE_COUNT) throw new Error('more pieces than a range lies in')
  return concatBytes(...await Promise.all(pieces.map((piece) => fetchPiece(piece, sizeBytes))))
}

/** A bucket's presigned address gets the range and nothing of ours. Throws as `fetch` does when it fails. */
async function fetchPiece(
  { url, start, end }: DirectRange['pieces'][number], maxSizeBytes: number,
) {
  const response = await fetch(url, {
    headers: { range: rangeHeader({ start, end }) }, signal: AbortSignal.timeout(PART_TIMEOUT_MS),
    credentials: 'omit', cache: 'no-store', redirect: 'error', referrerPolicy: 'no-referrer',
  })
  if (response.status !== 206) throw new Error(`the bucket answered ${response.status}`)
  return await readBytes(response, maxSizeBytes)
}

async function readNothing(response: Response): Promise<null> {
  await response.arrayBuffer()
  return null
}

function headersOf(call: Call, accessToken: string | null): Record<string, string> {
  const type = call.body instanceof Uint8Array ? 'application/octet-stream' : 'application/json'
  return {
    // A cross-origin form cannot send this one: the server refuses a change without it.
    'x-sealdeck': '1',
    ...(call.body === undefined ? {} : { 'content-type': type }),
    ...(accessToken === null || call.isOpen === true ? {} : { authorization: `Bearer ${accessToken}` }),
    ...call.headers,
  }
}

function bodyOf(call: Call): { body?: BodyInit } {
  if (call.body === undefined) return {}
  return { body: isBytes(call.body) ? call.body : JSON.stringify(call.body) }
}

function isBytes(body: unknown): body is Uint8Array<ArrayBuffer> {
  return body instanceof Uint8Array
}

function addressOf(call: Call, baseUrl: string): string {
  const set = Object.entries(call.query ?? {})
    .filter(([, value]) => value !== undefined && value !== null)
  const query = new URLSearchParams(set.map(([name, value]) => [name, String(value)])).toString()
  return `${baseUrl}${call.isFile === true ? '' : '/api'}${call.path}${query === '' ? '' : `?${query}`}`
}

/** The code of a refusal; what is not ours (a proxy's page) counts as the server's failure. */
async function refusalOf(response: Response): Promise<ApiFailure> {
  try {
    const problem: unknown = await readJson(response)
    const code: unknown = typeof problem === 'object' && problem !== null ? Reflect.get(problem, 'code') : null
    return refusalCode(code)
  } catch {
    return 'internal-error' // Not JSON, or cut off: some proxy's answer.
  }
}

const KNOWN_CODES = [...REFUSAL_CODES, ...PROTOCOL_ERROR_CODES]

function refusalCode(code: unknown): ApiFailure {
  return KNOWN_CODES.find((known) => known === code) ?? 'internal-error'
}

function signalOf(call: Call): AbortSignal {
  const timeout = AbortSignal.timeout(call.timeoutMs ?? ANSWER_TIMEOUT_MS)
  return call.signal === undefined ? timeout : AbortSignal.any([call.signal, timeout])
}

// ---------------------------------------------------------------------------- the session

/** `null`: it has ended. `offline`: not to be had right now, so it is kept, and asked for again. */
export type Renewal = Session | null | 'offline'

export interface ApiOptions {
  /** Another origin, without a slash at its end: tests only. */
  readonly baseUrl?: string
  /** Where the platform's own will not do: tests only. */
  readonly fetch?: typeof fetch
  /** How a session is renewed; by the refresh cookie if left out. */
  readonly renew?: () => Promise<Renewal>
}

interface Line {
  readonly baseUrl: string
  readonly fetch: typeof fetch
  readonly renew: () => Promise<Renewal>
  session: Session | null
  renewing: Promise<'renewed' | 'ended' | 'offline'> | null
  onEnded: () => void
}

async function request(line: Line, call: Call): Promise<Response | 'offline'> {
  try {
    return await line.fetch(addressOf(call, line.baseUrl), {
      method: call.method,
      headers: headersOf(call, line.session?.accessToken ?? null),
      ...bodyOf(call),
      signal: signalOf(call),
      credentials: 'same-origin',
      cache: 'no-store',
      redirect: 'error',
      referrerPolicy: 'no-referrer',
    })
  } catch {
    return 'offline' // Every reason that fetch rejects for: no network, time ran out, cancelled.
  }
}

/** [Note: One renewal] Many calls may meet 401 at once; a refresh token is good once. */
function renewOnce(line: Line): Promise<'renewed' | 'ended' | 'offline'> {
  line.renewing ??= renew(line).finally(() => { line.renewing = null })
  return line.renewing
}

async function renew(line: Line): Promise<'renewed' | 'ended' | 'offline'> {
  const renewed = await line.renew()
  if (renewed === 'offline') return 'offline'
  line.session = renewed
  if (renewed !== null) return 'renewed'
  line.onEnded()
  return 'ended'
}

async function send<T>(line: Line, call: Call, read: Read<T>): Promise<Answer<T>> {
  const sentWith = line.session
  let response = await request(line, call)
  if (response !== 'offline' && response.status === 401 && call.isOpen !== true) {
    // Somebody else may have renewed while this one was on its way.
    const isRenewed = line.session !== sentWith && line.session !== null
    const renewal = isRenewed ? 'renewed' : await renewOnce(line)
    if (renewal === 'renewed') response = await request(line, call)
    if (renewal === 'offline') response = 'offline'
  }
  if (response === 'offline') return { ok: false, code: 'offline' }
  // 304 is asked for by those who read it.
  if (!response.ok && response.status !== 304) {
    return { ok: false, code: await refusalOf(response) }
  }
  try {
    return { ok: true, value: await read(response) }
  } catch (error) {
    // Else the body broke off.
    return { ok: false, code: error instanceof RangeError ? 'answer-too-long' : 'offline' }
  }
}

// ---------------------------------------------------------------------------- the calls, by noun

function empty(send: Send, call: Call): Promise<Answer<null>> {
  return send(call, readNothing)
}

function instanceCalls(send: Send) {
  return {
    readConfig: () => send<Config>({ method: 'GET', path: '/config', isOpen: true }, readJson),
    /** A file of this client's own build that goes into evidence packs. */
    readPackPart: (name: 'verify.html' | 'certificate.ttf') =>
      send({ method: 'GET', path: `/${name}`, isFile: true, isOpen: true, timeoutMs: PART_TIMEOUT_MS }, readUpTo(MAX_FILE_SIZE_BYTES)),
  }
}

type Locale = RequestEmailCode['locale']

function accountCalls(send: Send) {
  function open<T>(path: string, body: unknown): Promise<Answer<T>> {
    return send<T>({ method: 'POST', path, body, isOpen: true }, readJson)
  }
  return {
    requestEmailCode: (body: RequestEmailCode) => open<EmailChallenge>('/email-codes', body),
    proveEmail: (body: ProveEmail) => open<EmailProof>('/email-codes/proof', body),
    accountPasskeyOptions: (emailProof: string) =>
      open<PasskeyOptions>('/accounts/passkey-options', { emailProof }),
    accountPassphraseRegistration: (body: { emailProof: string, registrationRequest: string }) =>
      open<PassphraseRegistration>('/accounts/passphrase-registration', body),
    createAccount: (body: CreateAccount) => open<SignedIn>('/accounts', body),
    recover: (body: { emailProof: string, recoveryAuth: string }) => open<SignedIn>('/recovery', body),
  }
}

function sessionCalls(send: Send) {
  function open<T>(path: string, body: unknown): Promise<Answer<T>> {
    return send<T>({ method: 'POST', path: `/sessions${path}`, body, isOpen: true }, readJson)
  }
  return {
    signInOptions: () => open<SignInOptions>('/passkey-options', {}),
    signInWithPasskey: (body: { challengeId: string, response: unknown }) => open<SignedIn>('/passkey', body),
    startPassphraseLogin: (body: { email: string, startLoginRequest: string, locale: Locale }) =>
      open<PassphraseLogin>('/passphrase-start', body),
    finishPassphraseLogin: (body: { loginId: string, finishLoginRequest: string }) =>
      open<EmailChallenge>('/passphrase-finish', body),
    signInWithPassphrase: (body: ProveEmail) => open<SignedIn>('/passphrase', body),
    /** One tab at a time: a refresh token that is used twice ends the session everywhere. */
    refreshSession: () => inTurn('sealdeck-refresh', () => open<SignedIn>('/refresh', {})),
    endSession: () => empty(send, { method: 'DELETE', path: '/sessions' }),
  }
}

function inTurn<T>(name: string, run: () => Promise<T>): Promise<T> {
  return navigator.locks.request(name, run)
}

function keyringCalls(send: Send) {
  return {
    readAccount: () => send<Account>({ method: 'GET', path: '/account' }, readJson),
    readStorage: () =>
      send<AccountStorage>({ method: 'GET', path: '/account/storage' }, readJson),
    confirmRecovery: () =>
      send<Account>({ method: 'POST', path: '/account/recovery-confirmed', body: {} }, readJson),
    listKeyringRows: () => send<KeyringRowList>({ method: 'GET', path: '/keyring-rows' }, readJson),
    addKeyringRow: (body: NewKeyringRow) =>
      send<KeyringRowSummary>({ method: 'POST', path: '/keyring-rows', body }, readJson),
    removeKeyringRow: (rowId: KeyringRow['rowId']) =>
      empty(send, { method: 'DELETE', path: `/keyring-rows/${rowId}` }),
    rowPasskeyOptions: () =>
      send<PasskeyOptions>({ method: 'POST', path: '/keyring-rows/passkey-options', body: {} }, readJson),
    rowPassphraseRegistration: (registrationRequest: string) => send<PassphraseRegistration>(
      { method: 'POST', path: '/keyring-rows/passphrase-registration', body: { registrationRequest } }, readJson),
  }
}

interface Page { after?: string | null, limit?: number }

function vaultCalls(send: Send) {
  return {
    createVault: (body: CreateVault) => empty(send, { method: 'POST', path: '/vaults', body }),
    listVaults: (query: Page = {}) => send<VaultList>({ method: 'GET', path: '/vaults', query: { ...query } }, readJson),
    readVault: (vaultId: string) => send<VaultDetail>({ method: 'GET', path: `/vaults/${vaultId}` }, readJson),
    renameVault: (vaultId: string, body: { titleSealed: string }) =>
      empty(send, { method: 'PUT', path: `/vaults/${vaultId}/title`, body }),
    removeVault: (vaultId: string) =>
      send<RevocationReport>({ method: 'DELETE', path: `/vaults/${vaultId}` }, readJson),
    /** What events of the vault name by hash, as she signed it. */
    readStatements: (vaultId: string, body: AskStatements) =>
      send<Statements>({ method: 'POST', path: `/vaults/${vaultId}/statements`, body }, readJson),
    publishNda: (vaultId: string, body: PublishNda) =>
      send<PublishedNda>({ method: 'POST', path: `/vaults/${vaultId}/ndas`, body }, readJson),
    readNda: (vaultId: string, sha256: string) =>
      send<NdaText>({ method: 'GET', path: `/vaults/${vaultId}/ndas/${sha256}` }, readJson),
    listPeople: (vaultId: string, query: Page = {}) =>
      send<PersonList>({ method: 'GET', path: `/vaults/${vaultId}/people`, query: { ...query } }, readJson),
  }
}

function uploadCalls(send: Send, putPart: PutPart) {
  return {
    beginUpload: (vaultId: string, body: BeginUpload) =>
      send<Upload>({ method: 'POST', path: `/vaults/${vaultId}/uploads`, body }, readJson),
    readUpload: (versionId: string) =>
      send<Upload>({ method: 'GET', path: `/uploads/${versionId}` }, readJson),
    listUploads: (vaultId: string) =>
      send<UploadList>({ method: 'GET', path: `/vaults/${vaultId}/uploads` }, readJson),
    /** `part.bytes` may be lent again after this; progress counts bytes of this part. */
    putPart,
    putHashList: (versionId: string, body: Uint8Array<ArrayBuffer>) =>
      empty(send, { method: 'PUT', path: `/uploads/${versionId}/hash-list`, body, timeoutMs: PART_TIMEOUT_MS }),
    completeUpload: (versionId: string, body: CompleteUpload) =>
      send<StoredVersion>({ method: 'POST', path: `/uploads/${versionId}/complete`, body, timeoutMs: PART_TIMEOUT_MS }, readJson),
    cancelUpload: (versionId: string) => empty(send, { method: 'DELETE', path: `/uploads/${versionId}` }),
  }
}

function versionCalls(send: Send) {
  return {
    readHashList: (versionId: string) =>
      send({ method: 'GET', path: `/versions/${versionId}/hash-list`, timeoutMs: PART_TIMEOUT_MS }, readUpTo(MAX_HASH_LIST_SIZE_BYTES)),
    /** Bytes `start` up to but not including `end` of the payload; at most 4 MiB. */
    readPayload: (versionId: string, range: Stretch) => send({
      method: 'GET',
      path: `/versions/${versionId}/payload`,
      headers: { range: rangeHeader(range) },
      timeoutMs: PART_TIMEOUT_MS,
    }, (response) => readRange(response, range.end - range.start)),
  }
}

function grantCalls(send: Send) {
  function revoke(path: string): Promise<Answer<RevocationReport>> {
    return send<RevocationReport>({ method: 'POST', path: `/grants/${path}/revoke`, body: {} }, readJson)
  }
  return {
    makeGrant: (vaultId: string, body: MakeGrant) =>
      send<GrantSummary>({ method: 'POST', path: `/vaults/${vaultId}/grants`, body }, readJson),
    reviseGrant: (grantId: string, body: ReviseGrant) =>
      send<GrantSummary>({ method: 'POST', path: `/grants/${grantId}/revisions`, body }, readJson),
    addHeaders: (grantId: string, headers: WrappedHeader[]) =>
      empty(send, { method: 'POST', path: `/grants/${grantId}/headers`, body: { headers } }),
    revokeGrant: (grantId: string) => revoke(grantId),
    revokePerson: (grantId: string, personId: string) => revoke(`${grantId}/people/${personId}`),
    listRequests: (query: { limit?: number } = {}) =>
      send<AccessRequestList>({ method: 'GET', path: '/requests', query: { ...query } }, readJson),
    approve: (acceptanceId: string, body: Approve) =>
      empty(send, { method: 'POST', path: `/acceptances/${acceptanceId}/approve`, body }),
    /** Whom she let in before, as far as they lack a header of what is newest. */
    listApprovals: (vaultId: string) =>
      send<ApprovalList>({ method: 'GET', path: `/vaults/${vaultId}/approvals` }, readJson),
    addApprovedHeaders: (acceptanceId: string, body: Approve) =>
      empty(send, { method: 'POST', path: `/acceptances/${acceptanceId}/headers`, body }),
    deny: (acceptanceId: string) =>
      empty(send, { method: 'POST', path: `/acceptances/${acceptanceId}/deny`, body: {} }),
  }
}

function gateCalls(send: Send) {
  function post<T>(
    grantId: string, path: string, body: unknown, isOpen = false,
  ): Promise<Answer<T>> {
    return send<T>({ method: 'POST', path: `/gate/${grantId}/${path}`, body, isOpen }, readJson)
  }
  return {
    readGate: (grantId: string) => send<GateView>({ method: 'GET', path: `/gate/${grantId}`, isOpen: true }, readJson),
    requestGateCode: (grantId: string, body: { email: string, name: string, locale: Locale }) =>
      post<EmailChallenge>(grantId, 'codes', body, true),
    proveGateEmail: (grantId: string, body: ProveEmail) =>
      post<GateEmailProof>(grantId, 'codes/proof', body, true),
    requestNonce: (grantId: string) => post<Nonce>(grantId, 'nonces', {}, true),
    requestAccess: (grantId: string, body: RequestAccess) =>
      post<GateAccess>(grantId, 'access-requests', body, true),
    renewGateSession: (grantId: string, body: { deviceSigningKey: string, sessionNote: string }) =>
      post<GateSession>(grantId, 'sessions', body, true),
    readGateNda: (grantId: string) => send<NdaText>({ method: 'GET', path: `/gate/${grantId}/nda` }, readJson),
    readGateEvidence: (grantId: string) =>
      send<GateEvidence>({ method: 'GET', path: `/gate/${grantId}/evidence` }, readJson),
    acceptNda: (grantId: string, body: { acceptance: string }) => post<Release>(grantId, 'acceptances', body),
    declineNda: (grantId: string, body: { decline: string }) => post<Release>(grantId, 'decline', body),
    requestReleases: (grantId: string) => post<Release>(grantId, 'releases', {}),
    keepDeviceHeaders: (grantId: string, body: KeepDeviceHeaders) =>
      empty(send, { method: 'PUT', path: `/gate/${grantId}/device-headers`, body }),
    readReceipt: (eventId: string) => send<Receipt>({ method: 'GET', path: `/receipts/${eventId}` }, readJson),
  }
}

export interface EventFilter {
  type?: string, personId?: string, documentId?: string, fromMs?: number, toMs?: number,
}

export interface EventQuery extends EventFilter {
  before?: number | null, after?: number | null, order?: 'oldest-first', limit?: number,
}

/** `null`: the whole instance, for whom its operator has named. */
function eventsPath(vaultId: string | null): string {
  return vaultId === null ? '/instance' : `/vaults/${vaultId}`
}

async function readJsonUnlessSame<T>(response: Response): Promise<T | null> {
  return response.status === 304 ? null : await readJson<T>(response)
}

/** Schemas take digits as text, so that a query and a body are read alike. */
function filterBody(filter: EventFilter): Record<string, string> {
  const set = Object.entries(filter).filter(([, value]) => value !== undefined)
  return Object.fromEntries(set.map(([name, value]) => [name, String(value)]))
}

function auditCalls(send: Send) {
  return {
    inviteAuditor: (vaultId: string, body: { email: string, withIdentities: boolean }) =>
      send<Invitation>({ method: 'POST', path: `/vaults/${vaultId}/invitations`, body }, readJson),
    listInvitations: (vaultId: string) =>
      send<InvitationList>({ method: 'GET', path: `/vaults/${vaultId}/invitations` }, readJson),
    revokeInvitation: (invitationId: string) =>
      empty(send, { method: 'POST', path: `/invitations/${invitationId}/revoke`, body: {} }),
    acceptInvitation: (invitationId: string) =>
      send<AuditedVault>({ method: 'POST', path: `/invitations/${invitationId}/accept`, body: {} }, readJson),
    listAuditedVaults: () => send<AuditedVaultList>({ method: 'GET', path: '/audited-vaults' }, readJson),
    listEvents: (vaultId: string | null, query: EventQuery = {}) => send<EventList>(
      { method: 'GET', path: `${eventsPath(vaultId)}/events`, query: { ...query } }, readJson),
    /** The same, or `null` while the newest entry is still the one that is known. */
    listNewEvents: (vaultId: string | null, query: EventQuery & { after: number }) =>
      send<EventList | null>({
        method: 'GET', path: `${eventsPath(vaultId)}/events`, query: { ...query },
        headers: { 'if-none-match': `"${query.after}"` },
      }, readJsonUnlessSame),
    /** All events of a vault; that they become an evidence pack is an event. */
    exportForPack: (vaultId: string) => send({
      method: 'POST', path: `/vaults/${vaultId}/exports`, body: { format: 'evidence' }, timeoutMs: EXPORT_TIMEOUT_MS,
    }, readExport),
    exportEvents: (vaultId: string) => send(
      { method: 'POST', path: `/vaults/${vaultId}/exports`, body: {}, timeoutMs: EXPORT_TIMEOUT_MS },
      readExport),
    /** The same as it comes, and what fits a filter: whoever reads the stream learns how it ends. */
    streamEvents: (
      vaultId: string | null, filter: EventFilter & { format: 'json' | 'csv' }, signal: AbortSignal,
    ) => send({
      method: 'POST', path: `${eventsPath(vaultId)}/exports`, body: filterBody(filter),
      timeoutMs: EXPORT_TIMEOUT_MS, signal,
    }, async (response) => response.body),
  }
}

function logCalls(send: Send) {
  return {
    /** A file of the public log: tiles, bundles, the checkpoint. */
    readLogFile: (path: string, signal: AbortSignal) =>
      send({ method: 'GET', path: `/${path}`, isFile: true, isOpen: true, signal }, readUpTo(MAX_FILE_SIZE_BYTES)),
    /** A checkpoint that this browser remembers, for the log to be held against. */
    bringCheckpoint: (checkpoint: string) => send<GossipAnswer>(
      { method: 'POST', path: '/log/gossip', body: { checkpoint }, isOpen: true }, readJson),
    readConsistency: (range: { from: number, to: number, log: string }) => send<ConsistencyProof>(
      { method: 'GET', path: '/log/consistency', query: { ...range }, isOpen: true }, readJson),
    readFirstTimeStamp: (
      query: { index: number, size: number, log: string },
    ) => send<FirstTimeStamp>(
      { method: 'GET', path: '/log/timestamps/first', query, isOpen: true }, readJson),
  }
}

// ---------------------------------------------------------------------------- parts

interface PartToSend { bytes: Uint8Array<ArrayBuffer>, sha256: string }
interface PartOptions { onSent?: (sentBytes: number) => void, signal?: AbortSignal }
type PutPart = (
  target: PartTarget, part: PartToSend, options?: PartOptions,
) => Promise<Answer<null>>

/** Only XMLHttpRequest tells how much of a body has left. Answers the status, 0 if none came. */
function upload(request: {
  url: string, headers: Readonly<Record<string, string>>,
}, part: PartToSend,
options: PartOptions): Promise<{ status: number, text: string }> {
  return new Promise((resolve) => {
    const xhr = new XMLHttpRequest()
    const abort = () => xhr.abort()
    xhr.open('PUT', request.url)
    for (const [name, value] of Object.entries(request.headers)) xhr.setRequestHeader(name, value)
    xhr.timeout = PART_TIMEOUT_MS
    xhr.upload.onprogress = (event) => options.onSent?.(event.loaded)
    xhr.onloadend = () => {
      options.signal?.removeEventListener('abort', abort)
      resolve({ status: xhr.status, text: xhr.responseText })
    }
    if (options.signal?.aborted === true) return resolve({ status: 0, text: '' })
    options.signal?.addEventListener('abort', abort)
    xhr.send(part.bytes)
  })
}

/** A bucket's presigned address gets what it was signed for and nothing of ours. */
function partHeaders(line: Line, target: PartTarget, part: PartToSend): Record<string, string> {
  if (!isOwnAddress(target.url)) return target.headers
  return {
    ...headersOf({ method: 'PUT', path: '', body: part.bytes }, line.session?.accessToken ?? null),
    'x-content-sha256': part.sha256,
    ...target.headers,
  }
}

function isOwnAddress(url: string): boolean {
  return new URL(url, location.href).origin === location.origin
}

async function putPart(
  line: Line, target: PartTarget, part: PartToSend, options: PartOptions,
): Promise<Answer<null>> {
  for (let tryIndex = 0; tryIndex < PART_TRY_COUNT; tryIndex++) {
    const answer = await upload(
      { url: target.url, headers: partHeaders(line, target, part) }, part, options,
    )
    if (answer.status >= 200 && answer.status < 300) return { ok: true, value: null }
    if (options.signal?.aborted === true) break
    const isOurs = isOwnAddress(target.url)
    // In the bucket already: a lost answer's. The server looks at it before the version is stored.
    if (answer.status === 412 && !isOurs) return { ok: true, value: null }
    if (answer.status === 401 && isOurs) {
      if (await renewOnce(line) === 'ended') return { ok: false, code: 'not-signed-in' }
    } else if (answer.status >= 400 && answer.status < 500 && isOurs) {
      return { ok: false, code: refusalOfText(answer.text) }
    } else {
      await pause(PART_RETRY_AFTER_MS * 2 ** tryIndex, options.signal)
    }
  }
  return { ok: false, code: 'offline' }
}

function refusalOfText(text: string): ApiFailure {
  const match = /"code":"([a-z-]+)"/.exec(text)
  return refusalCode(match?.[1])
}

function pause(durationMs: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, durationMs)
    signal?.addEventListener('abort', () => { clearTimeout(timer); resolve() }, { once: true })
  })
}

// ---------------------------------------------------------------------------- the whole

function openLine(options: ApiOptions, renew: () => Promise<Renewal>): Line {
  return {
    baseUrl: options.baseUrl ?? '',
    fetch: options.fetch ?? ((...request) => fetch(...request)),
    renew: options.renew ?? renew,
    session: null,
    renewing: null,
    onEnded: () => undefined,
  }
}

function lineCalls(line: Line) {
  return {
    /** From now on calls carry this session; null after signing out. */
    holdSession(session: Session | null): void {
      line.session = session
    },
    hasSession: () => line.session !== null,
    /** Called when a session could not be renewed. One listener: the shell. */
    onSessionEnded(listener: () => void): void {
      line.onEnded = listener
    },
  }
}

/** What the gate asks of the server and no more: its readers download nothing of the founder's. */
export function createGateApi(renew: (api: GateApi) => Promise<Renewal>): GateApi {
  const line = openLine({}, () => renew(api))
  const sendOn: Send = (call, read) => send(line, call, read)
  const api = {
    ...instanceCalls(sendOn), ...versionCalls(sendOn), ...gateCalls(sendOn), ...logCalls(sendOn),
    ...lineCalls(line),
  }
  return api
}

/** A line to the server with a session of its own ([Note: One api, one session]). */
export function createApi(options: ApiOptions = {}) {
  const line = openLine(options, renewByCookie)
  const sendOn: Send = (call, read) => send(line, call, read)

  async function renewByCookie(): Promise<Renewal> {
    const refreshed = await api.refreshSession()
    if (refreshed.ok) return refreshed.value
    return refreshed.code === 'not-signed-in' ? null : 'offline'
  }

  const api = {
    ...instanceCalls(sendOn),
    ...accountCalls(sendOn),
    ...sessionCalls(sendOn),
    ...keyringCalls(sendOn),
    ...vaultCalls(sendOn),
    ...uploadCalls(
      sendOn, (target, part, partOptions = {}) => putPart(line, target, part, partOptions),
    ),
    ...versionCalls(sendOn),
    ...grantCalls(sendOn),
    ...gateCalls(sendOn),
    ...auditCalls(sendOn),
    ...logCalls(sendOn),
    ...lineCalls(line),
  }
  return api
}

export type Api = ReturnType<typeof createApi>

type CallsOf<Make extends (...input: never[]) => unknown> = keyof ReturnType<Make>

export type GateApi = Pick<Api,
  CallsOf<typeof instanceCalls> | CallsOf<typeof versionCalls> | CallsOf<typeof gateCalls> |
  CallsOf<typeof logCalls> | CallsOf<typeof lineCalls>>
