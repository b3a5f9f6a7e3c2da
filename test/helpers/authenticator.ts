/**
 * A passkey's authenticator in software (WebAuthn, ES256, no attestation): makes credentials and signs
 * challenges as a browser would send them. Resident, with user verification; counts its uses.
 */
import { createHash, generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto'

export interface Authenticator {
  /** How often it has signed; set it back to play a copy. */
  counter: number
  /** Whose page asks; another one plays a phisher. */
  origin: string
  /** What `navigator.credentials.create` gives, as JSON. `options` is what the server sent. */
  create(options: unknown): unknown
  /** What `navigator.credentials.get` gives, as JSON. */
  get(options: unknown): unknown
}

const FLAGS = { userPresent: 0x01, userVerified: 0x04, hasCredential: 0x40 }

/** @param flags - leave user verification out to play a device that does not ask. */
export function makeAuthenticator(
  origin: string, flags = FLAGS.userPresent | FLAGS.userVerified,
): Authenticator {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const credentialId = randomBytes(32)
  let userHandle = Buffer.alloc(0)

  function authenticatorData(extra: { flags: number, tail: Uint8Array }): Buffer {
    const counter = Buffer.alloc(4)
    counter.writeUInt32BE(authenticator.counter)
    const rpIdHash = createHash('sha256').update(new URL(origin).hostname).digest()
    return Buffer.concat([rpIdHash, Buffer.of(flags | extra.flags), counter, extra.tail])
  }

  function clientData(type: string, challenge: string): Buffer {
    const data = { type, challenge, origin: authenticator.origin, crossOrigin: false }
    return Buffer.from(JSON.stringify(data))
  }

  function credential(response: object): unknown {
    const id = credentialId.toString('base64url')
    return { id, rawId: id, type: 'public-key', clientExtensionResults: {}, response }
  }

  const authenticator: Authenticator = {
    counter: 0,
    origin,
    create(options) {
      userHandle = Buffer.from(textOf(field(options, 'user'), 'id'), 'base64url')
      const idSize = Buffer.alloc(2)
      idSize.writeUInt16BE(credentialId.length)
      const tail = Buffer.concat([Buffer.alloc(16), idSize, credentialId, coseKey(publicKey)])
      return credential({
        clientDataJSON: clientData('webauthn.create', textOf(options, 'challenge')).toString('base64url'),
        attestationObject: attestationObject(authenticatorData({ flags: FLAGS.hasCredential, tail })).toString('base64url'),
        transports: ['internal'],
      })
    },
    get(options) {
      authenticator.counter++
      const data = authenticatorData({ flags: 0, tail: Buffer.alloc(0) })
      const client = clientData('webauthn.get', textOf(options, 'challenge'))
      const signed = Buffer.concat([data, createHash('sha256').update(client).digest()])
      return credential({
        clientDataJSON: client.toString('base64url'),
        authenticatorData: data.toString('base64url'),
        signature: sign('sha256', signed, privateKey).toString('base64url'),
        userHandle: userHandle.toString('base64url'),
      })
    },
  }
  return authenticator
}

/** CBOR of the public key: {1: 2 (EC2), 3: -7 (ES256), -1: 1 (P-256), -2: x, -3: y}. */
function coseKey(publicKey: KeyObject): Buffer {
  const { x = '', y = '' } = publicKey.export({ format: 'jwk' })
  return Buffer.concat([
    Buffer.from('a5010203262001215820', 'hex'), Buffer.from(x, 'base64url'),
    Buffer.from('225820', 'hex'), Buffer.from(y, 'base64url'),
  ])
}

/** CBOR of {"fmt": "none", "attStmt": {}, "authData": data}. */
function attestationObject(data: Buffer): Buffer {
  const size = Buffer.alloc(2)
  size.writeUInt16BE(data.length)
  return Buffer.concat([
    Buffer.from('a363666d74646e6f6e656761747453746d74a0686175746844617461', 'hex'), Buffer.of(0x59), size, data,
  ])
}

function field(from: unknown, name: string): unknown {
  return Reflect.get(Object(from), name)
}

function textOf(from: unknown, name: string): string {
  const value = field(from, name)
  if (typeof value !== 'string') throw new Error(`the server sent no ${name}`)
  return value
}
