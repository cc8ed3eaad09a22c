// Owns how it is shown what an agent under a policy talks to, and what it was refused. Pure.
import { type Html, html } from './html.js'
import type { HostUse, IndexAgent } from './view.js'

/** Of so many hosts, the last ones; `moat network log` has all. */
const mostShown = 20

/** `whole`: on the agent's own page, where there is room for it. */
export function networkPanel({ name, network, runId }: IndexAgent, actions: boolean, whole = false): Html | undefined {
  if (!network) return undefined
  const { hosts, policy } = network
  const blocked = hosts.reduce((sum, use) => sum + use.blocked, 0)
  const summary = `Network: ${policy}, ${hosts.length === 1 ? '1 host' : `${hosts.length} hosts`}, ${blocked} refused`
  const rows = hosts.slice(0, mostShown).map((use) => hostRow(use, { actions, name, runId }))
  const list = html`${
    hosts.length === 0
      ? html`<p class="none">It has asked for nothing yet.</p>`
      : html`<ul>
${rows}</ul>`
  }
<p class="more"><code>moat network log ${name}</code></p>`
  return whole
    ? html`<section class="panel network" id="network" aria-labelledby="network-title"><h2 id="network-title">${summary}</h2>${list}</section>`
    : html`<details class="network"><summary>${summary}</summary>
${list}</details>`
}

function hostRow(use: HostUse, { actions, name, runId }: { actions: boolean; name: string; runId: string }): Html {
  const { allow, allowed, blocked, bytesIn, bytesOut, host, port, reason } = use
  const target = targetOf(host, port)
  const rule = allow?.split(' ').at(-1)
  const label = `Allow ${rule} for ${name}`
  return html`<li>
<span class="${reason === undefined ? 'dim' : 'refused'}">${reason === undefined ? 'allowed' : 'refused'}</span>
<span class="name">${target}</span>
<span class="dim">${allowed} allowed, ${blocked} refused, ${kilobytes(bytesOut)} out, ${kilobytes(bytesIn)} in${reason === undefined ? '' : `: ${reason}`}</span>
${actions && rule !== undefined ? html`<span class="actions if-may"><button type="button" data-action="allow" data-run="${runId}" data-agent="${name}" data-rule="${rule}" aria-label="${label}">Allow</button></span>` : undefined}
</li>
`
}

function targetOf(host: string, port: number): string {
  const name = host.includes(':') ? `[${host}]` : host
  return port === 80 || port === 443 ? name : `${name}:${port}`
}

function kilobytes(bytes: number): string {
  return bytes < 1_000_000 ? `${Math.ceil(bytes / 1_000)} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`
}
