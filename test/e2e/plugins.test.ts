// Somebody else's plugin in the packed moat: installed from its tarball, linked from its directory, taken away again.
import { execFile } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest'
import type { AgentView } from '../../src/routing/agent-view.js'
import { copyHelloPlugin, packHelloPlugin } from '../helpers/hello-plugin.js'
import { Sandbox } from '../helpers/sandbox.js'

const run = promisify(execFile)

describe('moat plugins', () => {
  let sandbox: Sandbox

  beforeEach(() => {
    sandbox = new Sandbox([process.execPath, inject('packedMoat')])
  })
  afterEach(() => sandbox.cleanUp())

  /** Nothing may land in the user's own directories. */
  function someHome(): { home: string; env: NodeJS.ProcessEnv } {
    const home = sandbox.directory('user')
    return { env: { HOME: home, XDG_DATA_HOME: join(home, 'data'), npm_config_cache: join(home, '.npm') }, home }
  }

  /** A workspace whose endpoint `web` is of the plugin's type. */
  function greeter(options: object): string {
    const workspace = sandbox.workspace('greeter', { web: 3000 })
    const file = join(workspace, 'moat.yaml')
    const ports = JSON.stringify({ web: { port: 3000, type: 'hello', ...options } })
    writeFileSync(file, readFileSync(file, 'utf8').replace(/^ports: .*$/m, `ports: ${ports}`))
    return workspace
  }

  /** An agent with an endpoint of the plugin's type answers at the endpoint's URL, the plugin and the container both. */
  async function answersOverHttps(): Promise<void> {
    const workspace = greeter({ greeting: 'hi {env.HOME}' })
    const started = await sandbox.moat(['run', '-d', workspace])
    expect(started, started.stderr).toMatchObject({ code: 0 })
    const { agents } = await sandbox.json<{ agents: AgentView[] }>(['list'])
    expect(agents[0]?.endpoints).toMatchObject([
      { links: [{ title: 'Greeting', url: '/hello' }], name: 'web', plugin: 'moat-plugin-hello', type: 'hello' },
    ])
    const url = agents[0]?.endpoints[0]?.url ?? ''
    expect((await sandbox.moat(['wait', 'greeter', 'web'])).code).toBe(0)
    expect(await sandbox.get(url)).toMatchObject({ body: 'greeter 3000', status: 200 })
    expect((await sandbox.get(`${url}/hello`)).body).toBe('hi {env.HOME} greeter')
    expect((await sandbox.moat(['exec', 'greeter', '--', 'printenv', 'HELLO_GREETING'])).stdout).toBe('hi {env.HOME}\n')
    expect(await sandbox.moat(['stop', 'greeter'])).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('Goodbye greeter.\n'),
    })
  }

  it('installs a tarball, shows it, runs it, and removes it', async () => {
    const directory = sandbox.directory('packed')
    const tarball = await packHelloPlugin(directory)
    const { env, home } = someHome()
    // A relative path, as a person types it.
    const installed = await sandbox.moat(['plugins', 'install', tarball.slice(directory.length + 1)], {
      cwd: directory,
      env,
    })
    expect(installed, installed.stderr).toMatchObject({ code: 0, stderr: expect.stringContaining('installed v1.0.0') })
    expect(readdirSync(home)).toEqual(['.npm'])
    expect(existsSync(join(sandbox.home, 'plugins/node_modules/moat-plugin-hello'))).toBe(true)

    expect((await sandbox.moat(['plugins'])).stdout).toBe('moat-plugin-hello 1.0.0\n')
    expect((await sandbox.moat(['plugins', 'inspect', 'moat-plugin-hello'])).stdout).toMatch(
      /version 1\.0\.0[\s\S]*hello/,
    )
    expect((await sandbox.moat(['hello', 'ann', '--tone', 'cool'])).stdout).toBe('Hello ann, cool.\n')
    expect((await sandbox.moat(['help'])).stdout).toMatch(/^ {2}hello +Greet an agent$/m)
    // Completion finds the commands of oclif's plugins too, wherever npm has put those.
    const complete = (line: string) => sandbox.moat(['__complete', 'bash', '=:', line])
    expect((await complete('moat plugins uni')).stdout).toMatch(/^words\nuninstall\t/)
    expect((await complete('moat hell')).stdout).toBe('words\nhello\tGreet an agent\n')
    expect((await sandbox.moat(['autocomplete', 'bash'])).stdout).toContain(inject('packedMoat'))
    await answersOverHttps()

    expect((await sandbox.moat(['plugins', 'uninstall', 'moat-plugin-hello'])).code).toBe(0)
    expect((await sandbox.moat(['plugins'])).stdout).toBe('No plugins installed.\n')
    expect(await sandbox.moat(['hello'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('hello is not a moat command'),
    })
  })

  it('links a directory, with what it depends on, and uses it as it is', async () => {
    const directory = copyHelloPlugin(sandbox.directory('source'))
    await run('npm', ['install', '--prefix', directory])
    const linked = await sandbox.moat(['plugins', 'link', './plugin-hello'], { cwd: sandbox.directory('source') })
    expect(linked, linked.stderr).toMatchObject({ code: 0 })
    expect((await sandbox.moat(['plugins'])).stdout).toBe(`moat-plugin-hello 1.0.0 (link) ${directory}\n`)
    // Linked plugins are for development: nothing is said on each command.
    expect(await sandbox.moat(['hello'])).toEqual({ code: 0, stderr: '', stdout: 'Hello moat, warm.\n' })
    // A directory that changes has no manifest: completion asks oclif.
    const complete = ['__complete', 'bash', '=:', 'moat hello --tone=c']
    expect((await sandbox.moat(complete)).stdout).toBe('words\ncool\t\n')
    await answersOverHttps()
    // What Caddy does not know is refused before there is a container, with the names of who made it and for what.
    const refused = await sandbox.moat(['run', '-d', greeter({ handler: 'no_such_handler' })])
    expect(refused.code).toBe(1)
    expect(refused.stderr).toMatch(
      /Error: Plugin moat-plugin-hello returned an invalid registration: endpoint web, routes\[0\]\.handle\[0\]\.handler: "no_such_handler" is not a handler that routes may have; .*\.\n\nTry this:\n {2}moat plugins inspect moat-plugin-hello\n$/,
    )
    expect(await sandbox.containers()).toEqual([])
    expect((await sandbox.moat(['plugins', 'unlink', 'moat-plugin-hello'])).code).toBe(0)
    expect((await sandbox.moat(['plugins'])).stdout).toBe('No plugins installed.\n')
  })
})
