// Real ssh and git in a container log in at a real sshd, with keys of the user's that they never have: at the hosts of grants, in
// sessions that these have begun, and nowhere else.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { findSecrets } from '../../helpers/find-secret.js'
import { type Outcome, Sandbox } from '../../helpers/sandbox.js'
import { makeKey, publicLine, SshHosts } from '../../helpers/ssh-host.js'
import { clientDependencies } from '../../helpers/stub-services.js'

/** Stands for the window that asks: writes down what it is asked, and answers moat and the user's agent as the test says. */
const asks = `#!/bin/sh
cd "$(dirname "$0")"; printf '%s: %s\\n' "$SSH_ASKPASS_PROMPT" "$1" >> asked
case $1 in "The agent "*) exit "$(cat to-moat)";; *) exit "$(cat to-agent)";; esac
`
const yaml = (name: string, more: string) => `name: ${name}\n${clientDependencies}\ncommand: [sleep, '600']\n${more}`

let sandbox: Sandbox
let hosts: SshHosts
let agent: ChildProcess
let keys: string
const key = (name: string) => join(keys, name)
const fingerprint = (name: string) =>
  execFileSync('ssh-keygen', ['-lf', key(name)], { encoding: 'utf8' }).split(' ')[1] ?? ''

beforeAll(async () => {
  sandbox = new Sandbox()
  keys = sandbox.directory('keys')
  for (const name of ['in-agent', 'in-file', 'asking', 'host-a', 'host-b', 'host-c', 'host-d']) makeKey(keys, name)
  // ssh finds its files by the system's list of users, so it is told of the test's.
  const bin = sandbox.directory('bin', { ssh: `#!/bin/sh\nexec /usr/bin/ssh -F ${key('config')} "$@"\n` })
  chmodSync(join(bin, 'ssh'), 0o755)
  writeFileSync(
    key('config'),
    `UserKnownHostsFile ${key('known_hosts')}\nHost b.test\n  IdentityFile ${key('in-file')}\n`,
  )
  const known = { 'a.test': 'host-a', '[b.test]:2222': 'host-b', 'd.test': 'host-d' }
  const lines = Object.entries(known).map(([host, name]) => `${host} ${publicLine(key(name))}\n`)
  writeFileSync(key('known_hosts'), lines.join(''))
  execFileSync('ssh-keygen', ['-H', '-f', key('known_hosts')], { stdio: 'ignore' })
  const socket = key('agent')
  const asker = sandbox.directory('asker', { ask: asks })
  chmodSync(join(asker, 'ask'), 0o755)
  Object.assign(sandbox.env, { SSH_ASKPASS: join(asker, 'ask') })
  const env = { ...process.env, SSH_ASKPASS: join(asker, 'ask'), SSH_ASKPASS_REQUIRE: 'force' }
  agent = spawn('ssh-agent', ['-D', '-a', socket], { env, stdio: ['ignore', 'pipe', 'ignore'] })
  if (agent.stdout) await once(agent.stdout, 'data')
  Object.assign(sandbox.env, { PATH: `${bin}:${process.env.PATH}`, SSH_AUTH_SOCK: socket })
  execFileSync('ssh-add', ['-q', key('in-agent')], { env: sandbox.env, stdio: 'ignore' })
  execFileSync('ssh-add', ['-q', '-c', key('asking')], { env: sandbox.env, stdio: 'ignore' })
  const plain = sandbox.directory('plain', { 'moat.yaml': yaml('plain', '') })
  await sandbox.json(['run', '-d', plain])
  const [first] = await sandbox.containers()
  hosts = await SshHosts.start(sandbox.docker, first?.ImageID ?? '', ['in-agent', 'in-file', 'asking'].map(key))
  const ports = await Promise.all(['host-a', 'host-b', 'host-c', 'host-d'].map((name) => hosts.listen(key(name))))
  const [a, b, c, d] = ports.map((port) => `127.0.0.1:${port}`)
  sandbox.env.MOAT_TEST_HOSTS = `a.test:22=${a},b.test:2222=${b},c.test:22=${c},d.test:22=${d}`
  await granted(['ssh:a.test', '--key', fingerprint('in-agent'), '--sign-commits'])
  await granted(['ssh:b.test:2222'])
  await granted(['ssh:d.test', '--key', fingerprint('asking'), '--confirm'])
  const grants = 'grants: [ssh:a.test, ssh:b.test:2222, ssh:d.test]\nnetwork: {policy: strict, rules: ["c.test:22"]}\n'
  await sandbox.json(['run', '-d', sandbox.directory('having', { 'moat.yaml': yaml('having', grants) })])
}, 300_000)
afterAll(async () => {
  await hosts?.close()
  agent?.kill()
  await sandbox?.cleanUp()
})

async function granted(words: string[]): Promise<void> {
  const outcome = await sandbox.moat(['grant', ...words])
  expect(outcome, outcome.stderr).toMatchObject({ code: 0 })
}

const outcomes: Outcome[] = []
async function inside(script: string): Promise<Outcome> {
  const outcome = await sandbox.inside('having', 'sh', '-c', script)
  outcomes.push(outcome)
  return outcome
}
/** Asks nobody, and knows the host whoever it is. */
const ssh = 'ssh -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null'

it('is there from the first instruction on', async () => {
  const text = `name: first\n${clientDependencies}\ncommand: [ssh-add, -l]\ngrants: [ssh:a.test]\n`
  const { stdout } = await sandbox.moat(['run', sandbox.directory('first', { 'moat.yaml': text })])
  expect(stdout).toContain(`${fingerprint('in-agent')} for a.test`)
})

it('git clones and pushes, and the commit is signed', async () => {
  const { stderr, stdout } = await inside(`set -e; cd /tmp; git clone -q git@a.test:app.git; cd app
    git config user.name A; git config user.email a@b; echo one > one; git add one; git commit -qm one
    git push -q origin HEAD:main; cd ..; git clone -q git@a.test:app.git again; cat again/one; git -C again cat-file -p HEAD`)
  expect(stdout, stderr).toMatch(/^one\n[\s\S]*^gpgsig -----BEGIN SSH SIGNATURE-----$/m)
  writeFileSync(key('signers'), `a@b ${publicLine(key('in-agent'))}\n`)
  const verify = `git config gpg.ssh.allowedSignersFile /tmp/signers; git verify-commit HEAD`
  const line = readFileSync(key('signers'), 'utf8').trim()
  const verified = await inside(`cd /tmp/again; echo '${line}' > /tmp/signers; ${verify}`)
  expect(verified.stderr).toContain(`Good "git" signature for a@b with ED25519 key ${fingerprint('in-agent')}`)
})

it('a key that lies in a file logs in as well, at the host of its grant', async () => {
  const { stderr, stdout } = await inside('ssh -v -p 2222 -o BatchMode=yes git@b.test echo in')
  expect(stdout, stderr).toBe('in\n')
  expect(stderr).toContain(fingerprint('in-file'))
  // Nor is the other one shown there.
  expect(stderr).not.toContain(fingerprint('in-agent'))
})

it('a key that asks is asked about, by moat and by the agent of the user, and each of them may say no', async () => {
  const place = (name: string) => join(sandbox.directory('asker'), name)
  const login = async (toMoat: number, toAgent: number) => {
    writeFileSync(place('to-moat'), `${toMoat}`)
    writeFileSync(place('to-agent'), `${toAgent}`)
    writeFileSync(place('asked'), '')
    const { code, stdout } = await inside('ssh -o BatchMode=yes git@d.test echo in')
    const asked = readFileSync(place('asked'), 'utf8').match(/(?<=^confirm: ).*/gm)
    return { asked, code, stdout }
  }
  const byMoat = `The agent having wants to log in to d.test with your key ${fingerprint('asking')}. Allow it?`
  const byAgent = expect.stringMatching(/^Allow use of key asking/)
  // moat's question comes first, and after a no of it nobody is asked.
  expect(await login(1, 0)).toEqual({ asked: [byMoat], code: 255, stdout: '' })
  expect(await login(0, 1)).toEqual({ asked: [byMoat, byAgent], code: 255, stdout: '' })
  expect(await login(0, 0)).toEqual({ asked: [byMoat, byAgent], code: 0, stdout: 'in\n' })
})

describe('nobody else gets a login', () => {
  it('not a host without a grant, though the policy leads there and it would take the keys', async () => {
    const { code, stderr } = await inside(`${ssh} git@c.test echo in`)
    expect([code, stderr]).toEqual([255, expect.stringContaining('Permission denied (publickey)')])
  })

  it('not a host that stands in for another', async () => {
    // It answers under the name of a granted one, with another key: known_hosts in the container would refuse it, were it asked.
    const forward = '/run/moat/forward connect /run/moat/gate.sock c.test 22'
    const { code } = await inside(`${ssh} -o ProxyCommand='${forward}' git@a.test echo in`)
    expect(code).toBe(255)
    const strict = await inside(`ssh -o BatchMode=yes -o ProxyCommand='${forward}' git@a.test echo in`)
    expect(strict.stderr).toMatch(/REMOTE HOST IDENTIFICATION HAS CHANGED|Host key verification failed/)
  })

  it('not a machine to which the agent is forwarded', async () => {
    const { stdout } = await inside('ssh -A -o BatchMode=yes git@a.test "ssh-add -l; echo $?"')
    expect(stdout).toContain('The agent has no identities.')
  })

  it('not a signature of a file, and no key is taken or given up', async () => {
    const { stdout } = await inside(`cd /tmp; ssh-add -L | head -1 > mine.pub; echo x > x
      ssh-keygen -q -t ed25519 -N '' -f own; ssh-add own 2>/dev/null; echo add $?; ssh-add -D 2>/dev/null; echo remove $?
      ssh-keygen -Y sign -n file -f mine.pub x 2>/dev/null; echo sign $?; ssh-add -l | wc -l`)
    expect(stdout).toMatch(/^add 1\nremove 1\nsign 255\n3\n$/)
  })
})

it('moat network check explains the host', async () => {
  const check = (target: string) => sandbox.json(['network', 'check', 'having', target])
  expect(await check('a.test:22')).toMatchObject({ allowed: true, place: 'grant ssh:a.test' })
  expect(await check('b.test:22')).toMatchObject({ allowed: false })
})

it('a revoked grant ends what is open, and nothing is signed any more', async () => {
  const words = ['exec', 'having', '--', 'sh', '-c', `${ssh} git@a.test 'echo in; cat'; echo over`]
  const open = sandbox.start(words, { keepStdin: true })
  await open.prints('in')
  expect((await sandbox.moat(['grant', 'revoke', 'ssh:a.test'])).code).toBe(0)
  expect((await open.exited).stdout).toContain('over')
  const { stderr } = await inside(`${ssh} git@a.test echo in`)
  expect(stderr).toContain('"reason":"no rule"')
  const other = await inside('ssh-add -l; ssh -p 2222 -o BatchMode=yes git@b.test echo in')
  expect(other.stdout).toMatch(/^256 \S+ for b\.test \(ED25519\)\n256 \S+ for d\.test \(ED25519\)\nin\n$/)
})

it('and the keys are nowhere', async () => {
  const secrets = ['in-agent', 'in-file', 'asking'].flatMap((name) =>
    readFileSync(key(name), 'utf8').split('\n').slice(2, 4),
  )
  expect(await findSecrets(secrets, sandbox, { outcomes: JSON.stringify(outcomes) })).toEqual([])
})
