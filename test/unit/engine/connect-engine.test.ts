import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { createServer as createTcpServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { connectEngine } from '../../../src/engine/connect-engine.js'
import { engineCandidates } from '../../../src/engine/engine-candidates.js'

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
async function engineAt(path: string, status = 200): Promise<void> {
  mkdirSync(join(path, '..'), { recursive: true })
  const server = createServer((_, response) => response.writeHead(status).end('OK'))
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(path, resolve))
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
    const reasonFor = (host: string) =>
      connectEngine({ env: { DOCKER_HOST: host }, home, timeout: 100 }).then(
        () => 'connected',
        (error) => error.message.split('DOCKER_HOST): ')[1],
      )
    expect(await reasonFor(`unix://${refused}`)).toBe('connection refused: the engine is not running')
    expect(await reasonFor(`unix://${broken}`)).toBe('answered with HTTP status 500')
    expect(await reasonFor(`unix://${silent}`)).toBe('no answer within 0.1 s')
    expect(await reasonFor(`unix://${garbage}`)).toBe('what listens there does not speak HTTP')
    expect(await reasonFor('ssh://host')).toBe('engines over ssh:// are not supported yet')
    expect(await reasonFor('nonsense://x')).toBe('not an address; write unix:///path or tcp://host:port')
  })

  it("follows the Docker CLI's current context", async () => {
    const socket = join(home, 'context.sock')
    await engineAt(socket)
    const { createHash } = await import('node:crypto')
    const meta = join(home, '.docker/contexts/meta', createHash('sha256').update('colima').digest('hex'))
    mkdirSync(meta, { recursive: true })
    writeFileSync(join(home, '.docker/config.json'), '{"currentContext":"colima"}')
    writeFileSync(join(meta, 'meta.json'), JSON.stringify({ Endpoints: { docker: { Host: `unix://${socket}` } } }))
    expect((await connectEngine({ env: {}, home })).address).toBe(`unix://${socket}`)
    await expect(connectEngine({ env: { DOCKER_CONTEXT: 'gone' }, home })).rejects.toThrow(
      'No container engine answers.\n  Docker context gone: there is no such context',
    )
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
