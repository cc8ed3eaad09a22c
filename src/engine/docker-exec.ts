// Owns running a program in a container that exists, and sending signals to it: the engine runs it, but ends it for nobody.
import { randomBytes } from 'node:crypto'
import type { Duplex } from 'node:stream'
import { finished } from 'node:stream/promises'
import type Docker from 'dockerode'
import { demultiplex } from './demultiplex.js'
import type { ExecSession, ExecSpec, TerminalSize } from './sessions.js'
import { terminalOutput } from './terminal-output.js'

/** By it a program is found again, and what it started: the engine tells no number that means anything in the container. */
const mark = 'MOAT_EXEC_ID'

/**
 * The engine makes the program the leader of a group of its own, as a shell does. Processes that have left the group are
 * leaders too, or meant to outlive it: `setsid` and `nohup` do as they do elsewhere.
 */
const killScript = `found=1
for process in $(grep -ls "$1" /proc/[0-9]*/environ); do
  pid=\${process#/proc/}
  kill -s "$2" -- "-\${pid%/environ}" 2>/dev/null && found=0
done
exit $found`

export async function startExec(container: Docker.Container, { command, tty, user }: ExecSpec): Promise<ExecSession> {
  const id = randomBytes(8).toString('hex')
  const exec = await container.exec({
    AttachStderr: true,
    AttachStdin: true,
    AttachStdout: true,
    Cmd: command,
    Env: [...(user === 'root' ? await emptyEnvironment(container) : []), `${mark}=${id}`],
    Tty: tty,
    ...(user && { User: user === 'root' ? '0' : `${user.uid}:${user.gid}` }),
  })
  const stream = (await exec.start({ hijack: true, stdin: true, Tty: tty })) as unknown as Duplex
  const output = tty ? terminalOutput(stream) : demultiplex(stream)
  const exitCode = async () => {
    // Not the connection's end: the last output may still be on its way to the reader.
    await Promise.all([finished(output.stdout), finished(output.stderr)])
    return (await exec.inspect()).ExitCode ?? 0
  }
  return {
    exitCode: exitCode(),
    output,
    resize: ({ columns, rows }: TerminalSize) => exec.resize({ h: rows, w: columns }),
    signal: (name) => runQuietly(container, ['sh', '-c', killScript, 'sh', `${mark}=${id}`, name]),
    stdin: stream,
  }
}

/** A name alone takes a variable away; Podman makes it empty, which is as good. */
async function emptyEnvironment(container: Docker.Container): Promise<string[]> {
  const { Config } = await container.inspect()
  const names = (Config.Env ?? []).map((pair) => pair.replace(/=.*$/s, ''))
  return [...names.filter((name) => name !== 'PATH'), 'PATH=/usr/sbin:/usr/bin:/sbin:/bin']
}

/** Rejects when it fails, or is not there. */
async function runQuietly(container: Docker.Container, command: string[]): Promise<void> {
  const exec = await container.exec({ AttachStderr: true, AttachStdout: true, Cmd: command })
  const stream = await exec.start({})
  stream.resume()
  await finished(stream)
  const { ExitCode: code } = await exec.inspect()
  if (code !== 0) throw new Error(`${command[0]} in the container exited with code ${code}`)
}
