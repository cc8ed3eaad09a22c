// Owns what names there are right now to complete to: agents, their runs and endpoints, branches, dependencies,
// plugins. It reads only; nothing is started or written. What is heavy is imported where it is needed.
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { findAgent } from '../agents/find-agent.js'
import { type Agent, hasEnded, isLive } from '../routing/agent.js'
import { type Candidate, type CompletionSource, namesAgents } from './completion-source.js'

/** How long the engine may take: a hung one must not hang the shell. Milliseconds. */
const engineTimeout = 200

export interface LiveOptions {
  /** The agent named before, for `endpoints`. */
  agent?: string | undefined
  env: NodeJS.ProcessEnv
  /** Whose agents. */
  home: string
  /** Directory of the installed plugins. */
  plugins: string
  typed: string
}

/** All values of a source, also those that do not begin with what is typed. */
export async function liveValues(source: CompletionSource, options: LiveOptions): Promise<Candidate[]> {
  if (namesAgents(source)) {
    const fits = agentFilters[source] ?? (() => true)
    return agentCandidates((await readAgents(options)).filter(fits), options.typed)
  }
  if (source === 'endpoints' && options.agent !== undefined) {
    const agent = findAgent(await readAgents(options), options.agent)
    const { withDiscovered } = await import('../doors/with-discovered.js')
    const { moatPaths } = await import('../config/paths.js')
    const paths = moatPaths({ ...options.env, MOAT_HOME: options.home })
    const [now = agent] = await withDiscovered([agent], { paths })
    return now.endpoints.map(({ name, port, type }) => ({
      description: port === undefined ? type : `${type}, port ${port}`,
      value: name,
    }))
  }
  if (source === 'dependencies') {
    const { listTools } = await import('../images/describe-tools.js')
    return listTools().map((tool) => ({ description: tool.for, value: tool.name }))
  }
  if (source === 'grants') {
    const { grantNames } = await import('../grants/store.js')
    const { chooseProfile } = await import('../grants/profile.js')
    const all = await grantNames(join(options.home, 'grants'), chooseProfile(undefined, options.env))
    return all.map(({ name, profile }) => ({ description: profile, value: name }))
  }
  if (source === 'grant-providers') {
    // Not those of plugins: they would have to be run.
    const { collectProviders } = await import('../grants/providers.js')
    const all = await collectProviders({ directory: join(options.home, 'providers'), plugins: async () => [] })
    return [...all.values()].map(({ provider }) => ({ description: provider.title, value: provider.name }))
  }
  if (source === 'branches') {
    const { listBranches } = await import('../worktrees/list-branches.js')
    return (await listBranches(process.cwd())).map((name) => ({ description: '', value: name }))
  }
  if (source === 'volumes' || source === 'clones') {
    const { peekVolumes } = await import('../engine/peek-agents.js')
    const volumes = peekVolumes({ env: options.env, moatHome: options.home, timeout: engineTimeout })
    const found = await Promise.race([volumes, setTimeout(engineTimeout, [])])
    if (source === 'volumes')
      return found.map(({ id, name, place }) => ({ description: `${name} of ${place}`, value: id }))
    const { agentOfClone } = await import('../clones/clone-volume.js')
    return found.flatMap((volume) => {
      const agent = agentOfClone(volume)
      return agent === undefined ? [] : [{ description: volume.place, value: agent }]
    })
  }
  if (source === 'plugins') {
    const { installedPlugins } = await import('../config/installed-plugins.js')
    return installedPlugins(options.plugins).map(({ name, root }) => ({ description: root, value: name }))
  }
  return []
}

const agentFilters: Partial<Record<CompletionSource, (agent: Agent) => boolean>> = {
  'ended-agents': hasEnded,
  'running-agents': isLive,
}

/**
 * Names; run ids only once something is typed. With both, the one agent there is would never be completed at once.
 */
function agentCandidates(agents: readonly Agent[], typed: string): Candidate[] {
  const names = agents.map(({ endpoints, name, state }) => {
    const all = endpoints.map((endpoint) => endpoint.name).join(', ')
    return { description: all ? `${state}: ${all}` : state, value: name }
  })
  if (typed === '') return names
  const ids = agents.map(({ name, runId, state }) => ({ description: `${name}, ${state}`, value: runId }))
  return [...names, ...ids]
}

async function readAgents({ env, home }: LiveOptions): Promise<Agent[]> {
  // Loaded before the clock starts: how long that takes says nothing of the engine.
  const { peekAgents } = await import('../engine/peek-agents.js')
  const agents = peekAgents({ env, moatHome: home, timeout: engineTimeout })
  return Promise.race([agents, setTimeout(engineTimeout, [])])
}
