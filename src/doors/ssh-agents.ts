// Owns the sockets at which agents with a grant for ssh find what their ssh takes for an agent: one an agent, in its directory.
import { agentSshSocket, type MoatPaths } from '../config/paths.js'
import { messageOf } from '../errors.js'
import { type Agent, hasEnded } from '../routing/agent.js'
import { isSshGrant } from '../routing/grant-name.js'
import type { SshAccess } from '../ssh/access.js'
import { type AgentServer, createAgentServer } from '../ssh/agent-server.js'
import { sign } from '../ssh/sign.js'
import { listenInPlace, type PrivateListener } from '../upkeep/listen-privately.js'

/** The same is not written down again for so long: an agent may ask as often as it likes. Milliseconds. */
const silence = 60_000
const mostRemembered = 100

export interface SshAgentsOptions {
  /** What these grants allow now; those that were revoked allow nothing. */
  accessesOf(grants: readonly string[]): Promise<readonly SshAccess[]>
  env: NodeJS.ProcessEnv
  log: (message: string) => void
  paths: Pick<MoatPaths, 'agents'>
}

interface Kept {
  agent: AgentServer
  listener: PrivateListener
}

export class SshAgents {
  readonly #kept = new Map<string, Kept>()
  readonly #options: SshAgentsOptions
  readonly #told = new Map<string, number>()

  constructor(options: SshAgentsOptions) {
    this.#options = options
  }

  /** Resolves when each of these agents that has such a grant has its socket, and no other. */
  async apply(agents: readonly Agent[]): Promise<void> {
    const wanted = agents.filter((agent) => !hasEnded(agent) && agent.grants?.some(isSshGrant))
    const runs = new Set(wanted.map(({ runId }) => runId))
    for (const [runId, kept] of this.#kept) if (!runs.has(runId)) this.#close(runId, kept)
    await Promise.all(wanted.filter(({ runId }) => !this.#kept.has(runId)).map((agent) => this.#open(agent)))
  }

  close(): void {
    for (const [runId, kept] of this.#kept) this.#close(runId, kept)
  }

  async #open({ grants = [], name, runId }: Agent): Promise<void> {
    const { accessesOf, env, paths } = this.#options
    const log = (line: string) => this.#tell(`ssh of ${name} (${runId}): ${line}`)
    const agent = createAgentServer({
      accesses: () => accessesOf(grants.filter(isSshGrant)),
      log,
      sign: async (task) => {
        const signature = await sign(task, name, env)
        log(task.purpose === 'commit' ? 'signed a commit' : `signed in at ${task.access.host}`)
        return signature
      },
    })
    try {
      // The directory may be entered by this container alone, whoever its user is.
      const listener = await listenInPlace(agent.server, agentSshSocket(paths, runId), 'everybody')
      this.#kept.set(runId, { agent, listener })
    } catch (error) {
      agent.close()
      this.#options.log(`${name} (${runId}) has no ssh agent: ${messageOf(error)}`)
    }
  }

  #close(runId: string, { agent, listener }: Kept): void {
    this.#kept.delete(runId)
    listener.release()
    agent.close()
  }

  #tell(line: string): void {
    const now = performance.now()
    if (now - (this.#told.get(line) ?? Number.NEGATIVE_INFINITY) < silence) return
    if (this.#told.size >= mostRemembered) this.#told.clear()
    this.#told.set(line, now)
    this.#options.log(line)
  }
}
