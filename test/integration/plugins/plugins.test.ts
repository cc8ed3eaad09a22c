// What `moat plugins` does to the machine, and what it says when it is given the wrong thing.
import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, expect, it } from 'vitest'
import { packHelloPlugin } from '../../helpers/hello-plugin.js'
import { Sandbox } from '../../helpers/sandbox.js'

const run = promisify(execFile)
const sandbox = new Sandbox()
afterAll(() => sandbox.cleanUp())

it('keeps all of a plugin under ~/.moat, where other users see nothing of it', async () => {
  const directory = sandbox.directory('plugin', {
    'package.json': '{"name": "moat-plugin-empty", "version": "1.0.0", "oclif": {}}',
  })
  await run('npm', ['pack', '--pack-destination', directory, directory])
  const home = sandbox.directory('user')
  const elsewhere = join(home, 'elsewhere')
  const outcome = await sandbox.moat(['plugins', 'install', './moat-plugin-empty-1.0.0.tgz'], {
    cwd: directory,
    env: {
      HOME: home,
      MOAT_CACHE_DIR: elsewhere,
      MOAT_DATA_DIR: elsewhere,
      npm_config_cache: join(home, 'npm'),
      XDG_DATA_HOME: elsewhere,
    },
  })
  expect(outcome, outcome.stderr).toMatchObject({ code: 0 })
  expect(readdirSync(home)).toEqual(['npm'])
  expect(readdirSync(sandbox.home)).toEqual(['plugins'])
  expect(statSync(join(sandbox.home, 'plugins')).mode & 0o077).toBe(0)
})

it('writes the manifest that an installed plugin lacks, and none into a linked one', async () => {
  const installed = await sandbox.moat(['plugins', 'install', await packHelloPlugin(sandbox.directory('packed'))])
  expect(installed, installed.stderr).toMatchObject({ code: 0 })
  const file = join(sandbox.home, 'plugins/node_modules/moat-plugin-hello/oclif.manifest.json')
  const manifest = JSON.parse(readFileSync(file, 'utf8')) as unknown
  expect(manifest).toMatchObject({ commands: { hello: { completion: { agent: 'agents' } } }, version: '1.0.0' })
  expect(await sandbox.moat(['hello'])).toEqual({ code: 0, stderr: '', stdout: 'Hello moat, warm.\n' })
  await sandbox.moat(['plugins', 'uninstall', 'moat-plugin-hello'])
  const source = join(sandbox.directory('packed'), 'plugin-hello')
  expect((await sandbox.moat(['plugins', 'link', '--no-install', source])).code).toBe(0)
  expect(readdirSync(source)).not.toContain('oclif.manifest.json')
  await sandbox.moat(['plugins', 'unlink', 'moat-plugin-hello'])
})

it('loads the code of a plugin for what needs it, and for nothing else', async () => {
  const directory = sandbox.directory('marked')
  const marker = join(directory, 'loaded')
  const mark = `import { writeFileSync } from 'node:fs'\nwriteFileSync(${JSON.stringify(marker)}, '')\n`
  mkdirSync(join(directory, 'commands'))
  writeFileSync(join(directory, 'commands/marked.js'), `${mark}export default class { static async run() {} }\n`)
  writeFileSync(join(directory, 'types.js'), `${mark}export default async () => []\n`)
  const oclif = { commands: './commands', hooks: { 'moat:endpoint-types': './types.js' } }
  const manifest = { name: 'moat-plugin-marked', oclif, type: 'module', version: '1.0.0' }
  writeFileSync(join(directory, 'package.json'), JSON.stringify(manifest))
  expect((await sandbox.moat(['plugins', 'link', '--no-install', directory])).code).toBe(0)
  const loadedBy = async (...words: string[]) => {
    rmSync(marker, { force: true })
    await sandbox.moat(words)
    return existsSync(marker)
  }
  expect(await loadedBy('list')).toBe(false)
  expect(await loadedBy('proxy', 'status', '--json')).toBe(false)
  expect(await loadedBy('version')).toBe(false)
  expect(await loadedBy('list', '--no-such-flag')).toBe(false)
  expect(await loadedBy('marked')).toBe(true)
  expect(await loadedBy('help')).toBe(true)
  // Endpoint types are asked for by a run, and by nothing before it.
  expect(await loadedBy('run', sandbox.directory('of-no-type', { 'moat.yaml': 'ports: {web: {type: nope}}\n' }))).toBe(
    true,
  )
  await sandbox.moat(['plugins', 'unlink', 'moat-plugin-marked'])
})

it('gives what npm runs no way back to root under sudo', async () => {
  // In a process of its own, and nothing is read from disk after it: the user may not reach the tests' Node.
  const script = `
    const { actAsInvokingUser, stayInvokingUser } = await import(process.argv[1])
    actAsInvokingUser()
    stayInvokingUser()
    let root = 'refused'
    for (const take of ['seteuid', 'setuid']) try { process[take](0); root = 'taken' } catch {}
    console.log(JSON.stringify([process.getuid(), process.geteuid(), process.getgid(), root]))`
  const module = resolve('src/config/invoking-user.ts')
  const asRoot = process.getuid?.() === 0
  const env = { ...process.env, ...(asRoot && { SUDO_GID: '1234', SUDO_UID: '1235' }) }
  const { stdout } = await run(process.execPath, ['--input-type=module', '-e', script, module], { env })
  const [uid, gid] = asRoot ? [1235, 1234] : [process.getuid?.(), process.getgid?.()]
  expect(JSON.parse(stdout)).toEqual([uid, uid, gid, 'refused'])
})

it.each([
  [
    ['plugins', 'install', './nope.tgz'],
    /^Error: There is no file \/.*\/nope\.tgz\.\n\nTry this:\n {2}npm pack\n {2}moat plugins link <directory>\n$/,
  ],
  [['plugins', 'inspect', 'nope'], /^Error: There is no plugin nope\.\n\nTry this:\n {2}moat plugins\n$/],
  [['plugins', 'inspect'], /^Error: Say which plugin to inspect\.\n\nTry this:\n {2}moat plugins\n$/],
  [['plugins', 'uninstall', 'nope'], /^Error: There is no plugin nope\.\n\nTry this:\n {2}moat plugins\n$/],
  [['plugins', 'uninstall'], /^Error: Say which plugin\.\n\nTry this:\n {2}moat plugins\n$/],
  [
    ['plugins', 'link', './nowhere'],
    /Error: \.\/nowhere is not a plugin: it has no package\.json\.\n\nTry this:\n {2}moat plugins link <directory with a package\.json>\n$/,
  ],
  [
    ['plugin', 'install', 'x'],
    /^Error: plugin install x is not a moat command\. Did you mean moat plugins install\?\n\nTry this:\n {2}moat plugins install x\n {2}moat help\n$/,
  ],
  [
    ['help', 'proxy', 'stat'],
    /^Error: proxy stat is not a moat command\. Did you mean moat proxy status\?\n\nTry this:\n {2}moat proxy status\n {2}moat help proxy\n$/,
  ],
])('says what is wrong and what to do: moat %j', async (args, expected) => {
  const outcome = await sandbox.moat(args)
  expect(outcome.code).toBe(2)
  expect(outcome.stderr).toMatch(expected)
})

it('shows a new user where to start', async () => {
  const { stdout } = await sandbox.moat(['help'])
  expect(stdout).toContain('moat init ./my-app    writes a moat.yaml for a project')
  // Each command and topic says what it does.
  for (const line of stdout
    .split(/^(?:TOPICS|COMMANDS)$/m)
    .slice(1)
    .join('')
    .split('\n')) {
    expect(line).toMatch(/^$|^ {2}[a-z]+ {2,}\S|^ {10,}\S/)
  }
  // What stands above is not said again.
  expect((await sandbox.moat(['stop', '--help'])).stdout.match(/Stop agents/g)).toHaveLength(1)
})

it('tells its version', async () => {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }
  const { stdout } = await sandbox.moat(['version'])
  expect(stdout).toMatch(new RegExp(`^moat-cli/${version} \\S+ node-v`))
})

it.each(['bash', 'zsh'])('prints a script for %s that the shell can read', async (shell) => {
  const { code, stdout } = await sandbox.moat(['autocomplete', shell])
  expect(code).toBe(0)
  const file = join(sandbox.directory('scripts', { [shell]: stdout }), shell)
  await run(shell, ['-n', file])
  expect((await sandbox.moat(['autocomplete'], { env: { SHELL: `/usr/bin/${shell}` } })).stdout).toBe(stdout)
})

it('says which shells there is completion for', async () => {
  const outcome = await sandbox.moat(['autocomplete'], { env: { SHELL: '/usr/bin/fish' } })
  expect(outcome).toEqual({
    code: 2,
    stderr:
      'Error: Name a shell: there is completion for bash and zsh.\n\nTry this:\n  moat autocomplete bash\n  moat autocomplete zsh\n',
    stdout: '',
  })
})
