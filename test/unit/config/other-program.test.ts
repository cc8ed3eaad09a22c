// Owns what becomes of a moat.yaml of the Go program: honoured, told of in a note, or an error that says what to write instead.
import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { loadMoatYaml } from '../../../src/config/moat-yaml.js'
import { caught } from './caught.js'
import { temporaryDirectory } from './temp-directory.js'

let directory: string
beforeEach(async () => {
  directory = await temporaryDirectory()
  await mkdir(join(directory, 'data/inner'), { recursive: true })
})

async function load(text: string) {
  await writeFile(join(directory, 'moat.yaml'), text)
  return loadMoatYaml(directory, directory)
}

const problemsOf = async (text: string) => (await caught(() => load(text))).message.split('\n')

describe('a moat.yaml of the Go program', () => {
  it('loads, with a note for each key that has no effect', async () => {
    const text = `name: app
agent: claude
version: 1.0.0
runtime: docker
interactive: true
claude: {sync_logs: true, subscription_type: pro, rate_limit_tier: default_claude_max_20x}
sandbox: none
workspace: {mode: bind}
clipboard: false
mounts: [{source: ./data, target: /data, mode: ro, exclude: [inner, ./b/../c]}, {source: ., target: /workspace/, exclude: [node_modules]}]
volumes: [{name: state_1, target: /home/moatuser/.myapp/, readonly: true, type: bind}]
`
    const { config, notes } = await load(text)
    expect(config.mounts).toEqual([
      { exclude: ['/data/inner', '/data/c'], readOnly: true, source: join(directory, 'data'), target: '/data' },
      { exclude: ['/workspace/node_modules'], readOnly: false, source: directory, target: '/workspace' },
    ])
    expect(config.volumes).toEqual([
      { name: 'state_1', readOnly: true, scope: 'workspace', target: '/home/moatuser/.myapp' },
    ])
    expect(notes.map((note) => note.replace(/ has no effect: .+\.$/, ''))).toEqual([
      'Note: moat.yaml:2:8: "agent"',
      'Note: moat.yaml:6:21: "claude.sync_logs"',
      'Note: moat.yaml:6:46: "claude.subscription_type"',
      'Note: moat.yaml:6:68: "claude.rate_limit_tier"',
      'Note: moat.yaml:5:14: "interactive"',
      'Note: moat.yaml:4:10: "runtime"',
      'Note: moat.yaml:7:10: "sandbox"',
      'Note: moat.yaml:3:10: "version"',
    ])
  })

  it.each([
    ['runtime: apple', '1:10: "runtime" is "apple", whose containers this moat does not run'],
    ['runtime: runsc', `1:10: "runtime" must be docker, not "runsc"; an engine's own runtime stands under`],
    ['sandbox: ""', '1:10: "sandbox" is empty; it must be none; for gVisor write container: {runtime: runsc}'],
    ['claude: {plugins: {a@b: true}}', '1:19: "claude.plugins" is not for this moat: write them as "enabledPlugins"'],
    ['claude: {mcp: {}}', '1:15: "claude.mcp" is not for this moat: name its servers in the .mcp.json'],
    ['claude: {base_url: x}', '1:20: "claude.base_url" is not for this moat: write env: {ANTHROPIC_BASE_URL'],
    ['claude: {nope: 1}', '1:16: "claude.nope" is unknown; known keys are'],
    ['claude: yes please', '1:9: "claude" must be a mapping such as {sync_logs: true}'],
    ['codex: {mcp: {}}', '1:14: "codex.mcp" is not for this moat: name the servers in the settings of Codex'],
    ['agent: []', '1:8: "agent" must be text, not a list'],
    ['workspace: {mode: volume}', '1:19: "workspace.mode" must be bind, not "volume"'],
    ['mcp: []', '1:6: "mcp" is not for this moat'],
    ['language_servers: [go]', '1:19: "language_servers" is not for this moat: add them to "dependencies"'],
  ])('%s is an error that says what to write', async (text, expected) => {
    const [problem, ...others] = await problemsOf(text)
    expect(problem).toContain(`moat.yaml:${expected}`)
    expect(others).toEqual([])
  })
})

describe('a mount that is an object', () => {
  it.each([
    ['{source: ./data}', '"mounts[0].target" is missing; it must be text'],
    ['{source: ./data, target: /d, mod: ro}', 'unknown key "mod" in "mounts[0]"; did you mean "mode"?'],
    ['{source: ./data, target: /d, mode: rx}', '"mounts[0].mode" must be ro or rw, not "rx"'],
    ['{source: ./data, target: /workspace}', 'has the target "/workspace", where the workspace already is'],
    ['{source: ., target: /workspace, mode: ro}', 'has the mode "ro"'],
    ['{source: ., target: /workspace, exclude: ["../x"]}', 'excludes "../x", which is no path below its target'],
    ['{source: ., target: /workspace, exclude: [/etc]}', 'excludes "/etc", which is no path below its target'],
    ['{source: ., target: /workspace, exclude: [.]}', 'excludes ".", which is no path below its target'],
    ['{source: ., target: /workspace, exclude: ["*.log"]}', 'excludes "*.log": write each directory by its path'],
    ['{source: ., target: /workspace, exclude: [.git/hooks]}', "where git's own files are"],
    ['{source: ./data, target: /run/moat}', 'has the target "/run/moat", where moat has its sockets'],
    ['"./data:/etc/moat/x"', 'has the target "/etc/moat/x", where moat has its certificate'],
    ['"./data:/var/cache/moat/npm/.."', 'has the target "/var/cache/moat", where moat keeps'],
  ])('%s', async (mount, expected) => {
    expect((await problemsOf(`mounts: [${mount}]`)).join()).toContain(expected)
  })

  it('at /workspace is the workspace, whatever leads there', async () => {
    await symlink('.', join(directory, 'link'))
    const { config } = await load('mounts: [{source: ./link, target: /workspace, exclude: [a]}]')
    expect(config.mounts).toMatchObject([{ exclude: ['/workspace/a'], source: directory }])
  })
})

describe('a volume', () => {
  it.each([
    ['{name: A, target: /a}', '"volumes[0].name" must be lowercase letters, digits'],
    ['{name: a/../b, target: /a}', '"volumes[0].name" must be lowercase letters, digits'],
    ['{name: a}', '"volumes[0].target" is missing; it must be text'],
    ['{name: a, target: a}', '"volumes[0].target" is "a", which must be an absolute path in the container'],
    ['{name: a, target: /x/..}', '"volumes[0].target" is "/", which would hide the whole container'],
    ['{name: a, target: //workspace/.}', '"volumes[0].target" is "/workspace", where the workspace already is'],
    ['{name: a, target: /run/moat/in}', 'where moat has its sockets'],
    ['{name: a, target: /usr/bin}', "where the system's own programs are"],
    ['{name: a, target: /etc/../lib/x}', "where the system's own programs are"],
    ['{name: a, target: /proc/self}', 'where the kernel shows what it knows'],
    ['{name: a, target: /workspace/sub/.GIT/hooks}', "where git's own files are"],
    ['{name: a, target: "/a:ro"}', 'a target has no colons'],
    ['{name: a, target: /a, scope: home}', '"volumes[0].scope" must be workspace or repository, not "home"'],
    ['{name: a, target: /a, read_only: true}', 'unknown key "read_only" in "volumes[0]"; did you mean "readonly"?'],
    ['{name: a, target: /a}, {name: a, target: /b}', 'has the name "a", as "volumes[0]" has'],
    ['{name: a, target: /a}, {name: b, target: /a/}', 'has the target "/a", as "volumes[0]" has'],
  ])('%s', async (volume, expected) => {
    expect((await problemsOf(`volumes: [${volume}]`)).join()).toContain(expected)
  })

  it.each(['"./data:/a/b"', '{source: ./data, target: /a, exclude: [b]}'])('is not where %s is', async (mount) => {
    expect(await problemsOf(`mounts: [${mount}]\nvolumes: [{name: a, target: /a/b}]`)).toEqual([
      'moat.yaml:2:11: "volumes[0]" has the target "/a/b", as "mounts[0]" has',
    ])
  })

  it('is one of few', async () => {
    const many = Array.from({ length: 33 }, (_, index) => `{name: v${index}, target: /v${index}}`)
    expect(await problemsOf(`volumes: [${many.join()}]`)).toEqual([
      expect.stringContaining('"volumes[32]" is one too many: an agent has at most 32'),
    ])
  })
})
