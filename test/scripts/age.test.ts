// Goal: keygen, seal, open and inspect do what the age program does, in files and pipes, and leave
// nothing half done behind.
// Method: the program itself, started as a user starts it; the age program beside it where there is one.
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, readdirSync, rmSync, statSync,
  symlinkSync, writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { concatBytes } from '../../protocol/bytes.js'
import { wrapFileKey } from '../../protocol/deck/header.js'
import { deriveOwnerKeys, formatIdentity, makeRoot } from '../../protocol/deck/identity.js'
import { randomBytes } from '../../protocol/sodium.js'
import { TypedLines } from '../../scripts/age/passphrase.js'
import { makeLink, sealVersion, wrapVersion } from '../protocol/deck/sealed-world.js'

const START = `
  const { main } = await import('./scripts/sealdeck.ts')
  process.exitCode = await main(JSON.parse(process.argv[1]))
`
const ROOT = new URL('../..', import.meta.url)

const folder = mkdtempSync(join(tmpdir(), 'sealdeck-age-'))
t.teardown(() => rmSync(folder, { recursive: true }))
const path = (name: string) => join(folder, name)

interface Ran { code: number | null, out: Buffer, err: string }

function sealdeck(args: readonly string[], input: Uint8Array = new Uint8Array(0)): Ran {
  const { status, stdout, stderr } = spawnSync(process.execPath,
    ['--import=tsx', '--input-type=module', '-e', START, JSON.stringify(args)],
    { cwd: ROOT, input, maxBuffer: 64 * 1024 * 1024 })
  return { code: status, out: stdout, err: stderr.toString() }
}

const plaintext = Buffer.from(randomBytes(300_000))
writeFileSync(path('plain'), plaintext)
writeFileSync(path('pass'), 'correct horse battery\n')
sealdeck(['keygen', '-o', path('some.txt')])
const someRecipient = sealdeck(['keygen', '-y', path('some.txt')]).out.toString().trim()

t.test('a key is made once, for its owner alone', (t) => {
  t.match(sealdeck(['keygen', '-o', path('key.txt')]), { code: 0, err: /^Public key: age1pq1/ })
  t.equal(statSync(path('key.txt')).mode & 0o777, 0o600)
  const text = readFileSync(path('key.txt'), 'utf8')
  t.match(text, /^# public key: age1pq1[0-9a-z]+\nAGE-SECRET-KEY-PQ-1[0-9A-Z]+\n$/)
  t.match(sealdeck(['keygen', '-o', path('key.txt')]), { code: 2, err: /EEXIST/ })
  t.equal(readFileSync(path('key.txt'), 'utf8'), text, 'never over a key that is there')
  const recipient = sealdeck(['keygen', '-y', path('key.txt')])
  t.equal(recipient.out.toString().trim(), /age1pq1\S+/.exec(text)?.[0])
  t.match(sealdeck(['keygen', '-x']).out.toString(), /\nAGE-SECRET-KEY-1[0-9A-Z]+\n$/)
  t.end()
})

t.test('files and pipes, binary and armored, open to the same bytes', (t) => {
  const recipient = sealdeck(['keygen', '-y', path('key.txt')]).out.toString().trim()
  writeFileSync(path('recipients.txt'), `# us\n\n${recipient}\n`)
  t.match(sealdeck(['seal', '-r', recipient, '-o', path('sealed.age'), path('plain')]), { code: 0, err: '' })
  t.equal(statSync(path('sealed.age')).mode & 0o777, 0o600)
  t.ok(sealdeck(['open', '-i', path('key.txt'), path('sealed.age')]).out.equals(plaintext))
  t.match(sealdeck(['open', '-i', path('key.txt'), '-o', path('back'), path('sealed.age')]), { code: 0, err: '' })
  t.ok(readFileSync(path('back')).equals(plaintext))

  const piped = sealdeck(['seal', '-R', path('recipients.txt')], plaintext)
  t.ok(sealdeck(['open', '-i', path('key.txt')], piped.out).out.equals(plaintext))
  const armored = sealdeck(['seal', '-a', '-i', path('key.txt'), '-'], plaintext)
  t.match(armored.out.toString(), /^-----BEGIN AGE ENCRYPTED FILE-----\n/)
  t.ok(sealdeck(['open', '-i', path('key.txt'), '-'], armored.out).out.equals(plaintext))
  t.end()
})

t.test('a passphrase seals files, and keys', (t) => {
  const sealed = sealdeck(['seal', '-p', '-f', path('pass')], plaintext)
  t.equal(sealed.code, 0)
  t.ok(sealdeck(['open', '-p', '-f', path('pass')], sealed.out).out.equals(plaintext))
  writeFileSync(path('other-pass'), 'another\n')
  t.match(sealdeck(['open', '-p', '-f', path('other-pass')], sealed.out), { code: 1, err: /no identity or passphrase/ })

  sealdeck(['seal', '-p', '-f', path('pass'), '-a', '-o', path('key.age'), path('key.txt')])
  const opened = sealdeck(['open', '-i', path('key.age'), '-f', path('pass'), path('sealed.age')])
  t.ok(opened.out.equals(plaintext), 'an identity file under a passphrase')
  const unopened = ['open', '-i', path('key.age'), '-f', path('other-pass'), path('sealed.age')]
  t.match(sealdeck(unopened), { code: 2, err: /^this passphrase does not open the file[^\n]+\n$/ })
  t.end()
})

t.test('what does not open leaves no file, one line and exit code 1', (t) => {
  sealdeck(['keygen', '-o', path('other.txt')])
  const out = ['-o', path('never')]
  t.match(sealdeck(['open', '-i', path('other.txt'), ...out, path('sealed.age')]),
    { code: 1, err: /^sealdeck: sealed for somebody else: [^\n]+\n$/ })
  const sealed = readFileSync(path('sealed.age'))
  for (const [name, bytes] of Object.entries({
    cut: sealed.subarray(0, -1),
    'cut at a chunk': sealed.subarray(0, sealed.length - (300_000 % 65536 + 16)),
    lengthened: Buffer.concat([sealed, Buffer.from('x')]),
    flipped: sealed.map((byte, index) => index === 150_000 ? byte ^ 1 : byte),
    'no age file': plaintext,
  })) {
    t.match(sealdeck(['open', '-i', path('key.txt'), ...out], bytes), { code: 1, err: /^sealdeck: [^\n]+\n$/ }, name)
    t.notOk(existsSync(path('never')), name)
  }
  const partly = sealdeck(['open', '-i', path('key.txt')], sealed.subarray(0, 200_000))
  t.equal(partly.code, 1)
  t.ok(partly.out.equals(plaintext.subarray(0, partly.out.length)), 'only authentic bytes in the pipe')
  t.notOk(readdirSync(folder).some((name) => name.endsWith('.part')))
  t.end()
})

t.test('wrong usage is exit code 2, and says what is right', (t) => {
  sealdeck(['keygen', '-x', '-o', path('x25519.txt')])
  const wrong: Record<string, string[]> = {
    'no recipient': ['seal', path('plain')],
    'no identity': ['open', path('sealed.age')],
    'mixed recipients': ['seal', '-i', path('key.txt'), '-i', path('x25519.txt'), path('plain')],
    'passphrase and recipient': ['seal', '-p', '-i', path('key.txt'), path('plain')],
    'unknown option': ['seal', '-z', path('plain')],
    'two inputs': ['open', '-i', path('key.txt'), path('plain'), path('plain')],
    'no recipient at all': ['seal', '-r', 'ssh-ed25519 AAAA', path('plain')],
    'a file without keys': ['open', '-i', path('pass'), path('sealed.age')],
    'a file that is not there': ['open', '-i', path('key.txt'), path('nowhere')],
  }
  for (const [name, args] of Object.entries(wrong)) {
    const ran = sealdeck(args)
    t.equal(ran.code, 2, `${name}: ${ran.err}`)
    t.equal(ran.out.length, 0, name)
    t.match(ran.err, /^[^\n]+\n$/, `${name}: one line`)
  }
  const secret = readFileSync(path('key.txt'), 'utf8').replace('1', '2')
  writeFileSync(path('damaged.txt'), secret)
  t.notMatch(sealdeck(['open', '-i', path('damaged.txt'), path('sealed.age')]).err, /SECRET/, 'no key in an error')
  t.end()
})

t.test('inspect says what a file is, and with an identity what is in it', async (t) => {
  const root = makeRoot()
  const owner = deriveOwnerKeys(root)
  const link = makeLink(root)
  const version = await sealVersion({ owner })
  const to = { grantId: link.grant.grantId, recipient: link.device.identity.recipient }
  writeFileSync(path('owner.txt'), `${formatIdentity(owner.identity)}\n`)
  const file = concatBytes(wrapFileKey(version.fileKey, owner.identity.recipient), version.payload)
  const closed = sealdeck(['inspect'], file).out.toString()
  t.match(closed, /^format +age v1\nfile size +\d+\nheader size +1627\nrecipient +mlkem768x25519\n/)
  t.match(closed, new RegExp(`\nplaintext size +${version.plaintext.size}\n$`))
  const opened = sealdeck(['inspect', '-i', path('owner.txt')], file).out.toString()
  t.match(opened, /\nopens +yes, whole\ntitle +A plan\nfile +plan\.bin, application\/octet-stream, 150000 bytes\n/)
  t.match(sealdeck(['inspect'], file.subarray(0, -5)).out.toString(), /chunks +\d+\n/)
  t.match(sealdeck(['inspect'], version.signed.bytes).out.toString(), /^format +version record, not verified\n.*version +1\n/s)
  t.match(sealdeck(['inspect'], link.signed.bytes).out.toString(), /^format +grant, not verified\n.*policy +gate: nda\n/s)
  t.match(sealdeck(['inspect'], wrapVersion(owner, version, to).signed.bytes).out.toString(), /^format +wrap record/)
  t.match(sealdeck(['inspect'], plaintext), { code: 1, err: /not an age file/ })
})

t.test('the age program and this one open each other\'s files', {
  skip: spawnSync('age', ['--version']).status === 0 ? false : 'THE AGE PROGRAM IS NOT INSTALLED HERE',
}, (t) => {
  const sealed = sealdeck(['seal', '-i', path('x25519.txt')], plaintext).out
  const byAge = spawnSync('age', ['-d', '-i', path('x25519.txt')], { input: sealed, maxBuffer: 2 ** 26 })
  t.ok(byAge.stdout.equals(plaintext))
  const recipient = sealdeck(['keygen', '-y', path('x25519.txt')]).out.toString().trim()
  const theirs = spawnSync('age', ['-r', recipient], { input: plaintext, maxBuffer: 2 ** 26 }).stdout
  t.ok(sealdeck(['open', '-i', path('x25519.txt')], theirs).out.equals(plaintext))
  t.end()
})

t.test('each command says how it is called', (t) => {
  for (const args of [['seal', '--help'], ['open', '-h'], ['verify', '--help'], ['admin', 'gc', '--help']]) {
    const { code, out, err } = sealdeck(args)
    t.match({ code, out: out.toString(), err }, { code: 0, out: /^usage: sealdeck [^]*Exit codes: 0 /, err: '' }, args.join(' '))
  }
  t.match(sealdeck(['seal', '--nonsense']), { code: 2, err: /nonsense[^\n]*; usage: sealdeck seal[^\n]*\(sealdeck seal --help\)\n$/ })
  t.end()
})

t.test('output goes where it leads, and never over what it came from', (t) => {
  writeFileSync(path('sealed.age'), sealdeck(['seal', '-r', someRecipient], plaintext).out)
  mkdirSync(path('out'))
  execFileSync('mkfifo', [path('out/pipe')])
  const reader = spawn('cat', [path('out/pipe')], { stdio: ['ignore', openSync(path('out/read'), 'w'), 'ignore'] })
  t.equal(sealdeck(['open', '-i', path('some.txt'), '-o', path('out/pipe'), path('sealed.age')]).code, 0)
  t.ok(statSync(path('out/pipe')).isFIFO(), 'a pipe stays one')
  symlinkSync('target', path('out/link'))
  writeFileSync(path('out/target'), 'old')
  t.equal(sealdeck(['open', '-i', path('some.txt'), '-o', path('out/link'), path('sealed.age')]).code, 0)
  t.ok(readFileSync(path('out/target')).equals(plaintext), 'a link is followed')
  t.ok(sealdeck(['open', '-i', path('some.txt'), '-o', '-', path('sealed.age')]).out.equals(plaintext), '- is standard output')
  t.match(sealdeck(['open', '-i', path('some.txt'), '-o', path('sealed.age'), path('sealed.age')]), { code: 2, err: /same file/ })
  t.same(readdirSync(path('out')).filter((name) => name.includes('.part')), [])
  reader.once('close', () => {
    t.ok(readFileSync(path('out/read')).equals(plaintext), 'whoever reads the pipe gets all of it')
    t.end()
  })
})

t.test('what is interrupted leaves nothing', async (t) => {
  writeFileSync(path('long.age'), sealdeck(['seal', '-r', someRecipient], plaintext).out)
  mkdirSync(path('broken'))
  const child = spawn(process.execPath, ['--import=tsx', '--input-type=module', '-e', START, JSON.stringify(['open', '-i', path('some.txt'), '-o', path('broken/plain')])], { cwd: ROOT, stdio: ['pipe', 'ignore', 'ignore'] })
  child.stdin.write(readFileSync(path('long.age')).subarray(0, 200_000))
  while (!readdirSync(path('broken')).some((name) => name.endsWith('.part'))) await new Promise((resolve) => setTimeout(resolve, 50))
  child.kill('SIGTERM')
  const [, signal] = await once(child, 'exit')
  t.equal(signal, 'SIGTERM')
  t.same(readdirSync(path('broken')), [])
})

t.test('a closed pipe is one line at most', (t) => {
  const script = `${process.execPath} --import=tsx --input-type=module -e "$1" '["keygen"]' | true`
  const { stderr } = spawnSync('sh', ['-c', script, 'sh', START], { cwd: ROOT })
  t.equal(stderr.toString(), '')
  t.end()
})

t.test('lines that were pasted at once answer one question each', (t) => {
  const typed = new TypedLines()
  t.equal(typed.take(), null, 'nothing yet')
  t.equal(typed.take('cor'), null)
  t.equal(typed.take('rect\nsecond\rthi'), 'correct')
  t.equal(typed.take(), 'second', 'the next question is answered already')
  t.equal(typed.take(), null, 'half a line is none')
  t.equal(typed.take('xx\u007f\u007frd\r\n'), 'third')
  t.equal(typed.take(), null, 'the second half of a line\'s end answers nothing')
  t.equal(typed.take('x\r'), 'x')
  t.equal(typed.take('\n'), null, 'also where it comes later')
  t.equal(typed.take('four\r\nfive\r\n'), 'four')
  t.equal(typed.take(), 'five')
  t.equal(typed.take('\r'), '', 'an empty line is one')
  t.throws(() => typed.take('ab\u0003'), { message: 'interrupted' })
  t.end()
})

t.test('a passphrase file is text, and a line is what people type', (t) => {
  writeFileSync(path('pass-latin1'), Buffer.from('caf\xe9', 'latin1'))
  writeFileSync(path('pass-crlf'), 'correct horse battery\r\n')
  t.equal(sealdeck(['seal', '-p', '--passphrase-file', path('pass-latin1')], plaintext).code, 1)
  const { out } = sealdeck(['seal', '-p', '--passphrase-file', path('pass-crlf')], plaintext)
  t.ok(sealdeck(['open', '-p', '--passphrase-file', path('pass')], out).out.equals(plaintext))
  t.match(sealdeck(['inspect'], Buffer.from('\0\0\0\x0bconstructor')), { code: 1 })
  t.match(sealdeck(['inspect', '-i', path('some.txt')], readFileSync(path('long.age')).subarray(0, 150_000)), { code: 1, out: /damaged/ })
  t.end()
})
