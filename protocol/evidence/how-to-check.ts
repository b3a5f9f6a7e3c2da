/**
 * The steps by which somebody checks a pack with programs that we did not write (SPEC.md § 12.2).
 * English and Russian in one file, since the commands are the same. Pure.
 */
import { MAX_PACK_STAMP_COUNT } from '../limits.js'
import { commandFor } from './account.js'
import type { FoundStamp } from './check.js'

interface Step {
  readonly en: string
  readonly ru: string
  readonly commands?: readonly string[]
}

/** Names of files in the pack, for the commands. */
export interface Example {
  readonly receipt: string
  readonly agreement: string
  readonly stamps: readonly FoundStamp[]
}

export function formatHowToCheck(example: Example): string {
  const steps = listSteps(example)
  return `${[
    'HOW TO CHECK THIS PACK  ·  КАК ПРОВЕРИТЬ ЭТОТ ПАКЕТ', '',
    ...steps.flatMap(formatStep),
  ].join('\n')}`
}

function formatStep({ en, ru, commands = [] }: Step, index: number): string[] {
  const lines = commands.map((command) => `       ${command}`)
  return [`${index + 1}.  ${en}`, `    ${ru}`, ...lines.length === 0 ? [] : ['', ...lines], '']
}

function listSteps({ receipt, agreement, stamps }: Example): readonly Step[] {
  return [
    {
      en: 'Without installing anything: open verify.html in a browser, no network needed, and drop the pack on it.',
      ru: 'Ничего не устанавливая: откройте verify.html в браузере, сеть не нужна, и перетащите на неё пакет.',
    },
    {
      en: 'With Sealdeck\'s own program, and a policy that you got another way:',
      ru: 'Программой самого Sealdeck, с политикой, полученной другим путём:',
      commands: ['npx sealdeck verify evidence PACK.zip --policy MY-POLICY.txt'],
    },
    {
      en: 'The hashes of all files, with coreutils or OpenSSL. The name of an agreement is its SHA-256:',
      ru: 'Хеши всех файлов, с coreutils или OpenSSL. Имя файла соглашения — его SHA-256:',
      commands: ['sha256sum -c SHA256SUMS', `openssl dgst -sha256 ${agreement}`],
    },
    {
      en: 'A receipt is a c2sp.org/tlog-proof. The log entry is made of its line "extra" (base64), which is one byte 01, a salt of 32 bytes, two tags of 16 bytes, and the event. Any program can rebuild it:',
      ru: 'Квитанция — это c2sp.org/tlog-proof. Запись журнала строится из её строки «extra» (base64): байт 01, соль 32 байта, две метки по 16 байт, событие. Её восстановит любая программа:',
      commands: [
        `grep '^extra ' ${receipt} | cut -d' ' -f2 | base64 -d > extra`,
        'tail -c +66 extra > event.json                               # the event, to be read',
        '(printf \'sealdeck/event-commitment/v1\\n\'; tail -c +2 extra | head -c 32; cat event.json) | openssl dgst -sha256 -binary > commitment',
        '(printf \'\\001\'; cat commitment; tail -c +34 extra | head -c 32) > entry      # 65 bytes',
        '(printf \'\\000\'; cat entry) | openssl dgst -sha256               # the leaf (RFC 6962)',
      ],
    },
    {
      en: 'Checkpoints and acceptances are signed notes. Go\'s golang.org/x/mod/sumdb/note opens them with the keys in policy.txt, or with the two keys that an acceptance names; tlog.CheckRecord in golang.org/x/mod/sumdb/tlog proves the leaf with the receipt\'s path. filippo.io/torchwood reads tlog-proof and policy files whole.',
      ru: 'Контрольные точки и принятия — подписанные записи. Их открывает golang.org/x/mod/sumdb/note для Go: с ключами из policy.txt или с двумя ключами, названными в принятии; tlog.CheckRecord из golang.org/x/mod/sumdb/tlog доказывает лист по пути из квитанции. filippo.io/torchwood читает tlog-proof и policy целиком.',
    },
    ...stamps.length === 0 ? [] : [stepOfStamps(stamps)],
    {
      en: 'While the server is there, its whole log can be checked, every entry and tile:',
      ru: 'Пока сервер есть, можно проверить весь его журнал, каждую запись и плитку:',
      commands: ['npx sealdeck verify log https://SERVER/log/YEAR/ --policy policy.txt'],
    },
  ]
}

function stepOfStamps(stamps: readonly FoundStamp[]): Step {
  return {
    en: 'A time-stamp (RFC 3161) is an authority\'s word that a checkpoint, and every entry under it, was there by then. Whose word, OpenSSL says, with the authority\'s root certificates (AUTHORITY.pem), which you take from the authority. The .pem files are what the tokens carry; a .growth file is a consistency proof (RFC 6962) between the stamped checkpoint and that of the receipts:',
    ru: 'Штамп времени (RFC 3161) — слово удостоверяющей службы о том, что контрольная точка и все записи под ней тогда уже были. Чьё это слово, скажет OpenSSL с корневыми сертификатами службы (AUTHORITY.pem), взятыми у неё самой. Файлы .pem — сертификаты из самих штампов; файл .growth — доказательство согласованности (RFC 6962) между проштампованной контрольной точкой и точкой квитанций:',
    commands: stamps.slice(0, MAX_PACK_STAMP_COUNT).flatMap((stamp) => [
      commandFor(stamp), `openssl ts -reply -in ${stamp.tokenFile} -text`,
    ]),
  }
}
