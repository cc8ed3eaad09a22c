// An agent in its container, with rules about paths: what it asks of a host is looked at, request by request, with the tools it has.
import { execFileSync } from 'node:child_process'
import { copyFileSync, existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { makeJavaStore } from '../../../src/authority/java-store.js'
import { syncRoutes } from '../../../src/supervisor/control-client.js'
import { Sandbox } from '../../helpers/sandbox.js'
import { type StubAuthority, type StubHost, stubAuthority, stubHost } from '../../helpers/stub-hosts.js'
import { until } from '../../helpers/until.js'

/** In Go, with the client that programs in it have. */
const caddy = process.env.MOAT_CADDY ?? ''
const yaml = `
name: opened
dependencies: [node@22, curl, 'apt:python3', 'apt:wget', git, 'apt:openjdk-17-jre-headless']
ports: {web: 3000}
command: [sleep, '600']
mounts: ["${resolve(caddy)}:/opt/caddy:ro"]
network:
  policy: strict
  rules:
    - api.test: ["allow GET /repos/**", "allow POST /upload", "deny * /**"]
    - plain.test
`

let sandbox: Sandbox
let authority: StubAuthority
let host: StubHost
/** What it was asked. */
const seen: string[] = []

beforeAll(async () => {
  sandbox = new Sandbox()
  authority = stubAuthority()
  host = await stubHost(authority, ['api.test', 'plain.test'], (request, response) => {
    let size = 0
    request.on('data', (chunk) => {
      size += chunk.length
    })
    request.on('end', () => {
      seen.push(`${request.method} ${request.headers[':authority'] ?? request.headers.host}${request.url}`)
      if (request.url === '/repos/away') response.writeHead(302, { location: 'https://other.test/' })
      response.end(`reached ${request.method} ${request.url} ${size}\n`)
    })
  })
  const reach = `127.0.0.1:${host.port}`
  sandbox.env.MOAT_TEST_HOSTS = `api.test:443=${reach},plain.test:443=${reach},api.test=10.0.0.1`
  // What Caddy verifies hosts by; the second authority is not in it.
  sandbox.env.SSL_CERT_FILE = authority.file
  const directory = sandbox.directory('opened', { 'moat.yaml': yaml })
  copyFileSync('test/fixtures/hostile/opened.mjs', join(directory, 'opened.mjs'))
  writeFileSync(join(directory, 'stubs.jks'), makeJavaStore(readFileSync(authority.file, 'utf8')))
  await sandbox.json(['run', '-d', directory])
}, 300_000)
afterAll(async () => {
  await sandbox?.cleanUp()
  host?.close()
  if (authority) rmSync(dirname(authority.file), { force: true, recursive: true })
})

const inside = (...command: string[]) => sandbox.inside('opened', ...command)
const fetched = (url: string) =>
  `fetch('${url}').then(async (r) => console.log(r.status, await r.text()), (e) => console.log(e.cause?.code ?? e))`
const python = (url: string) =>
  `import urllib.request as u\ntry: print(u.urlopen('${url}').read().decode())\nexcept Exception as e: print(e)`

describe('an agent with rules about paths', () => {
  it.each([
    ['curl', ['curl', '-sS', 'https://api.test/repos/a?b=c']],
    ['Node', ['node', '-e', fetched('https://api.test/repos/a?b=c')]],
    ['Python', ['python3', '-c', python('https://api.test/repos/a?b=c')]],
    ['wget', ['wget', '-qO-', 'https://api.test/repos/a?b=c']],
  ])('reaches with %s what they allow', async (_, command) => {
    const { stderr, stdout } = await inside(...command)
    expect(stdout, stderr).toContain('reached GET /repos/a?b=c 0')
  })

  it.each([
    ['curl', ['curl', '-sS', 'https://api.test/secret']],
    ['Node', ['node', '-e', fetched('https://api.test/secret')]],
  ])('is told with %s what they refuse', async (_, command) => {
    const { stderr, stdout } = await inside(...command)
    expect(JSON.parse(/\{.*\}/.exec(stdout)?.[0] ?? stderr)).toMatchObject({
      error: 'network_policy',
      hint: 'moat network allow opened "api.test GET /secret"',
      host: 'api.test',
      path: '/secret',
      rule: 'deny * /**',
    })
  })

  it.each([
    ['opened', 'https://api.test', ''],
    ['not opened, whose authority it does not know', 'https://plain.test', '--insecure'],
  ])('reaches with Go a host that is %s', async (_, to, flags) => {
    const serve = `XDG_CONFIG_HOME=/tmp XDG_DATA_HOME=/tmp /opt/caddy reverse-proxy --from http://127.0.0.1:5999 --change-host-header --to ${to} ${flags}`
    const ask = `${serve} >/dev/null 2>&1 & curl -sS --retry 50 --retry-connrefused --retry-delay 0 http://127.0.0.1:5999/repos/go; kill $!; wait`
    const { stderr, stdout } = await inside('sh', '-c', ask)
    expect(stdout, stderr).toBe('reached GET /repos/go 0\n')
  })

  it('comes to no other path and no other host by them, whatever it sends', async () => {
    const before = seen.length
    const { stderr, stdout } = await inside('node', 'opened.mjs')
    const results = JSON.parse(stdout || `"${stderr}"`) as Record<string, unknown>
    const alert = 'ERR_SSL_TLSV1_UNRECOGNIZED_NAME'
    expect(results).toEqual({
      'HTTP/1.0': 'HTTP/1.0 403',
      'HTTP/1.0, allowed': 'HTTP/1.0 200,reached GET /repos/old 0',
      // What comes after the chunks is a request of its own, and judged as one.
      'a length and chunks': 'HTTP/1.1 200,reached POST /upload 0,HTTP/1.1 403,HTTP/1.1 200,reached GET /repos/last 0',
      'a redirect': expect.stringContaining('403'),
      'after another': 'HTTP/1.1 200,reached GET /repos/first 0,HTTP/1.1 403',
      'an absolute URL': 'HTTP/1.1 421',
      'another Host': 'HTTP/1.1 421',
      'another host in TLS': alert,
      'in a body': 'HTTP/1.1 200,reached POST /upload 40,HTTP/1.1 200,reached GET /repos/last 0',
      'no host in TLS': alert,
      'two Hosts': 'HTTP/1.1 400',
      'two lengths': 'HTTP/1.1 400',
    })
    for (const request of seen.slice(before))
      expect(request).toMatch(/^(GET api\.test\/repos\/|POST api\.test\/upload$)/)
  })

  // keytool asks for lists of revoked certificates with the client that programs in Java have; that it is answered something else is
  // no matter here.
  it('reaches with Java what they allow, and hosts that are not opened with a store of its own, and nothing else', async () => {
    const ask = (url: string, flags = '') => `keytool ${flags} -printcrl -file ${url}`
    const ofOwn = '-J-Djavax.net.ssl.trustStore=stubs.jks'
    const asked = [ask('https://api.test/repos/java'), ask('https://api.test/java'), ask('https://plain.test/stranger')]
    const others = [ask('https://plain.test/java', ofOwn), ask('https://other.test/java')]
    const { stderr, stdout } = await inside('sh', '-c', [...asked, ...others].map((one) => `${one} 2>&1`).join('; '))
    const [java, said] = [seen.filter((line) => /java|stranger/.test(line)), `${stdout}${stderr}`]
    expect(java, said).toEqual(['GET api.test/repos/java', 'GET plain.test/java'])
    expect(said).toContain('Server returned HTTP response code: 403 for URL: https://api.test/java')
    expect(said).toContain('unable to find valid certification path')
    expect(said).toContain('Unable to tunnel through proxy. Proxy returns "HTTP/1.1 403 Forbidden"')
  })

  it('sends all of an upload', async () => {
    const upload = 'head -c 5000000 /dev/zero | curl -sS --data-binary @- https://api.test/upload'
    expect((await inside('sh', '-c', upload)).stdout).toBe('reached POST /upload 5000000\n')
  })

  it('speaks with the host itself where there are none', async () => {
    const { stdout } = await inside('sh', '-c', 'curl -sSk -w "%{certs}" https://plain.test/x; true')
    expect(stdout).toContain('reached GET /x 0')
    // It does not trust the authority of this host, which the proxy does.
    expect((await inside('curl', '-sS', 'https://plain.test/x')).stderr).toMatch(/certificate/)
  })

  it('is not kept from git', async () => {
    const { stderr } = await inside('git', 'ls-remote', 'https://api.test/repos/x.git')
    // What it is answered is no repository; it was answered, though.
    expect(stderr).toMatch(/not valid|not found|smart|unexpected|invalid/i)
    expect(stderr).not.toMatch(/certificate/i)
  })

  it('reaches them with its first instruction', async () => {
    const directory = sandbox.directory('first', { 'moat.yaml': yaml.replace('name: opened', 'name: first') })
    const { stderr, stdout } = await sandbox.moat([
      'run',
      directory,
      '--',
      'curl',
      '-sS',
      'https://api.test/repos/first',
    ])
    expect(stdout, stderr).toContain('reached GET /repos/first')
  })

  it('has both requests in the log', async () => {
    interface Line {
      path?: string
      reason: string
      rule?: string
      verdict: string
    }
    const lines = await until('both', async () => {
      const { stdout } = await sandbox.moat(['network', 'log', 'opened', '--json'])
      const entries = JSON.parse(stdout) as { entries?: Line[] } | Line[]
      const all = Array.isArray(entries) ? entries : (entries.entries ?? [])
      const paths = all.map(({ path }) => path)
      return paths.includes('/repos/a') && paths.includes('/secret') ? all : undefined
    })
    expect(lines.find(({ path }) => path === '/repos/a')).toMatchObject({
      rule: 'allow GET /repos/**',
      verdict: 'allowed',
    })
    expect(lines.find(({ path }) => path === '/secret')).toMatchObject({ rule: 'deny * /**', verdict: 'blocked' })
  })

  it('is heard by moat when rules come while it runs', async () => {
    expect((await inside('curl', '-sS', 'https://api.test/live')).stdout).toContain('network_policy')
    await sandbox.told(['network', 'allow', 'opened', 'api.test GET /live'])
    expect((await inside('curl', '-sS', 'https://api.test/live')).stdout).toContain('reached GET /live')
  })

  it.each(['caddys', 'gates'] as const)('is heard again when one of the %s was killed', async (kind) => {
    const before = await sandbox.processes()
    for (const pid of before[kind]) process.kill(pid, 'SIGKILL')
    await until('another one', async () => (await sandbox.processes())[kind].some((pid) => !before[kind].includes(pid)))
    await until(
      'an answer',
      async () => (await inside('curl', '-sS', 'https://api.test/repos/killed')).stdout.includes('reached'),
      30_000,
    )
    // Nor is anything left to be told to the new one.
    await syncRoutes(join(sandbox.home, 'proxy/control.sock'))
    // Nothing has opened up.
    expect((await inside('curl', '-sS', 'https://api.test/secret')).stdout).toContain('network_policy')
  })

  it('leaves no trace of the second authority on this machine, but its own files', () => {
    const key = join(sandbox.home, 'proxy/egress-ca/ca.key')
    expect(statSync(key).mode & 0o777).toBe(0o600)
    expect(existsSync('/usr/local/share/ca-certificates')).toBe(true)
    const found = execFileSync('sh', ['-c', 'grep -rl "Moat egress CA" /usr/local/share/ca-certificates || true'])
    expect(found.toString()).toBe('')
    const config = readFileSync(join(sandbox.home, 'proxy/caddy.log'), 'utf8')
    expect(config).not.toContain('/repos/a')
  })

  it('goes on when the second authority is replaced; a Node that runs trusts the next once it is started anew', async () => {
    const go = join(sandbox.directory('opened'), 'go')
    const code = `const ask = () => fetch('https://api.test/repos/node', { headers: { connection: 'close' } })
      .then(({ status }) => console.log(status), ({ cause }) => console.log(cause.code))
    await ask()
    const waiting = setInterval(() => { if (existsSync('/workspace/go')) { clearInterval(waiting); ask() } }, 50)`
    const script = `import { existsSync } from 'node:fs'\n${code}`
    const running = sandbox.start(['exec', 'opened', '--', 'node', '--input-type=module', '-e', script])
    await running.prints('200\n')
    const outcome = await sandbox.json<{ fingerprint: string; previous: string }>(['proxy', 'ca', 'rotate', '--egress'])
    expect(outcome.fingerprint).not.toBe(outcome.previous)
    const { stderr, stdout } = await inside('curl', '-sS', 'https://api.test/repos/again')
    expect(stdout, stderr).toContain('reached GET /repos/again')
    writeFileSync(go, '')
    expect((await running.exited).stdout).toMatch(/^200\n[A-Z_]*CERT[A-Z_]*\n$/)
    expect((await inside('node', '-e', fetched('https://api.test/repos/anew'))).stdout).toContain('200')
  })
})
