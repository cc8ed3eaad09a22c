// A gate without a supervisor, in this process, and what an agent says to it.
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { agentDirectory, agentGateSocket, moatPaths } from '../../src/config/paths.js'
import type { NetworkLogEntry, NetworkPolicy, NetworkRule } from '../../src/egress/policy.js'
import { networkLogFile } from '../../src/egress/read-log.js'
import { Gate, type GateOptions } from '../../src/gate/gate.js'
import type { GatedAgent } from '../../src/gate/gate-table.js'
import { parseTestHosts } from '../../src/gate/test-hosts.js'
import { until } from './until.js'

export const runId = 'run_1a2b3c4d5e6f'

export function policy(
  rules: (Partial<NetworkRule> | string)[] = [],
  extra: Partial<NetworkPolicy> = {},
): NetworkPolicy {
  const all = rules.map((rule): NetworkRule => {
    const given = typeof rule === 'string' ? { host: rule } : rule
    return { effect: 'allow', host: '', text: given.host ?? '', ...given }
  })
  return { host: [], peers: [], policy: 'strict', rules: all, ...extra }
}

export class TestGate {
  readonly #directory = mkdtempSync(join(tmpdir(), 'moat-gate-'))
  readonly paths = moatPaths({ MOAT_HOME: join(this.#directory, 'home') })
  readonly complaints: string[] = []
  readonly gate: Gate
  readonly #sockets: Socket[] = []

  /** @param hosts as in MOAT_TEST_HOSTS. */
  constructor(hosts: Record<string, string>, options: Partial<GateOptions> = {}) {
    mkdirSync(agentDirectory(this.paths, runId), { recursive: true })
    const text = Object.entries(hosts).map((pair) => pair.join('='))
    const log = (line: string) => this.complaints.push(line)
    this.gate = new Gate({
      descriptors: 4_096,
      log,
      paths: this.paths,
      testHosts: parseTestHosts(text.join()),
      ...options,
    })
  }

  apply(of: NetworkPolicy, granted: GatedAgent['granted'] = []): Promise<void> {
    return this.gate.apply([{ granted, name: 'my-app', policy: of, runId }])
  }

  get socketPath(): string {
    return agentGateSocket(this.paths, runId)
  }

  connect(path = this.socketPath): Socket {
    const socket = connect({ allowHalfOpen: true, path })
    socket.on('error', () => {})
    this.#sockets.push(socket)
    return socket
  }

  /** Writes something and resolves with all that is answered until the connection ends. */
  async say(text: string | Buffer, path?: string): Promise<string> {
    const socket = this.connect(path)
    let answer = ''
    socket.setEncoding('latin1').on('data', (piece) => {
      answer += piece
    })
    socket.write(text)
    await new Promise((resolve) => socket.once('close', resolve).once('end', () => socket.end()))
    return answer
  }

  /** A tunnel, once the gate has agreed to it. */
  async tunnel(target: string): Promise<Socket> {
    const socket = this.connect()
    socket.write(`CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n\r\n`)
    const [piece] = await once(socket, 'data')
    // Nobody listens for a moment.
    const [head = '', rest] = String(piece).split('\r\n\r\n')
    socket.pause()
    if (rest) socket.unshift(Buffer.from(rest))
    if (!head.startsWith('HTTP/1.1 200 ')) throw new Error(head)
    return socket
  }

  async log(count: number): Promise<NetworkLogEntry[]> {
    const file = networkLogFile(this.paths, runId)
    const read = () => readFileSync(file, 'utf8').split('\n').slice(0, -1)
    const lines = await until(`${count} lines in the log`, () => (read().length >= count ? read() : false))
    return lines.map((line) => JSON.parse(line) as NetworkLogEntry)
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await this.gate.close()
    rmSync(this.#directory, { force: true, recursive: true })
  }
}
