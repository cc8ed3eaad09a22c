// Owns that no git which moat starts on the host runs what a repository names: a trick a row, planted in a real repository,
// proved to work on plain git, and then met by every way in which moat calls git.
import { rmSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { TrappedRepository } from '../../helpers/trapped-repository.js'
import { everyGit } from './every-git.js'
import { type Trick, tricks } from './git-tricks.js'

const at = new TrappedRepository()

describe('what a repository names', () => {
  it.each(Object.keys(tricks))('%s is run by plain git, and by moat never', async (name) => {
    const { fires, plant, stops } = tricks[name] as Trick
    await plant(at)
    rmSync(at.marker, { force: true })
    const errors = await everyGit(at)
    expect(at.isStepped()).toBe(false)
    // Nothing ran because everything worked, not because nothing was tried.
    expect(errors).toEqual(stops ? [expect.stringContaining(stops), expect.stringContaining(stops)] : [])
    // Last, because plain git changes the repository; that the trick works proves that the row can fail.
    await fires?.(at)
    if (fires) expect(at.isStepped()).toBe(true)
  })
})
