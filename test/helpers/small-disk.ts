/** A disk of its own that can be filled: an ext4 image on a loop device. Only root can mount one. */
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { run } from './engine.js'

export interface SmallDisk {
  /** Until nothing more fits. */
  fill(): Promise<void>
  empty(): Promise<void>
  unmount(): Promise<void>
}

export function canMount(): boolean {
  return process.getuid?.() === 0
}

/** Mounts it on an empty folder. */
export async function mountSmallDisk(folder: string, sizeMiB: number): Promise<SmallDisk> {
  const image = `${folder}.img`
  const filler = join(folder, 'filler')
  await run('truncate', ['-s', `${sizeMiB}M`, image])
  await run('mkfs.ext4', ['-q', '-F', '-m', '0', image])
  await run('mount', ['-o', 'loop', image, folder])
  return {
    async fill() {
      // The last block of zeros that fits is written; dd's complaint is the sign.
      await run('dd', ['if=/dev/zero', `of=${filler}`, 'bs=64K', 'conv=fsync']).then(
        () => { throw new Error('the disk has no end') }, () => undefined)
    },
    async empty() { await rm(filler, { force: true }) },
    async unmount() {
      await run('umount', [folder])
      await rm(image)
    },
  }
}
