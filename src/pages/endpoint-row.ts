// Owns how one endpoint is shown: what it is, where, and what went through it.
import { charts, requestsLabel, timesLabel, trouble } from './charts.js'
import { countText, rateText, timeText } from './figures.js'
import { type Html, html, safeUrl, withCode } from './html.js'
import { copyButton, urlText } from './parts.js'
import { bars, curve } from './plots.js'
import type { EndpointCounters, Health, IndexAgent, IndexEndpoint } from './view.js'

const healthText: Record<Health, string> = {
  answering: 'answering',
  not_answering: 'not answering',
  not_listening: 'nothing listening',
  starting: 'starting',
  stopped: 'stopped',
  unknown: 'not known',
}

export function endpointRow(agent: IndexAgent, endpoint: IndexEndpoint, isLarge: boolean): Html {
  const { columns = {}, counters, health, hint, links = [], name, problem, url } = endpoint
  const target = safeUrl(url, agent.baseUrl)
  const isWeb = target !== undefined
  const has = isWeb && counters.requests > 0
  return html`<li class="endpoint${has ? undefined : ' bare'}">
<span class="who ${health}"><b class="name">${name}</b> <span class="health ${health}">${healthText[health]}</span></span>
<span class="url">${isWeb ? html`<a href="${target}">${urlText(url)}</a>` : html`<code>${url}</code>`}${copyButton(url, `Copy the URL of ${name} of ${agent.name}`)}</span>
${has ? (isLarge ? charts(counters) : traffic(counters)) : undefined}
${problem === undefined ? undefined : html`<p class="note">${withCode(`${problem} ${hint}`)}</p>`}
${details(columns, links, url)}</li>
`
}

/** Column by column, as `endpointHeads` has them. */
function traffic(counters: EndpointCounters): Html {
  const { failures, history, latencies, p50, p95, perSecond, requests } = counters
  if (history.every((count) => count === 0))
    return html`<span class="rate quiet">idle, ${countText(requests)} ${requests === 1 ? 'request' : 'requests'} in all</span>`
  const rate = perSecond === 0 ? html`<span class="quiet">idle</span>` : html`<b>${rateText(perSecond)}</b>`
  // The proxy's own answers have no time.
  const times =
    p50 === null || p95 === null
      ? undefined
      : html`${curve(latencies, timesLabel(counters))}<b>${timeText(p50)}</b> <span class="p95">${timeText(p95)}</span>`
  return html`<span class="rate" title="${countText(requests)} in all">${bars(history, failures, requestsLabel(counters))}${rate}</span>
<span class="trouble">${trouble(counters)}</span>
<span class="time">${times}</span>`
}

/** What the columns are; each cell tells it to who hears it. */
export const endpointHeads: Html = html`<div class="endpoint heads" aria-hidden="true"><span></span><span></span><span>Requests, five minutes</span><span>Failed, slow</span><span class="time">Time to answer<span></span><b>median</b> <span class="p95">95 %</span></span></div>`

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
