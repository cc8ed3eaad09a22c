// Services of agents: ready before the command, each agent's its own, reached by no other, and gone with it.
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { connectEngine } from '../../../src/engine/connect-engine.js'
import { serviceLabels } from '../../../src/engine/labels.js'
import type { AgentView } from '../../../src/routing/agent-view.js'
import { removeOrphans } from '../../../src/services/remove-services.js'
import { postgres17 } from '../../helpers/postgres-17.js'
import { Sandbox } from '../../helpers/sandbox.js'
import { type ServiceImage, serviceImage } from '../../helpers/service-image.js'
import { until } from '../../helpers/until.js'

let image: ServiceImage
let sandbox: Sandbox
/** Both of one project, under a strict policy. */
let agents: AgentView[]

const psql = '/postgres/bin/psql -qtA -v ON_ERROR_STOP=1'

function project(name: string, services: string, { command = '[sleep, infinity]', more = '' } = {}): string {
  return sandbox.directory(name, {
    'moat.yaml': `dependencies: [node@22]
services: ${services}
mounts: ["${postgres17()}:/postgres:ro"]
command: ${command}
${more}`,
  })
}

beforeAll(async () => {
  sandbox = new Sandbox()
  // What a command has started for a run ends with the command's process.
  sandbox.keepsProcess = false
  image = await serviceImage()
  const directory = project('shop', `{postgres: {image: "${image.tag}"}, redis: {image: "${image.tag}", port: 6380}}`, {
    more: 'network: {policy: strict}',
  })
  agents = []
  for (const name of ['one', 'two']) {
    agents.push(await sandbox.json<AgentView>(['run', '-d', '--name', name, directory]))
  }
}, 300_000)

afterAll(async () => {
  await sandbox.cleanUp()
  await image.remove()
})

const inside = async (agent: string, script: string) => {
  const { code, stderr, stdout } = await sandbox.inside(agent, 'sh', '-c', script)
  return { code, stderr, stdout: stdout.trim() }
}
const sql = (agent: string, statement: string, url = '$MOAT_POSTGRES_URL') =>
  inside(agent, `${psql} "${url}" -c "${statement}"`)

/** Of the sandbox: names of services' containers, by run. */
async function services(runId?: string): Promise<string[]> {
  const found = (await sandbox.containers()).filter(({ Labels }) => Labels[serviceLabels.service])
  const own = found.filter(({ Labels }) => runId === undefined || Labels[serviceLabels.run] === runId)
  return own.map(({ Labels }) => Labels[serviceLabels.service] ?? '').toSorted()
}

describe('two agents of one project, without a network', () => {
  it('have a database each, which nothing of the other’s is in', async () => {
    for (const name of ['one', 'two']) {
      expect(await sql(name, `create table t (owner text); insert into t values ('${name}')`)).toMatchObject({
        code: 0,
      })
    }
    for (const name of ['one', 'two']) expect((await sql(name, 'select owner from t')).stdout).toBe(name)
  })

  it('reach theirs by its name and by no address of another, and with no other password', async () => {
    const [one, two] = await Promise.all(['one', 'two'].map((name) => inside(name, 'echo $MOAT_POSTGRES_PASSWORD')))
    expect(one?.stdout).toMatch(/^[0-9a-f]{32}$/)
    expect(two?.stdout).not.toBe(one?.stdout)
    const wrong = await sql('one', 'select 1', `postgresql://postgres:${two?.stdout}@postgres:5432/postgres`)
    expect(wrong.code).not.toBe(0)
    expect(wrong.stderr).toContain('password authentication failed')
    // Nothing of the other's is in its container: neither a socket nor a network.
    expect((await inside('one', 'ls /run/moat/services; ls /sys/class/net')).stdout.split('\n')).toEqual([
      'postgres',
      'redis',
      'lo',
    ])
    expect((await inside('one', 'getent hosts postgres')).stdout).toContain('127.0.0.1')
  })

  it('reach another service at the port that moat.yaml gives it there', async () => {
    const script = `node -e "
      const socket = require('net').connect(process.env.MOAT_REDIS_PORT, process.env.MOAT_REDIS_HOST)
      socket.write('PING\\\\nAUTH ' + process.env.MOAT_REDIS_PASSWORD + '\\\\nPING\\\\n')
      let said = ''
      socket.on('data', (data) => { said += data; if (said.split('\\\\r\\\\n').length > 3) { console.log(said); socket.end() } })"`
    const { stdout } = await inside('one', `echo $MOAT_REDIS_URL; ${script}`)
    expect(stdout).toMatch(/^redis:\/\/default:[0-9a-f]{32}@redis:6380\n-NOAUTH.*\r\n\+OK\r\n\+PONG/)
  })

  it('cannot replace what leads to it', async () => {
    const { code, stderr } = await inside('one', 'ln -sf /run/moat/proxy.sock /run/moat/services/postgres/5432')
    expect([code === 0, stderr]).toEqual([false, expect.stringContaining('Read-only')])
  })

  it('are listed with them, and what runs beside them is no agent', async () => {
    const { agents: listed } = await sandbox.json<{ agents: AgentView[] }>(['list'])
    // What leads to them is not a server that has no URL.
    expect(listed.map(({ name, services: own, undeclared = [] }) => [name, undeclared, own])).toEqual(
      ['one', 'two'].map((name) => [
        name,
        [],
        [
          { image: image.tag, name: 'postgres', port: 5432 },
          { image: image.tag, name: 'redis', port: 6380 },
        ],
      ]),
    )
    const { stderr } = await sandbox.moat(['list'])
    expect(stderr).toContain(`Services of one: postgres:5432 (${image.tag}), redis:6380 (${image.tag})`)
    expect(await services()).toEqual(['postgres', 'postgres', 'redis', 'redis'])
  })

  it('have services with no network and no port, and no password in a label or on a command line', async () => {
    const passwords = await inside('one', 'echo $MOAT_POSTGRES_PASSWORD,$MOAT_REDIS_PASSWORD')
    const [secret = '', other = ''] = passwords.stdout.split(',')
    const found = (await sandbox.containers()).filter(({ Labels }) => Labels[serviceLabels.run] === agents[0]?.runId)
    expect(found.length).toBe(2)
    for (const { Id, Labels } of found.filter(({ Labels }) => Labels[serviceLabels.service])) {
      const container = sandbox.docker.getContainer(Id)
      const { Args, Config, HostConfig, Path } = await container.inspect()
      expect(HostConfig.NetworkMode).toBe('none')
      expect(HostConfig.PortBindings).toEqual({})
      expect(HostConfig.CapDrop).toEqual(['ALL'])
      expect(HostConfig.SecurityOpt).toContain('no-new-privileges')
      const seen = JSON.stringify([Labels, Path, Args, Config.Cmd, Config.Entrypoint, await container.top()])
      expect(seen).toContain('/run/moat')
      expect([seen.includes(secret), seen.includes(other)]).toEqual([false, false])
    }
  })

  it('have the logs of their services at hand', async () => {
    const { stdout } = await sandbox.moat(['logs', '--service', 'redis', 'one'])
    expect(stdout).toBe('ready to accept connections\n')
    const { code, stderr } = await sandbox.moat(['logs', '--service', 'redi', 'one'])
    expect([code, stderr]).toEqual([2, expect.stringContaining('one has no service redi; did you mean redis?')])
  })

  it('take theirs along when they are stopped, and leave the other’s', async () => {
    const all = (await sandbox.containers()).filter(({ Labels }) => Labels[serviceLabels.run] === agents[0]?.runId)
    const volumes = all.flatMap(({ Mounts }) => Mounts.flatMap(({ Name, Type }) => (Type === 'volume' ? [Name] : [])))
    expect(volumes.length).toBe(2)
    await sandbox.json(['stop', 'one'])
    // Their data too.
    const { Volumes } = await sandbox.docker.listVolumes()
    expect(Volumes.filter(({ Name }) => volumes.includes(Name))).toEqual([])
    expect(await services(agents[0]?.runId)).toEqual([])
    expect(await services(agents[1]?.runId)).toEqual(['postgres', 'redis'])
    expect((await sql('two', 'select owner from t')).stdout).toBe('two')
  })

  it('have theirs removed also when they end and nobody of moat’s was asked', async () => {
    const container = (await sandbox.containers()).find(({ Labels }) => Labels['dev.moat.name'] === 'two')
    await sandbox.docker.getContainer(container?.Id ?? '').kill()
    await until('the end of its services', async () => (await services()).length === 0)
  })
})

describe('an attached run without a policy', () => {
  it('finds its database ready at its first statement, and leaves nothing', async () => {
    const ping = 'const s = require("net").connect(6379, "redis", () => s.end("PING\\n")); s.pipe(process.stdout)'
    const command = `|
  ${psql} "$MOAT_POSTGRES_URL" -c "select 40 + 2"; wc -l </proc/net/route
  node -e '${ping}'`
    // One takes connections long before it is ready.
    const loading = `redis: {image: "${image.tag}", env: {LOADING_MS: 2000}}`
    const own = `postgres: {image: "${image.tag}", env: {POSTGRES_USER: ann, POSTGRES_DB: postgres}}`
    const directory = project('once', `{${own}, ${loading}}`, { command })
    const { code, stderr, stdout } = await sandbox.moat(['run', directory])
    expect([code, stderr.includes('Starting postgres, redis')]).toEqual([0, true])
    const [answer, routes, pong] = stdout.trim().split('\n')
    expect([answer, pong]).toEqual(['42', '-NOAUTH Authentication required.'])
    // It has a network, and its service none.
    expect(Number(routes)).toBeGreaterThan(1)
    const runs = (await sandbox.containers()).map(({ Labels }) => Labels[serviceLabels.run])
    const others = runs.filter((runId) => runId && !agents.some((agent) => agent.runId === runId))
    expect(others).toEqual([])
  })
})

describe('a service that does not come to be', () => {
  it('is told of with its last lines and its place, and nothing is half there', async () => {
    const directory = project(
      'broken',
      `{redis: {image: "${image.tag}"}, postgres: {image: "${image.tag}", env: {POSTGRES_USER: ""}}}`,
    )
    const { code, stderr } = await sandbox.moat(['run', '-d', '--name', 'broken', directory])
    expect(code).toBe(1)
    expect(stderr).toMatch(
      /moat\.yaml:2:\d+: the service postgres \(moat-test-services:\w+\) ended with exit code 3 before it was ready/,
    )
    expect(stderr).toContain('no user to make the database for')
    expect((await sandbox.containers()).filter(({ State }) => State === 'running')).toEqual([])
    expect(await services()).toEqual([])
    expect(
      existsSync(join(sandbox.home, 'proxy/agents')) && readdirSync(join(sandbox.home, 'proxy/agents')).length,
    ).toBeLessThan(2)
  })

  it('is gone though the start of its agent was killed', async () => {
    const directory = project('killed', `{postgres: {image: "${image.tag}", env: {POSTGRES_USER: nobody}}}`)
    const running = sandbox.start(['run', '-d', '--name', 'killed', directory])
    await until('its service', async () => (await services()).length === 1)
    running.process.kill('SIGKILL')
    await running.exited
    await until('the end of its service', async () => (await services()).length === 0)
  })

  it('is an error about the image where that cannot be had', async () => {
    // Nobody listens there.
    const directory = project('imageless', '{postgres: {image: "127.0.0.1:1/postgres:99"}}')
    const { code, stderr } = await sandbox.moat(['run', '-d', directory])
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(/moat\.yaml:2:\d+: The image 127\.0\.0\.1:1\/postgres:99 could not be pulled: /),
    ])
    expect(stderr).toContain('set another version under services.postgres in moat.yaml')
  })

  it('is not asked for without approval', async () => {
    const directory = project('asks', '{postgres: 17}')
    const { code, stderr } = await sandbox.moat(['run', '-d', directory], { asks: true })
    expect([code, stderr]).toEqual([2, expect.stringMatching(/services\.postgres.*postgres:17/)])
  })
})

it('what a killed start has left is found and removed, and nothing that only looks like it', async () => {
  // Without a proxy, which would remove it.
  const alone = new Sandbox()
  onTestFinished(() => alone.cleanUp())
  const engine = await connectEngine({ moatHome: alone.home })
  const labels = {
    [serviceLabels.home]: alone.home,
    [serviceLabels.run]: 'run_0123456789ab',
    [serviceLabels.service]: 'redis',
  }
  const place = { env: {}, image: 'node:22-slim', mounts: [], ports: [], user: 'image' as const }
  const name = `moat-test-left-${process.pid}`
  const left = await engine.create({ ...place, command: ['sleep', '1000'], labels, name })
  const other = await alone.docker.createContainer({ Cmd: ['sleep', '1000'], Image: 'node:22-slim', Labels: labels })
  // Not with --force: that removes what all of the machine's moats have built.
  const { services: found } = await alone.json<{ services: unknown[] }>(['clean', '--dry-run'])
  expect(found).toEqual([{ name: 'redis', runId: 'run_0123456789ab' }])
  expect((await removeOrphans(engine)).map(({ containerId }) => containerId)).toEqual([left])
  const rest = (await alone.containers()).filter(({ Labels }) => Labels[serviceLabels.service])
  expect(rest.map(({ Id }) => Id)).toEqual([other.id])
})
