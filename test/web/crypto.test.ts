// Goal: the crypto worker does the whole of founder's and investor's part, and refuses what a dishonest
// server would hand it.
// Method: two workers in Node, with real libsodium and OPAQUE, play founder and investor; the test is the
// server between them, honest first, then not.
import t from 'tap'
import { server as opaqueServer, ready as opaqueReady } from '@serenity-kit/opaque'
import { uuidv7 } from 'uuidv7'
import type { ReleasedHeader } from '../../protocol/api.js'
import { decodeBase64Url, encodeBase64Url, encodeUtf8 } from '../../protocol/bytes.js'
import { sha256 } from '../../protocol/hash.js'
import { parseNote } from '../../protocol/log/note.js'
import { verifyEnrolment } from '../../protocol/log/acceptance.js'
import { ready } from '../../protocol/sodium.js'
import type { CryptoWorker } from '../../web/crypto.js'
import { decodeVisit } from '../../web/crypto/visit.js'
import {
  CARD, ON_SIGNATURE, accessRequestOf, gateView, makeClient, makeGrant, makeLog, nonce, released,
  sealAndStore, sealInput,
  sourceOfStored,
} from './founder-fixture.js'

await ready()
await opaqueReady

const NDA_TEXT = '# Mutual NDA\n\nKeep it to yourself.\n'
const NDA_SHA256 = encodeBase64Url(sha256(encodeUtf8(NDA_TEXT)))
const GRACE = { name: 'Grace Hopper', email: 'grace@fund.example' }
const ACCEPTANCE = {
  agreementTitle: 'Mutual NDA', agreementText: NDA_TEXT, signerName: 'Grace Hopper', signerEmail: 'grace@fund.example',
  signingFor: 'Fund I GP LLC', consentVersion: 1,
}

function code(wanted: string): { message: RegExp } {
  return { message: new RegExp(`^${wanted}(:|$)`) }
}

function bytes(length: number, value: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(length).fill(value)
}

t.test('ways into the root', async (t) => {
  const userId = uuidv7()
  const { crypto } = makeClient()
  const owner = await crypto.createRoot()

  t.test('a passkey locks it and opens it elsewhere', async (t) => {
    const row = await crypto.lockRootWithPasskey({ userId, rowId: uuidv7(), secret: bytes(32, 9) })
    const elsewhere = makeClient().crypto
    t.same(await elsewhere.unlockRootWithPasskey({ userId, row, secret: bytes(32, 9) }), owner)
    await t.rejects(elsewhere.unlockRootWithPasskey({ userId, row, secret: bytes(32, 8) }), code('bad-key-commitment'))
    await t.rejects(elsewhere.unlockRootWithPasskey({ userId: uuidv7(), row, secret: bytes(32, 9) }), code('bad-key-commitment'))
  })

  t.test('a passphrase goes through OPAQUE and opens it elsewhere', async (t) => {
    const serverSetup = opaqueServer.createSetup()
    const { crypto } = makeClient()
    const { registrationRequest } = await crypto.startPassphraseRegistration('correct horse battery staple')
    const owner = await crypto.createRoot() // Between the two messages, as in signing up.
    const { registrationResponse } = opaqueServer.createRegistrationResponse(
      { serverSetup, userIdentifier: userId, registrationRequest },
    )
    const {
      registrationRecord, row,
    } = await crypto.finishPassphraseRegistration({ registrationResponse, userId, rowId: uuidv7() })

    async function logIn(passphrase: string): Promise<CryptoWorker | null> {
      const elsewhere = makeClient().crypto
      const { startLoginRequest } = await elsewhere.startPassphraseLogin(passphrase)
      const { loginResponse } = opaqueServer.startLogin(
        { serverSetup, userIdentifier: userId, registrationRecord, startLoginRequest },
      )
      return await elsewhere.finishPassphraseLogin({ loginResponse }) === null ? null : elsewhere
    }
    t.equal(await logIn('correct horse battery stable'), null, 'a wrong passphrase finishes nothing')
    const elsewhere = await logIn('correct horse battery staple')
    t.same(await elsewhere?.unlockRootWithPassphrase({ userId, row }), owner)
  })

  t.test('a recovery code opens it as people type it', async (t) => {
    const {
      code: text, row, authSha256,
    } = await crypto.createRecoveryCode({ userId, rowId: uuidv7() })
    t.match(text, /^(?:[0-9A-HJKMNP-TV-Z]{4}-){7}[0-9A-HJKMNP-TV-Z]{4}$/)
    const elsewhere = makeClient().crypto
    const read = await elsewhere.readRecoveryCode(` ${text.toLowerCase().replaceAll('-', ' ')} `)
    t.equal(encodeBase64Url(sha256(decodeBase64Url(read?.recoveryAuth ?? ''))), authSha256, 'what the server compares')
    t.same(await elsewhere.unlockRootWithRecovery({ userId, row }), owner)
    t.equal(await elsewhere.readRecoveryCode('not a code'), null)
  })

  t.test('signing out forgets it', async (t) => {
    const { crypto: other } = makeClient()
    await other.createRoot()
    await other.forgetAll()
    t.equal(await other.owner(), null)
    await t.rejects(other.vaultTagKey(uuidv7()), /the root is unlocked/)
  })
})

t.test('labels open in their own place only', async (t) => {
  const { crypto } = makeClient()
  await crypto.createRoot()
  const sealed = await crypto.sealLabel({ label: 'Раунд А', context: 'vault-title:1' })
  t.equal(await crypto.openLabel({ sealed, context: 'vault-title:1' }), 'Раунд А')
  await t.rejects(crypto.openLabel({ sealed, context: 'vault-title:2' }), code('bad-chunk'))
  await t.rejects(crypto.openLabel({ sealed, context: 'grant-name:1' }), code('bad-chunk'))
})

t.test('sealing and opening one\'s own', async (t) => {
  const { crypto } = makeClient()
  await crypto.createRoot()
  const file = new Blob([bytes(5 * 1024 * 1024, 3), bytes(1000, 4)])
  const input = sealInput({ file })
  const stored = await sealAndStore(crypto, input)
  t.equal(stored.payload.length, stored.version.payloadLength)
  t.equal(await crypto.openLabel({ sealed: (await crypto.beginSeal(input, () => undefined)).beginUpload.nameSealed, context: `document-name:${input.documentId}` }), input.title)

  const { port1, port2 } = new MessageChannel()
  t.teardown(() => port1.close())
  const source = sourceOfStored(stored)
  const heard: unknown[] = []
  const answers = new Promise<void>((resolve) => {
    port1.onmessage = ({ data }) => { if (heard.push(data) === 5) resolve() }
  })
  const opened = await crypto.openOwnVersion(
    { vaultId: input.vaultId, version: stored.version, previousRecords: [] }, source, port2,
  )
  t.same(opened, { title: input.title, fileName: 'deck.pdf', mediaType: 'application/pdf', sizeBytes: file.size, pageCount: 1 })
  port1.postMessage({ id: 1, kind: 'read', offset: file.size - 1001, length: 1001 })
  port1.postMessage({ id: 2, kind: 'thumbnail', index: 0 })
  port1.postMessage({ id: 3, kind: 'read', offset: file.size - 10, length: 11 })
  port1.postMessage({ id: 4, kind: 'thumbnail', index: 1 })
  await answers
  t.match(heard[0], { kind: 'document', size: file.size, pageCount: 1, thumbnails: [{ width: 8, height: 4, mediaType: 'image/webp' }] })
  const byId = new Map(heard.slice(1).map((one) => [Reflect.get(Object(one), 'id'), one]))
  t.same(byId.get(1), { id: 1, bytes: new Uint8Array([3, ...new Array<number>(1000).fill(4)]) })
  t.same(byId.get(2), { id: 2, bytes: new Uint8Array([1, 2, 3]) })
  t.same(byId.get(3), { id: 3, error: 'out-of-range' })
  t.same(byId.get(4), { id: 4, error: 'out-of-range' })
  t.ok(source.ranges.every(([start, end]) => end - start < 300_000), 'it read what was asked for and little more')
})

t.test('parts asked for at once come out once each', async (t) => {
  const { crypto } = makeClient()
  await crypto.createRoot()
  const file = new Blob([bytes(9_000_000, 1)])
  const begun = await crypto.beginSeal(sealInput({ file }), () => undefined)
  const parts = await Promise.all([0, 1, 2, 3].map(() => crypto.nextPart(begun.sealId)))
  t.same(parts.map((part) => part?.index ?? null), [0, 1, 2, null])
  t.ok((await crypto.finishSeal(begun.sealId)).record)
})

t.test('a file that changes under the seal is said to have changed', async (t) => {
  const { crypto } = makeClient()
  await crypto.createRoot()
  const gone = Object.assign(new Error('gone'), { name: 'NotReadableError' })
  const file = new Blob([bytes(1000, 1)])
  // As Chromium does it: a stream breaks off without a reason.
  const stream = () => new ReadableStream({ start: (end) => end.error(new TypeError('network error')) })
  const slice = () => ({ stream, slice, arrayBuffer: () => Promise.reject(gone) })
  Object.assign(file, { slice })
  await t.rejects(crypto.beginSeal(sealInput({ file }), () => undefined), code('source-changed'))
})

t.test('a resumed seal gives the same bytes, and another file is refused', async (t) => {
  const { crypto } = makeClient()
  await crypto.createRoot()
  const file = new Blob([bytes(5_000_000, 1)])
  const input = sealInput({ file })
  const begun = await crypto.beginSeal(input, () => undefined)
  const first = await crypto.nextPart(begun.sealId)
  await crypto.cancelSeal(begun.sealId)
  await t.rejects(crypto.nextPart(begun.sealId), /a seal is begun/)

  const { draftSealed, nonce: payloadNonce, ownerHeader } = begun.beginUpload
  const kept = { draftSealed, nonce: payloadNonce, ownerHeader }
  const progress: number[] = []
  const resumed = await crypto.resumeSeal(
    { ...input, ...kept }, (doneBytes) => progress.push(doneBytes),
  )
  t.same((await crypto.nextPart(resumed?.sealId ?? ''))?.sha256, first?.sha256)
  t.same(progress, [...progress].sort((a, b) => a - b), 'progress only grows')

  const other = new Blob([bytes(4_999_999, 1), bytes(1, 2)])
  t.equal(await crypto.resumeSeal({ ...input, ...kept, file: other }, () => undefined), null)
  await t.rejects(crypto.resumeSeal({ ...input, ...kept, version: 2 }, () => undefined), code('bad-key-commitment'))
})

t.test('from a link to an open deck', async (t) => {
  const log = makeLog()
  const founder = makeClient().crypto
  const { signingKey } = await founder.createRoot()
  const input = sealInput()
  const stored = await sealAndStore(founder, input)
  const { vaultId } = input
  const versions = [stored.version]
  const grant = await makeGrant(
    founder, { vaultId, logVkey: log.vkey, ndaSha256: NDA_SHA256, versions },
  )
  const { grantId } = grant.summary
  const view = gateView({ vaultId, grant, signingKey, logVkey: log.vkey, ndaSha256: NDA_SHA256 })

  t.same(await founder.readGrant({ vaultId, summary: grant.summary }), {
    policy: ON_SIGNATURE, ndaSha256: NDA_SHA256, card: CARD, fragment: grant.fragment,
  }, 'the founder can copy the link again')

  async function visit(store = makeClient().store) {
    const investor = makeClient(store).crypto
    await investor.takeFragment({ grantId, fragment: grant.fragment })
    await investor.verifyGate(view)
    return { investor, store }
  }

  t.test('the gate shows what the founder signed', async (t) => {
    const { investor } = await visit()
    const gate = await investor.verifyGate(view)
    t.match(gate, { card: CARD, policy: ON_SIGNATURE, revision: 1, ndaSha256: NDA_SHA256, logOrigin: 'log.test/2026' })
    t.equal(gate.founderFingerprint, (await founder.owner())?.fingerprint)
    t.equal(await makeClient().crypto.takeFragment({ grantId, fragment: 'AAAA' }), null, 'not a fragment')
  })

  t.test('a gate that was tampered with is refused', async (t) => {
    const stranger = makeClient().crypto
    const { signingKey: strangersKey } = await stranger.createRoot()
    const foreign = await makeGrant(
      stranger, { vaultId, logVkey: log.vkey, ndaSha256: NDA_SHA256, versions: [] },
    )
    const { investor } = await visit()
    const flipped = `${view.grant.slice(0, -1)}${view.grant.endsWith('A') ? 'Q' : 'A'}`
    const cases = [
      ['wrong-founder', { ...view, signingKey: strangersKey }],
      ['wrong-founder', { ...view, ...foreign.summary, grantId, signingKey: strangersKey }],
      ['bad-founder-signature', { ...view, grant: flipped }],
      ['wrong-vault', { ...view, vaultId: uuidv7() }],
      ['wrong-origin', { ...view, logVkey: `${log.vkey.slice(0, -1)}A` }],
      ['wrong-grant', { ...view, cardSealed: foreign.summary.cardSealed }],
      ['wrong-grant', { ...view, nda: { sha256: encodeBase64Url(bytes(32, 1)), title: 'x', language: 'en' as const } }],
    ] as const
    for (const [wanted, tampered] of cases) {
      await t.rejects(investor.verifyGate(tampered), code(wanted), wanted)
    }
  })

  t.test('an older revision than was seen is refused', async (t) => {
    const { investor, store } = await visit()
    const revised = await founder.reviseGrant({
      vaultId, previous: grant.summary, policy: { ...ON_SIGNATURE, download: false },
      ndaSha256: NDA_SHA256, card: CARD, logVkey: log.vkey, versions,
    })
    t.equal((await investor.verifyGate({ ...view, ...revised })).policy.download, false)
    await investor.signAccessRequest({ grantId, name: 'Grace', email: 'grace@fund.example', nonce: nonce() })
    await t.rejects(investor.verifyGate(view), code('stale-version'))
    const later = makeClient(store).crypto
    await later.recallLink(grantId)
    await t.rejects(later.verifyGate(view), code('stale-version'), 'remembered over a reload')
  })

  t.test('a newer revision is remembered once it was shown, whatever an older tab keeps', async (t) => {
    const { investor, store } = await visit()
    await investor.signAccessRequest({ grantId, name: 'Grace', email: 'grace@fund.example', nonce: nonce() })
    const revised = await founder.reviseGrant({
      vaultId, previous: grant.summary, policy: { ...ON_SIGNATURE, download: false },
      ndaSha256: NDA_SHA256, card: CARD, logVkey: log.vkey, versions,
    })
    const other = makeClient(store).crypto
    await other.recallLink(grantId)
    await other.verifyGate({ ...view, ...revised })
    await investor.receiveHeaders({ grantId, headers: [] })
    const later = makeClient(store).crypto
    await later.recallLink(grantId)
    await t.rejects(later.verifyGate(view), code('stale-version'), 'on the next visit')
    await t.rejects(investor.verifyGate(view), code('stale-version'), 'in the older tab too')
  })

  t.test('sign, receive, read; and again on the next visit without the fragment', async (t) => {
    const { investor, store } = await visit()
    const asked = await investor.signAccessRequest({ grantId, name: 'Grace  Hopper', email: 'grace@fund.example', nonce: nonce() })
    t.match(asked.accessRequest, /^sealdeck\/access-request\/v1\nGrace Hopper <grace@fund\.example> asks/)
    const acceptance = { ...ACCEPTANCE, nonce: nonce() }
    const { text } = await investor.previewAcceptance({ grantId, acceptance })
    const signed = await investor.signAcceptance({ grantId, acceptance })
    t.equal(parseNote(signed.acceptance).text, text, 'what is signed is what was shown')
    await t.rejects(investor.signAcceptance({ grantId, acceptance: { ...acceptance, agreementText: 'another' } }), code('malformed-nda'))

    const [header] = grant.headers
    if (header === undefined) return t.fail('the link has its header')
    const {
      deviceHeaders,
    } = await investor.receiveHeaders({ grantId, headers: [released(stored, header)] })
    const saved = await investor.saveVersion(
      { grantId, versionId: stored.version.versionId }, sourceOfStored(stored), () => undefined,
    )
    t.same(
      new Uint8Array(await saved.file.arrayBuffer()),
      new Uint8Array(await input.file.arrayBuffer()),
    )

    const later = makeClient(store).crypto
    t.equal(await later.recallLink(grantId), true)
    await later.verifyGate(view)
    t.match(await later.signSession({ grantId, nonce: nonce() }), { sessionNote: /^sealdeck\/session\/v1\n/ })
    const own = { ...released(stored, header), header: deviceHeaders[0]?.header ?? '', wrap: null }
    t.same(await later.receiveHeaders({ grantId, headers: [own] }), { deviceHeaders: [] }, 'its own header needs no other')
    await later.forgetDevice(grantId)
    t.equal(await later.recallLink(grantId), false)
  })

  t.test('two tabs of one link share a device and lose nothing of each other', async (t) => {
    const { investor, store } = await visit()
    const other = (await visit(store)).investor
    const first = await investor.signAccessRequest({ ...GRACE, grantId, nonce: nonce() })
    const second = await other.signAccessRequest({ ...GRACE, grantId, nonce: nonce() })
    const devices = [first, second].map(({ enrolment }) => verifyEnrolment(enrolment).deviceKey)
    t.equal(devices[0], devices[1], 'the device is the same')
    const signing = { ...ACCEPTANCE, nonce: nonce() }
    const { acceptance } = await investor.signAcceptance({ grantId, acceptance: signing })
    await other.signAcceptance({ grantId, acceptance: { ...signing, nonce: nonce() } })
    const kept = decodeVisit(store.entries.get(`grant/${grantId}`) ?? new Uint8Array())
    t.equal(kept.acceptances.length, 2)
    t.same(kept.acceptances[0], sha256(encodeUtf8(acceptance)), 'the first is still known')
  })

  t.test('headers that were tampered with are refused', async (t) => {
    const { investor } = await visit()
    await investor.signAccessRequest({ grantId, name: 'Grace', email: 'grace@fund.example', nonce: nonce() })
    const [header] = grant.headers
    if (header === undefined) return t.fail('the link has its header')
    const good = released(stored, header)
    const other = await sealAndStore(founder, sealInput({ vaultId }))
    const [otherHeader] = await founder.headersForGrant(
      { vaultId, summary: grant.summary, versions: [other.version] },
    )
    const [elsewhere] = (await makeGrant(
      founder, { vaultId, logVkey: log.vkey, ndaSha256: NDA_SHA256, versions },
    )).headers
    if (otherHeader === undefined || elsewhere === undefined) return t.fail('headers were made')
    const stranger = makeClient().crypto
    await stranger.createRoot()
    const strangers = await sealAndStore(stranger, sealInput({ vaultId }))
    const cases: [string, ReleasedHeader][] = [
      ['wrong-header', { ...good, header: otherHeader.header }],
      ['wrong-header', { ...good, wrap: released(other, otherHeader).wrap }],
      ['wrong-grant', released(stored, elsewhere)],
      ['wrong-founder', released(strangers, header)],
      ['broken-chain', { ...good, version: 2 }],
      ['broken-chain', { ...good, gate: 'link' }],
      ['broken-chain', { ...good, records: [...good.records, ...good.records] }],
      ['bad-founder-signature', { ...good, wrap: { wrap: header.wrap, signature: encodeBase64Url(bytes(64, 1)) } }],
      ['wrong-header', { ...good, wrap: null }],
    ]
    for (const [wanted, tampered] of cases) {
      await t.rejects(
        investor.receiveHeaders({ grantId, headers: [tampered] }), code(wanted), wanted,
      )
    }
    const renamed = { ...released(other, otherHeader), versionId: good.versionId }
    await t.rejects(investor.receiveHeaders({ grantId, headers: [good, renamed] }), code('broken-chain'), 'one name for two')
    t.ok(await investor.receiveHeaders({ grantId, headers: [good] }))
    await t.rejects(investor.receiveHeaders({ grantId, headers: [renamed] }), code('broken-chain'), 'nor one after the other')
    t.ok(await investor.receiveHeaders({ grantId, headers: [good] }), 'the same again is nothing new')
  })

  t.test('ciphertext that was tampered with is refused', async (t) => {
    const { investor } = await visit()
    await investor.signAccessRequest({ grantId, name: 'Grace', email: 'grace@fund.example', nonce: nonce() })
    await investor.receiveHeaders(
      { grantId, headers: grant.headers.map((header) => released(stored, header)) },
    )
    const save = (
      payload: Uint8Array<ArrayBuffer>, hashList = stored.hashList,
    ) => investor.saveVersion(
      {
        grantId, versionId: stored.version.versionId,
      }, sourceOfStored({ ...stored, payload, hashList }), () => undefined)
    const flipped = stored.payload.slice()
    flipped[100_000] = (flipped[100_000] ?? 0) ^ 1
    await t.rejects(save(flipped), code('bad-chunk-hash'))
    await t.rejects(save(stored.payload.slice(0, -1)), code('bad-length'))
    await t.rejects(save(stored.payload, stored.hashList.slice(32)), code('bad-root'))
  })

  t.test('a later version follows, an older one is refused', async (t) => {
    const { investor } = await visit()
    await investor.signAccessRequest({ grantId, name: 'Grace', email: 'grace@fund.example', nonce: nonce() })
    const second = await sealAndStore(
      founder, { ...input, version: 2, previousRecord: stored.version.record },
    )
    const [header] = await founder.headersForGrant(
      { vaultId, summary: grant.summary, versions: [second.version] },
    )
    const [first] = grant.headers
    if (header === undefined || first === undefined) return t.fail('headers were made')
    const oldRecord = { record: stored.version.record, signature: stored.version.recordSignature }
    const newest = released(second, header)
    await investor.receiveHeaders({
      grantId,
      headers: [released(stored, first), { ...newest, records: [oldRecord, ...newest.records] }],
    })
    await t.rejects(investor.receiveHeaders({ grantId, headers: [released(stored, first)] }), code('stale-version'))
    await t.rejects(investor.receiveHeaders({ grantId, headers: [newest] }), code('broken-chain'))
  })
})

t.test('release on approval', async (t) => {
  const log = makeLog()
  const founder = makeClient().crypto
  const { signingKey } = await founder.createRoot()
  const input = sealInput()
  const { vaultId } = input
  const whole = await sealAndStore(founder, input)
  const open = await sealAndStore(founder, { ...input, part: 1, gate: 'email' })
  const versions = [whole.version, open.version]
  const policy = { ...ON_SIGNATURE, release: 'on-approval' as const }
  const grant = await makeGrant(
    founder, { vaultId, logVkey: log.vkey, ndaSha256: NDA_SHA256, versions, policy },
  )
  const { grantId } = grant.summary
  t.same(grant.headers.map(({ versionId }) => versionId), [open.version.versionId], 'no header of the nda part exists before approval')

  const investor = makeClient().crypto
  await investor.takeFragment({ grantId, fragment: grant.fragment })
  await investor.verifyGate(
    gateView({ vaultId, grant, signingKey, logVkey: log.vkey, ndaSha256: NDA_SHA256 }),
  )
  const { enrolment } = await investor.signAccessRequest({ grantId, name: 'Grace Hopper', email: 'grace@fund.example', nonce: nonce() })
  const {
    acceptance,
  } = await investor.signAcceptance({ grantId, acceptance: { ...ACCEPTANCE, nonce: nonce() } })
  const { recipient } = verifyEnrolment(enrolment)
  const deviceSigningKey = (await investor.signSession({ grantId, nonce: nonce() }))?.deviceSigningKey ?? ''
  const request = accessRequestOf(
    { vaultId, grantId, acceptance, enrolment, recipient, deviceSigningKey },
  )

  t.test('the founder approves, and the device opens', async (t) => {
    const { headers } = await founder.approve(
      { vaultId, summary: grant.summary, request, versions: [whole.version] },
    )
    const [header] = headers
    if (header === undefined) return t.fail('the device has its header')
    await investor.receiveHeaders({ grantId, headers: [released(whole, header)] })
    const saved = await investor.saveVersion(
      { grantId, versionId: whole.version.versionId }, sourceOfStored(whole), () => undefined,
    )
    t.equal(saved.file.size, input.file.size)

    const other = makeClient().crypto
    await other.takeFragment({ grantId, fragment: grant.fragment })
    await other.verifyGate(
      gateView({ vaultId, grant, signingKey, logVkey: log.vkey, ndaSha256: NDA_SHA256 }),
    )
    await other.signAccessRequest({ grantId, name: 'Eve', email: 'eve@fund.example', nonce: nonce() })
    await t.rejects(other.receiveHeaders({ grantId, headers: [released(whole, header)] }), code('wrong-header'), 'another device with the same link cannot')
  })

  t.test('what the server puts together itself is refused', async (t) => {
    const other = makeClient().crypto
    await other.takeFragment({ grantId, fragment: grant.fragment })
    await other.verifyGate(
      gateView({ vaultId, grant, signingKey, logVkey: log.vkey, ndaSha256: NDA_SHA256 }),
    )
    const others = await other.signAccessRequest({ grantId, name: 'Eve', email: 'eve@fund.example', nonce: nonce() })
    const elsewhere = await makeGrant(
      founder, { vaultId, logVkey: log.vkey, ndaSha256: NDA_SHA256, versions: [], policy },
    )
    const cases = [
      ['bad-details', { ...request, recipient: verifyEnrolment(others.enrolment).recipient }],
      ['wrong-grant', { ...request, enrolment: others.enrolment, recipient: verifyEnrolment(others.enrolment).recipient, deviceSigningKey: (await other.signSession({ grantId, nonce: nonce() }))?.deviceSigningKey ?? '' }],
      ['bad-signature', { ...request, acceptance: acceptance.replace('Grace', 'Gracy') }],
      ['bad-signature', { ...request, enrolment: enrolment.replace(/signed-at: 2026/, 'signed-at: 2025') }],
      ['bad-details', { ...request, email: 'eve@fund.example' }],
    ] as const
    for (const [wanted, tampered] of cases) {
      await t.rejects(
        founder.approve({ vaultId, summary: grant.summary, request: tampered, versions }),
        code(wanted), wanted,
      )
    }
    await t.rejects(founder.approve({ vaultId, summary: elsewhere.summary, request, versions }), code('wrong-grant'))
  })

  t.test('declining is signed too', async (t) => {
    const { decline } = await investor.signDecline({ grantId, nonce: nonce() })
    t.match(decline, /^sealdeck\/decline\/v1\nGrace Hopper <grace@fund\.example> declines/)
  })
})

t.test('an auditor\'s fragment pins founder and log', async (t) => {
  const founder = makeClient().crypto
  const owner = await founder.createRoot()
  const { vkey } = makeLog()
  const fragment = await founder.auditorFragment(vkey)
  const pins = await makeClient().crypto.takeAuditorFragment(fragment)
  t.equal(pins?.founderFingerprint, owner.fingerprint)
  t.equal(pins?.logKeySha256, encodeBase64Url(sha256(encodeUtf8(vkey)).slice(0, 16)))
  t.equal(await founder.takeAuditorFragment(`${fragment}A`), null)
})
