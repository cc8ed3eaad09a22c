// Owns git inside the container of a worktree: what works there, what the host sees of it, and what an agent cannot do.
import { readFileSync, utimesSync, writeFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { AgentView } from '../../../src/routing/agent-view.js'
import { GitRepository } from '../../helpers/git-repository.js'
import { Sandbox } from '../../helpers/sandbox.js'
import { idleYaml, inside, startOn } from '../../helpers/worktree-agent.js'

let sandbox: Sandbox

beforeEach(() => {
  sandbox = new Sandbox()
})
afterEach(() => sandbox.cleanUp())

describe('git in the container', () => {
  it("shows status and log, commits with the user's identity, and the host has the commit at once", async () => {
    const repository = new GitRepository(sandbox, 'my app', { 'moat.yaml': idleYaml })
    const agent = await startOn(sandbox, repository, 'feature/auth')
    expect(await inside(sandbox, agent, 'git status --porcelain --branch')).toBe('## feature/auth\n')
    await inside(sandbox, agent, 'echo new > new.txt; git add new.txt; git commit --quiet -m "From inside"')
    expect(repository.git('log', '--format=%an <%ae> %cn %s', '-1', 'feature/auth')).toBe(
      'Ann Host <ann@host.example> Ann Host From inside',
    )
    expect(repository.git('-C', agent.workspace, 'status', '--porcelain')).toBe('')
    writeFileSync(join(agent.workspace, 'host.txt'), 'host')
    repository.commit('From the host', agent.workspace)
    expect(await inside(sandbox, agent, 'git log --format=%s')).toBe('From the host\nFrom inside\nFirst commit\n')
    expect(await inside(sandbox, agent, 'git status --porcelain')).toBe('')
    // Others commit as they like.
    await inside(
      sandbox,
      agent,
      'git -c user.name=Bot commit --quiet --allow-empty -m Bot; git log -1 --format=%an > name.txt',
    )
    expect(readFileSync(join(agent.workspace, 'name.txt'), 'utf8')).toBe('Bot\n')
  })

  it('fetches from and pushes to a remote it can reach', async () => {
    const repository = new GitRepository(sandbox, 'app', { 'moat.yaml': idleYaml })
    const remote = sandbox.directory('remote.git')
    repository.git('clone', '--quiet', '--bare', '.', remote)
    repository.git('remote', 'add', 'origin', `file://${remote}`)
    const agent = await startOn(sandbox, repository, 'x', '--mount', `${remote}:${remote}`)
    repository.git('branch', 'later')
    repository.git('push', '--quiet', 'origin', 'later')
    repository.git('update-ref', '-d', 'refs/remotes/origin/later')
    await inside(sandbox, agent, 'git fetch --quiet origin')
    expect(repository.git('rev-parse', 'origin/later')).toBe(repository.git('rev-parse', 'main'))
    await inside(sandbox, agent, 'git commit --quiet --allow-empty -m Pushed; git push --quiet origin x')
    expect(repository.git('-C', remote, 'log', '-1', '--format=%s', 'x')).toBe('Pushed')
  })

  it('rebases, picks, merges, reverts, stashes, tags and makes branches, with refs that are packed on the host', async () => {
    const repository = new GitRepository(sandbox, 'app', { 'moat.yaml': idleYaml })
    const agent = await startOn(sandbox, repository, 'x')
    repository.git('pack-refs', '--all')
    await inside(
      sandbox,
      agent,
      `echo one > one; git add one; git commit --quiet -m one
       git switch --quiet -c side main; echo two > two; git add two; git commit --quiet -m two
       git switch --quiet x; git cherry-pick side; git reset --quiet --hard HEAD~1
       git rebase --quiet side; echo change >> one; git stash --quiet; git stash pop --quiet; git checkout --quiet one
       git revert --no-edit HEAD; git merge --quiet --no-edit main; git tag v1
       test -z "$(git status --porcelain)"; test ! -e "$(git rev-parse --git-path CHERRY_PICK_HEAD)"`,
    )
    expect(repository.git('log', '--format=%s', 'x')).toBe('Revert "one"\none\ntwo\nFirst commit')
    expect(repository.git('log', '-1', '--format=%s', 'side')).toBe('two')
    expect(repository.git('tag')).toBe('v1')
  })

  it('loses nothing by cleaning up: neither worktrees, nor refs', async () => {
    const repository = new GitRepository(sandbox, 'app', { 'moat.yaml': idleYaml })
    const other = join(sandbox.directory('.'), 'other')
    repository.git('worktree', 'add', '--quiet', '-b', 'other', other)
    const agent = await startOn(sandbox, repository, 'x')
    const refs = repository.git('for-each-ref')
    // As git does after a day and after three months.
    const longAgo = new Date('2020-01-01')
    for (const id of ['other', 'x']) {
      for (const file of ['gitdir', 'index', 'HEAD']) {
        utimesSync(join(repository.directory, '.git/worktrees', id, file), longAgo, longAgo)
      }
    }
    const script =
      'git worktree prune --expire=now; git gc --prune=now; git pack-refs --all; git maintenance run --auto; git status'
    for (const command of script.split('; ')) await sandbox.inside(agent.name, 'sh', '-c', command)
    expect(repository.git('for-each-ref')).toBe(refs)
    expect(repository.git('-C', other, 'status', '--porcelain')).toBe('')
    expect(repository.worktrees()).toEqual([agent.workspace, other].toSorted())
    expect(repository.git('fsck', '--no-dangling')).toBe('')
    expect(await inside(sandbox, agent, 'git status --porcelain')).toBe('')
  })

  it('works in a worktree of a bare repository, and of a shallow clone', async () => {
    const repository = new GitRepository(sandbox, 'app', { 'moat.yaml': idleYaml })
    repository.git('commit', '--quiet', '--allow-empty', '--message', 'Second commit')
    const bare = sandbox.directory('bare.git')
    repository.git('clone', '--quiet', '--bare', '.', bare)
    repository.git('-C', bare, 'worktree', 'add', '--quiet', sandbox.directory('tree'), '-b', 'tree')
    const tree = await sandbox.json<AgentView>(['run', '-d', sandbox.directory('tree')])
    const from = await sandbox.json<AgentView>(['wt', '-d', 'x'], { cwd: sandbox.directory('tree') })
    for (const agent of [tree, from]) {
      await inside(sandbox, agent, 'git commit --quiet --allow-empty -m Inside; test -z "$(git status --porcelain)"')
    }
    expect(repository.git('-C', bare, 'log', '-1', '--format=%s', 'x')).toBe('Inside')

    const shallow = sandbox.directory('shallow')
    repository.git('clone', '--quiet', '--depth=1', `file://${repository.directory}`, shallow)
    const remote = repository.directory
    const clone = await sandbox.json<AgentView>(['wt', '-d', 'y', '--mount', `${remote}:${remote}:ro`], {
      cwd: shallow,
    })
    repository.git('commit', '--quiet', '--allow-empty', '--message', 'Third commit')
    await inside(
      sandbox,
      clone,
      'git -c safe.directory="*" fetch --quiet origin; git merge --quiet origin/main; git commit --quiet --allow-empty -m Inside',
    )
    expect(repository.git('-C', shallow, 'log', '--format=%s', 'y')).toBe('Inside\nThird commit\nSecond commit')
  })

  it('finds no objects of another repository, and says so, whatever an agent wrote where that is kept', async () => {
    const repository = new GitRepository(sandbox, 'app', { 'moat.yaml': idleYaml })
    const clone = sandbox.directory('clone')
    repository.git('clone', '--quiet', '--shared', '.', clone)
    const { stderr, stdout } = await sandbox.moat(['wt', '-d', 'x', '--json'], { cwd: clone })
    const { workspace } = JSON.parse(stdout) as AgentView
    const alternates = join(clone, '.git/objects/info/alternates')
    expect(stderr).toContain(
      `This repository borrows objects from another one, so git does not find them inside the container. To have its own: git -C ${workspace} repack -a -d && rm ${alternates}\n`,
    )
    const [container] = await sandbox.containers()
    const { Mounts } = await sandbox.docker.getContainer(container?.Id ?? '').inspect()
    expect(Mounts.filter(({ Source }) => Source.startsWith(repository.directory))).toEqual([])
    repository.git('-C', workspace, 'repack', '-a', '-d', '--quiet')
    await rm(alternates)
    await sandbox.json(['stop', 'app-x'])
    const agent = await sandbox.json<AgentView>(['wt', '-d', 'x'], { cwd: clone })
    expect(await inside(sandbox, agent, 'git log --format=%s; git status --porcelain')).toBe('First commit\n')
  })

  it('leaves submodules alone, and says so', async () => {
    const repository = new GitRepository(sandbox, 'app', { 'moat.yaml': idleYaml })
    const library = sandbox.directory('library', { 'lib.txt': 'lib' })
    repository.git('-C', library, 'init', '--quiet')
    repository.commit('Library', library)
    repository.git('-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'add', library, 'lib')
    repository.commit('Uses the library')
    const outcome = await sandbox.moat(['wt', '-d', 'x', '--json'], { cwd: repository.directory })
    const agent = JSON.parse(outcome.stdout) as AgentView
    expect(outcome.stderr).toContain(
      `This repository has submodules. git cannot work in them inside the container; to have their files there: git -C ${agent.workspace} submodule update --init\n`,
    )
    repository.git(
      '-C',
      agent.workspace,
      '-c',
      'protocol.file.allow=always',
      'submodule',
      '--quiet',
      'update',
      '--init',
    )
    await inside(
      sandbox,
      agent,
      'cat lib/lib.txt; test -z "$(git status --porcelain)"; git commit --quiet --allow-empty -m Inside',
    )
  })
})
