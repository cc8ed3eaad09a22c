// Owns what a person is told, while an agent runs, of what it was refused: each host once, however often the agent tries.
import { setTimeout as delay } from 'node:timers/promises'
import type { MoatPaths } from '../../config/paths.js'
import { allowCommand } from '../../egress/allow-command.js'
import type { NetworkLogEntry } from '../../egress/policy.js'
import { LogTail } from '../../egress/read-log.js'

/** How often it is looked. Milliseconds. */
const interval = 500
/** What the gate has refused is written down soon after. Milliseconds. */
const writtenWithin = 200
/** After so many hosts it is told where to look. */
const mostHosts = 20

export interface Refusals {
  /** Resolves when all that was refused until now has been told. */
  stop(): Promise<void>
}

export function tellRefusals(
  { name, runId }: { name: string; runId: string },
  paths: Pick<MoatPaths, 'home'>,
  note: (line: string) => void,
): Refusals {
  const tail = new LogTail(paths, runId)
  const stop = new AbortController()
  const told = new Set<string>()
  const tell = (entry: NetworkLogEntry) => {
    const key = targetOf(entry)
    if (entry.verdict !== 'blocked' || told.has(key) || told.size > mostHosts) return
    told.add(key)
    if (told.size <= mostHosts) note(describeRefusal(entry))
    else note(`Other hosts are blocked too: moat network log ${name}`)
  }
  const look = async () => {
    // A log that cannot be read has nothing to tell.
    for (const entry of await tail.next().catch(() => [])) tell(entry)
  }
  const watch = async () => {
    while (!stop.signal.aborted) {
      await look()
      await delay(interval, undefined, { ref: false, signal: stop.signal }).catch(() => {})
    }
    await delay(writtenWithin)
    await look()
  }
  const watching = watch()
  return {
    stop: () => {
      stop.abort()
      return watching
    },
  }
}

/** `blocked api.stripe.com (no rule); allow: moat network allow my-app api.stripe.com` */
export function describeRefusal(entry: NetworkLogEntry): string {
  const { reason, rule } = entry
  const command = allowCommand(entry)
  const why = reason === 'rule' && rule !== undefined ? `rule ${rule}` : reason
  return `blocked ${targetOf(entry)} (${why})${command === undefined ? '' : `; allow: ${command}`}`
}

/** One for both of the usual ports. */
function targetOf({ host, port }: NetworkLogEntry): string {
  const name = host.includes(':') ? `[${host}]` : host
  return port === 80 || port === 443 ? name : `${name}:${port}`
}
