// What counting requests costs a proxied request, and what an open dashboard adds: rounds of the same load without counters,
// with them, and with them and a dashboard, in turn, so that what else the machine does falls on all three. Ratios count,
// not figures. Caddy's CPU time for a request says most: the rate depends on the client and the agent's server too.
// Usage: npm run build && node bench/counters.mjs [rounds] [seconds]     Needs an engine, Caddy and the image node:22-slim.
import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { join } from 'node:path'
import { cleanUp, cpuOf, home, load, report, rounds, startAgents } from './load-bench.mjs'

/** Asks Caddy's admin API. */
function admin(method, path, body) {
  return new Promise((done, failed) => {
    const headers = body === undefined ? {} : { 'Content-Type': 'application/json' }
    const outgoing = httpRequest({ headers, method, path, socketPath: join(home, 'proxy/admin.sock') }, (response) => {
      response.resume().on('end', () => (response.statusCode === 200 ? done() : failed(new Error(path))))
    })
    outgoing.on('error', failed).end(body)
  })
}

const lookup = (_host, _options, callback) => callback(null, [{ address: '127.0.0.1', family: 4 }])

/** Follows the index as the page does; resolves with what ends it once the first event is there. */
function openDashboard(indexUrl, ca) {
  return new Promise((done, failed) => {
    const outgoing = httpsRequest(`${indexUrl}/_moat/events`, { ca, lookup }, (response) => {
      let events = 0
      response.on('data', () => {
        events += 1
        if (events === 1) done(() => outgoing.destroy())
      })
      response.on('error', () => {})
    })
    outgoing.on('error', failed).end()
  })
}

const phases = { 'no counters': [], counters: [], 'counters and a dashboard': [] }
try {
  const { ca, loaded, proxy } = startAgents()
  const { hostname } = new URL(loaded.endpoints[0].url)
  const oneRound = async () => {
    const before = cpuOf(proxy.supervisor.pid)
    const result = await load(hostname, proxy.port, ca, proxy.caddy.pid)
    return { ...result, supervisor: (cpuOf(proxy.supervisor.pid) - before) / 10 / result.seconds }
  }
  const measure = async (phase) => phases[phase].push(await oneRound())
  await oneRound() // warms everything up
  for (let round = 0; round < rounds; round += 1) {
    await admin('DELETE', '/config/apps/http/metrics')
    await measure('no counters')
    await admin('PUT', '/config/apps/http/metrics', JSON.stringify({ per_host: true }))
    await measure('counters')
    const close = await openDashboard(proxy.indexUrl, ca)
    await measure('counters and a dashboard')
    close()
  }
  report(phases, (middle) => `   supervisor ${middle('supervisor', 1)} % of a core`)
} finally {
  cleanUp()
}
