/**
 * A sentence for every refusal, in every language. Read by founders, investors and auditors alike,
 * so it says what to do next and nothing that the code itself does not give away.
 */
import type { RefusalCode } from '../../protocol/refusals.js'
import { defineSection } from './language.js'

const en: Readonly<Record<RefusalCode, string>> = {
  'bad-request': 'The server could not read this request. Reload the page and try again.',
  'too-large': 'This is larger than the server accepts.',
  'not-signed-in': 'Your session has ended. Sign in again to go on.',
  'not-found': 'There is nothing here, or it is not open to you.',
  'not-allowed': 'This is not open to you.',
  'too-many-requests': 'Too many tries. Wait a minute, then try again.',
  conflict: 'This was changed elsewhere in the meantime. Reload to see how it stands now.',
  'not-ready': 'The server is starting or under repair. Try again in a moment.',
  'internal-error': 'Something failed on the server. Look at how things stand before you try again.',

  'code-wrong': 'That is not the code we sent. Check the digits and try again.',
  'code-expired': 'This code has expired, or was tried too often. Ask for a new one.',
  'sign-in-failed': 'The address, or what you signed in with, does not match an account.',
  'account-exists': 'This address has an account already. Sign in instead.',
  'recovery-failed': 'This recovery code does not open the account. Check it group by group.',
  'recovery-unconfirmed': 'Confirm your recovery code first. Without it nobody can let you back in.',
  'last-way-in': 'This is the last way into your account. Add another before you remove it.',
  'proof-stale': 'Sign in again first: a change to your ways in needs a fresh proof that it is you.',

  'file-too-large': 'The file is larger than this server accepts.',
  'quota-reached': 'Your storage is full. Delete something, or ask the operator for more room.',
  'instance-full': 'This server has no room left for anybody. Its operator must add some; nothing of yours is lost.',
  'part-mismatch': 'A part of the file arrived damaged. Resume the upload to send it again.',
  'upload-incomplete': 'The upload is not complete. Resume it to finish.',
  'upload-not-found': 'This upload is gone. Start it again.',
  'record-mismatch': 'What was signed is not what was uploaded, so nothing was published. Upload it again.',

  'vault-not-found': 'There is no such vault, or it is not open to you.',
  'version-not-found': 'There is no such version, or it is not open to you.',
  'nda-mismatch': 'The NDA is not the one you read. Read the current text before you sign.',
  'grant-not-found': 'This link opens nothing here. Ask the person who sent it.',
  'grant-mismatch': 'The terms of this link have changed. Reload to see the current ones.',
  'grant-revoked': 'This link has been withdrawn. Ask the person who sent it.',
  'grant-expired': 'This link has expired. Ask the person who sent it for a new one.',
  'not-on-the-list': 'This link does not open for this address. Use the address it was sent to.',

  'email-unverified': 'Confirm your e-mail address first.',
  'nonce-unknown': 'This page was open for too long. Reload it and try again.',
  'note-mismatch': 'What you signed is not what the server asked for. Reload the page and sign again.',
  'note-expired': 'The signature came too late. Reload the page and sign again.',
  'signature-invalid': 'The signature does not check out. Nothing was recorded.',
  'device-mismatch': 'This browser is not the one that signed. Open the link again to sign here.',
  'nda-not-signed': 'These slides open after the NDA is signed.',
  'already-accepted': 'You have signed this already. Reload the page to read on.',
  declined: 'This request was declined.',
  'awaiting-approval': 'You have signed. The slides open once you are let in; you will get a mail.',
  'access-revoked': 'Your access was withdrawn. You get nothing more from this link.',
  'header-not-ready': 'The key for this version is not ready yet. Try again a little later.',

  'invitation-not-found': 'This invitation opens nothing here. Ask the person who sent it.',
  'invitation-expired': 'This invitation has expired. Ask for a new one.',

  'log-unavailable': 'The log cannot record right now, so no key leaves the server. Try again in a moment.',
  'witnesses-awaited': 'It is in the log, and independent witnesses have yet to confirm that; the key waits for them. Nothing is lost: try again in a moment.',
  'witnesses-mismatch': 'The witnesses of this server are not those that you were shown. Reload the page and choose again.',
}

const ru: Readonly<Record<RefusalCode, string>> = {
  'bad-request': 'Сервер не смог разобрать запрос. Обновите страницу и повторите.',
  'too-large': 'Это больше, чем принимает сервер.',
  'not-signed-in': 'Сеанс закончился. Войдите снова, чтобы продолжить.',
  'not-found': 'Здесь ничего нет, или у вас нет доступа.',
  'not-allowed': 'У вас нет доступа.',
  'too-many-requests': 'Слишком много попыток. Подождите минуту и повторите.',
  conflict: 'Тем временем это изменили в другом месте. Обновите страницу, чтобы увидеть текущее состояние.',
  'not-ready': 'Сервер запускается или на обслуживании. Повторите немного позже.',
  'internal-error': 'На сервере произошёл сбой. Прежде чем повторять, проверьте, что получилось.',

  'code-wrong': 'Это не тот код, который мы отправили. Проверьте цифры и введите снова.',
  'code-expired': 'Код устарел, или попыток было слишком много. Запросите новый.',
  'sign-in-failed': 'Адрес или способ входа не подходят ни к одной учётной записи.',
  'account-exists': 'У этого адреса уже есть учётная запись. Войдите в неё.',
  'recovery-failed': 'Этот код восстановления не открывает учётную запись. Сверьте его по группам.',
  'recovery-unconfirmed': 'Сначала подтвердите код восстановления. Без него никто не сможет вернуть вам доступ.',
  'last-way-in': 'Это последний способ войти в учётную запись. Прежде чем удалять его, добавьте другой.',
  'proof-stale': 'Сначала войдите снова: чтобы менять способы входа, нужно заново подтвердить, что это вы.',

  'file-too-large': 'Файл больше, чем принимает этот сервер.',
  'quota-reached': 'Место закончилось. Удалите лишнее или попросите администратора сервера добавить места.',
  'instance-full': 'На этом сервере не осталось места ни для кого. Его должен добавить администратор; всё, что загружено, на месте.',
  'part-mismatch': 'Часть файла дошла повреждённой. Возобновите загрузку, и она отправится снова.',
  'upload-incomplete': 'Файл загружен не целиком. Возобновите загрузку, чтобы закончить.',
  'upload-not-found': 'Этой загрузки больше нет. Начните заново.',
  'record-mismatch': 'Подписано не то, что загружено, поэтому ничего не опубликовано. Загрузите файл снова.',

  'vault-not-found': 'Такого хранилища нет, или у вас нет к нему доступа.',
  'version-not-found': 'Такой версии нет, или у вас нет к ней доступа.',
  'nda-mismatch': 'Текст соглашения не тот, который вы прочли. Прочтите действующий текст, прежде чем подписывать.',
  'grant-not-found': 'Эта ссылка здесь ничего не открывает. Обратитесь к тому, кто её прислал.',
  'grant-mismatch': 'Условия этой ссылки изменились. Обновите страницу, чтобы увидеть действующие.',
  'grant-revoked': 'Эта ссылка отозвана. Обратитесь к тому, кто её прислал.',
  'grant-expired': 'Срок этой ссылки истёк. Попросите новую у того, кто её прислал.',
  'not-on-the-list': 'Для этого адреса ссылка не открывается. Укажите адрес, на который её прислали.',

  'email-unverified': 'Сначала подтвердите адрес электронной почты.',
  'nonce-unknown': 'Страница была открыта слишком долго. Обновите её и повторите.',
  'note-mismatch': 'Подписано не то, о чём просил сервер. Обновите страницу и подпишите снова.',
  'note-expired': 'Подпись пришла слишком поздно. Обновите страницу и подпишите снова.',
  'signature-invalid': 'Подпись не прошла проверку. Ничего не записано.',
  'device-mismatch': 'Подписывали в другом браузере. Откройте ссылку снова, чтобы подписать здесь.',
  'nda-not-signed': 'Эти слайды откроются после подписания соглашения.',
  'already-accepted': 'Вы уже подписали. Обновите страницу, чтобы читать дальше.',
  declined: 'Этот запрос отклонён.',
  'awaiting-approval': 'Вы подписали. Слайды откроются, когда вам дадут доступ; придёт письмо.',
  'access-revoked': 'Ваш доступ отозван. Больше эта ссылка вам ничего не откроет.',
  'header-not-ready': 'Ключ к этой версии ещё не готов. Повторите немного позже.',

  'invitation-not-found': 'Это приглашение здесь ничего не открывает. Обратитесь к тому, кто его прислал.',
  'invitation-expired': 'Срок приглашения истёк. Попросите новое.',

  'log-unavailable': 'Журнал сейчас не может сделать запись, поэтому ни один ключ не выдаётся. Повторите немного позже.',
  'witnesses-awaited': 'Запись в журнале есть, но независимые свидетели её ещё не подтвердили, и ключ ждёт их. Ничего не потеряно: повторите немного позже.',
  'witnesses-mismatch': 'Свидетели этого сервера не те, что вам показали. Обновите страницу и выберите снова.',
}

export const refusals = defineSection({ en, ru })
