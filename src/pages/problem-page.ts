// Owns how a problem is told: as a page for people, as JSON for programs.
import { type Html, html, withCode } from './html.js'
import { page } from './layout.js'
import type { Problem } from './problem.js'

/** The page, which asks by itself whether the problem is gone. */
export function problemPage(problem: Problem): string {
  const { detail, hint, links, note, title, waits } = problem
  const body = html`<main class="problem">
<h1>${title}</h1>
<p>${detail}</p>
<p class="hint">${toDo(hint)}</p>
${note === undefined ? undefined : html`<p>${withCode(note)}</p>`}
${links.length === 0 ? undefined : linkList(links)}
<p class="waiting" role="status">${waiting[waits]}</p>
</main>`
  return page({ body, data: { seen: stateOf(problem), waits }, refresh: 2, script: 'wait.js', title })
}

/** What a page says it shows, so that it can be told when that is no longer so. */
export function stateOf({ detail, error }: Pick<Problem, 'detail' | 'error'>): string {
  return `${error}: ${detail}`
}

const waiting = {
  change: 'This page shows itself again when that changes.',
  once: '',
  soon: 'Waiting for it. This page opens the agent by itself.',
}

export function problemJson({
  links: _links,
  status: _status,
  title: _title,
  waits: _waits,
  ...json
}: Problem): unknown {
  return json
}

function linkList(links: Problem['links']): Html {
  return html`<ul class="links">
${links.map(({ title, url }) => html`<li><a href="${url}">${title}</a></li>\n`)}</ul>`
}

/** A command stands alone, so that it can be copied. */
function toDo(hint: string): Html[] {
  return /^moat /.test(hint) ? [html`Try this: <code>${hint}</code>`] : withCode(hint)
}
