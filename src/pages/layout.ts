// Owns what all pages have in common: the document around them, the bar at their top, and the headers that keep them to themselves.
import { ownPath } from '../routing/urls.js'
import { type Html, html } from './html.js'
import { mark } from './parts.js'

export const assetPath = `${ownPath}assets/`

export interface PageOptions {
  /** What the bar says beside the brand. */
  bar?: Html
  body: Html
  /** Attributes of the body, for the script: `data-…`. */
  data?: Record<string, string>
  /** URL of the index of all agents, which the brand leads to. */
  index?: string
  /** Seconds after which a browser without scripts asks again. */
  refresh?: number
  script?: string
  title: string
}

export function page({ bar, body, data = {}, index, refresh, script, title }: PageOptions): string {
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
${script === undefined ? undefined : html`<script src="${assetPath}${script}" type="module"></script>`}
</head>
<body${attributes}>
${index === undefined ? undefined : html`<header class="bar"><a class="brand" href="${index}/">${mark}moat</a>${bar}</header>`}
${body}
</body>
</html>
`.text
}

/** Pages show the present, no copy is kept; nothing in them comes from elsewhere or stands inline. */
const ownHeaders: Record<string, string> = {
  'Cache-Control': 'no-store',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
}

/** `frame` is the one page of the dashboard's that may stand in a frame of theirs. */
export function problemHeaders(frame?: string): Record<string, string> {
  const frames = frame === undefined ? [] : [`frame-src ${frame}`]
  return { ...ownHeaders, 'Content-Security-Policy': policy(...frames) }
}

/** What can act stands in nobody's frame, and other pages get hold neither of its window nor of its data. */
export const indexHeaders: Record<string, string> = {
  ...ownHeaders,
  'Content-Security-Policy': policy("frame-ancestors 'none'"),
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'X-Frame-Options': 'DENY',
}

/** For what stands in a frame of the pages at these hosts, and of no others. */
export function framedHeaders(hosts: readonly string[]): Record<string, string> {
  return {
    ...ownHeaders,
    'Content-Security-Policy': policy(`frame-ancestors ${hosts.join(' ')}`),
    'Cross-Origin-Resource-Policy': 'same-origin',
  }
}

function policy(...more: string[]): string {
  const own = ['script-src', 'style-src', 'img-src', 'connect-src'].map((kind) => `${kind} 'self'`)
  const none = ['base-uri', 'form-action'].map((kind) => `${kind} 'none'`)
  const types = ["require-trusted-types-for 'script'", 'trusted-types moat']
  return ["default-src 'none'", ...own, ...none, ...more, ...types].join('; ')
}
