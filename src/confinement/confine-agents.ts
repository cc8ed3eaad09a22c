// Owns what becomes of agents' labels before they become routes: what an endpoint may not have costs that endpoint, which
// says so, and nobody else. Pure.
import type { Agent, CaddyRoute, RouteFragment } from '../routing/agent.js'
import { corePlugin } from '../routing/route-table.js'
import { judgeFragment, shownEndpoint } from './judge-endpoint.js'

/** Of one agent. */
export const agentLimits = { characters: 500_000, endpoints: 100 }

/** As npm has names of packages. */
const packageName = /^(@[a-z0-9~-][a-z0-9._~-]*\/)?[a-z0-9~-][a-z0-9._~-]*$/
const longestName = 214

export interface ConfineOptions {
  /** True for a plugin that is installed here, or comes with moat. */
  isInstalled(plugin: string): boolean
  /** The answer of an endpoint whose plugin is not installed here. */
  missing(plugin: string, endpoint: string): CaddyRoute[]
  /** The answer of an endpoint that asks for what it may not have. */
  refused(plugin: string, endpoint: string): CaddyRoute[]
}

export interface ConfinedAgents {
  agents: Agent[]
  /** A sentence for each endpoint that is not served as its labels say. */
  problems: string[]
}

export function confineAgents(agents: readonly Agent[], options: ConfineOptions): ConfinedAgents {
  const confined = agents.map((agent) => confineAgent(agent, options))
  return { agents: confined.map(({ agent }) => agent), problems: confined.flatMap(({ problems }) => problems) }
}

function confineAgent(agent: Agent, options: ConfineOptions): { agent: Agent; problems: string[] } {
  const problems: string[] = []
  const endpoints = agent.endpoints.slice(0, agentLimits.endpoints).map((endpoint) => {
    const plugin = nameOfPlugin(endpoint.plugin)
    return { ...shownEndpoint(endpoint), ...(endpoint.plugin !== undefined && { plugin }) }
  })
  if (agent.endpoints.length > agentLimits.endpoints)
    problems.push(`${agent.name} has more than ${agentLimits.endpoints} endpoints, of which the first are served.`)
  let left = agentLimits.characters
  const seen = new Set<string>()
  const routes = agent.routes.flatMap((fragment): RouteFragment[] => {
    const { endpoint } = fragment
    const owner = endpoints.find(({ name }) => name === endpoint)
    if (!owner || seen.has(endpoint)) return []
    seen.add(endpoint)
    const plugin = owner.plugin ?? corePlugin
    let verdict = judge(fragment, plugin, options)
    if (!verdict) {
      // Only now: what is nested without end cannot be measured.
      left -= JSON.stringify(fragment).length
      if (left >= 0) return [fragment]
      verdict = tooMuch
    }
    problems.push(`${agent.name}'s endpoint ${endpoint} (plugin ${plugin}) is not served: ${verdict.reason}.`)
    const answer = verdict.missing ? options.missing(plugin, endpoint) : options.refused(plugin, endpoint)
    return [{ ...(fragment.default !== undefined && { default: fragment.default }), endpoint, routes: answer }]
  })
  return { agent: { ...agent, endpoints, routes }, problems }
}

interface Verdict {
  missing?: boolean
  reason: string
}

const tooMuch: Verdict = { reason: `its agent asks for more than ${agentLimits.characters} characters of routes` }

/** Undefined for what may be served. A port alone needs no plugin: moat itself hands requests on to it. */
function judge(fragment: RouteFragment, plugin: string, { isInstalled }: ConfineOptions): Verdict | undefined {
  const refusal = judgeFragment(fragment)
  if (refusal) return { reason: `${refusal.path}: ${refusal.refused}` }
  if ((fragment.routes ?? []).length === 0 && !fragment.files) return undefined
  if (plugin === corePlugin || isInstalled(plugin)) return undefined
  return { missing: true, reason: `its plugin is not installed here: moat plugins install ${plugin}` }
}

/** A name that can be printed and asked for, whatever a label says. */
function nameOfPlugin(name: string | undefined): string {
  if (name === undefined) return corePlugin
  return packageName.test(name) && name.length <= longestName ? name : '?'
}
