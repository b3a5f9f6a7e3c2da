// Goal: the server hands out what an evidence pack is made of, to those whom it concerns, and says in the log
// that a pack of a vault was taken.
// Method: a signature over the real API; packs made of the answers; each checked whole.
import { readFileSync } from 'node:fs'
import t from 'tap'
import type { GateEvidence } from '../../protocol/api.js'
import { decodeBase64Url, encodeUtf8 } from '../../protocol/bytes.js'
import { checkEvidence } from '../../protocol/evidence/check.js'
import { buildPack, type PackInput } from '../../protocol/evidence/pack.js'
import { policyOfLog } from '../../protocol/log/policy.js'
import { ready } from '../../protocol/sodium.js'
import { Investor } from '../helpers/investor.js'
import { Founder } from '../helpers/people.js'
import { checkLog, startWorld } from '../helpers/world.js'

await ready()

const FONT = new URL(
  '../../node_modules/@expo-google-fonts/noto-sans/400Regular/NotoSans_400Regular.ttf', import.meta.url)

t.test('founder and investor take their packs', async (t) => {
  const test = await startWorld(t)
  const founder = await new Founder(test).signsUp()
  const link = await founder.sharesDeck()
  const grace = new Investor(test)
  const una = new Investor(test, { name: 'Una', email: 'una@fund.example' })
  await grace.enters(link)
  await grace.signsNda(link)
  await una.enters(link)
  const policy = policyOfLog(test.world.keys.log.vkey)
  const common: Omit<PackInput, 'proofs' | 'agreements'> = {
    policy, madeAt: '2026-11-23T09:00:00.000Z', language: 'en', font: readFileSync(FONT),
    verifier: encodeUtf8('x'),
  }

  const evidence = await grace.gets<GateEvidence>(`/api/gate/${link.grantId}/evidence`)
  t.same([...new Set(evidence.receipts.map(({ eventType }) => eventType))].sort(),
    ['device.enrolled', 'email.verified', 'header.released', 'nda.accepted'])
  const receipts = evidence.receipts.map(({ proof, details }) => ({
    proof,
    details: details &&
      { bytes: decodeBase64Url(details.bytes), salt: decodeBase64Url(details.salt) },
  }))
  const agreements = evidence.agreements.map(({ text }) => encodeUtf8(text))
  const own = await buildPack({ ...common, agreements, proofs: { receipts } })
  const report = checkEvidence([{ name: 'own.zip', bytes: own }], policy)
  t.equal(report.outcome, 'verified')
  t.same(report.findings, [])
  const [accepted] = report.acceptances
  t.equal(accepted?.acceptance?.name, 'Grace Hopper')
  t.ok(accepted?.agreementFile, 'the agreement is in it')
  t.ok(accepted?.emailProof, 'and how the address was proven')
  t.ok((accepted?.releases.length ?? 0) > 0, 'and what it opened')

  const unsigned = await una.gets<GateEvidence>(`/api/gate/${link.grantId}/evidence`)
  t.same(unsigned.agreements, [], 'who has not signed gets no agreement from here')
  t.notOk(JSON.stringify(unsigned).includes(evidence.receipts[0]?.eventId ?? '-'), 'and nothing of another')

  const exported = await founder.asks('POST', `/api/vaults/${link.vaultId}/exports`, { format: 'evidence' })
  t.equal(exported.statusCode, 200)
  const text = exported.rawPayload.toString('utf8')
  const proofs = { exportText: text, party: null }
  const whole = await buildPack({ ...common, agreements, proofs })
  const vault = checkEvidence([{ name: 'vault.zip', bytes: whole }], policy)
  t.equal(vault.outcome, 'verified')
  const made = vault.events.filter(({ event }) => event?.type === 'export.made')
  t.same(made.map(({ event }) => event?.format), ['evidence'], 'that it was taken is part of it')
  t.equal(vault.events.length, JSON.parse(text).events.length)

  const party = accepted?.proof?.event?.party ?? ''
  const person = await buildPack({ ...common, agreements, proofs: { exportText: text, party } })
  const hers = checkEvidence([{ name: 'person.zip', bytes: person }], policy)
  t.equal(hers.outcome, 'verified')
  t.same(hers.findings, [])
  t.ok(hers.events.some(({ event }) => event?.type === 'version.stored'), 'what she opened is in it')
  t.notOk(Buffer.from(person).includes(una.email), 'and nobody else')
  await checkLog(t, test.world)
})
