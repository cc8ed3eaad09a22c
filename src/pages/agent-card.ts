// Owns how one agent is shown, on the index and on its own page.
import { hasEnded } from '../routing/agent.js'
import { describeEnd } from '../routing/agent-end.js'
import { formatAge } from '../routing/format-age.js'
import { type Html, html, safeUrl, withCode } from './html.js'
import { networkPanel } from './network-panel.js'
import { slotSeconds, sparkline } from './sparkline.js'
import { explainUndeclared } from './undeclared.js'
import type { EndpointCounters, Health, IndexAgent, IndexEndpoint } from './view.js'

const healthText: Record<Health, string> = {
  answering: 'answering',
  not_answering: 'not answering',
  not_listening: 'nothing listening',
  starting: 'starting',
  stopped: 'stopped',
  unknown: 'not known',
}

export interface CardOptions {
  /** True where the agent may be acted upon: never at a host that could be an agent's. */
  actions: boolean
  /** URL of the index of all agents. */
  index: string
  now: number
}

export function agentCard(agent: IndexAgent, { actions, index, now }: CardOptions): Html {
  const { createdAt, discover, end, endpoints, name, runId, state, undeclared = [], workspace } = agent
  const page = `${index}/agents/${name}`
  return html`<article class="agent" id="${runId}" data-name="${name}" aria-labelledby="${runId}-name">
<header>
<h2 id="${runId}-name"><a href="${page}">${name}</a></h2>
<span class="state ${state}">${state}</span>
${end ? html`<span class="meta">${describeEnd(end)}, <time datetime="${end.at}">${formatAge(end.at, now)}</time></span>` : undefined}
<span class="meta"><time datetime="${createdAt}">${formatAge(createdAt, now)}</time> <span class="path" title="${runId}">${workspace}</span></span>
${actions ? buttons(agent) : undefined}
</header>
${
  endpoints.length === 0
    ? html`<p class="none">${discover ? 'Nothing listens.' : 'No endpoints.'}</p>`
    : html`<ul class="endpoints">
${endpoints.map((endpoint) => endpointRow(agent, endpoint))}</ul>`
}
${undeclared.length === 0 ? undefined : html`<p class="note">${withCode(explainUndeclared(agent, undeclared))}</p>`}
${networkPanel(agent, actions)}
</article>`
}

function buttons(agent: IndexAgent): Html {
  const { endpoints, name, runId } = agent
  const button = (action: string, label: string) =>
    html`<button type="button" data-action="${action}" data-run="${runId}" data-agent="${name}" aria-label="${label} ${name}">${label}</button>`
  return html`<span class="actions">${button('log', 'Log')}${
    hasEnded(agent)
      ? undefined
      : [...(endpoints.length > 0 ? [button('record', 'Record')] : []), button('stop', 'Stop')]
  }</span>`
}

function endpointRow(agent: IndexAgent, endpoint: IndexEndpoint): Html {
  const { columns = {}, counters, health, hint, links = [], name, problem, url } = endpoint
  const target = safeUrl(url, agent.baseUrl)
  const isWeb = target !== undefined
  return html`<li>
<span class="health ${health}">${healthText[health]}</span>
<span class="name">${name}</span>
<span class="url">${isWeb ? html`<a href="${target}">${url}</a>` : html`<code>${url}</code>`} <button type="button" data-action="copy" data-url="${url}" aria-label="Copy the URL of ${name} of ${agent.name}">Copy</button></span>
${isWeb ? traffic(counters) : undefined}
${problem === undefined ? undefined : html`<p class="note">${withCode(`${problem} ${hint}`)}</p>`}
${details(columns, links, url)}</li>
`
}

function traffic({ errorRate, history, p50, p95, perSecond, requests }: EndpointCounters): Html {
  const time = (value: number | null) =>
    value === null ? '–' : `${value < 10 ? value.toFixed(1) : value.toFixed(0)} ms`
  return html`<span class="traffic"><span title="requests in the last minute; ${requests} in all">${rateOf(perSecond)}</span>
<span class="${errorRate > 0 ? 'errors' : 'quiet'}" title="answers with a status of 500 or more, last five minutes">${(errorRate * 100).toFixed(1)} % errors</span>
<span title="until the answer began, last five minutes">p50 ${time(p50)}</span> <span title="until the answer began, last five minutes">p95 ${time(p95)}</span>
${sparkline(history, `Requests in the last five minutes, at most ${Math.max(...history)} in ${slotSeconds} seconds`)}</span>`
}

/** By the minute where there are few. */
function rateOf(perSecond: number): string {
  return perSecond < 1 ? `${Math.round(perSecond * 60)}/min` : `${perSecond.toFixed(1)}/s`
}

/** What the endpoint's type wants to have shown. */
function details(
  columns: Record<string, string>,
  links: { title: string; url: string }[],
  base: string,
): Html | undefined {
  const shown = links.flatMap(({ title, url }) => {
    const target = safeUrl(url, base)
    return target === undefined ? [] : [html`<a href="${target}">${title}</a> `]
  })
  const values = Object.entries(columns).map(([title, value]) => html`<span><b>${title}</b> ${value}</span> `)
  return shown.length + values.length === 0 ? undefined : html`<p class="more">${values}${shown}</p>`
}
