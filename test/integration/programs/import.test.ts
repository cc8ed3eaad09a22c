// A login of this machine that is copied into an agent's state: who has it, where it is not, and what an agent has left in its place. The
// program is a shell, of a plugin that is made here, so that no image has to be built.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { findSecrets } from '../../helpers/find-secret.js'
import { GitRepository } from '../../helpers/git-repository.js'
import { Sandbox } from '../../helpers/sandbox.js'

const token = `tok-${process.pid}-${Date.now()}-of-this-machine`
const login = '/var/lib/shell/login.json'
const plugin = {
  'agent-programs.js': `export default async () => [{
  command: ({ prompt }) => ['sh', '-c', prompt],
  dependencies: [],
  grants: ['shell'],
  hostLogin: { from: '~/.shell/login.json', keys: ['token'], to: '${login}' },
  name: 'shell',
  state: [{ directory: '/var/lib/shell', scope: 'profile' }],
  title: 'Shell',
}]\n`,
  'package.json': JSON.stringify({
    moat: { agents: { shell: 'Run a shell' } },
    name: 'moat-plugin-shell',
    oclif: { hooks: { 'moat:agent-programs': './agent-programs.js' } },
    type: 'module',
    version: '1.0.0',
  }),
}

let sandbox: Sandbox
let repository: GitRepository

beforeAll(async () => {
  sandbox = new Sandbox()
  sandbox.env.HOME = sandbox.directory('user')
  mkdirSync(join(sandbox.env.HOME, '.shell'))
  writeFileSync(join(sandbox.env.HOME, '.shell/login.json'), JSON.stringify({ other: 'x', token }), { mode: 0o600 })
  repository = new GitRepository(sandbox, 'app', {
    'moat.yaml': 'name: app\nbase_image: node:22-slim\ncommand: exit 9\n',
  })
  const linked = await sandbox.moat(['plugins', 'link', '--no-install', sandbox.directory('plugin', plugin)])
  expect(linked, linked.stderr).toMatchObject({ code: 0 })
})
afterAll(async () => {
  await sandbox.cleanUp()
  const filters = { label: [`dev.moat.home=${sandbox.home}`] }
  const { Volumes } = await sandbox.docker.listVolumes({ filters } as object)
  for (const { Name } of Volumes ?? []) await sandbox.docker.getVolume(Name).remove()
})

const shell = (script: string, ...flags: string[]) =>
  sandbox.moat(['shell', repository.directory, ...flags, '-p', script])

it('is not copied without a yes, and nothing else is started for want of one', async () => {
  const asked = await sandbox.moat(['shell', repository.directory, '--import', '-p', 'true'], { asks: true })
  expect(asked).toMatchObject({ code: 2, stdout: '' })
  for (const words of ['~/.shell/login.json', 'moat grant shell', 'moat shell --import --yes'])
    expect(asked.stderr).toContain(words)
  expect(asked.stderr + asked.stdout).not.toContain(token)
  const without = await shell('true')
  expect(without).toMatchObject({ code: 2, stderr: expect.stringContaining('moat shell --import ') })
  const inClone = await shell('true', '--clone', '--worktree', 'other')
  expect(inClone).toMatchObject({ code: 2, stderr: expect.stringContaining('Shell has no credential') })
  expect(await sandbox.containers()).toEqual([])
})

it('is the agent’s alone, in its state, and in nothing that shows the container', async () => {
  const started = await shell('sleep 600', '--import', '--yes', '-d', '--name', 'one')
  expect(started, started.stderr).toMatchObject({ code: 0 })
  const seen = { said: started.stderr + started.stdout }
  const places = await findSecrets([token], sandbox, seen)
  // What the engine shows of the container has its volumes too.
  expect(places.filter((place) => !place.includes(' in /var/lib/shell of '))).toEqual([])
  expect(places).not.toEqual([])
  const script = `stat -c '%a %u' ${login}; cat ${login}; ln -sf /workspace/stolen ${login}`
  const inside = await sandbox.moat(['exec', 'one', '--', 'sh', '-c', script])
  expect(inside.stdout).toBe(`600 ${process.getuid?.()}\n${JSON.stringify({ token }, undefined, 2)}\n`)
  await sandbox.json(['destroy', 'one'])
})

it('takes the place of what an agent has left there, through no link, and stays for later runs', async () => {
  const replaced = await shell(`stat -c '%F' ${login}; rm ${login}; mkdir -p ${login}/x`, '--import', '--yes')
  expect(replaced, replaced.stderr).toMatchObject({ code: 0, stdout: 'regular file\n' })
  expect(existsSync(join(repository.directory, 'stolen'))).toBe(false)
  const again = await shell('true', '--import', '--yes')
  expect(again, again.stderr).toMatchObject({ code: 0 })
  const later = await shell(`cat ${login}`, '--clone', '--worktree', 'other')
  expect(later, later.stderr).toMatchObject({ code: 0, stdout: expect.stringContaining(token) })
})
