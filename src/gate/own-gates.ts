// Owns which processes are this moat's gates: proved by what the system says of them, never by a number that one of them gave.
import { readlinkSync } from 'node:fs'
import { findProcesses, type ProcessFacts } from '../processes/process-facts.js'
import { hasEnded, signalProcess } from '../processes/same-process.js'

/** How long one that is told to end may take. Milliseconds. */
const grace = 500

/** The gates that this user has started for this `~/.moat`, whichever moat they are of. */
export async function ownGates(home: string): Promise<ProcessFacts[]> {
  const found = await findProcesses('gate.js')
  return found.filter((one) => one.uid === process.geteuid?.() && isGateOf(one, home) && isOutside(one))
}

/** What runs in a container has the user's number, too, and may call itself what it likes. */
function isOutside({ pid }: Pick<ProcessFacts, 'pid'>): boolean {
  if (process.platform !== 'linux') return true
  try {
    return readlinkSync(`/proc/${pid}/ns/pid`) === readlinkSync('/proc/self/ns/pid')
  } catch {
    return false
  }
}

/** `node … bin/gate.js HOME ID` */
function isGateOf({ command }: ProcessFacts, home: string): boolean {
  if (typeof command === 'string') return / \S*\/bin\/gate\.js /.test(command) && command.includes(` ${home} `)
  const [program = '', of] = command.slice(-3)
  return command.length >= 4 && program.endsWith('/bin/gate.js') && of === home
}

/** Ends those that do not end when they are asked to; resolves when they are gone. */
export async function clearGates(home: string): Promise<void> {
  const found = await ownGates(home)
  await Promise.all(
    found.map(async (one) => {
      await signalProcess(one, 'SIGTERM')
      if (await hasEnded(one, grace)) return
      await signalProcess(one, 'SIGKILL')
      await hasEnded(one, grace)
    }),
  )
}
