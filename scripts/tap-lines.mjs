/**
 * Makes a TAP stream short while it runs: a line for each file that passed, all that matters of one
 * that failed, and every test that was skipped.
 */
const MAX_SHOWN_LINE_COUNT = 400

/** @returns a function that takes each line of a stream and hands those worth showing to `show`. */
export function tapLines(show) {
  let lines = []
  let isAfterFailure = false
  return (line) => {
    const skip = /^\s*ok \d+ - (.*) # SKIP\b *(.*)$/.exec(line)
    if (skip !== null) show(`  skipped: ${skip[1]} (${skip[2] || 'no reason given'})`)
    const result = /^(ok|not ok) \d+ - (.*?)(?: # time=([\d.]+)ms)?$/.exec(line)
    if (result === null) {
      // What follows a failed file, down to "...", says why the file as a whole failed.
      if (isAfterFailure) show(line)
      else lines.push(line)
      if (line === '  ...') isAfterFailure = false
      return
    }
    const [, verdict, name, timeMs] = result
    show(`${verdict}: ${name} (${(Number(timeMs ?? 0) / 1000).toFixed(1)} s)`)
    isAfterFailure = verdict === 'not ok'
    if (isAfterFailure) {
      lines.filter(isWorthShowing).slice(0, MAX_SHOWN_LINE_COUNT)
        .forEach((one) => show(one))
    }
    lines = []
  }
}

function isWorthShowing(line) {
  return !/^\s*(?:ok \d+ - .*|1\.\.\d+|# time=.*|)$/.test(line)
}
