// Owns what running agents talk to, by host: counted from their logs, which are read on from where they were read to.
import type { MoatPaths } from '../config/paths.js'
import { allowCommand } from './allow-command.js'
import type { NetworkLogEntry } from './policy.js'
import { LogTail } from './read-log.js'

/** What an agent and one host have had to do with each other. */
export interface HostUse {
  /** How often it was reached. */
  allowed: number
  /** The command that would let it be reached; present where it was refused and a rule would do. */
  allow?: string
  blocked: number
  bytesIn: number
  bytesOut: number
  host: string
  /** ISO 8601, of the last time. */
  lastAt: string
  port: number
  /** Why it was refused the last time; absent when it was not. */
  reason?: string
}

/** Hosts of a run that are counted: an agent can make up any number. */
const mostHosts = 200

interface Run {
  hosts: Map<string, HostUse>
  tail: LogTail
}

export class NetworkUse {
  readonly #paths: Pick<MoatPaths, 'home'>
  #reading: Promise<void> = Promise.resolve()
  readonly #runs = new Map<string, Run>()

  constructor(paths: Pick<MoatPaths, 'home'>) {
    this.#paths = paths
  }

  /** The last one first. */
  of(runId: string): HostUse[] {
    const hosts = this.#runs.get(runId)?.hosts.values() ?? []
    return [...hosts].toSorted((a, b) => (a.lastAt < b.lastAt ? 1 : a.lastAt > b.lastAt ? -1 : 0))
  }

  /** Reads on for these runs, and forgets all others. One after the other: of two at once, both would count the same. */
  refresh(runIds: readonly string[]): Promise<void> {
    this.#reading = this.#reading.then(() => this.#read(runIds))
    return this.#reading
  }

  async #read(runIds: readonly string[]): Promise<void> {
    for (const runId of this.#runs.keys()) if (!runIds.includes(runId)) this.#runs.delete(runId)
    await Promise.all(
      runIds.map(async (runId) => {
        const run = this.#runs.get(runId) ?? { hosts: new Map(), tail: new LogTail(this.#paths, runId) }
        this.#runs.set(runId, run)
        // What cannot be read is not shown.
        for (const entry of await run.tail.next().catch(() => [])) {
          count(run.hosts, entry)
          if (run.hosts.size > mostHosts) dropLeast(run.hosts)
        }
      }),
    )
  }
}

function count(hosts: Map<string, HostUse>, entry: NetworkLogEntry): void {
  const { bytesIn, bytesOut, host, port, reason, time, verdict } = entry
  const key = `${host}:${port}`
  const known = hosts.get(key)
  const use = known ?? { allowed: 0, blocked: 0, bytesIn: 0, bytesOut: 0, host, lastAt: time, port }
  hosts.set(key, use)
  use.bytesIn += bytesIn
  use.bytesOut += bytesOut
  use.lastAt = time
  use[verdict] += 1
  delete use.allow
  delete use.reason
  if (verdict === 'allowed') return
  use.reason = reason
  // What is shown is a host, whatever was asked of it.
  const { method: _method, path: _path, ...asHost } = entry
  const command = allowCommand(asHost)
  if (command !== undefined) use.allow = command
}

/** What matters least goes: what was refused before what was reached, then what carried least, then what is oldest. */
function dropLeast(hosts: Map<string, HostUse>): void {
  const [least] = [...hosts].toSorted(([, a], [, b]) => weight(a) - weight(b) || (a.lastAt < b.lastAt ? -1 : 1))
  if (least) hosts.delete(least[0])
}

function weight({ allowed, bytesIn, bytesOut }: HostUse): number {
  return allowed > 0 ? 1 + bytesIn + bytesOut : 0
}
