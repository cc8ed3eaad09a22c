// Real programs in a container use what they cannot see: git, npm, Node and Python, at hosts that want a credential. And what
// tries to see it does not.
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { findSecrets } from '../../helpers/find-secret.js'
import { type Outcome, Sandbox } from '../../helpers/sandbox.js'
import { type StubAuthority, type StubHost, stubAuthority, stubHost } from '../../helpers/stub-hosts.js'
import { gitService, npmService, type SeenRequest, services } from '../../helpers/stub-services.js'

const dependencies = 'dependencies: [node@22, git, "apt:python3-requests", "apt:python3-httpx"]'
const yaml = (name: string, grants: string) => `
name: ${name}
${dependencies}
command: [sleep, '600']
${grants}
network:
  policy: strict
  rules: [{other.test: ["allow * /**"]}, {"api.test:8443": ["allow * /**"]}]
`

const newToken = () => `tok-${randomBytes(20).toString('hex')}`
const tokens = { api: newToken(), git: newToken(), npm: newToken() }
/** All that was ever used. */
const used = Object.values(tokens)
const outcomes: Outcome[] = []

let sandbox: Sandbox
let authority: StubAuthority
let host: StubHost
let seen: SeenRequest[]

beforeAll(async () => {
  sandbox = new Sandbox()
  authority = stubAuthority()
  const repositories = sandbox.directory('repositories')
  execFileSync('git', ['init', '-q', '--bare', '-b', 'main', `${repositories}/app.git`])
  const all = services({
    'api.test': (request, response) => {
      const given = String(request.headers['x-api-key'])
      if (request.url?.startsWith('/away')) response.writeHead(302, { location: `https://other.test/?k=${given}` })
      else response.writeHead(given === tokens.api ? 200 : 401, { 'x-echo': `${given} ${btoa(`key:${given}`)}` })
      response.end('answered')
    },
    'git.test': gitService(repositories, () => tokens.git),
    'npm.test': npmService(() => tokens.npm),
    'other.test': (request, response) => void response.end(`other ${request.url}`),
  })
  seen = all.seen
  host = await stubHost(authority, ['api.test', 'git.test', 'npm.test', 'other.test'], all.answer)
  const reach = ['api.test:443', 'api.test:8443', 'git.test:443', 'npm.test:443', 'other.test:443']
  sandbox.env.MOAT_TEST_HOSTS = reach.map((target) => `${target}=127.0.0.1:${host.port}`).join()
  // What Caddy verifies hosts by; the second authority is not in it.
  sandbox.env.SSL_CERT_FILE = authority.file
  await grant(['gitlab', '--host', 'git.test'], tokens.git)
  await grant(['npm', '--host', 'npm.test', '--scope', '@acme'], tokens.npm)
  await grant(['my-api', '--host', 'api.test', '--header', 'X-Api-Key', '--variable', 'MY_KEY'], tokens.api)
  for (const [name, grants] of Object.entries({ having: 'grants: [gitlab, npm, my-api]', lacking: '' })) {
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

async function inside(agent: string, ...command: string[]): Promise<Outcome> {
  const outcome = await sandbox.moat(['exec', agent, '--', ...command])
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

  it('Node and Python ask, and what they send themselves is replaced', async () => {
    const { stdout, stderr } = await node('having', asked('https://api.test/v1/x'))
    expect(stdout, stderr).toMatch(/^200 .* answered\n$/)
    const python = `import httpx, requests
for lib in (requests, httpx): print(lib.get('https://api.test/v1/y', headers={'x-api-key': 'mine'}).status_code)`
    const other = await inside('having', 'python3', '-c', python)
    expect(other.stdout, other.stderr).toBe('200\n200\n')
    const mine = seen.filter(({ host: name, url }) => name === 'api.test' && url.startsWith('/v1/'))
    expect(mine.map(({ headers }) => headers['x-api-key'])).toEqual([tokens.api, tokens.api, tokens.api])
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

it('a new value counts with the next request, and a revoked one is gone with it', async () => {
  tokens.api = newToken()
  used.push(tokens.api)
  await grant(['my-api', '--host', 'api.test', '--header', 'X-Api-Key', '--variable', 'MY_KEY'], tokens.api)
  expect((await node('having', asked('https://api.test/rotated'))).stdout).toMatch(/^200 /)
  const revoked = await sandbox.moat(['grant', 'revoke', 'my-api'])
  expect(revoked.code).toBe(0)
  expect((await node('having', asked('https://api.test/revoked'))).stdout).toMatch(/^401 /)
  const last = seen.findLast(({ url }) => url === '/revoked')
  expect(last?.headers['x-api-key']).toMatch(/^moatPlaceholder/)
})

it('and the values are nowhere', async () => {
  const caddy = JSON.stringify(await sandbox.caddyConfig())
  expect(caddy).toContain('git.test')
  const given = { caddy, outcomes: JSON.stringify(outcomes) }
  expect(await findSecrets(used, sandbox, given)).toEqual([])
})
