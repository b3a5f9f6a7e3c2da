// Goal: only tokens that this server signed, for this use, in time, are read; all others are nobody.
// Method: hostile tokens of every kind that other servers fell for; every bit of a good one flipped.
import { createHmac, generateKeyPairSync, sign } from 'node:crypto'
import t from 'tap'
import { openTokens } from '../../server/tokens.js'

function makeKey() {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  return {
    private: privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(), public: publicKey.export({ format: 'pem', type: 'spki' }).toString(), privateKey,
  }
}

function encode(value: unknown): string {
  return Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')
}

let nowMs = Date.UTC(2026, 10, 22)
const clock = { nowMs: () => nowMs }
const key = makeKey()
const issuer = 'https://deck.example'
const tokens = await openTokens({ issuer, key, clock })
const claims = { sub: 'u', sid: 's' }

/** Signed by the real key, whatever it says. */
function forge(header: unknown, payload: unknown): string {
  const signed = `${encode(header)}.${encode(payload)}`
  return `${signed}.${sign(null, Buffer.from(signed), key.privateKey).toString('base64url')}`
}

t.test('a token for its use', async (t) => {
  const { token, expiresAtMs } = tokens.sign('account', claims, 600_000)
  t.equal(expiresAtMs, nowMs + 600_000)
  t.match(tokens.read('account', token), { ...claims, jti: /^[\w-]{22}$/ })
  t.equal(tokens.read('investor', token), undefined, 'is not one for another')
  t.equal(tokens.read('email-proof', token), undefined)
  t.equal((await openTokens({ issuer: 'https://other.example', key, clock })).read('account', token), undefined, 'nor for another installation')
  t.equal((await openTokens({ issuer, key: makeKey(), clock })).read('account', token), undefined, 'nor under another key')
  nowMs += 599_999
  t.ok(tokens.read('account', token))
  nowMs += 1
  t.equal(tokens.read('account', token), undefined, 'and ends')
  nowMs -= 600_000
})

t.test('hostile tokens', async (t) => {
  const { token } = tokens.sign('account', claims, 600_000)
  const [header = '', payload = '', signature = ''] = token.split('.')
  const seconds = Math.floor(nowMs / 1_000)
  const good = { ...claims, iss: issuer, aud: 'account', iat: seconds, exp: seconds + 600, jti: 'x' }
  const real = { alg: 'EdDSA', typ: 'JWT' }
  t.ok(tokens.read('account', forge(real, good)), 'what follows is refused for what it changes alone')
  const hmac = (head: unknown) => `${encode(head)}.${payload}.${createHmac('sha256', key.public).update(`${encode(head)}.${payload}`).digest('base64url')}`
  const hostile = {
    'no signature': `${header}.${payload}.`, 'two parts': `${header}.${payload}`, 'four parts': `${token}.x`, 'none': `${encode({ alg: 'none' })}.${payload}.`,
    'None': `${encode({ alg: 'None', typ: 'JWT' })}.${payload}.${signature}`, 'HMAC with the public key': hmac({ alg: 'HS256', typ: 'JWT' }), 'another typ': forge({ alg: 'EdDSA', typ: 'at+jwt' }, good),
    'no typ': forge({ alg: 'EdDSA' }, good), 'a kid': forge({ ...real, kid: '../../etc/passwd' }, good), 'a jku': forge({ ...real, jku: 'https://evil.example' }, good), 'a jwk': forge({ ...real, jwk: {} }, good),
    'crit': forge({ ...real, crit: ['x'] }, good), 'the header in another order': forge({ typ: 'JWT', alg: 'EdDSA' }, good), 'padding': `${header}.${payload}.${signature}=`, 'a line break': `${token}\n`, 'spaces': ` ${token}`,
    'stray bits': `${header}.${payload}.${signature.slice(0, -1)}${signature.endsWith('A') ? 'B' : 'A'}`, 'standard base64': `${header}.${payload}.${signature.replace(/[-_]/, '+')}`,
    'another audience': forge(real, { ...good, aud: 'investor' }), 'a list of audiences': forge(real, { ...good, aud: ['account'] }), 'no audience': forge(real, { ...good, aud: undefined }),
    'another issuer': forge(real, { ...good, iss: 'https://deck.example.evil' }), 'no end': forge(real, { ...good, exp: undefined }), 'an end in words': forge(real, { ...good, exp: '9999999999' }), 'an end that is over': forge(real, { ...good, exp: seconds }),
    'no session': forge(real, { ...good, sid: undefined }), 'a session that is no text': forge(real, { ...good, sid: { $ne: '' } }), 'a payload that is a list': forge(real, [good]), 'a payload that is null': forge(real, 'null'), 'no JSON': forge(real, '{'),
    'a claim twice': forge(real, `{"sub":"u","sub":"v",${JSON.stringify(good).slice(1)}`), 'nothing': '', 'dots': '..', 'a long one': `${header}.${'A'.repeat(3_000)}.${signature}`, 'a zero byte': `${token}\0`,
  }
  for (const [name, one] of Object.entries(hostile)) t.equal(tokens.read('account', one), undefined, name)

  const flips = Array.from({ length: token.length * 8 }, (_, bit) => {
    const bytes = Buffer.from(token)
    bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7))
    return bytes.toString('latin1')
  })
  t.equal(flips.filter((flipped) => tokens.read('account', flipped) !== undefined).length, 0, 'no bit may be another')
})
