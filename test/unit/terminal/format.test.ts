import { homedir } from 'node:os'
import { describe, expect, it } from 'vitest'
import { MoatError } from '../../../src/errors.js'
import type { AgentView } from '../../../src/routing/agent-view.js'
import { formatAge } from '../../../src/routing/format-age.js'
import { describeServices, formatAgents, formatEndpoints } from '../../../src/terminal/format-agents.js'
import { formatDiagnosis } from '../../../src/terminal/format-diagnosis.js'
import { formatProxyStatus, formatProxyUrls } from '../../../src/terminal/format-proxy-status.js'
import { formatCleaned, formatWorktrees } from '../../../src/terminal/format-worktrees.js'
import { renderError } from '../../../src/terminal/render-error.js'
import { splitCommand } from '../../../src/terminal/split-command.js'
import { terminalColumns } from '../../../src/terminal/table.js'

const now = Date.parse('2026-11-23T12:00:00Z')

function agent(name: string, endpoints: Record<string, number>, minutesAgo = 2): AgentView {
  return {
    createdAt: new Date(now - minutesAgo * 60_000).toISOString(),
    endpoints: Object.entries(endpoints).map(([endpoint, port]) => ({
      name: endpoint,
      port,
      type: 'http',
      url: `https://${endpoint}.${name}.localhost:8080`,
    })),
    name,
    runId: 'run_a1b2c3d4e5f6',
    state: 'running',
    workspace: '/src/app',
  }
}

describe('formatAgents', () => {
  it('prints the table of moat list', () => {
    expect(
      formatAgents([agent('dark-mode', { api: 8080, web: 3000 }), agent('checkout', {}, 60 * 26)], now),
    ).toMatchInlineSnapshot(`
      "NAME       RUN ID            STATE    AGE     ENDPOINTS
      dark-mode  run_a1b2c3d4e5f6  running  2m ago  api:8080, web:3000
      checkout   run_a1b2c3d4e5f6  running  1d ago"
    `)
  })

  it('has a column for branches when an agent has one', () => {
    const onBranch = { ...agent('my-app-x-0a1b2c', { web: 3000 }), branch: 'feature/x' }
    expect(formatAgents([onBranch, agent('checkout', {})], now)).toMatchInlineSnapshot(`
      "NAME             RUN ID            STATE    AGE     ENDPOINTS  BRANCH
      my-app-x-0a1b2c  run_a1b2c3d4e5f6  running  2m ago  web:3000   feature/x
      checkout         run_a1b2c3d4e5f6  running  2m ago"
    `)
  })

  it('says who works in a clone', () => {
    const clones = [
      { ...agent('one', {}), branch: 'main', clone: true as const },
      { ...agent('two', {}), clone: true as const },
    ]
    expect(formatAgents(clones, now)).toMatchInlineSnapshot(`
      "NAME  RUN ID            STATE    AGE     ENDPOINTS  BRANCH
      one   run_a1b2c3d4e5f6  running  2m ago             main (clone)
      two   run_a1b2c3d4e5f6  running  2m ago             (clone)"
    `)
  })
})

describe('on a terminal', () => {
  const five = { admin: 3004, api: 3001, docs: 3002, storybook: 6006, web: 3000 }
  const at = (columns: number, agents = [agent('dark-mode', five)]) => formatAgents(agents, now, columns)

  it('moat list shows URLs where they fit', () => {
    expect(at(120)).toBe(`NAME       RUN ID            STATE    AGE     ENDPOINTS
dark-mode  run_a1b2c3d4e5f6  running  2m ago  admin:3004      https://admin.dark-mode.localhost:8080
                                              api:3001        https://api.dark-mode.localhost:8080
                                              docs:3002       https://docs.dark-mode.localhost:8080
                                              storybook:6006  https://storybook.dark-mode.localhost:8080
                                              web:3000        https://web.dark-mode.localhost:8080`)
  })

  it('five endpoints at 100 columns break between words', () => {
    const text = at(100)
    expect(text).toBe(`NAME       RUN ID            STATE    AGE     ENDPOINTS
dark-mode  run_a1b2c3d4e5f6  running  2m ago  admin:3004, api:3001, docs:3002, storybook:6006,
                                              web:3000`)
  })

  it('a narrow one has fewer columns', () => {
    expect(at(40)).toBe(`NAME       STATE    ENDPOINTS
dark-mode  running  admin:3004,
                    api:3001, docs:3002,
                    storybook:6006,
                    web:3000`)
  })

  it.each([40, 60, 79, 80, 100, 119, 120, 200])('of %i columns has no longer line', (columns) => {
    const branch = { ...agent('app-x', { web: 3000 }, 60), branch: 'x' }
    for (const list of [[agent('dark-mode', five)], [branch], [agent('a', {})]])
      expect(
        Math.max(
          ...at(columns, list)
            .split('\n')
            .map(({ length }) => length),
        ),
      ).toBeLessThanOrEqual(columns)
  })

  it('says nothing of a size that it does not have', () => {
    expect(terminalColumns({ columns: 0, isTTY: true })).toBeUndefined()
    expect(terminalColumns({ columns: 80 })).toBeUndefined()
    expect(terminalColumns({ columns: 80, isTTY: true })).toBe(80)
  })

  it('moat proxy status has the URLs below', () => {
    expect(formatProxyUrls({ agents: [agent('dark-mode', { web: 3000 })], status: 'running' })).toEqual([
      '',
      'URLs:',
      '  https://web.dark-mode.localhost:8080',
    ])
    expect(formatProxyUrls({ agents: [], status: 'running' })).toEqual([])
  })

  it('moat doctor keeps to its columns and never breaks a command', () => {
    const fixes = ['moat a-command-that-is-longer-than-the-terminal --is --wide']
    const finding = {
      check: 'engine',
      fixes,
      message: 'Docker does not answer at its socket.',
      status: 'fail' as const,
    }
    expect(formatDiagnosis([finding], 40)).toBe(`fail  engine  Docker does not answer at
              its socket.
              Try this:
                ${fixes[0]}

1 problem, 0 warnings.`)
  })
})

describe('formatWorktrees', () => {
  it('prints a line a run, and one for a worktree without any', () => {
    const runs = [
      { name: 'app-x', runId: 'run_a1b2c3d4e5f6', state: 'running' as const },
      { name: 'second', runId: 'run_a1b2c3d4e5f7', state: 'exited' as const },
    ]
    const worktrees = [
      { branch: 'feature/x', runs, worktree: '/home/ann/.moat/worktrees/github.com/ann/app/feature/x' },
      { branch: null, runs: [], worktree: '/src/by hand' },
    ]
    expect(formatWorktrees(worktrees, '/home/ann')).toMatchInlineSnapshot(`
      "BRANCH      RUN NAME  STATE    WORKTREE
      feature/x   app-x     running  ~/.moat/worktrees/github.com/ann/app/feature/x
      feature/x   second    exited   ~/.moat/worktrees/github.com/ann/app/feature/x
      (detached)  -         -        /src/by hand"
    `)
  })
})

describe('formatCleaned', () => {
  it('says what was removed and what was kept, and why', () => {
    const kept = [{ branch: 'b', reason: 'has 2 uncommitted changes', worktree: '/w/b' }]
    const removed = [
      { branch: 'a', worktree: '/home/ann/w/a' },
      { branch: null, worktree: '/w/c' },
    ]
    expect(formatCleaned({ kept, removed }, '/home/ann')).toEqual([
      'Removed ~/w/a; branch a stays.',
      'Removed /w/c.',
      'Kept /w/b: branch b has 2 uncommitted changes.',
    ])
    expect(formatCleaned({ kept: [], removed: [] })).toEqual(['Nothing to remove.'])
  })
})

describe('formatEndpoints', () => {
  it('prints a URL and what is behind it, a line each', () => {
    expect(formatEndpoints(agent('dark-mode', { web: 3000 }))).toEqual([
      'https://web.dark-mode.localhost:8080  → dark-mode container:3000',
    ])
  })
})

describe('formatProxyStatus', () => {
  const ca = `${homedir()}/.moat/proxy/ca/ca.crt`

  it('prints exactly the documented layout', () => {
    const agents = [agent('dark-mode', { web: 3000 }), agent('checkout', { web: 3000 })]
    expect(
      formatProxyStatus({
        agents,
        ca,
        caddy: { pid: 2, version: '2.11.4' },
        domain: 'localhost',
        indexUrl: 'https://localhost:8080',
        port: 8080,
        status: 'running',
        supervisor: { pid: 1 },
      }),
    ).toBe(`Routing Proxy
=============
Status: running
Port: 8080
CA: ~/.moat/proxy/ca/ca.crt

Registered Agents:
  dark-mode   web:3000
  checkout    web:3000`)
  })

  it('names a domain of the user', () => {
    const where = { domain: 'moat.test', indexUrl: 'https://moat.test:8080', port: 8080 }
    const text = formatProxyStatus({ ...where, agents: [], ca, caddy: null, status: 'running', supervisor: { pid: 1 } })
    expect(text).toContain('\nStatus: running\nPort: 8080\nDomain: moat.test\nCA: ')
  })

  it('says when it is stopped, and when something is wrong', () => {
    const indexUrl = 'https://localhost:9000'
    const where = { domain: 'localhost', indexUrl, port: 9000 }
    const stopped = { ...where, agents: [], ca, caddy: null, status: 'stopped', supervisor: null } as const
    expect(formatProxyStatus({ ...stopped, agents: [], problem: 'The container engine went away.' })).toBe(
      `Routing Proxy
=============
Status: stopped
Port: 9000
CA: ~/.moat/proxy/ca/ca.crt
Problem: The container engine went away.

Registered Agents:
  none`,
    )
  })
})

describe('formatAge', () => {
  it.each([
    [0, '0s ago'],
    [59, '59s ago'],
    [60, '1m ago'],
    [3_599, '59m ago'],
    [3_600, '1h ago'],
    [86_400, '1d ago'],
    [-5, '0s ago'],
  ])('%i seconds: %s', (seconds, age) => {
    expect(formatAge(new Date(now - seconds * 1000).toISOString(), now)).toBe(age)
  })
})

describe('renderError', () => {
  const error = new MoatError('NAME_IN_USE', 'The name dark-mode is already in use by run run_a1b2c3d4e5f6.', {
    cause: new Error('409'),
    suggestions: ['moat list', 'moat stop dark-mode'],
  })

  it('prints what is wrong and the commands that fix it, and no stack', () => {
    expect(renderError(error)).toBe(`Error: The name dark-mode is already in use by run run_a1b2c3d4e5f6.

Try this:
  moat list
  moat stop dark-mode`)
  })

  it('prints causes and stacks when asked', () => {
    expect(renderError(error, { verbose: true })).toMatch(/Stack:\n.*\n\s+at [\s\S]+Caused by:\nError: 409\n\s+at /)
  })

  it('does not call a full disk or a forbidden file a defect', () => {
    const full = Object.assign(new Error("ENOSPC: no space left on device, write '/home/ann/.moat'"), {
      code: 'ENOSPC',
    })
    expect(renderError(full)).toBe("Error: ENOSPC: no space left on device, write '/home/ann/.moat'")
  })

  it('owns up to a defect', () => {
    expect(renderError(new TypeError('x is undefined'))).toBe(
      'Error: x is undefined\n\nThis is a defect in moat. DEBUG=* shows where it happened.',
    )
  })
})

describe('splitCommand', () => {
  it('separates a command at the first --', () => {
    expect(splitCommand(['.', '-d', '--', 'npm', 'test', '--', '-x'])).toEqual({
      argv: ['.', '-d'],
      command: ['npm', 'test', '--', '-x'],
    })
    expect(splitCommand(['.'])).toEqual({ argv: ['.'] })
    expect(splitCommand(['.', '--'])).toEqual({ argv: ['.'] })
  })
})

it('tells of services of agents that live, a line each', () => {
  const services = [
    { image: 'postgres:17', name: 'postgres', port: 5432 },
    { image: 'redis:7', name: 'redis', port: 6380 },
  ]
  const lines = describeServices([
    { name: 'one', services, state: 'running' },
    { name: 'none', state: 'running' },
    { name: 'ended', services, state: 'exited' },
  ])
  expect(lines).toEqual(['Services of one: postgres:5432 (postgres:17), redis:6380 (redis:7)'])
})
