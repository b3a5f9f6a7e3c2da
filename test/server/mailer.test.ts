// Goal: queued mail is sent once, tried again a bounded number of times, and forgotten afterwards;
// where no server is set it can be read on this machine, and nowhere else.
// Method: a real SMTP server that can refuse; the outbox folder and its pages; a clock that jumps.
import { readdir } from 'node:fs/promises'
import t from 'tap'
import { uuidv7 } from 'uuidv7'
import { insertMails, type NewMail } from '../../db/queries/mail.js'
import { mailOutbox } from '../../db/schema.js'
import { parseMail } from '../../server/eml.js'
import { startMailer } from '../../server/mailer.js'
import type { World } from '../../server/world.js'
import { waitUntil } from '../helpers/engine.js'
import { useMail } from '../helpers/mail.js'
import { ENGINES, startWorld } from '../helpers/world.js'

const RUSSIAN = 'Ваш код — 1234 5678. Он действует десять минут: никому его не называйте.'

function makeMail(change: Partial<NewMail> = {}): NewMail {
  return {
    id: uuidv7(), kind: 'email-code', recipientEmail: 'ada@fund.example', subject: 'Ваш код', text: RUSSIAN, createdAtMs: 1, ...change,
  }
}

async function rows(world: World) {
  return await world.db.select().from(mailOutbox).orderBy(mailOutbox.id)
}

for (const engines of ENGINES) {
  t.test(`mail by SMTP on ${engines} engines`, async (t) => {
    const peer = await useMail(t)
    const { world } = await startWorld(t, { engines, settings: { SMTP_URL: peer.url, MAIL_FROM: 'Sealdeck <deck@fund.example>' } })
    const attachment = { filename: 'receipt.tlog-proof', contentType: 'text/plain', contentBase64: Buffer.from('proof').toString('base64') }
    const mail = makeMail({ html: '<p>x</p>', attachments: [attachment] })
    await insertMails(world.db, [mail])
    world.mailer.wake()
    const message = await peer.waitFor('ada@fund.example')
    t.match(message.source, `Message-ID: <${mail.id}@localhost>`)
    t.match(message.source, 'Auto-Submitted: auto-generated')
    t.match(message.source, 'filename=receipt.tlog-proof')
    t.match(parseMail(message.source), { subject: 'Ваш код', text: RUSSIAN })
    await waitUntil('the mark', async () => (await rows(world))[0]?.sentAtMs !== null)
    t.match(await rows(world), [{ subject: null, text: null, html: null, attachments: null, recipientEmail: 'ada@fund.example' }], 'its words are forgotten')

    const many = Array.from({ length: 35 }, (_, index) => makeMail({ recipientEmail: `p${index}@fund.example` }))
    await insertMails(world.db, many)
    const other = await startMailer(world)
    world.mailer.wake()
    await waitUntil('all mails', async () => (await rows(world)).every(({ sentAtMs }) => sentAtMs !== null))
    await other.stop()
    t.equal(peer.messages.length, 36, 'two instances send each mail once')
  })
}

t.test('a mail server that is away, and one that refuses', async (t) => {
  const peer = await useMail(t)
  const { world, clock, logLines } = await startWorld(t, { settings: { SMTP_URL: 'smtp://127.0.0.1:1' } })
  const failureCount = () => logLines.filter((line) => line.includes('a mail was not sent')).length
  await insertMails(world.db, [makeMail()])
  for (let tries = 1; tries <= 8; tries++) {
    world.mailer.wake()
    await waitUntil(`try ${tries}`, async () => failureCount() === tries)
    await world.mailer.settled()
    t.equal((await rows(world))[0]?.failedAtMs === null, tries < 8, `after try ${tries} it is ${tries < 8 ? 'kept' : 'given up'}`)
    clock.advance(31 * 60_000)
  }
  t.equal((await rows(world))[0]?.text, null, 'and its words are forgotten')

  peer.refuse(true)
  const refusing = await startWorld(t, { settings: { SMTP_URL: peer.url } })
  await insertMails(refusing.world.db, [makeMail()])
  refusing.world.mailer.wake()
  await waitUntil('the refusal', async () => (await rows(refusing.world))[0]?.failedAtMs !== null)
  t.equal((await rows(refusing.world))[0]?.tryCount, 1, 'who is refused for good is not tried again')
  t.notMatch(refusing.logLines.join(''), 'ada@fund.example', 'and no address is logged')
})

t.test('the outbox folder and its pages', async (t) => {
  const { world, app } = await startWorld(t)
  const hostile = makeMail({ subject: '<script>alert(1)</script>', text: `${RUSSIAN}\n<b>&"'\nhttp://localhost:4870/g/x and http://evil.example/\n` })
  await insertMails(world.db, [hostile])
  world.mailer.wake()
  await waitUntil('the file', async () => (await rows(world))[0]?.sentAtMs !== null)
  t.same(await readdir(world.config.outboxFolder), [`${hostile.id}.eml`])

  const near = { remoteAddress: '127.0.0.1', headers: { host: 'localhost:4870' } }
  const list = await app.inject({ ...near, url: '/outbox' })
  t.match(list.body, '&lt;script&gt;alert(1)&lt;/script&gt;')
  t.notMatch(list.body, '<script')
  t.equal(list.headers['content-security-policy'], "default-src 'none'; style-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'")
  const page = await app.inject({ ...near, url: `/outbox/${hostile.id}` })
  t.match(page.body, RUSSIAN)
  t.match(page.body, '&lt;b&gt;&amp;&quot;&#39;')
  t.match(page.body, '<a href="http://localhost:4870/g/x">http://localhost:4870/g/x</a>')
  t.notMatch(page.body, 'href="http://evil', 'only our own addresses are links')
  t.equal((await app.inject({ ...near, url: '/outbox/style.css' })).headers['content-type'], 'text/css; charset=utf-8')

  for (const [name, request] of Object.entries({
    'an unknown mail': { ...near, url: `/outbox/${uuidv7()}` }, 'a path': { ...near, url: '/outbox/..%2fkeys%2flog.key' },
    'another machine': { ...near, url: '/outbox', remoteAddress: '10.0.0.9' }, 'another name': { ...near, url: '/outbox', headers: { host: 'evil.example' } },
    'a proxy': { ...near, url: '/outbox', headers: { 'host': 'localhost', 'x-forwarded-for': '10.0.0.9' } },
  })) t.equal((await app.inject(request)).statusCode, 404, name)
  const mailing = await startWorld(t, { settings: { SMTP_URL: 'smtp://127.0.0.1:1' } })
  t.equal((await mailing.app.inject({ ...near, url: '/outbox/style.css' })).statusCode, 404, 'where mail is sent there is no outbox')
})

t.test('reading our own mails', async (t) => {
  t.match(parseMail('Subject: =?UTF-8?B?0JrQvtC0?= =?UTF-8?Q?_=31?=\r\nTo: a@b.example\r\n\r\nx=y'), { subject: 'Код 1', to: 'a@b.example', text: 'x=y' })
  t.match(parseMail('Content-Transfer-Encoding: base64\n\n0JrQvtC0'), { text: 'Код' })
  t.equal(parseMail('Content-Type: multipart/mixed; boundary="b"\n\n--b\nContent-Type: text/html\n\n<p>\n--b\n\nplain\n--b--\n').text, 'plain')
  t.same(parseMail(''), { to: '', subject: '', date: '', text: '' })
})
