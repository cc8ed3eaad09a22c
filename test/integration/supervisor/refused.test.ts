// What Caddy refuses only among everything else costs the agent it belongs to, and nobody else.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { findCaddy } from '../../../src/caddy/find-caddy.js'
import { toCaddyConfig } from '../../../src/caddy/to-caddy-config.js'
import { moatPaths } from '../../../src/config/paths.js'
import type { CaddyRoute } from '../../../src/routing/agent.js'
import { emptyTable, type HostRoutes, type RouteTable } from '../../../src/routing/route-table.js'
import { ServedConfig } from '../../../src/supervisor/served-config.js'
import { type BareCaddy, startBareCaddy } from '../../helpers/bare-caddy.js'
import { until } from '../../helpers/until.js'

let caddy: BareCaddy
let home: string
let log: string[]
let served: ServedConfig

beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), 'moat-refused-'))
  log = []
  const paths = moatPaths({ MOAT_HOME: home })
  caddy = await startBareCaddy(paths, [])
  const { path } = await findCaddy({ env: process.env, paths })
  served = new ServedConfig({
    admin: caddy.admin,
    binary: path,
    domain: 'localhost',
    log: (message) => log.push(message),
    paths,
  })
  served.settings = caddy.settings
  served.started(toCaddyConfig(caddy.settings, emptyTable), emptyTable)
})
afterEach(async () => {
  await caddy.kill()
  rmSync(home, { force: true, recursive: true })
})

/** Routes of an endpoint; those of `odd` have an id, which no label may give them. */
const routesOf = (agent: string): HostRoutes => ({
  agent,
  endpoint: 'web',
  hosts: [`web.${agent}.localhost`],
  plugin: 'moat-cli',
  routes: [
    {
      // Caddy takes them when it is asked about them alone, and not among all others: they are in several servers.
      ...(agent === 'odd' ? { '@id': 'mine' } : {}),
      handle: [{ body: `I am ${agent}`, handler: 'static_response' }],
    } as CaddyRoute,
  ],
  runId: `run_${agent}`,
  upstream: false,
})
const table = (...agents: string[]): RouteTable => ({ ...emptyTable, hostRoutes: agents.map(routesOf) })

/** The agents whose routes Caddy has. */
async function inForce(): Promise<string[]> {
  const config = JSON.stringify(await caddy.admin.readConfig())
  return ['first', 'odd', 'third'].filter((agent) => config.includes(`I am ${agent}`))
}

it('of agents that Caddy does not take together those it takes are served, and the other is named', async () => {
  await served.bringInLine(table('first'))
  await served.bringInLine(table('first', 'odd'))
  expect(await inForce()).toEqual(['first'])
  const problem = served.problemOf(table('first', 'odd'))
  expect(problem).toMatch(/^Caddy rejects what odd's endpoint web needs, and serves the others: .*'mine'/)
  expect(problem).not.toContain('first')
  expect(log).toEqual([problem])
  // Others come and go all the same.
  await served.bringInLine(table('first', 'odd', 'third'))
  expect(await inForce()).toEqual(['first', 'third'])
  await served.bringInLine(table('odd', 'third'))
  expect(await inForce()).toEqual(['third'])
  expect(served.problemOf(table('odd', 'third'))).toBe(problem)
})

it('what was refused is tried again after a while, and forgotten with its agent', async () => {
  await served.bringInLine(table('first', 'odd'))
  expect(served.isDue(table('first', 'odd'))).toBe(false)
  await until('another try to be due', () => served.isDue(table('first', 'odd')))
  await served.bringInLine(table('first', 'odd'))
  expect(await inForce()).toEqual(['first'])
  expect(served.isDue(table('first', 'odd'))).toBe(false)
  expect(served.problemOf(table('first'))).toBeUndefined()
})
