// Goal: the server hands out what an evidence pack is made of, to those whom it concerns, and says in the log
// that a pack of a vault was taken.
// Method: a signature over the real API, stamped by OpenSSL; packs made of the answers; each checked whole.
import { readFileSync } from 'node:fs'
import t from 'tap'
import type { FirstTimeStamp, GateEvidence } from '../../protocol/api.js'
import { decodeBase64Url, encodeUtf8 } from '../../protocol/bytes.js'
import { checkEvidence } from '../../protocol/evidence/check.js'
import { buildPack, listStampable, type PackInput } from '../../protocol/evidence/pack.js'
import {
  gatherStamps, type StampableEntry, type StampSource,
} from '../../protocol/evidence/stamps.js'
import { policyOfLog } from '../../protocol/log/policy.js'
import { ready } from '../../protocol/sodium.js'
import { stampNewest } from '../../server/time-stamper.js'
import { makeFolder, removeFolder } from '../helpers/engine.js'
import { Investor } from '../helpers/investor.js'
import { Founder } from '../helpers/people.js'
import { hasOpenssl, startTimeStampAuthority } from '../helpers/time-stamp-authority.js'
import { checkLog, startWorld } from '../helpers/world.js'

await ready()

const FONT = new URL(
  '../../node_modules/@expo-google-fonts/noto-sans/400Regular/NotoSans_400Regular.ttf', import.meta.url)

const folder = await makeFolder('evidence')
t.teardown(() => removeFolder(folder))

t.test('founder and investor take their packs', async (t) => {
  const test = await startWorld(t)
  const founder = await new Founder(test).signsUp()
  const link = await founder.sharesDeck()
  const grace = new Investor(test)
  const una = new Investor(test, { name: 'Una', email: 'una@fund.example' })
  await grace.enters(link)
  await grace.signsNda(link)
  await una.enters(link)
  async function stampFrom({ index, size, log }: StampableEntry): Promise<StampSource | null> {
    const path = `/api/log/timestamps/first?index=${index}&size=${size}&log=${log}`
    const { stamp } = await grace.gets<FirstTimeStamp>(path)
    return stamp && {
      checkpoint: stamp.checkpoint, token: decodeBase64Url(stamp.token), size,
      proof: stamp.proof.map(decodeBase64Url),
    }
  }
  const policy = policyOfLog(test.world.keys.log.vkey)
  const common: Omit<PackInput, 'proofs' | 'agreements'> = {
    policy, madeAt: '2026-11-23T09:00:00.000Z', language: 'en', font: readFileSync(FONT),
    verifier: encodeUtf8('x'),
  }

  if (hasOpenssl()) {
    const { url, caPem } = await startTimeStampAuthority(t, folder)
    await stampNewest(test.world, { url, trustedPem: caPem })
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
  const stamps = await gatherStamps(listStampable({ receipts }), stampFrom)
  t.equal(stamps.length, hasOpenssl() ? 1 : 0)
  const own = await buildPack({ ...common, agreements, stamps, proofs: { receipts } })
  const report = checkEvidence([{ name: 'own.zip', bytes: own }], policy)
  t.equal(report.outcome, 'verified')
  t.same(report.findings, [])
  const [accepted] = report.acceptances
  t.equal(accepted?.acceptance?.name, 'Grace Hopper')
  t.ok(accepted?.agreementFile, 'the agreement is in it')
  t.equal(accepted?.stamp === null, !hasOpenssl(), 'and by when it was there')
  t.ok(accepted?.emailProof, 'and how the address was proven')
  t.ok((accepted?.releases.length ?? 0) > 0, 'and what it opened')

  const unsigned = await una.gets<GateEvidence>(`/api/gate/${link.grantId}/evidence`)
  t.same(unsigned.agreements, [], 'who has not signed gets no agreement from here')
  t.notOk(JSON.stringify(unsigned).includes(evidence.receipts[0]?.eventId ?? '-'), 'and nothing of another')

  const exported = await founder.asks('POST', `/api/vaults/${link.vaultId}/exports`, { format: 'evidence' })
  t.equal(exported.statusCode, 200)
  const text = exported.rawPayload.toString('utf8')
  const proofs = { exportText: text, party: null }
  const over = await gatherStamps(listStampable(proofs), stampFrom)
  const whole = await buildPack({ ...common, agreements, stamps: over, proofs })
  const vault = checkEvidence([{ name: 'vault.zip', bytes: whole }], policy)
  t.equal(vault.outcome, 'verified')
  t.equal(vault.acceptances[0]?.stamp === null, !hasOpenssl(), 'under the vault\'s own checkpoint, too')
  for (const wrong of ['index=0&size=99999', 'index=5&size=5', 'index=-1&size=5', 'index=0']) {
    t.equal((await founder.asks('GET', `/api/log/timestamps/first?${wrong}`)).statusCode, 400, wrong)
  }
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
