// Owns that the runtime moat.yaml names is one the engine has: falling back to another would take a wall away in silence.
import { visible } from '../../config/visible.js'
import type { Engine } from '../../engine/engine.js'
import { exitCodes, MoatError } from '../../errors.js'
import type { AgentPlan } from './plan-agent.js'

export async function assertRuntime(
  engine: Pick<Engine, 'runtimes'>,
  { container: { runtime }, runtimePlace }: Pick<AgentPlan, 'container' | 'runtimePlace'>,
): Promise<void> {
  if (runtime === undefined) return
  const known = await engine.runtimes()
  if (known.includes(runtime)) return
  const has = known.length > 0 ? `it has ${known.join(', ')}` : 'it names none'
  const message = `${runtimePlace}: the container engine has no runtime "${visible(runtime)}"; ${has}.`
  // Docker's only: where another engine has its runtimes from is its own affair.
  const install = runtime === 'runsc' ? ['sudo runsc install && sudo systemctl restart docker'] : []
  throw new MoatError('CONFIG_INVALID', message, { exit: exitCodes.usage, suggestions: [...install, 'docker info'] })
}
