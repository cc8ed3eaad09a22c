// An agent's own URLs inside its container: every client there reaches them as people outside do, and nothing else.
import { execFile } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { AgentView } from '../../../src/routing/agent-view.js'
import { forgeLeaf } from '../../helpers/forge.js'
import { Sandbox } from '../../helpers/sandbox.js'
import { until } from '../../helpers/until.js'

const run = promisify(execFile)
const caddy = process.env.MOAT_CADDY ?? ''

let sandbox: Sandbox

const inside = async (agent: string, script: string) => {
  const { code, stderr, stdout } = await sandbox.moat(['exec', agent, '--', 'sh', '-c', script])
  return code === 0 ? stdout : `exit ${code}: ${stdout}${stderr}`
}
const directories = () => readdirSync(join(sandbox.home, 'proxy/agents'))

describe('in a container', () => {
  let app: AgentView

  beforeAll(async () => {
    sandbox = new Sandbox()
    const workspace = sandbox.workspace('app', { api: 4000, web: 3000 })
    const yaml = `name: app\ndependencies: [node@22, curl, "apt:python3"]\nports: {api: 4000, web: 3000}\ncommand: [node, server.js]\nmounts: ["${resolve(caddy)}:/opt/caddy:ro"]\n`
    writeFileSync(join(workspace, 'moat.yaml'), yaml)
    app = await sandbox.json<AgentView>(['run', '-d', workspace])
    await sandbox.json(['run', '-d', sandbox.workspace('other')])
    await sandbox.json(['wait', 'app', 'web', '--timeout', '30'])
  }, 240_000)
  afterAll(() => sandbox.cleanUp())

  const url = (endpoint: string) => app.endpoints.find(({ name }) => name === endpoint)?.url ?? ''

  it('curl, Node and Python load the URL of the variable, whose certificate they accept', async () => {
    expect(await inside('app', 'curl -sSL --fail "$MOAT_URL_WEB"')).toBe('app 3000')
    expect(await inside('app', 'curl -sSL --fail "$MOAT_URL_API"')).toBe('app 4000')
    const node = 'fetch(process.env.MOAT_URL_WEB).then((r) => r.text()).then((t) => process.stdout.write(t))'
    expect(await inside('app', `node -e '${node}'`)).toBe('app 3000')
    const python =
      'import os, urllib.request as r; print(r.urlopen(os.environ["MOAT_URL_WEB"]).read().decode(), end="")'
    expect(await inside('app', `python3 -c '${python}'`)).toBe('app 3000')
  })

  it('a Go program does too', async () => {
    // Caddy is one, and its reverse proxy asks as any does.
    const ask = `XDG_CONFIG_HOME=/tmp XDG_DATA_HOME=/tmp /opt/caddy reverse-proxy --from http://127.0.0.1:5999 --change-host-header --to ${url('web')} >/dev/null 2>&1 & curl -sS --retry 50 --retry-connrefused --retry-delay 0 http://127.0.0.1:5999/; kill $!`
    expect(await inside('app', ask)).toBe('app 3000')
  })

  it('it is the URL that people have outside, and http:// on its port is answered as such', async () => {
    expect(await inside('app', `curl -sS ${url('web')}/x`)).toBe('app 3000')
    expect(await inside('app', 'curl -s -w " %{http_code}" "$MOAT_URL_WEB/a?b=c"')).toBe('app 3000 200')
  })

  it('a webhook arrives with its body, from clients that follow no redirect', async () => {
    const echo = sandbox.directory('hook', {
      'moat.yaml': `name: hook\ndependencies: [node@22, curl, "apt:python3"]\nports: {web: 3000}\ncommand: [node, server.js]\nmounts: ["${resolve(caddy)}:/opt/caddy:ro"]\n`,
      'server.js': `require('node:http').createServer(async (q, r) => {
  let body = ''
  for await (const chunk of q) body += chunk
  r.end([q.method, q.headers['x-forwarded-proto'], body].join(' '))
}).listen(3000, '127.0.0.1')`,
    })
    await sandbox.json(['run', '-d', echo])
    await sandbox.json(['wait', 'hook', 'web', '--timeout', '30'])
    const node = `fetch(process.env.MOAT_URL_WEB, {body: 'node', method: 'POST', redirect: 'error'}).then((r) => r.text()).then((t) => process.stdout.write(t))`
    const python =
      'import os, urllib.request as r; print(r.urlopen(r.Request(os.environ["MOAT_URL_WEB"], data=b"python")).read().decode(), end="")'
    expect(await inside('hook', 'curl -sS -d curl "$MOAT_URL_WEB"')).toBe('POST http curl')
    expect(await inside('hook', `node -e "${node}"`)).toBe('POST http node')
    expect(await inside('hook', `python3 -c '${python}'`)).toBe('POST http python')
    // Caddy's reverse proxy is a client in Go.
    const go = `XDG_CONFIG_HOME=/tmp XDG_DATA_HOME=/tmp /opt/caddy reverse-proxy --from http://127.0.0.1:5999 --change-host-header --to $MOAT_URL_WEB >/dev/null 2>&1 & curl -sS -d go --retry 50 --retry-connrefused --retry-delay 0 http://127.0.0.1:5999/; kill $!`
    expect(await inside('hook', go)).toMatch(/^POST https? go$/)
    expect(await inside('hook', `curl -sS -d tls "https://$MOAT_HOST_WEB"`)).toBe('POST https tls')
  })

  it('the app is told of the request as of any other', async () => {
    const server = `require('node:http').createServer((q, r) => r.end(JSON.stringify(q.headers))).listen(3000)`
    const echo = sandbox.directory('echo', {
      'moat.yaml': `name: echo\ndependencies: [node@22, curl, "apt:python3"]\nports: {web: 3000}\ncommand: [node, server.js]\n`,
      'server.js': server,
    })
    const agent = await sandbox.json<AgentView>(['run', '-d', echo])
    const own = agent.endpoints[0]?.url ?? ''
    await sandbox.json(['wait', 'echo', 'web', '--timeout', '30'])
    const outside = JSON.parse((await sandbox.get(own, { headers: { 'X-Forwarded-For': '192.0.2.1' } })).body)
    const within = JSON.parse(await inside('echo', `curl -sS -H 'X-Forwarded-For: 192.0.2.1' ${own}`))
    const forwarded = { host: new URL(own).host, 'x-forwarded-host': new URL(own).host, 'x-forwarded-proto': 'https' }
    expect(outside).toMatchObject({ ...forwarded, 'x-forwarded-for': '127.0.0.1' })
    expect(within).toMatchObject({ ...forwarded, 'x-forwarded-for': '127.0.0.1' })
  })

  it('other agents and the dashboard are out of reach, whatever the client says', async () => {
    const port = new URL(url('web')).port
    const refused = JSON.stringify({
      detail: 'From inside a container, the proxy answers at the URLs of its own agent only.',
      error: 'not_your_agent',
      hint: 'echo $MOAT_URL',
    })
    const json = `curl -sSk -H 'Accept: application/json' -w ' %{http_code}'`
    for (const host of ['web.other.localhost', 'other.localhost', 'localhost']) {
      expect([host, await inside('app', `${json} https://${host}:${port}/`)]).toEqual([host, `${refused} 403`])
      const lie = `${json} -H 'Host: ${host}' ${url('web')}`
      expect([host, await inside('app', lie)]).toEqual([host, `${refused} 403`])
    }
    expect(await inside('app', `${json} -H 'Host: web.app.localhost.evil.test' ${url('web')}`)).toBe(`${refused} 403`)
    // Names of its end of the connection that look like an address on loopback.
    const python = `
import os, socket
os.chdir('/tmp')
client = socket.socket(socket.AF_UNIX)
client.bind('127.0.0.1:5000')
client.connect('/run/moat/proxy.sock')
import ssl
tls = ssl._create_unverified_context().wrap_socket(client, server_hostname='localhost')
tls.send(b'GET / HTTP/1.1\\r\\nHost: localhost\\r\\nAccept: application/json\\r\\nConnection: close\\r\\n\\r\\n')
print(tls.recv(64).decode().split('\\r\\n')[0])
`
    writeFileSync(join(app.workspace, 'lie.py'), python)
    expect(await inside('app', 'python3 lie.py')).toBe('HTTP/1.1 403 Forbidden\n')
    expect(await inside('app', `curl -sS ${url('web')}`)).toBe('app 3000')
  })

  it('an endpoint that is not there is explained', async () => {
    const json = `curl -sSk -H 'Accept: application/json'`
    const nowhere = url('web').replace('web.', 'wbe.')
    expect(JSON.parse(await inside('app', `${json} ${nowhere}`))).toMatchObject({ error: 'unknown_endpoint' })
  })

  it('the container cannot change what it is given, and its programs know nothing of the forwarder', async () => {
    expect(
      await inside(
        'app',
        '(echo x > /run/moat/forward) 2>&1 | grep -o Read-only; rm -f /run/moat/proxy.sock 2>&1 | grep -o Read-only',
      ),
    ).toBe('Read-only\nRead-only\n')
    const [container] = await sandbox.docker.listContainers({ filters: { label: [`dev.moat.run-id=${app.runId}`] } })
    const { Processes, Titles } = await sandbox.docker.getContainer(container?.Id ?? '').top()
    const port = new URL(url('web')).port
    const forwarder = `/run/moat/forward --port ${port} --socket /run/moat/proxy.sock --in /run/moat/in --serve 4000 --serve 3000 --`
    expect(Processes.map((fields: string[]) => fields[Titles.indexOf('CMD')]?.trimEnd())).toEqual([
      `/sbin/docker-init -- ${forwarder} node server.js`,
      'node server.js',
      forwarder,
    ])
  })
})

describe('Chromium in a container', () => {
  beforeAll(() => {
    sandbox = new Sandbox()
  })
  afterAll(() => sandbox.cleanUp())

  it('loads the URL, accepts the authority without being told of it, and for nothing but localhost', async () => {
    await sandbox.json(['proxy', 'start', '--detach'])
    const root = { certificate: join(sandbox.home, 'proxy/ca/ca.crt'), key: join(sandbox.home, 'proxy/ca/ca.key') }
    const [localhost, example] = ['localhost', 'www.example.com'].map((name) => {
      const { chain, key } = forgeLeaf(sandbox.directory(`forged-${name}`), name, root)
      return JSON.stringify({ cert: chain, key: readFileSync(key, 'utf8') })
    })
    const workspace = sandbox.directory('app', {
      'moat.yaml':
        'name: app\ndependencies: [node@22, "apt:chromium"]\nports: {web: 3000}\ncommand: [node, server.js]\n',
      'server.js': `
const page = (_, response) => response.setHeader('Content-Type', 'text/html').end('<p>it loads')
require('node:http').createServer(page).listen(3000)
require('node:https').createServer(${localhost}, page).listen(4443)
require('node:https').createServer(${example}, page).listen(5443)
`,
    })
    await sandbox.json(['run', '-d', workspace])
    await sandbox.json(['wait', 'app', 'web', '--timeout', '30'])
    const flags = [
      ...['--headless', '--no-sandbox', '--disable-gpu', '--no-first-run', '--user-data-dir=/tmp/profile'],
      ...['--disable-background-networking', '--disable-component-update', '--disable-sync', '--enable-logging=stderr'],
      '--host-resolver-rules="MAP www.example.com 127.0.0.1"',
    ]
    const load = (url: string) => inside('app', `chromium ${flags.join(' ')} --dump-dom ${url} 2>&1`)
    expect(await load('"$MOAT_URL_WEB"')).toContain('<p>it loads</p>')
    expect(await load('https://localhost:4443')).toContain('<p>it loads</p>')
    const refused = await load('https://www.example.com:5443')
    expect(refused).toMatch(/net::ERR_CERT_(AUTHORITY_)?INVALID/)
    expect(refused).not.toContain('<p>it loads</p>')
  }, 240_000)
})

describe('own URLs', () => {
  beforeEach(() => {
    sandbox = new Sandbox()
  })
  afterEach(() => sandbox.cleanUp())

  it('answer from the first line of the program on, and go on through restarts of all that has part in them', async () => {
    const server = `
const { get } = require('node:https')
const url = process.env.MOAT_URL_WEB.replace('http:', 'https:')
get(url, (response) => response.on('data', (chunk) => console.log('first ' + chunk))).on('error', (error) => console.log(String(error)))
require('node:http').createServer((_, response) => response.end('hello')).listen(3000)
`
    const workspace = sandbox.directory('app', {
      'moat.yaml': 'name: app\ndependencies: [node@22]\nports: {web: 3000}\ncommand: [node, server.js]\n',
      'server.js': server,
    })
    await sandbox.json(['run', '-d', workspace])
    const first = async () => (await sandbox.moat(['logs', 'app'])).stdout
    await until('the first answer', async () => (await first()) !== '')
    expect(await first()).toBe('first hello\n')

    const ask = `node -e "fetch(process.env.MOAT_URL_WEB).then((r) => r.text()).then((t) => process.stdout.write(t), (e) => process.stdout.write(String(e.cause)))"`
    const answers = () => until('an answer', async () => (await inside('app', ask)) === 'hello')
    await answers()
    const { caddys, supervisors } = await sandbox.processes()
    for (const pid of caddys) process.kill(pid, 'SIGKILL')
    await answers()
    for (const pid of supervisors) process.kill(pid, 'SIGKILL')
    expect(await inside('app', ask)).toBe('hello')
    await sandbox.json(['proxy', 'status'])
    await answers()
    const [container] = await sandbox.containers()
    await sandbox.docker.getContainer(container?.Id ?? '').restart({ t: 0 })
    await answers()
  })

  it('leave nothing behind: not of an agent that has stopped, nor of one that could not start', async () => {
    const workspace = sandbox.workspace('app')
    await sandbox.json(['run', '-d', workspace])
    const [runId] = directories()
    expect(await sandbox.moat(['run', '-d', workspace])).toMatchObject({ code: 1 })
    expect(directories()).toEqual([runId])
    await sandbox.json(['run', '-d', sandbox.workspace('second')])
    await sandbox.json(['stop', 'app'])
    expect(directories()).toHaveLength(1)
    expect(directories()).not.toContain(runId)
    await sandbox.json(['stop', 'second'])
    expect(directories()).toEqual([])
  })

  it('leave their port to an endpoint that has it, and say so', async () => {
    await sandbox.json(['proxy', 'start', '--detach'])
    const { port } = await sandbox.json<{ port: number }>(['proxy', 'status'])
    const outcome = await sandbox.moat(['run', '-d', sandbox.workspace('app', { api: port, web: 3000 })])
    expect(outcome.stderr).toContain(
      `Inside its container, the URLs of app will not answer: there, port ${port} is its endpoint api, not the proxy (proxy.port in config.yaml gives the proxy another).\n`,
    )
    expect(outcome.code, outcome.stderr).toBe(0)
    const answer = () => sandbox.get(`https://api.app.localhost:${port}`)
    await until('an answer', async () => (await answer()).body === `app ${port}`)
  })

  it('keep the arguments, the entrypoint and the exit code that the program would have', async () => {
    const image = `moat-test-entrypoint:${process.pid}`
    const dockerfile =
      'FROM node:22-slim\nRUN printf \'#!/bin/sh\\necho "entry $@"; exec "$@"\\n\' > /entry && chmod 755 /entry\nENTRYPOINT ["/entry"]\nCMD ["sh", "-c", "exit 7"]\n'
    const context = sandbox.directory('context', { Dockerfile: dockerfile })
    await run('docker', ['build', '-q', '-t', image, context], { env: { ...process.env, DOCKER_BUILDKIT: '0' } })
    try {
      const workspace = sandbox.directory('app', {
        'moat.yaml': `name: app\nbase_image: ${image}\nports: {web: 3000}\n`,
      })
      expect(await sandbox.moat(['run', workspace])).toMatchObject({
        code: 7,
        stdout: expect.stringContaining('entry sh -c exit 7\n'),
      })
      const own = await sandbox.moat(['run', workspace, '--', 'echo', 'a b', 'c'])
      expect(own).toMatchObject({ code: 0, stdout: expect.stringContaining('entry echo a b c\na b c\n') })
    } finally {
      await sandbox.docker.getImage(image).remove({ force: true })
    }
  })

  it('explain themselves to whoever wants their port without having said so', async () => {
    await sandbox.json(['proxy', 'start', '--detach'])
    const { port } = await sandbox.json<{ port: number }>(['proxy', 'status'])
    const greedy = ['node', '-e', `require('node:http').createServer().listen(${port})`]
    const hint = `If it was port ${port} that is in use: in its container moat listens there, for the agent's own URLs. Under ports in moat.yaml it becomes the agent's.\n`
    // A detached one is watched for a moment only, in which Node may not even have begun.
    const quick = ['sh', '-c', 'echo "listen EADDRINUSE: address already in use" >&2; exit 1']
    for (const [flags, program] of [
      [[], greedy],
      [['-d'], quick],
    ] as const) {
      const outcome = await sandbox.moat(['run', ...flags, sandbox.workspace('app'), '--', ...program])
      expect(outcome).toMatchObject({ code: 1, stderr: expect.stringContaining(hint) })
      expect(outcome.stderr).toContain('EADDRINUSE')
    }
  })

  it('do not hide that a command does not exist', async () => {
    const outcome = await sandbox.moat(['run', sandbox.workspace('app'), '--', 'no-such-command'])
    expect(outcome).toMatchObject({
      code: 127,
      stderr: expect.stringMatching(
        /moat: cannot run no-such-command: No such file or directory\n[\s\S]*no-such-command[\s\S]*node:22-slim/,
      ),
    })
  })
})
