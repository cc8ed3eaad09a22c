// A client that was typed without the `--` before it.
import { describe, expect, it } from 'vitest'
import { unseparated } from '../../../src/terminal/split-command.js'

describe('unseparated', () => {
  it.each([
    [
      ['app', 'db', 'psql', '-U', 'ann'],
      ['psql', '-U', 'ann'],
    ],
    [['--plain', 'app', 'db', 'psql'], ['psql']],
    [['app', 'db', '--', 'psql', 'more'], undefined],
    [['app', '--plain', 'db'], undefined],
  ])('%j', (argv, client) => {
    expect(unseparated(argv, 2)).toEqual(client)
  })
})
