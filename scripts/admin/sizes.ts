/** Sizes as people write and read them: powers of 1024. */
import { UsageError } from '../command.js'

const UNITS = ['', 'K', 'M', 'G', 'T'] as const

/** `20G`, `512M`, `1048576`. @throws UsageError for anything else. */
export function parseSize(text: string): number {
  const [, digits, unit] = /^(\d{1,13})([KMGT]?)(?:i?B)?$/i.exec(text) ?? []
  const power = UNITS.findIndex((one) => one === unit?.toUpperCase())
  const size = Number(digits) * 1024 ** power
  if (!Number.isSafeInteger(size)) throw new UsageError(`${text} is no size: write 512M, 20G or a number of bytes`)
  return size
}

export function formatSize(sizeBytes: number): string {
  const power = Math.min(UNITS.length - 1, Math.floor(Math.log2(Math.max(1, sizeBytes)) / 10))
  const value = sizeBytes / 1024 ** power
  return power === 0 ? `${sizeBytes} B` : `${value.toFixed(1)} ${UNITS[power] ?? ''}B`
}
