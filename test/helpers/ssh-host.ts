// Hosts that are logged in to: OpenSSH's own server, in a container, behind ports of loopback. Each has a key of its own.
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { basename, join } from 'node:path'
import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import type Docker from 'dockerode'

/** Makes a key with ssh-keygen; the path of its private half. */
export function makeKey(directory: string, name: string): string {
  const file = join(directory, name)
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', name, '-f', file])
  return file
}

/** `ssh-ed25519 AAAA…`, without a comment. */
export function publicLine(file: string): string {
  return readFileSync(`${file}.pub`, 'utf8').split(' ').slice(0, 2).join(' ')
}

export class SshHosts {
  readonly #container: Docker.Container
  readonly #docker: Docker
  readonly #servers: Server[] = []
  readonly #sockets = new Set<Socket>()
  /** What the servers have written. */
  log = ''

  private constructor(docker: Docker, container: Docker.Container) {
    this.#container = container
    this.#docker = docker
  }

  /** Of an image with git and openssh-server. Whoever has one of these keys is `git` there, and finds an empty app.git. */
  static async start(docker: Docker, image: string, authorized: readonly string[]): Promise<SshHosts> {
    const container = await docker.createContainer({
      Cmd: ['600'],
      Entrypoint: ['sleep'],
      // Should the test be killed.
      HostConfig: { AutoRemove: true, Init: true, NetworkMode: 'none' },
      Image: image,
      User: 'root',
    })
    await container.start()
    const hosts = new SshHosts(docker, container)
    const config =
      'AuthorizedKeysFile /keys\nStrictModes no\nUsePAM no\nLogLevel VERBOSE\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n'
    await hosts.run(`mkdir -p /run/sshd; useradd -m -p '*' -s /bin/sh git; git init -q --bare -b main /home/git/app.git
      chown -R git /home/git; printf '${config}' > /sshd; echo '${authorized.map(publicLine).join('\n')}' > /keys`)
    return hosts
  }

  /** The port of loopback at which a host with this key answers. */
  async listen(key: string): Promise<number> {
    const file = `/key-${basename(key)}`
    const server = createServer((socket) => void this.#serve(socket, file).catch(() => socket.destroy()))
    this.#servers.push(server)
    await this.run(`umask 077; echo '${readFileSync(key, 'utf8')}' > ${file}`)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return (server.address() as AddressInfo).port
  }

  /** What a script prints there. */
  async run(script: string): Promise<string> {
    const exec = await this.#container.exec({ AttachStderr: true, AttachStdout: true, Cmd: ['sh', '-ec', script] })
    const stream = await exec.start({})
    const output = new PassThrough()
    this.#docker.modem.demuxStream(stream, output, output)
    stream.on('end', () => output.end())
    const printed = await text(output)
    const { ExitCode } = await exec.inspect()
    if (ExitCode !== 0) throw new Error(`exit code ${ExitCode}: ${printed}`)
    return printed
  }

  async close(): Promise<void> {
    for (const server of this.#servers) server.close()
    for (const socket of this.#sockets) socket.destroy()
    await this.#container.remove({ force: true })
  }

  async #serve(socket: Socket, key: string): Promise<void> {
    this.#sockets.add(socket)
    socket.on('error', () => {}).on('close', () => this.#sockets.delete(socket))
    const Cmd = ['/usr/sbin/sshd', '-i', '-e', '-f', '/sshd', '-h', key]
    const exec = await this.#container.exec({ AttachStderr: true, AttachStdin: true, AttachStdout: true, Cmd })
    const stream = await exec.start({ hijack: true, stdin: true })
    const complaints = new PassThrough()
    complaints.on('data', (piece) => {
      this.log += piece
    })
    this.#docker.modem.demuxStream(stream, socket, complaints)
    socket.pipe(stream)
    stream.on('end', () => socket.end()).on('error', () => socket.destroy())
  }
}
