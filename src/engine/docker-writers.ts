// Owns holding agents still that could change where a path leads, while the engine follows it: engines take a mount's source as a
// path, and whoever can write in a directory above it can put a link there between a look and its use.
import { setTimeout as wait } from 'node:timers/promises'
import type Docker from 'dockerode'
import type { ContainerInfo } from 'dockerode'
import { MoatError, messageOf } from '../errors.js'
import type { EngineWriters, HeldWork } from './engine.js'
import { engineError, engineMessage, statusOf } from './engine-errors.js'
import { Holds } from './holds.js'
import { labels } from './labels.js'
import { writersOf } from './writers-of.js'

/** Milliseconds. */
const holdLimits = {
  /** What agents are held for. A directory of a server that is away keeps the engine for ever. */
  action: 30_000,
  /** Until others have let go of theirs. */
  lock: 60_000,
  pause: 15_000,
}
/** Between tries to wake an agent. Milliseconds. */
const wakeWaits = [100, 500, 2_000]

type Note = (text: string) => void

export class DockerWriters implements EngineWriters {
  readonly #address: string
  readonly #docker: Docker
  readonly #holds: Holds
  readonly #limits: typeof holdLimits

  constructor(docker: Docker, address: string, { holds = new Holds(), limits = holdLimits } = {}) {
    this.#address = address
    this.#docker = docker
    this.#holds = holds
    this.#limits = limits
  }

  async whileHeld<T>(
    paths: readonly string[],
    note: Note,
    action: (keep: () => void) => Promise<T>,
    { limit, onHeld, what }: HeldWork = { limit: this.#limits.action, what: 'What agents are held still for lasted' },
  ): Promise<T> {
    let kept = false
    const act = () =>
      action(() => {
        kept = true
      })
    if (writersOf(await this.#agents(['paused', 'running']), paths).length === 0) return await act()
    // Or one would wake what another still holds.
    const lock = await this.#holds.lock(this.#limits.lock)
    if (!lock) throw tooLong('Another start of an agent holds agents still', this.#limits.lock)
    try {
      await this.#wakeLeft()
      const writers = writersOf(await this.#agents(['running']), paths).map(({ Id }) => Id)
      const asleep = new Set(writers)
      try {
        await this.#pauseAll(writers, asleep, note)
        onHeld?.(asleep.size)
        return await (asleep.size === 0 ? act() : within(limit, what, act()))
      } finally {
        // Without its note one is paused for everybody, and nobody wakes it but its user.
        await Promise.all([...asleep].map((id) => (kept ? this.#holds.remove(id) : this.#wakeSurely(id, note))))
      }
    } finally {
      await lock.release()
    }
  }

  /**
   * Containers as the engine lists them, but that those which are held for a moment run: requests to them wait, and are not refused.
   * Those that a killed process held are woken first.
   */
  async listed(list: () => Promise<ContainerInfo[]>): Promise<ContainerInfo[]> {
    if ((await this.#noted()).length > 0) await this.#wakeWhenFree().catch(() => {})
    // Before and after: one of them has been written when the engine says that a container is paused.
    const before = await this.#heldNow()
    const containers = await list()
    if (!containers.some(({ State }) => State === 'paused')) return containers
    const held = new Set([...before, ...(await this.#heldNow())])
    return containers.map((info) =>
      info.State === 'paused' && held.has(info.Id) ? { ...info, State: 'running' } : info,
    )
  }

  async #noted() {
    return (await this.#holds.all()).filter(({ address }) => address === this.#address)
  }

  /** None for longer than agents are held: then it is paused, whatever the reason. */
  async #heldNow(): Promise<string[]> {
    const longest = this.#limits.pause + this.#limits.action
    return (await this.#noted())
      .filter(({ since }) => Math.abs(Date.now() - since) < longest)
      .map((hold) => hold.containerId)
  }

  async #wakeWhenFree(): Promise<void> {
    const lock = await this.#holds.lock(0)
    // Who has it wakes them.
    if (!lock) return
    await this.#wakeLeft().finally(() => lock.release())
  }

  /** With the lock in hand: nobody holds those any more. */
  async #wakeLeft(): Promise<void> {
    await Promise.all((await this.#noted()).map(({ containerId }) => this.#wake(containerId).catch(() => {})))
  }

  /** Of every moat of this machine. */
  async #agents(status: string[]): Promise<ContainerInfo[]> {
    try {
      return await this.#docker.listContainers({ filters: { label: [labels.runId], status } })
    } catch (error) {
      throw engineError('list containers', error, this.#address)
    }
  }

  /** Takes those out of `asleep` that are not to be woken. */
  async #pauseAll(ids: readonly string[], asleep: Set<string>, note: Note): Promise<void> {
    const unheld: string[] = []
    const pause = async (id: string) => {
      await this.#holds.add({ address: this.#address, containerId: id })
      const outcome = await within(this.#limits.pause, 'The engine was pausing an agent', this.#pause(id))
      if (outcome === 'unsupported') unheld.push(id)
      if (outcome === 'paused') return
      asleep.delete(id)
      await this.#holds.remove(id)
    }
    // All of them to their end, so that what is woken is not paused afterwards.
    const outcomes = await Promise.allSettled(ids.map(pause))
    const failed = outcomes.find((outcome) => outcome.status === 'rejected')
    if (failed) throw failed.reason
    if (unheld.length === 0) return
    note(
      'Note: this engine cannot pause containers, so agents that work above the mounted directories go on meanwhile.',
    )
  }

  async #pause(id: string): Promise<'paused' | 'still' | 'unsupported'> {
    try {
      await this.#docker.getContainer(id).pause()
      return 'paused'
    } catch (error) {
      const said = engineMessage(error)
      // Rootless engines without control groups of their own.
      if (/cgroups? (is |are )?not|not supported|cgroups? v[12]|requires cgroup/i.test(said)) return 'unsupported'
      // One that had ended, or was paused before.
      if ([404, 409].includes(statusOf(error) ?? 0) || /not running|state improper/.test(said)) return 'still'
      throw engineError('pause an agent that could change what is mounted', error, this.#address)
    }
  }

  async #wakeSurely(id: string, note: Note): Promise<void> {
    for (const next of [...wakeWaits, undefined]) {
      try {
        await within(this.#limits.pause, 'The engine was waking an agent', this.#wake(id))
        return
      } catch (error) {
        const said = `Note: an agent that was held still could not be woken: ${messageOf(error)}. Try: docker unpause ${id.slice(0, 12)}`
        if (next === undefined) note(said)
        else await wait(next)
      }
    }
  }

  /** One that is gone, or that somebody else has woken, needs it no more. */
  async #wake(id: string): Promise<void> {
    try {
      await this.#docker.getContainer(id).unpause()
    } catch (error) {
      const isAwake = statusOf(error) === 404 || /not paused|not running|state improper/i.test(engineMessage(error))
      if (!isAwake) throw error
    }
    await this.#holds.remove(id)
  }
}

async function within<T>(limit: number, what: string, work: Promise<T>): Promise<T> {
  const end = new AbortController()
  const late = wait(limit, undefined, { signal: end.signal }).then(() => Promise.reject(tooLong(what, limit)))
  late.catch(() => {})
  return Promise.race([work, late]).finally(() => end.abort())
}

function tooLong(what: string, limit: number): MoatError {
  const message = `${what} for more than ${limit / 1000} seconds.`
  return new MoatError('ENGINE_FAILED', message, { suggestions: ['docker info', 'docker ps'] })
}
