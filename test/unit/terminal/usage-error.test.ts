import { Args, Errors, Flags, Parser } from '@oclif/core'
import { describe, expect, it } from 'vitest'
import { MoatError } from '../../../src/errors.js'
import { explainUsage } from '../../../src/terminal/usage-error.js'

const flags = {
  detach: Flags.boolean({ char: 'd', exclusive: ['interactive'] }),
  interactive: Flags.boolean({ char: 'i' }),
  name: Flags.string({ char: 'n' }),
  secret: Flags.boolean({ hidden: true }),
  shell: Flags.string({ options: ['bash', 'zsh'] }),
  timeout: Flags.integer({ max: 9, min: 1 }),
}
const agent = { agent: { ...Args.string({ description: 'Name or run id', required: true }), name: 'agent' } }

/** What is said of a line, by oclif's own parser. */
async function said(name: string, argv: string[], args: object = agent): Promise<[string, string[]]> {
  const takesCommand = ['exec', 'run', 'wt'].includes(name)
  try {
    await Parser.parse([...argv], { args: args as never, flags, strict: true })
  } catch (error) {
    const explained = explainUsage(error, { args: args as never, argv, flags, name, takesCommand })
    if (!(explained instanceof MoatError)) throw new Error(`not explained: ${error}`)
    expect(explained).toMatchObject({ code: 'USAGE', oclif: { exit: 2 } })
    expect(explained.suggestions?.at(-1)).toBe(`moat help ${name}`)
    return [explained.message, explained.suggestions?.slice(0, -1) ?? []]
  }
  throw new Error('it was taken')
}

describe('explainUsage', () => {
  it.each([
    ['open', [], 'moat open needs <agent> (name or run id).', ['moat open <agent>', 'moat list']],
    ['open', ['--name', 'x'], 'moat open needs <agent> (name or run id).', ['moat open --name x <agent>', 'moat list']],
    ['open', ['a', 'b'], 'moat open takes one argument, but was also given "b".', []],
    ['open', ['a', '--nme', 'x y'], 'moat open has no flag --nme. Did you mean --name?', ["moat open a --name 'x y'"]],
    ['open', ['a', '--nme=b'], 'moat open has no flag --nme. Did you mean --name?', ['moat open a --name=b']],
    ['open', ['a', '--secrt'], 'moat open has no flag --secrt.', []],
    ['open', ['a', '-x'], 'moat open has no flag -x.', []],
    ['open', ['a', '--name'], '--name needs a value.', []],
    ['open', ['a', '--timeout', 'soon'], '--timeout must be a whole number, not "soon".', []],
    ['open', ['a', '--timeout', '0'], '--timeout must be at least 1, not 0.', []],
    ['open', ['a', '--timeout', '10'], '--timeout must be at most 9, not 10.', []],
    ['open', ['a', '--shell', 'fish'], '--shell must be one of bash, zsh, not "fish".', []],
    ['open', ['a', '-d', '-i'], '--interactive and --detach cannot be used together.', []],
    ['open', ['a', '-n', 'b', '-n', 'c'], '--name can be given only once.', []],
    [
      'exec',
      ['a', 'ls', '-la'],
      'moat exec has no flag -la. A command to run in the container goes after --.',
      ['moat exec a -- ls -la'],
    ],
    ['exec', ['a', 'npm', 'test'], 'A command to run in the container goes after --.', ['moat exec a -- npm test']],
    [
      'run',
      ['no-such-directory', 'test'],
      'A command to run in the container goes after --.',
      ['moat run -- no-such-directory test'],
    ],
    [
      'run',
      ['-p', '3000:3000', '.'],
      'moat run has no flag -p: ports stand in moat.yaml, where each gets a URL.',
      ['ports: {web: 3000}'],
    ],
    [
      'wt',
      ['x', '--volume', 'a:/b'],
      'moat wt has no flag --volume: it is called --mount here.',
      ['moat run --mount ./data:/data:ro'],
    ],
  ] as [string, string[], string, string[]][])('moat %s %j', async (name, argv, message, suggestions) => {
    expect(await said(name, argv)).toEqual([message, suggestions])
  })

  it('takes no argument for a command without any', async () => {
    expect(await said('doctor', ['now'], {})).toEqual(['moat doctor takes no arguments, but was given "now".', []])
  })

  it('leaves other errors as they are', () => {
    const line = { args: {}, argv: [], flags: {}, name: 'list' }
    for (const error of [new Error('x'), new Errors.ExitError(1), new MoatError('USAGE', 'x'), 'x'])
      expect(explainUsage(error, line)).toBe(error)
  })
})
