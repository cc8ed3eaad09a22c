// Owns what the page of one agent has below its endpoints: a panel for each subject.
import { type Html, html } from './html.js'
import { networkPanel } from './network-panel.js'
import type { IndexAgent } from './view.js'

export interface PanelOptions {
  /** True where the agent may be acted upon. */
  actions: boolean
}

/** Panels that change are sent again with the agent, so what a person types in one has to be kept by the script. */
export function agentPanels(agent: IndexAgent, { actions }: PanelOptions): Html[] {
  const network = networkPanel(agent, actions, true)
  return [...(network ? [network] : []), ...(actions ? [logPanel(agent)] : [])]
}

export function panel(id: string, title: string, body: Html): Html {
  return html`<section class="panel" id="${id}" aria-labelledby="${id}-title"><h2 id="${id}-title">${title}</h2>${body}</section>`
}

/** Filled by the script, for who may see it. */
function logPanel({ name, runId }: IndexAgent): Html {
  return html`<section class="panel if-may" id="log" aria-labelledby="log-title"><h2 id="log-title">Log</h2><pre class="lines" data-log="${runId}" tabindex="0" aria-label="Last lines of the log of ${name}"></pre></section>`
}
