/** Words of the verifier around the account itself, whose words are in protocol/evidence. */
import { defineSection, plural } from './language.js'

const en = {
  title: 'Check evidence',
  lead: 'Drop an evidence pack, or single files: receipts, signed acceptances, agreements, exports, checkpoints. They are checked here, on this machine; this page has no network.',
  drop: 'Drop a pack (.zip) or files',
  choose: 'Choose files',
  dropHint: 'Several at once, or one after the other',
  trustLabel: 'Whom you believe',
  trustHint: 'The key of the log, or a whole policy, as you got it from the founder or keep it yourself. Without it the files\u2019 own is used, which proves only that they fit together.',
  checking: 'Checking',
  again: 'Start again',
  tooLarge: 'These files are larger than any evidence of ours.',
  unreadable: 'A file could not be read. Folders cannot be dropped: open them and choose the files.',
  badTrust: 'That is neither the key of a log nor a policy.',
  looseFiles: 'Files',
  files: (count: number) => plural('en', count, { one: '# file', other: '# files' }),
  fileName: 'File',
  fileKind: 'What it is',
  fileVerdict: 'Whether it holds',
  print: 'Print',
  takeAlong: 'Save this check as one file that needs no server',
  unavailable: 'This browser cannot check signatures: WebAssembly is switched off.',
}

const ru: typeof en = {
  title: 'Проверка доказательств',
  lead: 'Перетащите сюда пакет доказательств или отдельные файлы: квитанции, подписанные принятия, соглашения, выгрузки, контрольные точки. Всё проверяется здесь, на этой машине; у страницы нет сети.',
  drop: 'Перетащите пакет (.zip) или файлы',
  choose: 'Выбрать файлы',
  dropHint: 'Можно несколько сразу или один за другим',
  trustLabel: 'Кому вы верите',
  trustHint: 'Ключ журнала или вся политика: как их дал основатель или как вы храните сами. Без них берётся то, что названо в файлах, а это доказывает лишь, что файлы согласуются между собой.',
  checking: 'Проверка',
  again: 'Начать заново',
  tooLarge: 'Эти файлы больше любых наших доказательств.',
  unreadable: 'Файл не читается. Папки перетаскивать нельзя: откройте папку и выберите файлы.',
  badTrust: 'Это не ключ журнала и не политика.',
  looseFiles: 'Файлы',
  files: (count) => plural('ru', count, { one: '# файл', few: '# файла', many: '# файлов' }),
  fileName: 'Файл',
  fileKind: 'Что это',
  fileVerdict: 'Сходится ли',
  print: 'Печать',
  takeAlong: 'Сохранить эту проверку одним файлом, которому не нужен сервер',
  unavailable: 'Этот браузер не может проверять подписи: WebAssembly выключен.',
}

export const verify = defineSection({ en, ru })
