/** A deck as heavy as wanted: one incompressible picture on each page, saved as office programs do. */
import { randomBytes } from 'node:crypto'
import { PDFDocument, PDFName } from 'pdf-lib'

const SLIDE = { width: 960, height: 540 }
const PICTURE_WIDTH = 1000

/** @param pictureHeight - thousands of bytes on each page. */
export async function makeHeavyDeck(
  pageCount: number, pictureHeight: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const pdf = await PDFDocument.create()
  for (let index = 0; index < pageCount; index++) {
    const page = pdf.addPage([SLIDE.width, SLIDE.height])
    const noise = randomBytes(PICTURE_WIDTH * pictureHeight)
    const picture = pdf.context.register(pdf.context.stream(noise, {
      Type: 'XObject', Subtype: 'Image', Width: PICTURE_WIDTH, Height: pictureHeight,
      ColorSpace: 'DeviceGray', BitsPerComponent: 8,
    }))
    page.node.setXObject(PDFName.of('Noise'), picture)
    page.node.set(PDFName.of('Contents'), pdf.context.register(
      pdf.context.stream(`q ${SLIDE.width} 0 0 ${SLIDE.height} 0 0 cm /Noise Do Q`)))
  }
  return new Uint8Array(await pdf.save({ useObjectStreams: false }))
}
