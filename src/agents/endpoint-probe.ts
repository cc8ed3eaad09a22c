// Owns asking an endpoint whether it is ready, in the way its type says.
import { readFile } from 'node:fs/promises'
import { request } from 'node:https'
import { connect, type NetConnectOpts } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import type { Agent, Endpoint } from '../routing/agent.js'
import { endpointHost, handshakePort, type ProxyAddress } from '../routing/urls.js'
import { probeSuffix, wayName } from '../routing/way-in.js'

/** The proxy marks the answers that are its own with this header; anything else is the endpoint's. */
const proxyAnswerHeader = 'x-moat-error'
/** What leads to a container takes a connection with nothing behind it, and drops it at once. Milliseconds. */
const dropTime = 250

export interface ProbeOptions {
  address: ProxyAddress
  certificateFile: string
  /** Where the proxy keeps its links to agents' sockets. */
  proxyDirectory: string
}

/** What an endpoint that is ready answered. */
export interface ProbeAnswer {
  status?: number
}

/** What the proxy says instead. */
export interface ProbeRefusal {
  /** One sentence; undefined where nobody knows. */
  refused: string | undefined
}

/** A question that may be asked again and again. `timeout` in milliseconds. */
export type Probe = (timeout: number) => Promise<ProbeAnswer | ProbeRefusal>

/** The probe of an endpoint: what its type says, else any answer through its URL that is not the proxy's own. */
export async function probeOf(agent: Agent, endpoint: Endpoint, options: ProbeOptions): Promise<Probe> {
  const { name, readiness } = endpoint
  if (readiness?.kind === 'none') return async () => ({})
  if (readiness?.kind === 'tcp') {
    const target = targetOf(agent, readiness.port, options.proxyDirectory)
    return async (timeout) => (target && (await takesConnection(target, timeout)) ? {} : silence)
  }
  const ca = await readFile(options.certificateFile, 'utf8')
  const { domain, port } = options.address
  const host = endpointHost(agent.name, name, domain)
  const accepts = (status: number) => readiness === undefined || status < 400
  return async (timeout) => {
    const answer = await answerTo({ ca, host, path: readiness?.path ?? '/', port, timeout })
    if (!('status' in answer)) return answer
    const { status } = answer
    return accepts(status) ? answer : { refused: `${readiness?.path} is answered with ${status}.` }
  }
}

const silence: ProbeRefusal = { refused: undefined }

function targetOf(
  { published, runId, wayIn }: Agent,
  port: number,
  proxyDirectory: string,
): NetConnectOpts | undefined {
  if (wayIn === 'sockets') return { path: join(proxyDirectory, `${wayName(runId, port)}${probeSuffix}`) }
  return published[port] === undefined ? undefined : { host: '127.0.0.1', port: published[port] }
}

interface Question {
  ca: string
  host: string
  path: string
  port: number
  timeout: number
}

function answerTo({ ca, host, path, port, timeout }: Question): Promise<ProbeRefusal | { status: number }> {
  return new Promise((resolve) => {
    const target = {
      agent: false as const,
      ca,
      host: '127.0.0.1',
      path,
      port: handshakePort(port),
      servername: host,
    }
    const outgoing = request({ ...target, headers: { Host: host }, timeout: Math.max(1, timeout) }, (response) => {
      if (response.headers[proxyAnswerHeader] === undefined) {
        response.resume()
        return resolve({ status: response.statusCode ?? 0 })
      }
      text(response).then(
        (body) => resolve({ refused: detailOf(body) }),
        () => resolve(silence),
      )
    })
    outgoing.on('timeout', () => outgoing.destroy())
    outgoing.on('error', () => resolve(silence))
    outgoing.end()
  })
}

/** What the proxy's answer says of itself, as JSON. */
function detailOf(body: string): string | undefined {
  try {
    const { detail } = JSON.parse(body) as { detail?: unknown }
    return typeof detail === 'string' ? detail : undefined
  } catch {
    return undefined
  }
}

/** True when it takes a connection and keeps it, or has something to say first. What there is no time to see dropped is not kept. */
function takesConnection(target: NetConnectOpts, timeout: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(target)
    const timers = [setTimeout(() => finish(false), Math.max(1, timeout))]
    const finish = (answer: boolean) => {
      timers.forEach(clearTimeout)
      socket.destroy()
      resolve(answer)
    }
    socket.once('connect', () => timers.push(setTimeout(() => finish(true), dropTime)))
    socket.once('data', () => finish(true))
    socket.once('end', () => finish(false))
    socket.once('error', () => finish(false))
  })
}
