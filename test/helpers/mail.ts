/** A real SMTP server for tests: takes every message, keeps it, and can be told to refuse. */
import { SMTPServer } from 'smtp-server'
import { findSparePort, waitUntil } from './engine.js'

const MAX_MESSAGE_SIZE_BYTES = 1024 * 1024

export interface Message {
  readonly from: string
  readonly to: readonly string[]
  /** As it came over the wire: headers, blank line, body. */
  readonly source: string
}

export interface MailPeer {
  /** For the setting that names the mail server: `smtp://127.0.0.1:port`. */
  readonly url: string
  readonly messages: readonly Message[]
  /** Waits for the first message to this address that `matches`, already here or still to come. */
  waitFor(to: string, matches?: (message: Message) => boolean): Promise<Message>
  /** From now on every message is refused for good (550), until called with `false`. */
  refuse(isRefusing: boolean): void
}

interface Test { teardown(end: () => Promise<void>): void }

/** Starts a mail server that ends with `t`. */
export async function useMail(t: Test): Promise<MailPeer> {
  const messages: Message[] = []
  let isRefusing = false
  const server = makeServer(messages, () => isRefusing)
  const port = await findSparePort()
  await new Promise<void>((resolve) => { server.listen(port, '127.0.0.1', resolve) })
  t.teardown(async () => await new Promise<void>((resolve) => { server.close(resolve) }))
  return {
    url: `smtp://127.0.0.1:${port}`,
    messages,
    waitFor: async (to, matches = () => true) => await waitForMessage(
      messages, (one) => one.to.includes(to) && matches(one),
    ),
    refuse(refusing) { isRefusing = refusing },
  }
}

function makeServer(messages: Message[], isRefusing: () => boolean): SMTPServer {
  return new SMTPServer({
    authOptional: true,
    disabledCommands: ['AUTH', 'STARTTLS'],
    size: MAX_MESSAGE_SIZE_BYTES,
    logger: false,
    onRcptTo(_address, _session, answer) {
      answer(isRefusing() ? Object.assign(new Error('no such mailbox'), { responseCode: 550 }) : null)
    },
    onData(stream, session, answer) {
      const parts: Buffer[] = []
      stream.on('data', (part: Buffer) => parts.push(part)).on('end', () => {
        const { mailFrom, rcptTo } = session.envelope
        const from = mailFrom === false ? '' : mailFrom.address
        messages.push({
          from, to: rcptTo.map(({ address }) => address), source: Buffer.concat(parts).toString(),
        })
        answer()
      })
    },
  })
}

async function waitForMessage(
  messages: readonly Message[], matches: (one: Message) => boolean,
): Promise<Message> {
  await waitUntil('the message', async () => messages.some(matches))
  const message = messages.find(matches)
  if (message === undefined) throw new Error('the message went away')
  return message
}
