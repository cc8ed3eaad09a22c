// Owns what git in a container needs of the checkout that it works in, and of the proxy.
import type { Mount } from '../../config/mount.js'
import type { MoatPaths } from '../../config/paths.js'
import type { NetworkPolicy } from '../../egress/policy.js'
import type { Engine } from '../../engine/engine.js'
import { isLive } from '../../routing/agent.js'
import { agentUrl, type ProxyAddress, urlOf } from '../../routing/urls.js'
import { placeOf } from '../../worktrees/find-checkout.js'
import type { TrustedUrls } from '../../worktrees/git-environment.js'
import { beginCheckout } from '../../worktrees/settle-checkout.js'
import { shareMainCheckout } from '../../worktrees/share-main-checkout.js'
import { shareRepository } from '../../worktrees/share-repository.js'
import type { AgentPlan } from '../plan/plan-agent.js'
import { certificateFile } from './container-trust.js'

/** Its own, for git, which may read neither directories of authorities nor the variables of other programs. */
export function trustedUrls(
  { endpoints, env, name, network }: Pick<AgentPlan, 'endpoints' | 'env' | 'name' | 'network'>,
  address: ProxyAddress | undefined,
): TrustedUrls | undefined {
  // What a user counts would be counted wrong.
  if (!address || 'GIT_CONFIG_COUNT' in env) return undefined
  const proxied = endpoints.filter(({ url }) => url === undefined)
  const urls = [agentUrl(name, address), ...proxied.map((endpoint) => urlOf(name, endpoint, address))]
  return { certificate: certificateFile, urls: [...urls, ...openedUrls(network)] }
}

/** Hosts that Caddy opens: whatever is there has a certificate of moat's. git knows `*` for one part of a name. */
function openedUrls({ rules }: NetworkPolicy): string[] {
  const opened = rules.filter(({ effect, paths }) => effect === 'allow' && paths !== undefined)
  const urls = opened.map(({ host, port = 443 }) => (port === 443 ? `https://${host}` : `https://${host}:${port}`))
  return [...new Set(urls)]
}

export interface GitRun {
  engine: Pick<Engine, 'listAgents'>
  note: (line: string) => void
  paths: Pick<MoatPaths, 'home'>
  runId: string
}

/** What the run is given of git; what an earlier agent has left, whose end no moat saw, is put right first. */
export async function gitMounts(
  { checkout, mainCheckout }: Pick<AgentPlan, 'checkout' | 'mainCheckout'>,
  { engine, note, paths, runId }: GitRun,
): Promise<Mount[]> {
  const place = checkout ? placeOf(checkout) : mainCheckout
  if (!place) return []
  const live = (await engine.listAgents()).agents.filter(isLive).map((agent) => agent.runId)
  for (const said of await beginCheckout(place, paths.home, runId, new Set(live))) note(said)
  if (checkout) return shareRepository(checkout, paths.home)
  return shareMainCheckout(place, paths.home)
}
