// Connections to a front with layer4: many at once, and through everything that happens to Caddy meanwhile.
import { once } from 'node:events'
import { unlinkSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { request as requestTls } from 'node:https'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CaddyAdmin } from '../../../src/caddy/admin.js'
import type { ProxyStatus } from '../../../src/supervisor/proxy.js'
import { ask, OnePort } from '../../helpers/one-port.js'
import { until } from '../../helpers/until.js'

const one = new OnePort()

beforeAll(async () => {
  // Others than in the files beside this one: an endpoint's address on 127.0.0.1 is made from its names.
  await one.start('  web: 3000\n  pg: {type: tcp, port: 5432, scheme: postgres}\n  store: {type: tcp, port: 6379}')
}, 120_000)
afterAll(() => one.sandbox.cleanUp())

describe('connections', () => {
  it('of many clients at once never get what is another’s', { timeout: 180_000 }, async () => {
    let left = 1_500
    const names = ['web.app.localhost', 'app.localhost', 'localhost', 'pg.app.localhost']
    const knock = async () => {
      while (left > 0) {
        left -= 1
        const name = names[left % names.length] ?? ''
        if (left % 5 === 0) {
          expect((await one.plain('web.app.localhost', `/${left}`)).status).toBe(200)
          continue
        }
        const socket = one.to(name, { ALPNProtocols: ['http/1.1'] })
        await once(socket, 'secureConnect')
        expect([name, socket.getPeerX509Certificate()?.checkHost(name) !== undefined]).toEqual([name, true])
        socket.destroy()
      }
    }
    await Promise.all(Array.from({ length: 48 }, knock))
  })

  it('open before a change of the config go on: WebSockets in the clear and in TLS', async () => {
    const upgrade = {
      agent: false as const,
      headers: { Connection: 'Upgrade', Host: `web.app.localhost:${one.port}`, Upgrade: 'websocket' },
      host: '127.0.0.1',
      port: one.port,
    }
    const secure = { ...upgrade, ca: one.sandbox.certificate, servername: 'web.app.localhost' }
    const sockets = await Promise.all(
      [request(upgrade), requestTls(secure)].map(async (one) => (await once(one.end(), 'upgrade'))[1]),
    )
    let closed = 0
    for (const socket of sockets) socket.on('close', () => (closed += 1))
    const admin = new CaddyAdmin(join(one.sandbox.home, 'proxy/admin.sock'))
    const before = JSON.stringify(await admin.readConfig())
    const workspace = one.sandbox.workspace('one')
    const ports = 'ports: {web: {port: 3000, headers: {response: {X-From: moat}}}}'
    writeFileSync(
      join(workspace, 'moat.yaml'),
      `name: one\ndependencies: [node@22]\n${ports}\ncommand: [node, server.js]\n`,
    )
    await one.sandbox.json(['run', '-d', workspace])
    expect(JSON.stringify(await admin.readConfig())).not.toBe(before)
    await one.sandbox.json(['stop', 'one'])
    for (const socket of sockets) {
      socket.write('still here')
      expect(String((await once(socket, 'data'))[0])).toBe('still here')
    }
    expect(closed).toBe(0)
    for (const socket of sockets) socket.destroy()
  })

  it('find the socket for plain HTTP again after it was removed', async () => {
    unlinkSync(join(one.sandbox.home, 'proxy/plain.sock'))
    await until('plain HTTP', async () => (await one.plain('web.app.localhost').catch(() => undefined))?.status === 200)
  })

  it('are served by the Caddy that a new supervisor adopts, as before', async () => {
    const { caddy, supervisor } = await one.sandbox.json<ProxyStatus>(['proxy', 'status'])
    expect(caddy?.layer4).toBe(true)
    process.kill(supervisor?.pid ?? 0, 'SIGKILL')
    const after = await one.sandbox.json<ProxyStatus>(['proxy', 'status'])
    expect(after.caddy).toEqual(caddy)
    expect((await one.plain('web.app.localhost')).status).toBe(200)
    expect(await ask(one.to('store.app.localhost'), 'PING\r\n')).toBe('+redis\r\n')
  })
})
