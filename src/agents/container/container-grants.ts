// Owns what a container is given for its agent's grants and secrets, read once before it is made.
import { basename, posix } from 'node:path'
import { agentSshSocket, type MoatPaths } from '../../config/paths.js'
import { realPlace } from '../../config/real-path.js'
import type { NetworkPolicy } from '../../egress/policy.js'
import type { Engine } from '../../engine/engine.js'
import { exitCodes, MoatError } from '../../errors.js'
import { type ContainerParts, containerParts } from '../../grants/container-parts.js'
import { missingGrant } from '../../grants/find-grant.js'
import { type Grant, grantRules, injectionsOf } from '../../grants/grant.js'
import { clashOf, formatGrant, type GrantName } from '../../grants/injection.js'
import { noValue, readValue, textOf } from '../../grants/read-value.js'
import { readGrant } from '../../grants/store.js'
import { syncRoutes } from '../../supervisor/control-client.js'
import type { PlannedSecret } from '../plan/plan-grants.js'
import { mountPoint } from './forwarder.js'

export interface ContainerGrants extends Pick<ContainerParts, 'env' | 'git'> {
  /** Puts files into the created container, before its start, and has the proxy make ready what it needs. */
  install(containerId: string): Promise<void>
}

/** The grants of these names. Throws GRANT_MISSING, and GRANT_CLASH for two that an agent cannot have both. */
export async function readGrants(names: readonly GrantName[], paths: Pick<MoatPaths, 'grants'>): Promise<Grant[]> {
  const grants = await Promise.all(
    names.map(async (name) => {
      const grant = await readGrant(paths.grants, name)
      if (!grant) throw await missingGrant(paths.grants, name)
      return grant
    }),
  )
  assertNoClash(grants)
  return grants
}

/**
 * Throws GRANT_VALUE for what would not work for the agent. What costs a question to get, such as
 * a password manager's, is only asked for when it is used.
 */
export async function planContainerGrants(
  grants: readonly Grant[],
  secrets: readonly PlannedSecret[],
  {
    engine,
    paths,
    runId,
  }: { engine: Pick<Engine, 'files'>; paths: Pick<MoatPaths, 'agents' | 'controlSocket'>; runId: string },
): Promise<ContainerGrants> {
  const all: { grant: Grant; secret?: Record<string, string> }[] = []
  for (const grant of grants) {
    const isCheap = grant.source.kind === 'file' || grant.source.kind === 'env'
    const value = grant.provider.reveals || isCheap ? await readValue(grant) : undefined
    all.push({ grant, ...(grant.provider.reveals && value && { secret: { ...value.secret } }) })
  }
  const { env, files, git } = containerParts(all)
  return {
    env: { ...env, ...sshEnvironment(grants, paths, runId), ...(await readSecrets(secrets)) },
    git,
    install: async (containerId) => {
      if (files.length === 0) return
      // From the top: images have no such directory.
      const placed = files.map(({ path, text }) => ({ name: path.slice(1), text }))
      await engine.files.write(containerId, '/', placed)
      // Its first instruction may be a login.
      if (hasSsh(grants)) await syncRoutes(paths.controlSocket)
    },
  }
}

function hasSsh(grants: readonly Grant[]): boolean {
  return grants.some(({ source }) => source.kind === 'ssh')
}

/** Where its ssh finds what it takes for an agent. */
function sshEnvironment(
  grants: readonly Grant[],
  paths: Pick<MoatPaths, 'agents'>,
  runId: string,
): Record<string, string> {
  if (!hasSsh(grants)) return {}
  return { SSH_AUTH_SOCK: posix.join(mountPoint, basename(agentSshSocket(paths, runId))) }
}

/** The policy, with what the grants need. */
export function networkWithGrants(network: NetworkPolicy, grants: readonly Grant[]): NetworkPolicy {
  return { ...network, rules: [...network.rules, ...grants.flatMap((grant) => grantRules(grant, network.policy))] }
}

/** As they are: a key has lines. */
async function readSecrets(secrets: readonly PlannedSecret[]): Promise<Record<string, string>> {
  const env: Record<string, string> = {}
  for (const { name, source } of secrets) {
    // Between the approval and now.
    if (source.kind === 'file' && (await realPlace(source.path)) !== source.path) {
      throw noValue(`secrets.${name} of moat.yaml`, `${source.path} leads elsewhere by now`)
    }
    const value = await textOf(source, `secrets.${name} of moat.yaml`)
    if (typeof value === 'string') env[name] = value
  }
  return env
}

function assertNoClash(grants: readonly Grant[]): void {
  const clash = clashOf(grants.flatMap(injectionsOf))
  if (!clash) return
  const [first, second] = [clash.first, clash.second].map(({ grant, profile }) => formatGrant({ name: grant, profile }))
  throw new MoatError(
    'GRANT_CLASH',
    `The grants ${first} and ${second} are both for ${clash.host}, so an agent can have only one of them.`,
    {
      exit: exitCodes.usage,
      suggestions: [`leave out ${first} or ${second}`],
    },
  )
}
