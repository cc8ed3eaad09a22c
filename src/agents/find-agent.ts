// Owns finding one agent by what a person types: its name, its run id, or the beginning of a run id.
import { describeUnsealed, type UnsealedContainer } from '../engine/unsealed.js'
import { exitCodes, MoatError } from '../errors.js'
import { type Agent, isLive } from '../routing/agent.js'
import { describeEnd } from '../routing/agent-end.js'
import { nearestName } from '../routing/nearest-name.js'

/** That no agent, or none alone, has the name or run id `reference`; `candidates` are what may have been meant. */
export class AgentReferenceError extends MoatError {
  constructor(
    code: 'AGENT_NOT_FOUND' | 'AMBIGUOUS_AGENT',
    message: string,
    readonly reference: string,
    readonly candidates: readonly string[],
  ) {
    super(code, message, { suggestions: ['moat list'] })
  }
}

/** The one agent that `reference` names. Rejects when it is none or several; what looks like it, in `unsealed`, is named. */
export function findAgent<Run extends Pick<Agent, 'name' | 'runId'>>(
  agents: readonly Run[],
  reference: string,
  unsealed: readonly UnsealedContainer[] = [],
): Run {
  const exact = agents.find(({ name, runId }) => name === reference || runId === reference)
  if (exact) return exact
  const matches = isIdPrefix(reference)
    ? agents.filter(({ runId }) => runId.startsWith(reference) || runId.slice('run_'.length).startsWith(reference))
    : []
  const [only, ...others] = matches
  if (only && others.length === 0) return only
  if (only) {
    const list = matches.map(({ name, runId }) => `${runId} (${name})`).join(', ')
    const runIds = matches.map(({ runId }) => runId)
    throw new AgentReferenceError(
      'AMBIGUOUS_AGENT',
      `${reference} stands for several runs: ${list}.`,
      reference,
      runIds,
    )
  }
  const similar = unsealed.find((container) => couldBe(container, reference))
  if (similar) {
    const why = describeUnsealed(similar)
    throw new MoatError('AGENT_NOT_FOUND', `There is no agent with the name or run id ${reference}. ${why}.`, {
      suggestions: [similar.fix],
    })
  }
  const nearest = likelyName(
    reference,
    agents.map(({ name }) => name),
  )
  const hint = nearest === undefined ? '' : ` Did you mean ${nearest}?`
  const message = `There is no agent with the name or run id ${reference}.${hint}`
  throw new AgentReferenceError('AGENT_NOT_FOUND', message, reference, nearest === undefined ? [] : [nearest])
}

/** The only name that begins so, else the one that is spelt alike. */
function likelyName(reference: string, names: readonly string[]): string | undefined {
  const begun = [...new Set(names.filter((name) => name.startsWith(reference.toLowerCase())))]
  return begun.length === 1 && reference !== '' ? begun[0] : nearestName(reference, names)
}

/** The same, for what takes a running agent. */
export function runningAgent(agents: readonly Agent[], reference: string): Agent {
  const agent = findAgent(agents, reference)
  if (isLive(agent)) return agent
  throw notRunning(agent)
}

/** The error for what takes a running agent. */
export function notRunning({ end, name, runId, state }: Agent, exit: number = exitCodes.failure): MoatError {
  const how = end === undefined ? '' : `, ${describeEnd(end)}`
  return new MoatError('AGENT_NOT_RUNNING', `${name} is not running: its state is ${state}${how}.`, {
    exit,
    suggestions: [`moat logs ${runId}`],
  })
}

/** By its name now, the one that it had, or its run. */
function couldBe({ fix, name, runId }: UnsealedContainer, reference: string): boolean {
  const names = [name, ...fix.split(' ').slice(-1)].map((one) => one.replace(/^moat-(.+)-[0-9a-f]{8}$/, '$1'))
  return [name, runId, ...names].includes(reference)
}

/** Three hex digits at least, so that a mistyped name is not taken for an id. */
function isIdPrefix(reference: string): boolean {
  return /^(run_)?[0-9a-f]{3,12}$/.test(reference)
}
