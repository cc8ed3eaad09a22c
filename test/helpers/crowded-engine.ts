// The engine of this machine, seen through a socket that shows more containers than there are: agents that cost nothing.
import { createServer, request, type Server } from 'node:http'
import { text } from 'node:stream/consumers'
import type { ContainerInfo } from 'dockerode'
import { sealedContainer } from '../../src/engine/judge-container.js'
import { containerName, toLabels } from '../../src/engine/labels.js'
import { seal } from '../../src/engine/seal.js'

export class CrowdedEngine {
  #shown: ContainerInfo[] = []
  readonly #server: Server

  /** @param address of the engine itself */
  constructor(address: string) {
    const socketPath = address.replace('unix://', '')
    this.#server = createServer((asked, response) => {
      const { headers, method, url: path } = asked
      const forwarded = request({ headers, method, path, socketPath }, async (answer) => {
        if (!/\/containers\/json/.test(path ?? '') || answer.statusCode !== 200) {
          response.writeHead(answer.statusCode ?? 502, answer.headers)
          response.flushHeaders()
          return void answer.pipe(response)
        }
        const all = [...(JSON.parse(await text(answer)) as ContainerInfo[]), ...this.#shown]
        response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(all))
      })
      forwarded.on('error', () => response.destroy())
      response.on('close', () => forwarded.destroy())
      asked.pipe(forwarded)
    })
  }

  async listen(path: string): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(path, resolve))
    return `unix://${path}`
  }

  /** Agents of this home, with its seal, each with a port of this machine's at which its server is taken to be. */
  show(names: readonly string[], { home, key, port }: { home: string; key: Uint8Array; port: number }): void {
    this.#shown = names.map((name, index) => {
      const runId = `run_${(index + 1).toString(16).padStart(12, '0')}`
      const info = {
        Created: 1_700_000_000 + index,
        Id: runId.slice(4).repeat(5),
        ImageID: 'sha256:0',
        Labels: toLabels({
          endpoints: [{ name: 'web', port: 3000, type: 'http' }],
          home,
          keep: false,
          name,
          routes: [{ endpoint: 'web', upstream: { port: 3000, protocol: 'http' } }],
          runId,
          workspace: '/nowhere',
        }),
        Mounts: [],
        Names: [`/${containerName(name, home)}`],
        Ports: [{ IP: '127.0.0.1', PrivatePort: 3000, PublicPort: port, Type: 'tcp' }],
        State: 'running',
        Status: 'Up',
      } as unknown as ContainerInfo
      return { ...info, Labels: { ...info.Labels, 'dev.moat.seal': seal(key, sealedContainer(info)) } }
    })
  }

  close(): void {
    this.#server.close()
    this.#server.closeAllConnections()
  }
}
