// A host at which git is reached by ssh, for the ssh and git of a container: whoever comes is let in, to the repositories of a
// directory and to nothing else.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import ssh2 from 'ssh2'

export interface GitHost {
  close(): void
  /** What it was asked to run. */
  commands: string[]
  port: number
}

export async function gitOverSsh(repositories: string): Promise<GitHost> {
  const commands: string[] = []
  const clients = new Set<ssh2.Connection>()
  const server = new ssh2.Server({ hostKeys: [ssh2.utils.generateKeyPairSync('ed25519').private] }, (client) => {
    clients.add(client)
    client.on('error', () => {}).on('close', () => clients.delete(client))
    client.on('authentication', (attempt) => attempt.accept())
    client.on('session', (accept) =>
      accept().on('exec', (take, refuse, { command }) => {
        commands.push(command)
        const [, service, name] = /^git-(upload-pack|receive-pack) '\/?(\w+\.git)'$/.exec(command) ?? []
        if (service === undefined || name === undefined) return refuse()
        return serve(take(), service, join(repositories, name))
      }),
    )
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const close = () => {
    server.close()
    for (const client of clients) client.end()
  }
  return { close, commands, port: (server.address() as AddressInfo).port }
}

function serve(channel: ssh2.ServerChannel, service: string, repository: string): void {
  const git = spawn('git', [service, repository], { stdio: ['pipe', 'pipe', 'pipe'] })
  git.stdin.on('error', () => {})
  channel.on('error', () => git.kill()).pipe(git.stdin)
  git.stdout.pipe(channel, { end: false })
  git.stderr.pipe(channel.stderr, { end: false })
  git.once('close', (code) => {
    channel.exit(code ?? 1)
    channel.end()
  })
}
