// What can be wrong with plugins of the packed moat, and what is said then. No proxy runs here, so they are tested with one Caddy only.
import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest'
import { copyHelloPlugin } from '../helpers/hello-plugin.js'
import { Sandbox } from '../helpers/sandbox.js'

const run = promisify(execFile)

describe('moat plugins', () => {
  let sandbox: Sandbox

  beforeEach(() => {
    sandbox = new Sandbox([process.execPath, inject('packedMoat')])
  })
  afterEach(() => sandbox.cleanUp())

  it('says of a linked plugin that has gone which it is and how to be rid of it', async () => {
    const directory = copyHelloPlugin(sandbox.directory('source'))
    await run('npm', ['install', '--prefix', directory])
    await sandbox.moat(['plugins', 'link', directory])
    await run('mv', [directory, `${directory}-moved`])
    // A command that has nothing to do with plugins does not look for them.
    expect((await sandbox.moat(['version'])).stderr).toBe('')
    const outcome = await sandbox.moat(['help'])
    expect(outcome).toMatchObject({ code: 0, stdout: expect.stringContaining('moat-cli/') })
    expect(outcome.stderr).toBe(
      `Warning: the plugin moat-plugin-hello cannot be loaded: ENOENT: no such file or directory, open '${directory}/package.json'.\n  moat plugins uninstall moat-plugin-hello\n`,
    )
    expect((await sandbox.moat(['plugins', 'uninstall', 'moat-plugin-hello'])).code).toBe(0)
    expect((await sandbox.moat(['help'])).stderr).toBe('')
  })

  it('names what a linked plugin lacks', async () => {
    const directory = copyHelloPlugin(sandbox.directory('source'))
    await sandbox.moat(['plugins', 'link', '--no-install', directory])
    const { code, stderr } = await sandbox.moat(['hello'])
    expect(code).toBe(2)
    expect(stderr).toContain('Warning: the plugin moat-plugin-hello cannot be loaded:')
    expect(stderr).toContain("Cannot find package '@oclif/core'")
    expect(stderr).toContain(`\n  npm install --prefix ${directory}\n`)
    expect(stderr).not.toContain('node:')
  })

  it('leaves nothing behind of a package that is no plugin', async () => {
    const directory = sandbox.directory('plain', { 'package.json': '{"name": "plain", "version": "1.0.0"}' })
    await run('npm', ['pack', '--pack-destination', directory, directory])
    for (const flags of [[], ['--json']]) {
      const outcome = await sandbox.moat(['plugins', 'install', ...flags, './plain-1.0.0.tgz'], { cwd: directory })
      expect(outcome.code).toBe(2)
      if (flags.length === 0) {
        expect(outcome.stderr).toContain(
          'Error: ./plain-1.0.0.tgz is not a plugin: its package.json has no "oclif" section.\n\nTry this:\n',
        )
      }
      expect(readdirSync(join(sandbox.home, 'plugins'))).toEqual([])
    }
  })

  it('says of a package that npm does not find what to try, soon, and without a stack trace', async () => {
    // Nothing listens there, so it is the same without a network.
    const env = { npm_config_registry: 'http://127.0.0.1:9/' }
    const outcome = await sandbox.moat(['plugins', 'install', 'moat-plugin-nope'], { env })
    expect(outcome.code).toBe(1)
    expect(
      outcome.stderr,
    ).toContain(`Error: npm cannot find the package moat-plugin-nope: it does not exist, or the registry cannot be reached.

Try this:
  npm view moat-plugin-nope
  moat plugins install ./<file>.tgz
  moat plugins link <directory>
`)
    expect(outcome.stderr + outcome.stdout).not.toMatch(/^ +at /m)
  })

  it('runs npm with the Node that runs moat, whatever is on PATH', async () => {
    const directory = copyHelloPlugin(sandbox.directory('source'))
    const bin = sandbox.directory('bin')
    const witness = join(bin, 'witness')
    writeFileSync(join(bin, 'node'), `#!/bin/sh\ntouch ${witness}\nexit 1\n`, { mode: 0o755 })
    writeFileSync(join(bin, 'npm'), `#!/bin/sh\ntouch ${witness}\nexit 1\n`, { mode: 0o755 })
    mkdirSync(join(bin, 'out'))
    await run('npm', ['pack', '--pack-destination', join(bin, 'out'), directory])
    const env = { PATH: `${bin}:/usr/bin:/bin` }
    const outcome = await sandbox.moat(['plugins', 'install', join(bin, 'out/moat-plugin-hello-1.0.0.tgz')], { env })
    expect(outcome, outcome.stderr).toMatchObject({ code: 0 })
    expect(existsSync(witness)).toBe(false)
  })
})
