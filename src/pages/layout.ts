// Owns what all pages have in common: the document around them and the headers that keep them to themselves.
import { ownPath } from '../routing/urls.js'
import { type Html, html } from './html.js'

export const assetPath = `${ownPath}assets/`

export interface PageOptions {
  body: Html
  /** Attributes of the body, for the script: `data-…`. */
  data?: Record<string, string>
  /** Seconds after which a browser without scripts asks again. */
  refresh?: number
  script?: string
  title: string
}

export function page({ body, data = {}, refresh, script, title }: PageOptions): string {
  const attributes = Object.entries(data).map(([name, value]) => html` data-${name}="${value}"`)
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="dark light">
<title>${title}</title>
<link rel="icon" href="${assetPath}icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="${assetPath}pages.css">
${refresh === undefined ? undefined : html`<noscript><meta http-equiv="refresh" content="${refresh}"></noscript>`}
${script === undefined ? undefined : html`<script src="${assetPath}${script}" defer></script>`}
</head>
<body${attributes}>
${body}
</body>
</html>
`.text
}

/** Pages show the present, no copy is kept; nothing in them comes from elsewhere or stands inline. */
export const problemHeaders: Record<string, string> = {
  'Cache-Control': 'no-store',
  'Content-Security-Policy': policy(),
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
}

/** Besides, what can act stands in nobody's frame, and other pages get hold neither of its window nor of its data. */
export const indexHeaders: Record<string, string> = {
  ...problemHeaders,
  'Content-Security-Policy': policy("frame-ancestors 'none'"),
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'X-Frame-Options': 'DENY',
}

function policy(...more: string[]): string {
  const own = ['script-src', 'style-src', 'img-src', 'connect-src'].map((kind) => `${kind} 'self'`)
  const none = ['base-uri', 'form-action'].map((kind) => `${kind} 'none'`)
  const types = ["require-trusted-types-for 'script'", 'trusted-types moat']
  return ["default-src 'none'", ...own, ...none, ...more, ...types].join('; ')
}
