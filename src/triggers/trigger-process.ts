// Owns the process that takes snapshots of a run's workspace while its agent works: its argument, its end. bin/triggers.js calls it.
import { setTimeout as wait } from 'node:timers/promises'
import { keepCompiledCodeNow } from '../config/compile-cache.js'
import { connectEngine } from '../engine/connect-engine.js'
import { runEnded } from '../engine/run-ended.js'
import { messageOf } from '../errors.js'
import { whileRunning } from '../snapshots/limits.js'
import { pictureOf } from '../snapshots/picture.js'
import { openStore, takeIfChanged, takeSnapshot } from '../snapshots/snapshots.js'
import { HeadWatch } from '../worktrees/head-watch.js'
import { workspaceGit } from '../worktrees/workspace-git.js'
import type { TriggerArguments } from './trigger-arguments.js'
import { TriggerClock } from './trigger-clock.js'

/** The run has found the engine a moment ago. Milliseconds. */
const patience = 15_000

/** Until the run's container has ended. */
export async function runTriggers(argument: string): Promise<void> {
  process.umask(0o077)
  const args = JSON.parse(argument) as TriggerArguments
  const log = (message: string) => process.stderr.write(`${new Date().toISOString()} [${process.pid}] ${message}\n`)
  process.stderr.on('error', () => {})
  // A terminal that is closed, or Ctrl+C there, ends the run; this ends with the container.
  for (const signal of ['SIGHUP', 'SIGINT'] as const) process.on(signal, () => {})
  const env = { ...process.env, DOCKER_HOST: args.engine, MOAT_RUNTIME: '' }
  const engine = await connectEngine({ env, moatHome: args.paths.home, timeout: patience })
  keepCompiledCodeNow()
  const end = new AbortController()
  const ended = runEnded(engine, args.containerId, args.runId, log).finally(() => end.abort())
  const clock = new TriggerClock(await clockOptions(args, log))
  while (!end.signal.aborted) {
    const pause = await tried(() => clock.tick(), log)
    await wait(pause ?? patience, undefined, { signal: end.signal }).catch(() => {})
  }
  await ended
  await tried(() => clock.finish(), log)
}

async function clockOptions(args: TriggerArguments, log: (message: string) => void) {
  const { agent, commit, paths, retention, runId, triggers, workspace } = args
  const head = new HeadWatch(workspace)
  let { rules } = await workspaceGit(workspace)
  const take = async (reason: 'commit' | 'idle') => {
    const options = { agent, limits: whileRunning, reason, retention, runId }
    const store = await openStore(paths, workspace)
    // A commit is told of, whether or not its files had a snapshot already.
    await (reason === 'commit' ? takeSnapshot(store, options) : takeIfChanged(store, options))
    rules = (await workspaceGit(workspace)).rules
  }
  return {
    commit,
    head: () => head.commit(),
    look: () => pictureOf(workspace, rules),
    now: () => performance.now(),
    take: async (reason: 'commit' | 'idle') => void (await tried(() => take(reason), log)),
    triggers,
  }
}

/** What goes wrong is written down, and tried again later. */
async function tried<T>(action: () => Promise<T>, log: (message: string) => void): Promise<T | undefined> {
  try {
    return await action()
  } catch (error) {
    log(messageOf(error))
    return undefined
  }
}
