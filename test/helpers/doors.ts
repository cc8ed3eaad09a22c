// The doors between containers and the proxy, on this machine: `forward doors`, the proxy's two sockets, and agents' directories.
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { connect, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { ForwarderProcess, forwarderProgram } from './forwarder-process.js'
import { Servers } from './servers.js'
import { until } from './until.js'

export class Doors {
  readonly directory = mkdtempSync(join(tmpdir(), 'moat-doors-'))
  readonly agents = join(this.directory, 'agents')
  readonly control = join(this.directory, 'control.sock')
  readonly tls = join(this.directory, 'tls.sock')
  readonly plain = join(this.directory, 'plain.sock')
  readonly servers = new Servers()
  readonly #clients: Socket[] = []
  readonly #processes: ForwarderProcess[] = []

  private constructor(agents: string[]) {
    mkdirSync(this.agents)
    for (const agent of agents) this.add(agent)
  }

  /** Resolves when it answers. `runner` runs it. */
  static async start(agents: string[], flags: string[] = [], runner: string[] = [forwarderProgram]): Promise<Doors> {
    const doors = new Doors(agents)
    await doors.startAnother(flags, runner)
    return doors
  }

  async startAnother(flags: string[] = [], runner: string[] = [forwarderProgram]): Promise<ForwarderProcess> {
    const { agents, control, plain, tls } = this
    const paths = ['--agents', agents, '--control', control, '--plain', plain, '--tls', tls]
    const started = ForwarderProcess.startAlone([...runner, 'doors', ...paths, ...flags])
    this.#processes.push(started)
    await until('an answer', async () => (await this.tell('scan\n')).includes(` ${started.pid} `))
    return started
  }

  get process(): ForwarderProcess {
    const [first] = this.#processes
    if (first === undefined) throw new Error('No doors were started.')
    return first
  }

  /** What is answered on the control socket. */
  async tell(words: string): Promise<string> {
    const socket = connect({ allowHalfOpen: true, path: this.control })
    socket.write(words)
    const answer = (await buffer(socket)).toString()
    socket.destroy()
    return answer
  }

  add(agent: string): void {
    mkdirSync(join(this.agents, agent))
  }

  path(agent: string): string {
    return join(this.agents, agent, 'proxy.sock')
  }

  async connect(agent: string): Promise<Socket> {
    const socket = connect({ allowHalfOpen: true, path: this.path(agent) })
    this.#clients.push(socket)
    socket.on('error', () => {})
    await once(socket, 'connect')
    return socket
  }

  /** The proxy: answers with its name, and sends back in hexadecimal what comes. */
  async listen(): Promise<Server[]> {
    const answer = (name: string) => (socket: Socket) => {
      socket.write(`${name} `)
      socket.on('data', (data) => socket.write(data.toString('hex'))).on('end', () => socket.end())
    }
    return [await this.servers.listen(answer('tls'), this.tls), await this.servers.listen(answer('plain'), this.plain)]
  }

  async end(): Promise<void> {
    for (const client of this.#clients) client.destroy()
    for (const started of this.#processes) await started.end()
    await this.servers.closeAll()
    rmSync(this.directory, { force: true, recursive: true })
  }
}
