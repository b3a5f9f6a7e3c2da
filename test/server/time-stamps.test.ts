// Goal: checkpoints get a stranger's word for their time, which OpenSSL and our own verifier both accept, and
// nothing an authority answers is stored unless it proves what was asked; releases never wait for it.
// Method: OpenSSL as the authority behind a small HTTP server, with RSA and ECDSA; every byte of an answer
// changed; wrong answers, refusals and silence; the stored files checked by OpenSSL and the command line.
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { uuidv7 } from 'uuidv7'
import { insertEvents } from '../../db/queries/outbox.js'
import { encodeUtf8 } from '../../protocol/bytes.js'
import { sha256 } from '../../protocol/hash.js'
import { formatTime, sealEvent } from '../../protocol/log/event.js'
import { main } from '../../scripts/sealdeck.js'
import { checkWholeLog } from '../../server/log-check.js'
import { BadTimeStamp, encodeQuery, verifyTimeStamp } from '../../server/time-stamp-token.js'
import { stampNewest } from '../../server/time-stamper.js'
import { findTimeStamp, listTimeStamps, parseTimeStampPath } from '../../server/time-stamps.js'
import type { World } from '../../server/world.js'
import { makeFolder, removeFolder } from '../helpers/engine.js'
import { hasOpenssl, startTimeStampAuthority } from '../helpers/time-stamp-authority.js'
import { startWorld } from '../helpers/world.js'

const skip = hasOpenssl() ? false : 'no openssl on this machine'
const NONCE = Uint8Array.of(0x41, 2, 3, 4, 5, 6, 7, 8)
const HASH = sha256(encodeUtf8('a checkpoint'))

async function useFolder(t: Test): Promise<string> {
  const folder = await makeFolder('time-stamps')
  t.teardown(() => removeFolder(folder))
  return folder
}

async function append(world: World): Promise<void> {
  const event = sealEvent({
    type: 'admin.acted', id: uuidv7(), log: world.keys.log.origin, actor: 'operator',
    at: formatTime(world.clock.nowMs()), action: 'test',
  })
  await insertEvents(world.db, [event])
  await world.sequencer.published([event.id])
}

function whyNot(run: () => unknown): string {
  try {
    run()
    return ''
  } catch (error) {
    if (error instanceof BadTimeStamp) return error.message
    throw error
  }
}

t.test('an answer counts for its hash, its nonce and its signer alone', { skip }, async (t) => {
  const folder = await useFolder(t)
  for (const kind of ['rsa', 'ec'] as const) {
    const authority = await startTimeStampAuthority(t, join(folder, kind), kind)
    const answer = authority.reply(Buffer.from(encodeQuery({ sha256: HASH, nonce: NONCE })))
    const trustedPem = authority.caPem
    const stamp = verifyTimeStamp(answer, { sha256: HASH, nonce: NONCE, trustedPem })
    t.ok(Math.abs(stamp.atMs - Date.now()) < 60_000, `${kind}: the time is now`)
    t.match(stamp, { signer: 'CN=Test TSA', isTrusted: true })
    t.notOk(verifyTimeStamp(answer, { sha256: HASH, nonce: NONCE }).isTrusted, 'nobody was asked for')

    const other = HASH.map((byte, at) => at === 0 ? byte ^ 1 : byte)
    t.match(whyNot(() => verifyTimeStamp(answer, { sha256: other, trustedPem })), /something else/)
    const otherNonce = NONCE.map((byte) => byte ^ 1)
    t.match(whyNot(() => verifyTimeStamp(answer, { sha256: HASH, nonce: otherNonce, trustedPem })), /another query/)
    const stranger = await startTimeStampAuthority(t, join(folder, `${kind}-stranger`))
    t.match(whyNot(() => verifyTimeStamp(answer, { sha256: HASH, trustedPem: stranger.caPem })), /nobody who is trusted/)
  }
})

t.test('no changed byte passes where something is proved by it', { skip }, async (t) => {
  const authority = await startTimeStampAuthority(t, await useFolder(t))
  const answer = authority.reply(Buffer.from(encodeQuery({ sha256: HASH, nonce: NONCE })))
  const expected = { sha256: HASH, nonce: NONCE, trustedPem: authority.caPem }
  const { atMs } = verifyTimeStamp(answer, expected)
  const passed: number[] = []
  for (let at = 0; at < answer.length; at++) {
    const changed = Buffer.from(answer)
    changed[at] = (changed[at] ?? 0) ^ 1
    if (whyNot(() => verifyTimeStamp(changed, expected)) !== '') continue
    passed.push(at)
    t.equal(verifyTimeStamp(changed, expected).atMs, atMs, 'what is unsigned says nothing about the time')
  }
  // Version numbers, the list of digests and the signer's name beside the signature are not signed.
  t.ok(passed.length < 120, `${passed.length} of ${answer.length} bytes are not signed`)
  for (let size = 0; size < answer.length; size += 7) {
    t.not(whyNot(() => verifyTimeStamp(answer.subarray(0, size), expected)), '', `cut to ${size} bytes`)
  }
  t.match(whyNot(() => verifyTimeStamp(Buffer.alloc(65 * 1024), expected)), /too large/)
})

t.test('a checkpoint is stamped, stored and shown, and others can check it', { skip }, async (t) => {
  const folder = await useFolder(t)
  const authority = await startTimeStampAuthority(t, join(folder, 'tsa'))
  const { world, app } = await startWorld(t)
  await append(world)
  const size = await stampNewest(world, { url: authority.url, trustedPem: authority.caPem })
  t.same(await listTimeStamps(world, { after: 0, limit: 10 }), [size])
  t.equal(await stampNewest(world, { url: authority.url, trustedPem: authority.caPem }), size)
  t.equal(authority.requestCount(), 1, 'a checkpoint is stamped once')
  await append(world)
  const second = await stampNewest(world, { url: authority.url, trustedPem: authority.caPem })

  t.equal((await findTimeStamp(world, 0))?.size, size, 'the first stamp over an entry is found')
  t.equal((await findTimeStamp(world, size))?.size, second)
  t.equal(await findTimeStamp(world, second), undefined, 'what was not stamped yet has none')
  t.same((await app.inject('/api/log/timestamps')).json(), { sizes: [size, second], next: null })
  t.same((await app.inject(`/api/log/timestamps?after=${size}`)).json(), { sizes: [second], next: null })
  t.same((await checkWholeLog(world)).problems, [], 'the files belong to the log')

  const name = String(size).padStart(16, '0')
  for (const [file, type] of [['tsr', 'application/timestamp-reply'], ['checkpoint', 'text/plain; charset=utf-8']]) {
    const answer = await app.inject(`/${world.keys.log.prefix}/timestamps/${name}.${file ?? ''}`)
    t.equal(answer.headers['content-type'], type)
    writeFileSync(join(folder, `file.${file ?? ''}`), answer.rawPayload)
  }
  const openssl = spawnSync('openssl', ['ts', '-verify', '-data', 'file.checkpoint', '-in', 'file.tsr', '-CAfile', authority.caPath], { cwd: folder, encoding: 'utf8' })
  t.match(`${openssl.stdout}${openssl.stderr}`, /Verification: OK/, 'OpenSSL agrees')
  await checkByCommand(t, { folder, caPath: authority.caPath, vkey: world.keys.log.vkey, size })
})

interface Stamped {
  readonly folder: string, readonly caPath: string, readonly vkey: string, readonly size: number,
}

async function checkByCommand(
  t: Test, { folder, caPath, vkey, size }: Stamped,
): Promise<void> {
  const out: string[] = []
  async function verify(...more: readonly string[]): Promise<number> {
    out.length = 0
    const say = (line: string) => { out.push(line) }
    return await main(['verify', 'timestamp', join(folder, 'file.tsr'), '--checkpoint', join(folder, 'file.checkpoint'), ...more], { out: say, err: say, isWatched: false })
  }
  t.equal(await verify('--ca', caPath, '--vkey', vkey), 0)
  t.match(out.join('\n'), `, ${size} entries`)
  t.match(out[0], /^VERIFIED: the checkpoint was there at 20.* UTC, says CN=Test TSA$/)
  t.equal(await verify('--vkey', vkey), 2, 'somebody must be trusted')
  writeFileSync(join(folder, 'file.checkpoint'), 'example/log\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\n— example/log AAAAAAAA\n')
  t.equal(await verify('--ca', caPath), 1, 'another checkpoint')
  t.match(out.join('\n'), /stamped is something else/)
}

t.test('what proves nothing is not stored, and is asked for again', { skip }, async (t) => {
  const folder = await useFolder(t)
  const authority = await startTimeStampAuthority(t, join(folder, 'tsa'))
  const { world } = await startWorld(t)
  const source = { url: authority.url, trustedPem: authority.caPem }
  const refusal = Buffer.from('30053003020102', 'hex')
  const old = authority.reply(Buffer.from(encodeQuery({ sha256: HASH, nonce: NONCE })))
  for (const answer of [refusal, old, 503, Buffer.alloc(0), Buffer.alloc(100_000)]) {
    authority.answerBy(() => answer)
    await t.rejects(stampNewest(world, source), BadTimeStamp)
    t.same(await listTimeStamps(world, { after: 0, limit: 10 }), [])
  }
  authority.answerBy(null)
  const size = await stampNewest(world, source)
  t.same(await listTimeStamps(world, { after: 0, limit: 10 }), [size], 'the note that was left is stamped later')
})

t.test('the leader stamps by itself, tells how far behind it is, and nobody waits for it', { skip }, async (t) => {
  const folder = await useFolder(t)
  const authority = await startTimeStampAuthority(t, join(folder, 'tsa'))
  authority.answerBy(() => 503)
  const { world, app, clock } = await startWorld(t, {
    settings: { TIMESTAMP_URL: authority.url, TIMESTAMP_CA_FILE: authority.caPath },
  })
  await append(world) // Published although the authority refuses.
  clock.advance(90_000)
  t.ok(await world.timeStamper.waitingSeconds() >= 90)
  t.match((await app.inject('/metrics')).body, /sealdeck_log_unstamped_seconds 9\d/)
  await t.rejects(startWorld(t, {
    settings: { TIMESTAMP_URL: authority.url, TIMESTAMP_CA_FILE: join(folder, 'absent') },
  }), { name: 'SettingError', message: /TIMESTAMP_CA_FILE/ })
})

t.test('only names of the one form are time-stamps', (t) => {
  t.same(parseTimeStampPath('timestamps/0000000000000012.tsr'), { size: 12, file: 'tsr' })
  for (const path of ['timestamps/12.tsr', 'timestamps/0000000000000000.tsr', 'timestamps/0000000000000012.pem', 'timestamps/9999999999999999.tsr', 'x/timestamps/0000000000000012.tsr']) {
    t.equal(parseTimeStampPath(path), null, path)
  }
  t.end()
})
