// Owns which of the user's keys a grant for ssh is about, and which keys its host has: by OpenSSH's own programs, with files of the test's.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { checkAccess } from '../../../src/ssh/check-access.js'
import { findSshAccess } from '../../../src/ssh/find-access.js'
import { fingerprint, isSignedBy } from '../../../src/ssh/public-key.js'
import { signByAgent } from '../../../src/ssh/user-agent.js'
import { withKeyFile } from '../../../src/ssh/with-key-file.js'
import { makeKey, publicLine } from '../../helpers/ssh-host.js'
import { caught } from '../config/caught.js'

let agent: ChildProcess
let directory: string
let env: NodeJS.ProcessEnv
const file = (name: string) => join(directory, name)
const blob = (name: string) => publicLine(file(name)).split(' ')[1] ?? ''
const target = { host: 'git.test', port: 22 }
const find = (wishes: Parameters<typeof findSshAccess>[1] = {}, at = target) => findSshAccess(at, wishes, env)

beforeAll(async () => {
  directory = await realpath(await mkdtemp(join(tmpdir(), 'moat-ssh-test-')))
  for (const name of ['held', 'lying', 'other', 'host', 'old-host']) makeKey(directory, name)
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', 'a phrase', '-f', file('locked')])
  await mkdir(file('bin'))
  // ssh finds its files by the system's list of users.
  const ssh = execFileSync('sh', ['-c', 'command -v ssh'], { encoding: 'utf8' }).trim()
  await writeFile(file('bin/ssh'), `#!/bin/sh\nexec ${ssh} -F ${file('config')} "$@"\n`)
  await chmod(file('bin/ssh'), 0o755)
  agent = spawn('ssh-agent', ['-D', '-a', file('agent')], { stdio: ['ignore', 'pipe', 'ignore'] })
  if (agent.stdout) await once(agent.stdout, 'data')
  env = { ...process.env, PATH: `${file('bin')}:${process.env.PATH}`, SSH_ASKPASS: '', SSH_AUTH_SOCK: file('agent') }
  execFileSync('ssh-add', ['-q', file('held')], { env, stdio: 'ignore' })
  await rm(file('held'))
})
afterAll(async () => {
  agent?.kill()
  await rm(directory, { force: true, recursive: true })
})
beforeEach(async () => {
  await settings(`IdentityFile ${file('lying')}`)
  await known(`git.test ${publicLine(file('host'))}`)
})

const settings = (...lines: string[]) =>
  writeFile(
    file('config'),
    [`UserKnownHostsFile ${file('known')}`, 'GlobalKnownHostsFile none', ...lines, ''].join('\n'),
  )
const known = (...lines: string[]) => writeFile(file('known'), `${lines.join('\n')}\n`)

describe('the user’s keys', () => {
  it('are those that ssh’s settings name, in a file or in the agent', async () => {
    expect(await find()).toEqual({
      host: 'git.test',
      hostKeys: [blob('host')],
      keys: [{ blob: blob('lying'), file: file('lying') }],
      port: 22,
    })
    // Of a key that lies in no file, settings name the public half.
    await settings(`IdentityFile ${file('held')}.pub`)
    expect((await find()).keys).toEqual([{ blob: blob('held') }])
  })

  it('are those the user says, by their files or fingerprints', async () => {
    const key = [`${file('lying')}.pub`, fingerprint(blob('held'))]
    expect((await find({ key })).keys).toEqual([{ blob: blob('lying'), file: file('lying') }, { blob: blob('held') }])
  })

  it('are of the agent that ssh’s settings name', async () => {
    await settings(`IdentityFile ${file('held')}`, `IdentityAgent ${file('agent')}`)
    env.SSH_AUTH_SOCK = '/nowhere'
    expect(await find()).toMatchObject({ agentSocket: file('agent'), keys: [{ blob: blob('held') }] })
    env.SSH_AUTH_SOCK = file('agent')
  })

  it('are asked for where several would do, or none', async () => {
    await settings()
    const none = await caught(() => find())
    expect(none).toMatchObject({ code: 'SSH_KEY', message: 'Say which of your keys agents may use for git.test.' })
    expect(none.suggestions).toEqual([`moat grant ssh:git.test --key ${fingerprint(blob('held'))}`])
    expect((await caught(() => find({ key: ['SHA256:no'] }))).message).toMatch(/^Neither your ssh agent nor/)
    expect((await caught(() => find({ key: [file('none')] }))).message).toBe(`There is no file ${file('none')}.pub.`)
    await writeFile(file('text.pub'), 'no key')
    expect((await caught(() => find({ key: [file('text')] }))).message).toMatch(/text\.pub is no public key/)
    await writeFile(file('half.pub'), publicLine(file('other')))
    expect((await caught(() => find({ key: [file('half')] }))).message).toMatch(
      /neither in your ssh agent nor beside it/,
    )
  })

  it('are not those with a passphrase in a file, for nobody could type it', async () => {
    const error = await caught(() => find({ key: [file('locked')] }))
    expect(error).toMatchObject({ code: 'SSH_KEY', suggestions: [`ssh-add ${file('locked')}`] })
    expect(error.message).toBe(`moat cannot use ${file('locked')}: it has a passphrase.`)
  })
})

describe('the host', () => {
  it('has the keys that known_hosts has for it, hashed or not, without revoked ones', async () => {
    const [host, old] = [publicLine(file('host')), publicLine(file('old-host'))]
    await known(`other.test ${old}`, `git.test ${old}`, `git.test,10.0.0.1 ${host}`, `@revoked * ${old}`)
    expect((await find()).hostKeys).toEqual([blob('host')])
    execFileSync('ssh-keygen', ['-H', '-f', file('known')], { stdio: 'ignore' })
    expect((await find()).hostKeys).toEqual([blob('host')])
    await known(`[git.test]:2222 ${old}`, `@cert-authority * ${host}`)
    expect((await find({}, { host: 'git.test', port: 2222 })).hostKeys).toEqual([blob('old-host')])
    expect(await caught(() => find())).toMatchObject({ code: 'SSH_HOST', suggestions: ['ssh -T git@git.test'] })
  })

  it('is no alias of the user’s settings, which mean nothing in a container', async () => {
    await settings('Host work', 'HostName git.test', 'Port 2222', `IdentityFile ${file('lying')}`)
    const error = await caught(() => find({}, { host: 'work', port: 22 }))
    expect(error.message).toBe('Your ssh takes work for git.test:2222, which agents have to call by that name.')
    expect(error.suggestions).toEqual([`moat grant ssh:git.test:2222 --key ${file('lying')}.pub`])
  })
})

it('--confirm needs something that asks', async () => {
  env.SSH_ASKPASS = '/nowhere'
  expect((await caught(() => find({ confirm: true }))).message).toMatch(/^--confirm needs a program that asks you/)
  env.SSH_ASKPASS = process.execPath
  expect(await find({ confirm: true, signCommits: true })).toMatchObject({ confirm: true, signs: true })
})

it('a key in a file signs, and nothing of its agent stays', async () => {
  const data = Buffer.from('a login')
  const request = { blob: Buffer.from(blob('lying'), 'base64'), data, flags: 0 }
  let where = ''
  const signature = await withKeyFile(file('lying'), (socket) => {
    where = socket
    return signByAgent(socket, request)
  })
  expect(isSignedBy(request.blob, data, signature)).toBe(true)
  await expect(signByAgent(where, request)).rejects.toThrow('ENOENT')
  await expect(signByAgent(file('agent'), request)).rejects.toThrow('does not sign')
})

it('moat doctor hears what is no more', async () => {
  const access = await find({ key: [fingerprint(blob('held')), file('lying')] })
  expect(await checkAccess(access, env)).toBeUndefined()
  expect(await checkAccess(access, { ...env, SSH_AUTH_SOCK: '/no' })).toBe('No ssh agent answers at /no.')
  expect(await checkAccess({ ...access, keys: [{ blob: blob('other') }] }, env)).toMatch(/does not have the key SHA256/)
  await known(`git.test ${publicLine(file('old-host'))}`)
  expect(await checkAccess(access, env)).toMatch(/^Your known_hosts has other keys for git\.test/)
})
