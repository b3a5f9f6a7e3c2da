// Goal: founder's and investor's clients take nothing on the server's word: not what was published, not whose a
// receipt is, not whom a key belongs to.
// Method: two workers in Node with real cryptography; the test is the server between them, and lies.
import t from 'tap'
import { uuidv7 } from 'uuidv7'
import { decodeBase64Url, encodeBase64Url, encodeHex, encodeUtf8 } from '../../protocol/bytes.js'
import {
  deriveDeviceKeys, deriveLinkKeys, formatRecipient, makeDeviceSeed, parseFragment,
} from '../../protocol/deck/identity.js'
import { sha256 } from '../../protocol/hash.js'
import {
  formatEnrolment, nameKey, signStatement, verifyEnrolment, type Enrolment,
} from '../../protocol/log/acceptance.js'
import { signCheckpoint } from '../../protocol/log/checkpoint.js'
import { encodeEntry, sealEvent, type Event } from '../../protocol/log/event.js'
import { hashLeaf, rootOfLeaves } from '../../protocol/log/merkle.js'
import { cosigner, ed25519Signer, formatVkey, type NoteSigner } from '../../protocol/log/note.js'
import { buildProof } from '../../protocol/log/proof.js'
import { formatCosignatures } from '../../protocol/log/witness.js'
import { randomBytes, ready } from '../../protocol/sodium.js'
import { startNda } from '../../web/founder/nda-order.js'
import { publishDraft } from '../../web/founder/publish-draft.js'
import {
  ON_SIGNATURE, accessRequestOf, gateView, makeClient, makeGrant, makeLog, nonce, sealAndStore,
  sealInput,
} from './founder-fixture.js'

await ready()

const NDA_TEXT = '# Mutual NDA\n\nKeep it to yourself.\n'
const NDA_SHA256 = encodeBase64Url(sha256(encodeUtf8(NDA_TEXT)))
const ON_APPROVAL = { ...ON_SIGNATURE, release: 'on-approval' as const }
const GRACE = { name: 'Grace Hopper', email: 'grace@fund.example' }
const TAG = new Uint8Array(16)
const HASH = encodeHex(sha256(TAG))

function code(wanted: string): { message: RegExp } {
  return { message: new RegExp(`^${wanted}(:|$)`) }
}

async function stage(policy = ON_SIGNATURE) {
  const log = makeLog()
  const founder = makeClient().crypto
  const { signingKey } = await founder.createRoot()
  const { vaultId } = sealInput()
  const grant = await makeGrant(
    founder, { vaultId, logVkey: log.vkey, ndaSha256: NDA_SHA256, versions: [], policy },
  )
  const { grantId } = grant.summary
  const view = gateView({ vaultId, grant, signingKey, logVkey: log.vkey, ndaSha256: NDA_SHA256 })
  async function visit(person = GRACE) {
    const { crypto } = makeClient()
    await crypto.takeFragment({ grantId, fragment: grant.fragment })
    await crypto.verifyGate(view)
    const notes = await crypto.signAccessRequest({ grantId, ...person, nonce: nonce() })
    return { crypto, ...notes, enrolled: verifyEnrolment(notes.enrolment) }
  }
  return { log, founder, vaultId, grant, grantId, visit }
}

t.test('the founder signs the hash of the agreement that she saw', async (t) => {
  const draft = startNda('en', 'Ada Lovelace')
  const published: string[] = []
  function serverThat(lies: boolean) {
    return {
      async publishNda(_vaultId: string, { text, ...nda }: { text: string, title: string, templateId: string, templateVersion: number, language: 'en' | 'ru' }) {
        published.push(text)
        const kept = lies ? 'You may tell everybody.' : text
        const hash = encodeBase64Url(sha256(encodeUtf8(kept)))
        return { ok: true as const, value: { ...nda, sha256: hash, publishedAtMs: 0 } }
      },
    }
  }
  const honest = await publishDraft(serverThat(false), uuidv7(), draft)
  t.same(honest, { ok: true, value: encodeBase64Url(sha256(encodeUtf8(published[0] ?? ''))) })
  t.same(await publishDraft(serverThat(true), uuidv7(), draft), { ok: false, code: 'nda-mismatch' })
})

t.test('on approval no header is made for the link of what its policy puts behind the NDA', async (t) => {
  const { founder, vaultId, log } = await stage()
  const [loose, open] = await Promise.all([
    sealAndStore(founder, sealInput({ vaultId, gate: 'email' })),
    sealAndStore(founder, sealInput({ vaultId, gate: 'link', part: 1 })),
  ])
  const versions = [loose.version, open.version]
  const grant = await makeGrant(
    founder, { vaultId, logVkey: log.vkey, ndaSha256: NDA_SHA256, versions, policy: ON_APPROVAL },
  )
  t.same(grant.headers.map(({ versionId }) => versionId), [open.version.versionId])
  const later = await founder.headersForGrant({ vaultId, summary: grant.summary, versions })
  t.same(later.map(({ versionId }) => versionId), [open.version.versionId])
  const restated = { ...loose.version, part: 1 as const }
  await t.rejects(founder.headersForGrant({ vaultId, summary: grant.summary, versions: [restated] }), code('broken-chain'))
})

t.test('the founder makes no header for the link\'s own key, called a device\'s', async (t) => {
  const { founder, vaultId, grant, grantId, visit } = await stage(ON_APPROVAL)
  const { crypto, enrolled } = await visit()
  const { linkSecret } = parseFragment(grant.fragment)
  const link = deriveLinkKeys(linkSecret, decodeBase64Url(grantId))
  const device = deriveDeviceKeys(makeDeviceSeed(), decodeBase64Url(grantId))
  const signer = (role: 'link' | 'device', { publicKey, secretKey }: typeof device.signing) =>
    ed25519Signer(nameKey(role, publicKey), secretKey.subarray(0, 32))
  const signers = [signer('link', link.signing), signer('device', device.signing)]
  const { acceptance } = await crypto.signAcceptance({
    grantId,
    acceptance: {
      agreementTitle: 'Mutual NDA', agreementText: NDA_TEXT, signerName: GRACE.name,
      signerEmail: GRACE.email, signingFor: '', consentVersion: 1, nonce: nonce(),
    },
  })
  const recipient = formatRecipient(link.identity.recipient)
  const forged: Enrolment = { ...enrolled, recipient }
  const version = (await sealAndStore(founder, sealInput({ vaultId }))).version
  const [, deviceSigner] = signers
  if (deviceSigner === undefined) return t.fail('the device signs')
  const enrolment = signStatement(
    formatEnrolment({ ...forged, deviceKey: formatVkey(deviceSigner.key) }), signers)
  const request = accessRequestOf({
    vaultId, grantId, acceptance, enrolment, recipient,
    deviceSigningKey: encodeBase64Url(device.signing.publicKey),
  })
  await t.rejects(
    founder.approve({ vaultId, summary: grant.summary, request, versions: [version] }),
    { message: /^wrong-grant: the link's own recipient/ })
})

t.test('a receipt counts for the device and the link that it is about', async (t) => {
  const { log, vaultId, grantId, visit } = await stage()
  const { crypto, enrolled } = await visit()
  const eve = (await visit({ name: 'Eve', email: 'eve@fund.example' })).enrolled
  const hash = (text: string) => encodeHex(sha256(encodeUtf8(text)))
  function proofOf(changes: Partial<Event>): string {
    const sealed = sealEvent({
      type: 'header.released', id: uuidv7(), log: 'log.test/2026', at: '2026-11-22T14:30:00.000Z', actor: 'server',
      vault: vaultId, party: uuidv7(), grant: grantId, document: uuidv7(), part: 0, version: 1,
      recordSha256: hash('record'), headerSha256: hash('header'), because: hash('because'),
      recipientSha256: hash(enrolled.recipient), ...changes,
    })
    const opening = { salt: sealed.salt, vaultTag: TAG, partyTag: TAG, eventBytes: sealed.bytes }
    const entry = encodeEntry({ commitment: sealed.commitment, vaultTag: TAG, partyTag: TAG })
    const root = rootOfLeaves([hashLeaf(entry)])
    const checkpoint = signCheckpoint({ origin: 'log.test/2026', size: 1n, root }, [log.signer])
    return buildProof({ opening, index: 0n, path: [], checkpoint })
  }
  const check = (proof: string) => crypto.checkReceipts({
    grantId, proofs: [proof], readConsistency: async () => [],
  })
  const accepted = {
    type: 'nda.accepted' as const, agreementSha256: encodeHex(decodeBase64Url(NDA_SHA256)), grantSha256: hash('grant'),
    linkKey: enrolled.linkKey, deviceKey: enrolled.deviceKey, details: hash('details'),
  }
  const cases: [string, Partial<Event>][] = [
    ['another device\'s release of the same header', { recipientSha256: hash(eve.recipient) }],
    ['another link\'s', { grant: encodeBase64Url(new Uint8Array(16)) }],
    ['another vault\'s', { vault: uuidv7() }],
    ['another\'s acceptance', { ...accepted, deviceKey: eve.deviceKey }],
    ['an acceptance of another agreement', { ...accepted, agreementSha256: hash('another') }],
  ]
  for (const [what, changes] of cases) {
    await t.rejects(check(proofOf(changes)), code('bad-proof'), what)
  }
  t.match(await check(proofOf(accepted)), [{ event: { type: 'nda.accepted' } }])
})

t.test('another person at the same browser gets a device of her own', async (t) => {
  const { grantId, visit } = await stage()
  const { crypto, enrolled } = await visit()
  async function ask(person: { name: string, email: string | null }) {
    const notes = await crypto.signAccessRequest({ grantId, ...person, nonce: nonce() })
    return verifyEnrolment(notes.enrolment)
  }
  t.equal((await ask({ name: 'G. Hopper', email: 'Grace@fund.example' })).deviceKey, enrolled.deviceKey)
  t.equal((await ask({ name: '', email: null })).deviceKey, enrolled.deviceKey)
  const carols = await ask({ name: 'Carol', email: 'carol@fund.example' })
  t.not(carols.deviceKey, enrolled.deviceKey)
  t.not(carols.recipient, enrolled.recipient)
})

t.test('a link that pins its witnesses takes no receipt without their quorum, and no others in their place', async (t) => {
  const witness = (name: string) => cosigner(name, randomBytes(32), () => 1_795_357_868)
  const [north, south, stranger] = [witness('north.example'), witness('south.example'), witness('other.example')]
  function textOf(...keys: NoteSigner[]): string {
    const lines = keys.map(({ key }, at) => `witness w${at} ${formatVkey(key)}\n`).join('')
    return `${lines}group enough 2 w0 w1\nquorum enough\n`
  }
  const witnesses = textOf(north, south)
  const witnessesSha256 = encodeBase64Url(sha256(encodeUtf8(witnesses)))
  const policy = { ...ON_SIGNATURE, witnessesSha256 }
  const { log, founder, vaultId, grant, grantId } = await stage(policy)
  const { signingKey } = await founder.owner() ?? { signingKey: '' }
  const viewWith = (text: string | undefined) => gateView({
    vaultId, grant, signingKey, logVkey: log.vkey, ndaSha256: NDA_SHA256,
    ...text === undefined ? {} : { witnesses: text },
  })
  const { crypto } = makeClient()
  await crypto.takeFragment({ grantId, fragment: grant.fragment })
  await t.rejects(crypto.verifyGate(viewWith(textOf(north, stranger))), code('wrong-grant'))
  await t.rejects(crypto.verifyGate(viewWith(undefined)), code('wrong-grant'), 'they cannot be left out either')
  const gate = await crypto.verifyGate(viewWith(witnesses))
  t.equal(gate.demandedWitnessCount, 2)
  t.equal(gate.logPolicy, `log ${log.vkey}\n${witnesses}`)

  const { enrolment } = await crypto.signAccessRequest({ grantId, ...GRACE, nonce: nonce() })
  const { recipient } = verifyEnrolment(enrolment)
  const sealed = sealEvent({
    type: 'header.released', id: uuidv7(), log: 'log.test/2026', at: '2026-11-22T14:30:00.000Z', actor: 'server',
    vault: vaultId, party: uuidv7(), grant: grantId, document: uuidv7(), part: 0, version: 1,
    recordSha256: HASH, headerSha256: HASH, because: HASH,
    recipientSha256: encodeHex(sha256(encodeUtf8(recipient))),
  })
  const opening = { salt: sealed.salt, vaultTag: TAG, partyTag: TAG, eventBytes: sealed.bytes }
  const entry = encodeEntry({ commitment: sealed.commitment, vaultTag: TAG, partyTag: TAG })
  const root = rootOfLeaves([hashLeaf(entry)])
  const plain = signCheckpoint({ origin: 'log.test/2026', size: 1n, root }, [log.signer])
  const proofBy = (cosigners: NoteSigner[]) => buildProof({
    opening, index: 0n, path: [], checkpoint: `${plain}${formatCosignatures(plain, cosigners)}`,
  })
  const check = (...cosigners: NoteSigner[]) => crypto.checkReceipts({
    grantId, readConsistency: async () => [], proofs: [proofBy(cosigners)],
  })
  await t.rejects(check(), code('quorum-missing'))
  await t.rejects(check(north, stranger), code('quorum-missing'))
  const [checked] = await check(north, south, stranger)
  t.same(checked?.cosignedBy, ['w0', 'w1'])
})

t.test('witnesses that only the server names are counted and not demanded', async (t) => {
  const { log, founder, vaultId, grant, grantId } = await stage()
  const { signingKey } = await founder.owner() ?? { signingKey: '' }
  const { key } = cosigner('north.example', randomBytes(32), () => 1)
  const { crypto } = makeClient()
  await crypto.takeFragment({ grantId, fragment: grant.fragment })
  const gate = await crypto.verifyGate(gateView({
    vaultId, grant, signingKey, logVkey: log.vkey, ndaSha256: NDA_SHA256, witnesses: `witness w ${formatVkey(key)}\nquorum w\n`,
  }))
  t.equal(gate.demandedWitnessCount, 0)
  t.equal(gate.hasWitnesses, true)
})
