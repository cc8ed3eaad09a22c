// Owns moat setup: what a diagnosis proposes is done, what takes root's rights only after a yes, and then looked at again.
import { join } from 'node:path'
import type { Progress } from '../agents/progress.js'
import { caddyUrl } from '../caddy/caddy-source.js'
import type { DownloadProgress } from '../caddy/download-caddy.js'
import { resolveCaddyMirror } from '../config/settings.js'
import { MoatError } from '../errors.js'
import { waitForFileLock } from '../processes/file-lock.js'
import { checkCaddy } from './check-caddy.js'
import type { Finding } from './diagnosis.js'
import { type ExamineOptions, examine } from './examine.js'
import { type Repair, repairCommand } from './repair.js'

export interface SetUpOptions extends ExamineOptions {
  /** Undefined when there is nobody to ask. */
  confirm: (question: string) => Promise<boolean | undefined>
  describe: (progress: DownloadProgress) => string
  progress: Progress
  /** Runs a program; resolves with its exit code. */
  run: (argv: readonly string[], options: { privileged: boolean }) => Promise<number>
  signal: AbortSignal
}

export interface SetUpResult {
  /** Commands that were carried out. */
  done: string[]
  findings: Finding[]
  /** Commands that are left to the person. */
  left: string[]
}

/** A repair that fails does not keep the others from being done; then the first such error is thrown. */
export async function setUp(options: SetUpOptions): Promise<SetUpResult> {
  const found = await examine(options)
  const [done, left, errors]: [string[], string[], MoatError[]] = [[], [], []]
  for (const { message, repair } of found) {
    const command = repair && repairCommand(repair)
    if (!repair || !command || done.includes(command)) continue
    try {
      const carriedOut = repair.kind === 'caddy' ? await bringCaddy(options) : await runRepair(repair, message, options)
      ;(carriedOut ? done : left).push(command)
    } catch (error) {
      options.signal.throwIfAborted()
      // Anything else is Ctrl+C at a question, or a defect.
      if (!(error instanceof MoatError)) throw error
      errors.push(error)
    }
  }
  if (errors.length > 0) throw errors[0]
  return { done, findings: done.length > 0 ? await examine(options) : found, left }
}

async function bringCaddy({ describe, env = process.env, paths, progress, signal }: SetUpOptions): Promise<boolean> {
  const url = caddyUrl({ mirror: await resolveCaddyMirror({ configFile: paths.configFile, env }) })
  // Two set-ups at the same time would write to one file.
  const lock = await waitForFileLock(join(paths.home, 'setup.lock'))
  try {
    const now = await checkCaddy({ env, paths, platform: process.platform })
    if (now.every(({ repair }) => repair?.kind !== 'caddy')) return true
    // Loaded here: a set-up that has nothing to fetch does without it.
    const { downloadCaddy } = await import('../caddy/download-caddy.js')
    const caddy = await progress.step(`Downloading Caddy from ${url.host}`, (update) =>
      downloadCaddy({ bin: paths.bin, onProgress: (state) => update(describe(state)), signal, url }),
    )
    progress.note(`Caddy ${caddy.version} is at ${caddy.path}.`)
    progress.note(
      'A proxy that runs already goes on with its own; moat proxy stop ends it, and the next start has this one.',
    )
    return true
  } catch (error) {
    // One that serves all the same is no reason to stop here.
    const [usable] = await checkCaddy({ env, paths, platform: process.platform })
    if (!(error instanceof MoatError) || usable?.status !== 'ok') throw error
    progress.note(`${error.message} The Caddy that is here goes on being used.`)
    return false
  } finally {
    await lock.release()
  }
}

async function runRepair(
  repair: Exclude<Repair, { kind: 'caddy' }>,
  reason: string,
  { confirm, progress, run }: SetUpOptions,
): Promise<boolean> {
  const command = repairCommand(repair)
  if (repair.privileged) {
    const agreed = await confirm(`${reason}\n  ${command}\nRun this as root?`)
    if (agreed === undefined) progress.note(`Not done without a terminal to ask on: ${command}`)
    if (!agreed) return false
  }
  progress.note(`Running ${command}`)
  const exitCode = await run(repair.argv, repair)
  if (exitCode !== 0) progress.note(`It ended with exit code ${exitCode}.`)
  return exitCode === 0
}
