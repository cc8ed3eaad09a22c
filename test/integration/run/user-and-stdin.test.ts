// What a program finds in its container besides its files: a user with a name, a stdin that does not end, a cache.
import { text } from 'node:stream/consumers'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { nameUser } from '../../../src/agents/container/container-user.js'
import { moatPaths } from '../../../src/config/paths.js'
import { connectEngine } from '../../../src/engine/connect-engine.js'
import { containerName, toLabels } from '../../../src/engine/labels.js'
import { Sandbox } from '../../helpers/sandbox.js'
import { until } from '../../helpers/until.js'

let sandbox: Sandbox

beforeEach(() => {
  sandbox = new Sandbox()
})
afterEach(() => sandbox.cleanUp())

describe('the user', () => {
  /** What a shell command prints in an image as it is, run by a user of this machine. */
  async function printed(image: string, user: { gid: number; uid: number }, script: string): Promise<string> {
    const engine = await connectEngine({ moatHome: sandbox.home })
    const agent = { endpoints: [], keep: false, name: 'app', routes: [], runId: 'run_a1b2c3d4e5f6', workspace: '/' }
    const containerId = await engine.create({
      command: ['sh', '-c', script],
      env: {},
      image,
      labels: toLabels({ ...agent, home: sandbox.home }),
      mounts: [],
      name: containerName('app', sandbox.home),
      ports: [],
      user,
      workdir: '/',
    })
    const { Image } = await sandbox.docker.getContainer(containerId).inspect()
    await nameUser(
      { engine, image: { id: Image }, paths: moatPaths({ MOAT_HOME: sandbox.home }) },
      containerId,
      user,
      [],
    )
    const output = await engine.attach(containerId)
    const [out, error] = [text(output.stdout), text(output.stderr)]
    await engine.start(containerId)
    return `${await out}${await error}`
  }

  const ids = { gid: 4322, uid: 4321 }

  it('has a name, a group and a home in an image that knows nothing of it', async () => {
    const script = `node -p 'const { homedir, username } = os.userInfo(); username + " " + homedir'; id -un; id -gn; ls -ld ~ | cut -c-4`
    expect(await printed('node:22-slim', ids, script)).toBe('agent /home/agent\nagent\nagent\ndrwx\n')
  })

  it('that the image knows stays as it is', async () => {
    expect(await printed('node:22-slim', { gid: 33, uid: 33 }, 'id -un; grep -c agent /etc/passwd')).toBe(
      'www-data\n0\n',
    )
  })

  it('that is root needs nothing', async () => {
    expect(await printed('debian:bookworm-slim', { gid: 0, uid: 0 }, 'id -un; grep -c agent /etc/passwd')).toBe(
      'root\n0\n',
    )
  })
})

describe('stdin', () => {
  const program = `process.stdin.on('end', () => { console.log('stdin ended'); process.exit() }).resume(); setTimeout(() => console.log('still here'), 600)`
  const yaml = (rest: string) =>
    sandbox.directory('app', {
      'moat.yaml': `name: app\ndependencies: [node@22]\ncommand: [node, -e, ${JSON.stringify(program)}]\n${rest}`,
    })
  const log = async () => (await sandbox.moat(['logs', 'app'])).stdout

  it.each(['ports: {web: 3000}\n', 'stdin: open\n'])('stays open with %j', async (rest) => {
    expect(await sandbox.moat(['run', '-d', yaml(rest)])).toMatchObject({ code: 0 })
    await until('it has gone on', async () => (await log()) !== '')
    expect(await log()).toBe('still here\n')
  })

  it.each(['', 'ports: {web: 3000}\nstdin: closed\n'])('is at its end with %j', async (rest) => {
    await sandbox.moat(['run', '-d', '--keep', yaml(rest)])
    await until('it has ended', async () => (await log()) !== '')
    expect(await log()).toBe('stdin ended\n')
  })

  it('that is closed is named when an agent ends at once without an error', async () => {
    const workspace = sandbox.directory('app', {
      'moat.yaml': 'name: app\ndependencies: [node@22]\ncommand: ["true"]\n',
    })
    expect((await sandbox.moat(['run', '-d', workspace])).stderr).toContain(
      'app ended at once, with exit code 0. A program that watches files may end because its stdin is closed: stdin: open in moat.yaml keeps it open.\n',
    )
  })
})

describe('the cache of package managers', () => {
  it('is there for the next agent of the workspace, and for no other', async () => {
    const script =
      'echo "$npm_config_cache"; test -e "$npm_config_cache/mark" && echo had || { mkdir -p "$npm_config_cache"; touch "$npm_config_cache/mark"; echo new; }'
    const yaml = { 'moat.yaml': `dependencies: [node@22]\ncommand: ${JSON.stringify(script)}\n` }
    const printed = async (workspace: string, name: string) =>
      (await sandbox.moat(['run', '--name', name, sandbox.directory(workspace, yaml)])).stdout
    expect(await printed('app', 'one')).toBe('/var/cache/moat/npm\nnew\n')
    expect(await printed('app', 'two')).toBe('/var/cache/moat/npm\nhad\n')
    expect(await printed('other', 'three')).toBe('/var/cache/moat/npm\nnew\n')
  })
})
