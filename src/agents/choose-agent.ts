// Owns which agent is meant when none is named: the one of this directory, or the only one there is.
import { realpath } from 'node:fs/promises'
import { loadMoatYaml } from '../config/moat-yaml.js'
import { exitCodes, MoatError } from '../errors.js'
import type { Agent } from '../routing/agent.js'
import { findAgent } from './find-agent.js'

/** The agent `reference` names; without one, that of the moat.yaml in `directory`, else the only agent. */
export async function chooseAgent(
  agents: readonly Agent[],
  reference: string | undefined,
  directory: string,
): Promise<Agent> {
  if (reference !== undefined) return findAgent(agents, reference)
  const place = await realpath(directory)
  const onBranch = agents.filter(({ branch, workspace }) => branch !== undefined && workspace === place)
  if (onBranch[0] && onBranch.length === 1) return onBranch[0]
  const name = await nameHere(directory)
  const here = agents.find((agent) => agent.name === name)
  if (here) return here
  const [only, ...others] = agents
  if (only && others.length === 0) return only
  const names = agents.map((agent) => agent.name)
  throw new MoatError(
    'AGENT_NOT_FOUND',
    only ? `Say which agent: ${names.join(', ')}.` : 'There are no agents.',
    only ? { exit: exitCodes.usage, suggestions: ['moat list'] } : { suggestions: ['moat run <directory>'] },
  )
}

async function nameHere(directory: string): Promise<string | undefined> {
  try {
    return (await loadMoatYaml(directory)).config.name
  } catch (error) {
    if (error instanceof MoatError && error.code === 'CONFIG_MISSING') return undefined
    throw error
  }
}
