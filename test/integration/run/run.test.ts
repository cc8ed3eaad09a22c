// moat run against a real engine and a real Caddy: what an agent gets, how it ends, and what is left.
import { chmodSync, chownSync, copyFileSync, existsSync, lstatSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { AgentView } from '../../../src/routing/agent-view.js'
import { Sandbox } from '../../helpers/sandbox.js'
import { until } from '../../helpers/until.js'

let sandbox: Sandbox

beforeEach(() => {
  sandbox = new Sandbox()
})
afterEach(() => sandbox.cleanUp())

const plain = (command: string, extra = '') => ({
  'moat.yaml': `name: plain\ndependencies: [node@22]\ncommand: ${JSON.stringify(command)}\n${extra}`,
})

describe('an agent without ports', () => {
  it('passes output and exit code through, starts no proxy, and leaves nothing', async () => {
    const workspace = sandbox.directory('plain', plain('echo out; echo err >&2; exit 7'))
    const outcome = await sandbox.moat(['run', workspace])
    expect(outcome).toMatchObject({ code: 7, stdout: 'out\n' })
    expect(outcome.stderr).toContain('err\n')
    expect(await sandbox.containers()).toEqual([])
    expect(await sandbox.processes()).toEqual({ caddys: [], doorkeepers: [], gates: [], supervisors: [] })
  })

  it('runs the command after --, with its arguments as they stand', async () => {
    const workspace = sandbox.directory('plain', plain('exit 1'))
    const outcome = await sandbox.moat(['run', workspace, '--', 'printf', '%s|', 'a b', '-d', '--', '$HOME'])
    expect(outcome).toMatchObject({ code: 0, stdout: 'a b|-d|--|$HOME|' })
  })

  it('prints one JSON object on stdout with --json, and the output on stderr', async () => {
    const workspace = sandbox.directory('plain', plain('echo out'))
    const outcome = await sandbox.moat(['run', workspace, '--json'])
    expect(JSON.parse(outcome.stdout)).toMatchObject({ endpoints: [], exitCode: 0, name: 'plain', workspace })
    expect(outcome.stderr).toContain('out\n')
  })
})

describe('the environment', () => {
  it('has the URLs, hosts and identity of the agent, and -e and env win', async () => {
    const workspace = sandbox.workspace(
      'app',
      { 'my-web': 3000, api: 8080 },
      'env: {HOST: 127.0.0.9, FROM_YAML: "1.10"}\n',
    )
    const outcome = await sandbox.moat(['run', workspace, '-e', 'FLAG=a=b', '-e', 'MOAT_RUN_NAME=mine', '--', 'env'])
    expect(outcome.code).toBe(0)
    const env = Object.fromEntries(
      outcome.stdout.split('\n').map((line) => [line.split('=', 1)[0], line.slice(line.indexOf('=') + 1)]),
    )
    const port = /:(\d+)$/.exec(env.MOAT_HOST ?? '')?.[1]
    expect(env).toMatchObject({
      FLAG: 'a=b',
      FROM_YAML: '1.10',
      HOST: '127.0.0.9',
      MOAT_CA_CERT: '/etc/moat/ca.crt',
      MOAT_HOST: `app.localhost:${port}`,
      MOAT_HOST_API: `api.app.localhost:${port}`,
      MOAT_HOST_MY_WEB: `my-web.app.localhost:${port}`,
      MOAT_RUN_ID: expect.stringMatching(/^run_[0-9a-f]{12}$/),
      MOAT_RUN_NAME: 'mine',
      MOAT_URL: `http://app.localhost:${port}`,
      MOAT_URL_API: `http://api.app.localhost:${port}`,
      MOAT_URL_MY_WEB: `http://my-web.app.localhost:${port}`,
    })
    expect(outcome.stdout).toContain(`https://my-web.app.localhost:${port}`)
  })

  it('has the certificate of the authority, and HOST', async () => {
    const workspace = sandbox.workspace('app')
    const outcome = await sandbox.moat(['run', workspace, '--', 'sh', '-c', 'cat $MOAT_CA_CERT; echo $HOST'])
    expect(outcome.stdout).toContain(sandbox.certificate)
    expect(outcome.stdout).toContain('\n0.0.0.0\n')
  })
})

describe('the workspace', () => {
  it('is shared by two agents, and files in it belong to the user', async () => {
    const workspace = sandbox.directory('shared', plain('true'))
    const writer = ['run', workspace, '-n', 'writer', '--', 'sh', '-c', 'pwd; echo hello > note']
    expect((await sandbox.moat(writer)).stdout).toBe('/workspace\n')
    expect((await sandbox.moat(['run', workspace, '-n', 'reader', '--', 'cat', 'note'])).stdout).toBe('hello\n')
    expect(readFileSync(join(workspace, 'note'), 'utf8')).toBe('hello\n')
    expect(statSync(join(workspace, 'note')).uid).toBe(process.getuid?.())
  })

  it('belongs to the user who called sudo, as does every file of moat', async () => {
    const workspace = sandbox.workspace('app')
    const engineSocket = statSync('/var/run/docker.sock')
    // Without sudo's variables, or as an ordinary user, moat acts as whoever runs it.
    const asRoot = process.getuid?.() === 0 && process.env.MOAT_CADDY !== undefined
    const uid = asRoot ? 1234 : process.getuid?.()
    if (asRoot) for (const path of [join(sandbox.home, '..'), workspace]) chownSync(path, 1234, engineSocket.gid)
    // Root's own Caddy may be where others cannot go.
    const real = join(sandbox.directory('bin'), 'real')
    if (asRoot && process.env.MOAT_CADDY) copyFileSync(process.env.MOAT_CADDY, real)
    const caddy = join(
      sandbox.directory('bin', {
        caddy: `#!/bin/sh\n[ "$1" = version ] && grep Uid: /proc/self/status > ${workspace}/ids\nexec ${real} "$@"\n`,
      }),
      'caddy',
    )
    chmodSync(caddy, 0o755)
    const ids = { SUDO_GID: String(engineSocket.gid), SUDO_UID: '1234' }
    // A user who stands nowhere, called from where no shell is named.
    const sudo = { ...ids, HOME: workspace, MOAT_CADDY: caddy, SHELL: undefined }
    const env = asRoot ? sudo : {}
    const outcome = await sandbox.moat(['run', workspace, '--', 'sh', '-c', 'id -u; touch made'], { env })
    expect(outcome.stdout, outcome.stderr).toContain(`\n${uid}\n`)
    // Real, effective, saved and file system id of what moat started to ask for Caddy's version.
    if (asRoot) expect(readFileSync(join(workspace, 'ids'), 'utf8')).toBe('Uid:\t1234\t1234\t1234\t1234\n')
    expect(statSync(join(workspace, 'made')).uid).toBe(uid)
    const files = readdirSync(sandbox.home, { recursive: true, withFileTypes: true })
    expect(files.length).toBeGreaterThan(5)
    for (const file of files) expect(lstatSync(join(file.parentPath, file.name)).uid, file.name).toBe(uid)
  })
})

describe('names', () => {
  it('go to exactly one of many runs that want the same at the same time; the proxy starts once', async () => {
    const workspace = sandbox.workspace('app')
    const outcomes = await Promise.all(Array.from({ length: 10 }, () => sandbox.moat(['run', '-d', workspace])))
    const { agents } = await sandbox.json<{ agents: AgentView[] }>(['list'])
    expect(agents).toHaveLength(1)
    expect(outcomes.filter(({ code }) => code === 0)).toHaveLength(1)
    for (const { code, stderr } of outcomes) {
      if (code === 0) continue
      expect(stderr).toContain(`Error: The name app is already in use by run ${agents[0]?.runId}.

Try this:
  moat list
  moat logs -f app
  moat stop app
`)
    }
    const { caddys, supervisors } = await sandbox.processes()
    expect([caddys.length, supervisors.length]).toEqual([1, 1])
    expect((await sandbox.get(agents[0]?.endpoints[0]?.url ?? '')).body).toBe('app 3000')
  })

  it('are free again after a run that was killed', async () => {
    const workspace = sandbox.workspace('app')
    const killed = sandbox.start(['run', workspace])
    await killed.prints('listening')
    killed.process.kill('SIGKILL')
    const [container] = await sandbox.containers()
    await sandbox.docker.getContainer(container?.Id ?? '').kill()
    const again = await sandbox.json<AgentView>(['run', '-d', workspace])
    expect((await sandbox.get(again.endpoints[0]?.url ?? '')).body).toBe('app 3000')
  })
})

describe('Ctrl+C', () => {
  it('stops an attached agent and takes its container and routes away', async () => {
    const moat = sandbox.start(['run', sandbox.workspace('app')])
    await moat.prints('listening')
    moat.process.kill('SIGINT')
    const outcome = await moat.exited
    expect(outcome.code).toBe(143)
    expect(outcome.stderr).toContain('Stopping app; press Ctrl+C again to kill it.')
    expect(await sandbox.containers()).toEqual([])
  })

  it('kills it the second time', async () => {
    const stubborn = `trap 'echo no' TERM; echo ready; while true; do sleep 0.1; done`
    const moat = sandbox.start(['run', sandbox.directory('plain', plain(stubborn))])
    await moat.prints('ready')
    moat.process.kill('SIGINT')
    await moat.prints('no\n')
    moat.process.kill('SIGINT')
    expect((await moat.exited).code).toBe(137)
    expect(await sandbox.containers()).toEqual([])
  })
})

describe('stop', () => {
  it('finds an agent by the beginning of its run id, and says what it did not find', async () => {
    const { runId } = await sandbox.json<AgentView>(['run', '-d', sandbox.directory('plain', plain('sleep 60'))])
    expect(await sandbox.moat(['stop', 'plan'])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(
        'Error: There is no agent with the name or run id plan. Did you mean plain?\n\nTry this:\n  moat stop plain\n  moat list\n',
      ),
    })
    expect(await sandbox.json(['stop', runId.slice(0, 10)])).toEqual({ name: 'plain', runId })
    await until('the container to go', async () => (await sandbox.containers()).length === 0)
  })

  it('stops several at the same time, and none when one of them is not there', async () => {
    // Each ends well only if the other is asked to end while it waits.
    const script = `trap 'touch $MOAT_RUN_NAME; until [ -e $OTHER ]; do sleep 0.1; done; touch $MOAT_RUN_NAME.met; exit' TERM
touch $MOAT_RUN_NAME.ready
while :; do sleep 0.1; done
`
    const workspace = sandbox.directory('pair', { ...plain('exec sh pair.sh'), 'pair.sh': script })
    const run = (name: string, other: string) =>
      sandbox.json<AgentView>(['run', '-d', '--name', name, '-e', `OTHER=${other}`, workspace])
    const [one, two] = [await run('one', 'two'), await run('two', 'one')]
    await until('both to listen', async () =>
      ['one', 'two'].every((name) => existsSync(join(workspace, `${name}.ready`))),
    )
    expect((await sandbox.moat(['stop', 'one', 'tow'])).stderr).toContain('tow. Did you mean two?')
    expect(await sandbox.containers()).toHaveLength(2)
    const agents = [one, two].map(({ name, runId }) => ({ name, runId }))
    // Once, however often it is named.
    expect(await sandbox.json(['stop', 'one', 'two', one.runId])).toEqual({ agents })
    expect(readdirSync(workspace).filter((name) => name.endsWith('.met'))).toEqual(['one.met', 'two.met'])
    expect(await sandbox.containers()).toEqual([])
  })
})
