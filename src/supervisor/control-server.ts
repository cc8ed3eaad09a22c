// Owns the control socket: HTTP on a unix socket that only this user can open.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { RootKind, Rotation } from '../authority/roots.js'
import { MoatError, messageOf, serializeError } from '../errors.js'
import type { EndpointProblem, IndexView } from '../pages/view.js'
import { listenPrivately } from '../upkeep/listen-privately.js'
import { readAgentName, readRecordingQuestion, readRouteQuestions } from './control-body.js'
import { type LookKind, lookKind } from './control-paths.js'
import type { SupervisorLook } from './engine-look.js'
import {
  controlPaths,
  type RecordingQuestion,
  type RouteQuestion,
  type SupervisorStatus,
  stoppingStatus,
} from './protocol.js'
import type { RecordedRequest } from './request-recorder.js'
import { requestUrl } from './request-url.js'

/** What the socket's requests do. */
export interface ControlHandlers {
  /** Rejects when Caddy does not take one of the routes. */
  check(questions: RouteQuestion[]): Promise<void>
  /** Resolves when an agent of that name can start: by then there is what it needs to ask for itself. */
  expect(agent: string): Promise<void>
  /** Calls `onStatus` with the status now and at every change, until the returned function is called. */
  hold(onStatus: (status: SupervisorStatus) => void): () => void
  /** A key that lets one browser act on the dashboard. */
  issueKey(): string
  keep(): void
  /** What the engine has now; what is wrong with endpoints only for who asks for more than agents. */
  look(kind: LookKind): Promise<Omit<SupervisorLook, 'status'>>
  /** What is wrong with endpoints of running agents. */
  problems(): Promise<EndpointProblem[]>
  /** Resolves once requests are recorded; calls `onRequest` with each until the returned function is called. */
  record(question: RecordingQuestion, onRequest: (request: RecordedRequest) => void): Promise<() => void>
  /** Resolves when a new root is in place and every certificate comes from it. */
  rotate(which: RootKind): Promise<Rotation>
  status(): SupervisorStatus
  /** True once the proxy is on its way out: nobody may count on it any more. */
  stopping(): boolean
  /** Resolves when the proxy has stopped, or, with `leaveCaddy`, when only its supervision has. */
  stop(options: { leaveCaddy: boolean }): Promise<void>
  sync(): Promise<void>
  /** Calls `onView` now and every second, until the returned function is called. */
  watch(onView: (view: IndexView) => void): () => void
}

export interface ControlSocket {
  /** Ends all holds and takes no more requests; resolves when the last answer has been sent. */
  close(): Promise<void>
}

/** Opens the socket. The caller holds the supervisor lock, so a file in its place is a dead supervisor's. */
export async function openControlSocket(path: string, handlers: ControlHandlers): Promise<ControlSocket> {
  const holds = new Set<ServerResponse>()
  const server = createServer((request, response) => {
    answer(request, response, handlers, holds).catch((error) => {
      const status = error instanceof MoatError && error.code === 'USAGE' ? 400 : 500
      if (!response.headersSent) send(response, status, { error: serialized(error) })
      else response.destroy()
    })
  })
  const listener = await listenPrivately(server, path)
  return {
    close: () =>
      new Promise((resolve) => {
        listener.release()
        server.close(() => resolve())
        for (const response of holds) response.end()
      }),
  }
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  handlers: ControlHandlers,
  holds: Set<ServerResponse>,
): Promise<void> {
  const url = requestUrl(request)
  // To a client this is as if nobody listened: it waits for the end and starts a supervisor of its own.
  if (handlers.stopping() && url.pathname !== controlPaths.stop) return send(response, stoppingStatus, {})
  switch (`${request.method} ${url.pathname}`) {
    case `GET ${controlPaths.status}`:
      return send(response, 200, handlers.status())
    case `GET ${controlPaths.problems}`:
      return send(response, 200, await handlers.problems())
    case `GET ${controlPaths.look}`: {
      const looked = await handlers.look(lookKind(url.searchParams))
      return send(response, 200, { ...looked, status: handlers.status() } satisfies SupervisorLook)
    }
    case `POST ${controlPaths.hold}`:
      return stream<SupervisorStatus>(response, holds, (write) => handlers.hold(write))
    case `POST ${controlPaths.watch}`:
      return stream<IndexView>(response, holds, (write) => handlers.watch(write))
    case `POST ${controlPaths.record}`: {
      const question = await readRecordingQuestion(request)
      return stream<RecordedRequest>(response, holds, (write) => handlers.record(question, write))
    }
    case `POST ${controlPaths.key}`:
      return send(response, 200, { key: handlers.issueKey() })
    case `POST ${controlPaths.check}`:
      await handlers.check(await readRouteQuestions(request))
      return send(response, 200, {})
    case `POST ${controlPaths.expect}`:
      await handlers.expect(readAgentName(url))
      return send(response, 200, {})
    case `POST ${controlPaths.keep}`:
      handlers.keep()
      return send(response, 200, handlers.status())
    case `POST ${controlPaths.rotate}`:
      return send(response, 200, await handlers.rotate(url.searchParams.has('egress') ? 'egress' : 'own'))
    case `POST ${controlPaths.sync}`:
      await handlers.sync()
      return send(response, 200, handlers.status())
    case `POST ${controlPaths.stop}`:
      await handlers.stop({ leaveCaddy: url.searchParams.has('leave-caddy') })
      return send(response, 200, {})
    default:
      return send(response, 404, { error: serialized(new Error(`no such request: ${request.method} ${url.pathname}`)) })
  }
}

/** One value a line, until either side has had enough. `begin` gives back what ends it. */
async function stream<T>(
  response: ServerResponse,
  open: Set<ServerResponse>,
  begin: (write: (value: T) => void) => (() => void) | Promise<() => void>,
): Promise<void> {
  response.writeHead(200, { connection: 'close', 'content-type': 'application/x-ndjson' })
  const release = await begin((value) => response.write(`${JSON.stringify(value)}\n`))
  response.flushHeaders()
  if (response.destroyed) return release()
  open.add(response)
  response.once('close', () => {
    open.delete(response)
    release()
  })
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { connection: 'close', 'content-type': 'application/json' }).end(JSON.stringify(body))
}

function serialized(error: unknown) {
  return serializeError(
    error instanceof MoatError ? error : new MoatError('SUPERVISOR_FAILED', messageOf(error), { cause: error }),
  )
}
