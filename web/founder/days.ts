/** Days as a date field writes them, in the founder's own time zone. */

/** The last second of the day; `null` for an empty field. */
export function endOfDay(date: string): number | null {
  const [year, month, day] = date.split('-').map(Number)
  if (year === undefined || month === undefined || day === undefined) return null
  return new Date(year, month - 1, day, 23, 59, 59).getTime()
}

/** As a date field writes it; empty for `null`. */
export function dayOf(timeMs: number | null): string {
  if (timeMs === null) return ''
  const day = new Date(timeMs)
  return [day.getFullYear(), day.getMonth() + 1, day.getDate()].map((part) => String(part).padStart(2, '0')).join('-')
}

export function tomorrow(): string {
  const day = new Date()
  day.setDate(day.getDate() + 1)
  return dayOf(day.getTime())
}
