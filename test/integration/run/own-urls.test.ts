import { writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { AgentView } from '../../../src/routing/agent-view.js'
import { Sandbox } from '../../helpers/sandbox.js'

const caddy = process.env.MOAT_CADDY ?? ''

let sandbox: Sandbox

const inside = async (agent: string, script: string) => {
  const { code, stderr, stdout } = await sandbox.inside(agent, 'sh', '-c', script)
  return code === 0 ? stdout : `exit ${code}: ${stdout}${stderr}`
}

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
