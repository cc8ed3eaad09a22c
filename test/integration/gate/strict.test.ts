// A strict policy in a real container: what a hostile program comes to, what works all the same, and what becomes of both when
// parts of moat are killed.
import { execFile, execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { createServer as createHttps } from 'node:https'
import { type AddressInfo, createServer as createNet, type Server as NetServer } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { agentGateSocket, moatPaths } from '../../../src/config/paths.js'
import { LogTail, readOlder } from '../../../src/egress/read-log.js'
import { type RunningMoat, Sandbox } from '../../helpers/sandbox.js'
import { until } from '../../helpers/until.js'

const run = promisify(execFile)
const sandbox = new Sandbox()
const paths = moatPaths({ MOAT_HOME: sandbox.home })
const servers: (NetServer | Server)[] = []
let moat: RunningMoat
let container: string
let runId: string

async function listen(server: NetServer, where: object = { host: '127.0.0.1', port: 0 }): Promise<number> {
  servers.push(server)
  server.listen(where)
  await once(server, 'listening')
  const address = server.address() as AddressInfo | string
  return typeof address === 'string' ? 0 : address.port
}

function certificate(directory: string) {
  const [key, cert] = [join(directory, 'key.pem'), join(directory, 'cert.pem')]
  const kind = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', '/CN=api.test']
  execFileSync('openssl', ['req', ...kind, '-keyout', key, '-out', cert], { stdio: 'pipe' })
  return { cert: readFileSync(cert), key: readFileSync(key) }
}

/** A repository that git reads over plain HTTP, file by file. */
function dumbRepository(directory: string): void {
  const git = (...args: string[]) => execFileSync('git', ['-C', directory, ...args], { stdio: 'pipe' })
  const who = ['-c', 'user.name=x', '-c', 'user.email=x@example.com']
  git('init', '-q', '-b', 'main')
  git(...who, 'commit', '-q', '--allow-empty', '-m', 'first')
  git('update-server-info')
}

async function stubs(): Promise<string> {
  const repository = sandbox.directory('repository')
  dumbRepository(repository)
  const web = await listen(
    createServer((request, response) => {
      const { pathname } = new URL(request.url ?? '', 'http://stub')
      if (pathname === '/to-other') return response.writeHead(302, { location: 'http://other.test/' }).end()
      if (pathname.startsWith('/apt/')) return response.writeHead(pathname.endsWith('/Packages') ? 200 : 404).end()
      if (!pathname.startsWith('/repo.git/')) return response.end(`stub ${pathname}`)
      try {
        return response.end(readFileSync(join(repository, '.git', pathname.slice('/repo.git/'.length))))
      } catch {
        return response.writeHead(404).end()
      }
    }),
  )
  const pair = certificate(sandbox.directory('tls'))
  const secure = await listen(createHttps(pair, (_request, response) => response.end('secure stub')))
  const ssh = await listen(createNet((socket) => socket.on('error', () => {}).end('SSH-2.0-stub\r\n')))
  await listen(
    createNet((socket) => socket.end('out')),
    { path: `\0moat-${process.pid}` },
  )
  const at = (port: number) => `127.0.0.1:${port}`
  const reached = { 'api.test:22': at(ssh), 'api.test:443': at(secure), 'api.test:80': at(web) }
  const others = { 'other.test:443': at(secure), 'other.test:80': at(web), 'ssh.test:22': at(ssh) }
  const answers = { 'container.test': '172.17.0.2', 'inside.test': '127.0.0.1', 'metadata.test': '169.254.169.254' }
  return Object.entries({ ...reached, ...others, ...answers })
    .map((pair) => pair.join('='))
    .join()
}

/** What a shell in the container says. */
async function shell(script: string): Promise<string> {
  const asked = run('docker', ['exec', '-i', container, 'sh', '-c', script], { timeout: 170_000 })
  return (await asked.catch((error) => error)).stdout
}

beforeAll(async () => {
  sandbox.env.MOAT_TEST_HOSTS = await stubs()
  const hostPort = await listen(createNet((socket) => socket.on('error', () => {}).end('port of this machine')))
  const workspace = sandbox.directory('strict', {
    'moat.yaml': `name: strict
dependencies: [node@22, git, curl, wget, openssh-client, "apt:python3-requests", "apt:python3-pip"]
command: [node, hostile.mjs]
ports: {web: 3000}
# This machine's, for the registries that it reaches.
mounts: ["/etc/ssl/certs/ca-certificates.crt:/etc/ssl/certs/ca-certificates.crt:ro"]
network:
  policy: strict
  host: [${hostPort}]
  rules:
    - api.test
    - ssh.test:22
    - inside.test
    - container.test
    - metadata.test
    - preset: npm
    - preset: pypi
`,
  })
  copyFileSync('test/fixtures/hostile/hostile.mjs', join(workspace, 'hostile.mjs'))
  const addresses = ['203.0.113.80', '1.1.1.1', '172.17.0.1', '172.17.0.2', '169.254.169.254', '2606:4700:4700::1111']
  const ways = { abstract: `moat-${process.pid}`, addresses, gatePort: 61_080, proxySocket: '/run/moat/proxy.sock' }
  sandbox.env.HOST_PORT = `${hostPort}`
  moat = sandbox.start(['run', '-e', `WAYS=${JSON.stringify(ways)}`, workspace])
  await until('the results', () => moat.stdout.includes('RESULTS ') || moat.process.exitCode !== null, 240_000)
  const [found] = await sandbox.containers()
  container = found?.Id ?? ''
  runId = found?.Labels['dev.moat.run-id'] ?? ''
}, 260_000)

afterAll(async () => {
  await sandbox.cleanUp()
  for (const server of servers) server.close()
})

describe('a strict policy', () => {
  it('leaves a hostile program no way out', async () => {
    const text = /RESULTS (.*)/.exec(moat.stdout)?.[1]
    if (text === undefined) throw new Error(`no results: ${moat.stdout}${moat.stderr}`)
    const results = JSON.parse(text) as Record<string, string>
    const refused = 'HTTP/1.1 403 Forbidden'
    expect(results).toMatchObject({
      '10,000 connections': 'done',
      'HTTP/1.0': refused,
      'a file beside the sockets': 'EROFS',
      'a name of a container': refused,
      'a name of loopback': refused,
      'a name of metadata': refused,
      'a redirect to another host': expect.stringContaining('403'),
      'abstract socket': 'ECONNREFUSED',
      'an allowed host after all that': 'stub /hello',
      'another Host': 'HTTP/1.1 400 Bad Request',
      'another Host in a tunnel': 'HTTP/1.1 400 Bad Request',
      'another host': refused,
      'another host in TLS': 'ERR_SSL_TLSV1_UNRECOGNIZED_NAME',
      'another host, by address': refused,
      'another host, plain': refused,
      'another port': refused,
      interfaces: 'lo',
      metadata: refused,
      'no host in TLS': 'ERR_SSL_TLSV1_UNRECOGNIZED_NAME',
      smuggled: 'HTTP/1.1 400 Bad Request',
      'the gateway': refused,
    })
    expect(results["the proxy's socket"]).toMatch(/^(|HTTP\/1\.1 4\d\d .*)$/)
    for (const [name, outcome] of Object.entries(results))
      if (/^(tcp|udp|dns|ping|raw)/.test(name))
        expect(`${name}: ${outcome}`).not.toMatch(/: (connected|answered|sent)$/)
    const { HostConfig, NetworkSettings } = await sandbox.docker.getContainer(container).inspect()
    expect(HostConfig.NetworkMode).toBe('none')
    expect(NetworkSettings.Ports).toEqual({})
  })

  it('lets tools reach what it allows, each in its own way', async () => {
    const said = await shell(`
      echo "curl: $(curl -sS http://api.test/c)"
      echo "curl tls: $(curl -sSk https://api.test/c)"
      echo "curl refused: $(curl -sS http://other.test/)"
      echo "wget: $(wget -qO- http://api.test/w)"
      echo "fetch: $(node -e "fetch('http://api.test/f').then(async (r) => console.log(await r.text()))" 2>/dev/null)"
      echo "requests: $(python3 -c "import requests; print(requests.get('http://api.test/r').text)")"
      echo "git: $(git ls-remote http://api.test/repo.git HEAD | cut -f2)"
      echo "ssh: $(ssh -v -o BatchMode=yes git@ssh.test 2>&1 | grep -o 'remote software version [a-z]*')"
      echo "git by ssh: $(git ls-remote git@other.test:x 2>&1 | grep -o 'network_policy')"
      echo "this machine: $(curl -sS --http0.9 http://127.0.0.1:${sandbox.env.HOST_PORT}/)"
      echo "own url: $(curl -sS -o /dev/null -w '%{http_code}' "$MOAT_URL")"
      echo "java: $JAVA_TOOL_OPTIONS"`)
    const lines = said.trim().split('\n')
    expect(lines.slice(0, 2)).toEqual(['curl: stub /c', 'curl tls: secure stub'])
    expect(JSON.parse((lines[2] ?? '').replace('curl refused: ', ''))).toMatchObject({
      error: 'network_policy',
      hint: 'moat network allow strict other.test',
    })
    expect(lines.slice(3, 11)).toEqual([
      'wget: stub /w',
      'fetch: stub /f',
      'requests: stub /r',
      'git: HEAD',
      'ssh: remote software version stub',
      'git by ssh: network_policy',
      'this machine: port of this machine',
      'own url: 503',
    ])
    expect(lines[11]).toContain('-Dhttps.proxyHost=127.0.0.1 -Dhttps.proxyPort=61080')
  })

  it('lets package managers reach their registries', { timeout: 180_000 }, async () => {
    const own = ['Etc::sourcelist=/tmp/list', 'Etc::sourceparts=-', 'State=/tmp/apt', 'Cache=/tmp/apt']
    const options = own.map((option) => `-o Dir::${option}`).join(' ')
    const said =
      await shell(`cd /tmp && mkdir -p apt/lists/partial && echo 'deb [trusted=yes] http://api.test/apt ./' >list
      echo "npm: $(npm view is-odd@3.0.1 version 2>/dev/null)"
      echo "pip: $(pip download --quiet --no-deps --disable-pip-version-check -d p six==1.17.0 2>&1; ls p)"
      echo "apt: $(env -i PATH="$PATH" apt-get update ${options} 2>&1 | tail -1)"`)
    expect(said.trim().split('\n')).toEqual([
      'npm: 3.0.1',
      'pip: six-1.17.0-py2.py3-none-any.whl',
      'apt: Reading package lists...',
    ])
  })

  it('is told to the person who runs it: what was refused, each host once, and what would allow it', async () => {
    const line = 'blocked other.test (no rule); allow: moat network allow strict other.test\n'
    await until('the line', () => moat.stderr.includes(line))
    expect(moat.stderr.split('blocked other.test ')).toHaveLength(2)
    expect(moat.stderr).toContain(
      'blocked inside.test (loopback address 127.0.0.1); allow: moat network allow strict 127.0.0.1\n',
    )
  })

  it('is written down: what was reached, and what was not', async () => {
    const entries = await until('the log', async () => {
      const all = [...(await readOlder(paths, [runId])), ...(await new LogTail(paths, runId).next())]
      return all.some(({ host }) => host === 'ssh.test') && all
    })
    expect(entries).toContainEqual(
      expect.objectContaining({ agent: 'strict', host: 'api.test', method: 'GET', path: '/c', verdict: 'allowed' }),
    )
    expect(entries).toContainEqual(
      expect.objectContaining({ host: 'inside.test', reason: 'loopback address 127.0.0.1' }),
    )
  })

  it('goes on when parts of moat are killed: nothing opens, and what is allowed works again', async () => {
    const works = async () => (await shell('curl -sS -m 5 http://api.test/again')).trim() === 'stub /again'
    const refuses = async () => (await shell('curl -sS -m 5 http://other.test/')).includes('network_policy')
    const closed = 'curl -sS -m 2 --noproxy "*" http://203.0.113.80/ || echo closed'
    const kill = async (which: 'caddys' | 'gates' | 'supervisors') => {
      const [pid = 0] = (await sandbox.processes())[which]
      process.kill(pid, 'SIGKILL')
      expect(await shell(closed)).toMatch(/closed\n$/)
      await until(
        `another of the ${which}`,
        async () => {
          const [next] = (await sandbox.processes())[which]
          return next !== undefined && next !== pid
        },
        20_000,
      )
      await until('an allowed host', works, 20_000)
      expect(await refuses()).toBe(true)
    }
    for (const which of ['gates', 'caddys', 'supervisors'] as const) await kill(which)
    rmSync(agentGateSocket(paths, runId))
    await until('an allowed host', works, 20_000)
  })
})
