// Files and sockets of moat's are removed or replaced while agents are served: URLs go on answering, and what was broken is
// put right by itself, or by the next command.
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CaddyAdmin } from '../../../src/caddy/admin.js'
import { moatPaths } from '../../../src/config/paths.js'
import type { AgentView } from '../../../src/routing/agent-view.js'
import type { ProxyStatus } from '../../../src/supervisor/proxy.js'
import { Sandbox } from '../../helpers/sandbox.js'
import { freePort } from '../../helpers/servers.js'
import { until } from '../../helpers/until.js'

/** How long anything may take to be as it should be. Milliseconds. */
const deadline = 3_000
const sandbox = new Sandbox()
const paths = moatPaths({ MOAT_HOME: sandbox.home })
let url: string

const admin = () => new CaddyAdmin(paths.adminSocket)
const status = () => sandbox.json<ProxyStatus>(['proxy', 'status'])
const answers = async () => (await sandbox.get(url)).body === 'app 3000'
const kept = (path: string) => path.replace('.sock', '.kept')
const isSocket = (path: string) => statSync(path).isSocket()
const newAgent = async (name: string) => {
  const { endpoints } = await sandbox.json<AgentView>(['run', '-d', sandbox.workspace(name)])
  expect((await sandbox.get(endpoints[0]?.url ?? '')).body).toBe(`${name} 3000`)
  await sandbox.json(['destroy', name])
}

beforeAll(async () => {
  // One that nobody is given by chance while the proxy is away for a moment.
  sandbox.env.MOAT_PROXY_PORT = String(await freePort())
  const { endpoints } = await sandbox.json<AgentView>(['run', '-d', sandbox.workspace('app')])
  url = endpoints[0]?.url ?? ''
})
afterAll(() => sandbox.cleanUp())

describe('the admin socket', () => {
  it('that is removed is put back, by a supervisor that does not end Caddy', async () => {
    const { caddy } = await status()
    rmSync(paths.adminSocket)
    await newAgent('second')
    expect(await answers()).toBe(true)
    expect((await status()).caddy).toEqual(caddy)
  })

  it('that is removed for good costs a new Caddy on the same port', async () => {
    const { caddy } = await status()
    rmSync(kept(paths.adminSocket))
    rmSync(paths.adminSocket)
    await until('another Caddy', async () => ((await admin().answers()) ? answers() : false), deadline)
    expect((await status()).caddy?.pid).not.toBe(caddy?.pid)
    await newAgent('third')
  })

  it('with a directory in its place is put back, and the directory is kept aside', async () => {
    rmSync(paths.adminSocket)
    mkdirSync(paths.adminSocket)
    await until('the socket', () => isSocket(paths.adminSocket), deadline)
    expect(await answers()).toBe(true)
  })

  it('that is gone with the supervisor keeps nobody from a proxy on the same port', async () => {
    const before = await status()
    process.kill(before.supervisor?.pid ?? 0, 'SIGKILL')
    rmSync(paths.adminSocket)
    rmSync(kept(paths.adminSocket))
    const after = await status()
    expect([after.status, after.port]).toEqual(['running', before.port])
    expect(await answers()).toBe(true)
    expect((await sandbox.processes()).caddys).toHaveLength(1)
  })
})

describe('the sockets at which containers reach Caddy', () => {
  const ask = `require('node:http').get(process.env.MOAT_URL_WEB + '/x', { headers: { Connection: 'close' } }, (r) => r.resume().on('end', () => console.log(r.statusCode)))`
  const inside = async () => (await sandbox.inside('app', 'node', '-e', ask)).stdout.trim()

  it('that are removed or replaced are put back, without another Caddy', async () => {
    const { caddy } = await status()
    expect(await inside()).toBe('200')
    rmSync(paths.inside.tls)
    rmSync(paths.inside.plain)
    mkdirSync(paths.inside.plain)
    await until('the sockets', () => isSocket(paths.inside.tls) && isSocket(paths.inside.plain), deadline)
    expect(await inside()).toBe('200')
    expect((await status()).caddy).toEqual(caddy)
  })

  it('that are removed for good cost a new Caddy on the same port', async () => {
    rmSync(kept(paths.inside.plain))
    rmSync(paths.inside.plain)
    await until('the socket', () => isSocket(paths.inside.plain), deadline)
    await until('an answer', answers, deadline)
    expect(await inside()).toBe('200')
  })

  it('that are gone with the supervisor are put back by the next one', async () => {
    const before = await status()
    process.kill(before.supervisor?.pid ?? 0, 'SIGKILL')
    rmSync(paths.inside.tls)
    rmSync(paths.inside.plain)
    const after = await status()
    expect(after.caddy).toEqual(before.caddy)
    await until('the sockets', () => isSocket(paths.inside.tls) && isSocket(paths.inside.plain), deadline)
    expect(await inside()).toBe('200')
  })
})

describe('the sockets of the supervisor', () => {
  it.each(['controlSocket', 'pagesSocket', 'filesSocket'] as const)(
    'that is removed (%s) is made again',
    async (name) => {
      rmSync(paths[name])
      if (name === 'controlSocket') expect((await status()).status).toBe('running')
      await until('the socket', () => isSocket(paths[name]), deadline)
      expect(statSync(paths[name]).mode & 0o777).toBe(0o600)
      expect((await sandbox.get(new URL('/', url.replace('web.app.', '')).href)).status).toBe(200)
    },
  )

  it('that is another process’s by now is made again', async () => {
    rmSync(paths.controlSocket)
    const server = createServer((socket) => socket.destroy())
    await new Promise<void>((resolve) => server.listen(paths.controlSocket, resolve))
    await until('an answer', async () => (await sandbox.moat(['proxy', 'status'])).code === 0, deadline)
    server.close()
    await until('the socket', () => isSocket(paths.controlSocket), deadline)
  })

  it('are made again when the supervisor’s lock is removed with them, and no second one starts', async () => {
    const before = await status()
    rmSync(paths.controlSocket)
    rmSync(paths.supervisorLock)
    await until('the socket', () => isSocket(paths.controlSocket), deadline)
    expect((await status()).supervisor).toEqual(before.supervisor)
    expect((await sandbox.processes()).supervisors).toHaveLength(1)
  })
})

describe('the authority', () => {
  const problem = async () => (await status()).problem
  it.each(['caKey', 'caCertificate'] as const)(
    'whose %s is overwritten stops nothing, and is named with the fix',
    async (name) => {
      const good = readFileSync(paths[name])
      writeFileSync(paths[name], 'nonsense\n')
      try {
        expect(await until('a problem', problem, deadline)).toMatch(/^moat's certificate authority is broken: /)
        const refused = await sandbox.moat(['run', '-d', sandbox.workspace('fourth')])
        expect(refused.stderr).toContain(`Error: moat's certificate authority is broken: `)
        expect(refused.stderr).toContain('moat proxy start --detach')
        // Whoever asks has to know the certificate.
        if (name === 'caKey') expect(await answers()).toBe(true)
      } finally {
        writeFileSync(paths[name], good)
      }
      await until('no problem', async () => (await problem()) === undefined, deadline)
      await newAgent('fifth')
    },
  )

  it('that is broken when Caddy is killed is named in a sentence, and the proxy comes back with it', async () => {
    const good = readFileSync(paths.caKey)
    writeFileSync(paths.caKey, '')
    process.kill((await status()).caddy?.pid ?? 0, 'SIGKILL')
    expect(await until('a problem', problem, deadline)).toMatch(/ca\.key is not a private key\.$/)
    expect((await sandbox.moat(['proxy', 'status'])).stdout).not.toMatch(/goroutine|\.go:/)
    writeFileSync(paths.caKey, good)
    await until('an answer', answers, deadline)
  })

  it('that was pushed while it was broken has Caddy replaced, where that was the end of its admin API', async () => {
    const before = await status()
    const good = readFileSync(paths.caKey)
    const config = await admin().readConfig()
    writeFileSync(paths.caKey, 'nonsense\n')
    await expect(admin().replace([], { ...config, logging: {} })).rejects.toThrow()
    writeFileSync(paths.caKey, good)
    // Up to 2.11.4 it panics; 2.11.9 merely refuses.
    const dead = !(await admin().answers())
    expect(await answers()).toBe(true)
    await newAgent('sixth')
    expect(await answers()).toBe(true)
    const after = await status()
    expect(after.port).toBe(before.port)
    expect(after.caddy?.pid !== before.caddy?.pid).toBe(dead)
  })
})

describe('config.yaml', () => {
  it('that is corrupt keeps nothing from being shown and stopped', async () => {
    writeFileSync(paths.configFile, '{{{ nonsense')
    const env = { MOAT_PROXY_PORT: '' }
    const commands = ['list', 'status', 'proxy status', 'open app --print', 'stop app', 'proxy stop']
    for (const command of commands) {
      const outcome = await sandbox.moat(command.split(' '), { env })
      expect([command, outcome.code]).toEqual([command, 0])
      expect([command, outcome.stderr]).toEqual([command, expect.stringContaining('Note: home/config.yaml')])
    }
    rmSync(paths.configFile)
    expect(await sandbox.processes()).toEqual({ caddys: [], doorkeepers: [], gates: [], supervisors: [] })
  })
})
