// Owns what is said of an endpoint whose agent runs and that does not answer. Pure.
import type { Agent } from '../routing/agent.js'
import type { Reach } from '../routing/listening.js'
import { urlOf } from '../routing/urls.js'
import type { Problem, ProblemSources, ProblemText } from './problem.js'
import { noteOf } from './undeclared.js'
import { explainHealth, explainReach, healthOf, servedPort } from './view.js'

export function unanswered(agent: Agent, name: string, sources: ProblemSources): Problem {
  const { address, asked, look, now } = sources
  const context = {
    agent: agent.name,
    endpoint: name,
    links: agent.endpoints
      .filter(({ discovered }) => discovered)
      .map((one) => ({ title: one.name, url: urlOf(agent.name, one, address) })),
  }
  const port = servedPort(agent, name)
  const { health, reach } = healthOf(agent, name, look, now)
  if (health === 'starting' || (health === 'answering' && !asked))
    return { ...context, ...starting(agent, name, health === 'answering' ? undefined : port) }
  const misread = health === 'not_answering' && explainHealth(agent, name, { health, look, reach })
  if (misread) return { ...context, ...otherwise(agent, misread) }
  if (health === 'answering' || port === undefined || !reach)
    return { ...context, ...silent(agent, name, health === 'answering' ? port : undefined) }
  return {
    ...context,
    ...explainReach(name, port, reach),
    ...noteOf(agent, look, name),
    error: reach.kind === 'loopback' ? 'loopback_only' : reach.kind === 'elsewhere' ? 'other_port' : 'not_listening',
    page: { links: 'Found instead', watch: waitingForIt, ...unreached(agent, name, port, reach) },
    status: 502,
    waits: 'soon',
  }
}

/** Said where nothing has to be done. */
export const waitingForIt = 'Waiting. The agent shows itself here as soon as it answers.'

type Said = Pick<Problem, 'detail' | 'error' | 'hint' | 'page' | 'status' | 'waits'>

/** `port` is where nothing listens yet; undefined when something does. */
function starting({ name: agent }: Agent, endpoint: string, port: number | undefined): Said {
  const wait = `moat wait ${agent} ${endpoint}`
  return {
    detail: `The agent ${agent} is starting${port === undefined ? '' : `: nothing listens on port ${port} yet`}.`,
    error: 'starting',
    hint: wait,
    page: {
      fixes: [{ copy: wait, text: 'In a terminal, wait for it.' }],
      ...(port !== undefined && { more: `Nothing listens on port ${port} yet.` }),
      title: `${agent} is starting`,
      watch: waitingForIt,
    },
    status: 503,
    waits: 'soon',
  }
}

/** The server is there, and not as its endpoint says. */
function otherwise({ name: agent }: Agent, { detail, hint }: { detail: string; hint: string }): Said {
  const log = `moat logs ${agent}`
  const [line] = /(?<=`)[a-z0-9-]+: \{[^`]+(?=`)|HOST=[\d.]+/.exec(hint) ?? []
  return {
    detail,
    error: 'bad_gateway',
    hint,
    page: {
      fixes:
        hint === log ? [{ copy: log, text: 'Its log may say why.' }] : [{ ...(line && { copy: line }), text: hint }],
      title: detail.replace(/\.$/, ''),
      watch: waitingForIt,
    },
    status: 502,
    waits: 'soon',
  }
}

/** `port` is where something listens, if that is known. */
function silent({ name: agent }: Agent, endpoint: string, port: number | undefined): Said {
  const log = { copy: `moat logs ${agent}`, text: 'Its log may say more.' }
  const protocol = { text: 'Is its protocol the one in moat.yaml: `http`, `https` or `h2c`?' }
  return {
    detail:
      port === undefined
        ? `Nothing answers for ${endpoint} of ${agent}.`
        : `Something listens on port ${port} in the container, but the proxy got no proper answer from it.`,
    error: 'bad_gateway',
    hint:
      port === undefined
        ? `moat logs ${agent}`
        : `Is its protocol the one in moat.yaml (http, https or h2c)? moat logs ${agent}`,
    page: {
      fixes: port === undefined ? [log] : [protocol, log],
      ...(port !== undefined && { more: `Something listens on port ${port}, and took the request.` }),
      title: port === undefined ? `${endpoint} of ${agent} does not answer` : `${agent} gave no proper answer`,
      watch: '',
    },
    status: 502,
    waits: 'once',
  }
}

function unreached(
  { discover, name: agent }: Agent,
  endpoint: string,
  port: number,
  reach: Reach,
): Omit<ProblemText, 'watch'> {
  switch (reach.kind) {
    case 'loopback':
      return {
        fixes: [{ copy: 'HOST=0.0.0.0', text: 'Have it listen on all addresses: most servers read this variable.' }],
        more: `It is on 127.0.0.1 or ::1, port ${port}, where nobody outside its container reaches it.`,
        title: `The server of ${agent} listens for its own container only`,
      }
    case 'elsewhere': {
      const [nearest = 0, ...others] = reach.ports
      const change = `${endpoint}: ${nearest}`
      return {
        fixes: [
          { copy: change, text: `If port ${nearest} is it, say so in moat.yaml, under \`ports\`.` },
          {
            text: `Or have the server listen on ${port}${discover ? '' : ', or give whatever listens a URL, with `discover: true`'}.`,
          },
        ],
        ...(others.length > 0 && { more: `Something listens on ${others.join(', ')} as well.` }),
        title: `${agent} listens on port ${nearest}, not on ${port}`,
      }
    }
    default:
      return {
        fixes: [
          { text: `Start a server on port ${port}, or correct \`ports\` in moat.yaml.` },
          { copy: `moat logs ${agent}`, text: 'Its log may say why there is none.' },
        ],
        title: `Nothing listens on port ${port} of ${agent}`,
      }
  }
}
