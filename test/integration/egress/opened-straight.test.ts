// Requests with a grant go straight to the address that the gate has found: for their own host and port alone, and by the gate where
// that address does not take them.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Led, Opened } from '../../helpers/opened.js'
import { type StubHost, stubAuthority, stubHost } from '../../helpers/stub-hosts.js'

const runId = 'run_00000000000a'
const names = ['one.test', 'two.test']
const value = 'the-value-of-a-grant'

interface Seen {
  body: string
  connection: number
  method: string | undefined
  value: unknown
}

let opened: Opened
let host: StubHost
let stranger: StubHost
const seen: Seen[] = []
const strange: string[] = []

beforeAll(async () => {
  const authority = stubAuthority()
  host = await stubHost(authority, names, (request, response) => {
    const parts: string[] = []
    request.on('data', (chunk) => parts.push(String(chunk)))
    request.on('end', () => {
      const { method, socket } = request
      seen.push({
        body: parts.join(''),
        connection: socket.remotePort ?? 0,
        method,
        value: request.headers['x-api-key'],
      })
      response.end('done')
    })
  })
  stranger = await stubHost(authority, ['three.test'], (request, response) => {
    strange.push(String(request.url))
    response.end()
  })
  const paths = [{ effect: 'allow' as const, method: '*', path: '/**' }]
  const rules = names.flatMap((name) =>
    [443, 8443].map((port) => ({ effect: 'allow' as const, host: name, paths, port, text: `${name}:${port}` })),
  )
  const place = { grant: 'my-api', headers: ['x-api-key'], hosts: names, ports: [443], query: [], remove: [] }
  opened = await Opened.start({
    agents: [{ grants: [{ ...place, removeQuery: [], traces: 1 }], policy: { policy: 'strict', rules }, runId }],
    authority,
    ports: Object.fromEntries(names.flatMap((name) => [443, 8443].map((port) => [`${name}:${port}`, host.port]))),
    valueFor: async () => ({ headers: { 'x-api-key': value }, query: [], traces: [value] }),
  })
}, 60_000)
afterAll(async () => {
  await opened?.close()
  host?.close()
  stranger?.close()
})
beforeEach(() => {
  seen.length = 0
  opened.gate.dialled.length = 0
})

async function ask(name: string, led?: Led, asked = name) {
  const headers = ['X-Api-Key: mine', 'Content-Length: 9', 'Connection: close']
  const text = ['POST /a HTTP/1.1', `Host: ${asked}`, ...headers, '', 'all of it'].join('\r\n')
  return opened.raw(runId, name, text, led)
}

const whole = { body: 'all of it', method: 'POST' }

describe('a request with a grant', () => {
  it('goes to the address of its tunnel', async () => {
    expect(await ask('one.test')).toMatch(/^HTTP\/1\.1 200 /)
    expect(seen).toMatchObject([{ ...whole, value }])
    expect(opened.gate.dialled).toEqual([])
  })

  it('shares its connection with none to another host at the same address', async () => {
    for (const name of [...names, ...names]) await ask(name)
    const [one, two] = [seen[0]?.connection, seen[1]?.connection]
    expect(one).not.toBe(two)
    expect(seen.map(({ connection }) => connection)).toEqual([one, two, one, two])
  })

  it('goes by the gate when its tunnel was for another port', async () => {
    expect(await ask('one.test', { asked: 8443 })).toMatch(/^HTTP\/1\.1 200 /)
    expect(opened.gate.dialled).toEqual([{ runId, target: 'one.test:443' }])
    expect(seen).toMatchObject([{ ...whole, value }])
  })

  it('has nothing put in for another port, whatever its tunnel was for', async () => {
    for (const asked of [443, 8443])
      expect(await ask('one.test', { asked }, 'one.test:8443')).toMatch(/^HTTP\/1\.1 200 /)
    expect(opened.gate.dialled).toEqual([{ runId, target: 'one.test:8443' }])
    expect(seen.map((one) => one.value)).toEqual(['mine', 'mine'])
  })

  it('goes whole, and once, by the gate when the address does not take it', async () => {
    expect(await ask('one.test', { port: 1 })).toMatch(/^HTTP\/1\.1 200 /)
    expect(opened.gate.dialled).toEqual([{ runId, target: 'one.test:443' }])
    expect(seen).toMatchObject([{ ...whole, value }])
  })

  it('does not go to who cannot show that it is the host', async () => {
    const answer = await ask('one.test', { port: stranger.port })
    expect(answer).toMatch(/^HTTP\/1\.1 502 /)
    expect(answer).toContain('x509: certificate is valid for three.test, not one.test')
    expect([seen, strange, opened.gate.dialled]).toEqual([[], [], []])
  })
})
