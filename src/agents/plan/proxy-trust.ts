// Owns what an agent is given, and its user told, so that its framework trusts the proxy in front of it.
import { nothingToTrust, type ProxySetting, type ProxyTrust, proxyTrust } from '../../projects/behind-proxy.js'
import type { RouteFragment } from '../../routing/agent.js'
import { defaultEndpoint } from '../../routing/route-table.js'
import { agentHost } from '../../routing/urls.js'

interface PlannedTrust {
  command: string[] | undefined
  /** Whatever listens is served. */
  discover: true | undefined
  domain: string
  env: Readonly<Record<string, string>>
  name: string
  routes: RouteFragment[]
  workspace: string
}

/** Nothing for an agent that is not behind the proxy. */
export async function findProxyTrust({
  command = [],
  discover,
  name,
  routes,
  ...planned
}: PlannedTrust): Promise<ProxyTrust> {
  const served = routes.filter(({ upstream }) => upstream)
  if (served.length === 0 && !discover) return nothingToTrust
  const endpoint = defaultEndpoint({ routes }) ?? served[0]?.endpoint
  return proxyTrust({ ...planned, command, endpoint, host: agentHost(name, planned.domain) })
}

export interface GivenSettings {
  /** Variables for all of the container. */
  env: Record<string, string>
  /** The command, with variables for it alone. */
  command: string[] | undefined
  /** What was given, in words. */
  told: string[]
}

/** An image that sets a variable knows better. */
export function giveSettings(
  settings: readonly ProxySetting[],
  command: string[] | undefined,
  image: Readonly<Record<string, string>>,
): GivenSettings {
  const given = settings.filter(({ ofCommand, variables }) => {
    return !Object.keys(variables).some((name) => name in image) && (!ofCommand || command !== undefined)
  })
  const pairs = (ofCommand: boolean) =>
    given.filter((setting) => setting.ofCommand === ofCommand).flatMap(({ variables }) => Object.entries(variables))
  const own = pairs(true).map(([name, value]) => `${name}=${value}`)
  return {
    command: command && own.length > 0 ? ['env', ...own, ...command] : command,
    env: Object.fromEntries(pairs(false)),
    told: given.map(({ title, variables }) => {
      const list = Object.entries(variables).map(([name, value]) => `${name}=${value}`)
      return `So that ${title} works behind the proxy: ${list.join(' ')}`
    }),
  }
}

/** What a person has to write, where a variable cannot do it. */
export function describeLines({ lines }: ProxyTrust): string[] {
  return lines.map(({ line, says, title, to }) => `${title} ${says}; add to ${to}: ${line}`)
}
