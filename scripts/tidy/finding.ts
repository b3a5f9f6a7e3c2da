/** What tidy looks at and what it says: a tree of texts in, findings out. Pure. */
export interface File {
  /** From the top of the repository, with `/`. */
  readonly path: string
  readonly text: string
}

export interface Finding {
  readonly path: string
  /** From one. */
  readonly line: number
  /** What is wrong and, where that is not plain, what to do. */
  readonly message: string
}

export type Rule = (files: readonly File[]) => Finding[]

/** TypeScript and JavaScript, of people and not of tools. */
export function isCode(path: string): boolean {
  return /\.(?:ts|tsx|mjs)$/.test(path) && !path.endsWith('.d.ts')
}

export function isTest(path: string): boolean {
  return path.startsWith('test/')
}

/** The line, from one, in which a character stands. */
export function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length
}
