import { describe, expect, it } from 'vitest'
import { splitLine } from '../../../src/completion/split-line.js'

const breaks = ' \t\n"\'><=;|&(:'

describe('splitLine', () => {
  it.each([
    ['', ['']],
    ['moat', ['moat']],
    ['moat ', ['moat', '']],
    ['moat  proxy st', ['moat', 'proxy', 'st']],
    ['moat run my\\ pro', ['moat', 'run', 'my pro']],
    ['moat run "my pro', ['moat', 'run', 'my pro']],
    ["moat run 'my pro' ", ['moat', 'run', 'my pro', '']],
    ['moat run "say \\"hi\\" \\n', ['moat', 'run', 'say "hi" \\n']],
    ["moat run 'a\\b'", ['moat', 'run', 'a\\b']],
    ['moat run ""', ['moat', 'run', '']],
    ['moat run $HOME/a', ['moat', 'run', '$HOME/a']],
    ['moat run a\\', ['moat', 'run', 'a']],
    ['moat run ünï', ['moat', 'run', 'ünï']],
  ])('%s', (line, words) => expect(splitLine(line, breaks).words).toEqual(words))

  it.each([
    ['moat run --name=da', breaks, '--name='],
    ['moat run --name=', breaks, '--name='],
    ['moat run --mount=a:b', breaks, '--mount=a:'],
    ['moat run --name=da', ' :', ''],
    ['moat run --name="a=b', breaks, '--name='],
    ['moat run --name=a b', breaks, ''],
  ])('of the last word of %s with breaks %j bash keeps %j', (line, characters, kept) => {
    const { kept: length, words } = splitLine(line, characters)
    expect(words.at(-1)?.slice(0, length)).toBe(kept)
  })
})
