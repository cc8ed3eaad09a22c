// moat doctor on this machine: a proxy that runs, an engine that does not answer, processes that were killed.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Finding } from '../../../src/doctor/diagnosis.js'
import type { ProxyStatus } from '../../../src/supervisor/proxy.js'
import { Sandbox } from '../../helpers/sandbox.js'

interface Report {
  checks: Finding[]
  healthy: boolean
}

let sandbox: Sandbox

beforeEach(() => {
  sandbox = new Sandbox()
})
afterEach(() => sandbox.cleanUp())

const statusOf = (report: Report, check: string) => report.checks.find((finding) => finding.check === check)?.status

describe('moat doctor', () => {
  it('finds nothing wrong, and tells by handshakes who trusts the proxy', async () => {
    await sandbox.json(['proxy', 'start', '--detach'])
    const report = await sandbox.json<Report>(['doctor'])
    expect(report.healthy).toBe(true)
    expect(Object.fromEntries(report.checks.map(({ check, status }) => [check, status]))).toMatchObject({
      authority: 'ok',
      caddy: 'ok',
      engine: 'ok',
      files: 'ok',
      node: 'ok',
      port: 'ok',
      'trust (node)': 'warn',
      'trust (system)': 'warn',
    })
    expect(report.checks[0]).not.toHaveProperty('repair')
    const env = { NODE_EXTRA_CA_CERTS: join(sandbox.home, 'proxy/ca/ca.crt') }
    expect(statusOf(await sandbox.json<Report>(['doctor'], { env }), 'trust (node)')).toBe('ok')
  })

  it('leaves nothing in the home of its user, whatever the clients that it asks write there', async () => {
    await sandbox.json(['proxy', 'start', '--detach'])
    const home = sandbox.directory('person')
    const report = await sandbox.json<Report>(['doctor'], { env: { HOME: home } })
    // So Chromium was asked.
    expect(report.checks.map(({ message }) => message).join()).toContain('chromium does not trust')
    expect(readdirSync(home, { recursive: true })).toEqual([])
  })

  it('exits with 1 when something fails, and goes on with the other checks', async () => {
    const socket = join(sandbox.home, 'no.sock')
    const env = { DOCKER_HOST: `unix://${socket}`, MOAT_PROXY_PORT: 'http' }
    const project = sandbox.directory('shop', {
      'moat.yaml': 'name: shop\nports: {web: 8000}\ncommand: uvicorn main:app\n',
      'requirements.txt': 'uvicorn\n',
    })
    const outcome = await sandbox.moat(['doctor', project], { env })
    expect(outcome.code).toBe(1)
    expect(outcome.stdout).toMatch(/^ok {4}Uvicorn +moat run sets FORWARDED_ALLOW_IPS=\*, unless the image does\.$/m)
    expect(outcome.stdout).toMatch(
      /^fail {2}engine +No container engine answers\.\n +unix:\/\/.*no\.sock \(DOCKER_HOST\): no such file/,
    )
    expect(outcome.stdout).toContain('unset DOCKER_HOST')
    expect(outcome.stdout).toMatch(
      /^fail {2}port +MOAT_PROXY_PORT must be a port number from 1 to 65535, not "http"\./m,
    )
    expect(outcome.stdout).toMatch(/^ok {4}caddy/m)
    expect(outcome.stdout).toMatch(/\n2 problems, \d warnings?\.\n$/)
    const json = await sandbox.moat(['doctor', '--json'], { env })
    expect(json.code).toBe(1)
    expect(JSON.parse(json.stdout)).toMatchObject({ healthy: false })
  })

  it('tells of a Caddy whose supervisor was killed, and of ended runs; it changes nothing', async () => {
    const workspace = sandbox.directory('ended', {
      'moat.yaml': 'name: ended\ndependencies: [node@22]\ncommand: "true"\n',
    })
    await sandbox.moat(['run', '--keep', workspace])
    await sandbox.json(['proxy', 'start', '--detach'])
    const { supervisor } = await sandbox.json<ProxyStatus>(['proxy', 'status'])
    process.kill(supervisor?.pid ?? 0, 'SIGKILL')
    const report = await sandbox.json<Report>(['doctor'])
    const messages = report.checks.filter(({ check }) => check === 'leftovers').map(({ message }) => message)
    expect(messages).toEqual([
      expect.stringMatching(/^On the engine: 1 ended run/),
      'Caddy serves without its supervisor, which was killed. The next start of an agent adopts it.',
    ])
    expect((await sandbox.processes()).supervisors).toEqual([])
    expect(await sandbox.containers()).toHaveLength(1)
  })
})
