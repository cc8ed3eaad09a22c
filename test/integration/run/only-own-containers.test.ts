// What has the labels of an agent and was not made by moat: images, copies, renamed containers. None is an agent to anyone.
import { randomBytes } from 'node:crypto'
import { chmodSync, readFileSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Leftovers } from '../../../src/agents/clean.js'
import { checkAgents } from '../../../src/doctor/check-agents.js'
import { type DoctorContext, diagnose, type Finding } from '../../../src/doctor/diagnosis.js'
import { connectEngine } from '../../../src/engine/connect-engine.js'
import { containerName, labels, toLabels } from '../../../src/engine/labels.js'
import { peekAgents } from '../../../src/engine/peek-agents.js'
import type { AgentView } from '../../../src/routing/agent-view.js'
import type { ProxyStatus } from '../../../src/supervisor/proxy.js'
import { Sandbox } from '../../helpers/sandbox.js'
import { until } from '../../helpers/until.js'

let images: string[]
let made: string[]
let sandbox: Sandbox
let mark: string
beforeAll(async () => {
  sandbox = new Sandbox()
  await sandbox.json(['proxy', 'start', '--detach'])
})
beforeEach(() => {
  images = []
  made = []
  mark = randomBytes(4).toString('hex')
})
afterEach(async () => {
  for (const id of made) await sandbox.docker.getContainer(id).remove({ force: true }).catch(ignoreGone)
  await sandbox.renew()
  for (const image of images) await sandbox.docker.getImage(image).remove({ force: true }).catch(ignoreGone)
})
afterAll(() => sandbox.cleanUp())

function ignoreGone(error: { statusCode?: number }): void {
  if (error.statusCode !== 404) throw error
}

/** Labels that have Caddy answer for `evil` and for `web.app`, with whatever it can reach. */
function evilLabels(runId = 'run_00000000feed'): Record<string, string> {
  const route = { handle: [{ body: 'captured', handler: 'static_response' }] }
  return toLabels({
    endpoints: [{ name: 'web', plugin: 'evil', type: 'evil' }],
    keep: true,
    name: 'evil',
    routes: [{ endpoint: 'web', files: { browse: true, root: '/' }, routes: [route] }],
    runId,
    workspace: '/',
  })
}

/** An image that has them. */
async function evilImage(values: Record<string, string>): Promise<string> {
  const image = `moat-test-${mark}:evil`
  images.push(image)
  const container = await sandbox.docker.createContainer({ Cmd: ['true'], Image: 'node:22-slim', Labels: values })
  try {
    await container.commit({ repo: `moat-test-${mark}`, tag: 'evil' })
  } finally {
    await container.remove()
  }
  return image
}

/** Not what a copy would run: that is in a directory of the original's. */
const sleep = { Cmd: ['1000'], Entrypoint: ['sleep'] }

/** As `docker run -d` does it. */
async function dockerRun(image: string, name = `moat-test-${mark}`, extra: object = {}): Promise<string> {
  const container = await sandbox.docker.createContainer({ ...sleep, Image: image, name, ...extra })
  made.push(container.id)
  await container.start()
  return container.id
}

async function dockerCommit(containerId: string): Promise<string> {
  images.push(`moat-test-${mark}:copy`)
  await sandbox.docker.getContainer(containerId).commit({ repo: `moat-test-${mark}`, tag: 'copy' })
  return `moat-test-${mark}:copy`
}

const startApp = async () => {
  const agent = await sandbox.json<AgentView>(['run', '-d', sandbox.workspace('app')])
  const [container] = (await sandbox.containers()).filter(({ Labels }) => Labels[labels.runId] === agent.runId)
  return { containerId: container?.Id ?? '', runId: agent.runId, url: agent.endpoints[0]?.url ?? '' }
}

const listed = async () => (await sandbox.json<{ agents: AgentView[] }>(['list'])).agents.map(({ runId }) => runId)
const isThere = async (id: string) =>
  (await sandbox.docker.listContainers({ filters: { id: [id] } })).some(({ State }) => State === 'running')
/** This check of `moat doctor`, without all its others; the command is called once below. */
const diagnosed = async () => {
  const context = { connectEngine: () => connectEngine({ moatHome: sandbox.home }) }
  return (await diagnose([{ find: checkAgents, name: 'agents' }], context as DoctorContext))[0]
}
/** What clean would remove: other tests' images are on this engine too. */
const leftovers = () => sandbox.json<Leftovers>(['clean', '--dry-run'])
/** What the proxy serves now, as text. */
const config = async () => {
  await sandbox.json(['proxy', 'status'])
  return JSON.stringify(await sandbox.caddyConfig())
}

describe('an image with the labels of an agent', () => {
  it('run by docker run has no route, and no command touches its container', { timeout: 120_000 }, async () => {
    const app = await startApp()
    const id = await dockerRun(await evilImage(evilLabels()))
    const status = await until('the supervisor to see it', async () => {
      const answer = await sandbox.json<ProxyStatus>(['proxy', 'status'])
      return answer.unsealed && answer
    })
    expect(status.unsealed).toMatchObject([{ fix: `docker rm -f moat-test-${mark}`, reason: 'unsealed' }])
    expect(await config()).not.toContain('captured')
    const headers = { Host: `web.evil.localhost:${status.port}` }
    expect((await sandbox.get(`https://localhost:${status.port}/`, { headers })).status).toBe(404)
    expect(await listed()).toEqual([app.runId])
    for (const command of [['stop'], ['destroy'], ['logs'], ['open'], ['wait']]) {
      const refused = await sandbox.moat([...command, 'evil'])
      expect([command[0], refused.code === 0]).toEqual([command[0], false])
      expect(refused.stderr).toContain('There is no agent with the name or run id evil')
    }
    expect((await sandbox.moat(['exec', 'run_00000000feed', '--', 'true'])).stderr).toContain('There is no agent')
    const completed = await peekAgents({ env: sandbox.env, moatHome: sandbox.home, timeout: 10_000 })
    expect(completed.map(({ name }) => name)).toEqual(['app'])
    const index = await sandbox.get(`https://localhost:${status.port}/`, { headers: { Accept: 'application/json' } })
    expect(JSON.parse(index.body).agents.map(({ name }: AgentView) => name)).toEqual(['app'])
    await sandbox.docker.getContainer(id).kill()
    expect(await leftovers()).toMatchObject({ agents: [] })
    const { checks } = JSON.parse((await sandbox.moat(['doctor', '--json'])).stdout) as { checks: Finding[] }
    expect(checks.find(({ check }) => check === 'agents')).toMatchObject({
      fixes: [`docker rm -f moat-test-${mark}`, expect.stringMatching(/^moat run /)],
      message: expect.stringMatching(new RegExp(`^1 container is not taken .*\\nThe container moat-test-${mark} has`)),
      status: 'warn',
    })
  })

  it('is a base_image like any other: no container of its build or run has them', { timeout: 180_000 }, async () => {
    const app = await startApp()
    const image = await evilImage({ ...evilLabels(), 'dev.moat.own': 'x', 'dev.moat.seal': 'v1.x' })
    const hold = `echo ${mark}; test -e /go-on || sleep 1000`
    const workspace = (hook: string) =>
      sandbox.directory('victim', {
        'moat.yaml': `name: victim\nbase_image: ${image}\ncommand: sleep 1000\nhooks: {post_build_root: ${JSON.stringify(hook)}}\n`,
      })
    const building = sandbox.start(['run', '-d', workspace(hold)])
    const ofBuild = await until(
      'the container of the build',
      async () => (await sandbox.docker.listContainers()).find(({ Command }) => Command.includes(mark)),
      60_000,
    )
    const said = (values: Record<string, string> | null | undefined) =>
      Object.entries(values ?? {}).filter(([name, value]) => name.startsWith('dev.moat.') && value !== '')
    expect(said(ofBuild.Labels)).toEqual([['dev.moat.image', '1']])
    expect(await config()).not.toContain('captured')
    building.process.kill('SIGINT')
    await building.exited
    await sandbox.json(['run', '-d', workspace(`true ${mark}`)])
    const [container] = (await sandbox.containers()).filter(({ Labels }) => Labels[labels.name] === 'victim')
    images.push(container?.Image ?? '')
    const { Config } = await sandbox.docker.getImage(container?.Image ?? '').inspect()
    expect(said(Config.Labels)).toEqual([['dev.moat.image', '1']])
    expect(said(container?.Labels).map(([name]) => name)).not.toContain('dev.moat.image')
    expect(said(container?.Labels).map(([name]) => name)).not.toContain('dev.moat.own')
    expect(await listed()).toContain(container?.Labels[labels.runId])
    expect((await sandbox.get(app.url)).body).toBe('app 3000')
  })

  it('needs no build to lose them', async () => {
    const image = await evilImage(evilLabels())
    const moatYaml = `name: plain\nbase_image: ${image}\ncommand: sleep 1000\n`
    const { runId } = await sandbox.json<AgentView>([
      'run',
      '-d',
      sandbox.directory('plain', { 'moat.yaml': moatYaml }),
    ])
    const agents = await sandbox.json<{ agents: AgentView[] }>(['list'])
    expect(agents.agents).toMatchObject([{ endpoints: [], name: 'plain', runId }])
    await sandbox.json(['stop', 'plain'])
    expect(await sandbox.containers()).toEqual([])
  })

  it('or with that of a build of moat is removed by nobody but its owner', async () => {
    const image = await evilImage({ 'dev.moat.image': '1' })
    expect((await leftovers()).images.map(({ tag }) => tag)).not.toContain(image)
  })
})

describe('a copy of an agent', () => {
  it('under another name is none, and is in nobody’s way', async () => {
    const app = await startApp()
    const id = await dockerRun(await dockerCommit(app.containerId), `moat-test-${mark}`)
    expect(await listed()).toEqual([app.runId])
    const other = await sandbox.json<AgentView>(['run', '-d', sandbox.workspace('other')])
    expect((await sandbox.get(other.endpoints[0]?.url ?? '')).body).toBe('other 3000')
    expect((await sandbox.get(app.url)).body).toBe('app 3000')
    expect((await sandbox.json<ProxyStatus>(['proxy', 'status'])).unsealed).toMatchObject([
      { fix: `docker rm -f moat-test-${mark}`, reason: 'copied' },
    ])
    await sandbox.json(['stop', 'app'])
    expect(await isThere(id)).toBe(true)
    expect(await listed()).toEqual([other.runId])
  })

  it('that takes its name when it is gone is none, and the name is held until it is removed', async () => {
    const app = await startApp()
    const name = containerName('app', sandbox.home)
    const copy = await dockerCommit(app.containerId)
    const { HostConfig } = await sandbox.docker.getContainer(app.containerId).inspect()
    const Mounts = HostConfig.Mounts?.filter(({ Target }) => Target === '/workspace')
    await sandbox.json(['stop', 'app'])
    const id = await dockerRun(copy, name, { HostConfig: { Mounts } })
    expect(await listed()).toEqual([])
    expect((await sandbox.moat(['stop', 'app'])).stderr).toContain('There is no agent')
    const refused = await sandbox.moat(['run', '-d', sandbox.workspace('app')])
    expect(refused.stderr).toContain(`The name app is held by the container ${name}, which this moat did not make.`)
    expect(refused.stderr).toContain(`docker rm -f ${name}`)
    expect(await isThere(id)).toBe(true)
    await sandbox.docker.getContainer(id).remove({ force: true })
    expect((await sandbox.json<AgentView>(['run', '-d', sandbox.workspace('app')])).name).toBe('app')
  })

  it('made by hand, from the same image with all its labels, is none', async () => {
    const app = await startApp()
    const name = containerName('app', sandbox.home)
    const { Config } = await sandbox.docker.getContainer(app.containerId).inspect()
    await sandbox.json(['stop', 'app'])
    await dockerRun('node:22-slim', name, { HostConfig: { Binds: ['/:/workspace'] }, Labels: Config.Labels })
    expect(await listed()).toEqual([])
  })
})

describe('an agent that was renamed', () => {
  it('has no route until it has its name again; who asks hears how', async () => {
    const app = await startApp()
    const name = containerName('app', sandbox.home)
    const container = sandbox.docker.getContainer(app.containerId)
    await container.rename({ name: `moat-test-${mark}` })
    await until('the end of its route', async () => (await sandbox.get(app.url)).status === 404)
    const fix = `docker rename moat-test-${mark} ${name}`
    const status = await sandbox.json<ProxyStatus>(['proxy', 'status'])
    expect(status.problem).toBe(
      `The container moat-test-${mark} belongs to an agent and was renamed, so it has no routes: ${fix}`,
    )
    expect(status).toMatchObject({ agents: [], unsealed: [{ fix, reason: 'renamed' }] })
    expect(await listed()).toEqual([])
    expect(await diagnosed()).toMatchObject({ fixes: [fix], status: 'warn' })
    await container.rename({ name })
    expect(await until('its route', async () => (await sandbox.get(app.url)).body === 'app 3000')).toBe(true)
    const ask = 'fetch(process.env.MOAT_URL_WEB).then((r) => r.text()).then((text) => console.log(text))'
    expect((await sandbox.moat(['exec', 'app', '--', 'node', '-e', ask])).stdout).toBe('app 3000\n')
    expect((await sandbox.json<ProxyStatus>(['proxy', 'status'])).problem).toBeUndefined()
  })
})

describe('the key', () => {
  let shared: Sandbox
  beforeEach(() => {
    shared = sandbox
    sandbox = new Sandbox()
  })
  afterEach(async () => {
    await sandbox.cleanUp()
    sandbox = shared
  })

  it('is made once by runs that start together, for this user alone', async () => {
    const workspace = (name: string) => sandbox.directory(name, { 'moat.yaml': `name: ${name}\ncommand: sleep 1000\n` })
    const runs = ['one', 'two', 'three'].map((name) => sandbox.json<AgentView>(['run', '-d', workspace(name)]))
    const ids = (await Promise.all(runs)).map(({ runId }) => runId)
    expect((await listed()).toSorted()).toEqual(ids.toSorted())
    expect(statSync(join(sandbox.home, 'proxy/seal.key')).mode & 0o777).toBe(0o600)
    expect(readFileSync(join(sandbox.home, 'proxy/seal.key'))).toHaveLength(32)
  })

  it('that others can read is refused by name; without one, nothing is known of the agents', async () => {
    const file = join(sandbox.home, 'proxy/seal.key')
    const app = await startApp()
    chmodSync(file, 0o644)
    for (const command of [
      ['list'],
      ['stop', 'app'],
      ['run', '-d', sandbox.workspace('other')],
      ['clean', '--force'],
    ]) {
      const refused = await sandbox.moat(command)
      expect(refused).toMatchObject({
        code: 1,
        stderr: expect.stringContaining('can be reached by other users (mode 644)'),
      })
      expect(refused.stderr).toContain(`chmod 600 ${file}`)
    }
    expect(await diagnosed()).toMatchObject({ status: 'fail', fixes: [`chmod 600 ${file}`, expect.any(String)] })
    // What could not be judged is not gone.
    expect((await sandbox.get(app.url)).body).toBe('app 3000')
    chmodSync(file, 0o600)
    expect(await listed()).toEqual([app.runId])
    rmSync(file)
    expect(await listed()).toEqual([])
    expect(await diagnosed()).toMatchObject({ fixes: [`docker rm -f ${containerName('app', sandbox.home)}`] })
    expect(await isThere(app.containerId)).toBe(true)
  })
})
