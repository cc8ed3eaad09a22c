// Owns the list of trusted files: that its patterns mean what the file says.
import { describe, expect, it } from 'vitest'
import { TrustedFiles } from '../../../src/review/trusted-files.js'

const list = new TrustedFiles()

describe('the list', () => {
  it.each([
    '.envrc',
    'sub/.envrc',
    '.vscode/tasks.json',
    'a/.vscode/launch.json',
    '.idea/workspace.xml',
    '.devcontainer/x/Dockerfile',
    'Makefile',
    'makefile',
    '.npmrc',
    '.yarnrc.yml',
    '.pnpmfile.cjs',
    '.husky/pre-commit',
    '.pre-commit-config.yaml',
    '.github/workflows/ci.yml',
    '.claude/settings.json',
    'CLAUDE.md',
    '.mcp.json',
    'moat.yaml',
    'a.code-workspace',
    '.env.local',
    '.git/hooks/pre-commit',
    '.git/modules/a/b/config',
    '.git/modules/a/hooks/post-checkout',
    'sub/.git',
  ])('has %s', (path) => {
    expect(list.trustsIn(path)).toHaveLength(1)
  })

  it('has two keys of package.json', () => {
    expect(list.trustsIn('a/package.json').map(({ part }) => part)).toEqual(['scripts', 'packageManager'])
  })

  it.each([
    'envrc',
    'x.envrc',
    '.envrc.md/x',
    'vscode/tasks.json',
    'src/Makefile.ts',
    'package.json.md',
    '.github/x.md',
  ])('has not %s', (path) => {
    expect(list.trustsIn(path)).toEqual([])
  })
})

it('takes the first entry that fits, and keys of a file before the file', () => {
  const two = new TrustedFiles({ 'a/': 'one', 'a/b': 'two', 'c.json': 'three', 'c.json#key': 'four' })
  expect(two.trustsIn('a/b')).toEqual([{ pattern: expect.any(RegExp), text: 'a/', why: 'one' }])
  expect(two.trustsIn('c.json').map(({ why }) => why)).toEqual(['four'])
})
