// proxy.domain in config.yaml: everything that names a host or a URL follows it, and the authority does too.
import { execFileSync } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { permittedNames } from '../../../src/authority/name-constraints.js'
import type { IndexView } from '../../../src/pages/view.js'
import type { AgentView } from '../../../src/routing/agent-view.js'
import type { ProxyStatus } from '../../../src/supervisor/proxy.js'
import { shakeHands } from '../../helpers/bare-caddy.js'
import { forgeLeaf, openssl } from '../../helpers/forge.js'
import { Sandbox } from '../../helpers/sandbox.js'

const setDomain = (sandbox: Sandbox, domain: string) =>
  writeFileSync(join(sandbox.home, 'config.yaml'), `proxy:\n  domain: ${domain}\n`)

const permitted = (sandbox: Sandbox) => permittedNames(new X509Certificate(sandbox.certificate).raw)

describe('a domain of the user', () => {
  let app: AgentView
  let sandbox: Sandbox
  let status: ProxyStatus

  beforeAll(async () => {
    sandbox = new Sandbox()
    sandbox.directory('home')
    setDomain(sandbox, 'dev.moat.test')
    app = await sandbox.json<AgentView>(['run', '-d', sandbox.workspace('app', { api: 8080, web: 3000 })])
    status = await sandbox.json<ProxyStatus>(['proxy', 'status'])
  })
  afterAll(() => sandbox.cleanUp())

  const json = async (url: string, host = new URL(url).host) =>
    JSON.parse((await sandbox.get(url, { headers: { Accept: 'application/json', Host: host } })).body)

  it('is in every URL, and all agree byte for byte', async () => {
    const { port } = status
    const urls = [`https://api.app.dev.moat.test:${port}`, `https://web.app.dev.moat.test:${port}`]
    const urlsOf = (agents: AgentView[]) => agents.flatMap(({ endpoints }) => endpoints.map(({ url }) => url))
    const indexUrl = `https://dev.moat.test:${port}`
    expect(urlsOf([app])).toEqual(urls)
    expect(status).toMatchObject({ domain: 'dev.moat.test', indexUrl, status: 'running' })
    expect(urlsOf(status.agents)).toEqual(urls)
    const listed = await sandbox.json<{ agents: AgentView[]; indexUrl: string }>(['list'])
    expect([urlsOf(listed.agents), listed.indexUrl]).toEqual([urls, indexUrl])
    const index = (await json(indexUrl)) as IndexView
    expect([urlsOf(index.agents), index.url]).toEqual([urls, indexUrl])
    expect(index.agents[0]?.baseUrl).toBe(`https://app.dev.moat.test:${port}`)
    const machine = await sandbox.json<{ indexUrl: string; runs: AgentView[] }>(['status'])
    expect([urlsOf(machine.runs), machine.indexUrl]).toEqual([urls, indexUrl])
    expect((await sandbox.json<{ url: string }>(['open', 'app', 'web'])).url).toBe(urls[1])
    expect((await sandbox.json<{ url: string }>(['open', '--dashboard'])).url).toBe(indexUrl)
    expect(await sandbox.json(['wait', 'app', 'web', '--timeout', '30'])).toMatchObject({ status: 200, url: urls[1] })
    const environment = (await sandbox.moat(['exec', 'app', '--', 'env'])).stdout
    expect(environment).toContain(`\nMOAT_URL_WEB=http://web.app.dev.moat.test:${port}\n`)
    expect(environment).toContain(`\nMOAT_HOST=app.dev.moat.test:${port}\n`)
    const text = (await sandbox.moat(['proxy', 'status'])).stdout
    expect(text).toContain(`\nPort: ${port}\nDomain: dev.moat.test\nCA: `)
  })

  it('leads to agents, and http:// leads to https:// where Caddy cannot serve both', async () => {
    const url = `https://web.app.dev.moat.test:${status.port}`
    expect(await sandbox.get(url)).toMatchObject({ body: 'app 3000', status: 200 })
    const redirect = await new Promise<{ location: string | undefined; status: number | undefined }>(
      (resolve, reject) => {
        const target = { host: '127.0.0.1', path: '/a?b=c', port: status.port }
        request({ ...target, headers: { Host: new URL(url).host } }, (response) => {
          response.resume()
          resolve({ location: response.headers.location, status: response.statusCode })
        })
          .on('error', reject)
          .end()
      },
    )
    // A Caddy with layer4 serves both.
    const redirected = { location: `${url}/a?b=c`, status: 308 }
    expect(redirect).toEqual(status.caddy?.layer4 ? { status: 200 } : redirected)
  })

  it('leads to the agent inside its container too', async () => {
    const ask = 'fetch(process.env.MOAT_URL_WEB).then((r) => r.text()).then((text) => console.log(text))'
    expect((await sandbox.moat(['exec', 'app', '--', 'node', '-e', ask])).stdout).toBe('app 3000\n')
  })

  it('has the page of an agent, and tells of agents that are not there', async () => {
    const at = (host: string) => `https://${host}.dev.moat.test:${status.port}`
    const page = await sandbox.get(at('app'), { headers: { Accept: 'text/html' } })
    expect(page.body).toContain(`href="https://dev.moat.test:${status.port}/agents/app"`)
    const shown = await sandbox.get(`https://dev.moat.test:${status.port}`, {
      headers: { Accept: 'text/html', Host: `web.apq.dev.moat.test:${status.port}` },
    })
    expect(shown.status).toBe(404)
    expect(shown.body).toContain('There is no agent apq. Did you mean app?')
    expect(shown.body).toContain(`href="${at('app')}"`)
    expect((await shakeHands('web.apq.dev.moat.test', status.port, status.ca)).verdict).toBe(
      'ERR_TLS_CERT_ALTNAME_INVALID',
    )
  })

  it('is answered for, with localhost leading to it, and no other host', async () => {
    const index = `https://dev.moat.test:${status.port}`
    for (const [url, host] of [
      [`https://localhost:${status.port}`, undefined],
      [index, `127.0.0.1:${status.port}`],
    ] as const) {
      const answer = await sandbox.get(`${url}/_moat/key`, { method: 'POST', ...(host && { headers: { Host: host } }) })
      expect([answer.status, answer.headers.location]).toEqual([307, index])
    }
    const elsewhere = ['web.app.localhost', 'app.localhost', 'moat.test', 'app.moat.test', 'evildev.moat.test']
    for (const host of [...elsewhere, 'a.web.app.dev.moat.test', 'dev.moat.test.example.com']) {
      const answer = await sandbox.get(index, { headers: { Host: `${host}:${status.port}` } })
      expect([host, answer.status, answer.body]).toEqual([host, 403, 'This proxy does not serve this host.\n'])
    }
  })

  it('lets nobody act on the dashboard from an agent below it', async () => {
    const origin = `https://dev.moat.test:${status.port}`
    const post = async (headers: Record<string, string>) =>
      (await sandbox.get(`${origin}/_moat/key`, { body: '{}', headers, method: 'POST' })).body
    const answer = await post({ Origin: `https://web.app.dev.moat.test:${status.port}`, 'Sec-Fetch-Site': 'same-site' })
    expect(answer).toContain('Only the dashboard itself may request this.')
    expect(await post({ Origin: `https://localhost:${status.port}` })).toContain('Only the dashboard itself')
    expect(await post({ 'Content-Length': '2', Origin: origin, 'Sec-Fetch-Site': 'same-origin' })).toContain(
      'This key was not given out',
    )
  })

  it('can be written into the hosts file, itself too', async () => {
    const file = join(sandbox.directory('etc', { hosts: '127.0.0.1 localhost\n' }), 'hosts')
    const { stdout } = await sandbox.moat(['proxy', 'hosts', 'sync', '--print', '--file', file])
    expect(stdout).toContain(
      '\n127.0.0.1 api.app.dev.moat.test app.dev.moat.test dev.moat.test web.app.dev.moat.test\n::1 api.app',
    )
    expect(readFileSync(file, 'utf8')).toBe('127.0.0.1 localhost\n')
  })

  it('is what the root may sign for, besides localhost: a thief gains nothing by it', async () => {
    expect(permitted(sandbox)).toEqual(['localhost', 'dev.moat.test'])
    const directory = sandbox.directory('thief')
    const root = { certificate: status.ca, key: join(sandbox.home, 'proxy/ca/ca.key') }
    const verify = (name: string) => {
      const { certificate } = forgeLeaf(directory, name, root)
      try {
        return openssl('verify', '-CAfile', status.ca, certificate)
      } catch (error) {
        return String((error as { stderr: string }).stderr)
      }
    }
    expect(verify('web.app.dev.moat.test')).toContain(': OK')
    expect(verify('web.app.localhost')).toContain(': OK')
    for (const name of [
      'moat.test',
      'web.moat.test',
      'evildev.moat.test',
      'dev.moat.test.example.com',
      'example.com',
    ]) {
      expect([name, verify(name)]).toEqual([name, expect.stringContaining('permitted subtree violation')])
    }
  })

  it('goes on in a Caddy whose supervisor was killed, whatever config.yaml says by now', async () => {
    setDomain(sandbox, 'other.test')
    try {
      process.kill(status.supervisor?.pid ?? 0, 'SIGKILL')
      const adopted = await sandbox.json<ProxyStatus>(['proxy', 'status'])
      expect([adopted.domain, adopted.caddy?.pid]).toEqual(['dev.moat.test', status.caddy?.pid])
      expect((await sandbox.get(`https://web.app.dev.moat.test:${status.port}`)).body).toBe('app 3000')
      expect((await sandbox.json<{ indexUrl: string }>(['list'])).indexUrl).toBe(status.indexUrl)
    } finally {
      setDomain(sandbox, 'dev.moat.test')
    }
  })
})

describe('another domain than before', () => {
  let sandbox: Sandbox

  beforeAll(() => {
    sandbox = new Sandbox()
  })
  afterAll(() => sandbox.cleanUp())

  const errorOf = async (...args: string[]) => {
    const { code, stderr } = await sandbox.moat(args)
    return { code, text: stderr.slice(stderr.indexOf('Error: ')) }
  }

  it('is told at each step, up to a root for it', async () => {
    const workspace = sandbox.workspace('app')
    await sandbox.json(['proxy', 'start', '--detach'])
    expect(permitted(sandbox)).toEqual(['localhost'])
    setDomain(sandbox, 'moat.test')
    const running = 'Error: The proxy runs on the domain localhost, but proxy.domain in config.yaml is moat.test.'
    const again = `${running}\n\nTry this:\n  moat proxy stop && moat proxy start\n`
    expect(await errorOf('run', '-d', workspace)).toEqual({ code: 1, text: again })
    expect(await errorOf('proxy', 'start', '--detach')).toEqual({ code: 1, text: again })
    expect(await errorOf('proxy', 'ca', 'rotate')).toEqual({
      code: 1,
      text: `${running}\n\nTry this:\n  moat proxy stop && moat proxy ca rotate\n`,
    })
    expect(await sandbox.containers()).toEqual([])
    // Who only looks sees what runs.
    expect((await sandbox.json<ProxyStatus>(['proxy', 'status'])).domain).toBe('localhost')
    const doctor = await sandbox.moat(['doctor'])
    expect(doctor.stdout).toContain(
      'The routing proxy serves the domain localhost, but proxy.domain in config.yaml is moat.test.',
    )
    expect(doctor.stdout).toContain('The root certificate is not for moat.test')

    await sandbox.json(['proxy', 'stop'])
    const noRoot = {
      code: 1,
      text: `Error: moat's root certificate is for localhost only, but proxy.domain in config.yaml is moat.test.

Try this:
  moat proxy ca rotate   # a new one is made, and must be trusted: moat proxy trust
`,
    }
    expect(await errorOf('proxy', 'start', '--detach')).toEqual(noRoot)
    expect(await errorOf('run', '-d', workspace)).toEqual(noRoot)
    expect(await errorOf('proxy', 'trust', '--print')).toEqual(noRoot)
    expect(permitted(sandbox)).toEqual(['localhost'])

    await sandbox.json(['proxy', 'ca', 'rotate'])
    expect(permitted(sandbox)).toEqual(['localhost', 'moat.test'])
    const app = await sandbox.json<AgentView>(['run', '-d', workspace])
    const url = app.endpoints[0]?.url ?? ''
    expect(url).toMatch(/^https:\/\/web\.app\.moat\.test:\d+$/)
    expect((await sandbox.get(url)).body).toBe('app 3000')
    // While it runs too.
    await sandbox.json(['proxy', 'ca', 'rotate'])
    expect(permitted(sandbox)).toEqual(['localhost', 'moat.test'])
    expect((await sandbox.get(url)).body).toBe('app 3000')
  })

  it('needs no new root when that is back to localhost', async () => {
    await sandbox.json(['proxy', 'stop'])
    const before = sandbox.certificate
    writeFileSync(join(sandbox.home, 'config.yaml'), '')
    await sandbox.json(['proxy', 'start', '--detach'])
    const [agent] = (await sandbox.json<ProxyStatus>(['proxy', 'status'])).agents
    expect((await sandbox.get(agent?.endpoints[0]?.url ?? '')).body).toBe('app 3000')
    expect(agent?.endpoints[0]?.url).toContain('https://web.app.localhost:')
    expect(sandbox.certificate).toBe(before)
  })
})

describe('the longest domain with the longest names', () => {
  it('makes hosts that clients take', async () => {
    const sandbox = new Sandbox()
    try {
      sandbox.directory('home')
      setDomain(sandbox, `${'d'.repeat(63)}.${'e'.repeat(47)}`)
      const [agent, endpoint] = ['a'.repeat(63), 'b'.repeat(63)]
      const { endpoints } = await sandbox.json<AgentView>(['run', '-d', sandbox.workspace(agent, { [endpoint]: 3000 })])
      const url = new URL(endpoints[0]?.url ?? '')
      expect(url.hostname).toHaveLength(239)
      expect((await sandbox.get(url.href)).body).toBe(`${agent} 3000`)
      const ca = join(sandbox.home, 'proxy/ca/ca.crt')
      const seen = execFileSync('curl', ['-sS', '--cacert', ca, '--resolve', `${url.host}:127.0.0.1`, url.href])
      expect(seen.toString()).toBe(`${agent} 3000`)
    } finally {
      await sandbox.cleanUp()
    }
  })
})
