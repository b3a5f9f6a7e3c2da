/** Words of the buttons that make evidence packs. */
import { defineSection } from './language.js'

const en = {
  take: 'Evidence pack',
  taking: 'Making the pack',
  takeOf: (name: string) => `Evidence pack: ${name}`,
  menuTitle: 'Take an evidence pack?',
  menuText: 'One zip with every signed agreement, receipt and event of this vault, a certificate, and a verifier that works without any network. Taking it is itself an event of the log. It holds names and addresses of those who signed; keep it as you keep a contract.',
  taken: 'The evidence pack is saved',
}

const ru: typeof en = {
  take: 'Пакет доказательств',
  taking: 'Пакет составляется',
  takeOf: (name) => `Пакет доказательств: ${name}`,
  menuTitle: 'Взять пакет доказательств?',
  menuText: 'Один zip: все подписанные соглашения, квитанции и события хранилища, свидетельство и программа проверки, которой не нужна сеть. То, что он взят, тоже событие журнала. В нём имена и адреса подписавших; храните его как договор.',
  taken: 'Пакет доказательств сохранён',
}

export const evidence = defineSection({ en, ru })
