// Owns the start of an agent, step by step. Whatever fails, nothing stays behind.
import { assertNotMoatHome } from '../config/guard-home.js'
import type { ContainerOutput } from '../engine/engine.js'
import type { Grant } from '../grants/grant.js'
import { type AgentView, viewAgent } from '../routing/agent-view.js'
import type { ProxyAddress } from '../routing/urls.js'
import { expectAgent, type ProxyHold, syncRoutes } from '../supervisor/control-client.js'
import { ensureProxy } from '../supervisor/ensure-proxy.js'
import { addressOf } from '../supervisor/protocol.js'
import { networkWithGrants, planContainerGrants, readGrants } from './container/container-grants.js'
import { installProgram, withContext } from './container/container-program.js'
import { containerSpec } from './container/container-spec.js'
import { planContainerTrust } from './container/container-trust.js'
import { ContainerVolumes } from './container/container-volumes.js'
import { type PreparedImage, prepareImage } from './container/ensure-image.js'
import { planForwarder } from './container/forwarder.js'
import { installParts } from './container/install-parts.js'
import { peerHostsOf, tellPeers } from './container/peer-hosts.js'
import { assertSettled, followedPaths } from './container/settled-sources.js'
import { planTrustBundle } from './container/trust-bundle.js'
import { trustedRoots } from './container/trusted-roots.js'
import { describeStarted } from './describe-started.js'
import { assertNetwork } from './plan/assert-network.js'
import { assertRoutes } from './plan/assert-routes.js'
import { assertProxyPort, assertServices } from './plan/assert-services.js'
import { assertDiscovery } from './plan/discovery.js'
import { type AgentPlan, usesProxy } from './plan/plan-agent.js'
import { giveSettings } from './plan/proxy-trust.js'
import { assertRuntime } from './plan/runtime.js'
import { rememberWorkspace } from './remember-workspace.js'
import { reserveContainer } from './reserve-container.js'
import { newRunId } from './run-id.js'
import { RunServices } from './run-services.js'
import type { StartOptions } from './start-options.js'
import { takeBack } from './take-back.js'
import { watchStart } from './watch-start.js'
import { watchWorkspace } from './watch-workspace.js'
import { whileGuarded } from './while-guarded.js'

export interface StartedAgent {
  agent: AgentView
  /** True when this start made the root certificate, which nobody trusts yet. */
  authorityCreated: boolean
  containerId: string
  /** Ports of its container's loopback on which moat itself listens, for the agent's own URLs. */
  forwards: number[]
  /** Resolves with the exit code when the agent ends. */
  exitCode: Promise<number>
  /** Present for an agent with endpoints. */
  hold?: ProxyHold
  /** Present when attached. */
  output?: ContainerOutput
  /** Resolves once a detached one has been watched for long enough. */
  watched: Promise<void>
}

/** Starts the agent; resolves once it runs and its routes are live. */
export async function startAgent(planned: AgentPlan, options: StartOptions): Promise<StartedAgent> {
  const { engine, paths, signal } = options
  const grants = await readGrants(planned.grants, paths)
  const plan = { ...planned, network: networkWithGrants(planned.network, grants) }
  const repository = [plan.checkout, plan.mainCheckout].flatMap((checkout) => checkout?.commonDir ?? [])
  for (const path of [plan.workspace, ...repository, ...plan.mounts.map(({ source }) => source)])
    await assertNotMoatHome(path, paths.home)
  // Asked meanwhile, for what is made of it later.
  engine.sharesSockets().catch(() => {})
  await assertRuntime(engine, plan)
  await assertDiscovery(engine, plan)
  await assertNetwork(engine, plan)
  await assertServices(engine, plan)
  const image = await prepareImage(engine, plan.image, options)
  const proxy = usesProxy(plan) ? await startProxy(options) : undefined
  try {
    signal.throwIfAborted()
    if (proxy) assertProxyPort(plan, proxy.hold.status.port)
    await assertRoutes(plan, paths)
    const started = await startContainer(plan, options, {
      address: proxy && addressOf(proxy.hold.status),
      grants,
      image,
    })
    return {
      authorityCreated: false,
      ...started,
      ...(proxy && { authorityCreated: proxy.authorityCreated, hold: proxy.hold }),
    }
  } catch (error) {
    proxy?.hold.release()
    throw error
  }
}

function startProxy({ engine, paths, progress, version, wanted }: StartOptions) {
  const announce = <T>(start: () => Promise<T>) => progress.step('Starting the routing proxy', start)
  return ensureProxy({ announce, engine: engine.address, keep: false, paths, version, wanted })
}

async function startContainer(
  planned: AgentPlan,
  options: StartOptions,
  { address, grants: granted, image }: { address: ProxyAddress | undefined; grants: Grant[]; image: PreparedImage },
) {
  const { engine, paths, progress } = options
  const runId = newRunId()
  const wanted = withContext(planned, address)
  const facts = await engine.files.describeImage(image.image)
  const given = giveSettings(wanted.proxyTrust.settings, wanted.command, facts.environment)
  if (options.verbose) given.told.forEach(progress.note)
  const plan = { ...wanted, command: given.command, env: { ...given.env, ...wanted.env } }
  const roots = await trustedRoots(plan, options)
  const trust = await planContainerTrust(engine, facts, roots.paths, plan.env)
  const grants = await planContainerGrants(granted, plan.secrets, { engine, paths, runId })
  const peerHosts = address ? await peerHostsOf(engine, plan.network.peers, address.domain) : []
  const own = { engine, image: facts, note: progress.note, paths: roots.paths, peerHosts, runId }
  const forwarder = address && (await planForwarder(plan, { ...own, address }))
  const services = new RunServices(plan, options, runId)
  const volumes = new ContainerVolumes(plan, engine)
  // Beside what else there is to do.
  const expected = address && expectAgent(paths.controlSocket, plan.name)
  const remembered = rememberWorkspace(plan, runId, options)
  remembered.catch(() => {})
  try {
    await volumes.prepare(options)
    const mounted = [...plan.mounts, ...plan.volumes].map(({ target }) => target)
    const bundle = forwarder && (await planTrustBundle({ ...own, mounted, toldEnv: forwarder.env, userEnv: plan.env }))
    // None at all: what it reaches, it reaches by sockets.
    const network = plan.network.policy === 'strict' ? 'none' : await engine.networks.ensure()
    const parts = { address, bundle, forwarder, grants, network, runId, services, trust, volumes }
    const spec = await containerSpec(plan, options, image, parts)
    const step = <T>(act: (guarded: (containerId: string) => Promise<void>) => Promise<T>) =>
      whileGuarded(plan, { engine, paths, runId }, (stay) => progress.step(`Starting ${plan.name}`, () => act(stay)))
    if (forwarder) await services.start()
    return await step(async (guarded) => {
      const followed = [...followedPaths(plan, spec), ...volumes.mountPoints(spec)]
      await assertSettled(followed)
      const containerId = await reserveContainer(engine, plan.name, spec)
      try {
        await installParts(containerId, spec, { ...parts, image, own, plan, roots, user: options.user })
        await installProgram(plan, containerId, { address, engine, user: options.user })
        await guarded(containerId)
        await expected
        const watch = await remembered.then(() => watchWorkspace(plan, runId, options))
        const { beside, started } = await letRun(containerId, plan, followed, options)
        await watch(containerId)
        const agent = describeStarted(plan, { containerId, forwarder, image: image.image, keep: options.keep, runId })
        if (address) await tellPeers(engine, agent, { beside, domain: address.domain, note: progress.note })
        const view = viewAgent(agent, address ?? options.wanted)
        return { ...started, agent: view, containerId, forwards: forwarder?.ports ?? [] }
      } catch (error) {
        await engine.remove(containerId)
        throw error
      }
    })
  } catch (error) {
    await remembered.catch(() => {})
    await services.takeBack()
    await volumes.takeBack()
    await takeBack(plan.workspace, runId, paths, progress.note)
    throw error
  } finally {
    await volumes.release()
  }
}

/** Starts the container; resolves once its routes are live. */
async function letRun(containerId: string, plan: AgentPlan, followed: readonly string[], options: StartOptions) {
  const { attach, engine, interactive, paths, progress, signal } = options
  const output = attach ? await engine.attach(containerId, { interactive }) : undefined
  const exitCode = engine.wait(containerId)
  // Observed by whoever follows the agent; until then a broken engine must not be an unhandled rejection.
  exitCode.catch(() => {})
  signal.throwIfAborted()
  // Between the look and the engine's own nobody is to put a link there who is not this user.
  await engine.writers.whileHeld(followed, progress.note, async () => {
    await assertSettled(followed)
    await engine.start(containerId)
    // Others than agents may have: then the container goes again.
    await assertSettled(followed)
  })
  // While its routes are made live.
  const watched = attach ? Promise.resolve() : watchStart(engine.sessions, containerId)
  const proxy = usesProxy(plan) ? await syncRoutes(paths.controlSocket) : undefined
  if (proxy?.problem !== undefined) progress.note(`Note: the proxy is in trouble. ${proxy.problem}`)
  signal.throwIfAborted()
  return { started: { exitCode, watched, ...(output && { output }) }, ...(proxy && { beside: proxy.agents }) }
}
