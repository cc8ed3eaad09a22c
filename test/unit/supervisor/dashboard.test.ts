import { once } from 'node:events'
import { createServer, request, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import { afterEach, expect, it } from 'vitest'
import type { Agent } from '../../../src/routing/agent.js'
import { Dashboard, type DashboardOptions } from '../../../src/supervisor/dashboard.js'
import { DashboardKeys } from '../../../src/supervisor/dashboard-keys.js'
import { until } from '../../helpers/until.js'

const runId = 'run_0123456789ab'
const path = `/_moat/agents/${runId}/stop`
let server: Server

afterEach(() => {
  server.closeAllConnections()
  server.close()
})

/** Serves a dashboard with one agent that no engine knows; says whether the proxy is kept. */
async function dashboard(): Promise<{ kept: () => number; port: number }> {
  let holds = 0
  const keys = new DashboardKeys()
  keys.refusalOf = async () => undefined
  const options: Partial<DashboardOptions> = {
    agents: () => [{ name: 'last', runId } as Agent],
    hold: () => {
      holds += 1
      return () => {
        holds -= 1
      }
    },
    address: () => ({ domain: 'localhost', port: 8080 }) as never,
    keys,
    lines: { answer: async () => false },
    log: () => {},
    moatHome: '/nonexistent',
  }
  const site = new Dashboard(options as DashboardOptions)
  server = createServer((incoming, response) => void site.answer(incoming, response, path)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { kept: () => holds, port: (server.address() as AddressInfo).port }
}

it('keeps the proxy until it has answered who stops the last agent', async () => {
  const { kept, port } = await dashboard()
  const outgoing = request({ host: '127.0.0.1', method: 'POST', port }).end()
  await until('the hold', () => kept() === 1)
  const [response] = await once(outgoing, 'response')
  expect([response.statusCode, await json(response)]).toEqual([500, expect.objectContaining({ error: 'stop_failed' })])
  await until('its release', () => kept() === 0)
})

it('lets the proxy go when who asked is gone before the answer', async () => {
  const { kept, port } = await dashboard()
  const outgoing = request({ host: '127.0.0.1', method: 'POST', port }).on('error', () => {})
  outgoing.end()
  await until('the hold', () => kept() === 1)
  outgoing.destroy()
  await until('its release', () => kept() === 0)
})
