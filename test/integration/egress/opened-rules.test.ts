// What Caddy lets through of an opened request is what `decide` lets through, however the request is written.
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { decide } from '../../../src/egress/decide.js'
import type { NetworkPolicy, NetworkRule, PathRule } from '../../../src/egress/policy.js'
import { shakeHands } from '../../helpers/bare-caddy.js'
import { Opened } from '../../helpers/opened.js'
import { type StubHost, stubAuthority, stubHost } from '../../helpers/stub-hosts.js'
import { until } from '../../helpers/until.js'

const runId = 'run_00000000000a'
const other = 'run_00000000000b'
const widest = 'run_00000000000c'

function rule(host: string, lines?: string[], extra: Partial<NetworkRule> = {}): NetworkRule {
  const paths = lines?.map((line): PathRule => {
    const [effect, method = '', path = ''] = line.split(' ')
    return { effect: effect as 'allow' | 'deny', method, path }
  })
  return { effect: 'allow', host, text: host, ...(paths && { paths }), ...extra }
}

const strict: NetworkPolicy = {
  host: [],
  peers: [],
  policy: 'strict',
  rules: [
    rule('plain.test', ['allow GET /repos/**', 'deny * /repos/secret/**', 'allow POST /repos/*/issues', 'allow * /']),
    rule('deny.test', ['deny * /admin/**', 'deny DELETE /**', 'allow * /**']),
    rule('coded.test', ['deny * /a%2Fb/**', 'allow GET /@scope%2Fname', 'allow GET /sp%20ace/*']),
    rule('none.wild.test', undefined, { effect: 'deny' }),
    rule('all.wild.test'),
    rule('*.wild.test', ['allow GET /ok/**']),
    rule('port.test', ['allow GET /**'], { port: 8443 }),
  ],
}
const permissive: NetworkPolicy = {
  ...strict,
  policy: 'permissive',
  rules: [rule('plain.test', ['deny * /secret/**'])],
}

/** Hosts that are moat's own, too: no certificate of theirs is the second authority's. */
const anything: NetworkPolicy = {
  ...strict,
  rules: ['localhost', '*.localhost', '127.0.0.1', '*'].map((name) => rule(name, ['allow GET /any/**'])),
}

const names = ['plain.test', 'deny.test', 'coded.test', 'port.test', '*.wild.test', '*.deep.wild.test']
let opened: Opened
let host: StubHost

beforeAll(async () => {
  const authority = stubAuthority()
  host = await stubHost(authority, names, (request, response) => {
    response.end(`reached ${request.headers[':authority'] ?? request.headers.host} ${request.method} ${request.url}`)
  })
  const targets = ['plain.test:443', 'deny.test:443', 'coded.test:443', 'port.test:8443', 'plain.test:80']
  const wild = ['a.wild.test:443', 'all.wild.test:443', 'none.wild.test:443', 'x.deep.wild.test:443']
  const ports = Object.fromEntries([...targets, ...wild].map((target) => [target, host.port]))
  opened = await Opened.start({
    agents: [
      { policy: strict, runId },
      { policy: permissive, runId: other },
      { policy: anything, runId: widest },
    ],
    authority,
    ports,
  })
}, 60_000)
afterAll(async () => {
  await opened?.close()
  host?.close()
})

const ask = async (
  run: string,
  name: string,
  line: string,
  headers: string[] = [],
  sni = name.replace(/:\d+$/, ''),
) => {
  const text = [line, `Host: ${name}`, 'Connection: close', ...headers, '', ''].join('\r\n')
  const answer = await opened.raw(run, sni, text)
  return { answer, reached: answer.includes('reached '), status: Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1] ?? 0) }
}

const jsonIn = (answer: string) => JSON.parse(/\{.*\}/.exec(answer)?.[0] ?? '')

describe('an opened request', () => {
  it('reaches the host that it names, as it is, and says so in the log', async () => {
    const { answer, status } = await ask(runId, 'plain.test', 'GET /repos/a/b?token=abc HTTP/1.1', ['X-Own: 1'])
    expect(status).toBe(200)
    expect(answer).toContain('reached plain.test GET /repos/a/b?token=abc')
    expect(answer).not.toMatch(/Via:|Alt-Svc:/i)
    await until('the report', () => opened.reports.some(({ path }) => path === '/repos/a/b'))
    const entry = opened.reports.find(({ path }) => path === '/repos/a/b')
    expect(entry).toMatchObject({
      agent: 'agent-a',
      host: 'plain.test',
      method: 'GET',
      port: 443,
      reason: 'rule',
      rule: 'allow GET /repos/**',
      runId,
      verdict: 'allowed',
    })
    expect(JSON.stringify(opened.reports)).not.toContain('token=abc')
  })

  it('that is refused is told by which rule, as JSON, whatever is in it', async () => {
    const { answer, status } = await ask(runId, 'deny.test', 'DELETE /x"{http.request.host}{{1}}?secret HTTP/1.1')
    expect(status).toBe(403)
    expect(jsonIn(answer)).toEqual({
      error: 'network_policy',
      // A path that a shell might take for something else is not put into a command.
      hint: 'moat network log agent-a',
      host: 'deny.test',
      method: 'DELETE',
      path: '/x"{http.request.host}{{1}}',
      reason: 'rule',
      rule: 'deny DELETE /**',
    })
    const plain = await ask(runId, 'plain.test', 'PUT /nothing HTTP/1.1')
    expect(jsonIn(plain.answer)).toMatchObject({
      hint: 'moat network allow agent-a "plain.test PUT /nothing"',
      host: 'plain.test',
      method: 'PUT',
      path: '/nothing',
      reason: 'no rule for this path',
      rule: 'plain.test',
    })
  })

  it('is judged as decide judges it, however it is written', async () => {
    const piece = fc.constantFrom(
      ...[
        'repos',
        'secret',
        'admin',
        'issues',
        'x',
        'ok',
        '.',
        '..',
        '',
        '%2e',
        '%2E%2e',
        '%2f',
        '%252f',
        '%41',
        'a%2Fb',
      ],
      ...[
        '@scope%2Fname',
        '@scope',
        'name',
        'sp%20ace',
        ';x',
        'repos;a',
        'Repos',
        '%',
        '%zz',
        '%00',
        '\\',
        '*',
        '**',
        'a b',
        'é',
      ],
      ...[
        '%61dmin',
        'admin%2f..',
        'x'.repeat(1_001),
        '{x}',
        '%5c',
        '#',
        'secret?',
        'a?b/../secret',
        '%41?q',
        'x?y',
        '$&',
        "'",
      ],
    )
    const path = fc.array(piece, { maxLength: 5 }).map((pieces) => `/${pieces.join('/')}`)
    const method = fc.constantFrom('GET', 'POST', 'DELETE', 'get', 'HEAD', 'PURGE', 'X-Y', 'M_1')
    const target = fc.constantFrom(
      ...['plain.test', 'deny.test', 'coded.test', 'PLAIN.test', 'a.wild.test', 'all.wild.test', 'none.wild.test'],
      ...[
        'x.deep.wild.test',
        'port.test:8443',
        'port.test',
        'plain.test:443',
        'plain.test:80',
        'plain.test:444',
        'deny.test:0443',
      ],
    )
    const run = fc.constantFrom(runId, other)
    await fc.assert(
      fc.asyncProperty(run, target, method, path, async (by, name, verb, raw) => {
        const [, bare = '', port = '443'] = /^(.*?)(?::(\d+))?$/.exec(name) ?? []
        if (by === other && !/^plain/i.test(bare)) return
        const policy = by === runId ? strict : permissive
        const verdict = decide(policy, { host: bare, method: verb, path: raw, port: Number(port) })
        const { answer, reached, status } = await ask(by, name, `${verb} ${raw} HTTP/1.1`)
        if (reached) expect(verdict, `${verb} ${name} ${raw}: ${answer}`).toMatchObject({ allowed: true })
        // HEAD has no body to say so; what HTTP itself refuses is 400.
        const passed = verdict.allowed && !/:(444|0443)$/.test(name) && !/[ \\]|%(zz|\/|$|\?)/.test(raw)
        if (passed && status !== 400)
          expect(verb === 'HEAD' ? status === 200 : reached, `${verb} ${name} ${raw}: ${answer}`).toBe(true)
      }),
      { numRuns: 400 },
    )
  }, 120_000)

  it.each([
    ['Host of another', 'a.wild.test', 'plain.test', 421],
    ['a dot at the end', 'plain.test.', 'plain.test', 421],
    ['an address', '127.0.0.1', 'plain.test', 421],
    ['a name of the proxy', 'web.agent-a.localhost', 'plain.test', 421],
  ])('with %s is refused', async (_, name, sni, status) => {
    expect(await ask(runId, name, 'GET /repos/x HTTP/1.1', [], sni)).toMatchObject({ reached: false, status })
  })

  it.each([
    ['an absolute URL of another host', 'GET https://a.wild.test/ok/x HTTP/1.1', []],
    ['an absolute URL of http', 'GET http://plain.test/secret HTTP/1.1', []],
    ['two Hosts', 'GET /repos/x HTTP/1.1', ['Host: a.wild.test']],
    [
      'a length and chunks',
      'POST /repos/x/issues HTTP/1.1',
      ['Content-Length: 4', 'Transfer-Encoding: chunked', '', '0', '', 'GET /secret HTTP/1.1', 'Host: plain.test'],
    ],
    ['two lengths', 'POST /repos/x/issues HTTP/1.1', ['Content-Length: 4', 'Content-Length: 40']],
    ['CONNECT', 'CONNECT a.wild.test:443 HTTP/1.1', []],
    ['the star', 'OPTIONS * HTTP/1.1', []],
  ])('with %s leads nowhere else', async (_, line, headers) => {
    const before = opened.gate.dialled.length
    const { answer } = await ask(runId, 'plain.test', line, headers)
    expect(answer).not.toMatch(/reached (?!plain\.test POST \/repos\/x\/issues)/)
    expect(opened.gate.dialled.slice(before).map(({ target }) => target)).not.toContain('a.wild.test:443')
  })

  it.each(['elsewhere.test', 'wild.test', 'localhost', 'web.agent-b.localhost', '*.wild.test', 'plain.test.evil.test'])(
    'in a handshake for %s has no certificate',
    async (name) => {
      await expect(opened.tunnel(runId, name)).rejects.toThrow()
    },
  )

  it('is opened for agents whose rules say so, and at no other server', async () => {
    await expect(opened.tunnel(other, 'deny.test')).rejects.toThrow()
    await (await opened.tunnel(runId, 'deny.test')).end()
    const outside = await shakeHands('deny.test', opened.caddy.port, opened.paths.egressCertificate)
    expect(outside.verdict).toMatch(/ECONNRESET|ERR_SSL|EPROTO/)
  })

  it("of an agent that has all hosts opened is none of the proxy's own", async () => {
    expect((await ask(widest, 'deny.test', 'GET /any/x HTTP/1.1')).reached).toBe(true)
    expect((await ask(widest, 'deny.test', 'GET /admin HTTP/1.1')).status).toBe(403)
    for (const name of ['localhost', 'a.localhost', 'web.a.localhost'])
      await expect(opened.tunnel(widest, name)).rejects.toThrow()
    expect(await shakeHands('localhost', opened.caddy.port, opened.paths.caCertificate)).toEqual({
      verdict: 'accepted',
    })
    const { verdict } = await shakeHands('deny.test', opened.caddy.port, opened.paths.egressCertificate)
    expect(verdict).not.toBe('accepted')
  })

  it('is dialled for its own agent, and not where the gate refuses', async () => {
    await ask(runId, 'x.deep.wild.test', 'GET /ok/1 HTTP/1.1')
    expect(opened.gate.dialled).toContainEqual({ runId, target: 'x.deep.wild.test:443' })
    expect(opened.gate.dialled).not.toContainEqual({ runId: other, target: 'x.deep.wild.test:443' })
    const refused = await ask(runId, 'unknown.wild.test', 'GET /ok/1 HTTP/1.1')
    expect(refused.status).toBe(403)
    expect(jsonIn(refused.answer)).toMatchObject({
      error: 'network_policy',
      hint: 'moat network allow agent-a 10.0.0.1',
      reason: 'private address 10.0.0.1',
    })
    await until('the report', () => opened.reports.some(({ host: name }) => name === 'unknown.wild.test'))
    expect(opened.reports.find(({ host: name }) => name === 'unknown.wild.test')).toMatchObject({ verdict: 'blocked' })
  })
})
