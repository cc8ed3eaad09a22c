// Owns what is said of ports on which something listens that nobody declared, and of the lines that would publish them. Pure.
import type { Agent } from '../routing/agent.js'
import { undeclaredPorts } from '../routing/declared-ports.js'
import type { Look } from './view.js'

/** Names for what is published, the likeliest first. */
const usualNames = ['web', 'app', 'api']
/** More ports than that nobody reads. */
const mostNamed = 5

/**
 * What there is and what to do, with code in backquotes. `ports` has one at least. `instead` is an endpoint that nothing answers
 * for, and that may be meant.
 */
export function explainUndeclared(
  { endpoints }: Pick<Agent, 'endpoints'>,
  ports: readonly number[],
  instead?: string,
): string {
  const [first = 0] = ports
  const name = instead ?? freeName(endpoints.map((endpoint) => endpoint.name)) ?? `port-${first}`
  const more = ports.length > mostNamed ? ` and ${ports.length - mostNamed} more` : ''
  const [what, it] =
    ports.length === 1
      ? [`port ${first}, which has no URL`, 'it']
      : [`ports ${ports.slice(0, mostNamed).join(', ')}${more}, which have no URLs`, 'the first']
  const lines = `\`ports: {${name}: ${first}}\` in moat.yaml gives ${it} one, \`discover: true\` whatever listens`
  return `Something listens on ${what}: ${lines}.`
}

function freeName(taken: readonly string[]): string | undefined {
  return usualNames.find((name) => !taken.includes(name))
}

/** What belongs to a problem of the agent; as above. */
export function noteOf(
  agent: Agent,
  look: Look | undefined,
  instead?: string,
): { note?: string; undeclared?: number[] } {
  const undeclared = look ? undeclaredPorts(agent, look.listeners) : []
  if (undeclared.length === 0) return {}
  return { note: explainUndeclared(agent, undeclared, instead), undeclared }
}
