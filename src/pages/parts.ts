// Owns the small parts that the pages are put together from: the brand, icons, a line to copy, a URL.
import { type Html, html } from './html.js'

const icon = (path: string) => html`<svg class="icon" viewBox="0 0 16 16" aria-hidden="true"><path d="${path}"/></svg>`

/** A tower with water around it. */
export const mark: Html = html`<svg class="mark" viewBox="0 0 24 24" aria-hidden="true"><path class="tower" d="M6 3h3v2h1.5V3h3v2H15V3h3v10.5c-1 .2-2 .9-3 1.6V12a3 3 0 0 0-6 0v3.1c-1-.7-2-1.4-3-1.6z"/><path class="water" d="M2 16.5c2-1.7 3.3-1.7 5 0s3.3 1.7 5 0 3.3-1.7 5 0 3 1.7 5 0M2 20.5c2-1.7 3.3-1.7 5 0s3.3 1.7 5 0 3.3-1.7 5 0 3 1.7 5 0"/></svg>`

const copyIcon = icon('M5.5 5.5v-3h8v8h-3M2.5 5.5h8v8h-8z')
export const lockIcon = icon('M3.5 7.5h9v6h-9zM5.5 7.5V5a2.5 2.5 0 0 1 5 0v2.5')

export const unlockedIcon = icon('M3.5 7.5h9v6h-9zM5.5 7.5V4.5a2.5 2.5 0 0 1 4.8-1')

/** A button that copies `text`. */
export function copyButton(text: string, label: string): Html {
  return html`<button type="button" class="copy" data-action="copy" data-text="${text}" aria-label="${label}">${copyIcon}</button>`
}

/** A line that stands alone so that it can be copied. */
export function copyLine(text: string): Html {
  const code = html`<code>${text}</code>`
  const shown = text.startsWith('https://') ? html`<a href="${text}">${code}</a>` : code
  return html`<div class="copy-line">${shown}${copyButton(text, `Copy: ${text}`)}</div>`
}

/** A URL as a person reads it: the scheme says nothing to them. */
export function urlText(url: string): Html {
  return url.startsWith('https://')
    ? html`<span class="dim">https://</span>${url.slice('https://'.length)}`
    : html`${url}`
}
