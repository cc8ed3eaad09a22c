// Which repository a workspace is, and what is refused because it looks like one and is none.
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { mainCheckoutAt } from '../../../src/worktrees/main-checkout.js'

let directory: string
beforeEach(() => {
  directory = realpathSync(mkdtempSync(join(tmpdir(), 'moat-main-')))
})
afterEach(() => rmSync(directory, { force: true, recursive: true }))

const git = (...args: string[]) => execFileSync('git', args, { cwd: directory, stdio: 'ignore' })

describe('a workspace', () => {
  it('is the checkout at its top, and none further down or without git', async () => {
    expect(await mainCheckoutAt(directory)).toBeUndefined()
    git('init')
    expect(await mainCheckoutAt(directory)).toMatchObject({ commonDir: join(directory, '.git'), root: directory })
    mkdirSync(join(directory, 'sub'))
    expect(await mainCheckoutAt(join(directory, 'sub'))).toBeUndefined()
  })

  it.each([
    ['HEAD is gone', () => rmSync(join(directory, '.git/HEAD'))],
    ['objects are gone', () => rmSync(join(directory, '.git/objects'), { recursive: true })],
    [
      'refs are a file',
      () => {
        rmSync(join(directory, '.git/refs'), { recursive: true })
        writeFileSync(join(directory, '.git/refs'), '')
      },
    ],
    [
      'everything in .git is gone',
      () => {
        rmSync(join(directory, '.git'), { recursive: true })
        mkdirSync(join(directory, '.git'))
      },
    ],
    [
      '.git leads nowhere',
      () => {
        rmSync(join(directory, '.git'), { recursive: true })
        writeFileSync(join(directory, '.git'), 'gitdir: /nonexistent\n')
      },
    ],
  ])('is refused whose %s: its .git would not be covered', async (_what, breakIt) => {
    git('init')
    breakIt()
    await expect(mainCheckoutAt(directory)).rejects.toMatchObject({
      code: 'REPOSITORY_UNSAFE',
      suggestions: [`git -C ${directory} status`, `mv ${directory}/.git ${directory}/.git.broken`],
    })
  })

  it('is refused also inside another repository', async () => {
    git('init')
    git('init', 'inner')
    rmSync(join(directory, 'inner/.git/HEAD'))
    await expect(mainCheckoutAt(join(directory, 'inner'))).rejects.toMatchObject({ code: 'REPOSITORY_UNSAFE' })
  })

  it('is refused as a bare repository without a HEAD', async () => {
    git('init', '--bare', 'bare.git')
    const bare = join(directory, 'bare.git')
    expect(await mainCheckoutAt(bare)).toEqual({ commonDir: bare, gitDir: bare })
    rmSync(join(bare, 'HEAD'))
    await expect(mainCheckoutAt(bare)).rejects.toMatchObject({ code: 'REPOSITORY_UNSAFE' })
  })
})
