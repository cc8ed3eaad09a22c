// Owns how a problem is told: as a page for people, as JSON for programs.
import { type Html, html, safeUrl, withCode } from './html.js'
import { page } from './layout.js'
import { copyLine, urlText } from './parts.js'
import type { Problem } from './problem.js'

export interface ProblemPageOptions {
  /** URL of the index of all agents. */
  index: string
  /** Where the last lines of the agent's log are, for who may see them. */
  lines?: string
  /** False where the page cannot ask whether the problem is gone. */
  isWatched?: boolean
  /** What was asked for. */
  url: string
}

/** The page, which asks by itself whether the problem is gone. */
export function problemPage(problem: Problem, { index, isWatched = true, lines, url }: ProblemPageOptions): string {
  const { error, links, note, page: said, status, waits } = problem
  const body = html`<main class="problem">
<p class="asked"><span class="hidden">You asked for </span><code>${askedUrl(url, said.wrong)}</code></p>
<h1>${said.title}</h1>
${said.more === undefined ? undefined : html`<p class="lead">${withCode(said.more)}</p>`}
${isWatched ? html`<p class="waiting ${waits}" id="waiting" role="status">${watching(problem)}</p>` : undefined}
${isWatched ? html`<section class="fixes" id="revive" aria-label="What to do" hidden><p>Start it again. This page goes on by itself.</p>${copyLine('moat proxy start')}</section>` : undefined}
${said.fixes.length === 0 ? undefined : html`<section class="fixes" aria-label="What to do">${said.fixes.map(({ copy, text }) => html`<p>${withCode(text)}</p>${copy === undefined ? undefined : copyLine(copy)}`)}</section>`}
${note === undefined || error === 'other_port' ? undefined : html`<p class="aside">${withCode(note)}</p>`}
${links.length === 0 ? undefined : html`<section class="instead"><h2>${said.links}</h2>${linkList(links, index)}</section>`}
${lines === undefined ? undefined : html`<section class="log"><h2>Last lines of its log</h2><iframe src="${lines}" title="Last lines of its log" referrerpolicy="no-referrer"></iframe></section>`}
<p class="code">${status} ${error}</p>
</main>`
  const watch = isWatched
    ? { data: { seen: stateOf(problem), waits }, refresh: 2, script: 'wait.js' }
    : { script: 'copy.js' }
  const bar = html`<span class="rights"><a class="button" href="${index}/">All agents</a></span>`
  return page({ ...watch, bar, body, index, title: said.title })
}

/** What a page says it shows, so that it can be told when that is no longer so. */
export function stateOf({ detail, error }: Pick<Problem, 'detail' | 'error'>): string {
  return `${error}: ${detail}`
}

function watching({ page: { watch }, waits }: Problem): Html {
  if (waits === 'once') return html`<a href="">Try again</a>`
  const elapsed = waits === 'soon' ? html` <span id="elapsed" aria-hidden="true"></span>` : undefined
  return html`<span>${watch}</span>${elapsed}`
}

export function problemJson({ links: _links, page: _page, status: _status, waits: _waits, ...json }: Problem): unknown {
  return json
}

/** More than that of a URL nobody reads. */
const longestUrl = 160

/** With the label marked that leads nowhere. */
function askedUrl(url: string, wrong: string | undefined): Html {
  const shown = url.length > longestUrl ? `${url.slice(0, longestUrl)}…` : url
  const at = wrong === undefined ? -1 : shown.toLowerCase().indexOf(`${wrong}.`)
  if (wrong === undefined || at === -1) return urlText(shown)
  return html`${urlText(shown.slice(0, at))}<mark>${shown.slice(at, at + wrong.length)}</mark>${shown.slice(at + wrong.length)}`
}

/** More than that are on the page of all. */
const mostLinks = 12

function linkList(links: Problem['links'], index: string): Html {
  const more = links.length - mostLinks
  const all = more > 0 ? [{ title: `${more} more`, url: index }] : []
  return html`<ul class="links">
${[...links.slice(0, mostLinks), ...all].map(({ title, url }) => html`<li>${place(title, url)}</li>\n`)}</ul>`
}

function place(title: string, url: string): Html {
  const text = html`<b>${title}</b> <span>${urlText(url)}</span>`
  const target = safeUrl(url, url)
  return target === undefined ? html`<div>${text}</div>` : html`<a href="${target}">${text}</a>`
}
