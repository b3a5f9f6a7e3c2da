// Goal: what the server says of its version is what the package says.
// Method: read both.
import { readFile } from 'node:fs/promises'
import t from 'tap'
import { VERSION } from '../../server/version.js'

t.test('the version is the package\'s', async (t) => {
  const text = await readFile(new URL('../../package.json', import.meta.url), 'utf8')
  t.equal(VERSION, JSON.parse(text).version)
})
