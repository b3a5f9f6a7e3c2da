/** The middle of several measurements. */
export function medianOf(list: readonly number[]): number {
  const sorted = [...list].sort((one, other) => one - other)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}
