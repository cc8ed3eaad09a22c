// Owns what the domain itself, `https://localhost`, answers: the index as page and as data, its events, and acting on agents for those who
// may. An agent's own page gets its events from here too, and nothing else.
import { execFile } from 'node:child_process'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { finished } from 'node:stream'
import { json, text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { isHostRule } from '../egress/allow-command.js'
import type { Engine } from '../engine/engine.js'
import { messageOf } from '../errors.js'
import { changedPieces, type IndexPageOptions, type IndexPieces, indexPage, indexPieces } from '../pages/index-page.js'
import { indexHeaders } from '../pages/layout.js'
import { wantsHtml } from '../pages/negotiate.js'
import { unknownAgent } from '../pages/unknown-host.js'
import type { IndexView } from '../pages/view.js'
import type { Agent } from '../routing/agent.js'
import { handshakePort, indexUrl, ownPath, type ProxyAddress } from '../routing/urls.js'
import type { DashboardKeys } from './dashboard-keys.js'
import { sendProblem } from './host-pages.js'
import type { LogLines } from './log-lines.js'
import type { Observer } from './observer.js'
import { send, sendJson } from './pages-socket.js'
import type { RecordedRequest } from './request-recorder.js'
import { requestUrl } from './request-url.js'

/** Lines of a log that are shown. */
const logLines = 200
/** How long one recording lasts. Milliseconds. */
const recordingTime = 60_000
/** A request for an action says little. Bytes. */
const longestBody = 4_096

export interface DashboardOptions {
  address: () => ProxyAddress
  agents: () => readonly Agent[]
  engine: () => Engine | undefined
  /** Keeps the proxy until the returned function is called. */
  hold: () => () => void
  keys: DashboardKeys
  lines: Pick<LogLines, 'answer'>
  log: (message: string) => void
  moatHome: string
  observer: Pick<Observer, 'view' | 'watch'>
  record: (agent: Agent, onRequest: (request: RecordedRequest) => void) => Promise<() => void>
}

export class Dashboard {
  readonly #made = new WeakMap<IndexView, Map<string, IndexPieces>>()
  readonly #options: DashboardOptions

  constructor(options: DashboardOptions) {
    this.#options = options
  }

  get url(): string {
    return indexUrl(this.#options.address())
  }

  /** Answers a request for the domain itself. */
  async answer(request: IncomingMessage, response: ServerResponse, path: string): Promise<void> {
    const [, agent] = /^\/agents\/([a-z0-9-]+)\/?$/.exec(path) ?? []
    if (path === '/' || agent !== undefined) {
      if (request.method !== 'GET' && request.method !== 'HEAD') return this.#refuse(request, response, 405, 'method')
      return this.index(request, response, { actions: true, ...(agent !== undefined && { only: agent }) })
    }
    if (path === `${ownPath}events`) return this.events(request, response, { actions: true })
    if (path === `${ownPath}key`) return this.#exchangeKey(request, response)
    if (await this.#options.lines.answer(request, response, path)) return
    return this.#act(request, response, path)
  }

  /** The index, or of it only one agent. */
  async index(
    request: IncomingMessage,
    response: ServerResponse,
    { actions, only }: { actions: boolean; only?: string },
  ): Promise<void> {
    const view = await this.#options.observer.view()
    const agents = only === undefined ? view.agents : view.agents.filter(({ name }) => name === only)
    if (only !== undefined && agents.length === 0) {
      return this.#unknown(request, response, only)
    }
    if (!wantsHtml(request.headers.accept)) return sendJson(request, response, 200, { ...view, agents }, corp)
    const page = indexPage(view, this.#pageOptions(actions, only))
    send(request, response, page, { headers: indexHeaders, status: 200, type: 'text/html; charset=utf-8' })
  }

  #unknown(request: IncomingMessage, response: ServerResponse, only: string): void {
    const { address, agents } = this.#options
    const problem = unknownAgent(only, { address: address(), agents: agents() })
    if (wantsHtml(request.headers.accept)) {
      const url = `${this.url}/agents/${only}`
      sendProblem(request, response, problem, { index: this.url, isWatched: false, url })
      return
    }
    const body = { detail: problem.detail, error: problem.error, hint: this.url }
    sendJson(request, response, 404, body, { 'X-Moat-Error': problem.error })
  }

  /** Sends what changes on the page that asks, until it goes away. */
  async events(
    request: IncomingMessage,
    response: ServerResponse,
    { actions, only }: { actions: boolean; only?: string },
  ): Promise<void> {
    const site = request.headers['sec-fetch-site']
    if (site !== undefined && site !== 'same-origin') return this.#refuse(request, response, 403, 'origin')
    const shown = only ?? requestUrl(request).searchParams.get('agent') ?? undefined
    response.writeHead(200, { ...corp, 'Cache-Control': 'no-store', 'Content-Type': 'text/event-stream' })
    let before: IndexPieces | undefined
    const release = this.#options.observer.watch((view) => {
      const pieces = this.#piecesOf(view, this.#pageOptions(actions, shown))
      const changed = changedPieces(before, pieces)
      const same = before && before.summary === pieces.summary && `${before.order}` === `${pieces.order}`
      before = pieces
      // A comment shows that somebody is still there.
      const nothing = same && Object.keys(changed.cards).length === 0
      response.write(nothing ? ':\n\n' : `data: ${JSON.stringify(changed)}\n\n`)
    })
    response.once('close', release)
  }

  /** Made once for all pages that show the same of one view. */
  #piecesOf(view: IndexView, options: IndexPageOptions): IndexPieces {
    const made = this.#made.get(view) ?? new Map<string, IndexPieces>()
    this.#made.set(view, made)
    const kind = `${options.actions} ${options.only}`
    const pieces = made.get(kind) ?? indexPieces(view, options)
    made.set(kind, pieces)
    return pieces
  }

  #pageOptions(actions: boolean, only: string | undefined): IndexPageOptions {
    return { actions, now: Date.now(), index: this.url, ...(only !== undefined && { only }) }
  }

  async #exchangeKey(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const reason = await this.#options.keys.refusalOfOrigin(this.#described(request))
    if (request.method !== 'POST' || reason !== undefined)
      return this.#refuse(request, response, 403, reason ?? 'method')
    const { key } = await smallJson(request)
    const token = this.#options.keys.redeem(key)
    if (token === undefined) return this.#refuse(request, response, 403, 'key')
    sendJson(request, response, 200, { token }, corp)
  }

  async #act(request: IncomingMessage, response: ServerResponse, path: string): Promise<void> {
    const reason = await this.#options.keys.refusalOf(this.#described(request))
    if (reason !== undefined) return this.#refuse(request, response, 403, reason)
    if (path === `${ownPath}token`) return sendJson(request, response, 200, { accepted: true }, corp)
    const [, runId, action] = /^\/_moat\/agents\/(run_[0-9a-f]{12})\/(\w+)$/.exec(path) ?? []
    const agent = this.#options.agents().find((one) => one.runId === runId)
    if (!agent) return this.#refuse(request, response, 404, 'agent')
    switch (`${request.method} ${action}`) {
      case 'GET log':
        return this.#log(request, response, agent)
      case 'GET requests':
        return this.#requests(response, agent)
      case 'POST stop':
        return this.#stop(request, response, agent)
      case 'POST allow':
        return this.#allow(request, response, agent)
      default:
        return this.#refuse(request, response, 404, 'action')
    }
  }

  async #log(request: IncomingMessage, response: ServerResponse, { containerId }: Agent): Promise<void> {
    const engine = this.#options.engine()
    if (!engine) return this.#refuse(request, response, 503, 'engine')
    const output = await engine.sessions.logs(containerId, { follow: false, tail: logLines })
    const parts = await Promise.all([text(output.stdout), text(output.stderr)])
    const headers = { ...corp, 'Cache-Control': 'no-store', 'X-Content-Type-Options': 'nosniff' }
    send(request, response, parts.join(''), { headers, status: 200, type: 'text/plain; charset=utf-8' })
  }

  async #requests(response: ServerResponse, agent: Agent): Promise<void> {
    response.writeHead(200, { ...corp, 'Cache-Control': 'no-store', 'Content-Type': 'application/x-ndjson' })
    response.flushHeaders()
    const release = await this.#options.record(agent, (one) => response.write(`${JSON.stringify(one)}\n`))
    const end = setTimeout(() => response.end(), recordingTime)
    const done = () => {
      clearTimeout(end)
      release()
    }
    if (response.destroyed) done()
    else response.once('close', done)
  }

  /** As `moat stop` does it, plugins told and all: by that command. */
  async #stop(request: IncomingMessage, response: ServerResponse, { name, runId }: Agent): Promise<void> {
    this.#options.log(`${name} (${runId}) is stopped from the dashboard`)
    // With its last agent the proxy would go, too, before it has answered.
    finished(response, this.#options.hold())
    try {
      await this.#moat(['stop', runId])
      sendJson(request, response, 200, { name, runId }, corp)
    } catch (error) {
      this.#options.log(`${name} was not stopped: ${messageOf(error)}`)
      const hint = `moat stop ${runId}`
      sendJson(request, response, 500, { detail: `${name} could not be stopped.`, error: 'stop_failed', hint }, corp)
    }
  }

  async #allow(request: IncomingMessage, response: ServerResponse, { name, runId }: Agent): Promise<void> {
    const { rule } = await smallJson(request)
    // What the dashboard offers.
    if (typeof rule !== 'string' || !isHostRule(rule)) return this.#refuse(request, response, 400, 'rule')
    this.#options.log(`${name} (${runId}) is allowed ${rule} from the dashboard`)
    try {
      await this.#moat(['network', 'allow', runId, rule])
      sendJson(request, response, 200, { name, rule, runId }, corp)
    } catch (error) {
      this.#options.log(`${name} was not allowed ${rule}: ${messageOf(error)}`)
      const hint = `moat network allow ${name} ${rule}`
      sendJson(request, response, 500, { detail: `${rule} could not be allowed.`, error: 'allow_failed', hint }, corp)
    }
  }

  async #moat(words: readonly string[]): Promise<void> {
    const env = { ...process.env, MOAT_HOME: this.#options.moatHome }
    await promisify(execFile)(process.execPath, [moatProgram, ...words, '--json'], { cwd: '/', env })
  }

  #described(request: IncomingMessage) {
    const { port } = this.#options.address()
    const client = String(request.headers['x-moat-client'])
    const { headers, method = '' } = request
    return { client, headers, method, origin: this.url, port: handshakePort(port) }
  }

  #refuse(
    request: IncomingMessage,
    response: ServerResponse,
    status: number,
    reason: keyof typeof refusals | string,
  ): void {
    const detail = refusals[reason as keyof typeof refusals] ?? 'There is nothing here.'
    const hint = status === 403 ? 'moat open --dashboard' : this.url
    const error = status === 403 ? 'not_allowed' : 'nothing_here'
    sendJson(request, response, status, { detail, error, hint }, { ...corp, 'X-Moat-Error': error })
  }
}

const corp = { 'Cross-Origin-Resource-Policy': 'same-origin' }

const refusals = {
  agent: 'That agent no longer exists.',
  engine: 'The container engine does not answer.',
  host: 'Only the dashboard itself may request this.',
  key: 'This key was not given out, was used already, or is too old.',
  method: 'This request is not understood.',
  origin: 'Only the dashboard itself may request this.',
  rule: 'This rule cannot be allowed here.',
  token: 'This needs a dashboard that was opened with moat open --dashboard.',
  user: 'The request does not come from a program of the user whose agents these are.',
}

const moatProgram = fileURLToPath(new URL('../../bin/run.js', import.meta.url))

async function smallJson(request: IncomingMessage): Promise<{ key?: unknown; rule?: unknown }> {
  if (Number(request.headers['content-length'] ?? longestBody + 1) > longestBody) return {}
  const body = await json(request).catch(() => undefined)
  return typeof body === 'object' && body !== null ? body : {}
}
