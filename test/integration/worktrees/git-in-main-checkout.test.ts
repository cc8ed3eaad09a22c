// Owns git inside the container of a main checkout: what works there, what the host sees of it, and what an agent cannot do.
import { existsSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { AgentView } from '../../../src/routing/agent-view.js'
import { GitRepository } from '../../helpers/git-repository.js'
import { Sandbox } from '../../helpers/sandbox.js'

let sandbox: Sandbox

beforeEach(() => {
  sandbox = new Sandbox()
})
afterEach(() => sandbox.cleanUp())

const yaml = 'name: app\ndependencies: [node@22, git]\ncommand: [sleep, infinity]\n'
const start = (directory: string, ...flags: string[]) => sandbox.json<AgentView>(['run', '-d', directory, ...flags])

/** Runs a script in the agent; its output. Fails with what it says if it does. */
async function inside(agent: AgentView, script: string): Promise<string> {
  const { code, stderr, stdout } = await sandbox.inside(agent.name, 'sh', '-ec', script)
  if (code !== 0) throw new Error(`exit code ${code}\n${stdout}${stderr}`)
  return stdout
}

/** Those of the attempts that succeed in the agent. */
async function succeeding(agent: AgentView, attempts: readonly string[]): Promise<string[]> {
  const script = attempts.map((attempt, index) => `if (${attempt}) >/dev/null 2>&1; then echo ${index}; fi`).join('\n')
  const lines = (await inside(agent, script)).split('\n').filter((line) => line !== '')
  return lines.map((line) => attempts[Number(line)] ?? '')
}

/** By which an agent would have the git of the host run something; `git` is the repository's directory inside. */
const attacks = (git: string) => [
  `echo > ${git}/config`,
  `rm ${git}/config`,
  `mv ${git}/config ${git}/old`,
  `echo > ${git}/new; mv -f ${git}/new ${git}/config`,
  `ln -sf /tmp/x ${git}/config`,
  `echo > ${git}/config.worktree`,
  `rm ${git}/config.worktree`,
  `echo /tmp > ${git}/commondir`,
  `rm ${git}/commondir`,
  `echo /tmp > ${git}/new; mv -f ${git}/new ${git}/commondir`,
  `mv ${git}/hooks ${git}/old`,
  `rmdir ${git}/hooks`,
  `echo > ${git}/info/attributes`,
  `mv ${git}/info ${git}/old`,
  `mkdir ${git}/modules/x`,
  `mv ${git}/modules ${git}/old`,
  `mkdir ${git}/worktrees/x`,
  `mv ${git}/worktrees ${git}/old`,
  `echo /tmp > ${git}/gitdir`,
  `mkdir -p ${git}/remotes && echo URL: ext::pwned > ${git}/remotes/origin`,
  `echo ext::pwned > ${git}/branches/origin`,
  'git config --worktree core.fsmonitor "touch /workspace/pwned"',
  'echo x > /var/lib/moat/git/HEAD',
]

/** Everything by which git runs programs: set, and gone with the container. */
const settings = `git config core.fsmonitor "touch /workspace/pwned"; git config core.hooksPath .husky
  git config core.sshCommand "touch /workspace/pwned"; git config filter.x.smudge "touch /workspace/pwned"
  git config diff.external "touch /workspace/pwned"; git config alias.st "!touch /workspace/pwned"
  git config includeIf.gitdir:/.path /workspace/evil; git config submodule.x.update "!touch /workspace/pwned"
  test "$(git config core.hooksPath)" = .husky; git config --unset core.fsmonitor`

const ordinaryWork = `echo one > one; git add one; git commit --quiet -m one
  git switch --quiet -c side HEAD~1; echo two > two; git add two; git commit --quiet -m two
  git switch --quiet main; git cherry-pick side >/dev/null; git reset --quiet --hard HEAD~1
  git rebase --quiet side; echo change >> one; git stash --quiet; git stash pop --quiet; git checkout --quiet one
  git revert --no-edit HEAD >/dev/null; git tag v1; git branch gone; git branch --quiet -D gone
  git switch --quiet -c wip; git branch -m wip done; git pack-refs --all; git switch --quiet main; git branch --quiet -D done
  git bisect start >/dev/null; git bisect reset >/dev/null; git gc --quiet; git fsck --no-dangling
  test -z "$(git status --porcelain)"`

describe('git in the container of a main checkout', () => {
  // An image is built for it.
  it('works, and the host sees all of it at once, with references that are packed too', {
    timeout: 180_000,
  }, async () => {
    const repository = new GitRepository(sandbox, 'my app', { 'moat.yaml': yaml })
    repository.git('clone', '--quiet', '--bare', '.', sandbox.directory('remote.git'))
    repository.git('remote', 'add', 'origin', `file://${sandbox.directory('remote.git')}`)
    repository.git('pack-refs', '--all')
    const remote = sandbox.directory('remote.git')
    const agent = await start(repository.directory, '--mount', `${remote}:${remote}`)
    await inside(agent, ordinaryWork)
    expect(repository.git('log', '--format=%s', 'main')).toBe('Revert "one"\none\ntwo\nFirst commit')
    expect(repository.git('log', '-1', '--format=%an <%ae>')).toBe('Ann Host <ann@host.example>')
    expect(repository.git('status', '--porcelain', '--branch')).toBe('## main')
    await inside(agent, 'git fetch --quiet origin; git push --quiet -u origin main; git branch -u origin/main side')
    await inside(agent, `git remote add other file://${remote}; git fetch --quiet other; git switch --quiet side`)
    expect(repository.git('status', '--porcelain', '--branch')).toBe('## side')
    expect(await inside(agent, 'git for-each-ref --format="%(upstream)" refs/heads')).toBe(
      'refs/remotes/origin/main\nrefs/remotes/origin/main\n',
    )
    repository.git('switch', '--quiet', 'main')
    writeFileSync(join(repository.directory, 'host.txt'), 'host')
    repository.git('add', 'host.txt')
    expect(await inside(agent, 'git status --porcelain --branch')).toBe('## main...origin/main\nA  host.txt\n')
    expect(repository.git('fsck', '--no-dangling')).toBe('')
    await inside(agent, 'ln -s /etc/motd .git/COMMIT_EDITMSG2; mkdir -p .git/logs/x; ln -s /etc/motd .git/logs/x/y')
    // Names that are no text: git would write a line of a log by way of the first; no engine could mount the second.
    await inside(agent, 'odd=$(printf "\\377"); ln -s /workspace/gone .git/logs/refs/heads/$odd; mkdir .git/$odd')
    const { stderr } = await sandbox.moat(['stop', agent.name])
    expect(stderr).toContain(
      `your git would have written through: ${repository.directory}/.git/COMMIT_EDITMSG2 -> /etc/motd, `,
    )
    expect(existsSync(join(repository.directory, '.git/logs/x'))).toBe(true)
    expect(stderr).toContain('.git/logs/refs/heads/? -> /workspace/gone')
    expect(await sandbox.moat(['run', repository.directory, '--', 'git', 'status'])).toMatchObject({ code: 0 })
    expect(repository.git('for-each-ref', '--format=%(upstream)', 'refs/heads')).toBe(
      'refs/remotes/origin/main\nrefs/remotes/origin/main',
    )
    expect(repository.git('remote')).toBe('origin')
  })

  it('leaves a repository behind in which everything works on the host', async () => {
    const repository = new GitRepository(sandbox, 'app', { 'moat.yaml': yaml })
    await sandbox.moat(['run', repository.directory, '--', 'true'])
    // What moat leaves in it changes nothing of how the host's git works.
    repository.git('worktree', 'add', '--quiet', join(sandbox.directory('.'), 'tree'))
    repository.git('gc', '--quiet')
    expect(repository.worktrees()).toEqual([join(sandbox.directory('.'), 'tree')])
    expect(repository.git('rev-parse', '--absolute-git-dir')).toBe(join(repository.directory, '.git'))
    expect((await sandbox.moat(['wt', 'x', '--', 'true'], { cwd: repository.directory })).code).toBe(0)
  })

  it('lets installers of hooks have their way, in the container alone, and runs the hooks there are', async () => {
    const repository = new GitRepository(sandbox, 'app', { 'moat.yaml': yaml })
    const hook = join(repository.directory, '.git/hooks/pre-commit')
    writeFileSync(hook, '#!/bin/sh\ntouch /workspace/ran\n', { mode: 0o755 })
    const agent = await start(repository.directory)
    await inside(agent, 'git commit --quiet --allow-empty -m x; test -e ran; echo evil > .git/hooks/pre-commit')
    await inside(agent, 'echo evil > .git/hooks/post-checkout; chmod +x .git/hooks/post-checkout')
    const config = readFileSync(join(repository.directory, '.git/config'), 'utf8')
    await inside(agent, settings)
    expect(readFileSync(join(repository.directory, '.git/config'), 'utf8')).toBe(config)
    repository.git('status')
    expect(existsSync(join(repository.directory, 'pwned'))).toBe(false)
    expect(readFileSync(hook, 'utf8')).not.toContain('evil')
    expect(existsSync(join(repository.directory, '.git/hooks/post-checkout'))).toBe(false)
  })

  it('leaves a new repository in a workspace without one to the agent', async () => {
    const agent = await start(sandbox.directory('plain', { 'moat.yaml': yaml }))
    await inside(agent, 'git init --quiet; git add .; git -c user.name=a -c user.email=a@b commit --quiet -m x')
    expect(existsSync(join(agent.workspace, '.git/HEAD'))).toBe(true)
  })
})

describe('an agent in a main checkout', () => {
  it('cannot have the git of the host run anything', async () => {
    const repository = new GitRepository(sandbox, 'app', { 'moat.yaml': yaml })
    const config = readFileSync(join(repository.directory, '.git/config'), 'utf8')
    const agent = await start(repository.directory)
    const tried = [...attacks('/workspace/.git'), 'mv /workspace/.git /workspace/old', 'rm -rf /workspace/.git/config']
    const works = 'echo > /workspace/.git/works'
    expect(await succeeding(agent, [...tried, works])).toEqual([works])
    expect(readFileSync(join(repository.directory, '.git/config'), 'utf8')).toBe(config)
    repository.git('status')
    expect(existsSync(join(repository.directory, 'pwned'))).toBe(false)
  })

  it('whose .git is a file cannot either', async () => {
    const repository = new GitRepository(sandbox, 'app', { 'moat.yaml': yaml })
    const apart = join(sandbox.directory('.'), 'apart')
    repository.git('init', '--quiet', '--separate-git-dir', apart)
    const file = readFileSync(join(repository.directory, '.git'), 'utf8')
    // What a run leaves in the repository is in no later one's way.
    await sandbox.moat(['run', repository.directory, '--', 'true'])
    const agent = await start(repository.directory)
    await inside(agent, ordinaryWork)
    await inside(agent, settings)
    expect(repository.git('status', '--porcelain', '--branch')).toBe('## main')
    const tried = ['echo > .git', 'rm .git', 'mv .git old', 'echo > new; mv -f new .git', ...attacks(apart)]
    expect(await succeeding(agent, tried)).toEqual([])
    expect(readFileSync(join(repository.directory, '.git'), 'utf8')).toBe(file)
  })

  it('whose .git is a file that leads into the workspace cannot either', async () => {
    const repository = new GitRepository(sandbox, 'app', { 'moat.yaml': yaml, '.gitignore': 'deep\n' })
    const apart = join(sandbox.directory('app/deep/er'), 'apart')
    repository.git('init', '--quiet', '--separate-git-dir', apart)
    const agent = await start(repository.directory)
    await inside(agent, ordinaryWork)
    const inner = '/workspace/deep/er'
    const tried = [
      `mv ${inner} ${inner}2`,
      'mv deep deep2',
      `mv ${inner}/apart ${inner}/old`,
      `rm ${inner}/apart/config`,
    ]
    expect(await succeeding(agent, [...tried, ...attacks(`${inner}/apart`)])).toEqual([])
    expect(repository.git('status', '--porcelain', '--branch')).toBe('## main')
  })

  it('that is a bare repository cannot either', async () => {
    const repository = new GitRepository(sandbox)
    const bare = sandbox.directory('bare.git')
    repository.git('clone', '--quiet', '--bare', '.', bare)
    writeFileSync(join(bare, 'moat.yaml'), yaml)
    const agent = await start(bare)
    await inside(agent, `git log --format=%s; git branch other; git branch -D other; ${settings}`)
    expect(await succeeding(agent, attacks('/workspace'))).toEqual([])
  })

  it('that is a submodule has git, and cannot give it another one', async () => {
    const repository = new GitRepository(sandbox)
    const library = sandbox.directory('library', { 'moat.yaml': yaml })
    repository.git('-C', library, 'init', '--quiet')
    repository.commit('Library', library)
    repository.git('-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'add', library, 'lib')
    const lib = join(repository.directory, 'lib')
    const modules = join(repository.directory, '.git/modules/lib')
    const agent = await start(lib)
    await inside(agent, `git status; echo more > more.txt; git add more.txt; git commit --quiet -m Inside; ${settings}`)
    expect(await succeeding(agent, ['rm .git', 'mv .git old', 'echo > .git', ...attacks(modules)])).toEqual([])
    expect(repository.git('-C', lib, 'log', '--format=%s')).toBe('Inside\nLibrary')
    expect(repository.git('-C', lib, 'status', '--porcelain')).toBe('')
    expect(repository.git('status', '--porcelain')).toContain('lib')
  })

  it('that begins within a repository sees nothing of it', async () => {
    const repository = new GitRepository(sandbox)
    const agent = await start(sandbox.directory('app/below', { 'moat.yaml': yaml }))
    expect(await succeeding(agent, ['git status'])).toEqual([])
    expect(repository.git('status', '--porcelain')).toBe('?? below/')
  })

  it.each([
    ['a link for .git', 'is a symbolic link, which an agent could replace'],
    ['a repository of somebody else as commondir', 'sends git to another repository'],
    ["the repository's own directory", "lies in a git repository's own directory"],
  ])('does not start with %s', async (what, text) => {
    const repository = new GitRepository(sandbox, 'app', { 'moat.yaml': yaml })
    const git = join(repository.directory, '.git')
    if (what.includes('link')) {
      renameSync(git, join(sandbox.directory('.'), 'apart'))
      symlinkSync(join(sandbox.directory('.'), 'apart'), git)
    }
    if (what.includes('commondir')) writeFileSync(join(git, 'commondir'), '/elsewhere\n')
    const workspace = what.startsWith('the') ? join(git, 'hooks') : repository.directory
    writeFileSync(join(workspace, 'moat.yaml'), yaml)
    const outcome = await sandbox.moat(['run', '-d', workspace])
    expect(outcome.stderr).toContain(text)
    expect(outcome.code).toBe(2)
    expect(await sandbox.containers()).toEqual([])
  })
})

it('is said before the start if a program has been there already', async () => {
  const repository = new GitRepository(sandbox, 'app', { 'moat.yaml': yaml })
  const git = join(repository.directory, '.git')
  repository.git('config', 'core.fsmonitor', 'touch pwned')
  writeFileSync(join(git, 'hooks/post-checkout'), '#!/bin/sh\n', { mode: 0o755 })
  for (const args of [
    ['run', '-d', repository.directory],
    ['wt', '-d', 'x'],
  ]) {
    const { stderr } = await sandbox.moat(args, { cwd: repository.directory })
    expect(stderr).toContain(
      `${git}/config sets core.fsmonitor, by which your git may run a program; moat's does not. If it is not yours: git config --file ${git}/config --unset-all core.fsmonitor\n`,
    )
    expect(stderr).toContain(
      `${git}/hooks has the hook post-checkout, which your git runs; moat's does not. If not yours: rm ${git}/hooks/post-checkout\n`,
    )
  }
  expect(existsSync(join(repository.directory, 'pwned'))).toBe(false)
})
