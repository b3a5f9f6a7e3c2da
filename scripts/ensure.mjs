/**
 * Installs what package-lock.json names if node_modules is older than it: before `npm start` and
 * `npm test`, so that a bare clone needs no other command. Plain Node: nothing is installed yet.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, lstatSync, statSync, utimesSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const OLDEST_NODE = [20, 20]
const root = fileURLToPath(new URL('..', import.meta.url))
const lock = `${root}package-lock.json`
const installed = `${root}node_modules/.package-lock.json`

function requireNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  const [oldestMajor = 0, oldestMinor = 0] = OLDEST_NODE
  if (major > oldestMajor || (major === oldestMajor && minor >= oldestMinor)) return
  console.error(`Sealdeck needs Node ${OLDEST_NODE.join('.')} or later; this is ${process.versions.node}.`)
  process.exit(1)
}

function isInstalled() {
  return existsSync(installed) && statSync(installed).mtimeMs >= statSync(lock).mtimeMs
}

// npm ci would follow the link and empty what belongs to another checkout.
function refuseLink() {
  const isLink = lstatSync(`${root}node_modules`, { throwIfNoEntry: false })?.isSymbolicLink() ?? false
  if (!isLink) return
  console.error('node_modules is a link and older than package-lock.json. Remove the link, or run npm ci where it leads.')
  process.exit(1)
}

function install() {
  refuseLink()
  console.log('Installing packages (npm ci) ...')
  const npm = spawnSync('npm', ['ci'], { cwd: root, stdio: 'inherit', shell: process.platform === 'win32' })
  if (npm.status !== 0) {
    console.error('npm ci failed: the packages could not be installed. Its own message stands above.')
    process.exit(1)
  }
  const now = new Date()
  utimesSync(installed, now, now)
}

requireNode()
if (!isInstalled()) install()
