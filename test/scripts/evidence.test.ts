// Goal: `sealdeck verify evidence` says who agreed to what, offline, and with its exit code whether it holds.
// Method: packs on a disk: true, damaged, unpacked, under another policy; a time-stamp by OpenSSL as the authority.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import t from 'tap'
import { main } from '../../scripts/sealdeck.js'
import { hasOpenssl, startTimeStampAuthority } from '../helpers/time-stamp-authority.js'
import {
  ada, ADA, AIGUL, fileIn, packVault, POLICY_TEXT, STAMPED_NOTE, stampOf, story, unpack,
} from '../protocol/evidence/signed-vault.js'
import { LOG_VKEY, SIGNER_VKEY } from '../protocol/log/worked-example.js'

const folder = mkdtempSync(join(tmpdir(), 'sealdeck-evidence-'))
t.teardown(() => rmSync(folder, { recursive: true, force: true }))

function write(name: string, bytes: Uint8Array | string): string {
  const path = join(folder, name)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, bytes)
  return path
}

/** Runs the command line in this process. */
async function sealdeck(...args: string[]) {
  const out: string[] = []
  const err: string[] = []
  const status = await main(args, {
    out: (line) => out.push(line), err: (line) => err.push(line), isWatched: false,
  })
  return { status, out: out.join('\n'), err: err.join('\n') }
}

const pack = await packVault()
const packPath = write('pack.zip', pack)
const policyPath = write('policy.txt', POLICY_TEXT)

t.test('a pack verifies, and the words say who, what, when and seen by whom', async (t) => {
  const { status, out, err } = await sealdeck('verify', 'evidence', packPath, '--policy', policyPath)
  t.equal(status, 0, err)
  t.equal(err, '')
  for (const words of [
    'VERIFIED: 2 acceptances', `${ADA.name} <${ADA.email}>, ${ADA.organisation} accepted the agreement`,
    AIGUL.name, 'Mutual NDA (en), version 1', '2026-11-22 14:00:05 UTC', 'entry 4 of log.sealdeck.example/2026',
    'w1, 2026-11-22', 'by a code sent to it and typed back', 'What was not, and cannot be checked here',
  ]) t.match(out, words)
})

t.test('without a policy it says that the key is the pack\'s own word', async (t) => {
  const { status, err } = await sealdeck('verify', 'evidence', packPath)
  t.equal(status, 0)
  t.match(err, 'The key of the log was taken from these files')
  t.equal((await sealdeck('verify', 'evidence', packPath, '--vkey', LOG_VKEY)).status, 0)
})

t.test('a damaged pack, and one of another log, are not verified', async (t) => {
  const damaged = new Uint8Array(pack)
  damaged[5000] = (damaged[5000] ?? 0) ^ 1
  const broken = await sealdeck('verify', 'evidence', write('broken.zip', damaged), '--policy', policyPath)
  t.equal(broken.status, 1)
  t.match(broken.err, 'NOT VERIFIED')
  t.equal(broken.out, '')
  const foreign = await sealdeck('verify', 'evidence', packPath, '--vkey', SIGNER_VKEY)
  t.equal(foreign.status, 1)
  t.match(foreign.err, 'wrong-origin')
})

t.test('an unpacked pack is checked as a folder, and one changed file named', async (t) => {
  const files = unpack(await packVault(ada.party))
  for (const { name, bytes } of files) write(`unpacked/${name}`, bytes)
  const path = join(folder, 'unpacked')
  t.equal((await sealdeck('verify', 'evidence', path, '--policy', policyPath)).status, 0)
  const { name } = fileIn(files, /^agreements\//)
  write(`unpacked/${name}`, 'another text\n')
  const changed = await sealdeck('verify', 'evidence', path, '--policy', policyPath)
  t.equal(changed.status, 1)
  t.match(changed.err, name)
})

t.test('a time-stamp is told, and judged by the authority that the reader names', { skip: hasOpenssl() ? false : 'no openssl' }, async (t) => {
  const { reply, caPath } = await startTimeStampAuthority(t, join(folder, 'tsa'))
  const stranger = await startTimeStampAuthority(t, join(folder, 'stranger'))
  const size = story.log.events.length
  const stamp = await stampOf(story, { checkpoint: STAMPED_NOTE, size, reply })
  const path = write('stamped.zip', await packVault(null, [stamp]))
  const unjudged = await sealdeck('verify', 'evidence', path, '--policy', policyPath)
  t.equal(unjudged.status, 0)
  t.match(unjudged.out, /Time-stamped +was there by 20/)
  t.match(unjudged.out, /openssl ts -verify -attime \d+ -data timestamps\/\S+ -in timestamps\/\S+ -CAfile AUTHORITY\.pem/)
  const judged = await sealdeck('verify', 'evidence', path, '--policy', policyPath, '--ca', caPath)
  t.equal(judged.status, 0, judged.err)
  t.match(judged.out, /VERIFIED: timestamps\/0000000000000006\.tsr, 20.* UTC, says CN=Test TSA/)
  const other = await sealdeck('verify', 'evidence', path, '--policy', policyPath, '--ca', stranger.caPath)
  t.equal(other.status, 1)
  t.match(other.err, 'signed by nobody who is trusted')
  const none = await sealdeck('verify', 'evidence', packPath, '--policy', policyPath, '--ca', caPath)
  t.equal(none.status, 1, 'who asks for a time-stamp is told that there is none')
})

t.test('what cannot be read or was asked wrongly is no verdict', async (t) => {
  t.equal((await sealdeck('verify', 'evidence', join(folder, 'none.zip'))).status, 2)
  t.equal((await sealdeck('verify', 'evidence')).status, 2)
  t.equal((await sealdeck('evidence', 'x')).status, 2)
  t.equal((await sealdeck('verify', 'evidence', write('empty.txt', 'hello'))).status, 1)
})

t.test('whoever calls a command wrongly is told in one line', async (t) => {
  const wrong = [
    ['share'], ['upload', '--colour', 'blue'], ['verify'], ['verify', 'nothing'], ['verify', 'monitor', 'x'],
    ['verify', 'timestamp', 'x'], ['verify', 'evidence', '--colour'], ['admin'], ['witness'], ['evidence', 'x'],
  ]
  for (const args of wrong) {
    const { status, out, err } = await sealdeck(...args)
    t.match({ status, out, err }, { status: 2, out: '', err: /^.*usage: sealdeck .*\(sealdeck .*--help\)$/ }, args.join(' '))
    t.notMatch(err, '\n', args.join(' '))
  }
})
