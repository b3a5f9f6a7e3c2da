/**
 * Every mail that goes out, in both languages, as plain text. A mail holds no secret but a code, and
 * no title, name of a vault or link: mail servers read along.
 */
import { uuidv7 } from 'uuidv7'
import type { NewMail } from '../db/queries/mail.js'
import { formatTime } from '../protocol/log/event.js'
import type { World } from './world.js'

export type Locale = 'en' | 'ru'

export interface MailText { readonly subject: string, readonly text: string }

/** A mail that is nobody's secret: what happened, at which address of ours. */
interface Place { readonly host: string, readonly url: string }

type Texts = Readonly<Record<Locale, MailText>>

/** Each kind of mail without a code. */
const NOTICES = {
  'account-exists': ({ host, url }): Texts => ({
    en: {
      subject: `You already have an account at ${host}`,
      text: `Somebody, probably you, asked to sign up at ${host} with this address.\n\nThere is an account already: sign in at ${url}\n\nIf it was not you, there is nothing to do.\n`,
    },
    ru: {
      subject: `У вас уже есть учётная запись на ${host}`,
      text: `Кто-то, вероятно вы, хотел зарегистрироваться на ${host} с этим адресом.\n\nУчётная запись уже есть: войдите на ${url}\n\nЕсли это были не вы, делать ничего не нужно.\n`,
    },
  }),
  'no-account': ({ host, url }): Texts => ({
    en: {
      subject: `No account at ${host} under this address`,
      text: `Somebody, probably you, asked to recover an account at ${host} with this address.\n\nThere is none under it. You may have signed up with another address, or can sign up at ${url}\n\nIf it was not you, there is nothing to do.\n`,
    },
    ru: {
      subject: `На ${host} нет учётной записи с этим адресом`,
      text: `Кто-то, вероятно вы, хотел восстановить учётную запись на ${host} с этим адресом.\n\nТакой записи нет. Возможно, вы регистрировались с другим адресом; зарегистрироваться можно на ${url}\n\nЕсли это были не вы, делать ничего не нужно.\n`,
    },
  }),
  'way-in-added': ({ host, url }): Texts => ({
    en: {
      subject: `A new way into your account at ${host}`,
      text: `A passkey, a passphrase or a recovery code was added to your account at ${host}.\n\nIf it was not you, sign in at ${url} and remove it.\n`,
    },
    ru: {
      subject: `Новый способ входа в вашу учётную запись на ${host}`,
      text: `К вашей учётной записи на ${host} добавлен ключ доступа, парольная фраза или код восстановления.\n\nЕсли это были не вы, войдите на ${url} и удалите его.\n`,
    },
  }),
  'way-in-removed': ({ host, url }): Texts => ({
    en: {
      subject: `A way into your account at ${host} was removed`,
      text: `A passkey, a passphrase or a recovery code was removed from your account at ${host}.\n\nIf it was not you, sign in at ${url} and look at what is left.\n`,
    },
    ru: {
      subject: `Удалён способ входа в вашу учётную запись на ${host}`,
      text: `Из вашей учётной записи на ${host} удалён ключ доступа, парольная фраза или код восстановления.\n\nЕсли это были не вы, войдите на ${url} и проверьте, что осталось.\n`,
    },
  }),
  'recovery-used': ({ host, url }): Texts => ({
    en: {
      subject: `Your recovery code was used at ${host}`,
      text: `Somebody signed in to your account at ${host} with this address and your recovery code.\n\nIf it was not you, sign in at ${url} at once, remove what you do not know and make a new code.\n`,
    },
    ru: {
      subject: `Использован ваш код восстановления на ${host}`,
      text: `Кто-то вошёл в вашу учётную запись на ${host} с этим адресом и вашим кодом восстановления.\n\nЕсли это были не вы, сразу войдите на ${url}, удалите незнакомое и создайте новый код.\n`,
    },
  }),
  'access-approved': ({ host }): Texts => ({
    en: {
      subject: 'You can read the documents now',
      text: `The founder approved your request at ${host}.\n\nOpen the link that you were given again, on the same device.\n`,
    },
    ru: {
      subject: 'Документы открыты для вас',
      text: `Основатель одобрил ваш запрос на ${host}.\n\nОткройте полученную ссылку ещё раз на том же устройстве.\n`,
    },
  }),
  'access-denied': ({ host }): Texts => ({
    en: {
      subject: 'Your request was not approved',
      text: `The founder did not approve your request at ${host}.\n\nWhat you signed stays on record; the documents stay closed.\n`,
    },
    ru: {
      subject: 'Ваш запрос не одобрен',
      text: `Основатель не одобрил ваш запрос на ${host}.\n\nПодписанное вами остаётся в журнале; документы остаются закрытыми.\n`,
    },
  }),
  'nda-signed': ({ host }): Texts => ({
    en: {
      subject: `Your signature at ${host}`,
      text: `You signed an agreement at ${host}. Attached: the agreement, what you signed, and the receipt.\n\nThe receipt proves, without us and without a network, that your signature stands in the log: npx sealdeck verify receipt\n\nIf it was not you, answer whoever sent you the link.\n`,
    },
    ru: {
      subject: `Ваша подпись на ${host}`,
      text: `Вы подписали соглашение на ${host}. Во вложении: соглашение, подписанный текст и квитанция.\n\nКвитанция доказывает, без нас и без сети, что ваша подпись есть в журнале: npx sealdeck verify receipt\n\nЕсли это были не вы, сообщите тому, кто прислал вам ссылку.\n`,
    },
  }),
  'signature-received': ({ host, url }): Texts => ({
    en: {
      subject: `Somebody signed your agreement at ${host}`,
      text: `An investor signed your agreement at ${host} and can read the documents now. The receipt is attached.\n\nWho it was, and what happens from here, is at ${url}\n`,
    },
    ru: {
      subject: `Ваше соглашение подписано на ${host}`,
      text: `Инвестор подписал ваше соглашение на ${host} и теперь может читать документы. Квитанция во вложении.\n\nКто это и что происходит дальше, видно на ${url}\n`,
    },
  }),
  'approval-due': ({ host, url }): Texts => ({
    en: {
      subject: `Somebody waits for you at ${host}`,
      text: `An investor signed your agreement at ${host} and waits to be let in. The receipt of the signature is attached.\n\nDecide at ${url}\n`,
    },
    ru: {
      subject: `На ${host} ждут вашего решения`,
      text: `Инвестор подписал ваше соглашение на ${host} и ждёт, когда вы его впустите. Квитанция подписи во вложении.\n\nРешить можно на ${url}\n`,
    },
  }),
  'keys-released': ({ host, url }): Texts => ({
    en: {
      subject: `A key to your deck was given out at ${host}`,
      text: `Somebody who came through one of your links at ${host} was given a key.\n\nIf your browser shows you something else than what stands here, or if nobody could have come: sign in at ${url}, look at the log of your decks, and revoke.\n`,
    },
    ru: {
      subject: `На ${host} выдан ключ к вашей презентации`,
      text: `Тому, кто пришёл по одной из ваших ссылок на ${host}, выдан ключ.\n\nЕсли ваш браузер показывает не то, что написано здесь, или прийти никто не мог: войдите на ${url}, посмотрите журнал своих презентаций и отзовите доступ.\n`,
    },
  }),
  'many-released': ({ host, url }): Texts => ({
    en: {
      subject: `Many keys to your deck were given out at ${host}`,
      text: `More keys were given out in this hour at ${host} than we send mails about. All of them stand in the log of your deck, at ${url}\n\nUntil the hour is over there is no further mail about this deck.\n`,
    },
    ru: {
      subject: `На ${host} выдано много ключей к вашей презентации`,
      text: `За этот час на ${host} выдано больше ключей, чем мы отправляем писем. Все они есть в журнале вашей презентации: ${url}\n\nДо конца часа писем об этой презентации больше не будет.\n`,
    },
  }),
  'act-logged': ({ host, url }): Texts => ({
    en: {
      subject: `Something was done with your deck at ${host}`,
      text: `Somebody whom you invited to audit did something with your deck at ${host}, and the log holds it.\n\nIf you invited nobody, sign in at ${url} and withdraw the invitation.\n`,
    },
    ru: {
      subject: `С вашей презентацией на ${host} что-то сделали`,
      text: `Приглашённый вами аудитор совершил действие с вашей презентацией на ${host}, и оно записано в журнале.\n\nЕсли вы никого не приглашали, войдите на ${url} и отзовите приглашение.\n`,
    },
  }),
} as const satisfies Readonly<Record<string, (place: Place) => Texts>>

export type NoticeKind = keyof typeof NOTICES

/** A notice for the outbox: it is sent once the statement that inserts it commits. */
export function noticeMail(
  world: World, kind: NoticeKind, to: { email: string, locale: Locale }, listed?: Listed,
): NewMail {
  const { publicUrl } = world.config
  const place = { host: new URL(publicUrl).host, url: publicUrl }
  const { subject, text } = NOTICES[kind](place)[to.locale]
  const compared = listed === undefined ? '' : `\n${LISTED[to.locale](listed)}`
  return mailOf(world, kind, to.email, { subject, text: `${text}${compared}` })
}

/** Events as the log names them, and whom they are about. */
export interface Listed {
  readonly who: string | null
  readonly lines: readonly string[]
}

export function listedEvents(
  events: readonly { id: string, type: string, atMs: number }[], who: string | null,
): Listed {
  return { who, lines: events.map(({ id, type, atMs }) => `${formatTime(atMs)}  ${type}  ${id}`) }
}

const LISTED: Readonly<Record<Locale, (listed: Listed) => string>> = {
  en: ({ who, lines }) => `About: ${who ?? 'somebody with the link alone'}\nIn the log:\n${lines.join('\n')}\n`,
  ru: ({ who, lines }) => `О ком: ${who ?? 'кто-то с одной ссылкой'}\nВ журнале:\n${lines.join('\n')}\n`,
}

/** A code in two groups of four, which people read and type better than eight digits. */
export function codeMail(
  world: World, code: string, to: { email: string, locale: Locale },
): NewMail {
  const host = new URL(world.config.publicUrl).host
  const groups = `${code.slice(0, 4)} ${code.slice(4)}`
  const texts: Texts = {
    en: {
      subject: `${groups} is your code for ${host}`,
      text: `${groups}\n\nType this code where you asked for it. It is good for ten minutes, once, in that browser.\n\nNobody from ${host} will ask you for it. If you did not ask, ignore this mail.\n`,
    },
    ru: {
      subject: `${groups} — ваш код для ${host}`,
      text: `${groups}\n\nВведите этот код там, где вы его запросили. Он действует десять минут, один раз и только в том браузере.\n\nНикто от имени ${host} его не спросит. Если вы его не запрашивали, просто удалите письмо.\n`,
    },
  }
  return mailOf(world, 'code', to.email, texts[to.locale])
}

function mailOf(
  world: World, kind: string, recipientEmail: string, { subject, text }: MailText,
): NewMail {
  return { id: uuidv7(), kind, recipientEmail, subject, text, createdAtMs: world.clock.nowMs() }
}
