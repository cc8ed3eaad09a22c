// What a person reads when settings of theirs or a command line is wrong, and that nothing is started then.
import { execFile, spawnSync } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { RefusingSandbox } from '../../helpers/refusing-sandbox.js'

let sandbox: RefusingSandbox

beforeEach(() => {
  sandbox = new RefusingSandbox()
})
afterEach(() => sandbox.cleanUp())

describe('the settings', () => {
  it('of the proxy port', async () => {
    await sandbox.refuses(
      ['proxy', 'start', '--detach'],
      2,
      'Error: MOAT_PROXY_PORT must be a port number from 1 to 65535, not "http".\n\nTry this:\n  unset MOAT_PROXY_PORT\n  export MOAT_PROXY_PORT=8080\n',
      { MOAT_PROXY_PORT: 'http' },
    )
  })

  it('in config.yaml', async () => {
    sandbox.directory('home')
    writeFileSync(join(sandbox.home, 'config.yaml'), 'proxy:\n  prt: 9000\n')
    await sandbox.refuses(
      ['proxy', 'start'],
      2,
      'Error: home/config.yaml:2:3: unknown key "prt" in "proxy"; did you mean "port"?\n',
    )
  })

  it('of a Node that is too old to run it', () => {
    const old = 'Object.defineProperty(process, "versions", { value: { ...process.versions, node: "20.19.0" } })'
    const program = ['--import', `data:text/javascript,${encodeURIComponent(old)}`, 'bin/run.js', 'list']
    const { status, stderr } = spawnSync(process.execPath, program, { encoding: 'utf8' })
    expect([status, stderr]).toEqual([
      1,
      expect.stringMatching(
        /^Error: Node\.js 20\.19\.0 is too old: moat needs 22\.13 or newer\.\n\nTry this:\n {2}(npm|brew) install .+\n$/,
      ),
    ])
  })

  it.each(['list', 'doctor', 'proxy status', 'run app', 'stop x'])(
    'of a MOAT_HOME that is a file: moat %s',
    async (command) => {
      const directory = sandbox.directory('odd', { home: '' })
      for (const home of [join(directory, 'home'), join(directory, 'home', 'below')]) {
        const outcome = await sandbox.moat(command.split(' '), { env: { MOAT_HOME: home } })
        expect(outcome).toMatchObject({
          code: 1,
          stderr: `Error: moat cannot use ${home}: it is not a directory, or lies in none.

Try this:
  MOAT_HOME=/path/to/another/directory moat run
  unset MOAT_HOME
`,
          stdout: '',
        })
      }
    },
  )

  it('of a path too long for a socket', async () => {
    const home = join(sandbox.home, 'x'.repeat(100))
    const outcome = await sandbox.moat(['list'], { env: { MOAT_HOME: home } })
    expect(outcome.code).toBe(2)
    expect(outcome.stderr).toMatch(/^Error: MOAT_HOME is too long: a socket may have 103 bytes, and .* has \d+\.\n/)
    expect(existsSync(home)).toBe(false)
  })
})

describe('the command line', () => {
  it.each(['help', 'deps list', 'no-such-command'])('whose reader goes away ends quietly: moat %s', async (command) => {
    const moat = `"${process.execPath}" bin/run.js ${command}`
    const twice = `${moat} 2>&1 | true; ${moat} | head -1 > /dev/null`
    const { stderr } = await promisify(execFile)('bash', ['-c', twice], { env: sandbox.env })
    expect(stderr).not.toMatch(/Warning|node:|^\s+at /m)
  })

  it('with an unknown flag or command', async () => {
    const json = await sandbox.moat(['run', '--nmae', 'x', '--json'])
    expect([json.code, JSON.parse(json.stdout).error]).toMatchObject([2, { code: 'USAGE', exit: 2 }])
    const flag = await sandbox.moat(['run', '--nmae', 'x'], { asks: true })
    expect(flag.code).toBe(2)
    expect(flag.stderr).toBe(
      'Error: moat run has no flag --nmae. Did you mean --name?\n\nTry this:\n  moat run --name x\n  moat help run\n',
    )
    const command = await sandbox.moat(['lst'])
    expect(command.code).not.toBe(0)
    expect(command.stderr).toContain('lst is not a moat command')
  })
})
