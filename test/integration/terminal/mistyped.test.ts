// A mistyped command, with a terminal and without.
import { afterAll, expect, it } from 'vitest'
import { Sandbox } from '../../helpers/sandbox.js'
import { ShellTerminal } from '../../helpers/terminal.js'

const sandbox = new Sandbox()
afterAll(() => sandbox.cleanUp())

it('is asked about on a terminal, and run once the person agrees', async () => {
  const terminal = new ShellTerminal('bash', { cwd: sandbox.directory('here'), env: sandbox.env, setUp: [] })
  try {
    await terminal.shows(/^% *$/)
    await terminal.type('moat proxy stat', 'Enter')
    await terminal.shows('Did you mean proxy status?')
    await terminal.type('y', 'Enter')
    await terminal.shows('Status: stopped')
    await terminal.clear()
    await terminal.type('moat lst; echo "exit $?"', 'Enter')
    await terminal.shows('Did you mean list?')
    await terminal.type('n', 'Enter')
    await terminal.shows(/^exit 2$/m)
  } finally {
    terminal.close()
  }
})

it('is an error with a suggestion without one', async () => {
  expect(await sandbox.moat(['stpo', 'dark-mode'])).toEqual({
    code: 2,
    stderr:
      'Error: stpo dark-mode is not a moat command. Did you mean moat stop?\n\nTry this:\n  moat stop dark-mode\n  moat help\n',
    stdout: '',
  })
})
