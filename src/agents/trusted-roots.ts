// Owns which of moat's authorities the programs of a container trust: the proxy's own, and the second one if something of what
// they send elsewhere is opened.
import { ensureEgressAuthority } from '../authority/egress-root.js'
import type { MoatPaths } from '../config/paths.js'
import { openedHosts } from '../egress/opened-hosts.js'
import type { AgentPlan } from './plan-agent.js'

/** Made when it is first needed. The directory of the returned file is what the container sees. */
export async function trustedRoots(
  { network }: Pick<AgentPlan, 'network'>,
  paths: MoatPaths,
): Promise<Pick<MoatPaths, 'publicCertificate'>> {
  if (openedHosts({ grants: [], policy: network }).length === 0) return { publicCertificate: paths.publicCertificate }
  await ensureEgressAuthority(paths)
  return { publicCertificate: paths.publicEgressCertificate }
}
