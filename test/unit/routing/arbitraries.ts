// Owns the generated names, ports and agents of the routing tests.
import fc from 'fast-check'
import type { Agent } from '../../../src/routing/agent.js'
import { domainProblem } from '../../../src/routing/domain.js'

export const label = fc
  .stringMatching(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/)
  .filter((text) => !text.startsWith('xn--'))

/** Domains that config.yaml may have. */
export const domain = fc.oneof(
  fc.constantFrom('localhost', 'test', 'moat.test', 'dev.localhost', 'a.b.c.example.com'),
  fc
    .array(label, { maxLength: 4, minLength: 2 })
    .map((labels) => labels.join('.'))
    .filter((text) => domainProblem(text) === undefined),
)

export const port = fc.integer({ max: 65_535, min: 1 })

const endpoints = fc.uniqueArray(fc.record({ name: label, port, protocol: fc.constantFrom('http', 'https', 'h2c') }), {
  maxLength: 4,
  selector: ({ name }) => name,
})

/** A running agent whose endpoints have each a route; the published ports of some may be missing. */
const agent: fc.Arbitrary<Agent> = fc
  .record({ endpoints, name: label, published: fc.infiniteStream(fc.option(port, { nil: undefined })) })
  .map(({ endpoints, name, published }) => ({
    containerId: name,
    createdAt: '2025-01-01T00:00:00.000Z',
    endpoints: endpoints.map(({ name, port }) => ({ name, port, type: 'http' })),
    keep: false,
    name,
    published: Object.fromEntries(
      endpoints.flatMap(({ port }) => {
        const { value } = published.next()
        return value === undefined ? [] : [[port, value]]
      }),
    ),
    routes: endpoints.map(({ name, port, protocol }) => ({ endpoint: name, upstream: { port, protocol } })),
    runId: 'run_0123456789ab',
    state: 'running',
    workspace: '/src',
  }))

/** Agents with names of their own, as the engine keeps them. */
export const agents = fc.uniqueArray(agent, { maxLength: 6, selector: ({ name }) => name })
