// Owns what is said of the traffic of an endpoint where there is room: two plots, with the figures that belong to them.
import { countText, rateText, timeText } from './figures.js'
import { type Html, html } from './html.js'
import { bars, curve, slotSeconds } from './plots.js'
import type { EndpointCounters } from './view.js'

export function charts(counters: EndpointCounters): Html {
  const { failures, history, latencies, p50, p95, perSecond, requests } = counters
  const rate = perSecond === 0 ? 'idle' : rateText(perSecond)
  const times =
    p50 === null || p95 === null
      ? html`<span class="quiet">none lately</span>`
      : html`<b>${timeText(p50)}</b> <span class="quiet">median</span> <b>${timeText(p95)}</b> <span class="quiet">95 %</span>`
  const most = Math.max(...history)
  return html`${chart({
    figures: html`<b>${rate}</b> ${trouble(counters)} <span class="quiet">${countText(requests)} in all</span>`,
    plot: bars(history, failures, requestsLabel(counters)),
    title: 'Requests',
    top: most === 0 ? '' : `${countText(most)} in ${slotSeconds} s`,
  })}${chart({
    figures: times,
    plot: curve(latencies, timesLabel(counters)),
    title: 'Time to answer',
    top: p95 === null ? '' : timeText(slowest(counters)),
  })}`
}

/** `top` is what the highest point stands for. */
function chart({ figures, plot, title, top }: { figures: Html; plot: Html; title: string; top: string }): Html {
  return html`<figure class="chart"><figcaption><span class="quiet">${title}</span> ${figures}</figcaption>
<div class="frame"><span class="most">${top}</span>${plot}</div>
<div class="axis" aria-hidden="true"><span>5 min ago</span><span>now</span></div></figure>`
}

/** What there is none of is not told. */
export function trouble({ failed, slow }: EndpointCounters): Html[] {
  return [
    ...(failed > 0
      ? [html`<b class="failed" title="answered with a status of 500 or more">${countText(failed)} failed</b> `]
      : []),
    ...(slow > 0 ? [html`<b class="slow" title="took longer than a second">${countText(slow)} slow</b>`] : []),
  ]
}

export function requestsLabel({ history }: EndpointCounters): string {
  return `Requests in the last five minutes, at most ${Math.max(...history)} in ${slotSeconds} seconds`
}

export function timesLabel(counters: EndpointCounters): string {
  return `Time to answer in the last five minutes, median and 95 % are told beside; at most ${timeText(slowest(counters))}`
}

function slowest({ latencies }: EndpointCounters): number {
  return Math.max(...latencies.map((time) => time ?? 0))
}
