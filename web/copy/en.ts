/**
 * What widgets say, in English. Decides the shape that web/copy/ru.ts must have.
 * Must not name anything of one surface: those words stand in the surface's own section.
 */
import { formatBytes, plural } from './language.js'

export const en = {
  productName: 'Sealdeck',
  skipToContent: 'Skip to the content',
  language: 'Language',
  languageNames: { en: 'English', ru: 'Русский' },
  theme: 'Theme',
  themeNames: { system: 'As the system', light: 'Light', dark: 'Dark' },

  back: 'Back',
  cancel: 'Cancel',
  close: 'Close',
  continue: 'Continue',
  copy: 'Copy',
  copied: 'Copied',
  copyFailed: 'Could not copy. Select the text and copy it by hand.',
  download: 'Download',
  print: 'Print',
  retry: 'Try again',
  loading: 'Loading',
  working: 'One moment',
  optional: 'optional',
  dismiss: 'Dismiss',
  more: 'More',
  showText: 'Show what is typed',
  hideText: 'Hide what is typed',
  undo: 'Undo',

  codeGroups: (length: number) => `${length} digits, in two groups`,
  codeDigitsLeft: (count: number) => plural('en', count, { one: '# digit to go', other: '# digits to go' }),

  bytesOf: (doneBytes: number, totalBytes: number) =>
    `${formatBytes('en', doneBytes)} of ${formatBytes('en', totalBytes)}`,
  done: 'Done',
  failed: 'Failed',

  hashOf: (what: string) => `${what}, copy in full`,
  textSize: 'Text size',
  smallerText: 'Smaller text',
  largerText: 'Larger text',
  qrOf: (what: string) => `QR code: ${what}`,

  sortedAscending: 'sorted, smallest first',
  sortedDescending: 'sorted, largest first',
  choose: 'Choose',
  notifications: 'Notices',
  notice: { info: 'Note', warn: 'Read this first', fail: 'Not done', seal: 'Sealed' },
}

export type CommonCopy = typeof en
