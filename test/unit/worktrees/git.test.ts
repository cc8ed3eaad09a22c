// Owns what the environment of git on the host is, and what is said when it fails.

import { expect, it } from 'vitest'
import { serializeError } from '../../../src/errors.js'
import { gitFailed } from '../../../src/worktrees/git.js'
import { gitEnvironment } from '../../../src/worktrees/start-git.js'

it("keeps git to the repository it is asked about, in English, with the user's own settings", () => {
  const env = {
    GIT_CONFIG_COUNT: '1',
    GIT_CONFIG_GLOBAL: '/home/ann/config',
    GIT_DIR: '/elsewhere/.git',
    GIT_INDEX_FILE: '/elsewhere/index',
    GIT_SSH_COMMAND: 'sh -c evil',
    GIT_WORK_TREE: '/elsewhere',
    LC_ALL: 'de_DE.UTF-8',
    PATH: '/usr/bin',
  }
  expect(gitEnvironment(env)).toEqual({
    GIT_ALLOW_PROTOCOL: '',
    GIT_CONFIG_GLOBAL: '/home/ann/config',
    GIT_NO_LAZY_FETCH: '1',
    GIT_OPTIONAL_LOCKS: '0',
    GIT_TERMINAL_PROMPT: '0',
    LC_ALL: 'C',
    PATH: '/usr/bin',
  })
})

it('says what git says', () => {
  const place = { commonDir: '/src/app/.git', gitDir: '/src/app/.git', root: '/src/app' }
  const failed = (stderr: string) => serializeError(gitFailed(place, { code: 128, stderr, stdout: '' }))
  expect(failed('fatal: bad object HEAD\n')).toEqual({
    code: 'GIT_FAILED',
    exit: 1,
    message: 'git failed in /src/app: fatal: bad object HEAD',
    suggestions: [],
  })
  expect(failed('').message).toBe('git failed in /src/app: exit code 128')
})
