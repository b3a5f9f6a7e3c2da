/** How long a page of a list is. */
import { MAX_PAGE_LIMIT, PAGE_LIMIT } from '../protocol/limits.js'

/** @param asked - digits, as the schema has checked. */
export function pageLimit(asked: string | undefined): number {
  return asked === undefined ? PAGE_LIMIT : Math.min(Number(asked), MAX_PAGE_LIMIT)
}
