// Owns the gate as a process: its arguments, its control socket, its end. bin/gate.js calls it.
import { readFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { json } from 'node:stream/consumers'
import { moatPaths } from '../config/paths.js'
import { messageOf } from '../errors.js'
import { keepOutOfDumps } from '../processes/keep-out-of-dumps.js'
import { listenPrivately } from '../upkeep/listen-privately.js'
import { type CaddyDial, openCaddyDial } from './caddy-dial.js'
import { openCaddyReports } from './caddy-reports.js'
import { Gate } from './gate.js'
import { type GatedAgent, type GateStatus, gatePaths } from './gate-table.js'
import { tellRefused } from './tell-refused.js'
import { parseTestHosts, testHostsVariable } from './test-hosts.js'

/** How long connections have to end when the gate is told to. Milliseconds. */
const farewell = 2_000
const checkInterval = 25

/** Serves until it is told to stop. `home` is the `~/.moat` it is for; `id` is what it answers with. */
export async function runGate([home = '', id = '']: readonly string[]): Promise<void> {
  process.umask(0o077)
  keepOutOfDumps()
  const log = (message: string) => process.stderr.write(`${new Date().toISOString()} [${process.pid}] ${message}\n`)
  process.stderr.on('error', () => {})
  process.on('SIGHUP', () => {})
  // One connection's trouble is not the others'.
  process.on('uncaughtException', (error) => log(`went on after: ${error.stack ?? error}`))
  const paths = moatPaths({ MOAT_HOME: home })
  const testHosts = parseTestHosts(process.env[testHostsVariable])
  const others = () => dial.count
  const gate = new Gate({ descriptors: mostDescriptors(), log, others, paths, testHosts })
  const dial: CaddyDial = await openCaddyDial({ dial: (runId, target) => gate.dial(runId, target), paths })
  const reports = await openCaddyReports({
    log: (entry) => gate.note(entry),
    nameOf: (id) => gate.nameOf(id),
    onRefused: (entry) => tellRefused(paths.egressQuestions, entry),
    paths,
  })
  const ended = Promise.withResolvers<void>()
  let stopping = false
  const stop = async () => {
    if (stopping) return
    stopping = true
    listener.release()
    server.close()
    gate.leave()
    const end = performance.now() + farewell
    while (gate.count > 0 && performance.now() < end) await new Promise((resolve) => setTimeout(resolve, checkInterval))
    dial.close()
    reports.close()
    await gate.close()
    ended.resolve()
  }
  // Who only waits for our end says nothing.
  const server = createServer({ headersTimeout: 0, requestTimeout: 0 }, (request, response) => {
    answer(request, response, { gate, id, stop, stopping: () => stopping }).catch((error) => {
      log(messageOf(error))
      response.destroy()
    })
  })
  const listener = await listenPrivately(server, paths.gateSocket)
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void stop())
  await ended.promise
}

interface Controls {
  gate: Gate
  id: string
  stop: () => Promise<void>
  stopping: () => boolean
}

async function answer(request: IncomingMessage, response: ServerResponse, { gate, id, stop, stopping }: Controls) {
  const status: GateStatus = { id, pid: process.pid }
  const send = (code: number) =>
    response.writeHead(code, { connection: 'close', 'content-type': 'application/json' }).end(JSON.stringify(status))
  // To the supervisor this is as if nobody listened.
  if (stopping()) return send(503)
  switch (`${request.method} ${request.url}`) {
    case `GET ${gatePaths.status}`:
      return send(200)
    case `PUT ${gatePaths.table}`:
      await gate.apply((await json(request)) as GatedAgent[])
      return send(200)
    case `POST ${gatePaths.stop}`:
      send(200)
      return stop()
    default:
      return send(404)
  }
}

/** Node raises the limit to what is allowed, and does not tell what that is. */
function mostDescriptors(): number {
  try {
    const [, soft] = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? []
    return Number(soft ?? 1_024)
  } catch {
    return 1_024
  }
}
