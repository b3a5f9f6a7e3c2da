// Goal: tests see what a real mail server would have been handed.
// Method: send with the product's own mail library, over a socket.
import { createTransport } from 'nodemailer'
import t from 'tap'
import { useMail } from './mail.js'

t.test('a mail server', async (t) => {
  const peer = await useMail(t)
  const transport = createTransport(peer.url)
  t.teardown(() => transport.close())
  const mail = { from: 'vault@example.org', to: 'ada@example.org', subject: 'Your code', text: '1234 5678' }

  t.test('keeps a message as it came', async (t) => {
    const waiting = peer.waitFor('ada@example.org')
    await transport.sendMail(mail)
    const message = await waiting
    t.equal(message.from, 'vault@example.org')
    t.match(message.source, /^Subject: Your code\r$/m)
    t.match(message.source, /\r\n\r\n1234 5678/)
  })

  t.test('finds the message that was asked for', async (t) => {
    await transport.sendMail({ ...mail, text: 'second' })
    const second = await peer.waitFor('ada@example.org', ({ source }) => source.includes('second'))
    t.match(second.source, /second/)
    t.equal(peer.messages.length, 2)
  })

  t.test('refuses when told to, and no longer when told not to', async (t) => {
    peer.refuse(true)
    await t.rejects(transport.sendMail(mail), /550/)
    peer.refuse(false)
    await transport.sendMail(mail)
    t.equal(peer.messages.length, 3)
  })
})
