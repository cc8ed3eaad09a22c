// Each check that needs neither engine nor Caddy, on files and ports of its own.
import { once } from 'node:events'
import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ensureAuthority } from '../../../src/authority/root.js'
import { moatPaths } from '../../../src/config/paths.js'
import { checkAuthority } from '../../../src/doctor/check-authority.js'
import { checkCaddy } from '../../../src/doctor/check-caddy.js'
import { checkLeftovers } from '../../../src/doctor/check-leftovers.js'
import { checkNode } from '../../../src/doctor/check-node.js'
import { checkPort } from '../../../src/doctor/check-port.js'
import { checkResolver, type Lookup } from '../../../src/doctor/check-resolver.js'
import { checkState } from '../../../src/doctor/check-state.js'
import { checkTrust } from '../../../src/doctor/check-trust.js'
import type { DoctorContext } from '../../../src/doctor/diagnosis.js'
import { takeFileLock } from '../../../src/supervisor/file-lock.js'

let context: DoctorContext
let home: string
const servers: Server[] = []

beforeEach(() => {
  home = realpathSync(mkdtempSync(join(tmpdir(), 'moat-doctor-')))
  context = {
    connectEngine: () => Promise.reject(new Error('no engine')),
    env: { PATH: '' },
    paths: moatPaths({ MOAT_HOME: home }),
    platform: 'linux',
    proxy: async () => undefined,
    wanted: async () => ({ domain: 'localhost', explicit: false, port: 0, source: 'default' }),
  }
})
afterEach(() => {
  for (const server of servers.splice(0)) server.close()
  rmSync(home, { force: true, recursive: true })
})

async function listen(target: number | string): Promise<number> {
  const server = createServer((socket) => socket.destroy())
  servers.push(server)
  server.listen(typeof target === 'number' ? { host: '127.0.0.1', port: target } : { path: target })
  await once(server, 'listening')
  const address = server.address()
  return address && typeof address === 'object' ? address.port : 0
}

describe('node', () => {
  it('must be new enough', async () => {
    expect(await checkNode(context, '22.13.0')).toMatchObject([{ status: 'ok' }])
    expect(await checkNode(context, '22.12.9')).toEqual([
      {
        check: 'node',
        fixes: ['npm install --global node@24'],
        message: 'Node.js 22.12.9 is too old: moat needs 22.13 or newer.',
        status: 'fail',
      },
    ])
  })
})

describe('caddy', () => {
  it('that is missing can be downloaded; one of MOAT_CADDY is for the user to correct', async () => {
    expect(await checkCaddy(context)).toMatchObject([{ check: 'caddy', repair: { kind: 'caddy' }, status: 'fail' }])
    const named = { ...context, env: { MOAT_CADDY: '/nonexistent/caddy', PATH: '' } }
    const [finding] = await checkCaddy(named)
    expect(finding).toMatchObject({ message: expect.stringContaining('from MOAT_CADDY'), status: 'fail' })
    expect(finding).not.toHaveProperty('repair')
  })
})

describe('port', () => {
  const at = (port: number, explicit = false): DoctorContext => ({
    ...context,
    wanted: async () => ({ domain: 'localhost', explicit, port, source: 'env' }),
  })
  const running =
    (port: number, problem?: string): DoctorContext['proxy'] =>
    async () => ({
      agents: [],
      ca: '',
      caddy: { pid: 2, version: '2.11.4' },
      kept: true,
      port,
      supervisor: { pid: 1, version: '0' },
      ...(problem !== undefined && { problem }),
    })

  it('names the process that holds it', async () => {
    const port = await listen(0)
    const [finding] = await checkPort(at(port))
    expect(finding).toMatchObject({
      fixes: expect.arrayContaining([`ps -fp ${process.pid}   # what it is`]),
      message: expect.stringMatching(new RegExp(`^Port ${port} is already in use by .+ \\(pid ${process.pid}\\)\\.$`)),
      status: 'fail',
    })
  })

  it('is free, or our own', async () => {
    const port = await listen(0)
    servers.pop()?.close()
    expect(await checkPort(at(port))).toMatchObject([
      { message: `Port ${port} is free; the proxy is not running.`, status: 'ok' },
    ])
    expect(await checkPort({ ...at(8080), proxy: running(8080) })).toMatchObject([
      { message: 'The routing proxy serves port 8080 (pid 1).', status: 'ok' },
    ])
  })

  it('of a running proxy may be another one than asked for, or its proxy in trouble', async () => {
    expect(await checkPort({ ...at(9000, true), proxy: running(8080, 'Caddy does not start') })).toEqual([
      {
        check: 'port',
        fixes: ['moat proxy stop && moat proxy start --port 9000'],
        message: 'The routing proxy serves port 8080, but port 9000 is asked for.',
        status: 'warn',
      },
      {
        check: 'proxy',
        fixes: [`tail ${context.paths.supervisorLog}`],
        message: 'Caddy does not start',
        status: 'fail',
      },
    ])
  })
})

describe('names', () => {
  const failing = Object.assign(new Error('getaddrinfo ENOTFOUND'), { code: 'ENOTFOUND' })
  const lookup =
    (addresses: Record<string, string[]>): Lookup =>
    async (host) => {
      const found = addresses[host.split('.').at(-1) === host ? host : '*']
      if (!found) throw failing
      return found
    }

  it('below localhost resolve to this machine', async () => {
    expect(await checkResolver(context, lookup({ '*': ['::1'], localhost: ['127.0.0.1'] }))).toMatchObject([
      { message: '*.localhost resolves to ::1.', status: 'ok' },
    ])
  })

  it('that are unknown are a warning, because browsers know them', async () => {
    const found = await checkResolver({ ...context, platform: 'darwin' }, lookup({ localhost: ['127.0.0.1'] }))
    expect(found).toEqual([
      {
        check: 'names',
        fixes: ["echo '127.0.0.1 web.my-app.localhost' | sudo tee -a /etc/hosts"],
        message:
          'The system does not resolve *.localhost. Browsers and curl do by themselves; other programs (Safari, Java, Node.js, wget) cannot open the URLs.',
        status: 'warn',
      },
    ])
  })

  it('of a domain of the user come from a resolver, or from the hosts file', async () => {
    const own: DoctorContext = {
      ...context,
      wanted: async () => ({ domain: 'moat.test', explicit: false, port: 0, source: 'default' }),
    }
    const found = (addresses: Record<string, string[]>) =>
      checkResolver(own, async (host) => {
        const answer = addresses[host === 'moat.test' ? host : '*']
        if (!answer) throw failing
        return answer
      })
    expect(await found({ '*': ['127.0.0.1'], 'moat.test': ['127.0.0.1'] })).toMatchObject([
      { message: '*.moat.test resolves to 127.0.0.1.', status: 'ok' },
    ])
    expect(await found({ 'moat.test': ['127.0.0.1'] })).toMatchObject([
      {
        message: 'moat.test resolves to 127.0.0.1; of the names below it, those that the hosts file has.',
        status: 'ok',
      },
    ])
    expect(await found({})).toEqual([
      {
        check: 'names',
        fixes: ['moat proxy hosts sync   # again when agents have come or gone'],
        message: 'The system does not resolve moat.test: no program can open the URLs.',
        status: 'warn',
      },
    ])
    expect(await found({ 'moat.test': ['203.0.113.7'] })).toMatchObject([
      { message: expect.stringContaining('A name below moat.test resolves to 203.0.113.7'), status: 'fail' },
    ])
  })

  it('that lead elsewhere, or not even localhost, are failures', async () => {
    expect(await checkResolver(context, lookup({ '*': ['203.0.113.7'], localhost: ['127.0.0.1'] }))).toMatchObject([
      { message: expect.stringContaining('resolves to 203.0.113.7, which is not this machine'), status: 'fail' },
    ])
    expect(await checkResolver(context, lookup({}))).toMatchObject([
      { fixes: ["echo '127.0.0.1 localhost' | sudo tee -a /etc/hosts"], status: 'fail' },
    ])
  })
})

describe('authority', () => {
  it('need not exist yet; when it does, its key is private and its end far', async () => {
    expect(await checkAuthority(context)).toMatchObject([{ status: 'ok' }])
    await ensureAuthority(context.paths, 'localhost')
    expect(await checkAuthority(context)).toMatchObject([{ status: 'ok' }])
    const nearItsEnd = new Date(Date.now() + 9.9 * 365.25 * 86_400_000)
    expect(await checkAuthority(context, nearItsEnd)).toMatchObject([
      { message: expect.stringMatching(/^The root certificate ends in \d\d days, on /), status: 'warn' },
    ])
    chmodSync(context.paths.caKey, 0o644)
    expect(await checkAuthority(context)).toMatchObject([
      {
        fixes: [`chmod 600 ${context.paths.caKey}`],
        message: `${context.paths.caKey} has the mode 644: other users of this machine could use it against you.`,
        repair: { privileged: false },
        status: 'fail',
      },
    ])
  })

  it('whose key is missing is an error, with the command', async () => {
    await ensureAuthority(context.paths, 'localhost')
    rmSync(context.paths.caKey)
    await expect(checkAuthority(context)).rejects.toMatchObject({
      code: 'CA_BROKEN',
      suggestions: [
        expect.stringMatching(/^moat proxy stop; rm -r .*; moat proxy start --detach && moat proxy trust /),
      ],
    })
  })
})

describe('trust', () => {
  it('is not guessed while no proxy runs', async () => {
    expect(await checkTrust(context)).toEqual([
      {
        check: 'trust',
        fixes: ['moat proxy start --detach && moat doctor'],
        message: 'Not checked, because the proxy is not running: only a handshake can tell.',
        status: 'warn',
      },
    ])
  })
})

describe('files', () => {
  const me = { gid: process.getgid?.() ?? 0, uid: process.getuid?.() ?? 0 }

  it('are all the user own, and private', async () => {
    mkdirSync(context.paths.proxy, { mode: 0o700 })
    expect(await checkState(context, me)).toMatchObject([{ status: 'ok' }])
    writeFileSync(join(home, 'config.yaml'), '')
    chmodSync(join(home, 'config.yaml'), 0o666)
    expect(await checkState(context, me)).toMatchObject([
      { fixes: [`chmod -R go-w ${home}`], message: expect.stringContaining('config.yaml (mode 666)'), status: 'warn' },
    ])
    chmodSync(context.paths.proxy, 0o755)
    expect(await checkState(context, me)).toMatchObject([{ fixes: [`chmod 700 ${context.paths.proxy}`] }])
  })

  it('of somebody else take sudo to get back', async () => {
    const other = { gid: 7, uid: me.uid + 7 }
    const owner = me.uid === 0 ? 'root' : `user ${me.uid}`
    expect(await checkState(context, other)).toEqual([
      {
        check: 'files',
        fixes: [`sudo chown -R ${other.uid}:7 ${home}`],
        message: `Not yours: ${home} (${owner}).`,
        repair: { argv: ['chown', '-R', `${other.uid}:7`, home], kind: 'command', privileged: true },
        status: 'fail',
      },
    ])
  })
})

describe('leftovers', () => {
  it('are sockets of killed processes', async () => {
    expect(await checkLeftovers(context)).toMatchObject([{ message: 'None.', status: 'ok' }])
    mkdirSync(context.paths.proxy)
    writeFileSync(context.paths.controlSocket, '')
    expect(await checkLeftovers(context)).toMatchObject([
      { fixes: [`rm -f ${context.paths.controlSocket}`], status: 'warn' },
    ])
  })

  it('are no Caddy only because somebody listens where Caddy would', async () => {
    mkdirSync(context.paths.proxy)
    await listen(context.paths.adminSocket)
    expect(await checkLeftovers(context)).toMatchObject([
      { fixes: [`rm -f ${context.paths.adminSocket}`], status: 'warn' },
    ])
  })

  it('are a supervisor that does not answer, and no process is named that is none', async () => {
    const lock = await takeFileLock(context.paths.supervisorLock)
    expect(await checkLeftovers(context)).toMatchObject([
      {
        fixes: [`lsof ${context.paths.supervisorLock}   # which process has the lock of the supervisor`],
        message: "The proxy's supervisor does not answer.",
        status: 'fail',
      },
    ])
    await lock?.release()
  })
})
