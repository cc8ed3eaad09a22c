// Owns looking which sockets listen in a container: in this machine's /proc where the container runs on it, else by
// asking in the container itself.
import { readFile } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import type Docker from 'dockerode'
import { parseListeners } from '../routing/listening.js'
import type { ContainerListeners, ExecSession, ExecSpec } from './sessions.js'

const tables = ['net/tcp', 'net/tcp6']

export interface ListenerReaderOptions {
  docker: Pick<Docker, 'getContainer'>
  exec: (containerId: string, spec: ExecSpec) => Promise<ExecSession>
  /** Where the kernel shows processes. */
  proc?: string
}

interface KnownContainer {
  /** Its first process, if that is one of this machine's. */
  pid: number | undefined
  startedAt: string
}

export class ListenerReader {
  readonly #known = new Map<string, KnownContainer>()
  readonly #options: ListenerReaderOptions
  readonly #proc: string

  constructor(options: ListenerReaderOptions) {
    this.#options = options
    this.#proc = options.proc ?? '/proc'
  }

  async read(containerId: string): Promise<ContainerListeners> {
    const known = this.#known.get(containerId)
    if (known?.pid !== undefined) {
      const tables = await this.#readTables(known.pid, containerId)
      // Else it was restarted, and its first process is another one.
      if (tables !== undefined) return { listeners: parseListeners(tables), quick: true, startedAt: known.startedAt }
    }
    const { State } = await this.#options.docker.getContainer(containerId).inspect()
    const { Pid: pid, StartedAt: startedAt } = State
    const shown = State.Running ? await this.#readTables(pid, containerId) : ''
    this.#remember(containerId, { pid: shown === undefined ? undefined : pid, startedAt })
    if (shown !== undefined) return { listeners: parseListeners(shown), quick: true, startedAt }
    return { listeners: parseListeners(await this.#askInside(containerId)), quick: false, startedAt }
  }

  #remember(containerId: string, known: KnownContainer): void {
    this.#known.set(containerId, known)
    const [oldest] = this.#known.keys()
    if (this.#known.size > 1_000 && oldest !== undefined) this.#known.delete(oldest)
  }

  /**
   * The tables of the network namespace a process is in. Undefined when the process is not the container's: with an
   * engine in a virtual machine, its number belongs to somebody else here.
   */
  async #readTables(pid: number, containerId: string): Promise<string | undefined> {
    const read = (name: string) => readFile(`${this.#proc}/${pid}/${name}`, 'utf8')
    try {
      if (!(await read('cgroup')).includes(containerId)) return undefined
      const [ipv4 = '', ipv6 = ''] = await Promise.all([read(tables[0] ?? ''), read(tables[1] ?? '').catch(() => '')])
      return ipv4 + ipv6
    } catch {
      return undefined
    }
  }

  /** An image without `cat` has nothing to ask; that is said. */
  async #askInside(containerId: string): Promise<string> {
    const command = ['cat', ...tables.map((name) => `/proc/${name}`)]
    const session = await this.#options.exec(containerId, { command, tty: false })
    session.stdin.end()
    const [output, , exitCode] = await Promise.all([
      text(session.output.stdout),
      text(session.output.stderr),
      session.exitCode,
    ])
    // A kernel without IPv6 has no second table; the first one is enough.
    if (exitCode !== 0 && !output.includes('local_address')) throw new Error('the container cannot be looked into')
    return output
  }
}
