// Owns what is said of a host that no running agent has: of an agent that is not there or has ended, or of an endpoint that it does
// not have. Pure.
import { type Agent, hasEnded } from '../routing/agent.js'
import { describeEnd } from '../routing/agent-end.js'
import { formatAge } from '../routing/format-age.js'
import { nearestName } from '../routing/nearest-name.js'
import { agentUrl, type ProxyAddress, urlOf } from '../routing/urls.js'
import type { Problem, ProblemSources } from './problem.js'
import { waitingForIt } from './unanswered.js'
import { noteOf } from './undeclared.js'

export function unknownAgent(agent: string, { address, agents }: Pick<ProblemSources, 'address' | 'agents'>): Problem {
  const running = agents.filter((one) => !hasEnded(one))
  const names = running.map(({ name }) => name)
  const nearest = nearestName(agent, names)
  const some = names.length === 0 ? ' No agent runs.' : ''
  const start = { copy: 'moat run', text: 'Start it in the directory of its project.' }
  const fixes =
    nearest === undefined ? [start] : [{ copy: agentUrl(nearest, address), text: `Did you mean \`${nearest}\`?` }]
  return {
    agent,
    agents: names,
    detail: `There is no agent ${agent}.${nearest === undefined ? '' : ` Did you mean ${nearest}?`}${some}`,
    error: 'unknown_agent',
    hint: names.length === 0 ? 'moat run <directory>' : 'moat list',
    links: running.map(({ name }) => ({ title: name, url: agentUrl(name, address) })),
    ...(nearest !== undefined && { nearest }),
    page: {
      fixes,
      links: 'Agents that run',
      ...(names.length === 0 && { more: 'No agent runs.' }),
      title: `There is no agent ${agent}`,
      watch: 'When it starts, it shows itself here.',
      wrong: agent,
    },
    status: 404,
    waits: 'change',
  }
}

export function stoppedAgent(agent: Agent, { now, quote }: Pick<ProblemSources, 'now' | 'quote'>): Problem {
  const { end, name, repository, runId, workspace } = agent
  const how = end === undefined ? '' : ` (${describeEnd(end)}) ${formatAge(end.at, now)}`
  const again = { copy: `moat run --name ${name} ${quote(workspace)}`, text: 'Start it again.' }
  return {
    agent: name,
    detail: `The agent ${name} has ended${how}. Its workspace is ${workspace}.`,
    error: 'agent_stopped',
    hint: `moat logs ${runId}`,
    links: [],
    page: {
      // What is in a worktree is started by other commands.
      fixes: [
        ...(repository === undefined ? [again] : []),
        { copy: `moat logs ${runId}`, text: 'See all that it wrote.' },
      ],
      ...(end && { more: `It ended ${formatAge(end.at, now)}, with ${describeEnd(end)}.` }),
      title: `${name} has ended`,
      watch: 'When it starts again, it shows itself here.',
    },
    status: 404,
    waits: 'change',
  }
}

export function unknownEndpoint(agent: Agent, name: string | undefined, { address, look }: ProblemSources): Problem {
  const names = agent.endpoints.map((one) => one.name)
  const nearest = name === undefined ? undefined : nearestName(name, names)
  const missing = name === undefined ? `${agent.name} has no endpoints` : `${agent.name} has no endpoint ${name}`
  const links = linksTo(agent, address)
  const meant = links.find(({ title }) => title === nearest)
  const add = { text: `Endpoints of an agent are what its moat.yaml has under \`ports\`.` }
  const note = noteOf(agent, look)
  return {
    agent: agent.name,
    detail: `${missing}.${nearest === undefined ? '' : ` Did you mean ${nearest}?`}`,
    ...(name !== undefined && { endpoint: name }),
    endpoints: names,
    error: 'unknown_endpoint',
    hint: 'Add it under `ports` in moat.yaml, or use one of the endpoints there are.',
    links,
    ...(nearest !== undefined && { nearest }),
    ...note,
    page: {
      fixes: meant ? [{ copy: meant.url, text: `Did you mean \`${meant.title}\`?` }] : [add],
      links: `Endpoints of ${agent.name}`,
      title: missing,
      watch: 'When it has one, it shows itself here.',
      ...(name !== undefined && { wrong: name }),
    },
    status: 404,
    waits: 'change',
  }
}

/** A port of an agent that has a URL as soon as something listens there. */
export function undiscovered(agent: Agent, name: string, { address }: Pick<ProblemSources, 'address'>): Problem {
  const title = `Nothing listens on port ${name} of ${agent.name}`
  return {
    agent: agent.name,
    detail: `${title} now.`,
    endpoint: name,
    endpoints: agent.endpoints.map((one) => one.name),
    error: 'not_listening',
    hint: `moat wait ${agent.name} ${name}`,
    links: linksTo(agent, address),
    page: {
      fixes: [{ copy: `moat wait ${agent.name} ${name}`, text: 'Start a server there; in a terminal, wait for it.' }],
      links: `Endpoints of ${agent.name}`,
      title,
      watch: waitingForIt,
      wrong: name,
    },
    status: 502,
    waits: 'soon',
  }
}

function linksTo(agent: Agent, address: ProxyAddress): Problem['links'] {
  return agent.endpoints.map((one) => ({ title: one.name, url: urlOf(agent.name, one, address) }))
}

/** A database, say, that somebody asks as if it were a site. */
export function noWebServer(agent: Agent, name: string, url: string): Problem {
  const hint = `moat connect ${agent.name} ${name}`
  return {
    agent: agent.name,
    detail: `${name} of ${agent.name} is not a web server. Its own address is ${url}.`,
    endpoint: name,
    error: 'not_http',
    hint,
    links: [],
    page: {
      fixes: [
        { copy: hint, text: 'See how its clients connect.' },
        { copy: url, text: 'Its own address.' },
      ],
      title: `${name} of ${agent.name} is not a web server`,
      watch: 'When it becomes one, it shows itself here.',
    },
    status: 404,
    waits: 'change',
  }
}
