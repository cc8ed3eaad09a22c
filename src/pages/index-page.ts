// Owns the page of all agents, the page of one agent, and what is sent to keep either of them current.
import { hasEnded, isLive } from '../routing/agent.js'
import { agentCard, type CardOptions } from './agent-card.js'
import { endpointHeads } from './endpoint-row.js'
import { countText, rateText } from './figures.js'
import { type Html, html } from './html.js'
import { page } from './layout.js'
import { copyLine, lockIcon, unlockedIcon } from './parts.js'
import type { IndexAgent, IndexView } from './view.js'

export type IndexPageOptions = CardOptions

/** What is on a page, in pieces that are sent again when they change. */
export interface IndexPieces {
  /** HTML of each agent, by run id. */
  cards: Record<string, string>
  /** Run ids from top to bottom. */
  order: string[]
  /** HTML. */
  summary: string
}

export function indexPieces(view: IndexView, options: IndexPageOptions): IndexPieces {
  const agents = shown(view, options)
  return {
    cards: Object.fromEntries(agents.map((agent) => [agent.runId, agentCard(agent, options).text])),
    order: agents.map(({ runId }) => runId),
    summary: summaryOf(agents, options).text,
  }
}

/** The pieces that differ from those sent before. */
export function changedPieces(before: IndexPieces | undefined, now: IndexPieces): IndexPieces {
  const cards = Object.entries(now.cards).filter(([runId, text]) => before?.cards[runId] !== text)
  return { ...now, cards: Object.fromEntries(cards) }
}

export function indexPage(view: IndexView, options: IndexPageOptions): string {
  const { index, only } = options
  const agents = shown(view, options)
  const body = html`<main>
<div class="top">
<h1>${only ?? 'Agents'}</h1>
<div id="summary">${summaryOf(agents, options)}</div>
${only === undefined ? html`<input id="filter" type="search" placeholder="Filter by name, workspace, URL" aria-label="Filter agents by name, workspace or URL">` : undefined}
</div>
${only === undefined ? endpointHeads : undefined}
<div id="agents"${only === undefined ? undefined : html` class="only"`}>${agents.map((agent) => agentCard(agent, options))}</div>
<p id="none-found" class="none" hidden>No agent is like that.</p>
<div id="empty" class="empty">${emptiness(only)}</div>
</main>
${dialogs(only)}
<p id="said" class="hidden" role="status"></p>`
  return page({
    bar: bar(options),
    body,
    data: only === undefined ? {} : { agent: only },
    index,
    refresh: 5,
    script: 'dashboard.js',
    title: `${only ?? 'Agents'} – moat`,
  })
}

/** Where one is, whether what is seen is of now, and what one may do. */
function bar({ actions, index, only }: IndexPageOptions): Html {
  const rights = actions
    ? html`<button type="button" id="unlock" class="unless-may">${lockIcon}View only <b>Unlock</b></button><button type="button" id="lock" class="if-may">${unlockedIcon}Unlocked <b>Lock</b></button>`
    : html`<a class="button" href="${index}/agents/${only}">Open on the dashboard</a>`
  return html`${only === undefined ? undefined : html`<nav aria-label="Where this is"><a href="${index}/">Agents</a> / <span aria-current="page">${only}</span></nav>`}
<p id="connection" role="status"></p>
<span class="rights">${rights}</span>`
}

function emptiness(only: string | undefined): Html {
  return only === undefined
    ? html`<h2>No agents</h2><p>Start one in the directory of a project:</p>${copyLine('moat run')}`
    : html`<h2>${only} is gone</h2><p>Nothing of its container is left. Start it again in the directory of its project:</p>${copyLine('moat run')}`
}

function dialogs(only: string | undefined): Html {
  const command = only === undefined ? 'moat open --dashboard' : `moat open --dashboard ${only}`
  return html`<dialog id="dialog" aria-labelledby="dialog-title"><h2 id="dialog-title"></h2><p id="dialog-text"></p><pre id="dialog-lines" class="lines" tabindex="0" aria-live="off"></pre><p class="actions"><button type="button" id="dialog-yes" class="danger"></button><button type="button" id="dialog-close">Close</button></p></dialog>
<dialog id="unlock-dialog" aria-labelledby="unlock-title"><h2 id="unlock-title">Unlock this dashboard</h2><p>Everybody on this machine may look. To stop agents, read logs and record requests, open the dashboard from your terminal, which hands this browser a key:</p>${copyLine(command)}<p class="actions"><button type="button" id="unlock-close">Close</button></p></dialog>`
}

/** Those that live come first. */
function shown({ agents }: IndexView, { only }: IndexPageOptions): IndexAgent[] {
  const chosen = agents.filter(({ name }) => only === undefined || name === only)
  return [...chosen.filter((agent) => !hasEnded(agent)), ...chosen.filter(hasEnded)]
}

/** What there is none of is left out, but for what runs; of one agent that is told elsewhere. */
function summaryOf(agents: readonly IndexAgent[], { only }: IndexPageOptions): Html {
  if (only !== undefined) return html``
  const ended = agents.filter(hasEnded).length
  const live = agents.filter(isLive)
  const endpoints = live.flatMap((agent) => agent.endpoints)
  const answering = endpoints.filter(({ health }) => health === 'answering').length
  const sum = (key: 'failed' | 'perSecond' | 'slow') =>
    endpoints.reduce((total, { counters }) => total + counters[key], 0)
  const [failed, perSecond, slow] = [sum('failed'), sum('perSecond'), sum('slow')]
  const figure = (value: string, what: string, kind = '') =>
    html`<span class="figure ${kind}"><b>${value}</b> ${what}</span> `
  return html`${figure(`${live.length}`, 'running')}${
    endpoints.length > 0
      ? figure(`${answering} of ${endpoints.length}`, 'answering', answering < endpoints.length ? 'few' : '')
      : undefined
  }${ended > 0 ? figure(`${ended}`, 'ended') : undefined}${
    perSecond > 0 ? figure(rateText(perSecond), 'requests') : undefined
  }${failed > 0 ? figure(countText(failed), 'failed', 'failed') : undefined}${slow > 0 ? figure(countText(slow), 'slow', 'slow') : undefined}`
}
