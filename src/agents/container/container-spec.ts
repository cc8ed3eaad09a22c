// Owns what a container is made of: all that is planned for it, as its engine is told. Of two values of a variable the later counts.
import { workspaceTarget } from '../../config/container-target.js'
import { isOpen } from '../../egress/effective-policy.js'
import type { ContainerSpec } from '../../engine/engine.js'
import { containerName, toLabels } from '../../engine/labels.js'
import { formatGrant } from '../../grants/injection.js'
import { type ProxyAddress, urlEnvironment } from '../../routing/urls.js'
import { placeOf } from '../../worktrees/find-checkout.js'
import { containerGitEnvironment } from '../../worktrees/git-environment.js'
import { serviceLabel } from '../describe-started.js'
import type { AgentPlan } from '../plan/plan-agent.js'
import type { RunServices } from '../run-services.js'
import type { StartOptions } from '../start-options.js'
import { gitMounts, trustedUrls } from './container-git.js'
import type { ContainerGrants } from './container-grants.js'
import type { ContainerTrust } from './container-trust.js'
import type { ContainerVolumes } from './container-volumes.js'
import type { PreparedImage } from './ensure-image.js'
import type { Forwarder } from './forwarder.js'
import { planPackageCache } from './package-cache.js'
import type { TrustBundle } from './trust-bundle.js'

export interface ContainerParts {
  address: ProxyAddress | undefined
  bundle: TrustBundle | undefined
  forwarder: Forwarder | undefined
  grants: ContainerGrants
  network: string | undefined
  runId: string
  services: RunServices
  trust: ContainerTrust | undefined
  volumes: ContainerVolumes
}

export async function containerSpec(
  plan: AgentPlan,
  { engine, interactive, keep, paths, progress, removeAtEnd, user }: StartOptions,
  image: PreparedImage,
  { address, bundle, forwarder, grants, network, runId, services, trust, volumes }: ContainerParts,
): Promise<ContainerSpec> {
  const { checkout, container, endpointEnv, endpoints, mounts, name, routes, workspace } = plan
  const policy = plan.network
  const urls = address ? urlEnvironment(name, endpoints, address, { bare: plan.discoverPlace !== undefined }) : {}
  const shared = await gitMounts(plan, { engine, note: progress.note, paths, runId })
  const cache = await planPackageCache(plan, paths)
  const place = checkout ? placeOf(checkout) : (plan.mainCheckout ?? plan.clone?.repository.place)
  return {
    command: plan.command,
    env: {
      HOST: '0.0.0.0',
      MOAT_RUN_ID: runId,
      MOAT_RUN_NAME: name,
      ...cache.env,
      ...trust?.env,
      ...forwarder?.env,
      ...bundle?.env,
      ...urls,
      ...endpointEnv,
      ...services.env,
      ...(image.home !== undefined && { HOME: image.home }),
      ...(await containerGitEnvironment(place, forwarder && trust && trustedUrls(plan, address), grants.git)),
      ...grants.env,
      ...plan.env,
    },
    image: image.image,
    interactive,
    labels: toLabels({
      ...plan.git,
      ...(plan.clone && { clone: image.image }),
      endpoints,
      ...forwarder?.labels,
      grants: plan.grants.map(formatGrant),
      home: paths.home,
      keep,
      name,
      ...(!isOpen(policy) && { network: policy }),
      routes,
      runId,
      ...serviceLabel(plan),
      workspace,
    }),
    mounts: [
      ...(plan.clone ? [] : [{ readOnly: false, source: workspace, target: workspaceTarget }]),
      ...shared,
      ...cache.mounts,
      ...(trust?.mounts ?? []),
      ...(forwarder?.mounts ?? []),
      ...mounts,
    ],
    name: containerName(name, paths.home),
    openStdin: plan.openStdin,
    ...(network !== undefined && { network }),
    ports: plan.ports,
    removeAtEnd,
    user,
    workdir: workspaceTarget,
    ...(await volumes.spec()),
    ...forwarder?.spec,
    ...container,
  }
}
