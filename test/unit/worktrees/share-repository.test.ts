// Owns what is said where a container's own workspace would hide the repository.
import { expect, it } from 'vitest'
import { shareRepository } from '../../../src/worktrees/share-repository.js'
import { caught } from '../config/caught.js'

it('refuses a repository that lies where the container has its workspace', async () => {
  const checkout = { adminDir: '/workspace/app/.git/worktrees/x', commonDir: '/workspace/app/.git', root: '/src/x' }
  expect(await caught(() => shareRepository(checkout, '/nowhere'))).toEqual({
    code: 'WORKTREE_BROKEN',
    exit: 2,
    message: '/workspace/app/.git lies in /workspace, where the container has its own workspace.',
    suggestions: ['mv <repository> <a directory outside /workspace>'],
  })
})
