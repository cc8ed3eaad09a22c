// Owns the rules that were added for a run while it runs: a file a run, a rule a line, so that two who add at once lose nothing.
import { constants } from 'node:fs'
import { mkdir, open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { MoatPaths } from '../config/paths.js'
import { shellQuote } from '../config/shell-quote.js'
import { MoatError, systemCode } from '../errors.js'
import type { NetworkRule } from './policy.js'

type Paths = Pick<MoatPaths, 'proxy'>

/** Bytes; thousands of rules. */
const mostBytes = 1024 * 1024

/** In the order they were added, for `effectivePolicy`. Throws NETWORK_RULES_BROKEN: a denial may be among what cannot be read. */
export async function readLiveRules(paths: Paths, runId: string): Promise<NetworkRule[]> {
  const file = liveRulesFile(paths, runId)
  try {
    const text = await readPrivately(file)
    // Loaded here: `moat stop` only removes the file.
    const { parseLiveRules } = await import('./parse-live-rules.js')
    return parseLiveRules(text)
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return []
    throw broken(file, error)
  }
}

/** Adds a rule, to come before all others. Whoever enforces it has to be told. */
export async function addLiveRule(paths: Paths, runId: string, rule: NetworkRule): Promise<void> {
  const file = liveRulesFile(paths, runId)
  const known = await readLiveRules(paths, runId)
  if (JSON.stringify(known.at(-1)) === JSON.stringify(rule)) return
  await mkdir(join(paths.proxy, 'egress'), { mode: 0o700, recursive: true })
  const { O_APPEND, O_CREAT, O_NOFOLLOW, O_WRONLY } = constants
  const handle = await open(file, O_APPEND | O_CREAT | O_NOFOLLOW | O_WRONLY, 0o600)
  try {
    const line = `${JSON.stringify(rule)}\n`
    if ((await handle.stat()).size + line.length > mostBytes) throw broken(file, new Error('it is full'))
    await handle.appendFile(line)
  } finally {
    await handle.close()
  }
}

/** When the run is over. */
export async function removeLiveRules(paths: Paths, runId: string): Promise<void> {
  await rm(liveRulesFile(paths, runId), { force: true })
}

export function liveRulesFile({ proxy }: Paths, runId: string): string {
  return join(proxy, 'egress', `${runId}.json`)
}

async function readPrivately(file: string): Promise<string> {
  const handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  try {
    const stats = await handle.stat()
    if (!stats.isFile() || stats.size > mostBytes) throw new Error('it is no file of that kind')
    return await handle.readFile('utf8')
  } finally {
    await handle.close()
  }
}

function broken(file: string, cause: unknown): MoatError {
  const message = `The rules added to a running agent in ${file} cannot be relied on.`
  return new MoatError('NETWORK_RULES_BROKEN', message, { cause, suggestions: [`rm ${shellQuote(file)}`] })
}
