// Owns which lines of a config that an agent has written become the repository's.
import { describe, expect, it } from 'vitest'
import { newUpstreams } from '../../../src/worktrees/carry-upstreams.js'

const entry = (key: string, value: string) => ({ key, value })
const ours = [entry('remote.origin.url', 'https://host.example/x'), entry('branch.main.remote', 'origin')]
const branch = (name: string, remote = 'origin', merge = `refs/heads/${name}`) => [
  entry(`branch.${name}.remote`, remote),
  entry(`branch.${name}.merge`, merge),
]

describe('of a container, the repository gets', () => {
  it('the upstream of a new branch', () => {
    const theirs = [...ours, ...branch('a/b'), entry('core.hookspath', 'x'), entry('branch.a/b.vscode-merge-base', 'x')]
    expect(newUpstreams({ ours, start: ours, theirs })).toEqual([
      { branch: 'a/b', merge: 'refs/heads/a/b', remote: 'origin' },
    ])
  })

  it.each([
    ['a remote it does not have', branch('x', 'evil')],
    ['a remote of the agent', [...branch('x', 'evil'), entry('remote.evil.url', 'https://evil.example')]],
    ['a path', branch('x', '/workspace/evil')],
    ['the repository itself, as a path', branch('x', '.')],
    ['a merge of what is no branch', branch('x', 'origin', 'refs/tags/x')],
    ['a merge of a wild name', branch('x', 'origin', 'refs/heads/*')],
    ['a branch with a wrong name', branch('..')],
    ['half an upstream', [entry('branch.x.remote', 'origin')]],
    ['another upstream for a branch that has one', branch('main', 'origin', 'refs/heads/other')],
    ['programs', [entry('branch.x.mergeoptions', '-s evil'), entry('alias.st', '!evil')]],
  ])('nothing of %s', (_, theirs) => {
    expect(newUpstreams({ ours, start: ours, theirs })).toEqual([])
  })

  it('nothing that was taken away on the host meanwhile', () => {
    const start = [...ours, ...branch('x')]
    expect(newUpstreams({ ours, start, theirs: start })).toEqual([])
  })
})
