// Goal: one address has one stored form, and no two people's addresses share one.
// Method: spellings that must meet, spellings that must stay apart, and what is refused.
import t from 'tap'
import { Refusal } from '../../protocol/refusals.js'
import { canonicalEmail } from '../../server/email.js'

t.test('spellings of one address meet', async (t) => {
  t.equal(canonicalEmail('Ada@Fund.Example'), 'ada@fund.example')
  t.equal(canonicalEmail('rene\u0301@fund.example'), canonicalEmail('ren\u00e9@fund.example'), 'NFC')
  t.equal(canonicalEmail('ada@\u0444\u043e\u043d\u0434.\u0440\u0444'), canonicalEmail('ada@xn--d1arcx.xn--p1ai'))
  t.equal(canonicalEmail('ada@\u0424\u041e\u041d\u0414.\u0420\u0424'), 'ada@xn--d1arcx.xn--p1ai')
  t.equal(canonicalEmail(canonicalEmail('Ada@Fund.Example')), 'ada@fund.example', 'a stored form stays as it is')
})

t.test('addresses that only look alike stay apart', async (t) => {
  const latin = canonicalEmail('ace@fund.example')
  t.not(canonicalEmail('\u0430ce@fund.example'), latin, 'Cyrillic a in the local part')
  t.not(canonicalEmail('ace@f\u0443nd.example'), latin, 'Cyrillic u in the domain')
  t.not(canonicalEmail('ace+deck@fund.example'), latin, 'plus-addresses are not merged')
  t.not(canonicalEmail('a.ce@fund.example'), latin, 'dots are not dropped')
  t.not(canonicalEmail('\u0130ce@fund.example'), canonicalEmail('ice@fund.example'), 'no case folding beyond ASCII')
  t.not(canonicalEmail('\uff41ce@fund.example'), latin, 'no compatibility folding')
})

t.test('what mail cannot be sent to is refused', async (t) => {
  const refused = [
    '', 'ada', '@fund.example', 'ada@', 'ada@localhost', 'ada@127.0.0.1', 'ada@[127.0.0.1]', 'ada@fund..example',
    'ada@-fund.example', 'a da@fund.example', 'ada\n@fund.example', 'ada\u200b@fund.example', 'ada\u202e@fund.example',
    '"ada"@fund.example', 'ada@b@fund.example', '.ada@fund.example', 'ada.@fund.example', 'a..b@fund.example',
    `${'a'.repeat(65)}@fund.example`, `ada@${'a'.repeat(64)}.example`, `ada@${'abc.'.repeat(70)}example`, 'ada@fund.example\n', 'ada@f%75nd.example',
  ]
  for (const address of refused) {
    t.throws(() => canonicalEmail(address), new Refusal('bad-request'), JSON.stringify(address))
  }
})
