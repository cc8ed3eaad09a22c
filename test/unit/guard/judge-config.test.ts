// Owns which changes of a repository's config are ordinary, and which may have git run what an agent wants.
import { expect, it } from 'vitest'
import { suspectKeys } from '../../../src/guard/judge-config.js'

const before = [
  ['core.repositoryformatversion', '0'],
  ['core.bare', 'false'],
  ['core.hookspath', '.husky/_'],
  ['remote.origin.url', 'https://example.com/app.git'],
  ['remote.origin.fetch', '+refs/heads/*:refs/remotes/origin/*'],
  ['remote.disk.url', '/srv/app.git'],
  ['branch.main.remote', 'origin'],
  ['branch.main.merge', 'refs/heads/main'],
  ['filter.x.clean', 'one'],
  ['filter.x.clean', 'two'],
] as const
const entries = (pairs: readonly (readonly string[])[]) => pairs.map(([key = '', value = '']) => ({ key, value }))
const added = (...pairs: [string, string][]) => suspectKeys(entries(before), entries([...before, ...pairs]))

it('takes what git writes in ordinary work', () => {
  const ordinary: [string, string][] = [
    ['branch.side.remote', 'origin'],
    ['branch.side.merge', 'refs/heads/a/b'],
    ['branch.side.pushremote', 'disk'],
    ['branch.local.remote', '.'],
    ['branch.side.description', 'What it is for\nand more'],
    ['branch.side.vscode-merge-base', 'origin/main'],
    ['remote.fork.url', 'git@example.com:me/app.git'],
    ['remote.fork.pushurl', 'ssh://git@example.com/me/app.git'],
    ['remote.fork.fetch', '+refs/heads/*:refs/remotes/fork/*'],
    ['branch.forked.remote', 'fork'],
    ['submodule.lib.url', 'https://example.com/lib.git'],
    ['submodule.lib.active', 'true'],
    ['extensions.worktreeconfig', 'true'],
    ['lfs.https://example.com/app.git/info/lfs.access', 'basic'],
    ['pull.rebase', 'true'],
    ['user.name', 'Ann of the House'],
  ]
  for (const pair of ordinary) expect(added(...ordinary.slice(6, 9), pair), pair[0]).toEqual([])
  expect(suspectKeys(entries(before), entries(before.slice(0, 3)))).toEqual([])
})

it.each([
  ['core.fsmonitor', 'touch /tmp/x'],
  ['core.hookspath', 'evil'],
  ['core.bare', 'true'],
  ['core.protectntfs', 'false'],
  ['include.path', '/workspace/evil'],
  ['includeif.gitdir:/.path', 'evil'],
  ['alias.st', '!evil'],
  ['filter.x.clean', 'one'],
  ['branch.side.remote', 'evil'],
  ['branch.side.remote', '../evil'],
  ['branch.side.pushremote', '/workspace/evil'],
  ['branch.main.mergeoptions', '-s evil'],
  ['remote.pushdefault', 'evil'],
  ['remote.origin.url', 'https://evil.example/app.git'],
  ['remote.origin.pushurl', 'https://evil.example/app.git'],
  ['remote.new.url', '/workspace/evil'],
  ['remote.new.url', 'evil'],
  ['remote.new.url', 'file:///workspace/evil'],
  ['remote.new.url', 'ext::evil'],
  ['remote.new.url', 'ssh://-oProxyCommand=evil/x'],
  ['remote.new.receivepack', 'evil'],
  ['submodule.lib.url', '../evil'],
  ['submodule.lib.update', '!evil'],
  ['url.https.insteadof', 'http'],
  ['http.sslverify', 'false'],
  ['extensions.refstorage', 'reftable'],
  ['later.program', '/workspace/evil'],
])('asks about %s = %s', (key, value) => {
  expect(added([key, value])).toEqual([key])
})

it('asks about another order, as git takes the last of several values', () => {
  const swapped = [...before.slice(0, -2), before.at(-1), before.at(-2)].flatMap((pair) => (pair ? [pair] : []))
  expect(suspectKeys(entries(before), entries(swapped))).toEqual(['filter.x.clean'])
})
