import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { planWayToWorld, type WayToWorldOptions } from '../../../../src/agents/container/way-to-world.js'
import { policy } from '../../../helpers/gate.js'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'moat-world-'))
})
afterEach(() => rmSync(directory, { force: true, recursive: true }))

const plan = (host: number[] = [], options: Partial<WayToWorldOptions> = {}) =>
  planWayToWorld(policy([], { host }), {
    domain: 'localhost',
    image: { environment: {} },
    mountPoint: '/run/moat',
    paths: { agents: join(directory, 'agents'), publicCertificate: join(directory, 'public', 'ca.crt') },
    runId: 'run_0123456789ab',
    taken: [8080, 3000],
    userEnv: {},
    ...options,
  })

describe('the way to the world', () => {
  it('leads from a port to the gate, and from others to ports of the machine', async () => {
    const { flags, mounts, ports } = await plan([5432, 61_080])
    expect(ports).toEqual([61_081, 5432, 61_080])
    expect(flags).toEqual([
      ...['--lead', '61081=/run/moat/gate.sock', '--lead', '5432=/run/moat/5432.host'],
      ...['--lead', '61080=/run/moat/61080.host'],
    ])
    expect(mounts.map(({ readOnly, target }) => ({ readOnly, target }))).toEqual([
      { readOnly: true, target: '/etc/apt/apt.conf.d/90moat' },
      { readOnly: true, target: '/etc/ssh/ssh_config.d/moat.conf' },
    ])
    const [apt, ssh] = mounts.map(({ source }) => readFileSync(source, 'utf8'))
    expect(apt).toContain('Acquire::https::Proxy "http://127.0.0.1:61081";')
    expect(ssh).toContain('ProxyCommand /run/moat/forward connect /run/moat/gate.sock %h %p')
    expect(statSync(mounts[0]?.source ?? '').mode & 0o777).toBe(0o644)
  })

  it('is told to each tool in the way it understands', async () => {
    const { env } = await plan([], { domain: 'dev.example.com' })
    const proxy = 'http://127.0.0.1:61080'
    for (const name of ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY'])
      expect([env[name], env[name.toLowerCase()]]).toEqual([proxy, proxy])
    const direct = 'localhost,.localhost,dev.example.com,.dev.example.com,127.0.0.0/8,127.0.0.1,::1,[::1]'
    expect([env.NO_PROXY, env.no_proxy, env.NODE_USE_ENV_PROXY]).toEqual([direct, direct, '1'])
    expect(env.JAVA_TOOL_OPTIONS).toContain('-Dhttps.proxyHost=127.0.0.1 -Dhttps.proxyPort=61080')
    expect(env.JAVA_TOOL_OPTIONS).toContain('*.dev.example.com')
  })

  it('leaves what the user sets, in whichever case, and keeps what the image tells Java', async () => {
    const { env } = await plan([], {
      image: { environment: { JAVA_TOOL_OPTIONS: '-Xmx1g' } },
      userEnv: { HTTPS_PROXY: 'x', no_proxy: 'y' },
    })
    expect(Object.keys(env).toSorted()).toEqual([
      ...['ALL_PROXY', 'HTTP_PROXY', 'JAVA_TOOL_OPTIONS', 'NODE_USE_ENV_PROXY', 'all_proxy', 'http_proxy'],
    ])
    expect(env.JAVA_TOOL_OPTIONS).toMatch(/^-Xmx1g -Dhttp\.proxyHost=/)
  })
})
