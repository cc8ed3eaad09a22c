// Owns the page of all agents, the page of one agent, and what is sent to keep either of them current.
import { hasEnded, isLive } from '../routing/agent.js'
import { agentCard, type CardOptions } from './agent-card.js'
import { type Html, html } from './html.js'
import { page } from './layout.js'
import type { IndexAgent, IndexView } from './view.js'

export interface IndexPageOptions extends CardOptions {
  /** The only agent to show. */
  only?: string
}

/** What is on a page, in pieces that are sent again when they change. */
export interface IndexPieces {
  /** HTML of each agent, by run id. */
  cards: Record<string, string>
  /** Run ids from top to bottom. */
  order: string[]
  summary: string
}

export function indexPieces(view: IndexView, options: IndexPageOptions): IndexPieces {
  const agents = shown(view, options)
  return {
    cards: Object.fromEntries(agents.map((agent) => [agent.runId, agentCard(agent, options).text])),
    order: agents.map(({ runId }) => runId),
    summary: summaryOf(agents),
  }
}

/** The pieces that differ from those sent before. */
export function changedPieces(before: IndexPieces | undefined, now: IndexPieces): IndexPieces {
  const cards = Object.entries(now.cards).filter(([runId, text]) => before?.cards[runId] !== text)
  return { ...now, cards: Object.fromEntries(cards) }
}

export function indexPage(view: IndexView, options: IndexPageOptions): string {
  const { actions, index, only } = options
  const agents = shown(view, options)
  const title = only ?? 'Agents'
  const body = html`<header class="top">
<h1>${only === undefined ? 'Agents' : html`<a href="${index}/">Agents</a> / ${only}`}</h1>
<p id="summary">${summaryOf(agents)}</p>
${only === undefined ? html`<input id="filter" type="search" placeholder="Filter" aria-label="Filter agents by name, workspace or URL">` : undefined}
<p id="connection" role="status"></p>
</header>
<main>
${actions ? viewOnly : html`<p class="band">To stop this agent or read its log, go to <a href="${index}/agents/${only}">its page on the dashboard</a>.</p>`}
<div id="agents">${agents.map((agent) => agentCard(agent, options))}</div>
<p id="empty" class="none">No agents. Start one with <code>moat run &lt;directory&gt;</code>.</p>
</main>
<dialog id="dialog" aria-labelledby="dialog-title"><h2 id="dialog-title"></h2><p id="dialog-text"></p><pre id="dialog-lines" tabindex="0" aria-live="off"></pre><p class="actions"><button type="button" id="dialog-yes"></button><button type="button" id="dialog-close">Close</button></p></dialog>
<p id="said" class="hidden" role="status"></p>`
  return page({
    body,
    data: only === undefined ? {} : { agent: only },
    refresh: 5,
    script: 'dashboard.js',
    title: `${title} – moat`,
  })
}

const viewOnly: Html = html`<p id="view-only" class="band">You can look. To stop agents, read logs and record requests from here, open this page with <code>moat open --dashboard</code>.</p>`

/** Those that live come first. */
function shown({ agents }: IndexView, { only }: IndexPageOptions): IndexAgent[] {
  const chosen = agents.filter(({ name }) => only === undefined || name === only)
  return [...chosen.filter((agent) => !hasEnded(agent)), ...chosen.filter(hasEnded)]
}

function summaryOf(agents: readonly IndexAgent[]): string {
  const ended = agents.filter(hasEnded).length
  const live = agents.filter(isLive)
  const endpoints = live.flatMap((agent) => agent.endpoints)
  const answering = endpoints.filter(({ health }) => health === 'answering').length
  const parts = [`${live.length} running`, `${answering} of ${endpoints.length} endpoints answering`]
  return [...parts, ...(ended > 0 ? [`${ended} ended`] : [])].join(', ')
}
