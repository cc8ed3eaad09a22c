// Owns what is said of a command there is none of: the nearest one there is. Pure.
import type { Interfaces } from '@oclif/core'
import { exitCodes, MoatError } from '../errors.js'
import { nearestName } from '../routing/nearest-name.js'

export type Commands = Pick<Interfaces.Config, 'commands' | 'topics'>

/** A command or topic, by its id, and the words that were typed after its name. */
export interface Nearest {
  id: string
  isCommand: boolean
  rest: string[]
}

/** What other tools call it. */
const habits: Readonly<Record<string, string>> = {
  attach: 'logs',
  bash: 'exec',
  build: 'run',
  connect: 'exec',
  create: 'run',
  delete: 'destroy',
  down: 'stop',
  images: 'status',
  inspect: 'list',
  kill: 'destroy',
  new: 'init',
  port: 'list',
  prune: 'clean',
  remove: 'destroy',
  sh: 'exec',
  shell: 'exec',
  ssh: 'exec',
  start: 'run',
  stats: 'status',
  top: 'status',
  up: 'run',
  urls: 'list',
  worktree: 'wt',
}

/**
 * What was probably meant by `id`, which has all words typed, with colons between them: what begins with it, else what
 * is spelt alike. Of `stopp:dark-mode`, the first word is a mistyped command and the second its argument.
 */
export function nearestCommand(id: string, { commands, topics }: Commands): Nearest | undefined {
  const ids = new Set(commands.filter(({ hidden }) => !hidden).map((command) => command.id))
  const names = [...new Set([...ids, ...topics.map(({ name }) => name)])]
  const words = id.split(':')
  const habit = habits[words[0] ?? '']
  if (habit !== undefined && ids.has(habit) && !names.includes(words[0] ?? ''))
    return { id: habit, isCommand: true, rest: words.slice(1) }
  for (let length = words.length; length > 0; length--) {
    const typed = words.slice(0, length).join(':')
    const known = names.filter((name) => name.split(':').length === length)
    // The topic is right, and what follows it is like nothing in it.
    if (known.includes(typed)) return undefined
    const begun = known.filter((name) => name.startsWith(typed))
    // Of several that begin with it, none is likelier than the others.
    if (begun.length > 1) return undefined
    const found = begun[0] ?? nearestName(typed, known)
    if (found !== undefined) return { id: found, isCommand: ids.has(found), rest: words.slice(length) }
  }
  return undefined
}

/** The error for `id`, with the nearest command if there is one. */
export function unknownCommand(id: string, config: Commands): MoatError {
  const own = commandIn(id, config)
  if (own !== undefined) return withoutArguments(own, id)
  const nearest = nearestCommand(id, config)
  const name = nearest && `moat ${nearest.id.replaceAll(':', ' ')}`
  const [topic = ''] = id.split(':')
  const help = config.topics.some((known) => known.name === topic) ? `moat help ${topic}` : 'moat help'
  const command = nearest?.isCommand ? [[name, ...nearest.rest].join(' ')] : []
  return new MoatError(
    'USAGE',
    `${id.replaceAll(':', ' ')} is not a moat command.${name === undefined ? '' : ` Did you mean ${name}?`}`,
    {
      exit: exitCodes.usage,
      suggestions: [...command, nearest && !nearest.isCommand ? `moat help ${nearest.id.replaceAll(':', ' ')}` : help],
    },
  )
}

/** The command that `id` begins with: oclif takes what follows one without arguments for a part of its name. */
function commandIn(id: string, { commands }: Commands): string | undefined {
  const words = id.split(':')
  for (let length = words.length - 1; length > 0; length--) {
    const name = words.slice(0, length).join(':')
    if (commands.some((command) => command.id.startsWith(`${name}:`))) return undefined
    if (commands.some((command) => command.id === name && !command.hidden)) return name
  }
  return undefined
}

function withoutArguments(command: string, id: string): MoatError {
  const name = `moat ${command.replaceAll(':', ' ')}`
  const extra = id.slice(command.length + 1).split(':')
  const list = extra.map((word) => JSON.stringify(word)).join(', ')
  return new MoatError('USAGE', `${name} takes no arguments, but was given ${list}.`, {
    exit: exitCodes.usage,
    suggestions: [name, `moat help ${name.slice('moat '.length)}`],
  })
}
