// Owns the port by which Caddy reaches opened hosts: other users of this machine reach it, too, and get nothing.
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { afterEach, expect, it } from 'vitest'
import { type Dial, readDial } from '../../../src/egress/dial-file.js'
import { type CaddyDial, type CaddyDialOptions, openCaddyDial } from '../../../src/gate/caddy-dial.js'
import { until } from '../../helpers/until.js'
import { temporaryDirectory } from '../config/temp-directory.js'

const opened: { close(): unknown }[] = []
afterEach(() => {
  for (const one of opened.splice(0)) one.close()
})

const unreachable: CaddyDialOptions['dial'] = async () => ({ problem: 'gone', refused: false })

async function start(directory: string, dial = unreachable): Promise<{ dial: Dial; server: CaddyDial }> {
  const paths = { egressDial: `${directory}/egress/dial.json` }
  const server = await openCaddyDial({ dial, headerDeadline: 1_000, paths })
  opened.push(server)
  const written = await readDial(paths)
  if (!written) throw new Error('nothing is written')
  return { dial: written, server }
}

function open(port: number): Socket {
  const socket = connect({ allowHalfOpen: true, host: '127.0.0.1', port })
  socket.on('error', () => {})
  opened.push({ close: () => socket.destroy() })
  return socket
}

function ask({ password, port }: Dial): { ended: Promise<unknown>; text: () => string } {
  const socket = open(port)
  let text = ''
  const ended = once(
    socket.on('data', (piece) => {
      text += piece
    }),
    'end',
  )
  const credentials = Buffer.from(`run_0123456789ab:${password}`).toString('base64')
  socket.write(`CONNECT api.test:443 HTTP/1.1\r\nProxy-Authorization: Basic ${credentials}\r\n\r\n`)
  return { ended, text: () => text }
}

it('each start has a password of its own: somebody else may have had the port, and been told the former', async () => {
  const directory = await temporaryDirectory()
  const first = await start(directory)
  first.server.close()
  const second = await start(directory)
  expect(second.dial.port).toBe(first.dial.port)
  expect(second.dial.password).not.toBe(first.dial.password)
  const late = ask(first.dial)
  await late.ended
  expect(late.text()).toMatch(/^HTTP\/1\.1 407 /)
  second.server.close()
  const stranger = createServer().listen(second.dial.port, '127.0.0.1')
  opened.push(stranger)
  await once(stranger, 'listening')
  const third = await start(directory)
  expect(third.dial.port).not.toBe(second.dial.port)
  expect(third.dial.password).not.toBe(second.dial.password)
})

it('strangers who say nothing, or the wrong thing, keep neither Caddy out nor connections open', async () => {
  const { dial, server } = await start(await temporaryDirectory())
  const wrong = Array.from({ length: 20 }, () => ask({ ...dial, password: 'x' }))
  await Promise.all(wrong.map(({ ended }) => ended))
  await until('the end of those with a wrong password', () => server.count === 0)
  const silent = Array.from({ length: 200 }, () => open(dial.port).resume())
  await Promise.all(silent.map((socket) => once(socket, 'connect')))
  await until('few of those who say nothing', () => server.count > 0 && server.count <= 64)
  const caddy = ask(dial)
  await caddy.ended
  expect(caddy.text()).toBe('HTTP/1.1 502 unreachable: gone\r\n\r\n')
  await until('none of those who say nothing', () => server.count === 0)
})

it('a failure of its own ends the connection', async () => {
  const { dial } = await start(await temporaryDirectory(), () => Promise.reject(new Error('a mistake')))
  const caddy = ask(dial)
  await caddy.ended
  expect(caddy.text()).toBe('')
})
