// Goal: a founder's client makes no key for a server that goes back behind what she signed or revoked, and none for
// somebody whom only the server calls approved.
// Method: two workers in Node with real cryptography; the test is the server between them, and lies.
import t from 'tap'
import type { AccessRequest, Approval, GrantSummary, VaultDetail } from '../../protocol/api.js'
import { encodeBase64Url, encodeUtf8 } from '../../protocol/bytes.js'
import { sha256 } from '../../protocol/hash.js'
import { hashRecipient, verifyEnrolment } from '../../protocol/log/acceptance.js'
import { parseVkey } from '../../protocol/log/note.js'
import { ready } from '../../protocol/sodium.js'
import {
  CARD, ON_SIGNATURE, accessRequestOf, gateView, makeClient, makeGrant, makeLog, nonce,
  sealAndStore, sealInput,
} from './founder-fixture.js'

await ready()

const NDA_TEXT = '# Mutual NDA\n\nKeep it to yourself.\n'
const NDA_SHA256 = encodeBase64Url(sha256(encodeUtf8(NDA_TEXT)))
const ON_APPROVAL = { ...ON_SIGNATURE, release: 'on-approval' as const }
const STALE = { message: /^stale-version/ }

async function stage() {
  const log = makeLog()
  const { crypto: founder } = makeClient()
  const { signingKey } = await founder.createRoot()
  const { vaultId } = sealInput()
  const { version } = await sealAndStore(founder, sealInput({ vaultId }))
  const { vkey: logVkey } = log
  const terms = { vaultId, logVkey, ndaSha256: NDA_SHA256, versions: [], policy: ON_APPROVAL }
  const grant = await makeGrant(founder, terms)
  const vaultWith = (grants: readonly GrantSummary[], versions = [version]): VaultDetail => ({
    vaultId, titleSealed: '', createdAtMs: 0, ndas: [], grants: [...grants],
    documents: [{ documentId: version.documentId, nameSealed: '', versions }],
  })
  async function request(): Promise<AccessRequest> {
    const { crypto } = makeClient()
    const { grantId } = grant.summary
    await crypto.takeFragment({ grantId, fragment: grant.fragment })
    await crypto.verifyGate(
      gateView({ vaultId, grant, signingKey, logVkey, ndaSha256: NDA_SHA256 }))
    const person = { name: 'Grace Hopper', email: 'grace@fund.example' }
    const { enrolment } = await crypto.signAccessRequest({ grantId, ...person, nonce: nonce() })
    const { acceptance } = await crypto.signAcceptance({
      grantId,
      acceptance: {
        agreementTitle: 'Mutual NDA', agreementText: NDA_TEXT, signerName: person.name,
        signerEmail: person.email, signingFor: '', consentVersion: 1, nonce: nonce(),
      },
    })
    const { recipient, deviceKey } = verifyEnrolment(enrolment)
    const deviceSigningKey = encodeBase64Url(parseVkey(deviceKey).publicKey)
    return accessRequestOf({ vaultId, grantId, acceptance, enrolment, recipient, deviceSigningKey })
  }
  return { founder, vaultId, version, grant, terms, vaultWith, request }
}

t.test('an older revision, and a link that she revoked, get no header', async (t) => {
  const { founder, vaultId, version, grant, terms, vaultWith } = await stage()
  t.same(await founder.compareVault(vaultWith([grant.summary])), [])
  const signed = await founder.reviseGrant({ ...terms, card: CARD, previous: grant.summary })
  const revised = { ...grant.summary, ...signed, revision: 2 }
  t.same(await founder.compareVault(vaultWith([revised])), [])
  const older = await founder.compareVault(vaultWith([grant.summary], []))
  t.same(older.map(({ kind }) => kind), ['link-older', 'version-older'])
  t.same((await founder.compareVault(vaultWith([]))).map(({ kind }) => kind), ['link-missing'])
  const versions = [{ ...version }]
  await t.rejects(founder.headersForGrant({ vaultId, summary: grant.summary, versions }), STALE)
  await t.rejects(founder.reviseGrant({ ...terms, card: CARD, previous: grant.summary }), STALE)
  t.ok(await founder.headersForGrant({ vaultId, summary: revised, versions }))

  await founder.noteRevoked([grant.summary.grantId])
  t.same((await founder.compareVault(vaultWith([revised]))).map(({ kind }) => kind), ['link-revived'])
  await t.rejects(founder.headersForGrant({ vaultId, summary: revised, versions }), STALE)
})

t.test('whom she let in gets a later version; whom the server calls let in does not', async (t) => {
  const { founder, vaultId, version, grant, request } = await stage()
  const { summary } = grant
  const asked = await request()
  const versions = [version]
  const { headers: [given] } = await founder.approve({
    vaultId, summary, request: asked, versions,
  })
  if (given === undefined) return t.fail('she let Grace in')
  const approval: Approval = {
    request: asked, approval: { wrap: given.wrap, signature: given.wrapSignature },
  }
  const again = { vaultId, summary, approval, versions }
  t.equal((await founder.approveAgain(again)).headers.length, 1)

  const stranger = { ...again, approval: { ...approval, request: await request() } }
  await t.rejects(founder.approveAgain(stranger), { message: /^wrong-header/ }, 'another\'s approval')
  const unsigned = { wrap: given.wrap, signature: encodeBase64Url(new Uint8Array(64)) }
  await t.rejects(founder.approveAgain({ ...again, approval: { ...approval, approval: unsigned } }), { message: /^bad-founder-signature/ })

  await founder.noteRevoked([`recipient/${hashRecipient(asked.recipient)}`])
  const renamed = { ...approval, request: { ...asked, personId: vaultId } }
  await t.rejects(founder.approveAgain({ ...again, approval: renamed }), STALE, 'nor one that her log says she revoked, under another id')
})
