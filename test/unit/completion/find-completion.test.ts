import { describe, expect, it } from 'vitest'
import type { CommandTable } from '../../../src/completion/command-table.js'
import { findCompletion } from '../../../src/completion/find-completion.js'

const table: CommandTable = {
  commands: [
    { args: { command: {} }, completion: { command: 'commands' }, id: 'help', strict: false },
    {
      aliases: ['halt'],
      args: { agent: {} },
      completion: { agent: 'agents' },
      description: 'Stop an agent\nfor good',
      flags: { json: { type: 'boolean' } },
      id: 'stop',
    },
    { args: { agent: {}, endpoint: {} }, completion: { agent: 'running-agents', endpoint: 'endpoints' }, id: 'wait' },
    {
      args: { path: {} },
      completion: { '--mount': 'files', '--name': 'ended-agents', path: 'directories' },
      flags: {
        color: { allowNo: true, type: 'boolean' },
        detach: { char: 'd', exclusive: ['interactive'], type: 'boolean' },
        interactive: { char: 'i', type: 'boolean' },
        mount: { multiple: true, type: 'option' },
        name: { char: 'n', type: 'option' },
        secret: { hidden: true, type: 'boolean' },
        tone: { options: ['cool', 'warm'], type: 'option' },
      },
      id: 'run',
    },
    { args: { shell: { options: ['bash', 'zsh'] } }, id: 'autocomplete' },
    { id: 'plugins', flags: { core: { type: 'boolean' } } },
    { args: { plugin: {} }, completion: { plugin: 'plugins' }, id: 'plugins:inspect', strict: false },
    { description: 'Start the proxy', id: 'proxy:start' },
    { description: 'Stop the proxy', id: 'proxy:stop' },
    { hidden: true, id: 'proxy:secret' },
    { hidden: true, id: 'secret' },
  ],
  topics: { plugins: 'Plugins', proxy: 'The proxy' },
}

const find = (...words: string[]) => findCompletion(table, words)
const values = (...words: string[]) => find(...words).candidates.map(({ value }) => value)

describe('findCompletion', () => {
  it('offers commands and topics, one line each, and nothing hidden', () => {
    expect(values('')).toEqual(['autocomplete', 'help', 'plugins', 'proxy', 'run', 'stop', 'wait'])
    expect(find('s').candidates).toContainEqual({ description: 'Stop an agent\nfor good', value: 'stop' })
    expect(find('p').candidates).toContainEqual({ description: 'The proxy', value: 'proxy' })
  })

  it('offers what is in a topic, also of one that is a command itself', () => {
    expect(values('proxy', 'st')).toEqual(['start', 'stop'])
    expect(values('plugins', '')).toEqual(['inspect'])
    expect(values('plugins', '--')).toEqual(['--core', '--help'])
    expect(values('nope', '')).toEqual([])
    expect(values('proxy', 'start', '')).toEqual([])
  })

  it('completes the words of help like commands', () => {
    expect(values('help', 'p')).toContain('proxy')
    expect(values('help', 'proxy', '')).toEqual(['start', 'stop'])
  })

  it.each<[string[], string | undefined]>([
    [['stop', ''], 'agents'],
    [['halt', ''], 'agents'],
    [['stop', '--json', 'da'], 'agents'],
    [['stop', 'dark-mode', ''], undefined],
    [['wait', 'dark-mode', ''], 'endpoints'],
    [['run', ''], 'directories'],
    [['run', '-d', ''], 'directories'],
    [['run', '-n', ''], 'ended-agents'],
    [['run', '-dn', ''], 'ended-agents'],
    [['run', '-nx', ''], 'directories'],
    [['run', '--name', 'x', ''], 'directories'],
    [['run', '--name=x', ''], 'directories'],
    [['run', '--mount', ''], 'files'],
    [['run', '.', '--', 'np'], 'files'],
    [['plugins', 'inspect', 'a', 'b', ''], 'plugins'],
  ])('%j comes from %s', (words, source) => expect(find(...words).source).toBe(source))

  it('says whose endpoints', () => {
    expect(find('wait', 'dark-mode', 'w')).toMatchObject({ agent: 'dark-mode', source: 'endpoints', typed: 'w' })
  })

  it('offers the values of an argument and of a flag, in both ways to write it', () => {
    expect(values('autocomplete', '')).toEqual(['bash', 'zsh'])
    expect(find('run', '--tone', 'c')).toMatchObject({ prefix: '', typed: 'c' })
    expect(values('run', '--tone', 'c')).toEqual(['cool', 'warm'])
    expect(find('run', '--tone=c')).toMatchObject({ prefix: '--tone=', typed: 'c' })
    expect(values('run', '--tone=c')).toEqual(['cool', 'warm'])
  })

  it('offers flags that can still be given', () => {
    const all = ['--color', '--no-color', '--detach', '--interactive', '--mount', '--name', '--tone', '--help']
    expect(values('run', '-')).toEqual(all)
    expect(values('run', '-i', '--mount', 'a:b', '--name=x', '--')).toEqual([
      '--color',
      '--no-color',
      '--mount',
      '--tone',
      '--help',
    ])
  })
})
