// Owns what would be decided of a URL, for an agent that runs or for a moat.yaml that nobody has run yet.
import { stat } from 'node:fs/promises'
import { loadMoatYaml } from '../../config/moat-yaml.js'
import type { MoatPaths } from '../../config/paths.js'
import { loadSettings } from '../../config/settings.js'
import { resolveWorkspace } from '../../config/workspace.js'
import { allowCommand } from '../../egress/allow-command.js'
import { decide } from '../../egress/decide.js'
import { effectivePolicy } from '../../egress/effective-policy.js'
import { withoutRevoked } from '../../egress/granted-rules.js'
import { readLiveRules } from '../../egress/live-rules.js'
import type { EgressRequest, NetworkPolicy, Verdict } from '../../egress/policy.js'
import { exitCodes, MoatError } from '../../errors.js'
import { parseGrant } from '../../grants/injection.js'
import { grantMark } from '../../grants/store.js'
import type { Agent } from '../../routing/agent.js'
import { networkWithGrants, readGrants } from '../container/container-grants.js'
import { findAgent } from '../find-agent.js'
import { planGrants } from '../plan/plan-grants.js'
import { planNetwork } from '../plan/plan-network.js'

export interface CheckedUrl extends EgressRequest, Verdict {
  /** The command that would have it allowed; present where an agent is refused it, and a rule would do. */
  allow?: string
  policy: NetworkPolicy['policy']
}

/** Whose policy is looked at: that of an agent, or of a moat.yaml, which nobody has run yet. */
export interface CheckedNetwork {
  /** Its name; absent for a moat.yaml. */
  agent?: string
  policy: NetworkPolicy
}

/** `reference` is an agent's, or else a directory's with a moat.yaml. */
export async function networkOf(
  reference: string,
  agents: () => Promise<readonly Agent[]>,
  paths: MoatPaths,
): Promise<CheckedNetwork> {
  const isPath = /^[.~/]|\//.test(reference)
  if (!isPath) {
    const found = await agents()
    const isDirectory = await stat(reference).then(
      (stats) => stats.isDirectory(),
      () => false,
    )
    if (!isDirectory || found.some(({ name, runId }) => name === reference || runId === reference)) {
      const agent = findAgent(found, reference)
      const isThere = (grant: string) => grantMark(paths.grants, parseGrant(grant)) !== undefined
      const network = agent.network && withoutRevoked(agent.network, isThere)
      return { agent: agent.name, policy: effectivePolicy(network, await readLiveRules(paths, agent.runId)) }
    }
  }
  const { config } = await loadMoatYaml(await resolveWorkspace(reference))
  const { network } = await loadSettings(paths.configFile)
  const planned = planNetwork({ allow: [], declared: config.network, defaultPolicy: network.policy ?? 'permissive' })
  const { grants } = await planGrants({ ...config, secrets: {} }, { env: {} })
  return { policy: effectivePolicy(networkWithGrants(planned, await readGrants(grants, paths)), []) }
}

/** What is decided of `text`, a URL or a host. Throws USAGE. */
export function checkUrl({ agent, policy }: CheckedNetwork, text: string, method: string): CheckedUrl {
  const request = { ...requestOf(text), method: method.toUpperCase() }
  const verdict = decide(policy, request)
  const path = request.path.replace(/[?#].*$/s, '')
  const allow =
    verdict.allowed || agent === undefined ? undefined : allowCommand({ agent, ...request, path, ...verdict })
  return { ...request, ...verdict, ...(allow !== undefined && { allow }), policy: policy.policy }
}

const ports: Readonly<Record<string, number>> = { http: 80, https: 443, ws: 80, wss: 443 }

/** By hand: a parser of URLs would tidy the path up, and it is judged as it is sent. */
function requestOf(text: string): EgressRequest & { path: string } {
  const [, scheme = 'https', authority = '', rest = ''] =
    /^(?:([A-Za-z][\w+.-]*):\/\/)?([^/?#]*)(.*)$/s.exec(text) ?? []
  const [, host = '', port] = /^(\[[^\]]*\]|[^:]*)(?::(\d{1,5}))?$/.exec(authority.replace(/^.*@/, '')) ?? []
  const number = port === undefined ? ports[scheme.toLowerCase()] : Number(port)
  if (host === '' || number === undefined) {
    throw new MoatError('USAGE', `${JSON.stringify(text)} is not the URL of a host.`, {
      exit: exitCodes.usage,
      suggestions: [
        'moat network check <agent> https://api.example.com/x',
        'moat network check <agent> db.example.com:5432',
      ],
    })
  }
  return { host, path: rest.startsWith('/') ? rest : `/${rest}`, port: number }
}
