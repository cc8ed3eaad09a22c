// Owns a run in the directory that was named, as a person sees it: what is wrong with moat.yaml is said without asking the engine,
// which is sought while the rest is planned.
import { planAgent, type RunRequest } from '../agents/plan/plan-agent.js'
import type { EndpointPlugins } from '../endpoints/plugin-hooks.js'
import type { Engine } from '../engine/engine.js'
import type { RunOutcome, RunSessionOptions } from './run-session.js'

export interface DirectorySessionOptions extends Omit<RunSessionOptions, 'engine'> {
  connect: () => Promise<Engine>
  plugins: EndpointPlugins
}

export async function directorySession(
  request: RunRequest,
  { connect, plugins, ...options }: DirectorySessionOptions,
): Promise<RunOutcome> {
  let engine: Promise<Engine> | undefined
  // Loaded once nothing is wrong: it is most of what a run takes.
  let session: Promise<typeof import('./run-session.js')> | undefined
  const onRead = () => {
    session = import('./run-session.js')
    engine = connect()
    // What a start asks of it first. What goes wrong is told by who needs it.
    engine.then((found) => found.sharesSockets()).catch(() => {})
  }
  const plan = await planAgent({ ...request, onRead }, plugins, options.proxy.wanted.domain)
  const { runSession } = await (session ?? import('./run-session.js'))
  return runSession(plan, { ...options, engine: await (engine ?? connect()) })
}
