// Owns what an agent in a worktree can and cannot do to the repository and to its own next run.
import { existsSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { GitRepository } from '../../helpers/git-repository.js'
import { Sandbox } from '../../helpers/sandbox.js'
import { idleYaml, inside, startOn } from '../../helpers/worktree-agent.js'

let sandbox: Sandbox

beforeEach(() => {
  sandbox = new Sandbox()
})
afterEach(() => sandbox.cleanUp())

describe('an agent', () => {
  it('cannot reach the main checkout, nor make the git of the host run anything', async () => {
    const repository = new GitRepository(sandbox, 'app', { 'moat.yaml': idleYaml, 'secret.txt': 'main' })
    writeFileSync(join(repository.directory, 'untracked.txt'), 'untracked')
    repository.git('worktree', 'add', '--quiet', '-b', 'other', join(sandbox.directory('.'), 'other'))
    await rm(join(repository.directory, '.git/hooks'), { recursive: true })
    const agent = await startOn(sandbox, repository, 'x')
    const common = join(repository.directory, '.git')
    const admin = join(common, 'worktrees/x')
    const attempts = [
      `echo > ${common}/config`,
      `echo > ${common}/config.worktree`,
      `echo > ${common}/commondir`,
      `mkdir ${common}/hooks`,
      `mkdir ${common}/modules`,
      `echo > ${common}/info/attributes`,
      `echo > ${common}/HEAD`,
      `rm ${common}/index`,
      `ln -sf /tmp/x ${common}/logs/HEAD`,
      `mv ${common}/objects ${common}/elsewhere`,
      `mv ${common} ${common}.old`,
      `echo > ${common}/worktrees/other/commondir`,
      `rm ${common}/worktrees/other/HEAD`,
      `mkdir ${common}/worktrees/new`,
      `echo > ${admin}/commondir`,
      `rm ${admin}/commondir`,
      `mv ${admin}/commondir ${admin}/old`,
      `echo > ${admin}/gitdir`,
      `echo > ${admin}/config.worktree`,
      `mv ${admin} ${admin}.old`,
      'echo > /workspace/.git',
      'rm /workspace/.git',
      'mv /workspace/.git /workspace/.old',
      'git config --worktree core.fsmonitor "touch /workspace/pwned"',
      `cat ${repository.directory}/secret.txt`,
      `cat ${repository.directory}/untracked.txt`,
    ]
    const works = `echo > ${admin}/ORIG_HEAD.mine`
    const script = [...attempts, works]
      .map((attempt) => `if (${attempt}) 2>/dev/null; then echo '${attempt}'; fi`)
      .join('\n')
    expect(await inside(sandbox, agent, script)).toBe(`${works}\n`)
    // Ours is a copy of the file: the attempt on it changes nothing outside.
    expect(readFileSync(join(agent.workspace, '.git'), 'utf8')).toBe(`gitdir: ${admin}\n`)
    repository.git('status')
    repository.git('-C', agent.workspace, 'status')
    expect(existsSync(join(agent.workspace, 'pwned'))).toBe(false)
  })

  it('may change the config, as installers of hooks do, in the container alone', async () => {
    const repository = new GitRepository(sandbox, 'app', { 'moat.yaml': idleYaml })
    const config = join(repository.directory, '.git/config')
    const before = readFileSync(config, 'utf8')
    const agent = await startOn(sandbox, repository, 'x')
    const set = 'git config core.hooksPath .githooks; git config core.fsmonitor "touch /workspace/pwned"'
    expect(await inside(sandbox, agent, `${set}; git config core.hooksPath`)).toBe('.githooks\n')
    expect(readFileSync(config, 'utf8')).toBe(before)
    repository.git('-C', agent.workspace, 'status')
    expect(existsSync(join(agent.workspace, 'pwned'))).toBe(false)
    // Whatever the agent leaves in its place, the next container begins as the repository is.
    const locks = '/var/lib/moat/git-locks'
    await inside(sandbox, agent, `rm ${locks}/config; mkdir ${locks}/config; ln -s /etc/passwd ${locks}/config.lock`)
    await sandbox.told(['stop', agent.name])
    const again = await startOn(sandbox, repository, 'x')
    expect(
      await inside(sandbox, again, 'git config core.hooksPath || echo none; git status --short; git config a.b c'),
    ).toBe('none\n')
  })

  it('may install hooks, in the container alone', async () => {
    const repository = new GitRepository(sandbox, 'app', { 'moat.yaml': idleYaml })
    const agent = await startOn(sandbox, repository, 'x')
    const hook = '"$(git rev-parse --git-path hooks)/pre-commit"'
    await inside(sandbox, agent, `printf '#!/bin/sh\\ntouch /workspace/ran\\n' > ${hook}; chmod +x ${hook}`)
    await inside(sandbox, agent, 'git commit --quiet --allow-empty -m x; test -e ran')
    expect(existsSync(join(repository.directory, '.git/hooks/pre-commit'))).toBe(false)
  })

  it('cannot have its next run mount something else, by files it left', async () => {
    const repository = new GitRepository(sandbox, 'app', { 'moat.yaml': idleYaml })
    const agent = await startOn(sandbox, repository, 'x')
    await sandbox.told(['stop', agent.name])
    const secret = sandbox.directory('secret')
    const admin = join(repository.directory, '.git/worktrees/x')
    const refused = async (code: number, text: string) => {
      const outcome = await sandbox.told(['run', '-d', agent.workspace])
      expect(outcome.stderr).toContain(text)
      expect(outcome.code).toBe(code)
      expect(await sandbox.containers()).toEqual([])
    }
    // A .git file that sends git to a directory within the workspace, whose own files name another.
    const forged = join(agent.workspace, 'forged/worktrees/x')
    await mkdir(forged, { recursive: true })
    writeFileSync(join(forged, 'commondir'), secret)
    writeFileSync(join(forged, 'gitdir'), join(agent.workspace, '.git'))
    writeFileSync(join(forged, 'HEAD'), 'ref: refs/heads/x')
    for (const commondir of [secret, '../..']) {
      writeFileSync(join(forged, 'commondir'), commondir)
      writeFileSync(join(agent.workspace, '.git'), 'gitdir: forged/worktrees/x\n')
      await refused(
        2,
        `${agent.workspace} is a git worktree that its repository does not know: ${forged} does not point back to it.`,
      )
    }
    writeFileSync(join(agent.workspace, '.git'), `gitdir: ${join(secret, 'gone')}\n`)
    await refused(2, `its .git file points to ${join(secret, 'gone')}, which does not exist.`)
    writeFileSync(join(agent.workspace, '.git'), `gitdir: ${admin}\n`)
    await rm(join(repository.directory, '.git/logs'), { recursive: true })
    symlinkSync(secret, join(repository.directory, '.git/logs'))
    await refused(
      2,
      `${join(repository.directory, '.git/logs')} is a symbolic link to ${secret}, so the repository is not given to an agent`,
    )
  })

  it('is told of by a warning if a remote has a password in its URL', async () => {
    const repository = new GitRepository(sandbox)
    repository.git('remote', 'add', 'origin', 'https://ghp_s3cret@github.com/ann/app.git')
    const { stderr, stdout } = await sandbox.told(['wt', '-d', 'x'], { cwd: repository.directory })
    expect(stderr).toContain('The URL of the remote origin contains credentials, which the agent can read.')
    expect(stderr + stdout).not.toContain('s3cret')
  })
})
