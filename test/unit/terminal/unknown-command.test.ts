import { describe, expect, it } from 'vitest'
import { type Commands, unknownCommand } from '../../../src/terminal/unknown-command.js'

const ids = [
  'list',
  'logs',
  'run',
  'status',
  'stop',
  'version',
  'plugins',
  'plugins:install',
  'proxy:start',
  'proxy:status',
  'proxy:stop',
]
const config = {
  commands: [...ids.map((id) => ({ id })), { hidden: true, id: 'secret' }],
  topics: [{ name: 'proxy' }, { name: 'plugins' }],
} as unknown as Commands

describe('unknownCommand', () => {
  it.each([
    ['lst', 'lst is not a moat command. Did you mean moat list?', ['moat list', 'moat help']],
    // Fewer edits lead to `proxy start`, which would do something.
    [
      'proxy:stat',
      'proxy stat is not a moat command. Did you mean moat proxy status?',
      ['moat proxy status', 'moat help proxy'],
    ],
    ['proxi:stop', 'proxi stop is not a moat command. Did you mean moat proxy stop?', ['moat proxy stop', 'moat help']],
    ['proxi', 'proxi is not a moat command. Did you mean moat proxy?', ['moat help proxy']],
    ['proxy:st', 'proxy st is not a moat command.', ['moat help proxy']],
    ['proxy:frobnicate', 'proxy frobnicate is not a moat command.', ['moat help proxy']],
    [
      'stpo:dark-mode',
      'stpo dark-mode is not a moat command. Did you mean moat stop?',
      ['moat stop dark-mode', 'moat help'],
    ],
    [
      'plugin:install:x',
      'plugin install x is not a moat command. Did you mean moat plugins install?',
      ['moat plugins install x', 'moat help'],
    ],
    ['list:foo', 'moat list takes no arguments, but was given "foo".', ['moat list', 'moat help list']],
    [
      'proxy:stop:now',
      'moat proxy stop takes no arguments, but was given "now".',
      ['moat proxy stop', 'moat help proxy stop'],
    ],
    ['up:web', 'up web is not a moat command. Did you mean moat run?', ['moat run web', 'moat help']],
    ['kill', 'kill is not a moat command.', ['moat help']],
    ['frobnicate', 'frobnicate is not a moat command.', ['moat help']],
    ['secre', 'secre is not a moat command.', ['moat help']],
  ])('%s', (id, message, suggestions) => {
    expect(unknownCommand(id, config)).toMatchObject({ code: 'USAGE', message, oclif: { exit: 2 }, suggestions })
  })
})
