// Owns how one agent is shown, on the index and on its own page.
import { hasEnded } from '../routing/agent.js'
import { describeEnd } from '../routing/agent-end.js'
import { formatAge } from '../routing/format-age.js'
import { agentPanels } from './agent-panels.js'
import { endpointRow } from './endpoint-row.js'
import { type Html, html, withCode } from './html.js'
import { networkPanel } from './network-panel.js'
import { copyButton } from './parts.js'
import { explainUndeclared } from './undeclared.js'
import type { IndexAgent } from './view.js'

export interface CardOptions {
  /** True where the agent may be acted upon: never at a host that could be an agent's. */
  actions: boolean
  /** URL of the index of all agents. */
  index: string
  now: number
  /** The only agent to show, with all that there is to say of it. */
  only?: string
}

export function agentCard(agent: IndexAgent, options: CardOptions): Html {
  const { actions, index, now, only } = options
  const { alarm, discover, endpoints, name, runId, state, undeclared = [], workspace } = agent
  // What is wrong with an endpoint names the ports at which something listens instead.
  const isTold = undeclared.length === 0 || endpoints.some(({ problem }) => problem !== undefined)
  return html`<article class="agent" id="${runId}" data-name="${name}" aria-labelledby="${runId}-name">
<header>
<h2 id="${runId}-name">${only === undefined ? html`<a href="${index}/agents/${name}">${name}</a>` : name}</h2>
<span class="state ${state}">${state}</span>
<span class="meta">${age(agent, now)}</span>
<span class="path" title="${runId}">${workspace}</span>
${actions ? buttons(agent) : undefined}
</header>
${alarm === undefined ? undefined : html`<p class="aside">Paused: ${alarm}</p>`}
${only === undefined ? undefined : facts(agent)}
${
  endpoints.length === 0
    ? html`<p class="none">${discover ? 'Nothing listens.' : 'No endpoints.'}</p>`
    : html`<ul class="endpoints">
${endpoints.map((endpoint) => endpointRow(agent, endpoint, only !== undefined))}</ul>`
}
${isTold ? undefined : html`<p class="aside">${withCode(explainUndeclared(agent, undeclared))}</p>`}
${only === undefined ? networkPanel(agent, actions) : agentPanels(agent, { actions })}
</article>`
}

function age({ createdAt, end }: IndexAgent, now: number): Html {
  if (!end) return html`started <time datetime="${createdAt}">${formatAge(createdAt, now)}</time>`
  return html`${describeEnd(end)}, <time datetime="${end.at}">${formatAge(end.at, now)}</time>`
}

function facts({ branch, runId, workspace }: IndexAgent): Html {
  return html`<dl class="facts">
<div><dt>Run</dt><dd><code>${runId}</code> ${copyButton(runId, 'Copy the run id')}</dd></div>
<div><dt>Workspace</dt><dd><code>${workspace}</code> ${copyButton(workspace, 'Copy the path of the workspace')}</dd></div>
${branch === undefined ? undefined : html`<div><dt>Branch</dt><dd><code>${branch}</code></dd></div>`}
</dl>`
}

/** Seen by who was let in only. */
function buttons(agent: IndexAgent): Html {
  const { endpoints, name, runId } = agent
  const button = (action: string, label: string) =>
    html`<button type="button" data-action="${action}" data-run="${runId}" data-agent="${name}" aria-label="${label} ${name}">${label}</button>`
  return html`<span class="actions if-may">${button('log', 'Log')}${
    hasEnded(agent)
      ? undefined
      : [...(endpoints.length > 0 ? [button('record', 'Record')] : []), button('stop', 'Stop')]
  }</span>`
}
