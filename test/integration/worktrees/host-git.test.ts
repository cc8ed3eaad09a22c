// Owns that no git which moat starts on the host runs what a repository names: a trick a row, planted in a real repository,
// proved to work on plain git, and then met by every way in which moat calls git.
import { execFileSync, spawnSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { appendFile, readFile, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { cleanWorktrees } from '../../../src/agents/clean-worktrees.js'
import { moatPaths } from '../../../src/config/paths.js'
import type { Engine } from '../../../src/engine/engine.js'
import { MoatError } from '../../../src/errors.js'
import { checkoutNotes } from '../../../src/worktrees/checkout-notes.js'
import { findCheckout, placeOf } from '../../../src/worktrees/find-checkout.js'
import { containerGitEnvironment } from '../../../src/worktrees/git-environment.js'
import { prepareWorktree } from '../../../src/worktrees/prepare-worktree.js'
import { listWorktrees, openRepository, remotesWithCredentials } from '../../../src/worktrees/repository.js'
import { unsavedWork } from '../../../src/worktrees/unsaved-work.js'
import { GitRepository } from '../../helpers/git-repository.js'
import { Sandbox } from '../../helpers/sandbox.js'

let sandbox: Sandbox
let repository: GitRepository
/** A program that leaves the marker. */
let trap: string
let marker: string
/** The repository's own directory. */
let own: string
const before = { ...process.env }

beforeEach(() => {
  sandbox = new Sandbox()
  repository = new GitRepository(sandbox, 'app', { '.gitattributes': '*.data filter=evil diff=evil merge=evil\n' })
  writeFileSync(join(repository.directory, 'some.data'), 'data')
  repository.commit('Data')
  repository.git('clone', '--quiet', '--bare', '.', sandbox.directory('remote.git'))
  repository.git('branch', 'theirs')
  repository.git('remote', 'add', 'origin', sandbox.directory('remote.git'))
  repository.git('push', '--quiet', 'origin', 'theirs')
  repository.git('branch', '-D', 'theirs')
  own = join(repository.directory, '.git')
  marker = join(sandbox.directory('.'), 'pwned')
  trap = join(sandbox.directory('traps'), 'trap')
  writeFileSync(trap, `#!/bin/sh\ntouch ${marker}\n`)
  chmodSync(trap, 0o755)
  Object.assign(process.env, sandbox.env, { MOAT_HOME: sandbox.home })
})
afterEach(async () => {
  for (const name of Object.keys(process.env)) if (!(name in before)) delete process.env[name]
  Object.assign(process.env, before)
  await sandbox.cleanUp()
})

const config = (...args: string[]) => repository.git('config', ...args)
const hook = (directory: string, name: string) => {
  mkdirSync(directory, { recursive: true })
  writeFileSync(join(directory, name), `#!/bin/sh\ntouch ${marker}\n`)
  chmodSync(join(directory, name), 0o755)
}
/** Plain git, whose failure does not matter. */
const plainly = (...args: string[]) => {
  try {
    repository.git(...args)
  } catch {}
}
const evilConfig = () => {
  const file = join(sandbox.directory('elsewhere'), 'config')
  writeFileSync(file, `[core]\n\thooksPath = ${sandbox.directory('hooks')}\n`)
  hook(sandbox.directory('hooks'), 'post-checkout')
  return file
}
const addWorktree = () => plainly('worktree', 'add', '--quiet', '-b', 'plain', join(sandbox.directory('.'), 'plain'))
/** git compares what is in a file only where its time is not the one it knows. */
const touch = (root: string) => utimes(join(root, 'some.data'), new Date(), new Date())

interface Trick {
  /** What moat's git then says instead of making a worktree. */
  stops?: string
  plant: () => unknown
  /** What of plain git falls for it; none where this needs a network or a later git. */
  fires?: () => unknown
}

const tricks: Record<string, Trick> = {
  'a hook': { plant: () => hook(join(own, 'hooks'), 'post-checkout'), fires: addWorktree },
  'a hook on references': {
    plant: () => hook(join(own, 'hooks'), 'reference-transaction'),
    fires: () => plainly('branch', 'plain'),
  },
  'a hook on the index': {
    plant: () => hook(join(own, 'hooks'), 'post-index-change'),
    fires: async () => {
      await touch(repository.directory)
      plainly('update-index', '--refresh')
    },
  },
  'core.hooksPath': {
    plant: () => {
      evilConfig()
      config('core.hooksPath', sandbox.directory('hooks'))
    },
    fires: addWorktree,
  },
  'core.hooksPath within the checkout': {
    plant: () => {
      hook(join(repository.directory, '.husky'), 'post-checkout')
      config('core.hooksPath', '.husky')
      repository.commit('Hooks')
    },
    fires: addWorktree,
  },
  'the config of a worktree': {
    plant: () => {
      config('extensions.worktreeConfig', 'true')
      evilConfig()
      config('--worktree', 'core.hooksPath', sandbox.directory('hooks'))
    },
    fires: addWorktree,
  },
  'include.path': { plant: () => config('include.path', evilConfig()), fires: addWorktree },
  'includeIf.path': { plant: () => config('includeIf.gitdir:/**.path', evilConfig()), fires: addWorktree },
  'a config that is a pipe': { plant: () => config('include.path', fifo()) },
  'core.fsmonitor': { plant: () => config('core.fsmonitor', trap), fires: () => plainly('status') },
  'filter.clean': {
    plant: () => config('filter.evil.clean', trap),
    fires: async () => {
      await touch(repository.directory)
      plainly('status')
    },
  },
  'filter.smudge': { plant: () => config('filter.evil.smudge', trap), fires: addWorktree },
  'filter.process': { plant: () => config('filter.evil.process', trap), fires: addWorktree },
  'a filter by info/attributes': {
    plant: () => {
      mkdirSync(join(own, 'info'), { recursive: true })
      writeFileSync(join(own, 'info/attributes'), '* filter=other\n')
      config('filter.other.smudge', trap)
    },
    fires: addWorktree,
  },
  'a filter by core.attributesFile': {
    plant: () => {
      const file = join(sandbox.directory('elsewhere'), 'attributes')
      writeFileSync(file, '* filter=other\n')
      config('core.attributesFile', file)
      config('filter.other.smudge', trap)
    },
    fires: addWorktree,
  },
  'diff.textconv': { plant: () => config('diff.evil.textconv', trap), fires: () => plainly('show', 'HEAD') },
  'diff.command': {
    plant: () => {
      config('diff.evil.command', trap)
      writeFileSync(join(repository.directory, 'some.data'), 'changed')
    },
    fires: () => plainly('diff'),
  },
  'diff.external': {
    plant: () => {
      config('diff.external', trap)
      writeFileSync(join(repository.directory, 'some.data'), 'changed')
    },
    fires: () => plainly('diff'),
  },
  'merge.driver': {
    plant: () => config('merge.evil.driver', trap),
    fires: () => {
      for (const branch of ['one', 'two']) {
        plainly('switch', '--quiet', '--create', branch, 'main')
        writeFileSync(join(repository.directory, 'some.data'), branch)
        repository.commit(branch)
      }
      plainly('merge', 'one')
    },
  },
  'an alias': { plant: () => config('alias.evil', `!${trap}`), fires: () => plainly('evil') },
  'an alias with the name of a command': { plant: () => config('alias.status', `!${trap}`) },
  'core.pager and pager.*': {
    plant: () => {
      for (const key of ['core.pager', 'pager.status', 'pager.worktree', 'pager.config']) config(key, trap)
    },
  },
  'core.sshCommand': {
    plant: () => {
      config('core.sshCommand', trap)
      config('remote.origin.url', 'ssh://nobody.invalid/app.git')
    },
    fires: () => plainly('fetch'),
  },
  'core.gitProxy': {
    plant: () => {
      config('core.gitProxy', trap)
      config('remote.origin.url', 'git://nobody.invalid/app.git')
    },
    fires: () => plainly('fetch'),
  },
  'credential.helper': {
    plant: () => config('credential.helper', `!${trap}`),
    fires: () => {
      const input = 'protocol=https\nhost=nobody.invalid\n\n'
      const env = { ...process.env, GIT_TERMINAL_PROMPT: '0' }
      spawnSync('git', ['credential', 'fill'], { cwd: repository.directory, env, input })
    },
  },
  'gpg.program': {
    plant: () => {
      for (const key of ['gpg.program', 'gpg.openpgp.program', 'gpg.ssh.program', 'gpg.ssh.defaultKeyCommand'])
        config(key, trap)
      config('commit.gpgSign', 'true')
      config('log.showSignature', 'true')
    },
    fires: () => plainly('commit', '--allow-empty', '--message', 'Signed'),
  },
  editors: {
    plant: () => {
      config('core.editor', trap)
      config('sequence.editor', trap)
    },
    fires: () => plainly('commit', '--allow-empty'),
  },
  'remote.uploadpack': {
    plant: () => config('remote.origin.uploadpack', trap),
    fires: () => plainly('fetch', 'origin'),
  },
  'remote.receivepack': {
    plant: () => config('remote.origin.receivepack', trap),
    fires: () => plainly('push', 'origin', 'main'),
  },
  'a remote helper': {
    plant: () => {
      config('protocol.ext.allow', 'always')
      config('remote.origin.url', `ext::${trap}`)
    },
    fires: () => plainly('fetch', 'origin'),
  },
  'url.insteadOf': {
    plant: () => {
      config('protocol.ext.allow', 'always')
      config(`url.ext::${trap} .insteadOf`, sandbox.directory('remote.git'))
    },
    fires: () => plainly('fetch', 'origin'),
  },
  'what a partial clone fetches': {
    stops: 'unable to read',
    plant: () => {
      for (const [key, value] of [
        ['core.repositoryFormatVersion', '1'],
        ['extensions.partialClone', 'origin'],
        ['remote.origin.promisor', 'true'],
        ['remote.origin.uploadpack', trap],
      ] as const)
        config(key, value)
      const blob = repository.git('rev-parse', 'HEAD:some.data')
      rmSync(join(own, 'objects', blob.slice(0, 2), blob.slice(2)))
    },
    fires: addWorktree,
  },
  'submodule.update': {
    plant: () => {
      repository.git('init', '--quiet', 'sub')
      repository.git('-C', 'sub', 'commit', '--quiet', '--allow-empty', '--message', 'Sub')
      writeFileSync(join(repository.directory, '.gitmodules'), '[submodule "sub"]\n\tpath = sub\n\turl = ./sub\n')
      repository.commit('Submodule')
      config('submodule.sub.update', `!${trap}`)
      config('submodule.sub.active', 'true')
      config('submodule.sub.url', join(repository.directory, 'sub'))
      config('submodule.recurse', 'true')
      repository.git('-C', 'sub', 'commit', '--quiet', '--allow-empty', '--message', 'More')
    },
    fires: () => plainly('submodule', 'update', '--force'),
  },
  'a repository within': {
    plant: () => {
      repository.git('init', '--quiet', 'sub')
      repository.git('-C', 'sub', 'commit', '--quiet', '--allow-empty', '--message', 'Sub')
      repository.commit('Sub')
      repository.git('-C', 'sub', 'config', 'core.fsmonitor', trap)
    },
    fires: () => plainly('status'),
  },
  'interactive.diffFilter': { plant: () => config('interactive.diffFilter', trap) },
  'trailer.command': {
    plant: () => {
      config('trailer.evil.command', trap)
      config('trailer.evil.cmd', trap)
    },
    fires: () => plainly('interpret-trailers', '--trailer', 'evil=x', join(repository.directory, 'text.txt')),
  },
  'core.alternateRefsCommand': {
    plant: async () => {
      config('core.alternateRefsCommand', trap)
      await writeFile(join(own, 'objects/info/alternates'), `${join(sandbox.directory('remote.git'), 'objects')}\n`)
    },
    fires: () => {
      repository.git('-C', sandbox.directory('remote.git'), 'commit-tree', '-m', 'x', 'HEAD^{tree}')
      plainly('fetch', '--quiet', sandbox.directory('remote.git'))
    },
  },
  'hooks in the config of a later git': {
    plant: () => {
      config('hook.evil.command', trap)
      config('hook.evil.event', 'post-checkout')
    },
  },
}

function fifo(): string {
  const path = join(sandbox.directory('elsewhere'), 'pipe')
  if (!existsSync(path)) execFileSync('mkfifo', [path])
  return path
}

const engine = { listAgents: async () => ({ agents: [], unreadable: [] }) } as unknown as Engine

/** Each way in which moat calls git; the errors that a person is told of. */
async function everyGit(): Promise<string[]> {
  const errors: string[] = []
  const told = async (action: () => Promise<unknown>) => {
    try {
      await action()
    } catch (error) {
      if (!(error instanceof MoatError)) throw error
      errors.push(error.message)
    }
  }
  const paths = moatPaths(process.env)
  await told(async () => {
    const opened = await openRepository(repository.directory)
    const { commonDir } = opened
    await told(() => listWorktrees(commonDir))
    await told(() => remotesWithCredentials(commonDir))
    await told(async () => (await prepareWorktree(opened, paths.worktrees, 'theirs')).rollBack())
    await told(async () => {
      const { path } = await prepareWorktree(opened, paths.worktrees, 'new')
      const checkout = await findCheckout(path)
      if (!checkout) throw new Error(`${path} is no worktree`)
      await checkoutNotes(placeOf(checkout))
      await containerGitEnvironment(placeOf(checkout))
      await Promise.all([touch(path), touch(repository.directory)])
      await unsavedWork(checkout)
      await prepareWorktree(await openRepository(path), paths.worktrees, 'new-again')
    })
    for (const force of [false, true]) await told(() => cleanWorktrees({ commonDir, engine, force, paths }))
  })
  return errors
}

describe('what a repository names', () => {
  it.each(Object.keys(tricks))('%s is run by plain git, and by moat never', async (name) => {
    const { fires, plant, stops } = tricks[name] as Trick
    await plant()
    rmSync(marker, { force: true })
    const errors = await everyGit()
    expect(existsSync(marker)).toBe(false)
    // Nothing ran because everything worked, not because nothing was tried.
    expect(errors).toEqual(stops ? [expect.stringContaining(stops), expect.stringContaining(stops)] : [])
    // Last, because plain git changes the repository; that the trick works proves that the row can fail.
    await fires?.()
    if (fires) expect(existsSync(marker)).toBe(true)
  })
})

it('works in an ordinary repository in all these ways', async () => {
  const opened = await openRepository(repository.directory)
  const base = moatPaths(process.env).worktrees
  const config = statSync(join(own, 'config')).ino
  const { notes, path, rollBack } = await prepareWorktree(opened, base, 'theirs')
  expect(notes).toEqual(['New branch theirs, which follows origin/theirs.'])
  expect(await readFile(join(path, 'some.data'), 'utf8')).toBe('data')
  expect(repository.git('-C', path, 'status', '--porcelain', '--branch')).toBe('## theirs...origin/theirs')
  expect(await readFile(join(path, '.git'), 'utf8')).toBe(`gitdir: ${join(own, 'worktrees/theirs')}\n`)
  const checkout = await findCheckout(path)
  expect(checkout && (await unsavedWork(checkout))).toBe(undefined)
  await rollBack()
  expect(repository.branches()).toEqual(['main'])
  expect(repository.worktrees()).toEqual([])
  expect(await readFile(join(own, 'config'), 'utf8')).not.toContain('theirs')
  // The same file: a container is kept from it by a mount, which ends when it is replaced.
  expect(statSync(join(own, 'config')).ino).toBe(config)
  expect(existsSync(join(own, 'config.lock'))).toBe(false)
})

it("heeds the user's own filters, which a right checkout needs", async () => {
  await appendFile(process.env.GIT_CONFIG_GLOBAL ?? '', '[filter "evil"]\n\tsmudge = sed s/^/smudged-/\n')
  config('filter.evil.smudge', trap)
  const { path } = await prepareWorktree(
    await openRepository(repository.directory),
    moatPaths(process.env).worktrees,
    'new',
  )
  expect(await readFile(join(path, 'some.data'), 'utf8')).toBe('smudged-data')
  expect(existsSync(marker)).toBe(false)
})

it('keeps a sparse checkout sparse', async () => {
  mkdirSync(join(repository.directory, 'one'))
  mkdirSync(join(repository.directory, 'two'))
  for (const name of ['one', 'two']) writeFileSync(join(repository.directory, name, 'file'), name)
  repository.commit('Directories')
  repository.git('sparse-checkout', 'set', 'one')
  const opened = await openRepository(repository.directory)
  const { path } = await prepareWorktree(opened, moatPaths(process.env).worktrees, 'new')
  expect([existsSync(join(path, 'one/file')), existsSync(join(path, 'two/file'))]).toEqual([true, false])
  expect(repository.git('-C', path, 'status', '--porcelain')).toBe('')
  expect(repository.git('-C', path, 'sparse-checkout', 'list')).toBe('one')
})

it('heeds nothing of a config that is rewritten while git runs', async () => {
  const harmless = await readFile(join(own, 'config'))
  const evil = `${harmless}\n[filter "evil"]\n\tsmudge = ${trap}\n[core]\n\tfsmonitor = ${trap}\n\thooksPath = ${sandbox.directory('hooks')}\n`
  hook(sandbox.directory('hooks'), 'post-checkout')
  hook(sandbox.directory('hooks'), 'reference-transaction')
  let done = false
  const rewrite = async () => {
    for (let turn = 0; !done; turn++) await writeFile(join(own, 'config'), turn % 2 ? harmless : evil)
  }
  const rewriting = rewrite()
  await everyGit()
  done = true
  await rewriting
  expect(existsSync(marker)).toBe(false)
})

it.each([
  ['commondir', () => writeFileSync(join(own, 'commondir'), '/elsewhere\n'), 'sends git to another repository'],
  ['an unknown extension', () => config('extensions.future', 'x'), 'sets extensions.future, which moat does not know'],
  ['a config git cannot read', () => writeFileSync(join(own, 'config'), '[core\n'), 'git cannot read '],
  [
    'a config that is a pipe',
    () => {
      rmSync(join(own, 'config'))
      execFileSync('mkfifo', [join(own, 'config')])
    },
    'is too large for a config file, or is not a plain file',
  ],
])('refuses a repository with %s, in words', async (_, plant, text) => {
  plant()
  const error = await openRepository(repository.directory).then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  expect(error).toBeInstanceOf(MoatError)
  expect(error).toMatchObject({ code: 'REPOSITORY_UNSAFE', message: expect.stringContaining(text) })
  expect((error as MoatError).suggestions).not.toEqual([])
})

it.each(['refs/heads/new', 'logs/refs/heads/new', 'logs/refs/heads', 'worktrees', 'packed-refs'])(
  'writes nothing through a link at %s',
  async (path) => {
    const target = sandbox.directory('precious', { file: 'precious' })
    rmSync(join(own, path), { force: true, recursive: true })
    symlinkSync(path.endsWith('heads') || path === 'worktrees' ? target : join(target, 'file'), join(own, path))
    const opened = await openRepository(repository.directory)
    await expect(prepareWorktree(opened, moatPaths(process.env).worktrees, 'new')).rejects.toMatchObject({
      code: 'REPOSITORY_UNSAFE',
    })
    expect(readdirSync(target)).toEqual(['file'])
    expect(await readFile(join(target, 'file'), 'utf8')).toBe('precious')
  },
)

it('runs nothing in a repository it is started in whose files lie in a checkout', async () => {
  const bare = join(repository.directory, 'bare')
  repository.git('init', '--quiet', '--bare', bare)
  repository.git('-C', bare, 'config', 'core.fsmonitor', trap)
  repository.git('-C', bare, 'config', 'core.bare', 'false')
  repository.git('-C', bare, 'config', 'core.worktree', '.')
  await expect(openRepository(bare)).rejects.toMatchObject({ code: 'BARE_REPOSITORY' })
  expect(existsSync(marker)).toBe(false)
  plainly('-C', bare, 'status')
  expect(existsSync(marker)).toBe(true)
})

it("leaves another user's repository alone until it is called safe", async () => {
  chownSync(own, 12345, 12345)
  await expect(openRepository(repository.directory)).rejects.toMatchObject({
    message: `The repository ${repository.directory} is another user's, so git does not work in it.`,
    suggestions: [`git config --global --add safe.directory ${repository.directory}`],
  })
  await appendFile(process.env.GIT_CONFIG_GLOBAL ?? '', `[safe]\n\tdirectory = ${repository.directory}\n`)
  expect((await openRepository(repository.directory)).commonDir).toBe(own)
})
