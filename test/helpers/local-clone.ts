// A clone on this machine, and a git in it, as moat has one in a container: for tests of what is done with what it says.
import { spawn } from 'node:child_process'
import { PassThrough, Readable } from 'node:stream'
import { buffer, text } from 'node:stream/consumers'
import type { CloneGit } from '../../src/clones/clone-helper.js'

/** Without the settings that would only keep the test's own machine safe: in a container whatever the clone says is run. */
export function gitIn(directory: string): CloneGit {
  const run = (args: readonly string[], input?: Buffer | Readable) => {
    const child = spawn('git', ['-C', directory, ...args], { env: { ...process.env, LC_ALL: 'C' } })
    child.stdin.on('error', () => {})
    if (input instanceof Readable) input.pipe(child.stdin)
    else child.stdin.end(input)
    const { promise, resolve } = Promise.withResolvers<number>()
    child.once('close', (code) => resolve(code ?? -1))
    return { child, code: promise, stderr: text(child.stderr) }
  }
  return {
    ask: async (args, input) => {
      const { child, code, stderr } = run(args, input)
      const [stdout, said, ended] = await Promise.all([buffer(child.stdout), stderr, code])
      return { code: ended, stderr: said.trim(), stdout }
    },
    stream: async (args, input) => {
      const { child, code, stderr } = run(args, input)
      const failed = async () => ((await code) === 0 ? undefined : await stderr)
      // Node throws away what a process has written and nobody has begun to read by its end.
      return { failed, stdout: child.stdout.pipe(new PassThrough()) }
    },
  }
}
