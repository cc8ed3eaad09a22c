// Owns having everything follow the agents: their doors, what Caddy opens and serves, and what goes when they have gone. What is
// the same as before is not looked at for one agent more.

import type { EgressSettings } from '../caddy/egress-settings.js'
import type { Doors } from '../doors/doors.js'
import type { UnsealedContainer } from '../engine/unsealed.js'
import type { Opening } from '../opening/opening.js'
import { type Agent, type AgentState, hasProcesses } from '../routing/agent.js'
import { changesOf } from '../routing/changes.js'
import { emptyTable, type RouteTable } from '../routing/route-table.js'
import { RouteTables } from '../routing/route-tables.js'
import type { ServiceSweep } from './service-sweep.js'

export interface ServedAgentsOptions {
  /** As they are now. */
  agents: () => readonly Agent[]
  caddy: {
    setOpened(egress: EgressSettings | undefined): void
    setRoutes(routes: RouteTable, running: RunningRuns): Promise<void>
  }
  domain: string
  doors: Pick<Doors, 'apply' | 'sweep'>
  opening: Pick<Opening, 'settingsFor'>
  services: Pick<ServiceSweep, 'sweep'>
  /** As they are now. */
  unsealed: () => readonly UnsealedContainer[]
}

/** Which runs have processes. */
export interface RunningRuns {
  has(runId: string): boolean
}

export class ServedAgents {
  #latest: { routes: RouteTable; running: RunningRuns } = { routes: emptyTable, running: new Set() }
  readonly #options: ServedAgentsOptions
  /** What was served before, and swept after. */
  #swept: readonly Agent[] = []
  readonly #tables: RouteTables

  constructor(options: ServedAgentsOptions) {
    this.#options = options
    this.#tables = new RouteTables(options.domain)
  }

  tableOf(agents: readonly Agent[]): RouteTable {
    return this.#tables.of(agents)
  }

  /** Resolves when all of them are served. */
  async serve(agents: readonly Agent[]): Promise<void> {
    const { caddy, doors, opening, services, unsealed } = this.#options
    // The directory of a renamed agent is still mounted in its container: with its name it gets its routes back.
    const renamed = unsealed().flatMap(({ runId, state }) => (runId === undefined ? [] : [{ runId, state }]))
    this.#latest = { routes: this.tableOf(agents), running: runningRuns([...agents, ...renamed]) }
    await doors.apply(this.#latest.routes, agents)
    caddy.setOpened(await opening.settingsFor(agents))
    // While this waited for a container, others may have come and gone: routes and what ran with them, of one moment.
    await caddy.setRoutes(this.#latest.routes, this.#latest.running)
    const now = this.#options.agents()
    const { added, removed } = changesOf(this.#swept, now)
    this.#swept = now
    // Nothing has gone of which something could be left; what else is to be removed the regular look finds.
    if (added.length > 0 && removed.length === 0) return
    await Promise.all([doors.sweep([...now, ...renamed]), services.sweep()])
  }
}

/** Asked only where something has gone. */
function runningRuns(agents: readonly { runId: string; state: AgentState | undefined }[]): RunningRuns {
  let runs: Set<string> | undefined
  return {
    has: (runId) => {
      runs ??= new Set(agents.filter(hasProcesses).map((agent) => agent.runId))
      return runs.has(runId)
    },
  }
}
