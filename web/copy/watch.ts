/**
 * Words for what a founder's own look at her log finds: what it is, what it means, what to do. Says at once what is
 * known and what is not: an alarm that overstates is not believed twice.
 */
import type { OlderState } from '../../protocol/deck/newest.js'
import type { WatchFinding } from '../crypto.js'
import { defineSection, plural } from './language.js'

type Kind = WatchFinding['kind']
type Words<Key extends string> = Readonly<Record<Key, string>>

const kindsEn: Words<Kind> = {
  fork: 'The log has shown this browser two histories that cannot both be true. Both are signed with the log’s key.',
  'vault-gone': 'A deck that this browser knows is not in your list any more. If you deleted it on another device, there is nothing to do.',
  'false-files': 'The log’s public files do not lead to the checkpoint that the server signed.',
  'other-log': 'A link of yours names another log than the one this server shows.',
  hidden: 'The log holds an event of this deck that the server does not show you.',
  untagged: 'The server shows you an event of this deck that does not carry its mark in the log.',
  changed: 'What the server shows for this entry is not what the log holds.',
  missing: 'An event of this deck is missing from the log: a number was left out.',
  doubled: 'Two entries of the log carry the same number of this deck.',
  'out-of-order': 'Events of this deck stand in the log in another order than they were numbered.',
  'erased-untold': 'An event of this deck was erased, and no erasure was recorded.',
  'foreign-grant': 'A link to this deck was made, changed or used that your key did not sign.',
  'foreign-version': 'A version of this deck was stored or released that your key did not sign.',
  'foreign-act': 'An act that only you can do on this deck was done by somebody else.',
  'foreign-approval': 'Somebody was let in, and it was not you who made the key.',
  'false-acceptance': 'The log records a signature under your NDA that does not verify.',
  'false-enrolment': 'A device was let in without the signatures that your link asks for.',
  'ghost-release': 'A key to this deck was released that your browser never made.',
  'unearned-release': 'A key to this deck was released to somebody who had not earned it.',
  'unapproved-release': 'A key to this deck was released to somebody whom you had not let in.',
  'release-after-revocation': 'A key to this deck was released after you had revoked it.',
  'release-of-old-version': 'An old version of this deck was released after you had stored a newer one.',
}
const kindsRu: Words<Kind> = {
  fork: 'Журнал показал этому браузеру две истории, которые не могут быть верны обе. Обе подписаны ключом журнала.',
  'vault-gone': 'Презентации, которую знает этот браузер, больше нет в вашем списке. Если вы удалили её на другом устройстве, делать ничего не нужно.',
  'false-files': 'Открытые файлы журнала не сходятся с контрольной точкой, которую подписал сервер.',
  'other-log': 'Ваша ссылка называет другой журнал, не тот, что показывает сервер.',
  hidden: 'В журнале есть событие этой презентации, которого сервер вам не показывает.',
  untagged: 'Сервер показывает событие этой презентации, у которого нет её метки в журнале.',
  changed: 'Сервер показывает на месте этой записи не то, что хранит журнал.',
  missing: 'В журнале не хватает события этой презентации: номер пропущен.',
  doubled: 'Две записи журнала несут один и тот же номер этой презентации.',
  'out-of-order': 'События этой презентации стоят в журнале не в том порядке, в каком пронумерованы.',
  'erased-untold': 'Событие этой презентации стёрто, а запись о стирании отсутствует.',
  'foreign-grant': 'Создана, изменена или использована ссылка на эту презентацию, которую ваш ключ не подписывал.',
  'foreign-version': 'Сохранена или выдана версия этой презентации, которую ваш ключ не подписывал.',
  'foreign-act': 'Действие с этой презентацией, доступное только вам, совершил кто-то другой.',
  'foreign-approval': 'Кого-то впустили, и ключ для этого создали не вы.',
  'false-acceptance': 'В журнале записана подпись под вашим NDA, которая не проходит проверку.',
  'false-enrolment': 'Устройство допущено без подписей, которых требует ваша ссылка.',
  'ghost-release': 'Выдан ключ к этой презентации, которого ваш браузер не создавал.',
  'unearned-release': 'Ключ к этой презентации выдан тому, кто не выполнил условий.',
  'unapproved-release': 'Ключ к этой презентации выдан тому, кого вы не впускали.',
  'release-after-revocation': 'Ключ к этой презентации выдан после того, как вы отозвали доступ.',
  'release-of-old-version': 'Старая версия этой презентации выдана после того, как вы сохранили новую.',
}

const olderEn: Words<OlderState['kind']> = {
  'link-older': 'A link is shown in an older form than you gave it.',
  'link-revived': 'A link that you revoked is shown as open.',
  'link-missing': 'A link that you made is not shown at all.',
  'version-older': 'A version that you stored is not shown.',
}
const olderRu: Words<OlderState['kind']> = {
  'link-older': 'Ссылка показана в более старом виде, чем вы её оставили.',
  'link-revived': 'Отозванная вами ссылка показана как действующая.',
  'link-missing': 'Созданная вами ссылка не показана вовсе.',
  'version-older': 'Сохранённая вами версия не показана.',
}

const en = {
  alarmTitle: (count: number) => count === 1
    ? 'Your log holds something that you did not do'
    : `Your log holds ${count} things that you did not do`,
  brokenTitle: 'The log cannot be trusted',
  goneTitle: 'A deck is missing from your list',
  kinds: kindsEn,
  inDeck: (title: string) => `Deck “${title}”`,
  unknownDeck: 'A deck that is not in your list',
  entry: (index: number) => `entry ${index}`,
  event: 'event',
  about: (who: string) => `about ${who}`,
  more: (count: number) => plural('en', count, { one: 'and # more, in the evidence', other: 'and # more, in the evidence' }),
  whatToDo: 'Save the evidence first: it holds what the log signed. Revoke the links of this deck if a key may have left, ask whoever runs this server how it came about, and show the file to somebody who can check it.',
  whatToDoFork: 'Save both checkpoints. Whoever compares them sees the two histories without trusting you or the server. Do nothing on this server until it is explained.',
  histories: { remembered: 'Seen before, by this browser', offered: 'Shown now' },
  saveEvidence: 'Save the evidence',
  seeInLog: 'See it in the log',
  dealtWith: 'I have dealt with it',
  dealtTitle: 'Put this aside?',
  dealtText: 'It is not shown on this device again. The log keeps what it holds. Save the evidence first if you have not.',
  dealtAct: 'Put aside',
  quiet: (eventCount: number, size: number) =>
    `${plural('en', eventCount, { one: '# event of yours', other: '# events of yours' })} among ${plural('en', size, { one: 'the log’s # entry', other: 'the log’s # entries' })}: each is shown to you, and none happened without you.`,
  lookedAt: 'Looked at',
  looking: 'Looking through the log for events of yours',
  partly: (checked: number, size: number) => `Looked through ${plural('en', checked, { one: '# entry', other: '# entries' })} of ${plural('en', size, { one: '#', other: '#' })} so far. It goes on at your next visit.`,
  goOn: 'Go on now',
  notLooked: 'The log could not be looked through just now. It is tried again at your next visit.',
  olderTitle: 'The server shows an older state of this deck',
  older: olderEn,
  olderText: 'This browser has seen a newer one, signed by you. Until the server shows that again, no key is made here: reload the page, and if it stays, ask whoever runs this server.',
}

export const watch = defineSection({
  en,
  ru: {
    alarmTitle: (count) => count === 1
      ? 'В вашем журнале есть то, чего вы не делали'
      : `В вашем журнале есть то, чего вы не делали: ${plural('ru', count, { one: '# событие', few: '# события', many: '# событий' })}`,
    brokenTitle: 'Журналу нельзя верить',
    goneTitle: 'Презентация пропала из списка',
    kinds: kindsRu,
    inDeck: (title) => `Презентация «${title}»`,
    unknownDeck: 'Презентация, которой нет в вашем списке',
    entry: (index) => `запись ${index}`,
    event: 'событие',
    about: (who) => `о ком: ${who}`,
    more: (count) => plural('ru', count, { one: 'и ещё #, в доказательствах', few: 'и ещё #, в доказательствах', many: 'и ещё #, в доказательствах' }),
    whatToDo: 'Сначала сохраните доказательства: в них то, что подписал журнал. Отзовите ссылки этой презентации, если ключ мог уйти, спросите у владельца сервера, как это вышло, и покажите файл тому, кто сможет его проверить.',
    whatToDoFork: 'Сохраните обе контрольные точки. Кто их сравнит, увидит две истории, не доверяя ни вам, ни серверу. Ничего не делайте на этом сервере, пока это не объяснят.',
    histories: { remembered: 'Видел раньше этот браузер', offered: 'Показано сейчас' },
    saveEvidence: 'Сохранить доказательства',
    seeInLog: 'Посмотреть в журнале',
    dealtWith: 'Я с этим разобрался',
    dealtTitle: 'Убрать это?',
    dealtText: 'На этом устройстве оно больше не показывается. Журнал хранит, что хранит. Сначала сохраните доказательства, если ещё не сохранили.',
    dealtAct: 'Убрать',
    quiet: (eventCount, size) =>
      `${plural('ru', eventCount, { one: '# ваше событие', few: '# ваших события', many: '# ваших событий' })} среди ${plural('ru', size, { one: '# записи', few: '# записей', many: '# записей' })} журнала: каждое вам показано, и ни одно не произошло без вас.`,
    lookedAt: 'Просмотрено',
    looking: 'Ищем в журнале ваши события',
    partly: (checked, size) => `Просмотрено ${plural('ru', checked, { one: '# запись', few: '# записи', many: '# записей' })} из ${plural('ru', size, { one: '#', few: '#', many: '#' })}. Продолжим при следующем посещении.`,
    goOn: 'Продолжить сейчас',
    notLooked: 'Просмотреть журнал сейчас не удалось. Попробуем при следующем посещении.',
    olderTitle: 'Сервер показывает старое состояние этой презентации',
    older: olderRu,
    olderText: 'Этот браузер видел более новое, подписанное вами. Пока сервер не покажет его снова, ключи здесь не создаются: обновите страницу, а если не поможет, спросите у владельца сервера.',
  },
})
