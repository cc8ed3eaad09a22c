// Owns noticing that a command uses another engine than the proxy, whose agents would then seem to be gone.
import { sameEngine } from '../engine/engine-address.js'
import { MoatError } from '../errors.js'
import { readStatus } from './control-client.js'
import type { SupervisorStatus } from './protocol.js'

/** Where the running proxy's engine is, if it is another one than `engine`. */
export async function otherEngine(
  controlSocket: string,
  engine: Promise<{ address: string }>,
): Promise<string | undefined> {
  // A supervisor that does not answer is for others to report. Both are asked at the same time.
  const asked = readStatus(controlSocket).catch(() => undefined)
  const [{ address }, status] = await Promise.all([engine, asked])
  return status && !(await followsEngine(status, address)) ? status.engine : undefined
}

/** True for a proxy whose engine is at `address`. */
export async function followsEngine({ engine }: SupervisorStatus, address: string): Promise<boolean> {
  return engine === undefined || sameEngine(engine, address)
}

/** Throws ENGINE_MISMATCH: an agent on the engine at `address` would never be routed to. */
export async function assertSameEngine(status: SupervisorStatus, address: string): Promise<void> {
  if (await followsEngine(status, address)) return
  throw new MoatError(
    'ENGINE_MISMATCH',
    `The proxy on port ${status.port} follows the container engine at ${status.engine}, but this command uses the one at ${address}.`,
    {
      suggestions: [
        `DOCKER_HOST=${status.engine} MOAT_RUNTIME= moat run`,
        'moat proxy stop   # then the next run starts it for this engine',
      ],
    },
  )
}
