/** What a check has shown, against which tree, and when; or that the log has two histories. */
import { useCopy } from '../copy.js'
import { auditor } from '../copy/auditor.js'
import { saveText } from '../save.js'
import { Button } from '../ui/Button.js'
import { Facts } from '../ui/Facts.js'
import { Hash } from '../ui/Hash.js'
import { Notice } from '../ui/Notice.js'
import { Time } from '../ui/Time.js'
import type { Checked, LogTools, ShownEvent } from './events.js'

export function Verification(
  { checked, events }: { checked: Checked, events: readonly ShownEvent[] },
) {
  const copy = useCopy(auditor)
  const provenCount = events.filter((event) => event.checked.isProven).length
  const unprovenCount = events.length - provenCount
  const isWhole = unprovenCount === 0
  const proven = copy.verified(provenCount, checked.treeSize)
  return (
    <Notice tone={isWhole ? 'seal' : 'fail'} title={isWhole ? proven : copy.unproven(unprovenCount)} isLive>
      {!isWhole && <p>{copy.unprovenBody}</p>}
      {!isWhole && <p>{proven}</p>}
      <p>{checked.rememberedSize === null ? copy.firstSeen : copy.grown(checked.rememberedSize)}</p>
      <Facts
        facts={[
          { name: copy.signedBy, value: checked.origin },
          {
            name: copy.checkpoint, value: <Hash value={checked.rootHash} what={copy.checkpoint} />,
          },
          { name: copy.whenChecked, value: <Time atMs={checked.atMs} style='utc' /> },
        ]}
      />
    </Notice>
  )
}

/** The one thing this screen must not be quiet about. */
export function Fork({ tools }: { tools: LogTools }) {
  const copy = useCopy(auditor)
  const origin = tools.logVkey.split('+', 1)[0] ?? ''

  async function onSave(): Promise<void> {
    const evidence = await tools.crypto.forkEvidence(origin)
    if (evidence !== null) saveText(`${evidence.remembered}\n${evidence.offered}`, 'sealdeck-two-histories.txt')
  }

  return (
    <Notice tone='fail' title={copy.forked} isLive actions={<Button variant='primary' onClick={() => void onSave()}>{copy.saveEvidence}</Button>}>
      {copy.forkedBody}
    </Notice>
  )
}
