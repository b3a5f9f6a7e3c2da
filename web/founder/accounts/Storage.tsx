/** How much of the account's room is taken; shown once the server has said it, and not missed otherwise. */
import { useEffect, useState } from 'react'
import type { AccountStorage } from '../../../protocol/api.js'
import { useCopy } from '../../copy.js'
import { accounts } from '../../copy/accounts.js'
import { useSession } from '../../session.js'
import { Card } from '../../ui/Card.js'
import { Notice } from '../../ui/Notice.js'
import styles from './accounts.module.css'

/** Above this share of the quota the next deck may not fit. */
const NEARLY_FULL = 0.9

export function Storage() {
  const copy = useCopy(accounts)
  const { api } = useSession()
  const [storage, setStorage] = useState<AccountStorage | null>(null)
  useEffect(() => {
    void api.readStorage().then((answer) => { if (answer.ok) setStorage(answer.value) })
  }, [api])
  if (storage === null) return null
  const { usedBytes, quotaBytes } = storage
  return (
    <Card title={copy.ways.storage}>
      <p className={styles.quiet}>{copy.ways.storageUsed(usedBytes, quotaBytes)}</p>
      {usedBytes >= quotaBytes * NEARLY_FULL && <Notice tone='warn'>{copy.ways.storageFull}</Notice>}
    </Card>
  )
}
