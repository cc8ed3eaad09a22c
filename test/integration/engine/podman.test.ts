// The README's flow on a real Podman: what its Docker API does otherwise must not show.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, readFileSync, statSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join, resolve } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { SystemStatus } from '../../../src/agents/measure.js'
import { checkAgents } from '../../../src/doctor/check-agents.js'
import { type DoctorContext, diagnose } from '../../../src/doctor/diagnosis.js'
import { connectEngine } from '../../../src/engine/connect-engine.js'
import { containerName, toLabels } from '../../../src/engine/labels.js'
import type { AgentView } from '../../../src/routing/agent-view.js'
import type { ProxyStatus } from '../../../src/supervisor/proxy.js'
import { type Podman, startPodman } from '../../helpers/podman.js'
import { Sandbox } from '../../helpers/sandbox.js'
import { until } from '../../helpers/until.js'

let podman: Podman
let sandbox: Sandbox

beforeAll(async () => {
  podman = await startPodman(['debian:bookworm-slim', 'node:22-slim'])
  // For this file's process only: sandboxes take their engine from it.
  process.env.DOCKER_HOST = podman.address
  sandbox = new Sandbox()
  await sandbox.json(['proxy', 'start'])
}, 120_000)
afterEach(() => sandbox.renew())
afterAll(async () => {
  await sandbox?.cleanUp()
  await podman?.stop()
})

const script = (name: string, command: string, extra = '') =>
  sandbox.directory(name, {
    'moat.yaml': `name: ${name}\ndependencies: [node@22]\ncommand: ${JSON.stringify(command)}\n${extra}`,
  })

describe('an agent on Podman', () => {
  it('has a URL, is listed, measured, looked into and stopped', async () => {
    const agent = await sandbox.json<AgentView>(['run', '-d', sandbox.workspace('app')])
    const url = agent.endpoints[0]?.url ?? ''
    expect((await sandbox.get(url)).body).toBe('app 3000')
    const ask = 'fetch(process.env.MOAT_URL_WEB).then((r) => r.text()).then((text) => console.log(text))'
    expect((await sandbox.moat(['exec', 'app', '--', 'node', '-e', ask])).stdout).toBe('app 3000\n')
    expect((await sandbox.moat(['list'])).stdout).toMatch(/^app +run_\w{12} +running +\d+s ago +web:3000$/m)
    expect((await sandbox.moat(['wait', 'app', 'web'])).code).toBe(0)
    expect((await sandbox.moat(['logs', 'app'])).stdout).toBe('listening\n')
    const exec = sandbox.start(['exec', 'app', '--', 'sh', '-c', 'tr a-z A-Z; echo err >&2; exit 5'], { stdin: 'in' })
    expect(await exec.exited).toEqual({ code: 5, stderr: 'err\n', stdout: 'IN' })
    const status = await sandbox.json<SystemStatus>(['status'])
    expect(status.engine.name).toBe('Podman Engine')
    expect(status.runs).toMatchObject([{ name: 'app' }])
    expect(status.runs[0]?.usage.memory).toBeGreaterThan(1_000_000)
    expect((await sandbox.json<ProxyStatus>(['proxy', 'status'])).engine).toBe(podman.address)
    expect((await sandbox.moat(['stop', 'app'])).code).toBe(0)
    expect(await sandbox.containers()).toEqual([])
  })

  it('is attached to: output, exit code, Ctrl+C', async () => {
    const outcome = await sandbox.moat(['run', script('plain', 'echo out; echo err >&2; exit 3')])
    expect(outcome).toMatchObject({ code: 3, stderr: expect.stringContaining('err\n'), stdout: 'out\n' })
    const running = sandbox.start(['run', script('long', 'echo started; trap "exit 9" TERM; sleep 60 & wait')])
    await running.prints('started')
    running.process.kill('SIGINT')
    expect((await running.exited).code).toBe(9)
    expect(await sandbox.containers()).toEqual([])
  })

  it('whose command does not exist ends with 127', async () => {
    expect(await sandbox.moat(['run', script('plain', 'true'), '--', 'no-such-command'])).toMatchObject({
      code: 127,
      stderr: expect.stringContaining('Is there a command no-such-command in the image (node:22-slim)?\n'),
    })
    expect((await sandbox.moat(['run', script('plain', 'exit 1')])).code).toBe(1)
    expect(await sandbox.containers()).toEqual([])
  })

  it('has its name alone, and gives it back when it has ended', async () => {
    await sandbox.json(['run', '-d', script('app', 'sleep 60')])
    expect(await sandbox.moat(['run', '-d', script('app', 'sleep 60')])).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/Error: The name app is already in use by run run_/),
    })
    await sandbox.json(['stop', 'app'])
    await sandbox.moat(['run', '--keep', script('app', 'echo done')])
    expect((await sandbox.moat(['logs', 'app'])).stdout).toBe('done\n')
    expect((await sandbox.moat(['run', script('app', 'true')])).code).toBe(0)
    expect(await sandbox.containers()).toEqual([])
  })

  it('takes its route along when it ends by itself', async () => {
    const { endpoints } = await sandbox.json<AgentView>(['run', '-d', sandbox.workspace('app')])
    const url = endpoints[0]?.url ?? ''
    expect((await sandbox.get(url)).status).toBe(200)
    await sandbox.json(['run', '-d', sandbox.workspace('other')])
    const holder = (await sandbox.containers()).find(({ Labels }) => Labels['dev.moat.name'] === 'app')
    await podman.docker.getContainer(holder?.Id ?? '').kill()
    await until('the end of the route', async () => (await sandbox.get(url)).status === 404)
  })

  it('can be paused and stopped nevertheless', async () => {
    await sandbox.json(['run', '-d', script('app', 'sleep 60')])
    const [container] = await sandbox.containers()
    await podman.docker.getContainer(container?.Id ?? '').pause()
    expect((await sandbox.moat(['list'])).stdout).toMatch(/^app .* paused /m)
    expect((await sandbox.moat(['stop', 'app'])).code).toBe(0)
    expect(await sandbox.containers()).toEqual([])
  })

  it('has a terminal, with nothing typed into it but by the person', async () => {
    const moat = `${process.execPath} ${resolve('bin/run.js')} run -i ${script('inter', 'sh')}`
    const terminal = spawn('script', ['-qefc', `stty rows 33 cols 77; ${moat}`, '/dev/null'], {
      env: { ...sandbox.env, SHELL: '/bin/sh' },
      stdio: 'pipe',
    })
    let screen = ''
    terminal.stdout.on('data', (chunk) => {
      screen += chunk
    })
    await until('the shell', () => /[$#] $/.test(screen))
    // The size is set beside the start: a busy Podman may take it after the shell's first words.
    terminal.stdin.write('until stty size | grep 33; do sleep 0.1; done; exit 4\n')
    const [code] = await once(terminal, 'close')
    expect(screen).toContain('33 77')
    expect(screen).not.toContain('"stream"')
    expect(code).toBe(4)
  })
})

describe('a strict network policy on Podman', () => {
  let shared: Sandbox
  beforeEach(() => {
    shared = sandbox
    // Its proxy knows the hosts of the test.
    sandbox = new Sandbox()
  })
  afterEach(async () => {
    await sandbox.cleanUp()
    sandbox = shared
  })

  it('leaves a container no way but moat: what is allowed is reached, nothing else is', async () => {
    const host = createServer((_request, response) => response.end('stub'))
    host.listen(0, '127.0.0.1')
    await once(host, 'listening')
    try {
      const at = `127.0.0.1:${(host.address() as AddressInfo).port}`
      sandbox.env.MOAT_TEST_HOSTS = `api.test:80=${at},other.test:80=${at}`
      const network = 'network: {policy: strict, rules: [api.test]}\n'
      await sandbox.json(['run', '-d', sandbox.workspace('walled', { web: 3000 }, network)])
      const ask = (url: string) =>
        `await fetch(${url}).then(async (r) => console.log(r.status, await r.text()), ({ cause }) => console.log(cause.cause?.message ?? cause.code))`
      const tcp = "connect(80, '203.0.113.80').on('error', ({ code }) => console.log(code))"
      const code = `import { connect } from 'node:net'; import { readdirSync } from 'node:fs'
        console.log(readdirSync('/sys/class/net').join()); ${ask("'http://api.test/'")}; ${ask("'http://other.test/'")}
        ${ask('process.env.MOAT_URL_WEB')}; ${tcp}`
      expect((await sandbox.moat(['wait', 'walled', 'web'])).code).toBe(0)
      const exec = ['exec', 'walled', '--', 'node', '--input-type=module', '-e', code]
      const { stderr, stdout } = await sandbox.moat(exec)
      expect(stdout.trim().split('\n'), stderr).toEqual([
        'lo',
        '200 stub',
        expect.stringContaining('403'),
        '200 walled 3000',
        'ENETUNREACH',
      ])
    } finally {
      host.close()
    }
  })
})

describe('a container on Podman that moat did not make', () => {
  /** This check of `moat doctor`, without those that ask browsers. */
  const diagnosed = async () => {
    const context = { connectEngine: () => connectEngine({ moatHome: sandbox.home }) }
    return (await diagnose([{ find: checkAgents, name: 'agents' }], context as DoctorContext))[0]
  }

  it('is no agent: one from such an image, a copy, a renamed one', async () => {
    const app = await sandbox.json<AgentView>(['run', '-d', script('app', 'sleep 1000')])
    const [holder] = await sandbox.containers()
    const original = podman.docker.getContainer(holder?.Id ?? '')
    const name = containerName('app', sandbox.home)
    await original.commit({ repo: 'localhost/moat-test-copy', tag: 'latest' })
    const copy = { Cmd: ['sleep', '1000'], Image: 'localhost/moat-test-copy:latest' }
    const other = await podman.docker.createContainer({ ...copy, name: 'moat-test-copy' })
    try {
      await other.start()
      const listed = async () =>
        (await sandbox.json<{ agents: AgentView[] }>(['list'])).agents.map(({ runId }) => runId)
      expect(await listed()).toEqual([app.runId])
      expect(await diagnosed()).toMatchObject({
        fixes: ['podman rm -f moat-test-copy'],
        message: expect.stringContaining('The container moat-test-copy is a copy of the container of an agent.'),
      })
      await original.rename({ name: 'moat-test-renamed' })
      expect(await listed()).toEqual([])
      expect((await diagnosed())?.fixes).toContain(`podman rename moat-test-renamed ${name}`)
      await other.rename({ name })
      expect(await listed()).toEqual([])
      expect((await sandbox.moat(['run', '-d', script('app', 'sleep 1000')])).stderr).toContain(`podman rm -f ${name}`)
      await other.rename({ name: 'moat-test-copy' })
      await original.rename({ name })
      expect(await listed()).toEqual([app.runId])
      // As the base of a build and of a run, its image has lost them.
      const yaml = (hook: string) => `name: next\nbase_image: ${copy.Image}\ncommand: sleep 1000\n${hook}`
      for (const hook of ['', 'hooks: {post_build_root: "true"}\n']) {
        const workspace = sandbox.directory('next', { 'moat.yaml': yaml(hook) })
        const next = await sandbox.json<AgentView>(['run', '-d', workspace])
        expect(await listed()).toEqual([app.runId, next.runId])
        await sandbox.json(['stop', 'next'])
      }
      await sandbox.json(['clean', '--force'])
    } finally {
      await other.remove({ force: true })
      await podman.docker.getImage(copy.Image).remove({ force: true })
    }
  }, 120_000)
})

describe('an image on Podman', () => {
  it('is built with git, once, and cleaned away when nothing uses it', { timeout: 300_000 }, async () => {
    const workspace = sandbox.directory('tools', {
      'moat.yaml': 'name: tools\ndependencies: [node@22, git]\ncommand: git --version && node --version\n',
    })
    const first = await sandbox.moat(['run', '--rebuild', workspace])
    expect(first.stdout).toMatch(/^git version 2\..*\nv22\./)
    expect(first.stderr).toMatch(/^Step 1\/\d: apt-get install git\n/)
    const second = await sandbox.moat(['run', workspace])
    expect(second.stderr).toBe('Starting tools\n')
    const { images } = await sandbox.json<SystemStatus>(['status'])
    expect(images.map(({ tags }) => tags.join())).toContainEqual(expect.stringContaining('moat-agent:'))
    expect((await sandbox.json<{ removed: boolean }>(['clean', '--force'])).removed).toBe(true)
    expect((await sandbox.json<SystemStatus>(['status'])).images).toEqual([])
  })

  it('whose step fails shows why', { timeout: 120_000 }, async () => {
    const workspace = script('broken', 'true', 'hooks: {post_build: "echo no luck; exit 3"}\n')
    expect(await sandbox.moat(['run', workspace])).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(
        /Error: The image could not be built: exit code 3 at Step \d\/\d: hooks\.post_build: echo no luck; exit 3\n {2}no luck\n/,
      ),
    })
    expect(await sandbox.containers()).toEqual([])
  })
})

describe('a user who is not root', () => {
  it('may listen on port 443 in a container, where its own URLs have that port', async () => {
    const engine = await connectEngine({ moatHome: sandbox.home })
    const workspace = sandbox.directory('work')
    const agent = { endpoints: [], keep: false, name: 'app', routes: [], runId: 'run_a1b2c3d4e5f6', workspace }
    const listen = `require('node:net').createServer().listen(443, '127.0.0.1', () => process.exit(7))`
    const id = await engine.create({
      command: ['node', '-e', listen],
      env: {},
      image: 'node:22-slim',
      labels: toLabels({ ...agent, home: sandbox.home }),
      mounts: [],
      name: containerName('app', sandbox.home),
      ports: [],
      unprivilegedPortStart: 0,
      user: { gid: 4321, uid: 1234 },
      workdir: '/',
    })
    const exitCode = engine.wait(id)
    await engine.start(id)
    expect(await exitCode).toBe(7)
  })

  it('owns what the agent writes, has a home, and no capabilities', async () => {
    const engine = await connectEngine({ moatHome: sandbox.home })
    const workspace = sandbox.directory('work')
    chmodSync(workspace, 0o777)
    const agent = { endpoints: [], keep: false, name: 'app', routes: [], runId: 'run_a1b2c3d4e5f6', workspace }
    const id = await engine.create({
      command: ['sh', '-c', 'touch made ~/x && ls ~ && grep ^CapEff: /proc/self/status >made'],
      env: {},
      image: 'node:22-slim',
      labels: toLabels({ ...agent, home: sandbox.home }),
      mounts: [{ readOnly: false, source: workspace, target: '/workspace' }],
      name: containerName('app', sandbox.home),
      ports: [],
      user: { gid: 4321, uid: 1234 },
      workdir: '/workspace',
    })
    const exitCode = engine.wait(id)
    await engine.start(id)
    expect(await exitCode).toBe(0)
    const { gid, uid } = statSync(join(workspace, 'made'))
    expect({ gid, uid }).toEqual({ gid: 4321, uid: 1234 })
    expect(readFileSync(join(workspace, 'made'), 'utf8')).toBe('CapEff:\t0000000000000000\n')
  })
})
