// A bare Caddy that opens what one agent sends to stub hosts, with stand-ins for the gate and the supervisor.
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { connect, createServer as createSink, type Server as Sink, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import { ensureEgressAuthority } from '../../src/authority/egress-root.js'
import { ensureAuthority } from '../../src/authority/root.js'
import type { OpenedAgent } from '../../src/caddy/egress-settings.js'
import { interceptSocket, type MoatPaths, moatPaths } from '../../src/config/paths.js'
import { type QuestionOptions, questionListener } from '../../src/egress/answer-questions.js'
import type { GrantedPlace } from '../../src/egress/opened-hosts.js'
import type { NetworkLogEntry, NetworkPolicy } from '../../src/egress/policy.js'
import { readReport } from '../../src/egress/reports.js'
import { proxyHeader } from '../../src/gate/proxy-header.js'
import { type BareCaddy, startBareCaddy } from './bare-caddy.js'
import { type StubAuthority, type StubGate, stubGate } from './stub-hosts.js'

const password = 'a-password-of-the-test'

export interface OpenedOptions {
  authority: StubAuthority
  /** Ports of stub hosts by `host:port`. */
  ports: Record<string, number>
  agents: { grants?: GrantedPlace[]; policy: Pick<NetworkPolicy, 'policy' | 'rules'>; runId: string }[]
  valueFor?: QuestionOptions['valueFor'] | undefined
}

/** What the gate says of a tunnel; that of the host's port 443, without. */
export interface Led {
  address?: string
  asked?: number
  port?: number
}

const nothing: QuestionOptions['valueFor'] = async () => undefined

export class Opened {
  readonly reports: NetworkLogEntry[] = []
  /** Every line of them, as it came. */
  readonly reportLines: string[] = []
  /** How many connections Caddy has made in order to ask. */
  questionConnections = 0
  caddy!: BareCaddy
  gate!: StubGate
  paths!: MoatPaths
  readonly #closing: (() => void)[] = []
  #ports: Readonly<Record<string, number>> = {}

  static async start(options: OpenedOptions): Promise<Opened> {
    const opened = new Opened()
    await opened.#start(options)
    return opened
  }

  async #start({ agents, authority, ports, valueFor = nothing }: OpenedOptions): Promise<void> {
    const directory = mkdtempSync(join(tmpdir(), 'moat-opened-'))
    const paths = moatPaths({ MOAT_HOME: join(directory, 'm') })
    this.paths = paths
    this.#ports = ports
    mkdirSync(paths.egress, { mode: 0o700, recursive: true })
    await ensureAuthority(paths, 'localhost')
    await ensureEgressAuthority(paths)
    this.gate = await stubGate(password, ports)
    const named = agents.map(
      (agent): OpenedAgent => ({
        grants: [],
        name: `agent-${agent.runId.slice(-1)}`,
        socket: interceptSocket(paths, agent.runId),
        ...agent,
      }),
    )
    const agentOf = (runId: string) => named.find((agent) => agent.runId === runId)
    const questions = createServer(questionListener({ agentOf, log: () => {}, valueFor }))
    const sockets = new Set<Socket>()
    const reports = createSink((socket) => {
      sockets.add(socket)
      let rest = ''
      socket
        .on('error', () => {})
        .on('data', (bytes) => {
          const lines = `${rest}${bytes}`.split('\n')
          rest = lines.pop() ?? ''
          for (const line of lines) this.#hear(line, (runId) => agentOf(runId)?.name)
        })
    })
    questions.on('connection', () => {
      this.questionConnections += 1
    })
    await listen(questions, paths.egressQuestions)
    await listen(reports, paths.egressReports)
    const egress = {
      agents: named,
      certificate: paths.egressCertificate,
      dial: { password, port: this.gate.port },
      key: paths.egressKey,
      questions: paths.egressQuestions,
      reports: paths.egressReports,
      storage: paths.egressStorage,
    }
    this.caddy = await startBareCaddy(paths, [], egress, { SSL_CERT_FILE: authority.file })
    this.#closing.push(
      () => this.gate.close(),
      () => questions.close(),
      () => questions.closeAllConnections(),
      () => reports.close(),
      () => {
        for (const socket of sockets) socket.destroy()
      },
      () => rmSync(directory, { force: true, recursive: true }),
      () => rmSync(dirname(authority.file), { force: true, recursive: true }),
    )
  }

  async close(): Promise<void> {
    await this.caddy.kill()
    for (const close of this.#closing) close()
    rmSync(dirname(this.paths.home), { force: true, recursive: true })
  }

  /** A connection of an agent's, as its tunnel arrives. Trusts what its container does. */
  async tunnel(runId: string, serverName: string, protocols = ['http/1.1'], led: Led = {}): Promise<TLSSocket> {
    const { address = '127.0.0.1', asked = 443, port = this.#ports[`${serverName}:443`] ?? 9 } = led
    const raw = connect(interceptSocket(this.paths, runId))
    raw.write(proxyHeader(runId, asked, address, port))
    const socket = connectTls({
      ALPNProtocols: protocols,
      ca: readFileSync(this.paths.egressCertificate),
      servername: serverName,
      socket: raw,
    })
    await new Promise<void>((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject))
    return socket
  }

  /** What comes back for these very bytes, until the connection ends. */
  async raw(runId: string, serverName: string, text: string, led?: Led): Promise<string> {
    const socket = await this.tunnel(runId, serverName, undefined, led)
    const parts: Buffer[] = []
    socket.on('data', (bytes) => parts.push(bytes)).on('error', () => {})
    socket.write(Buffer.from(text, 'latin1'))
    await new Promise((resolve) => socket.once('close', resolve))
    return Buffer.concat(parts).toString('latin1')
  }

  #hear(line: string, nameOf: (runId: string) => string | undefined): void {
    this.reportLines.push(line)
    const entry = readReport(line, nameOf)
    if (entry) this.reports.push(entry)
  }
}

function listen(server: Server | Sink, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(path, resolve)
  })
}
