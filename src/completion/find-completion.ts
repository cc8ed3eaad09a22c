// Owns what the word being typed may be: a command, a flag, a value. Pure: where values are alive, it names the source.
import type { CommandEntry, CommandTable, FlagEntry } from './command-table.js'
import { type Candidate, type CompletionSource, namesAgents } from './completion-source.js'

export interface Completion {
  /** The agent named before, for `endpoints`. */
  agent?: string
  /** What fits here, beginning with `typed` or not. */
  candidates: Candidate[]
  /** What stands before the value in the word, such as `--name=`. */
  prefix: string
  /** Where more candidates come from. */
  source?: CompletionSource
  /** The value as far as it is typed. */
  typed: string
}

/** What may stand at the end of `words`, the words after the program's name; the last is being typed, maybe empty. */
export function findCompletion(table: CommandTable, words: readonly string[]): Completion {
  const before = words.slice(0, -1)
  const typed = words.at(-1) ?? ''
  const found = findCommand(table, before)
  if (!found) return { candidates: children(table, before), prefix: '', typed }
  const { command, rest } = found
  // What follows is a command for the container, of which only files are known here.
  if (rest.includes('--')) return { candidates: [], prefix: '', source: 'files', typed }
  const line = readRest(command, rest)
  if (line.pending) return { ...flagValue(command, line.pending), prefix: '', typed }
  const [, name, value] = /^--([^=]+)=(.*)$/s.exec(typed) ?? []
  if (name !== undefined && value !== undefined) {
    return { ...flagValue(command, name), prefix: `--${name}=`, typed: value }
  }
  if (typed.startsWith('-')) return { candidates: flagCandidates(command, line.flags), prefix: '', typed }
  const positional = argumentValue(command, line.positionals)
  if (positional.source === 'commands') return { candidates: children(table, rest), prefix: '', typed }
  const subcommands = line.positionals.length === 0 ? children(table, command.id.split(':')) : []
  return { ...positional, candidates: [...positional.candidates, ...subcommands], prefix: '', typed }
}

/** The command with the longest name that `words` begin with; aliases count. */
function findCommand(table: CommandTable, words: readonly string[]) {
  for (let length = words.length; length > 0; length--) {
    const id = words.slice(0, length).join(':')
    const command = table.commands.find((entry) => entry.id === id || entry.aliases?.includes(id))
    if (command) return { command, rest: words.slice(length) }
  }
  return undefined
}

/** Topics and commands right below the topic `path`; at the top for no path. */
function children(table: CommandTable, path: readonly string[]): Candidate[] {
  const parent = path.map((word) => `${word}:`).join('')
  const found = new Map<string, Candidate>()
  for (const { description, hidden, id, summary } of table.commands) {
    if (hidden || !id.startsWith(parent)) continue
    const [value = '', deeper] = id.slice(parent.length).split(':')
    const isTopic = deeper !== undefined
    if (isTopic && found.has(value)) continue
    const text = isTopic ? table.topics[parent + value] : (summary ?? description)
    found.set(value, { description: text ?? '', value })
  }
  return [...found.values()].toSorted((a, b) => (a.value < b.value ? -1 : 1))
}

interface Rest {
  flags: Set<string>
  /** A flag whose value comes next. */
  pending?: string
  positionals: string[]
}

/** What of the command's line has been typed already. */
function readRest(command: CommandEntry, words: readonly string[]): Rest {
  const rest: Rest = { flags: new Set(), positionals: [] }
  for (const word of words) {
    if (rest.pending !== undefined) {
      delete rest.pending
      continue
    }
    if (!word.startsWith('-') || word === '-') {
      rest.positionals.push(word)
      continue
    }
    const { name, takesNext } = readFlag(command, word)
    if (name !== undefined) rest.flags.add(name)
    if (name !== undefined && takesNext) rest.pending = name
  }
  return rest
}

/** The flag that a word is, and whether its value is the next word. Of `-dn`, the last letter decides. */
function readFlag(command: CommandEntry, word: string): { name?: string; takesNext: boolean } {
  if (word.startsWith('--')) {
    const [name = '', value] = word.slice(2).split('=', 2)
    return { name, takesNext: value === undefined && command.flags?.[name]?.type === 'option' }
  }
  const letters = word.slice(1)
  for (const [index, letter] of [...letters].entries()) {
    const [name, flag] = Object.entries(command.flags ?? {}).find(([, { char }]) => char === letter) ?? []
    const last = index === letters.length - 1
    if (name !== undefined && (last || flag?.type === 'option'))
      return { name, takesNext: last && flag?.type === 'option' }
  }
  return { takesNext: false }
}

function flagValue(command: CommandEntry, name: string): Pick<Completion, 'candidates' | 'source'> {
  return values(command.flags?.[name]?.options, command.completion?.[`--${name}`])
}

/** What the next argument may be. The last argument of a command that is not strict may be repeated. */
function argumentValue(
  command: CommandEntry,
  positionals: readonly string[],
): Pick<Completion, 'agent' | 'candidates' | 'source'> {
  const names = Object.keys(command.args ?? {}).filter((name) => !command.args?.[name]?.hidden)
  const index = command.strict === false ? Math.min(positionals.length, names.length - 1) : positionals.length
  const name = names[index]
  if (name === undefined) return { candidates: [] }
  const source = command.completion?.[name]
  const agent = positionals[names.findIndex((other) => namesAgents(command.completion?.[other]))]
  return { ...values(command.args?.[name]?.options, source), ...(agent !== undefined && { agent }) }
}

function values(options: readonly string[] | undefined, source: CompletionSource | undefined) {
  return {
    candidates: (options ?? []).map((value) => ({ description: '', value })),
    ...(source && { source }),
  }
}

/** The flags that can still be given: not those given already, nor those that exclude one another. */
function flagCandidates(command: CommandEntry, given: ReadonlySet<string>): Candidate[] {
  const flags = Object.entries(command.flags ?? {}).filter(([name, flag]) => {
    if (flag.hidden || (given.has(name) && !flag.multiple)) return false
    return ![...given].some((other) => excludes(flag, other) || excludes(command.flags?.[other], name))
  })
  const candidates = flags.flatMap(([name, { allowNo, description, summary }]) => {
    const text = summary ?? description ?? ''
    return [name, ...(allowNo ? [`no-${name}`] : [])].map((value) => ({ description: text, value: `--${value}` }))
  })
  const help = { description: 'Show help', value: '--help' }
  return candidates.some(({ value }) => value === help.value) ? candidates : [...candidates, help]
}

function excludes(flag: FlagEntry | undefined, other: string): boolean {
  return flag?.exclusive?.includes(other) ?? false
}
