// Programs in agents' containers, as the engine runs them: what tests look into a container with costs no command of moat's.
import { text } from 'node:stream/consumers'
import type Docker from 'dockerode'
import { demultiplex } from '../../src/engine/demultiplex.js'
import { until } from './until.js'

export interface InsideOutcome {
  code: number
  stderr: string
  stdout: string
}

/** As its agent's user, in its directory, with nothing on stdin. */
export async function runInside(container: Docker.Container, command: string[]): Promise<InsideOutcome> {
  const exec = await container.exec({ AttachStderr: true, AttachStdout: true, Cmd: command })
  const output = demultiplex(await exec.start({}))
  const [stdout, stderr] = await Promise.all([text(output.stdout), text(output.stderr)])
  // The engine may notice the end a moment after that of the output.
  const code = await until('the end of the program', async () => {
    const { ExitCode, Running } = await exec.inspect()
    return !Running && ExitCode !== null && String(ExitCode)
  })
  return { code: Number(code), stderr, stdout }
}
