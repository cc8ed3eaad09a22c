// What a grant puts into requests arrives at its hosts, and is nowhere else: not in Caddy's config, its files, its log, its reports,
// nor in the headers of answers.
import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect as connectHttp2 } from 'node:http2'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { GrantedPlace } from '../../../src/egress/opened-hosts.js'
import type { NetworkPolicy } from '../../../src/egress/policy.js'
import type { Question } from '../../../src/egress/questions.js'
import { tracesOf } from '../../../src/grants/injection.js'
import { Opened } from '../../helpers/opened.js'
import { type StubHost, stubAuthority, stubHost } from '../../helpers/stub-hosts.js'
import { until } from '../../helpers/until.js'

const granted = 'run_00000000000a'
const plain = 'run_00000000000b'
/** Braces and all: nothing in it is to be filled in. */
const token = `tok_${randomBytes(16).toString('hex')}{env.HOME}$1+/=`
const place = { kind: 'header', name: 'authorization', value: 'Bearer {token}' } as const
const places: GrantedPlace[] = [
  {
    grant: 'my-api',
    headers: ['authorization'],
    hosts: ['api.test', 'gone.test'],
    ports: [443],
    query: ['key'],
    remove: ['x-api-key'],
    removeQuery: ['old'],
    traces: 11,
  },
]
const policy: NetworkPolicy = {
  host: [],
  peers: [],
  policy: 'strict',
  rules: ['api.test', 'api.test:8443', 'other.test', 'gone.test'].map((text) => {
    const [host = '', port] = text.split(':')
    const paths = [
      { effect: 'deny' as const, method: '*', path: '/secret/**' },
      { effect: 'allow' as const, method: '*', path: '/**' },
    ]
    return { effect: 'allow', host, paths, ...(port !== undefined && { port: Number(port) }), text }
  }),
}

interface Seen {
  body: string
  headers: Record<string, unknown>
  host: unknown
  method: string | undefined
  url: string | undefined
}

let opened: Opened
let host: StubHost
const seen: Seen[] = []
const asked: Question[] = []
let fails = false

beforeAll(async () => {
  const authority = stubAuthority()
  host = await stubHost(authority, ['api.test', 'other.test'], (request, response) => {
    const parts: string[] = []
    request.on('data', (chunk) => parts.push(String(chunk)))
    request.on('end', () => {
      const { headers, method, url } = request
      seen.push({
        body: parts.join(''),
        headers,
        host: headers[':authority'] ?? headers.host,
        method,
        url,
      })
      const echo = String(headers.authorization)
      response.setHeader('x-echo', echo)
      response.setHeader('x-base64', Buffer.from(token).toString('base64'))
      response.setHeader('x-hex', Buffer.from(token).toString('hex'))
      response.setHeader('set-cookie', [`a=${encodeURIComponent(token)}`, 'b=2'])
      if (url?.startsWith('/redirect')) response.writeHead(302, { location: `https://other.test/?t=${token}` })
      response.end('done')
    })
  })
  const ports = {
    'api.test:443': host.port,
    'api.test:8443': host.port,
    'other.test:443': host.port,
    'gone.test:443': 1,
  }
  opened = await Opened.start({
    agents: [
      { grants: places, policy, runId: granted },
      { policy, runId: plain },
    ],
    authority,
    ports,
    valueFor: async (question) => {
      asked.push(question)
      if (fails) throw new Error(`no value: ${token}`)
      if (question.path.startsWith('/without')) return undefined
      const traces = tracesOf({ place: [place] }, { token })
      return { headers: { authorization: `Bearer ${token}` }, query: [token], traces }
    },
  })
}, 60_000)
afterAll(async () => {
  await opened?.close()
  host?.close()
})

const own = ['Authorization: Bearer placeholder', 'X-Api-Key: mine']
async function ask(runId: string, line: string, { body = '', headers = own, name = 'api.test' } = {}) {
  const before = seen.length
  const length = body === '' ? [] : [`Content-Length: ${body.length}`]
  const text = [`${line} HTTP/1.1`, `Host: ${name}`, 'Connection: close', ...headers, ...length, '', body].join('\r\n')
  const answer = await opened.raw(runId, name.replace(/:.*/, ''), text)
  return { answer, arrived: seen[before] }
}

describe('what a grant puts in', () => {
  it('is asked for over a connection that stays', async () => {
    const before = opened.questionConnections
    for (let count = 0; count < 20; count += 1) await ask(granted, 'GET /asked')
    // Not one: between two of them it may have been let go on a machine that is slow.
    expect(opened.questionConnections - before).toBeLessThan(10)
  })

  it('arrives in place of what the agent itself has put there, with the whole of its request', async () => {
    const { answer, arrived } = await ask(granted, 'POST /a/b%20c?x=1&key=mine&old=2', { body: 'all of it' })
    expect(answer).toMatch(/^HTTP\/1\.1 200 /)
    expect(arrived).toMatchObject({ body: 'all of it', host: 'api.test', method: 'POST' })
    expect(arrived?.headers.authorization).toBe(`Bearer ${token}`)
    expect(arrived?.headers).not.toHaveProperty('x-api-key')
    const url = new URL(arrived?.url ?? '', 'https://api.test')
    expect(url.pathname).toBe('/a/b%20c')
    expect([...url.searchParams.entries()].toSorted()).toEqual([
      ['key', token],
      ['x', '1'],
    ])
    expect(asked.at(-1)).toMatchObject({ grant: 'my-api', host: 'api.test', method: 'POST', port: 443, runId: granted })
  })

  it('is taken out of the headers of answers, in whatever form', async () => {
    const { answer } = await ask(granted, 'GET /redirect')
    const bytes = Buffer.from(token)
    for (const form of [
      token,
      bytes.toString('base64').replace(/=+$/, ''),
      bytes.toString('hex'),
      encodeURIComponent(token),
    ])
      expect(answer).not.toContain(form)
    expect(answer).toContain('X-Echo: ')
    expect(answer).toContain('b=2')
    expect(answer).toMatch(/^HTTP\/1\.1 302 /)
  })

  it.each([
    ['another agent', plain, 'GET /a', 'api.test'],
    ['another port', granted, 'GET /a', 'api.test:8443'],
    ['another host', granted, 'GET /a', 'other.test'],
    ['a request that gets none', granted, 'GET /without', 'api.test'],
  ])('is not given to %s, whose own header passes', async (_, runId, line, name) => {
    const { answer, arrived } = await ask(runId, line, { name })
    expect(answer).toMatch(/^HTTP\/1\.1 200 /)
    expect(arrived?.headers.authorization).toBe('Bearer placeholder')
    expect(JSON.stringify(arrived)).not.toContain(token)
  })

  it('comes after the policy: what that refuses is not even asked about', async () => {
    const count = asked.length
    for (const path of ['/secret/x', '/a/../secret/x', '/%73ecret/x']) {
      const { answer, arrived } = await ask(granted, `GET ${path}`)
      expect(answer).toMatch(/^HTTP\/1\.1 403 /)
      expect(arrived).toBeUndefined()
    }
    expect(asked).toHaveLength(count)
  })

  it.each(['TRACE', 'TRACK', 'trace'])(
    'is not shown by %s, which is refused before anybody asks for it',
    async (method) => {
      const count = asked.length
      const { answer, arrived } = await ask(granted, `${method} /a`)
      expect(answer).toMatch(/^HTTP\/1\.1 403 /)
      expect(answer).toContain('"reason":"a method that would show what a grant puts in"')
      expect(arrived).toBeUndefined()
      expect(asked).toHaveLength(count)
    },
  )

  it('does not come back from the first who stands before a host', async () => {
    const { arrived } = await ask(granted, 'OPTIONS /a', { headers: ['Max-Forwards: 0'] })
    expect(arrived?.headers).not.toHaveProperty('max-forwards')
  })

  it('holds back the request when there is no value, and says nothing of why', async () => {
    fails = true
    const { answer, arrived } = await ask(granted, 'GET /a')
    fails = false
    expect(answer).toMatch(/^HTTP\/1\.1 502 /)
    expect(answer).toContain('"error":"grant_failed"')
    expect(answer).not.toContain(token)
    expect(arrived).toBeUndefined()
  })

  it('is put into each request of a connection anew, over HTTP/2 too', async () => {
    const socket = await opened.tunnel(granted, 'api.test', ['h2'])
    const session = connectHttp2('https://api.test', { createConnection: () => socket })
    const count = asked.length
    for (const path of ['/one', '/two']) {
      const stream = session.request({ ':path': path, authorization: 'mine' })
      const [headers] = await once(stream, 'response')
      expect(headers[':status']).toBe(200)
      stream.resume()
      await once(stream, 'end')
      expect(seen.at(-1)).toMatchObject({
        headers: { authorization: `Bearer ${token}` },
        url: expect.stringContaining(path),
      })
    }
    session.close()
    expect(asked.slice(count).map(({ path }) => path)).toEqual(['/one', '/two'])
  })

  it('is not told of when the host is not reached', async () => {
    const { answer } = await ask(granted, 'GET /gone', { name: 'gone.test' })
    expect(answer).toMatch(/^HTTP\/1\.1 502 /)
    expect(asked.at(-1)).toMatchObject({ host: 'gone.test' })
    expect(answer).not.toContain(token.slice(0, 36))
  })

  it('is nowhere in what Caddy keeps, says or is', async () => {
    await until('all reports', () => opened.reports.filter(({ path }) => path === '/two').length > 0)
    const config = JSON.stringify(await opened.caddy.admin.readConfig())
    const { pid } = opened.caddy
    const part = token.slice(0, 36)
    const texts = {
      command: readFileSync(`/proc/${pid}/cmdline`, 'utf8'),
      config,
      environment: readFileSync(`/proc/${pid}/environ`, 'utf8'),
      // All files below, links and sockets aside.
      files: spawnSync('grep', ['-rlaF', '-D', 'skip', part, opened.paths.home], { encoding: 'utf8' }).stdout,
      reports: opened.reportLines.join('\n'),
    }
    expect(texts.files).toBe('')
    for (const [where, text] of Object.entries(texts)) expect(text, where).not.toContain(part)
  })
})
