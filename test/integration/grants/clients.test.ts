// Real programs in a container use what they cannot see: git, npm, pip, gh, Node, Python and SDKs of models, at hosts that want a
// credential. And what tries to see it does not.
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { readFileSync, rmSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import type { TLSSocket } from 'node:tls'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { moatPaths } from '../../../src/config/paths.js'
import { findSecrets } from '../../helpers/find-secret.js'
import { install } from '../../helpers/npm-project.js'
import { type Outcome, Sandbox } from '../../helpers/sandbox.js'
import { type StubAuthority, type StubHost, stubAuthority, stubHost } from '../../helpers/stub-hosts.js'
import {
  clientDependencies,
  githubService,
  gitService,
  modelService,
  npmService,
  pypiService,
  type SeenRequest,
  services,
} from '../../helpers/stub-services.js'
import { until } from '../../helpers/until.js'

const yaml = (name: string, grants: string) => `
name: ${name}
${clientDependencies}
command: [sleep, '600']
${grants}
network:
  policy: strict
  rules: [{other.test: ["allow * /**"]}, {"api.test:8443": ["allow * /**"]}]
`

const newToken = () => `tok-${randomBytes(20).toString('hex')}`
const tokens = {
  anthropic: newToken(),
  api: newToken(),
  gh: newToken(),
  git: newToken(),
  npm: newToken(),
  openai: newToken(),
  pypi: newToken(),
}
/** All that was ever used. */
const used = Object.values(tokens)
const outcomes: Outcome[] = []

const names = ['anthropic', 'api', 'gh', 'git', 'npm', 'openai', 'other', 'pypi'].map((name) => `${name}.test`)

const sdks = ['@anthropic-ai/sdk@1.14.0', 'openai@7.59.0']

let sandbox: Sandbox
let authority: StubAuthority
let host: StubHost
let seen: SeenRequest[]
const connected = new Set<TLSSocket>()

beforeAll(async () => {
  sandbox = new Sandbox()
  authority = stubAuthority()
  const repositories = sandbox.directory('repositories')
  execFileSync('git', ['init', '-q', '--bare', '-b', 'main', `${repositories}/app.git`])
  const all = services({
    'api.test': (request, response) => {
      const given = String(request.headers['x-api-key'])
      if (request.url === '/stream') {
        response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: begun\n\n')
        return
      }
      if (request.url?.startsWith('/away')) response.writeHead(302, { location: `https://other.test/?k=${given}` })
      else response.writeHead(given === tokens.api ? 200 : 401, { 'x-echo': `${given} ${btoa(`key:${given}`)}` })
      response.end('answered')
    },
    'anthropic.test': modelService(() => tokens.anthropic),
    'gh.test': githubService(() => tokens.gh),
    'git.test': gitService(repositories, () => tokens.git),
    'npm.test': npmService(() => tokens.npm),
    'openai.test': modelService(() => tokens.openai),
    'pypi.test': pypiService(() => tokens.pypi),
    'other.test': (request, response) => void response.end(`other ${request.url}`),
  })
  seen = all.seen
  host = await stubHost(authority, names, all.answer)
  host.server.on('secureConnection', (socket: TLSSocket) => {
    connected.add(socket)
    socket.once('close', () => connected.delete(socket))
  })
  const reach = ['api.test:8443', ...names.map((name) => `${name}:443`)]
  sandbox.env.MOAT_TEST_HOSTS = reach.map((target) => `${target}=127.0.0.1:${host.port}`).join()
  // What Caddy verifies hosts by; the second authority is not in it.
  sandbox.env.SSL_CERT_FILE = authority.file
  await grant(['gitlab', '--host', 'git.test'], tokens.git)
  await grant(['npm', '--host', 'npm.test', '--scope', '@acme'], tokens.npm)
  await grant(['my-api', '--host', 'api.test', '--header', 'X-Api-Key', '--variable', 'MY_KEY'], tokens.api)
  await grant(['pypi', '--host', 'pypi.test'], tokens.pypi)
  const bearer = ['--header', 'Authorization: Bearer {token}']
  await grant(['gh', '--host', 'gh.test', ...bearer, '--variable', 'GH_ENTERPRISE_TOKEN'], tokens.gh)
  const anthropic = ['--host', 'anthropic.test', '--header', 'X-Api-Key', '--variable', 'ANTHROPIC_API_KEY']
  await grant(['model-a', ...anthropic], tokens.anthropic)
  await grant(['model-o', '--host', 'openai.test', ...bearer, '--variable', 'OPENAI_API_KEY'], tokens.openai)
  await install(sandbox.directory('having'), sdks)
  const everything = 'grants: [gitlab, npm, my-api, pypi, gh, model-a, model-o]'
  for (const [name, grants] of Object.entries({ having: everything, lacking: '' })) {
    await sandbox.json(['run', '-d', sandbox.directory(name, { 'moat.yaml': yaml(name, grants) })])
  }
}, 300_000)
afterAll(async () => {
  await sandbox?.cleanUp()
  host?.close()
  if (authority) rmSync(dirname(authority.file), { force: true, recursive: true })
})

async function grant(words: string[], value: string): Promise<void> {
  const outcome = await sandbox.start(['grant', ...words, '--stdin', '--no-check'], { stdin: value }).exited
  outcomes.push(outcome)
  expect(outcome, outcome.stderr).toMatchObject({ code: 0 })
}

/** Of what is connected now, by the name in the handshake. */
function openAtHost(name: string): number {
  return [...connected].filter((socket) => socket.servername === name).length
}

async function inside(agent: string, ...command: string[]): Promise<Outcome> {
  const outcome = await sandbox.inside(agent, ...command)
  outcomes.push(outcome)
  return outcome
}
const node = (agent: string, code: string) => inside(agent, 'node', '--input-type=module', '-e', code)
const show = `console.log(r.status, r.headers.get('x-echo'), await r.text())`
const asked = (url: string, init = '{headers: {"X-Api-Key": process.env.MY_KEY}}') =>
  `const r = await fetch('${url}', ${init}); ${show}`

describe('with grants', () => {
  it('git clones and pushes', async () => {
    const script = `set -e; cd /tmp; git clone -q https://git.test/app.git; cd app
      git config user.name A; git config user.email a@b; echo one > one; git add one; git commit -qm one
      git push -q origin HEAD:main; cd ..; git clone -q git@git.test:app.git again; cat again/one`
    const { stdout, stderr } = await inside('having', 'sh', '-c', script)
    expect(stdout, stderr).toBe('one\n')
  })

  it('npm publishes and installs', async () => {
    const script = `set -e; mkdir -p /tmp/thing /tmp/user; cd /tmp/thing
      echo '{"name":"@acme/thing","version":"1.0.0"}' > package.json; npm whoami --registry=https://npm.test/
      npm publish --loglevel=error; cd /tmp/user; npm init -y > /dev/null; npm i --loglevel=error --no-audit @acme/thing
      ls node_modules/@acme/thing`
    const { stdout, stderr } = await inside('having', 'sh', '-c', script)
    expect(stdout, stderr).toMatch(/^robot\n\+ @acme\/thing@1\.0\.0\n[\s\S]*package\.json\n$/)
  })

  it('curl, Node and Python ask, and what they send themselves is replaced', async () => {
    const { stdout, stderr } = await node('having', asked('https://api.test/v1/x'))
    expect(stdout, stderr).toMatch(/^200 .* answered\n$/)
    const python = `import httpx, requests
for lib in (requests, httpx): print(lib.get('https://api.test/v1/y', headers={'x-api-key': 'mine'}).status_code)`
    const other = await inside('having', 'python3', '-c', python)
    expect(other.stdout, other.stderr).toBe('200\n200\n')
    const curl = await inside('having', 'curl', '-sS', '-H', 'X-API-KEY: mine', 'https://api.test/v1/z')
    expect(curl.stdout, curl.stderr).toBe('answered')
    const mine = seen.filter(({ host: name, url }) => name === 'api.test' && url.startsWith('/v1/'))
    expect(mine.map(({ headers }) => headers['x-api-key'])).toEqual(Array(4).fill(tokens.api))
  })
})

describe('with grants, less usual programs', () => {
  it('pip installs, and gh asks', async () => {
    const script = `set -e; pip3 install -q --no-deps --break-system-packages --target /tmp/pip --index-url https://pypi.test/simple/ thing
      PYTHONPATH=/tmp/pip python3 -c 'import thing; print(thing.answer)'; GH_HOST=gh.test gh api user --jq .login`
    const { stdout, stderr } = await inside('having', 'sh', '-c', script)
    expect(stdout, stderr).toBe('42\nrobot\n')
  })

  it('SDKs of models stream word by word', async () => {
    const code = `const { default: Anthropic } = require('@anthropic-ai/sdk'); const { default: OpenAI } = require('openai')
const messages = [{ role: 'user', content: 'hello' }]
const read = async (host, word) => { process.stdout.write(word + ' '); await fetch('https://' + host + '/read?read=' + word) }
;(async () => {
  const a = new Anthropic({ baseURL: 'https://anthropic.test', maxRetries: 0 })
  for await (const e of a.messages.stream({ max_tokens: 9, messages, model: 'm' }))
    if (e.type === 'content_block_delta') await read('anthropic.test', e.delta.text)
  const o = new OpenAI({ baseURL: 'https://openai.test/v1', maxRetries: 0 })
  for await (const e of await o.chat.completions.create({ messages, model: 'm', stream: true })) await read('openai.test', e.choices[0].delta.content)
})()`
    const { stdout, stderr } = await inside('having', 'node', '-e', code)
    expect(stdout, stderr).toBe('one two three one two three ')
  })
})

describe('nobody else gets it', () => {
  const lastOf = (url: string) => seen.findLast((one) => one.url.startsWith(url))

  it('not in the headers of an answer that gives it back', async () => {
    const { stdout } = await node('having', asked('https://api.test/echo'))
    expect(stdout).toContain('[removed by moat]')
    expect(stdout).not.toContain(tokens.api)
  })

  it('not where a redirect leads', async () => {
    const { stdout, stderr } = await node('having', asked('https://api.test/away'))
    expect(stdout, stderr).toMatch(/^200 null other \/\?k=.*removed/)
    expect(JSON.stringify(lastOf('/?k='))).not.toContain(tokens.api)
  })

  it('not another host, nor another port of the same, nor the same without TLS', async () => {
    await node('having', asked('https://other.test/same-header'))
    expect(lastOf('/same-header')?.headers['x-api-key']).toMatch(/^moatPlaceholder/)
    await node('having', asked('https://api.test:8443/port'))
    expect(lastOf('/port')?.headers['x-api-key']).toMatch(/^moatPlaceholder/)
    const { stdout } = await node('having', asked('http://api.test/plain'))
    expect(stdout).not.toContain('answered')
    expect(lastOf('/plain')).toBeUndefined()
  })

  it('not an agent without the grant, which the policy does not let there either', async () => {
    const { stdout } = await node('lacking', asked('https://api.test/lacking'))
    expect(stdout).not.toContain('answered')
    await node('lacking', asked('https://api.test:8443/lacking'))
    expect(lastOf('/lacking')?.headers['x-api-key']).toBe('undefined')
  })
})

it('moat network check explains the hosts of a grant', async () => {
  const check = (url: string) => sandbox.json<{ allowed: boolean; place?: string }>(['network', 'check', 'having', url])
  expect(await check('https://git.test/app.git/info/refs')).toMatchObject({ allowed: true, place: 'grant gitlab' })
  expect((await check('https://git.test/users/sign_in')).allowed).toBe(false)
})

it('a new value counts with the next request, and a revoked one is gone with it, and what was open ends', async () => {
  const streaming = async (name: string) => {
    const code = `const r = await fetch('https://api.test/stream', {headers: {'x-api-key': 'x'}})
      try { for await (const piece of r.body) console.log(String(Buffer.from(piece))) } catch {} console.log('ended')`
    const running = sandbox.start(['exec', name, '--', 'node', '--input-type=module', '-e', code])
    await running.prints('begun')
    return running
  }
  const before = await streaming('having')
  tokens.api = newToken()
  used.push(tokens.api)
  await grant(['my-api', '--host', 'api.test', '--header', 'X-Api-Key', '--variable', 'MY_KEY'], tokens.api)
  expect((await before.exited).stdout).toContain('ended')
  expect((await node('having', asked('https://api.test/rotated'))).stdout).toMatch(/^200 /)
  const open = await streaming('having')
  const revoked = await sandbox.moat(['grant', 'revoke', 'my-api'])
  expect(revoked.code).toBe(0)
  expect((await open.exited).stdout).toContain('ended')
  // Nobody keeps a connection to the host, and its strict policy leads there no more.
  await until('the end of connections to the host', () => openAtHost('api.test') === 0, 30_000)
  expect((await node('having', asked('https://api.test/revoked'))).stdout).not.toContain('answered')
  expect(seen.some(({ url }) => url === '/revoked')).toBe(false)
  const check = ['network', 'check', 'having', 'https://api.test/']
  expect(await sandbox.json(check)).toMatchObject({ allowed: false, reason: 'no rule' })
  expect(await sandbox.json(['network', 'check', 'having', 'https://npm.test/'])).toMatchObject({ allowed: true })
})

it('and the values are nowhere', async () => {
  const caddy = JSON.stringify(await sandbox.caddyConfig())
  expect(caddy).toContain('git.test')
  // Who could ask for it is this user alone, and it is written nowhere.
  expect(JSON.parse(caddy).admin.config).toEqual({ persist: false })
  expect(statSync(moatPaths({ MOAT_HOME: sandbox.home }).adminSocket).mode & 0o777).toBe(0o600)
  const { port } = await sandbox.json<{ port: number }>(['proxy', 'status'])
  const page = await sandbox.get(`https://localhost:${port}/`)
  expect(page.body).toContain('having')
  // Nor would they be in a dump of what knows them.
  const { caddy: front, supervisor } = await sandbox.json<Record<'caddy' | 'supervisor', { pid: number }>>([
    'proxy',
    'status',
  ])
  for (const { pid } of [front, supervisor])
    expect(readFileSync(`/proc/${pid}/coredump_filter`, 'utf8')).toBe('00000000\n')
  const network = (await sandbox.moat(['network', 'log', 'having'])).stdout
  expect(network).toContain('git.test')
  const given = { caddy, network, page: JSON.stringify(page), outcomes: JSON.stringify(outcomes) }
  expect(await findSecrets(used, sandbox, given)).toEqual([])
})
