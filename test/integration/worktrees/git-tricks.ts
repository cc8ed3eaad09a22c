// Owns the ways by which what an agent writes into a repository has git run a program: a trick a row.
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { TrappedRepository } from '../../helpers/trapped-repository.js'

export interface Trick {
  /** What moat's git then says instead of making a worktree. */
  stops?: string
  plant: (at: TrappedRepository) => unknown
  /** What of plain git falls for it; none where this needs a network or a later git. */
  fires?: (at: TrappedRepository) => unknown
}

export const tricks: Record<string, Trick> = {
  'a hook': { plant: (at) => at.hook(join(at.own, 'hooks'), 'post-checkout'), fires: (at) => at.addWorktree() },
  'a hook on references': {
    plant: (at) => at.hook(join(at.own, 'hooks'), 'reference-transaction'),
    fires: (at) => at.plainly('branch', 'plain'),
  },
  'a hook on the index': {
    plant: (at) => at.hook(join(at.own, 'hooks'), 'post-index-change'),
    fires: async (at) => {
      await at.touch()
      at.plainly('update-index', '--refresh')
    },
  },
  'core.hooksPath': {
    plant: (at) => {
      at.evilConfig()
      at.config('core.hooksPath', at.directory('hooks'))
    },
    fires: (at) => at.addWorktree(),
  },
  'core.hooksPath within the checkout': {
    plant: (at) => {
      at.hook(join(at.repository.directory, '.husky'), 'post-checkout')
      at.config('core.hooksPath', '.husky')
      at.repository.commit('Hooks')
    },
    fires: (at) => at.addWorktree(),
  },
  'the config of a worktree': {
    plant: (at) => {
      at.config('extensions.worktreeConfig', 'true')
      at.evilConfig()
      at.config('--worktree', 'core.hooksPath', at.directory('hooks'))
    },
    fires: (at) => at.addWorktree(),
  },
  'include.path': { plant: (at) => at.config('include.path', at.evilConfig()), fires: (at) => at.addWorktree() },
  'includeIf.path': {
    plant: (at) => at.config('includeIf.gitdir:/**.path', at.evilConfig()),
    fires: (at) => at.addWorktree(),
  },
  'a config that is a pipe': { plant: (at) => at.config('include.path', fifo(at)) },
  'core.fsmonitor': { plant: (at) => at.config('core.fsmonitor', at.trap), fires: (at) => at.plainly('status') },
  'filter.clean': {
    plant: (at) => at.config('filter.evil.clean', at.trap),
    fires: async (at) => {
      await at.touch()
      at.plainly('status')
    },
  },
  'filter.smudge': { plant: (at) => at.config('filter.evil.smudge', at.trap), fires: (at) => at.addWorktree() },
  'filter.process': { plant: (at) => at.config('filter.evil.process', at.trap), fires: (at) => at.addWorktree() },
  'a filter by info/attributes': {
    plant: (at) => {
      mkdirSync(join(at.own, 'info'), { recursive: true })
      writeFileSync(join(at.own, 'info/attributes'), '* filter=other\n')
      at.config('filter.other.smudge', at.trap)
    },
    fires: (at) => at.addWorktree(),
  },
  'a filter by core.attributesFile': {
    plant: (at) => {
      const file = join(at.directory('elsewhere'), 'attributes')
      writeFileSync(file, '* filter=other\n')
      at.config('core.attributesFile', file)
      at.config('filter.other.smudge', at.trap)
    },
    fires: (at) => at.addWorktree(),
  },
  'diff.textconv': {
    plant: (at) => at.config('diff.evil.textconv', at.trap),
    fires: (at) => at.plainly('show', 'HEAD'),
  },
  'diff.command': {
    plant: (at) => {
      at.config('diff.evil.command', at.trap)
      writeFileSync(join(at.repository.directory, 'some.data'), 'changed')
    },
    fires: (at) => at.plainly('diff'),
  },
  'diff.external': {
    plant: (at) => {
      at.config('diff.external', at.trap)
      writeFileSync(join(at.repository.directory, 'some.data'), 'changed')
    },
    fires: (at) => at.plainly('diff'),
  },
  'merge.driver': {
    plant: (at) => at.config('merge.evil.driver', at.trap),
    fires: (at) => {
      for (const branch of ['one', 'two']) {
        at.plainly('switch', '--quiet', '--create', branch, 'main')
        writeFileSync(join(at.repository.directory, 'some.data'), branch)
        at.repository.commit(branch)
      }
      at.plainly('merge', 'one')
    },
  },
  'an alias': { plant: (at) => at.config('alias.evil', `!${at.trap}`), fires: (at) => at.plainly('evil') },
  'an alias with the name of a command': { plant: (at) => at.config('alias.status', `!${at.trap}`) },
  'core.pager and pager.*': {
    plant: (at) => {
      for (const key of ['core.pager', 'pager.status', 'pager.worktree', 'pager.config']) at.config(key, at.trap)
    },
  },
  'core.sshCommand': {
    plant: (at) => {
      at.config('core.sshCommand', at.trap)
      at.config('remote.origin.url', 'ssh://nobody.invalid/app.git')
    },
    fires: (at) => at.plainly('fetch'),
  },
  'core.gitProxy': {
    plant: (at) => {
      at.config('core.gitProxy', at.trap)
      at.config('remote.origin.url', 'git://nobody.invalid/app.git')
    },
    fires: (at) => at.plainly('fetch'),
  },
  'credential.helper': {
    plant: (at) => at.config('credential.helper', `!${at.trap}`),
    fires: (at) => {
      const input = 'protocol=https\nhost=nobody.invalid\n\n'
      const env = { ...process.env, GIT_TERMINAL_PROMPT: '0' }
      spawnSync('git', ['credential', 'fill'], { cwd: at.repository.directory, env, input })
    },
  },
  'gpg.program': {
    plant: (at) => {
      for (const key of ['gpg.program', 'gpg.openpgp.program', 'gpg.ssh.program', 'gpg.ssh.defaultKeyCommand'])
        at.config(key, at.trap)
      at.config('commit.gpgSign', 'true')
      at.config('log.showSignature', 'true')
    },
    fires: (at) => at.plainly('commit', '--allow-empty', '--message', 'Signed'),
  },
  editors: {
    plant: (at) => {
      at.config('core.editor', at.trap)
      at.config('sequence.editor', at.trap)
    },
    fires: (at) => at.plainly('commit', '--allow-empty'),
  },
  'remote.uploadpack': {
    plant: (at) => at.config('remote.origin.uploadpack', at.trap),
    fires: (at) => at.plainly('fetch', 'origin'),
  },
  'remote.receivepack': {
    plant: (at) => at.config('remote.origin.receivepack', at.trap),
    fires: (at) => at.plainly('push', 'origin', 'main'),
  },
  'a remote helper': {
    plant: (at) => {
      at.config('protocol.ext.allow', 'always')
      at.config('remote.origin.url', `ext::${at.trap}`)
    },
    fires: (at) => at.plainly('fetch', 'origin'),
  },
  'url.insteadOf': {
    plant: (at) => {
      at.config('remote.origin.url', at.remote)
      at.config('protocol.ext.allow', 'always')
      at.config(`url.ext::${at.trap} .insteadOf`, at.remote)
    },
    fires: (at) => at.plainly('fetch', 'origin'),
  },
  'what a partial clone fetches': {
    stops: 'unable to read',
    plant: (at) => {
      for (const [key, value] of [
        ['core.repositoryFormatVersion', '1'],
        ['extensions.partialClone', 'origin'],
        ['remote.origin.promisor', 'true'],
        ['remote.origin.uploadpack', at.trap],
      ] as const)
        at.config(key, value)
      const blob = at.repository.git('rev-parse', 'HEAD:some.data')
      rmSync(join(at.own, 'objects', blob.slice(0, 2), blob.slice(2)))
    },
    fires: (at) => at.addWorktree(),
  },
  'submodule.update': {
    plant: (at) => {
      at.repository.git('init', '--quiet', 'sub')
      at.repository.git('-C', 'sub', 'commit', '--quiet', '--allow-empty', '--message', 'Sub')
      writeFileSync(join(at.repository.directory, '.gitmodules'), '[submodule "sub"]\n\tpath = sub\n\turl = ./sub\n')
      at.repository.commit('Submodule')
      at.config('submodule.sub.update', `!${at.trap}`)
      at.config('submodule.sub.active', 'true')
      at.config('submodule.sub.url', join(at.repository.directory, 'sub'))
      at.config('submodule.recurse', 'true')
      at.repository.git('-C', 'sub', 'commit', '--quiet', '--allow-empty', '--message', 'More')
    },
    fires: (at) => at.plainly('submodule', 'update', '--force'),
  },
  'a repository within': {
    plant: (at) => {
      at.repository.git('init', '--quiet', 'sub')
      at.repository.git('-C', 'sub', 'commit', '--quiet', '--allow-empty', '--message', 'Sub')
      at.repository.commit('Sub')
      at.repository.git('-C', 'sub', 'config', 'core.fsmonitor', at.trap)
    },
    fires: (at) => at.plainly('status'),
  },
  'interactive.diffFilter': { plant: (at) => at.config('interactive.diffFilter', at.trap) },
  'trailer.command': {
    plant: (at) => {
      at.config('trailer.evil.command', at.trap)
      at.config('trailer.evil.cmd', at.trap)
    },
    fires: (at) => at.plainly('interpret-trailers', '--trailer', 'evil=x', join(at.repository.directory, 'text.txt')),
  },
  'core.alternateRefsCommand': {
    plant: async (at) => {
      at.config('core.alternateRefsCommand', at.trap)
      await writeFile(join(at.own, 'objects/info/alternates'), `${join(at.remote, 'objects')}\n`)
    },
    fires: (at) => {
      at.repository.git('-C', at.remote, 'commit-tree', '-m', 'x', 'HEAD^{tree}')
      at.plainly('fetch', '--quiet', at.remote)
    },
  },
  'hooks in the config of a later git': {
    plant: (at) => {
      at.config('hook.evil.command', at.trap)
      at.config('hook.evil.event', 'post-checkout')
    },
  },
}

function fifo(at: TrappedRepository): string {
  const path = join(at.directory('elsewhere'), 'pipe')
  if (!existsSync(path)) execFileSync('mkfifo', [path])
  return path
}
