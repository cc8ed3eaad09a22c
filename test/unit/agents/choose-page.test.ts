// Which URL a person means, also while what an agent has comes and goes.
import { describe, expect, it } from 'vitest'
import { choosePage } from '../../../src/agents/choose-page.js'
import type { Agent } from '../../../src/routing/agent.js'
import { discoveredEndpoint } from '../../../src/routing/declared-ports.js'

const address = { domain: 'localhost', port: 8080 }

function agent(declared: number[], found: number[]): Agent {
  const fragment = (port: number) => ({ endpoint: `${port}`, upstream: { port, protocol: 'http' as const } })
  return {
    containerId: 'c1',
    createdAt: '2026-11-24T11:58:00.000Z',
    discover: true,
    endpoints: [
      ...declared.map((port) => ({ name: `e${port}`, port, type: 'http' })),
      ...found.map(discoveredEndpoint),
    ],
    keep: false,
    name: 'app',
    published: {},
    routes: [
      ...declared.map((port) => ({ ...fragment(port), endpoint: `e${port}` })),
      ...found.map((port) => ({ ...fragment(port), discovered: true as const })),
    ],
    runId: 'run_0123456789ab',
    state: 'running',
    wayIn: 'sockets',
    workspace: '/src',
  }
}
const open = async (who: Agent, endpoint?: string) =>
  (await choosePage([who], { agent: 'app', dashboard: false, directory: '/', endpoint }, address)).url

describe('an agent that discovers', () => {
  it.each([
    ['the only declared endpoint, whatever else listens', [3000], [5173], 'https://e3000.app.localhost:8080'],
    ['its page when there are several', [3000, 8000], [5173], 'https://app.localhost:8080'],
    ['the only port where none is declared', [], [5173], 'https://5173.app.localhost:8080'],
    ['its page when several listen', [], [5173, 9229], 'https://app.localhost:8080'],
    ['its page when nothing listens', [], [], 'https://app.localhost:8080'],
  ])('is opened at %s', async (_, declared, found, url) => expect(await open(agent(declared, found))).toBe(url))

  it('is opened at a port by its number, while something listens there', async () => {
    expect(await open(agent([3000], [5173]), '5173')).toBe('https://5173.app.localhost:8080')
    await expect(open(agent([3000], []), '5173')).rejects.toMatchObject({
      code: 'AGENT_NOT_FOUND',
      message: 'Nothing listens on port 5173 in app now.',
      suggestions: ['moat wait app 5173', 'moat list'],
    })
  })
})
