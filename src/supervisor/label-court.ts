// Owns how the supervisor judges labels before it makes routes of them, and what it says of those that did not stand.
import { missingPlugin, refusedRoutes } from '../caddy/responses.js'
import { bundledPlugins, installedPlugins } from '../config/installed-plugins.js'
import { confineAgents } from '../confinement/confine-agents.js'
import { type Agent, isLive } from '../routing/agent.js'

/** The first of more, in the proxy's status. */
const mostSentences = 10

interface LabelVerdict {
  confined: Agent
  /** Those that were asked for, and whether they were installed. */
  plugins: ReadonlyMap<string, boolean>
  problems: string[]
}

export class LabelCourt {
  readonly #bundled = new Set(bundledPlugins())
  readonly #log: (message: string) => void
  readonly #pluginDirectory: string
  /** By run id. */
  #problems = new Map<string, string[]>()
  readonly #verdicts = new WeakMap<Agent, LabelVerdict>()

  /** `pluginDirectory` is where oclif keeps what a person has installed, which may change at any time. */
  constructor(pluginDirectory: string, log: (message: string) => void) {
    this.#log = log
    this.#pluginDirectory = pluginDirectory
  }

  /** The agents with what may be served of what their labels ask for. */
  judge(agents: readonly Agent[]): Agent[] {
    let installed: Set<string> | undefined
    const isInstalled = (plugin: string) => {
      if (this.#bundled.has(plugin)) return true
      // Read when an agent has a plugin's endpoint, and at each look: `moat plugins` changes it while this process runs.
      installed ??= new Set(installedPlugins(this.#pluginDirectory).map(({ name }) => name))
      return installed.has(plugin)
    }
    const before = this.#problems
    this.#problems = new Map()
    return agents.map((agent) => {
      const { confined, problems } = this.#verdict(agent, isInstalled)
      if (problems.length === 0) return confined
      const known = before.get(agent.runId) ?? []
      for (const problem of problems.filter((one) => !known.includes(one))) this.#log(problem)
      if (isLive(agent)) this.#problems.set(agent.runId, problems)
      return confined
    })
  }

  /** Good while the agent is the same and plugins are there, or not, as they were. */
  #verdict(agent: Agent, isInstalled: (plugin: string) => boolean): LabelVerdict {
    const known = this.#verdicts.get(agent)
    if (known && [...known.plugins].every(([plugin, was]) => isInstalled(plugin) === was)) return known
    const plugins = new Map<string, boolean>()
    const asked = (plugin: string) => {
      const is = isInstalled(plugin)
      plugins.set(plugin, is)
      return is
    }
    const options = { isInstalled: asked, missing: missingPlugin, refused: refusedRoutes }
    const { agents, problems } = confineAgents([agent], options)
    const verdict = { confined: agents[0] ?? agent, plugins, problems }
    this.#verdicts.set(agent, verdict)
    return verdict
  }

  /** One sentence for each endpoint that is not served as its labels say; undefined when there is none. */
  describe(): string | undefined {
    const all = [...this.#problems.values()].flat()
    if (all.length === 0) return undefined
    const more = all.length > mostSentences ? ` And ${all.length - mostSentences} more.` : ''
    return `${all.slice(0, mostSentences).join(' ')}${more}`
  }
}
