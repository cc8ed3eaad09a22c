import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { type AddressInfo, createServer as createTcpServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { connectEngine, findEngine } from '../../../src/engine/connect-engine.js'
import { engineCandidates } from '../../../src/engine/engine-candidates.js'
import type { RuntimeName } from '../../../src/engine/runtimes.js'

let home: string
const servers: { close(): unknown }[] = []

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'moat-find-engine-'))
})
afterEach(() => {
  for (const server of servers.splice(0)) server.close()
  rmSync(home, { force: true, recursive: true })
})

/** An engine that answers every request with this status. */
async function engineAt(path: string, status = 200, name = 'Engine'): Promise<void> {
  mkdirSync(join(path, '..'), { recursive: true })
  const version = JSON.stringify({ Components: [{ Name: name }] })
  const server = createServer(({ url }, response) => {
    response.writeHead(status).end(url === '/version' ? version : 'OK')
  })
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(path, resolve))
}

/** Makes it the Docker CLI's current context. */
function contextTo(name: string, address: string): void {
  const meta = join(home, '.docker/contexts/meta', createHash('sha256').update(name).digest('hex'))
  mkdirSync(meta, { recursive: true })
  writeFileSync(join(home, '.docker/config.json'), JSON.stringify({ currentContext: name }))
  writeFileSync(join(meta, 'meta.json'), JSON.stringify({ Endpoints: { docker: { Host: address } } }))
}

describe('connectEngine', () => {
  it('asks DOCKER_HOST and nobody else', async () => {
    const socket = join(home, 'engine.sock')
    await engineAt(socket)
    expect((await connectEngine({ env: { DOCKER_HOST: `unix://${socket}` }, home })).address).toBe(`unix://${socket}`)
    const missing = join(home, 'missing.sock')
    await expect(
      connectEngine({ env: { DOCKER_HOST: `unix://${missing}` }, home, platform: 'linux' }),
    ).rejects.toMatchObject({
      code: 'ENGINE_UNREACHABLE',
      message: `No container engine answers.\n  unix://${missing} (DOCKER_HOST): no such file`,
      suggestions: ['unset DOCKER_HOST', 'sudo systemctl start docker', 'systemctl --user start podman.socket'],
    })
  })

  it('says in plain words why each candidate was rejected', async () => {
    const sockets = ['refused', 'broken', 'silent', 'garbage'].map((name) => join(home, `${name}.sock`))
    const [refused = '', broken = '', silent = '', garbage = ''] = sockets
    writeFileSync(refused, '')
    await engineAt(broken, 500)
    const listen = async (path: string, answer: string) => {
      const server = createTcpServer((socket) => void (answer && socket.end(answer)))
      servers.push(server)
      await new Promise<void>((resolve) => server.listen(path, resolve))
    }
    await listen(silent, '')
    await listen(garbage, 'SSH-2.0\r\n')
    const reasonFor = (host: string, timeout = 20_000) =>
      connectEngine({ env: { DOCKER_HOST: host }, home, timeout }).then(
        () => 'connected',
        (error) => error.message.split('DOCKER_HOST): ')[1],
      )
    expect(await reasonFor(`unix://${refused}`)).toBe('connection refused: the engine is not running')
    expect(await reasonFor(`unix://${broken}`)).toBe('answered with HTTP status 500')
    expect(await reasonFor(`unix://${silent}`, 100)).toBe('no answer within 0.1 s')
    expect(await reasonFor(`unix://${garbage}`)).toBe('what listens there does not speak HTTP')
    for (const address of ['nonsense://x', 'unix://', 'fd://', '/var/run/docker.sock://'])
      expect(await reasonFor(address)).toBe('not an address; write unix:///path')
  })

  it('waits longer for one that takes a question and is too busy to answer, and says so', async () => {
    const busy = join(home, 'busy.sock')
    const silent = join(home, 'silent.sock')
    const fast = join(home, 'podman/podman.sock')
    let asked = 0
    const server = createServer((_, response) => {
      asked += 1
      if (asked > 1) response.end('OK')
    })
    servers.push(server)
    await new Promise<void>((resolve) => server.listen(busy, resolve))
    await new Promise<void>((resolve) => {
      const deaf = createTcpServer(() => {})
      servers.push(deaf)
      deaf.listen(silent, resolve)
    })
    const told: string[] = []
    const options = { home, platform: 'linux', timeout: 100, waiting: (address: string) => told.push(address) } as const
    const env = { DOCKER_HOST: `unix://${busy}` }
    expect(await findEngine({ ...options, env, patience: 20_000 })).toMatchObject({ address: `unix://${busy}` })
    expect([asked, told]).toEqual([2, [`unix://${busy}`]])
    const never = findEngine({ ...options, env: { DOCKER_HOST: `unix://${silent}` }, patience: 200 })
    await expect(never).rejects.toThrow('no answer within 0.2 s')
    expect(told).toHaveLength(2)
    // Nobody waits where another answers, nor for one that is not there.
    asked = 0
    await engineAt(fast, 200, 'Podman Engine')
    const runtime = { MOAT_RUNTIME: 'podman', XDG_RUNTIME_DIR: home }
    const found = await findEngine({ ...options, env: runtime, patience: 20_000 })
    expect(found.address).toBe(`unix://${fast}`)
    await expect(findEngine({ ...options, env: { DOCKER_HOST: 'unix:///none' }, patience: 20_000 })).rejects.toThrow()
    expect([asked, told.length]).toEqual([0, 2])
  })

  it('refuses what may be the engine of another machine, also when one answers there', async () => {
    const server = createServer((_, response) => response.end('OK'))
    servers.push(server)
    const { port } = await new Promise<AddressInfo>((resolve) => {
      server.listen(0, '127.0.0.1', () => resolve(server.address() as AddressInfo))
    })
    const hosts = [
      `tcp://127.0.0.1:${port}`,
      `127.0.0.1:${port}`,
      `http://127.0.0.1:${port}`,
      'tcp://[::1]',
      'ssh://ann@host',
    ]
    for (const host of hosts) {
      const scheme = host.includes('://') ? host.split(':')[0] : 'tcp'
      await expect(connectEngine({ env: { DOCKER_HOST: host, DOCKER_TLS_VERIFY: '1' }, home })).rejects.toMatchObject({
        code: 'ENGINE_UNREACHABLE',
        message: expect.stringMatching(
          new RegExp(`DOCKER_HOST\\): engines over ${scheme}:// are not supported yet; moat needs one on this machine`),
        ),
        suggestions: expect.arrayContaining(['unset DOCKER_HOST']),
      })
    }
    contextTo('build-box', `tcp://127.0.0.1:${port}`)
    await expect(connectEngine({ env: {}, home })).rejects.toThrow(
      'Docker context build-box): engines over tcp:// are not supported yet',
    )
  })

  it("follows the Docker CLI's current context", async () => {
    const socket = join(home, 'context.sock')
    await engineAt(socket)
    contextTo('colima', `unix://${socket}`)
    expect((await connectEngine({ env: {}, home })).address).toBe(`unix://${socket}`)
    await expect(connectEngine({ env: { DOCKER_CONTEXT: 'gone' }, home })).rejects.toThrow(
      'No container engine answers.\n  Docker context gone: there is no such context',
    )
  })
})

describe('an engine that is insisted on', () => {
  it('goes before DOCKER_HOST and contexts of others, and no other is asked', async () => {
    const podman = join(home, 'podman/podman.sock')
    await engineAt(podman, 200, 'Podman Engine')
    const env = { DOCKER_HOST: `unix://${join(home, 'docker.sock')}`, MOAT_RUNTIME: 'Podman', XDG_RUNTIME_DIR: home }
    expect((await connectEngine({ env, home, platform: 'linux' })).address).toBe(`unix://${podman}`)
    const colima = { ...env, MOAT_RUNTIME: 'colima' }
    await expect(connectEngine({ env: colima, home, platform: 'linux' })).rejects.toMatchObject({
      code: 'ENGINE_UNREACHABLE',
      message: `Colima does not answer, and moat was told to use no other engine.\n  unix://${home}/.colima/default/docker.sock (Colima): no such file`,
      suggestions: ['colima start', 'unset MOAT_RUNTIME   # or leave out --runtime'],
    })
    await expect(connectEngine({ env: { MOAT_RUNTIME: 'orbstack' }, home, platform: 'linux' })).rejects.toThrow(
      'OrbStack: there is no OrbStack on linux',
    )
  })

  it('is found by its own context', async () => {
    const socket = join(home, 'colima-work.sock')
    await engineAt(socket)
    const meta = join(home, '.docker/contexts/meta', createHash('sha256').update('colima-work').digest('hex'))
    mkdirSync(meta, { recursive: true })
    writeFileSync(join(meta, 'meta.json'), JSON.stringify({ Endpoints: { docker: { Host: `unix://${socket}` } } }))
    const env = { DOCKER_CONTEXT: 'colima-work', MOAT_RUNTIME: 'colima' }
    expect((await connectEngine({ env, home, platform: 'linux' })).address).toBe(`unix://${socket}`)
    await expect(connectEngine({ env: { ...env, MOAT_RUNTIME: 'rancher' }, home, platform: 'linux' })).rejects.toThrow(
      '.rd/docker.sock (Rancher Desktop): no such file',
    )
  })

  it('must have a known name', async () => {
    await expect(connectEngine({ env: { MOAT_RUNTIME: 'dokcer' }, home })).rejects.toMatchObject({
      code: 'USAGE',
      message:
        'MOAT_RUNTIME names an unknown container engine, "dokcer"; did you mean docker? Known: colima, docker, docker-desktop, orbstack, podman, rancher.',
      oclif: { exit: 2 },
      suggestions: ['export MOAT_RUNTIME=docker', 'unset MOAT_RUNTIME'],
    })
  })

  it('has sockets of its own on every platform it runs on', () => {
    const addresses = (runtime: RuntimeName, platform: NodeJS.Platform) =>
      engineCandidates({ env: { XDG_RUNTIME_DIR: '/run/user/1000' }, home: '/home/ann', platform, runtime }).map(
        ({ address, origin, shared }) => `${origin} ${address}${shared ? ' (shared)' : ''}`,
      )
    expect(addresses('docker', 'linux')).toEqual([
      'default socket unix:///var/run/docker.sock (shared)',
      'rootless Docker unix:///run/user/1000/docker.sock',
      'Docker Desktop unix:///home/ann/.docker/desktop/docker.sock',
    ])
    expect(addresses('podman', 'linux')).toEqual([
      'default socket unix:///var/run/docker.sock (shared)',
      'rootless Podman unix:///run/user/1000/podman/podman.sock',
      'Podman unix:///run/podman/podman.sock',
    ])
    expect(addresses('podman', 'darwin').at(-1)).toMatch(/^Podman machine /)
    expect(addresses('orbstack', 'darwin')).toEqual(['OrbStack unix:///home/ann/.orbstack/run/docker.sock'])
    expect(addresses('docker', 'win32')).toEqual(['default pipe npipe:////./pipe/docker_engine (shared)'])
  })
})

describe('engineCandidates', () => {
  const origins = (platform: NodeJS.Platform) =>
    engineCandidates({ env: { XDG_RUNTIME_DIR: '/run/user/1000' }, home: '/home/ann', platform }).map(
      ({ origin }) => origin,
    )

  it('are the sockets of the engines of the platform, each once', () => {
    expect(origins('linux')).toEqual([
      'default socket',
      'rootless Docker',
      'Docker Desktop',
      'Colima',
      'Rancher Desktop',
      'rootless Podman',
      'Podman',
    ])
    expect(origins('darwin')).toEqual(
      expect.arrayContaining(['default socket', 'Docker Desktop', 'OrbStack', 'Colima', 'Rancher Desktop']),
    )
  })
})
