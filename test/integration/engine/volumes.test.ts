// Volumes of an agent, with a real engine: kept from run to run, writable by the agent's user, and nobody else's.
import { lstatSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { liveValues } from '../../../src/completion/live-values.js'
import { connectEngine } from '../../../src/engine/connect-engine.js'
import { containerName, toLabels } from '../../../src/engine/labels.js'
import type { VolumeView } from '../../../src/volumes/find-volumes.js'
import { Sandbox } from '../../helpers/sandbox.js'
import { until } from '../../helpers/until.js'

let sandbox: Sandbox

beforeEach(() => {
  sandbox = new Sandbox()
})
afterEach(async () => {
  const { Volumes } = await sandbox.docker.listVolumes({
    filters: { label: [`dev.moat.home=${sandbox.home}`] },
  } as object)
  await sandbox.cleanUp()
  for (const { Name } of Volumes ?? []) await sandbox.docker.getVolume(Name).remove({ force: true })
})

it('keeps what an agent writes, in the workspace too, until they are removed', async () => {
  const workspace = sandbox.directory('app', {
    'moat.yaml': `name: app
agent: claude
volumes: [{name: cache, target: /var/cache/app}, {name: mods, target: /workspace/deep/mods}]
mounts: [{source: ., target: /workspace, exclude: [scratch]}]
command: [sh, -c, 'cat /var/cache/app/kept deep/mods/kept; echo one >> /var/cache/app/kept; echo two >> deep/mods/kept; echo x > scratch/x']
`,
  })
  const first = await sandbox.moat(['run', workspace])
  expect(first.stderr).toContain('moat.yaml:2:8: "agent" has no effect')
  expect(first.code).toBe(0)
  expect(await sandbox.moat(['run', workspace])).toMatchObject({ code: 0, stdout: 'one\ntwo\n' })
  for (const name of ['deep', 'deep/mods', 'scratch'])
    expect(lstatSync(`${workspace}/${name}`).isDirectory()).toBe(true)
  for (const name of ['deep/mods/kept', 'scratch/x']) expect(() => lstatSync(`${workspace}/${name}`)).toThrow('ENOENT')

  const { volumes } = await sandbox.json<{ volumes: VolumeView[] }>(['volumes', 'list', '--size'])
  expect(volumes).toMatchObject([
    { abandoned: false, name: 'cache', place: workspace, size: expect.any(Number), usedBy: [] },
    { abandoned: false, name: 'mods', place: workspace, size: expect.any(Number), usedBy: [] },
  ])
  const typed = { env: sandbox.env, home: sandbox.home, plugins: '', typed: '' }
  // A shell waits for an engine for a fifth of a second only, and is shown nothing by a busy one.
  const completed = await until('an answer in time', async () => {
    const values = await liveValues('volumes', typed)
    return values.length > 0 && values
  })
  expect(completed.map(({ value }) => value).toSorted()).toEqual(volumes.map(({ id }) => id).toSorted())
  // A stranger's with the same labels is none of moat's.
  const [cache, mods] = volumes.map(({ id }) => id)
  const { Labels } = await sandbox.docker.getVolume(cache ?? '').inspect()
  const stranger = `${cache}-x`
  await sandbox.docker.createVolume({ Labels, Name: stranger })
  expect(await sandbox.moat(['volumes', 'rm', stranger, '-f'])).toMatchObject({ code: 1 })
  expect(await sandbox.moat(['volumes', 'rm', 'cache'], { cwd: workspace })).toMatchObject({ code: 2 })
  expect(await sandbox.json(['volumes', 'rm', 'cache', '-f'], { cwd: workspace })).toMatchObject({
    removed: [{ id: cache }],
  })
  expect(await sandbox.json(['volumes', 'prune', '-af'])).toMatchObject({ removed: [{ id: mods }] })
  expect(await sandbox.docker.getVolume(stranger).inspect()).toMatchObject({ Name: stranger })
  // One that holds the place of moat's, and leads elsewhere, is never mounted.
  await sandbox.docker.createVolume({
    Driver: 'local',
    DriverOpts: { device: '/etc', o: 'bind', type: 'none' },
    Labels,
    Name: cache ?? '',
  })
  const refused = await sandbox.moat(['run', workspace])
  expect(refused).toMatchObject({ code: 1 })
  expect(refused.stderr).toContain('that this moat did not make')
  await sandbox.docker.getVolume(cache ?? '').remove()
})

it('gives a fresh one to the user of the container, and takes none from a container that has it', async () => {
  const engine = await connectEngine({ moatHome: sandbox.home })
  const { id, isNew, labels } = await engine.volumes.ensure({ name: 'data', place: '/srv/app' })
  expect(isNew).toBe(true)
  const user = { gid: 4322, uid: 4321 }
  const targets = ['/data', '/home/agent/a/b']
  /** What a shell command prints, run by that user. */
  const printed = async (script: string) => {
    const agent = { endpoints: [], keep: false, name: 'app', routes: [], runId: 'run_a1b2c3d4e5f6', workspace: '/' }
    const containerId = await engine.create({
      command: ['sh', '-c', script],
      env: {},
      image: 'debian:bookworm-slim',
      labels: toLabels({ ...agent, home: sandbox.home }),
      mounts: [],
      name: containerName('app', sandbox.home),
      ports: [],
      tmpfs: ['/scratch'],
      user,
      volumes: targets.map((target) => ({ id, labels, readOnly: false, target })),
      workdir: '/',
    })
    await engine.volumes.own(containerId, targets, user)
    const output = await engine.attach(containerId)
    const [out, error] = [text(output.stdout), text(output.stderr)]
    const ended = engine.wait(containerId)
    await engine.start(containerId)
    await ended
    const all = `${await out}${await error}`
    expect(await engine.volumes.remove(id)).toBe('used')
    expect(await engine.volumes.list()).toMatchObject([{ usedBy: [containerName('app', sandbox.home)] }])
    await engine.remove(containerId)
    return all
  }
  const look = 'stat -c "%u %a" /data /home/agent/a'
  expect(await printed(`${look}; touch /data/x /scratch/y /home/agent/a/z; chmod 700 /data`)).toBe(
    '4321 755\n4321 755\n',
  )
  // What the agent made of it stays.
  expect(await printed(`${look}; ls /data`)).toBe('4321 700\n4321 755\nx\n')
  expect(await engine.volumes.remove(id)).toBe('removed')
  expect(await engine.volumes.remove(id)).toBe('absent')
  // One that is removed just before is made anew, as moat's.
  expect(await printed('ls /data')).toBe('')
})
