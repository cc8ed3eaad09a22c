// Owns what is put into a created container, for its first start to find there.
import type { ContainerSpec } from '../../engine/engine.js'
import type { HostUser } from '../../images/to-dockerfile.js'
import type { AgentPlan } from '../plan/plan-agent.js'
import type { ContainerGrants } from './container-grants.js'
import type { ContainerTrust } from './container-trust.js'
import { type NamingOptions, nameUser } from './container-user.js'
import type { ContainerVolumes } from './container-volumes.js'
import type { PreparedImage } from './ensure-image.js'
import type { TrustBundle } from './trust-bundle.js'
import type { trustedRoots } from './trusted-roots.js'

export interface InstalledParts {
  bundle: TrustBundle | undefined
  grants: ContainerGrants
  image: PreparedImage
  own: NamingOptions
  plan: Pick<AgentPlan, 'image' | 'volumes'>
  roots: Awaited<ReturnType<typeof trustedRoots>>
  trust: ContainerTrust | undefined
  user: HostUser
  volumes: ContainerVolumes
}

export async function installParts(
  containerId: string,
  { mounts }: Pick<ContainerSpec, 'mounts'>,
  { bundle, grants, image, own, plan, roots, trust, user, volumes }: InstalledParts,
): Promise<void> {
  // To write into a container takes the engine a tenth of a second, and the bundle has it too.
  if (!bundle) await trust?.install(containerId)
  // One that moat built has its user.
  if (image.image === plan.image.base) await nameUser(own, containerId, user, [...mounts, ...plan.volumes])
  await bundle?.install(containerId)
  await roots.install(containerId)
  await grants.install(containerId)
  await volumes.install(containerId, user)
}
