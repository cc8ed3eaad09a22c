// Owns whose network log is meant: that of an agent there is, of one that is gone, or of all.
import type { MoatPaths } from '../../config/paths.js'
import type { NetworkLogEntry } from '../../egress/policy.js'
import { inOrder, LogTail, loggedRuns, readOlder } from '../../egress/read-log.js'
import type { Agent } from '../../routing/agent.js'
import { findAgent } from '../find-agent.js'

export interface FoundLog {
  entries: NetworkLogEntry[]
  /** What has come since; of the same agents, or of all, those that start meanwhile too. */
  more: () => Promise<NetworkLogEntry[]>
}

/** Rejects when `reference` names no agent and nothing was written down of one. */
export async function logOf(
  reference: string | undefined,
  agents: () => Promise<readonly Agent[]>,
  paths: Pick<MoatPaths, 'home'>,
): Promise<FoundLog> {
  const tails = new Map<string, LogTail>()
  const news = async (meant?: ReadonlySet<string>) => {
    for (const runId of meant ?? (await loggedRuns(paths))) {
      if (!tails.has(runId)) tails.set(runId, new LogTail(paths, runId))
    }
    const followed = [...tails].filter(([runId]) => meant === undefined || meant.has(runId))
    return inOrder((await Promise.all(followed.map(([, tail]) => tail.next()))).flat())
  }
  const before = await readOlder(paths, await loggedRuns(paths))
  const all = inOrder([...before, ...(await news())])
  const meant = reference === undefined ? undefined : await runsOf(reference, agents, all)
  const entries = all.filter(({ runId }) => meant === undefined || meant.has(runId))
  return { entries, more: () => news(meant) }
}

/** Of an agent that is gone: all of its runs that are remembered. */
async function runsOf(
  reference: string,
  agents: () => Promise<readonly Agent[]>,
  entries: readonly NetworkLogEntry[],
): Promise<Set<string>> {
  const there = await agents()
  const gone = entries.map(({ agent, runId }) => ({ name: agent, runId }))
  const now = there.find(({ name, runId }) => name === reference || runId === reference)
  if (now) return new Set([now.runId])
  const named = gone.filter(({ name }) => name === reference)
  if (named.length > 0) return new Set(named.map(({ runId }) => runId))
  const runs = new Map([...gone, ...there].map((run) => [run.runId, run]))
  return new Set([findAgent([...runs.values()], reference).runId])
}
