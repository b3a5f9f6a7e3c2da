/**
 * A link as a QR code, always dark on white, for a phone across the table. The library is loaded only
 * where this file is: keep it out of what a reader of a deck downloads.
 */
import qrcode from 'qrcode-generator'
import { common, useCopy } from '../copy.js'
import styles from './QrCode.module.css'

const QUIET_ZONE = 4

interface QrCodeProps {
  readonly text: string
  /** What scanning it opens. */
  readonly what: string
}

export function QrCode({ text, what }: QrCodeProps) {
  const copy = useCopy(common)
  const { path, width } = drawModules(text)
  return (
    <svg
      className={styles.code} role='img' aria-label={copy.qrOf(what)}
      viewBox={`0 0 ${width} ${width}`} shapeRendering='crispEdges'
    >
      <rect className={styles.ground} width={width} height={width} />
      <path className={styles.modules} d={path} />
    </svg>
  )
}

/** One path for all dark squares, a quiet zone of four around them. */
function drawModules(text: string): { path: string, width: number } {
  const code = qrcode(0, 'M')
  code.addData(text, 'Byte')
  code.make()
  const count = code.getModuleCount()
  let path = ''
  for (let row = 0; row < count; row++) {
    for (let column = 0; column < count; column++) {
      if (code.isDark(row, column)) path += `M${column + QUIET_ZONE} ${row + QUIET_ZONE}h1v1h-1z`
    }
  }
  return { path, width: count + 2 * QUIET_ZONE }
}
