// Owns which of moat's authorities the programs of a container trust: the proxy's own, and the second one if something of what
// they send elsewhere is opened.
import { readFile } from 'node:fs/promises'
import { ensureEgressAuthority } from '../../authority/egress-root.js'
import type { MoatPaths } from '../../config/paths.js'
import { openedHosts } from '../../egress/opened-hosts.js'
import type { EngineFiles } from '../../engine/files.js'
import type { AgentPlan } from '../plan/plan-agent.js'
import { systemBundles } from './trust-bundle.js'

export interface TrustedRoots {
  /** Puts them among those that the image trusts, in its created container. */
  install(containerId: string): Promise<void>
  /** With the `publicCertificate` whose directory the container sees. */
  paths: MoatPaths
}

export interface TrustedRootsOptions {
  engine: { files: Pick<EngineFiles, 'read' | 'write'> }
  paths: MoatPaths
}

/** The second authority is made when it is first needed. Rejects with EGRESS_CA_BROKEN. */
export async function trustedRoots(
  { mounts, network, volumes }: Pick<AgentPlan, 'mounts' | 'network' | 'volumes'>,
  { engine, paths }: TrustedRootsOptions,
): Promise<TrustedRoots> {
  const { publicEgressCertificate } = paths
  if (openedHosts({ grants: [], policy: network }).length === 0) return { install: async () => {}, paths }
  await ensureEgressAuthority(paths)
  const isMounted = (file: string) =>
    [...mounts, ...volumes].some(({ target }) => file === target || file.startsWith(`${target}/`))
  return {
    // wget, git and apt ask no variable, and read the one file that their distribution has: the host that is opened for them is
    // one they reached before.
    install: async (containerId) => {
      const roots = await readFile(publicEgressCertificate, 'utf8')
      for (const file of systemBundles.filter((one) => !isMounted(one))) {
        const text = await engine.files.read(containerId, file)
        if (!text?.includes('BEGIN ')) continue
        await engine.files.write(containerId, '/', [{ name: file.slice(1), text: `${text}\n${roots}` }])
        return
      }
    },
    paths: { ...paths, publicCertificate: publicEgressCertificate },
  }
}
