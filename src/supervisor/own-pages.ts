// Owns which of the proxy's own pages a request is for, as Caddy hands it over.
import { readFile } from 'node:fs/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { assetPath } from '../pages/layout.js'
import { isWithin, ownPath } from '../routing/urls.js'
import type { Dashboard } from './dashboard.js'
import type { HostPages } from './host-pages.js'
import { type AnswerPage, send, sendJson } from './pages-socket.js'
import { requestUrl } from './request-url.js'

const assets: Record<string, string> = {
  'copy.js': 'text/javascript; charset=utf-8',
  'dashboard.js': 'text/javascript; charset=utf-8',
  'icon.svg': 'image/svg+xml',
  'lines.js': 'text/javascript; charset=utf-8',
  'pages.css': 'text/css; charset=utf-8',
  'wait.js': 'text/javascript; charset=utf-8',
}

export function ownPages(dashboard: Dashboard, hostPages: HostPages, domain: string): AnswerPage {
  return async (request, response) => {
    const host = String(request.headers.host).replace(/:\d+$/, '').toLowerCase()
    const url = requestUrl(request)
    const kind = request.headers['x-moat-page']
    if (kind === 'error') return hostPages.problem(request, response, host, true)
    if (kind === 'own' && url.pathname.startsWith(assetPath)) return sendAsset(request, response, url.pathname)
    if (host === domain) return dashboard.answer(request, response, url.pathname)
    // An address, or `localhost` beside a domain of the user's: what is there has one name.
    if (!isWithin(host, domain)) {
      return void response.writeHead(307, { 'Cache-Control': 'no-store', Location: dashboard.url }).end()
    }
    const agent = hostPages.pageOf(host)
    const only = agent && { actions: false, only: agent.name }
    if (kind === 'own') {
      if (url.pathname === `${ownPath}changed`) {
        return hostPages.changed(request, response, host, url.searchParams.get('seen'))
      }
      if (url.pathname === `${ownPath}events` && only) return dashboard.events(request, response, only)
      const nothing = { detail: 'There is nothing here.', error: 'nothing_here', hint: 'moat open --dashboard' }
      return sendJson(request, response, 404, nothing, { 'X-Moat-Error': 'nothing_here' })
    }
    if (only && url.pathname === '/') return dashboard.index(request, response, only)
    return hostPages.problem(request, response, host, false)
  }
}

async function sendAsset(request: IncomingMessage, response: ServerResponse, path: string): Promise<void> {
  const name = path.slice(assetPath.length)
  const type = Object.hasOwn(assets, name) ? assets[name] : undefined
  if (type === undefined) return sendJson(request, response, 404, { error: 'nothing_here' })
  const text = await readFile(new URL(`../../caddy/pages/${name}`, import.meta.url), 'utf8')
  const headers = { 'Cache-Control': 'no-cache', 'X-Content-Type-Options': 'nosniff' }
  send(request, response, text, { headers, status: 200, type })
}
