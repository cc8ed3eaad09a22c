// Owns the last lines of an agent's log on the page of a problem: a frame from the domain, for the pages at the agent's own hosts.
//
// Those hosts are the agent's own, and so is what an earlier agent of the name has left in the browser for them, a service worker
// for one: it reads what is served there, and does not read a frame from elsewhere. The frame has no token, for browsers give it
// another storage than the dashboard has: it is for connections of which the kernel says that they are this user's.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { stripVTControlCharacters } from 'node:util'
import type { Engine } from '../engine/engine.js'
import { framedHeaders } from '../pages/layout.js'
import { linesPage, nothingWritten } from '../pages/lines-page.js'
import type { Agent } from '../routing/agent.js'
import {
  agentHost,
  agentUrl,
  authorityOf,
  handshakePort,
  indexUrl,
  ownPath,
  type ProxyAddress,
} from '../routing/urls.js'
import { send } from './pages-socket.js'
import { isOwnConnection } from './peer-user.js'

const mostLines = 20
/** Of a line, so much is shown. */
const longestLine = 400
/** Of the lines as they were written, so many bytes are looked at: an agent writes lines as long as it likes. */
const mostBytes = 65_536
const linesPath = `${ownPath}lines/`

export interface LogLinesOptions {
  address: () => ProxyAddress
  agents: () => readonly Agent[]
  engine: () => Engine | undefined
}

export class LogLines {
  readonly #options: LogLinesOptions

  constructor(options: LogLinesOptions) {
    this.#options = options
  }

  /** Where the frame's page is, for who may see it. */
  async urlFor(request: IncomingMessage, agent: Agent | undefined): Promise<string | undefined> {
    if (!agent || !(await this.#maySee(request, agent))) return undefined
    return `${indexUrl(this.#options.address())}${linesPath}${agent.runId}`
  }

  /** True when this has answered. */
  async answer(request: IncomingMessage, response: ServerResponse, path: string): Promise<boolean> {
    if (!path.startsWith(linesPath) || request.method !== 'GET') return false
    const agent = this.#options.agents().find(({ runId }) => runId === path.slice(linesPath.length))
    const engine = this.#options.engine()
    const kind = kindOf(request)
    if (!agent || !engine || kind === undefined || !(await this.#maySee(request, agent))) return false
    const lines = await lastLines(engine, agent)
    const address = this.#options.address()
    const below = `https://${authorityOf(`*.${agentHost(agent.name, address.domain)}`, address.port)}`
    const headers = framedHeaders([agentUrl(agent.name, address), below])
    const page = kind === 'frame'
    const type = page ? 'text/html; charset=utf-8' : 'text/plain; charset=utf-8'
    send(request, response, page ? linesPage(lines) : lines || nothingWritten, { headers, status: 200, type })
    return true
  }

  /**
   * This user, as far as can be proved. Where engines run in virtual machines, their containers reach this machine's loopback by
   * a program of this user's.
   */
  #maySee({ headers }: IncomingMessage, { wayIn }: Agent): Promise<boolean> | boolean {
    if (process.platform !== 'linux' || wayIn !== 'sockets') return false
    return isOwnConnection(String(headers['x-moat-client']), handshakePort(this.#options.address().port))
  }
}

/** The frame itself, or its script that asks again. What browsers do not say of themselves is neither. */
function kindOf({ headers }: IncomingMessage): 'frame' | 'script' | undefined {
  const [dest, mode, site] = ['dest', 'mode', 'site'].map((name) => headers[`sec-fetch-${name}`])
  if (dest === 'iframe' && mode === 'navigate') return 'frame'
  return dest === 'empty' && site === 'same-origin' ? 'script' : undefined
}

async function lastLines(engine: Engine, { containerId }: Agent): Promise<string> {
  const output = await engine.sessions.logs(containerId, { follow: false, tail: mostLines })
  const parts = await Promise.all([lastText(output.stdout), lastText(output.stderr)])
  const lines = stripVTControlCharacters(parts.join(''))
    .split('\n')
    .filter((line) => line.trim() !== '')
  return lines
    .slice(-mostLines)
    .map((line) => line.slice(0, longestLine))
    .join('\n')
}

/** The end of what there is to read; where that begins within a line, from the next line on, if there is one. */
async function lastText(stream: NodeJS.ReadableStream): Promise<string> {
  let last = Buffer.alloc(0)
  let isCut = false
  for await (const chunk of stream) {
    const whole = Buffer.concat([last, Buffer.from(chunk)])
    isCut ||= whole.length > mostBytes
    last = whole.subarray(-mostBytes)
  }
  // Perhaps in the middle of a character.
  const text = last.toString().replace(/^\uFFFD+/, '')
  return isCut ? text.slice(text.indexOf('\n') + 1) || text : text
}
