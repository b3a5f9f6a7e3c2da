/** What loops of the server sleep by: until they are rung, or until it is time. */

/** Something that sleeps until it is rung, or until its time is over; deaf, until the last ring. */
export class Bell {
  #isRung = false
  #isLast = false
  #wake: ((isLast: boolean) => void) | undefined

  ring({ isLast = false } = {}): void {
    this.#isRung = true
    this.#isLast ||= isLast
    this.#wake?.(this.#isLast)
  }

  async wait(timeoutMs: number, { isDeaf = false } = {}): Promise<void> {
    if (!this.#isLast && (isDeaf || !this.#isRung)) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, timeoutMs)
        this.#wake = (isLast) => {
          if (isDeaf && !isLast) return
          clearTimeout(timer)
          resolve()
        }
      })
    }
    this.#wake = undefined
    this.#isRung = false
  }
}
