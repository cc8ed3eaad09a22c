// Who is shown the last lines of an agent's log in place of the agent.
import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { Readable } from 'node:stream'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Engine } from '../../../src/engine/engine.js'
import type { Agent } from '../../../src/routing/agent.js'
import { LogLines } from '../../../src/supervisor/log-lines.js'

const agent = { containerId: 'c', name: 'shop', runId: 'run_0123456789ab', wayIn: 'sockets' } as Agent
const written = `\u001b[31mred\u001b[0m <b>\n\n${'x'.repeat(1_000)}\n`
const frame = { 'sec-fetch-dest': 'iframe', 'sec-fetch-mode': 'navigate', 'sec-fetch-site': 'cross-site' }
const script = { 'sec-fetch-dest': 'empty', 'sec-fetch-mode': 'cors', 'sec-fetch-site': 'same-origin' }
const path = `/_moat/lines/${agent.runId}`

let client: string
let server: Server
let socket: Socket

// A connection of this user's, of which the kernel can say so.
beforeAll(async () => {
  server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
  await once(socket, 'connect')
  client = `127.0.0.1:${socket.localPort}`
})
afterAll(() => {
  socket.destroy()
  server.close()
})

async function ask(headers: Record<string, string>, { asked = path, of = agent, from = client, out = [written] } = {}) {
  const logs = async () => ({ stderr: Readable.from([]), stdout: Readable.from(out) })
  const port = (server.address() as AddressInfo).port
  const lines = new LogLines({
    address: () => ({ domain: 'localhost', port }),
    agents: () => [of],
    engine: () => ({ sessions: { logs } }) as unknown as Engine,
  })
  const request = { headers: { ...headers, 'x-moat-client': from }, method: 'GET' } as unknown as IncomingMessage
  let [body, sent] = ['', {} as Record<string, string>]
  const response = {
    end: (text: Buffer) => {
      body = String(text)
    },
    writeHead: (_: number, given: Record<string, string>) => {
      sent = given
      return response
    },
  }
  const answered = await lines.answer(request, response as unknown as ServerResponse, asked)
  return { answered, body, policy: sent['Content-Security-Policy'], url: await lines.urlFor(request, of) }
}

describe.runIf(process.platform === 'linux')('the last lines of a log', () => {
  it('are for a frame of the pages at that agent’s hosts', async () => {
    const { answered, body, policy, url } = await ask(frame)
    expect(answered).toBe(true)
    expect(url).toMatch(new RegExp(`^https://localhost:\\d+${path}$`))
    expect(policy).toMatch(/; frame-ancestors https:\/\/shop\.localhost:\d+ https:\/\/\*\.shop\.localhost:\d+;/)
    expect(body).toContain(`red &lt;b&gt;\n${'x'.repeat(400)}</pre>`)
    expect(await ask(script)).toMatchObject({ answered: true, body: `red <b>\n${'x'.repeat(400)}` })
  })

  it('are no more than the end of what an agent has written, however long its lines', async () => {
    const long = Array<string>(64).fill('y'.repeat(4_096))
    const first = ['first\n', ...long]
    const { body } = await ask(script, { out: [...first, '\nlast but one\n', 'last\n'] })
    expect(body).toBe('last but one\nlast')
    expect((await ask(script, { out: first })).body).toBe('y'.repeat(400))
    expect((await ask(script, { out: [...first, '\n'] })).body).toBe('y'.repeat(400))
    expect((await ask(script, { out: ['é'.repeat(100_000)] })).body).toBe('é'.repeat(400))
  })

  it('are for no other user, no client that nobody knows, and for nothing in a container', async () => {
    for (const from of ['127.0.0.1:1', '@', '[fe80::1]:443', 'undefined', ''])
      expect(await ask(frame, { from })).toMatchObject({ answered: false, body: '', url: undefined })
  })

  it('are for nobody where containers may reach the proxy by a program of the user’s', async () => {
    const { wayIn: _, ...of } = agent
    expect(await ask(frame, { of })).toMatchObject({ answered: false, url: undefined })
  })

  it('are for no window, no other page’s script, and nobody who does not say what asks', async () => {
    const others: Record<string, string>[] = [
      {},
      { ...frame, 'sec-fetch-dest': 'document' },
      { ...frame, 'sec-fetch-dest': 'object' },
      { ...script, 'sec-fetch-site': 'same-site' },
      { ...script, 'sec-fetch-site': 'cross-site' },
      { ...script, 'sec-fetch-dest': 'script' },
    ]
    for (const headers of others) expect([headers, await ask(headers)]).toMatchObject([headers, { answered: false }])
  })

  it('are of an agent that is there', async () => {
    for (const asked of ['/_moat/lines/', '/_moat/lines/run_ffffffffffff', `${path}/x`, '/_moat/line'])
      expect(await ask(frame, { asked })).toMatchObject({ answered: false })
  })
})
