/** Where the browser is that is measured. */
import { execFileSync, spawnSync } from 'node:child_process'

const NAMES = ['chromium', 'chromium-browser', 'google-chrome']

export function findChromium(): string {
  const found = NAMES.find((name) => spawnSync(name, ['--version']).status === 0)
  if (found === undefined) throw new Error('Chromium is not installed')
  return execFileSync('which', [found], { encoding: 'utf8' }).trim()
}
