/**
 * The real programs that the tests want beside Node: which are there, and, as root on Debian, how
 * the missing ones get there. Nothing is installed elsewhere; what is missing is said aloud.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'

const ENGINES = [
  { name: 'Chromium', programs: ['chromium'], packages: ['chromium'] },
  { name: 'PostgreSQL', programs: ['initdb'], packages: ['postgresql-15'] },
  { name: 'the S3 server (Ceph)', programs: ['radosgw', 'ceph-mon', 'ceph-osd'], packages: ['radosgw', 'ceph-mon', 'ceph-osd'] },
  { name: 'age', programs: ['age'], packages: ['age'] },
  { name: 'faketime', programs: ['faketime'], packages: ['faketime'] },
]

/** Installs what is missing where that is ours to do. @returns {string[]} what is missing still */
export function ensureEngines() {
  const missing = ENGINES.filter(isMissing)
  if (missing.length === 0) return []
  if (canInstall()) installPackages(missing)
  return missing.filter(isMissing).map(({ name }) => name)
}

function isMissing({ programs }) {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', ...postgresFolders()]
  return !programs.every((program) => folders.some((folder) => existsSync(join(folder, program))))
}

// Debian keeps PostgreSQL's own programs out of PATH.
function postgresFolders() {
  const folder = '/usr/lib/postgresql'
  return existsSync(folder) ? readdirSync(folder).map((version) => join(folder, version, 'bin')) : []
}

function canInstall() {
  const release = existsSync('/etc/os-release') ? readFileSync('/etc/os-release', 'utf8') : ''
  return process.getuid?.() === 0 && /^ID=debian$/m.test(release)
}

function installPackages(missing) {
  const packages = missing.flatMap((engine) => engine.packages)
  console.log(`Installing for the tests, by apt: ${packages.join(' ')} ...`)
  // A runlevel of 1 keeps Debian from starting a database server of its own.
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' }
  for (const args of [['update', '-qq'], ['install', '-y', '-qq', '--no-install-recommends', ...packages]]) {
    const { status, stderr } = spawnSync('apt-get', args, { env, stdio: ['ignore', 'ignore', 'pipe'] })
    if (status !== 0) console.error(`apt-get ${args[0]} failed: ${stderr.toString().trim()}`)
  }
}
