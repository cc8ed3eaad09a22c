// Owns the services of one run: made, started and ready before its agent starts, and gone if that fails.
//
// Each has a container of its own, without a network. The forwarder in there makes the socket by which its port is reached, in a directory
// that only this container writes, and that the agent's container sees, read-only, among its run's: there the forwarder listens on the
// service's port and leads to that socket. The image's own program runs as whoever the image says; the forwarder as the user whose
// agent is to connect, so it is not the container's first program, but started beside it.
import { randomBytes } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { agentDirectory, type MoatPaths, serviceDirectory } from '../config/paths.js'
import { forwarderName } from '../doors/install-forwarder.js'
import type { ContainerSpec, Engine } from '../engine/engine.js'
import type { ImageFacts } from '../engine/files.js'
import { serviceLabels } from '../engine/labels.js'
import { userInside } from '../engine/user-inside.js'
import { readProcess } from '../processes/process-facts.js'
import { awaitReady } from './await-ready.js'
import { filesDirectory, serviceEnvironment, serviceStart } from './connection.js'
import type { PlannedService } from './plan-services.js'
import { serviceFailed } from './service-failed.js'

/** Where its directory is in a service's container. */
const inside = '/run/moat'

export interface ServiceContainersOptions {
  engine: Engine
  /** What the agent may use at most, for each of its services too. */
  limits: { cpus?: number; memory?: number }
  paths: Pick<MoatPaths, 'agents' | 'home'>
  runId: string
  signal: AbortSignal
  user: { gid: number; uid: number }
}

export class ServiceContainers {
  readonly #made: string[] = []
  readonly #options: ServiceContainersOptions
  readonly #services: readonly (PlannedService & { password: string })[]

  constructor(services: readonly PlannedService[], options: ServiceContainersOptions) {
    this.#options = options
    this.#services = services.map((service) => ({ ...service, password: randomBytes(16).toString('hex') }))
  }

  /** What the agent is told of them. */
  get env(): Record<string, string> {
    return Object.assign({}, ...this.#services.map((service) => serviceEnvironment(service, service.password)))
  }

  /** Resolves once they are ready. The run's directory has the forwarder by now, and the engine their images. */
  async start(): Promise<void> {
    const outcomes = await Promise.allSettled(this.#services.map((service) => this.#startOne(service)))
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason
  }

  /** After a start that failed. */
  async takeBack(): Promise<void> {
    // What cannot be removed now is removed by the supervisor; why the start failed is what is told.
    await Promise.all(this.#made.map((containerId) => this.#options.engine.remove(containerId).catch(() => {})))
  }

  async #startOne(service: PlannedService & { password: string }): Promise<void> {
    const { engine, paths, runId, signal, user } = this.#options
    signal.throwIfAborted()
    await mkdir(serviceDirectory(paths, runId, service.name), { mode: 0o700, recursive: true })
    const facts = await engine.files.describeImage(service.image)
    const start = serviceStart(service, service.password)
    const containerId = await engine.create(await this.#spec(service, start, facts))
    this.#made.push(containerId)
    if (start.files.length > 0) await engine.files.write(containerId, filesDirectory, start.files)
    const ended = engine.wait(containerId)
    // Asked again below; until then a broken engine must not be an unhandled rejection.
    ended.catch(() => {})
    await engine.start(containerId)
    await this.#letIn(containerId, service)
    if (!service.wait) return
    const ready = await awaitReady(service, {
      directory: serviceDirectory(paths, runId, service.name),
      ended,
      paths,
      runId,
      signal,
      uid: user.uid,
    })
    if (ready !== true) throw await serviceFailed(engine, containerId, service, ready)
  }

  async #spec(
    service: PlannedService,
    { command, env }: ReturnType<typeof serviceStart>,
    { entrypoint }: Pick<ImageFacts, 'entrypoint'>,
  ): Promise<ContainerSpec> {
    const { limits, paths, runId } = this.#options
    const starter = await readProcess(process.pid)
    return {
      // An image whose entrypoint is the program itself takes its arguments.
      command: command && (isProgram(entrypoint, command) ? command.slice(1) : command),
      env,
      image: service.image,
      labels: {
        [serviceLabels.home]: paths.home,
        [serviceLabels.run]: runId,
        [serviceLabels.service]: service.name,
        ...(starter && { [serviceLabels.starter]: `${starter.pid}@${starter.startedAt}` }),
      },
      ...limits,
      ...(service.memory !== undefined && { memory: service.memory }),
      mounts: [
        {
          readOnly: true,
          source: join(agentDirectory(paths, runId), forwarderName),
          target: `${inside}/${forwarderName}`,
        },
        { readOnly: false, source: serviceDirectory(paths, runId, service.name), target: `${inside}/in` },
      ],
      name: `moat-${runId.replace('run_', '')}-${service.name}`,
      network: 'none',
      ports: [],
      user: 'image',
    }
  }

  /** It serves on when what it is called with has ended, which here is at once. */
  async #letIn(containerId: string, service: PlannedService): Promise<void> {
    const { engine } = this.#options
    const user = await userInside(engine, this.#options.user)
    const program = `${inside}/${forwarderName}`
    const flags = ['--in', `${inside}/in`, '--serve', `${service.known.port}`]
    const command = [program, ...flags, '--', program, 'connect']
    const session = await engine.sessions.exec(containerId, { command, tty: false, user }).catch(async (error) => {
      if (!(await engine.ends.of(containerId))) throw error
    })
    // One that has ended meanwhile is told of with its log.
    if (!session) return
    session.stdin.end()
    session.output.stdout.resume()
    const said = await text(session.output.stderr)
    await session.exitCode.catch(() => {})
    const [problem] = said.split('\n').filter((line) => line.startsWith('moat: '))
    if (problem !== undefined) throw await serviceFailed(engine, containerId, service, { problem: problem.slice(6) })
  }
}

function isProgram(entrypoint: readonly string[], [program = '']: readonly string[]): boolean {
  return entrypoint.some((word) => basename(word) === program)
}
