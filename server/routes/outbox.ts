/**
 * The mails of the embedded default, for whoever tries Sealdeck on one machine: a list, and each mail as
 * text. Answers to this machine only; where mail is really sent, or the address is public, these routes do not exist.
 */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { FastifyRequest } from 'fastify'
import { Refusal } from '../../protocol/refusals.js'
import type { App } from '../app.js'
import { hasOutboxPage } from '../config.js'
import { parseMail, type OutboxMail } from '../eml.js'
import { isFromThisMachine } from '../guards.js'
import { headersFor } from '../headers.js'
import type { World } from '../world.js'

const MAX_LISTED = 100
const MAIL_FILE = /^[0-9a-f-]{36}\.eml$/
const STYLE = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
body { max-width: 48rem; margin: 2rem auto; padding: 0 1rem }
ul { list-style: none; padding: 0 }
li { border-top: 1px solid color-mix(in srgb, currentColor 20%, transparent); padding: .75rem 0 }
small { opacity: .75 }
pre { white-space: pre-wrap; overflow-wrap: anywhere; font: inherit }
`

export function outboxRoutes(app: App, world: World): void {
  if (!hasOutboxPage(world.config)) return
  const { outboxFolder } = world.config
  const options = { schema: { hide: true }, onRequest: requireThisMachine }
  const headers = headersFor(world.config, 'outbox-page')

  app.get('/outbox', options, async (_request, reply) => {
    const mails = await readMails(outboxFolder)
    return await reply.headers(headers).type('text/html; charset=utf-8').send(listPage(mails))
  })

  app.get('/outbox/style.css', options, async (_request, reply) =>
    await reply.headers(headersFor(world.config, 'app-file')).type('text/css; charset=utf-8').send(STYLE))

  app.get('/outbox/:name', options, async (request, reply) => {
    const name: unknown = Reflect.get(Object(request.params), 'name')
    const names = await listNames(outboxFolder)
    const found = names.find((one) => one === `${String(name)}.eml`)
    if (found === undefined) throw new Refusal('not-found')
    const mail = await readMail(outboxFolder, found)
    return await reply.headers(headers).type('text/html; charset=utf-8').send(mailPage(mail, world.config.publicUrl))
  })
}

async function requireThisMachine(request: FastifyRequest): Promise<void> {
  if (!isFromThisMachine(request)) throw new Refusal('not-found')
}

interface Listed extends OutboxMail { readonly name: string }

/** Newest first: the names are UUIDv7. */
async function listNames(folder: string): Promise<string[]> {
  const names = await readdir(folder)
  return names.filter((name) => MAIL_FILE.test(name)).sort().reverse().slice(0, MAX_LISTED)
}

async function readMails(folder: string): Promise<Listed[]> {
  const names = await listNames(folder)
  return await Promise.all(names.map((name) => readMail(folder, name)))
}

async function readMail(folder: string, file: string): Promise<Listed> {
  return { ...parseMail(await readFile(join(folder, file), 'utf8')), name: file.replace(/\.eml$/, '') }
}

function listPage(mails: readonly Listed[]): string {
  const items = mails.map(({ name, to, subject, date }) =>
    `<li><a href="/outbox/${name}">${escape(subject)}</a><br><small>${escape(to)} · ${escape(date)}</small></li>`)
  const list = items.length === 0 ? '<p>No mail yet.</p>' : `<ul>${items.join('')}</ul>`
  return page('Outbox', `<h1>Outbox</h1><p>No mail server is set, so mail is kept here instead of being sent. Only this machine sees this page.</p>${list}`)
}

function mailPage(mail: Listed, publicUrl: string): string {
  return page(mail.subject, `<p><a href="/outbox">Outbox</a></p><h1>${escape(mail.subject)}</h1>
<p><small>${escape(mail.to)} · ${escape(mail.date)}</small></p><pre>${linked(escape(mail.text), escape(publicUrl))}</pre>`)
}

function page(title: string, body: string): string {
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(title)}</title><link rel="stylesheet" href="/outbox/style.css"></head><body>${body}</body></html>\n`
}

/** Only addresses of our own become links. */
function linked(escaped: string, publicUrl: string): string {
  return escaped.split(publicUrl).join(`\u0000${publicUrl}`)
    .replace(/\u0000(\S+)/g, (_match, url: string) => `<a href="${url}">${url}</a>`)
}

function escape(text: string): string {
  const named: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }
  return text.replaceAll('\u0000', '').replace(/[&<>"']/g, (symbol) => named[symbol] ?? '')
}
