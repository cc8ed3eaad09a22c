// Owns the start of an agent, step by step. Whatever fails, nothing stays behind.
import { access } from 'node:fs/promises'
import { assertNotMoatHome } from '../config/guard-home.js'
import type { MoatPaths } from '../config/paths.js'
import type { ProxyPort } from '../config/settings.js'
import type { ContainerOutput, ContainerSpec, Engine } from '../engine/engine.js'
import { containerName, toLabels } from '../engine/labels.js'
import type { Agent } from '../routing/agent.js'
import { type AgentView, viewAgent } from '../routing/agent-view.js'
import { urlEnvironment } from '../routing/urls.js'
import { type ProxyHold, syncRoutes } from '../supervisor/control-client.js'
import { ensureProxy } from '../supervisor/ensure-proxy.js'
import { type PreparedImage, prepareImage } from './ensure-image.js'
import type { AgentPlan } from './plan-agent.js'
import type { Progress } from './progress.js'
import { reserveContainer } from './reserve-container.js'
import { newRunId } from './run-id.js'

/** Where the agent finds its workspace and the root certificate. */
const workspaceMount = '/workspace'
const certificateMount = '/etc/moat/ca.crt'

export interface StartOptions {
  /** Stream the agent's output from its first byte. */
  attach: boolean
  /** Give it a terminal and stdin. */
  interactive: boolean
  /** Leave the container when the agent ends. */
  keep: boolean
  engine: Engine
  paths: MoatPaths
  port: ProxyPort
  progress: Progress
  /** Build the image anew. */
  rebuild: boolean
  /** Have the engine remove the container when the agent ends. */
  removeAtEnd: boolean
  signal: AbortSignal
  user: { gid: number; uid: number }
  version: string
}

export interface StartedAgent {
  agent: AgentView
  /** True when this start made the root certificate, which nobody trusts yet. */
  authorityCreated: boolean
  containerId: string
  /** Resolves with the exit code when the agent ends. */
  exitCode: Promise<number>
  /** Present for an agent with endpoints. */
  hold?: ProxyHold
  /** Present when attached. */
  output?: ContainerOutput
}

/** Starts the agent; resolves once it runs and its routes are live. */
export async function startAgent(plan: AgentPlan, options: StartOptions): Promise<StartedAgent> {
  const { engine, paths, signal } = options
  for (const path of [plan.workspace, ...plan.mounts.map(({ source }) => source)])
    await assertNotMoatHome(path, paths.home)
  const image = await prepareImage(engine, plan.image, options)
  const proxy = plan.endpoints.length > 0 ? await startProxy(options) : undefined
  try {
    signal.throwIfAborted()
    const started = await startContainer(plan, options, image, proxy?.hold.status.port)
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

function startProxy({ engine, paths, port, progress, version }: StartOptions) {
  const announce = <T>(start: () => Promise<T>) => progress.step('Starting the routing proxy', start)
  return ensureProxy({ announce, engine: engine.address, keep: false, paths, port, version })
}

async function startContainer(
  plan: AgentPlan,
  options: StartOptions,
  image: PreparedImage,
  proxyPort: number | undefined,
) {
  const { attach, engine, paths, progress, signal } = options
  const runId = newRunId()
  const spec = await containerSpec(plan, options, image, runId, proxyPort)
  return progress.step(`Starting ${plan.name}`, async () => {
    const containerId = await reserveContainer(engine, plan.name, spec)
    try {
      const output = attach ? await engine.attach(containerId, { interactive: options.interactive }) : undefined
      const exitCode = engine.wait(containerId)
      // Observed by whoever follows the agent; until then a broken engine must not be an unhandled rejection.
      exitCode.catch(() => {})
      signal.throwIfAborted()
      await engine.start(containerId)
      if (plan.endpoints.length > 0) await syncRoutes(paths.controlSocket)
      signal.throwIfAborted()
      const agent: Agent = {
        containerId,
        createdAt: new Date().toISOString(),
        endpoints: plan.endpoints,
        keep: options.keep,
        name: plan.name,
        published: {},
        routes: plan.routes,
        runId,
        state: 'running',
        workspace: plan.workspace,
      }
      return { agent: viewAgent(agent, proxyPort ?? 0), containerId, exitCode, ...(output && { output }) }
    } catch (error) {
      await engine.remove(containerId)
      throw error
    }
  })
}

async function containerSpec(
  plan: AgentPlan,
  { interactive, keep, paths, removeAtEnd, user }: StartOptions,
  image: PreparedImage,
  runId: string,
  proxyPort: number | undefined,
): Promise<ContainerSpec> {
  const { container, endpoints, mounts, name, routes, workspace } = plan
  const certificate = await access(paths.caCertificate).then(
    () => [{ readOnly: true, source: paths.caCertificate, target: certificateMount }],
    () => [],
  )
  const urls =
    proxyPort === undefined
      ? {}
      : urlEnvironment(
          name,
          endpoints.map((endpoint) => endpoint.name),
          proxyPort,
        )
  return {
    command: plan.command,
    env: {
      HOST: '0.0.0.0',
      MOAT_RUN_ID: runId,
      MOAT_RUN_NAME: name,
      ...(certificate.length > 0 && { MOAT_CA_CERT: certificateMount }),
      ...urls,
      ...(image.home !== undefined && { HOME: image.home }),
      ...plan.env,
    },
    image: image.image,
    interactive,
    labels: toLabels({ endpoints, home: paths.home, keep, name, routes, runId, workspace }),
    mounts: [{ readOnly: false, source: workspace, target: workspaceMount }, ...certificate, ...mounts],
    name: containerName(name, paths.home),
    ports: plan.ports,
    removeAtEnd,
    user,
    workdir: workspaceMount,
    ...container,
  }
}
