/**
 * The NDA on its way to the server. Must not take the server's word for what was published: the founder signs the
 * hash of the text that she saw.
 */
import { encodeBase64Url } from '../../protocol/bytes.js'
import { sha256 } from '../../protocol/hash.js'
import type { Api } from '../api.js'
import type { Result } from './loaded.js'
import { fillDraft, rememberLaw, type NdaDraft } from './nda-order.js'

/**
 * Publish the text. The same text again has the same hash, and the server keeps it once.
 *
 * @returns SHA-256 of the text, made here.
 */
export async function publishDraft(
  api: Pick<Api, 'publishNda'>, vaultId: string, draft: NdaDraft,
): Promise<Result<string>> {
  const filled = fillDraft(draft)
  if ('problems' in filled) return { ok: false, code: 'nda-field' }
  const { text, bytes, title, templateId, templateVersion, language } = filled.nda
  const published = await api.publishNda(
    vaultId, { text, title, templateId, templateVersion, language },
  )
  if (!published.ok) return published
  const hash = encodeBase64Url(sha256(bytes))
  if (published.value.sha256 !== hash) return { ok: false, code: 'nda-mismatch' }
  rememberLaw(draft)
  return { ok: true, value: hash }
}
