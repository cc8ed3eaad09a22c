// What can be done with agents besides starting and stopping them, against a real engine and a real Caddy.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join, resolve } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import type { Leftovers } from '../../../src/agents/clean.js'
import type { SystemStatus } from '../../../src/agents/measure.js'
import type { AnsweredEndpoint } from '../../../src/agents/wait-for-endpoint.js'
import type { AgentView } from '../../../src/routing/agent-view.js'
import { syncRoutes } from '../../../src/supervisor/control-client.js'
import { holdImages } from '../../helpers/hold-images.js'
import { Sandbox } from '../../helpers/sandbox.js'
import { until } from '../../helpers/until.js'

let sandbox: Sandbox

beforeEach(() => {
  sandbox = new Sandbox()
})
afterEach(() => sandbox.cleanUp())

const script = (name: string, command: string) =>
  sandbox.directory(name, {
    'moat.yaml': `name: ${name}\ndependencies: [node@22]\ncommand: ${JSON.stringify(command)}\n`,
  })

describe('run', () => {
  it('takes a path after flags that may be repeated', async () => {
    const data = sandbox.directory('data', { file: 'content' })
    const workspace = script('plain', 'echo $A $B; cat /data/file; touch /data/x || echo read-only')
    const outcome = await sandbox.moat(['run', '-e', 'A=1', '-e', 'B=2', '--mount', `${data}:/data:ro`, workspace])
    expect(outcome.stdout).toBe('1 2\ncontentread-only\n')
    expect(await sandbox.moat(['run', '--mount', './nope:/data', workspace])).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/^Error: --mount \.\/nope:\/data: .+nope.+\n\nTry this:\n {2}moat run --mount/),
    })
  })

  it('says so when the command does not exist, and exits with 127', async () => {
    const outcome = await sandbox.moat(['run', script('plain', 'true'), '--', 'no-such-command'])
    expect(outcome).toMatchObject({
      code: 127,
      stderr: expect.stringContaining('Is there a command no-such-command in the image (node:22-slim)?\n'),
    })
    expect(await sandbox.containers()).toEqual([])
  })

  it('--keep leaves the container, whose name is free again', async () => {
    const workspace = script('kept', 'echo done')
    await sandbox.moat(['run', '--keep', workspace])
    const { agents } = await sandbox.json<{ agents: AgentView[] }>(['list'])
    expect(agents).toMatchObject([{ name: 'kept', state: 'exited' }])
    expect((await sandbox.moat(['logs', 'kept'])).stdout).toBe('done\n')
    expect((await sandbox.moat(['run', workspace])).code).toBe(0)
    expect(await sandbox.containers()).toEqual([])
  })

  it('--rm removes a detached agent when it ends', async () => {
    const { runId } = await sandbox.json<AgentView>(['run', '-d', '--rm', script('brief', 'sleep 60')])
    await sandbox.moat(['exec', runId, '--', 'sh', '-c', 'kill -TERM -1'])
    const [container] = await sandbox.containers()
    if (container)
      await sandbox.docker
        .getContainer(container.Id)
        .wait({ condition: 'removed' })
        .catch(() => {})
    expect(await sandbox.containers()).toEqual([])
  })

  it('takes from the agent what it does not need', async () => {
    const outcome = await sandbox.moat([
      'run',
      script(
        'plain',
        'grep -E "NoNewPrivs|CapBnd" /proc/self/status; cat /sys/fs/cgroup/pids/pids.max /sys/fs/cgroup/pids.max 2>/dev/null',
      ),
    ])
    expect(outcome.stdout).toMatch(/NoNewPrivs:\t1/)
    // CHOWN, DAC_OVERRIDE, FOWNER, FSETID, KILL, SETGID, SETUID, NET_BIND_SERVICE.
    expect(outcome.stdout).toMatch(/CapBnd:\t00000000000004fb/)
    expect(outcome.stdout).toContain('4096')
  })
})

describe('a terminal', () => {
  it('is handed to the agent, in its size, and comes back as it was, with the exit code', async () => {
    const moat = `${process.execPath} ${resolve('bin/run.js')} run -i ${script('inter', 'sh')}`
    const terminal = spawn(
      'script',
      ['-qefc', `stty rows 33 cols 77; stty -g; ${moat}; code=$?; stty -g; exit $code`, '/dev/null'],
      {
        env: { ...sandbox.env, SHELL: '/bin/sh' },
        stdio: 'pipe',
      },
    )
    let screen = ''
    terminal.stdout.on('data', (chunk) => {
      screen += chunk
    })
    await until('the shell', () => /[$#] $/.test(screen))
    // The engine takes a size only once the container runs; a shell may be there before it.
    terminal.stdin.write('while [ "$(stty size)" = "0 0" ]; do sleep 0.05; done; stty size; exit 4\n')
    const [code] = await once(terminal, 'close')
    expect(screen).toContain('33 77')
    expect(code).toBe(4)
    const settings = screen.match(/[0-9a-f]+(:[0-9a-f]+){10,}/g)
    expect(settings).toHaveLength(2)
    expect(settings?.[0]).toBe(settings?.[1])
    expect(await sandbox.containers()).toEqual([])
  })

  it('is what -i needs', async () => {
    expect(await sandbox.moat(['run', '-i', script('inter', 'sh')])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('Error: -i needs a terminal on stdin and stdout.\n'),
    })
  })
})

describe('exec', () => {
  it('passes stdin, output and exit code through', async () => {
    await sandbox.json(['run', '-d', script('plain', 'sleep 60')])
    const running = sandbox.start(['exec', 'plain', '--', 'sh', '-c', 'tr a-z A-Z; echo err >&2; exit 5'], {
      stdin: 'hello',
    })
    expect(await running.exited).toMatchObject({ code: 5, stderr: expect.stringContaining('err\n'), stdout: 'HELLO' })
  })

  it('is one object with --json, and still has the exit code of the command', async () => {
    await sandbox.json(['run', '-d', script('plain', 'sleep 60')])
    const args = ['exec', '--json', 'plain', '--', 'sh', '-c', 'tr a-z A-Z; echo err >&2; exit 5', '--json']
    const { code, stderr, stdout } = await sandbox.start(args, { stdin: 'hello' }).exited
    expect([code, stderr]).toEqual([5, ''])
    expect(JSON.parse(stdout)).toEqual({ exitCode: 5, stderr: 'err\n', stdout: 'HELLO' })
    const long = ['exec', '--json', 'plain', '--', 'sh', '-c', 'head -c 9000000 /dev/zero | tr "\\0" x']
    expect(JSON.parse((await sandbox.moat(long)).stdout).stdout).toBe('x'.repeat(9_000_000))
    const missing = await sandbox.moat(['exec', '--json', 'nobody', '--', 'true'])
    expect(JSON.parse(missing.stdout)).toMatchObject({ error: { code: 'AGENT_NOT_FOUND' } })
  })

  it('needs a command and a running agent', async () => {
    expect(await sandbox.moat(['exec', 'nobody', '--', 'true'])).toMatchObject({
      code: 1,
      stderr: 'Error: There is no agent with the name or run id nobody.\n\nTry this:\n  moat list\n',
    })
    expect((await sandbox.moat(['exec', 'nobody'])).stderr).toBe(
      'Error: Name the command to run, after --.\n\nTry this:\n  moat exec nobody -- sh\n',
    )
    await sandbox.moat(['run', '--keep', script('ended', 'true')])
    const outcome = await sandbox.moat(['exec', 'ended', '--', 'true'])
    expect(outcome.code).toBe(1)
    expect(outcome.stderr).toMatch(
      /^Error: ended is not running: its state is exited, exit code 0\.\n\nTry this:\n {2}moat logs run_\w{12}\n$/,
    )
  })
})

describe('logs', () => {
  it('of the agent of this directory, the last lines, or until it ends', async () => {
    const workspace = script('talker', 'echo one; echo two; echo three; until [ -e go ]; do sleep 0.1; done; echo four')
    await sandbox.json(['run', '-d', workspace])
    await sandbox.json(['run', '-d', script('other', 'sleep 60')])
    const follower = sandbox.start(['logs', '-f', 'talker'])
    await follower.prints('three')
    expect((await sandbox.moat(['logs', '-n', '2'], { cwd: workspace })).stdout).toBe('two\nthree\n')
    sandbox.directory('talker', { go: '' })
    expect(await follower.exited).toMatchObject({ code: 0, stdout: 'one\ntwo\nthree\nfour\n' })
    expect(await sandbox.moat(['logs'])).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/^Error: Say which agent: /),
    })
  })
})

describe('logs --json', () => {
  it('is one object with the lines of both streams; with -f an object a line', async () => {
    const workspace = script('talker', 'echo one; echo two >&2; until [ -e go ]; do sleep 0.1; done; echo three')
    const { runId } = await sandbox.json<AgentView>(['run', '-d', '--keep', workspace])
    const follower = sandbox.start(['logs', '-f', '--json', 'talker'])
    await follower.prints('"two"')
    expect(await sandbox.json(['logs', 'talker'])).toEqual({
      lines: expect.arrayContaining([
        { stream: 'stdout', text: 'one' },
        { stream: 'stderr', text: 'two' },
      ]),
      name: 'talker',
      runId,
    })
    sandbox.directory('talker', { go: '' })
    const lines = (await follower.exited).stdout.trimEnd().split('\n')
    expect(lines).toHaveLength(3)
    expect(lines.map((line) => JSON.parse(line))).toContainEqual({ stream: 'stdout', text: 'three' })
  })
})

describe('wait', () => {
  const late = `setTimeout(() => require('node:http').createServer((q, r) => { r.statusCode = 418; r.end() }).listen(3000), 700)`

  it('returns when the endpoint answers, whatever it says', async () => {
    const workspace = sandbox.workspace('late')
    sandbox.directory('late', { 'server.js': late })
    await sandbox.json(['run', '-d', workspace])
    const answered = await sandbox.json<AnsweredEndpoint>(['wait', 'late', 'web', '--timeout', '20'])
    expect(answered).toMatchObject({ agent: 'late', endpoint: 'web', status: 418 })
  })

  it('has an exit code for each way of not getting an answer', async () => {
    expect((await sandbox.moat(['wait', 'nobody'])).code).toBe(10)
    const workspace = sandbox.workspace('mute')
    sandbox.directory('mute', { 'server.js': "require('node:fs').watch('.', () => process.exit(1))" })
    await sandbox.json(['run', '-d', workspace])
    const inTime = await sandbox.moat(['wait', 'mute', '--timeout', '1'])
    expect(inTime).toMatchObject({ code: 12, stderr: expect.stringContaining('did not answer within 1 s.') })
    expect(await sandbox.moat(['wait', 'mute', 'wbe'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('Did you mean web?'),
    })
    const waiting = sandbox.start(['wait', 'mute', '--timeout', '30'])
    await waiting.prints('Waiting for https://web.mute.localhost')
    const [container] = await sandbox.containers()
    await sandbox.docker.getContainer(container?.Id ?? '').kill()
    expect((await waiting.exited).code).toBe(11)
    expect((await sandbox.moat(['wait', 'mute'])).code).toBe(10)
  })
})

describe('a question', () => {
  it('is answered by Ctrl+C too: nothing is done, and nothing said', async () => {
    await sandbox.moat(['run', '--keep', script('ended', 'true')])
    const moat = `${process.execPath} ${resolve('bin/run.js')} clean`
    const terminal = spawn('script', ['-qefc', moat, '/dev/null'], { env: { ...sandbox.env, SHELL: '/bin/sh' } })
    let screen = ''
    terminal.stdout.on('data', (chunk) => {
      screen += chunk
    })
    await until('the question', () => screen.includes('Remove them? [y/N]'))
    terminal.stdin.write('\x03')
    const [code] = await once(terminal, 'close')
    expect(code).toBe(130)
    expect(screen).not.toContain('Error')
    expect(await sandbox.containers()).toHaveLength(1)
  })
})

describe('status, clean and destroy', () => {
  it('tell and remove what there is', { timeout: 180_000 }, async () => {
    onTestFinished(await holdImages(sandbox.docker))
    await sandbox.moat(['run', '--keep', script('ended', 'true')])
    await sandbox.json(['run', '-d', sandbox.workspace('app')])
    const status = await sandbox.json<SystemStatus>(['status'])
    expect(status.runs).toMatchObject([{ name: 'app', usage: { memory: expect.any(Number) } }])
    expect(status.runs[0]?.usage.memory).toBeGreaterThan(1_000_000)
    expect(status.warnings).toContain('1 ended run is still there: moat clean')
    expect((await sandbox.moat(['status'])).stdout).toMatch(
      /^NAME +AGE +CPU +MEMORY +DISK +ENDPOINTS\napp +\d+s ago +[\d.]+% +[\d.]+ MB/m,
    )

    expect(await sandbox.moat(['clean'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('Without a terminal, moat clean does not ask and removes nothing.'),
    })
    const found = await sandbox.json<Leftovers & { removed: boolean }>(['clean', '--dry-run'])
    expect(found).toMatchObject({ agents: [{ name: 'ended', state: 'exited' }], removed: false })
    expect(await sandbox.json(['clean', '--force'])).toMatchObject({ agents: [{ name: 'ended' }], removed: true })
    expect((await sandbox.containers()).map(({ Labels }) => Labels['dev.moat.name'])).toEqual(['app'])

    await sandbox.json(['destroy', 'app'])
    expect(await sandbox.containers()).toEqual([])
  })
})

describe('an agent that was killed', () => {
  it('is said to have ended, while one that starts is waited for', async () => {
    const workspace = sandbox.workspace('killed')
    sandbox.directory('killed', { 'server.js': "require('http').createServer((_, r) => r.end('ok')).listen(3000)" })
    const { endpoints, runId } = await sandbox.json<AgentView>(['run', '-d', workspace])
    const url = endpoints[0]?.url ?? ''
    const idle = sandbox.workspace('starting')
    sandbox.directory('starting', { 'server.js': 'setInterval(() => {}, 1000)' })
    const starting = (await sandbox.json<AgentView>(['run', '-d', idle])).endpoints[0]?.url ?? ''
    expect((await sandbox.get(url)).body).toBe('ok')
    const container = (await sandbox.containers()).find(({ Labels }) => Labels['dev.moat.run-id'] === runId)
    await sandbox.docker.getContainer(container?.Id ?? '').kill()
    // Who asks before the proxy knows is taken for one who asks an agent that starts.
    await until('its end', async () =>
      (await sandbox.containers()).some(
        ({ Labels, State }) => Labels['dev.moat.run-id'] === runId && State === 'exited',
      ),
    )
    await syncRoutes(join(sandbox.home, 'proxy/control.sock'))
    const timed = async (asked: string) => {
      const start = performance.now()
      return { answer: await sandbox.get(asked, { servername: 'localhost' }), took: performance.now() - start }
    }
    const [killed, held] = await Promise.all([timed(url), timed(starting)])
    expect(JSON.parse(killed.answer.body)).toMatchObject({ error: 'agent_stopped' })
    // Whoever is taken for one that starts is held for five seconds.
    expect(JSON.parse(held.answer.body)).toMatchObject({ error: 'starting' })
    expect(killed.took).toBeLessThan(held.took - 1_000)
  })
})
