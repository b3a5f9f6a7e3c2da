/**
 * `npm start`: builds what changed, then becomes the server. The server runs in this process, so
 * that Ctrl-C and a supervisor's signals reach it without anybody in between.
 */
import { build } from './build.mjs'

try {
  await build()
} catch (error) {
  console.error(error.message)
  process.exit(1)
}
process.env.NODE_ENV ??= 'production'
process.setSourceMapsEnabled(true)
await import(new URL('../dist/server/main.js', import.meta.url).href)
