// A strict policy in a real container: what a hostile program comes to, beside another agent, and what works all the same.
import { execFile, execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { copyFileSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type RequestListener, type Server } from 'node:http'
import { createServer as createHttps } from 'node:https'
import { type AddressInfo, createServer as createNet, type Server as NetServer } from 'node:net'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { agentGateSocket, moatPaths } from '../../../src/config/paths.js'
import { LogTail, readOlder } from '../../../src/egress/read-log.js'
import { type GitHost, gitOverSsh } from '../../helpers/git-over-ssh.js'
import { type RunningMoat, Sandbox } from '../../helpers/sandbox.js'
import { stubAuthority } from '../../helpers/stub-hosts.js'
import { until } from '../../helpers/until.js'

const run = promisify(execFile)
const sandbox = new Sandbox()
const paths = moatPaths({ MOAT_HOME: sandbox.home })
const servers: (NetServer | Server)[] = []
const authority = stubAuthority()
let ssh: GitHost
let moat: RunningMoat
let container: string
let neighbour: string
let runId: string

async function listen(server: NetServer, where: object = { host: '127.0.0.1', port: 0 }): Promise<number> {
  servers.push(server)
  server.listen(where)
  await once(server, 'listening')
  const address = server.address() as AddressInfo | string
  return typeof address === 'string' ? 0 : address.port
}

/** A repository that git reads over plain HTTP, file by file, and by ssh. */
function bareRepository(directory: string): void {
  const git = (...args: string[]) => execFileSync('git', ['-C', directory, ...args], { stdio: 'pipe' })
  const who = ['-c', 'user.name=x', '-c', 'user.email=x@example.com']
  git('init', '-q', '--bare', '-b', 'main')
  const tree = git('hash-object', '-t', 'tree', '-w', '/dev/null').toString().trim()
  git(
    'update-ref',
    'refs/heads/main',
    git(...who, 'commit-tree', '-m', 'first', tree)
      .toString()
      .trim(),
  )
  git('update-server-info')
}

/** A repository of packages with one in it, whatever that contains. */
const pack = Buffer.from('a package')
const sum = createHash('sha256').update(pack).digest('hex')
const packages = `Package: thing
Version: 1
Architecture: all
Filename: ./thing.deb
Size: ${pack.length}
SHA256: ${sum}
`

/** `where` leads to the repositories of git. */
const web =
  (repositories: string): RequestListener =>
  (request, response) => {
    const { pathname } = new URL(request.url ?? '', 'http://stub')
    const files: Record<string, Buffer | string> = { '/apt/Packages': packages, '/apt/thing.deb': pack }
    if (pathname === '/to-other') return response.writeHead(302, { location: 'http://other.test/' }).end()
    if (pathname === '/to-metadata') return response.writeHead(302, { location: 'http://169.254.169.254/x' }).end()
    if (pathname.startsWith('/apt/')) return response.writeHead(pathname in files ? 200 : 404).end(files[pathname])
    if (!pathname.startsWith('/app.git/')) return response.end(`stub ${pathname}`)
    try {
      return response.end(readFileSync(join(repositories, pathname)))
    } catch {
      return response.writeHead(404).end()
    }
  }

async function stubs(): Promise<string> {
  const repositories = sandbox.directory('repositories')
  bareRepository(sandbox.directory('repositories/app.git'))
  const answer = web(repositories)
  const plain = await listen(createServer(answer))
  const secure = await listen(createHttps(authority.issue(['api.test']), answer))
  ssh = await gitOverSsh(repositories)
  await listen(
    createNet((socket) => socket.end('out')),
    { path: `\0moat-${process.pid}` },
  )
  const at = (port: number) => `127.0.0.1:${port}`
  const reached = { 'api.test:22': at(ssh.port), 'api.test:443': at(secure), 'api.test:80': at(plain) }
  const others = { 'other.test:443': at(secure), 'other.test:80': at(plain), 'ssh.test:22': at(ssh.port) }
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

const containerOf = async (name: string) =>
  (await sandbox.containers()).find(({ Labels }) => Labels['dev.moat.name'] === name)

/** On the engine's network. */
async function addressOf(name: string): Promise<string> {
  const networks = Object.values((await containerOf(name))?.NetworkSettings.Networks ?? {})
  return networks.map(({ IPAddress }) => IPAddress).find(Boolean) ?? 'no address'
}

beforeAll(async () => {
  sandbox.env.MOAT_TEST_HOSTS = await stubs()
  // Beside it lives another agent, which anybody on the engine's network reaches.
  await sandbox.json(['run', '-d', sandbox.workspace('neighbour', { web: 80 })])
  neighbour = await addressOf('neighbour')
  const answer = () => fetch(`http://${neighbour}/`).then(async (response) => response.text())
  expect(await until('the neighbour', () => answer().catch(() => false as const))).toBe('neighbour 80')
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
  copyFileSync(authority.file, join(workspace, 'stubs.crt'))
  const addresses = ['203.0.113.80', '1.1.1.1', '172.17.0.1', neighbour, '169.254.169.254', '2606:4700:4700::1111']
  const own = { abstract: `moat-${process.pid}`, gatePort: 61_080, proxySocket: '/run/moat/proxy.sock' }
  const ways = { ...own, addresses, neighbour }
  sandbox.env.HOST_PORT = `${hostPort}`
  moat = sandbox.start(['run', '-e', `WAYS=${JSON.stringify(ways)}`, workspace])
  await until('the results', () => moat.stdout.includes('RESULTS ') || moat.process.exitCode !== null, 240_000)
  const found = await containerOf('strict')
  container = found?.Id ?? ''
  runId = found?.Labels['dev.moat.run-id'] ?? ''
}, 260_000)

afterAll(async () => {
  await sandbox.cleanUp()
  for (const server of servers) server.close()
  ssh?.close()
  rmSync(dirname(authority.file), { force: true, recursive: true })
})

describe('a strict policy', () => {
  it('leaves a hostile program no way out', async () => {
    const text = /RESULTS (.*)/.exec(moat.stdout)?.[1]
    if (text === undefined) throw new Error(`no results: ${moat.stdout}${moat.stderr}`)
    const results = JSON.parse(text) as Record<string, string>
    const refused = 'HTTP/1.1 403 Forbidden'
    expect(results).toMatchObject({
      '10,000 connections': 'no more than a thousand kept',
      'HTTP/1.0': refused,
      'a file beside the sockets': 'EROFS',
      'a name of a container': refused,
      'a name of loopback': refused,
      'a name of metadata': refused,
      'a redirect to another host': expect.stringContaining('403'),
      'a redirect to metadata': expect.stringContaining('403'),
      'abstract socket': 'ECONNREFUSED',
      'an allowed host after all that': 'stub /hello',
      'an allowed host beside slow headers': 'stub /slow',
      'another Host': 'HTTP/1.1 400 Bad Request',
      'another Host in a tunnel': 'HTTP/1.1 400 Bad Request',
      'another host': refused,
      'another host in TLS': 'ERR_SSL_TLSV1_UNRECOGNIZED_NAME',
      'another host, by address': refused,
      'another host, plain': refused,
      [`tcp ${neighbour}`]: 'ENETUNREACH',
      'the neighbour': refused,
      'the neighbour, in a tunnel': refused,
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
    const said = await shell(`cd /tmp; ca=/workspace/stubs.crt
      echo "curl: $(curl -sS http://api.test/c)"
      echo "curl tls: $(curl -sS --cacert $ca https://api.test/c)"
      echo "curl refused: $(curl -sS http://other.test/)"
      echo "wget: $(wget -qO- http://api.test/w)"
      echo "wget tls: $(wget -qO- --ca-certificate=$ca https://api.test/w)"
      echo "fetch: $(node -e "fetch('http://api.test/f').then(async (r) => console.log(await r.text()))" 2>/dev/null)"
      echo "fetch tls: $(NODE_EXTRA_CA_CERTS=$ca node -e "fetch('https://api.test/f').then(async (r) => console.log(await r.text()))" 2>/dev/null)"
      echo "requests: $(python3 -c "import requests; print(requests.get('http://api.test/r').text)")"
      echo "requests tls: $(python3 -c "import requests; print(requests.get('https://api.test/r', verify='$ca').text)")"
      echo "git: $(git ls-remote http://api.test/app.git HEAD | cut -f2)"
      echo "git tls: $(GIT_SSL_CAINFO=$ca git clone -q https://api.test/app.git by-tls 2>&1; git -C by-tls log --format=%s)"
      echo "git by ssh: $(git ls-remote git@other.test:app.git 2>&1 | grep -o 'network_policy')"
      echo "this machine: $(curl -sS --http0.9 http://127.0.0.1:${sandbox.env.HOST_PORT}/)"
      echo "own url: $(curl -sS "$MOAT_URL")"
      echo "java: $JAVA_TOOL_OPTIONS"`)
    const lines = said.trim().split('\n')
    expect(lines.slice(0, 2)).toEqual(['curl: stub /c', 'curl tls: stub /c'])
    expect(JSON.parse((lines[2] ?? '').replace('curl refused: ', ''))).toMatchObject({
      error: 'network_policy',
      hint: 'moat network allow strict other.test',
    })
    expect(lines.slice(3, 14)).toEqual([
      'wget: stub /w',
      'wget tls: stub /w',
      'fetch: stub /f',
      'fetch tls: stub /f',
      'requests: stub /r',
      'requests tls: stub /r',
      'git: HEAD',
      'git tls: first',
      'git by ssh: network_policy',
      'this machine: port of this machine',
      'own url: its own',
    ])
    expect(lines[14]).toContain('-Dhttps.proxyHost=127.0.0.1 -Dhttps.proxyPort=61080')
  })

  it('lets git clone and push by ssh, and ssh reach no other port', async () => {
    const said = await shell(`cd /tmp; export HOME=/tmp
      git config --global core.sshCommand "ssh -o StrictHostKeyChecking=accept-new -o UserKnownHostsFile=/tmp/known"
      git clone -q git@ssh.test:app.git by-ssh 2>&1 | grep -v 'Permanently added'
      cd by-ssh && git config user.name A && git config user.email a@b && echo one >one && git add one && git commit -qm second
      git push -q origin main 2>&1; git ls-remote --heads ssh://git@ssh.test/app.git | cut -f2; git log --format=%s origin/main
      ssh -o BatchMode=yes -p 2222 ssh.test 2>&1 | grep -o network_policy`)
    expect(said.trim().split('\n')).toEqual(['refs/heads/main', 'second', 'first', 'network_policy'])
    expect(ssh.commands).toContain("git-receive-pack 'app.git'")
  })

  it('lets package managers reach their registries', { timeout: 180_000 }, async () => {
    const own = ['Etc::sourcelist=/tmp/list', 'Etc::sourceparts=-', 'State=/tmp/apt', 'Cache=/tmp/apt']
    const options = own.map((option) => `-o Dir::${option}`).join(' ')
    const said =
      await shell(`cd /tmp && mkdir -p apt/lists/partial && echo 'deb [trusted=yes] http://api.test/apt ./' >list
      echo "npm: $(npm view is-odd@3.0.1 version 2>/dev/null)"
      echo "pip: $(pip download --quiet --no-deps --disable-pip-version-check -d p six==1.17.0 2>&1; ls p)"
      apt() { env -i PATH="$PATH" apt-get -qq ${options} "$@" 2>&1 | grep -v unsandboxed; }
      echo "apt: $(apt update; apt download thing; cat thing_1_all.deb)"`)
    expect(said.trim().split('\n')).toEqual(['npm: 3.0.1', 'pip: six-1.17.0-py2.py3-none-any.whl', 'apt: a package'])
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

  it('comes back when the socket of its gate is removed', async () => {
    rmSync(agentGateSocket(paths, runId))
    const works = async () => (await shell('curl -sS -m 5 http://api.test/again')).trim() === 'stub /again'
    await until('an allowed host', works)
    expect(await shell('curl -sS -m 5 http://other.test/')).toContain('network_policy')
  })
})
