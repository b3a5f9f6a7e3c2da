/**
 * Who seals and opens chunks: libsodium, which is always there, or the platform's own
 * ChaCha20-Poly1305 where it has one (SPEC.md § 3.3). Same bytes out, whichever it is.
 * Must not choose by name or version: the platform's is believed after it gave the known answer.
 */
import { encodeUtf8, equalBytes } from '../bytes.js'
import { assert } from '../errors.js'
import { AEAD_TAG_SIZE_BYTES } from '../limits.js'
import { wipe } from '../sodium.js'
import { chunkNonce, isChunkSize, openChunkInto, sealChunk, sealChunkInto } from './stream.js'
import type { ChunkPlace } from './stream.js'

/** Seals and opens the chunks of one payload. */
export interface ChunkCipher {
  /** Writes plaintext size + 16 bytes into `target`. */
  seal(place: ChunkPlace, plaintext: Uint8Array, target: Uint8Array): Promise<void>
  /** Writes sealed size - 16 bytes into `target`; `false` if the chunk is not authentic at this place. */
  open(place: ChunkPlace, sealed: Uint8Array, target: Uint8Array): Promise<boolean>
  /** Forgets the key; nothing is asked of it after this. */
  end(): void
}

/** Makes the cipher of one payload from its key, 32 bytes. */
export type MakeChunkCipher = (payloadKey: Uint8Array<ArrayBuffer>) => Promise<ChunkCipher>

/** On libsodium. */
export async function makeSodiumCipher(payloadKey: Uint8Array<ArrayBuffer>): Promise<ChunkCipher> {
  let held: Uint8Array<ArrayBuffer> | null = payloadKey.slice()
  function key(): Uint8Array<ArrayBuffer> {
    // Wiped bytes are a key too, and everybody's.
    assert(held !== null, 'a cipher that ended is asked for nothing')
    return held
  }
  return {
    seal: async (place, plaintext, target) => sealChunkInto(key(), place, plaintext, target),
    open: async (place, sealed, target) => openChunkInto(key(), place, sealed, target),
    end() {
      if (held !== null) wipe(held)
      held = null
    },
  }
}

/** The part of the platform's SubtleCrypto that is used; `Key` is its CryptoKey. */
export interface SubtleAead<Key> {
  importKey(
    format: string, key: Uint8Array<ArrayBuffer>, algorithm: { name: string },
    isExtractable: boolean, usages: string[],
  ): Promise<Key>
  encrypt(
    algorithm: AeadParams, key: Key, plaintext: Uint8Array<ArrayBuffer>,
  ): Promise<ArrayBuffer>
  decrypt(
    algorithm: AeadParams, key: Key, sealed: Uint8Array<ArrayBuffer>,
  ): Promise<ArrayBuffer>
}

interface AeadParams {
  name: string
  iv: Uint8Array<ArrayBuffer>
  tagLength: number
}

const ALGORITHM = 'ChaCha20-Poly1305'

/** On the platform's SubtleCrypto; only after `findPlatformCipher` has believed it. */
function platformCipherMaker<Key>(subtle: SubtleAead<Key>): MakeChunkCipher {
  return async (payloadKey) => {
    const key = await subtle.importKey(
      'raw-secret', payloadKey, { name: ALGORITHM }, false, ['encrypt', 'decrypt'])
    const params = (place: ChunkPlace) =>
      ({ name: ALGORITHM, iv: chunkNonce(place), tagLength: AEAD_TAG_SIZE_BYTES * 8 })
    return {
      async seal(place, plaintext, target) {
        target.set(new Uint8Array(await subtle.encrypt(params(place), key, ownBytes(plaintext))))
      },
      async open(place, sealed, target) {
        if (!isChunkSize(place, sealed.length)) return false
        try {
          target.set(new Uint8Array(await subtle.decrypt(params(place), key, ownBytes(sealed))))
          return true
        } catch (error) {
          // The platform says "not authentic" by this name and nothing else by it.
          if (error instanceof Error && error.name === 'OperationError') return false
          throw error
        }
      },
      end: () => undefined, // The platform keeps it, and gives it up with the last who could ask.
    }
  }
}

/** SubtleCrypto refuses views of shared memory; the types ask for proof that this is none. */
function ownBytes(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return bytes.buffer instanceof ArrayBuffer
    ? new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    : new Uint8Array(bytes)
}

/**
 * The platform's cipher, if it has one and it agrees with libsodium on a known answer both ways and
 * refuses a flipped bit; otherwise `null`, and `makeSodiumCipher` does the work.
 */
export async function findPlatformCipher<Key>(
  subtle: SubtleAead<Key>,
): Promise<MakeChunkCipher | null> {
  const make = platformCipherMaker(subtle)
  const payloadKey = new Uint8Array(32).map((_, index) => index)
  const place: ChunkPlace = { index: 7, isFinal: true }
  const plaintext = encodeUtf8('one plaintext, two ciphers, the same bytes')
  const expected = sealChunk(payloadKey, place, plaintext)
  const cipher = await make(payloadKey).then((made) => made, () => null)
  if (cipher === null) return null

  const sealed = new Uint8Array(expected.length)
  await cipher.seal(place, plaintext, sealed)
  const opened = new Uint8Array(plaintext.length)
  const isOpened = await cipher.open(place, expected, opened)
  const agrees = isOpened && equalBytes(sealed, expected) && equalBytes(opened, plaintext)
  expected[0] = (expected[0] ?? 0) ^ 1
  const isForgeryOpened = await cipher.open(place, expected, opened)
  cipher.end()
  return agrees && !isForgeryOpened ? make : null
}
