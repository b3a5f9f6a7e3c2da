/** A link, whole, to be copied. It holds the key: it stands on this screen and on no server. */
import { useState } from 'react'
import { useCopy } from '../copy.js'
import { founder } from '../copy/founder.js'
import { Button, buttonClass } from '../ui/Button.js'
import { Card } from '../ui/Card.js'
import { CopyButton } from '../ui/CopyButton.js'
import { Icon } from '../ui/Icon.js'
import { QrCode } from '../ui/QrCode.js'
import { SealMark } from '../ui/SealMark.js'
import styles from './founder.module.css'

interface LinkReadyProps {
  readonly name: string
  readonly address: string
  readonly onAnother: () => void
  readonly onClose: () => void
}

export function LinkReady({ name, address, onAnother, onClose }: LinkReadyProps) {
  const copy = useCopy(founder)
  return (
    <Card
      title={copy.linkReady(name)} aside={<SealMark state='checked' />}
      footer={(
        <>
          <Button icon='plus' onClick={onAnother}>{copy.anotherLink}</Button>
          <Button variant='quiet' onClick={onClose}>{copy.done}</Button>
        </>
      )}
    >
      <LinkAddress name={name} address={address} />
    </Card>
  )
}

/** The address with everything that can be done with it. */
export function LinkAddress({ name, address }: { name: string, address: string }) {
  const copy = useCopy(founder)
  const [isQr, setQr] = useState(false)
  return (
    <div className={styles.stack}>
      <code className={styles.address}>{address}</code>
      <div className={styles.acts}>
        <CopyButton text={address} label={copy.copyLink} variant='primary' />
        <Button icon='qr' aria-expanded={isQr} onClick={() => setQr(!isQr)}>{copy.qr}</Button>
        <a className={buttonClass({ variant: 'plain', size: 'normal', isWide: false })} href={address} target='_blank' rel='noopener noreferrer'>
          <Icon name='external' />{copy.openAsVisitor}
        </a>
      </div>
      {isQr && <div className={styles.qr}><QrCode text={address} what={copy.linkFor(name)} /></div>}
      <p className={styles.quiet}>{copy.linkHoldsKey}</p>
    </div>
  )
}
