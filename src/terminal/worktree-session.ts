// Owns a run in the worktree of a branch as a person sees it: what is made, then the run itself.
import { join, relative } from 'node:path'
import { configDirectory, inWorktree } from '../agents/in-worktree.js'
import { type AgentPlan, planAgent, type RunRequest } from '../agents/plan/plan-agent.js'
import { loadSettings } from '../config/settings.js'
import { shellQuote } from '../config/shell-quote.js'
import { resolveWorkspace } from '../config/workspace.js'
import type { EndpointPlugins } from '../endpoints/plugin-hooks.js'
import { exitCodes, MoatError } from '../errors.js'
import { meantBranch } from '../worktrees/prepare-worktree.js'
import { openRepository, type Repository } from '../worktrees/repository.js'
import { Interrupts } from './interrupts.js'
import { terminalProgress } from './progress.js'
import { toRunRequest } from './run-flags.js'
import { type RunOutcome, type RunSessionOptions, runSession } from './run-session.js'

export interface WorktreeSessionOptions extends Omit<RunSessionOptions, 'approveCommands'> {
  /** Default: `moat wt --yes <branch>`. */
  approveCommands?: string[]
  branch: string
  command: string[] | undefined
  /** Patterns for ignored files that are to come along. */
  include?: string[] | undefined
  /** A directory of the repository; the same one of the worktree is run. Default: the top of the repository. */
  path?: string
  /** Default: as moat run plans it. */
  plan?: (request: RunRequest) => Promise<AgentPlan>
  plugins: EndpointPlugins
}

/** Runs an agent in the branch's worktree, made if need be; with --clone, in a clone that has the branch checked out. */
export async function worktreeSession(options: WorktreeSessionOptions): Promise<RunOutcome> {
  const { command, engine, flags, include = [], path, plugins, proxy } = options
  const interrupts = new Interrupts()
  try {
    const directory = await resolveWorkspace(path ?? '.')
    const repository = await openRepository(directory)
    const branch = await meantBranch(repository, options.branch)
    if (flags.clone) return await cloneSession(options, { branch, directory, repository })
    const within = path === undefined ? '' : relative(repository.topLevel, directory)
    const { note } = terminalProgress()
    const start = { branch, engine, include, note, paths: proxy.paths, repository, signal: interrupts.signal }
    return await inWorktree(start, async (worktree, started) => {
      const workspace = join(worktree.path, within)
      const config = await configDirectory(workspace, join(repository.topLevel, within))
      const { network } = await loadSettings(proxy.paths.configFile)
      const request = { ...toRunRequest(flags, workspace, command, network.policy), configDirectory: config }
      const plan = await (options.plan?.(request) ?? planAgent(request, plugins, proxy.wanted.domain))
      interrupts.signal.throwIfAborted()
      worktree.notes.forEach(note)
      return runSession(plan, {
        ...options,
        // Not moat approve: a worktree made for this run is gone again when it is refused.
        approveCommands: options.approveCommands ?? [`moat wt --yes ${shellQuote(branch)}`],
        onStarted: () => {
          interrupts.release()
          return started()
        },
      })
    })
  } catch (error) {
    // Ctrl+C on a terminal ends git too, which then fails.
    interrupts.signal.throwIfAborted()
    throw error
  } finally {
    interrupts.release()
  }
}

/** What is to be run is the checkout's moat.yaml: nobody has the branch's own files here. */
async function cloneSession(
  options: WorktreeSessionOptions,
  { branch, directory, repository }: { branch: string; directory: string; repository: Repository },
): Promise<RunOutcome> {
  const { command, flags, include = [], path, plugins, proxy } = options
  const word = shellQuote(branch)
  if (include.length > 0) {
    throw new MoatError(
      'USAGE',
      '--include brings files into a worktree; an agent in a clone is given none of yours.',
      {
        exit: exitCodes.usage,
        suggestions: [`moat wt ${word} --include <pattern>`, `moat wt ${word} --clone`],
      },
    )
  }
  const { network } = await loadSettings(proxy.paths.configFile)
  const workspace = path === undefined ? repository.topLevel : directory
  const request = { ...toRunRequest(flags, workspace, command, network.policy), clone: { branch } }
  const plan = await (options.plan?.(request) ?? planAgent(request, plugins, proxy.wanted.domain))
  const approveCommands = options.approveCommands ?? [`moat wt --clone --yes ${word}`]
  return runSession(plan, { ...options, approveCommands })
}
