// An agent behind a Caddy with layer4, for tests of its front: a web server that tells what reached it, and what stands for databases.
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { type IncomingHttpHeaders, type RequestOptions, request } from 'node:http'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { connect, type TLSSocket } from 'node:tls'
import type { AgentView } from '../../src/routing/agent-view.js'
import type { ProxyStatus } from '../../src/supervisor/proxy.js'
import { Sandbox } from './sandbox.js'

export interface PlainAnswer {
  body: string
  headers: IncomingHttpHeaders
  status: number | undefined
}

/** The server of test/fixtures/databases; both are written into a workspace under the same name. */
export const databases = readFileSync('test/fixtures/databases/databases.js', 'utf8')

export class OnePort {
  port = 0
  readonly sandbox = new Sandbox()

  /** Path of the root certificate. */
  get ca(): string {
    return join(this.sandbox.home, 'proxy/ca/ca.crt')
  }

  /** Starts the agent `app` with these ports, as moat.yaml has them, and waits until it serves. */
  async start(ports: string, { command = '[node, databases.js]', files = {}, more = '' } = {}): Promise<void> {
    const yaml = `name: app\ndependencies: [node@22]\nports:\n${ports}\ncommand: ${command}\n${more}`
    const workspace = this.sandbox.directory('app', { 'databases.js': databases, 'moat.yaml': yaml, ...files })
    await this.sandbox.json<AgentView>(['run', '-d', workspace])
    await this.sandbox.json(['wait', 'app', '--timeout', '60'])
    this.port = (await this.sandbox.json<ProxyStatus>(['proxy', 'status'])).port
  }

  /** Asks in the clear, as a webhook does. */
  async plain(host: string, path = '/', options: RequestOptions & { body?: string } = {}): Promise<PlainAnswer> {
    const { body, headers, ...rest } = options
    const outgoing = request({
      agent: false,
      headers: { Host: `${host}:${this.port}`, ...headers },
      host: '127.0.0.1',
      path,
      port: this.port,
      ...rest,
    }).end(body)
    const [response] = await once(outgoing, 'response')
    return { body: await text(response), headers: response.headers, status: response.statusCode }
  }

  /** Shakes hands, for a host. */
  to(servername: string, options: object = {}): TLSSocket {
    return connect({ ca: this.sandbox.certificate, host: '127.0.0.1', port: this.port, servername, ...options })
  }
}

/** The first piece of what is answered. */
export async function ask(socket: TLSSocket, question: string): Promise<string> {
  await once(socket, 'secureConnect')
  socket.write(question)
  const [answer] = await once(socket, 'data')
  socket.destroy()
  return String(answer)
}
