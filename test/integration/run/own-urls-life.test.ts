// An agent's own URLs through its life, and in a browser of its own: from the first line of its program to what is left of it.
import { execFile } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { forgeLeaf } from '../../helpers/forge.js'
import { Sandbox } from '../../helpers/sandbox.js'
import { until } from '../../helpers/until.js'

const run = promisify(execFile)

let sandbox: Sandbox

const inside = async (agent: string, script: string) => {
  const { code, stderr, stdout } = await sandbox.inside(agent, 'sh', '-c', script)
  return code === 0 ? stdout : `exit ${code}: ${stdout}${stderr}`
}
const directories = () => readdirSync(join(sandbox.home, 'proxy/agents'))

describe('own URLs, beside a proxy that stays', () => {
  beforeAll(async () => {
    sandbox = new Sandbox()
    await sandbox.json(['proxy', 'start', '--detach'])
  })
  afterEach(() => sandbox.renew())
  afterAll(() => sandbox.cleanUp())

  it('load in a Chromium in the container, which accepts the authority without being told of it, and for nothing but localhost', async () => {
    const root = { certificate: join(sandbox.home, 'proxy/ca/ca.crt'), key: join(sandbox.home, 'proxy/ca/ca.key') }
    const [localhost, example] = ['localhost', 'www.example.com'].map((name) => {
      const { chain, key } = forgeLeaf(sandbox.directory(`forged-${name}`), name, root)
      return JSON.stringify({ cert: chain, key: readFileSync(key, 'utf8') })
    })
    const workspace = sandbox.directory('app', {
      'moat.yaml':
        'name: app\ndependencies: [node@22]\nmounts: ["/usr:/host/usr:ro", "/etc/fonts:/etc/fonts:ro"]\nports: {web: 3000}\ncommand: [node, server.js]\n',
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
    // This machine's, which is quicker than to install another: both are of one Debian.
    const libraries = ['', '/pulseaudio', '/blas', '/lapack'].map(
      (each) => `/host/usr/lib/$(uname -m)-linux-gnu${each}`,
    )
    const chromium = `LD_LIBRARY_PATH=${libraries.join(':')} /host/usr/lib/chromium/chromium`
    const load = (url: string) => inside('app', `${chromium} ${flags.join(' ')} --dump-dom ${url} 2>&1`)
    expect(await load('"$MOAT_URL_WEB"')).toContain('<p>it loads</p>')
    expect(await load('https://localhost:4443')).toContain('<p>it loads</p>')
    const refused = await load('https://www.example.com:5443')
    expect(refused).toMatch(/net::ERR_CERT_(AUTHORITY_)?INVALID/)
    expect(refused).not.toContain('<p>it loads</p>')
  }, 240_000)

  it('leave their port to an endpoint that has it, and say so', async () => {
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
    const { port } = await sandbox.json<{ port: number }>(['proxy', 'status'])
    const greedy = ['node', '-e', `require('node:http').createServer().listen(${port})`]
    const hint = `If it was port ${port} that is in use: in its container moat listens there, for the agent's own URLs. Under ports in moat.yaml it becomes the agent's.\n`
    const outcome = await sandbox.moat(['run', sandbox.workspace('app'), '--', ...greedy])
    expect(outcome).toMatchObject({ code: 1, stderr: expect.stringContaining(hint) })
    expect(outcome.stderr).toContain('EADDRINUSE')
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

describe('own URLs, through a life', () => {
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
    // It stays from now on: a busy engine may take long from the end of its only agent to its start, and the proxy waits for seconds only.
    await sandbox.json(['proxy', 'start'])
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
})
