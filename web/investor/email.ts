/** A first look at a typed address, to spare a round trip; the server decides. */
export function isEmailLike(typed: string): boolean {
  return /^[^\s@]+@[^\s@]+\.[^\s@.]{2,}$/.test(typed.trim())
}
