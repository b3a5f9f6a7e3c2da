/** What widgets say, in Russian. */
import type { CommonCopy } from './en.js'
import { formatBytes, plural } from './language.js'

export const ru: CommonCopy = {
  productName: 'Sealdeck',
  skipToContent: 'К содержанию',
  language: 'Язык',
  languageNames: { en: 'English', ru: 'Русский' },
  theme: 'Тема',
  themeNames: { system: 'Как в системе', light: 'Светлая', dark: 'Тёмная' },

  back: 'Назад',
  cancel: 'Отмена',
  close: 'Закрыть',
  continue: 'Продолжить',
  copy: 'Копировать',
  copied: 'Скопировано',
  copyFailed: 'Скопировать не удалось. Выделите текст и скопируйте вручную.',
  download: 'Скачать',
  print: 'Печать',
  retry: 'Повторить',
  loading: 'Загрузка',
  working: 'Минуту',
  optional: 'необязательно',
  dismiss: 'Скрыть',
  more: 'Ещё',
  showText: 'Показать введённое',
  hideText: 'Скрыть введённое',
  undo: 'Отменить',

  codeGroups: (length) => `${length} цифр, двумя группами`,
  codeDigitsLeft: (count) => plural('ru', count, {
    one: 'Осталась # цифра',
    few: 'Осталось # цифры',
    many: 'Осталось # цифр',
  }),

  bytesOf: (doneBytes, totalBytes) => `${formatBytes('ru', doneBytes)} из ${formatBytes('ru', totalBytes)}`,
  done: 'Готово',
  failed: 'Не удалось',

  hashOf: (what) => `${what}: скопировать целиком`,
  textSize: 'Размер текста',
  smallerText: 'Мельче',
  largerText: 'Крупнее',
  qrOf: (what) => `QR-код: ${what}`,

  sortedAscending: 'по возрастанию',
  sortedDescending: 'по убыванию',
  choose: 'Выберите',
  notifications: 'Сообщения',
  notice: { info: 'Примечание', warn: 'Прочтите сначала', fail: 'Не выполнено', seal: 'Запечатано' },
}
