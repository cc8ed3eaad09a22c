// Owns a look at the agents as commands show them. The supervisor looks for them: it has all that a look takes, where a command would
// have to load it first. Where none runs, or it follows another engine than the command would ask first, the command looks itself.
import { setTimeout as wait } from 'node:timers/promises'
import { firstAddress } from '../engine/connect-engine.js'
import type { AgentList, Engine } from '../engine/engine.js'
import { sameEngine } from '../engine/engine-address.js'
import type { EndpointProblem } from '../pages/view.js'
import { readLook, readProblems } from '../supervisor/control-client.js'
import type { LookKind } from '../supervisor/control-paths.js'
import type { EngineLook, SupervisorLook } from '../supervisor/engine-look.js'
import { addressOf, isOfThisMoat } from '../supervisor/protocol.js'
import { type CurrentProxy, currentProxy, type ProxyOptions } from '../supervisor/proxy.js'

/** How long a list is waited for that the command can make itself. Milliseconds. */
const listPatience = 1_500

export interface Surroundings extends EngineLook {
  /** Where the engine answers. */
  engine: string
  problems: EndpointProblem[]
  proxy: CurrentProxy
}

export interface LookOptions {
  /** The engine that the command uses. */
  connect: () => Promise<Engine>
  proxy: ProxyOptions
  /** Images, volumes and what agents use, too. */
  system?: boolean
}

export async function lookAround({ connect, proxy, system = false }: LookOptions): Promise<Surroundings> {
  const look = await supervisorsLook(proxy, system ? 'system' : 'problems')
  if (look) {
    const { engine = '' } = look.status
    return { ...look, engine, proxy: { address: addressOf(look.status), runs: true } }
  }
  const [engine, current, { lookAtEngine }] = await Promise.all([
    connect(),
    currentProxy(proxy),
    import('../supervisor/engine-look.js'),
  ])
  const [looked, problems] = await Promise.all([
    lookAtEngine(engine, proxy.paths, { system }),
    current.runs ? readProblems(proxy.paths.controlSocket) : [],
  ])
  return { ...looked, engine: engine.address, problems, proxy: current }
}

/** What the supervisor sees of this engine, if it follows it: to read labels takes what it has loaded already. */
export async function supervisorsList(
  connecting: Promise<Engine>,
  proxy: ProxyOptions,
): Promise<AgentList | undefined> {
  const late = wait(listPatience, undefined, { ref: false })
  const look = await Promise.race([supervisorsLook(proxy, 'agents'), late])
  const isSame = look && (await sameEngine((await connecting).address, look.status.engine ?? ''))
  return isSame ? look.list : undefined
}

/** What the supervisor sees now, if it is of this moat and follows the engine that a command would ask first. */
async function supervisorsLook({ paths, version }: ProxyOptions, kind: LookKind): Promise<SupervisorLook | undefined> {
  const look = await readLook(paths.controlSocket, kind)
  return look && (await isToBeTaken(look, version)) ? look : undefined
}

/** One of another moat may mean something else by the same words. */
async function isToBeTaken({ status }: SupervisorLook, version: string): Promise<boolean> {
  const first = await firstAddress()
  if (first === undefined || status.engine === undefined || !isOfThisMoat(status, version)) return false
  return sameEngine(first, status.engine)
}
