// Owns the page with the last lines of an agent's log, which stands in a frame of the page of a problem.
import { html } from './html.js'
import { page } from './layout.js'

/** In place of no lines. */
export const nothingWritten = 'It has written nothing yet.'

export function linesPage(text: string): string {
  return page({
    body: html`<pre class="lines" id="lines" tabindex="0" aria-label="Last lines of the log">${text || nothingWritten}</pre>`,
    data: { framed: 'yes' },
    script: 'lines.js',
    title: 'Last lines of the log',
  })
}
