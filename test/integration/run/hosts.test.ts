// moat proxy hosts: agents in a hosts file, never the machine's own.
import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Sandbox } from '../../helpers/sandbox.js'

const before = '127.0.0.1\tlocalhost\n# caf\xe9\n::1 localhost'
let file: string
let sandbox: Sandbox

beforeEach(() => {
  sandbox = new Sandbox()
  file = join(sandbox.directory('etc'), 'hosts')
  writeFileSync(file, before, 'latin1')
  chmodSync(file, 0o644)
})
afterEach(() => sandbox.cleanUp())

const hosts = (...args: string[]) => sandbox.moat(['proxy', 'hosts', ...args, '--file', file])
const content = () => readFileSync(file, 'latin1')

describe('moat proxy hosts', () => {
  it('writes the hosts of running agents, follows them, and leaves every byte as it was', async () => {
    const inode = statSync(file).ino
    await sandbox.json(['run', '-d', sandbox.workspace('app')])
    expect(await hosts('sync', '--yes')).toMatchObject({ code: 0, stdout: `${file} has 2 hosts of agents.\n` })
    expect(content()).toMatch(
      /\n127\.0\.0\.1 app\.localhost web\.app\.localhost\n::1 app\.localhost web\.app\.localhost\n/,
    )
    expect(content().startsWith(before)).toBe(true)
    expect((await hosts('sync')).stdout).toBe(`${file} is up to date.\n`)

    await sandbox.json(['run', '-d', sandbox.workspace('other')])
    const printed = await hosts('sync', '--print')
    expect(printed.stdout).toContain('web.other.localhost')
    expect(content()).not.toContain('other')
    const refused = await hosts('sync')
    expect(refused.code).toBe(2)
    expect(refused.stderr).toContain(
      'Error: Without a terminal, moat proxy hosts sync does not ask and changes nothing.\n\nTry this:\n  moat proxy hosts sync --yes\n  moat proxy hosts sync --print\n',
    )
    expect((await hosts('sync', '--yes')).code).toBe(0)
    expect(content()).toContain('web.other.localhost')

    expect((await hosts('clean', '--yes')).stdout).toBe(`${file} has nothing of moat.\n`)
    expect(content()).toBe(before)
    expect([statSync(file).ino, statSync(file).mode & 0o777]).toEqual([inode, 0o644])
  })

  it('says what is wrong with a file', async () => {
    const missing = await sandbox.moat(['proxy', 'hosts', 'clean', '--file', `${file}.absent`])
    expect(missing.code).toBe(2)
    expect(missing.stderr).toContain(`Error: ${file}.absent cannot be read: ENOENT`)
    await sandbox.json(['run', '-d', sandbox.workspace('app')])
    await hosts('sync', '--yes')
    writeFileSync(file, content().replace(/# moat \w+ end\n/, ''), 'latin1')
    const broken = await hosts('clean', '--yes')
    expect(broken.stderr).toMatch(
      /Error: \S+ has a block of moat's that was changed: the line "# moat \w{8} end" is missing\./,
    )
    expect(broken.stderr).toContain(`sudoedit ${file}   # delete the lines of moat by hand`)
  })
})
