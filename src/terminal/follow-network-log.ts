// Owns `moat network log -f`: what comes to be written down, until Ctrl+C.
import type { NetworkLogEntry } from '../egress/policy.js'
import { Interrupts } from './interrupts.js'

/** How often it is looked. Milliseconds. */
const interval = 250

/** Resolves after Ctrl+C, or when nobody reads any more. */
export async function followNetworkLog(
  more: () => Promise<NetworkLogEntry[]>,
  show: (entry: NetworkLogEntry) => void,
): Promise<void> {
  const interrupts = new Interrupts()
  let stopped = false
  let wake = () => {}
  const stop = () => {
    stopped = true
    wake()
  }
  interrupts.onInterrupt(stop)
  process.stdout.once('error', stop)
  try {
    while (!stopped) {
      for (const entry of await more()) show(entry)
      await new Promise<void>((resolve) => {
        wake = resolve
        if (stopped) resolve()
        else setTimeout(resolve, interval)
      })
    }
  } finally {
    interrupts.release()
  }
}
