import { describe, expect, it } from 'vitest'
import type { NetworkPolicy } from '../../../src/egress/policy.js'
import { containerName, toLabels } from '../../../src/engine/labels.js'
import { fromLabels } from '../../../src/engine/read-labels.js'

const agent = {
  endpoints: [
    { name: 'web', port: 3000, type: 'http' },
    { name: 'docs', type: 'static' },
  ],
  keep: false,
  name: 'dark-mode',
  routes: [{ endpoint: 'web', upstream: { port: 3000, protocol: 'h2c' as const } }],
  runId: 'run_0123456789ab',
  workspace: '/home/ann/my-app',
}

describe('labels', () => {
  it('are documented names with documented values', () => {
    expect(toLabels({ ...agent, home: '/home/ann/.moat' })).toEqual({
      'dev.moat.endpoints': '[{"name":"web","port":3000,"type":"http"},{"name":"docs","type":"static"}]',
      'dev.moat.home': '/home/ann/.moat',
      'dev.moat.name': 'dark-mode',
      'dev.moat.routes': '[{"endpoint":"web","upstream":{"port":3000,"protocol":"h2c"}}]',
      'dev.moat.run-id': 'run_0123456789ab',
      'dev.moat.workspace': '/home/ann/my-app',
    })
  })

  it('carry what runs beside an agent, and nothing for none', () => {
    const services = [{ image: 'postgres:17', name: 'postgres', port: 5432 }]
    expect(fromLabels(toLabels({ ...agent, services }))).toEqual({ ...agent, services })
    expect(toLabels(agent)).not.toHaveProperty('dev.moat.services')
    const broken = { ...toLabels(agent), 'dev.moat.services': '[{"name":"postgres"}]' }
    expect(() => fromLabels(broken)).toThrow('dev.moat.services')
  })

  it('carry what an agent may reach, and say nothing of one about which nothing was said', () => {
    const network: NetworkPolicy = {
      host: [5432],
      peers: ['checkout'],
      policy: 'strict',
      rules: [
        { effect: 'allow', host: 'a.test', place: 'moat.yaml:3:7', text: 'a.test' },
        {
          effect: 'allow',
          host: 'b.test',
          paths: [{ effect: 'deny', method: '*', path: '/x/**' }],
          port: 8443,
          text: 'b.test:8443',
        },
      ],
    }
    expect(fromLabels(toLabels({ ...agent, network }))).toEqual({ ...agent, network })
    expect(toLabels(agent)).not.toHaveProperty('dev.moat.network')
    const broken = { ...toLabels(agent), 'dev.moat.network': '{"policy":"open"}' }
    expect(() => fromLabels(broken)).toThrow('dev.moat.network')
  })

  it('give back the agent they were made from', () => expect(fromLabels(toLabels(agent))).toEqual(agent))

  it('carry that an agent works in a clone', () => {
    const inClone = { ...agent, clone: 'moat-agent:1' }
    expect(toLabels(inClone)).toMatchObject({ 'dev.moat.clone': 'moat-agent:1' })
    expect(fromLabels(toLabels(inClone))).toEqual(inClone)
  })

  it('carry the branch and the repository of a worktree', () => {
    const onBranch = { ...agent, branch: 'feature/auth', repository: 'github.com/ann/app' }
    expect(toLabels(onBranch)).toMatchObject({
      'dev.moat.branch': 'feature/auth',
      'dev.moat.repository': 'github.com/ann/app',
    })
    expect(fromLabels(toLabels(onBranch))).toEqual(onBranch)
  })

  it('carry the ports that its container hands on to the proxy', () => {
    expect(toLabels({ ...agent, forwards: [443, 80] })['dev.moat.forwards']).toBe('443,80')
    expect(fromLabels(toLabels({ ...agent, forwards: [8080] })).forwards).toEqual([8080])
  })

  it('say that whatever listens has a URL, and never what does', () => {
    const discovering = { ...agent, discover: true as const }
    expect(toLabels(discovering)['dev.moat.discover']).toBe('true')
    expect(fromLabels(toLabels(discovering))).toEqual(discovering)
    for (const value of ['', 'false', 'TRUE', '1'])
      expect(fromLabels({ ...toLabels(agent), 'dev.moat.discover': value })).toEqual(agent)
    const found = { discovered: true as const, name: '5173', port: 5173, type: 'http' }
    const [, , read] = fromLabels(toLabels({ ...agent, endpoints: [...agent.endpoints, found] })).endpoints
    expect(read).toEqual({ name: '5173', port: 5173, type: 'http' })
  })

  it.each([
    ['dev.moat.endpoints', undefined, 'is missing'],
    ['dev.moat.endpoints', '[{"name":"web","port":0,"type":"http"}]', '0.port: Too small: expected number to be >=1'],
    ['dev.moat.forwards', '8080,', '1: Too small: expected number to be >=1'],
    ['dev.moat.forwards', 'web', '0: Invalid input: expected number, received NaN'],
    ['dev.moat.name', 'Dark_Mode', 'is not a lower-case DNS label'],
    ['dev.moat.routes', '[', 'is not JSON'],
    ['dev.moat.routes', '[{"endpoint":"a.b"}]', '0.endpoint: is not a lower-case DNS label'],
    ['dev.moat.run-id', 'run_1', 'is not run_ and 12 hex digits'],
    ['dev.moat.workspace', '', 'is empty'],
  ])('say which of them cannot be read, and why: %s %j', (label, value, reason) => {
    const { [label]: _, ...values } = toLabels(agent)
    if (value !== undefined) values[label] = value
    expect(() => fromLabels(values)).toThrow(`label ${label}: ${reason}`)
  })
})

describe('containerName', () => {
  it('is the same under one home, another under another, and one an engine accepts', () => {
    const name = containerName('dark-mode', '/home/ann/.moat')
    expect(containerName('dark-mode', '/home/ann/.moat')).toBe(name)
    expect(containerName('dark-mode', '/home/bob/.moat')).not.toBe(name)
    expect(name).toMatch(/^moat-dark-mode-[0-9a-f]{8}$/)
  })
})
