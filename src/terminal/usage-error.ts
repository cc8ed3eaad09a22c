// Owns what is said of a command line that oclif does not take, in moat's words and with a line that would be right.
import { existsSync } from 'node:fs'
import { shellQuote } from '../config/shell-quote.js'
import { exitCodes, isExit, isOclifError, MoatError } from '../errors.js'
import { nearestName } from '../routing/nearest-name.js'

/** A command, as far as its line can be wrong. */
export interface CommandLine {
  args: Record<string, { description?: string | undefined; hidden?: boolean | undefined }>
  /** What was typed after the command's name. */
  argv: readonly string[]
  flags: Record<string, { char?: string | undefined; hidden?: boolean | undefined }>
  /** With spaces: `proxy start`. */
  name: string
  /** True when a command for the container may follow, after `--`. */
  takesCommand?: boolean
}

/** What oclif's errors of parsing carry. */
interface ParseError extends Error {
  args?: (string | { name: string })[]
  flags?: string[]
  parse?: { output?: { argv?: unknown[] } }
}

/** Flags of docker's, by command, and what does the same here. */
const foreign: Record<string, Record<string, { message: string; suggestion?: string }>> = {
  exec: {},
  run: {
    '--network': { message: 'every agent is on the network of moat' },
    '--publish': { message: 'ports stand in moat.yaml, where each gets a URL', suggestion: 'ports: {web: 3000}' },
    '--tty': { message: '-i gives the agent this terminal', suggestion: 'moat run -i' },
    '--volume': { message: 'it is called --mount here', suggestion: 'moat run --mount ./data:/data:ro' },
    '--workdir': { message: 'the workspace is always at /workspace' },
  },
}
const shorts: Record<string, string> = { '-p': '--publish', '-t': '--tty', '-v': '--volume', '-w': '--workdir' }

/** The error in moat's words; any other error as it is. */
export function explainUsage(error: unknown, line: CommandLine): unknown {
  if (error instanceof MoatError || !isOclifError(error) || isExit(error)) return error
  const { args, flags, message: text, parse } = error as unknown as ParseError
  const found =
    (flags && unknownFlag(flags[0] ?? '', line, parse?.output?.argv)) ??
    (args && (typeof args[0] === 'string' ? tooMany(args as string[], line, parse) : tooFew(args, line))) ??
    otherProblem(text)
  if (!found) return error
  const { message, suggestions = [] } = found
  const name = `moat ${line.name}`.trim()
  return new MoatError('USAGE', message, {
    cause: error,
    exit: exitCodes.usage,
    suggestions: [...suggestions, line.name === '' ? 'moat help' : `moat help ${name.slice('moat '.length)}`],
  })
}

interface Explanation {
  message: string
  suggestions?: string[]
}

function unknownFlag(word: string, line: CommandLine, positionals: unknown[] = []): Explanation {
  const { argv, flags, name } = line
  const [flag = '', value] = word.split(/=(.*)/s)
  // In a command for the container, what looks like a flag is its own.
  const extra =
    line.takesCommand &&
    separated(
      line,
      positionals.map(String).filter((text) => !text.startsWith('-')),
      word,
    )
  if (extra)
    return {
      message: `moat ${name} has no flag ${flag}. A command to run in the container goes after --.`,
      suggestions: [extra],
    }
  const other = foreign[name === 'wt' ? 'run' : name]?.[shorts[flag] ?? flag]
  if (other)
    return {
      message: `moat ${name} has no flag ${flag}: ${other.message}.`,
      ...(other.suggestion !== undefined && { suggestions: [other.suggestion] }),
    }
  const known = Object.entries(flags).flatMap(([long, { hidden }]) => (hidden ? [] : [long]))
  const nearest = flag.startsWith('--') ? nearestName(flag.slice(2), [...known, 'help']) : undefined
  if (nearest === undefined) return { message: `moat ${name} has no flag ${flag}.` }
  const corrected = value === undefined ? `--${nearest}` : `--${nearest}=${value}`
  const right = argv.map((one) => (one === word ? corrected : one))
  return {
    message: `moat ${name} has no flag ${flag}. Did you mean --${nearest}?`,
    suggestions: [commandLine(name, right)],
  }
}

function tooMany(extras: string[], line: CommandLine, parse: ParseError['parse']): Explanation {
  const { args, name } = line
  const number = Object.values(args).filter(({ hidden }) => !hidden).length
  const takes = number === 0 ? 'no arguments' : number === 1 ? 'one argument' : `${number} arguments`
  const list = extras.map((word) => JSON.stringify(word)).join(', ')
  const separate = line.takesCommand
    ? separated(line, (parse?.output?.argv ?? []).map(String), extras[0] ?? '')
    : undefined
  if (separate)
    return {
      message: 'A command to run in the container goes after --.',
      suggestions: [separate],
    }
  return { message: `moat ${name} takes ${takes}, but was ${number === 0 ? '' : 'also '}given ${list}.` }
}

/** The line with `--` before what must be a command for the container; undefined where nothing says that it is one. */
function separated(
  { args, argv, name }: CommandLine,
  positionals: readonly string[],
  first: string,
): string | undefined {
  const number = Object.keys(args).length
  const own = positionals.slice(0, number)
  let place = 0
  for (const word of own) place = argv.indexOf(word, place) + 1
  const extra = positionals[number]
  const start = extra === undefined ? -1 : argv.indexOf(extra, place)
  if (start < 0 || argv.indexOf(first) < start) return undefined
  // `moat run npm test`: no directory of that name, so it belongs to the command.
  const path = name === 'run' && own[0] !== undefined && !existsSync(own[0]) ? argv.indexOf(own[0]) : start
  return commandLine(name, [...argv.slice(0, path), '--', ...argv.slice(path)])
}

function tooFew(missing: readonly (string | { name: string })[], { args, argv, name }: CommandLine): Explanation {
  const names = missing.map((arg) => (typeof arg === 'string' ? arg : arg.name))
  const described = names.map((arg) => {
    const { description } = args[arg] ?? {}
    return `<${arg}>${description === undefined ? '' : ` (${description[0]?.toLowerCase()}${description.slice(1).replace(/\.$/, '')})`}`
  })
  return {
    message: `moat ${name} needs ${described.join(' and ')}.`,
    suggestions: [
      commandLine(name, argv) + names.map((arg) => ` <${arg}>`).join(''),
      ...(names.includes('agent') ? ['moat list'] : []),
    ],
  }
}

/** oclif's other sentences. */
const sentences: [RegExp, (...groups: string[]) => string][] = [
  [/^Flag (--\S+) expects a value/, (flag) => `${flag} needs a value.`],
  [/^Flag (--\S+) expects one of these values: (.*)/, (flag, values) => `${flag} needs a value: ${values}.`],
  [/^Flag (--\S+) can only be specified once/, (flag) => `${flag} can be given only once.`],
  [
    /^Parsing (--\S+) \n\tExpected an integer but received: (.*)/,
    (flag, value) => `${flag} must be a whole number, not "${value}".`,
  ],
  [
    /^Parsing (--\S+) \n\tExpected an integer greater than or equal to (\S+) but received: (.*)/,
    (flag, least, value) => `${flag} must be at least ${least}, not ${value}.`,
  ],
  [
    /^Parsing (--\S+) \n\tExpected an integer less than or equal to (\S+) but received: (.*)/,
    (flag, most, value) => `${flag} must be at most ${most}, not ${value}.`,
  ],
  [/^Parsing (--\S+) \n\t([^\n]*)/, (flag, rest) => `${flag}: ${rest}.`],
  [
    /^Expected (--[^=]+)=(.*) to be one of: (.*)/,
    (flag, value, values) => `${flag} must be one of ${values}, not "${value}".`,
  ],
  [/^Expected (.*) to be one of: (.*)/, (value, values) => `"${value}" is not one of ${values}.`],
  [
    /(--[^\s=]+)(?:=\S*)? cannot also be provided when using (--[^\s=]+)/,
    (one, other) => `${one} and ${other} cannot be used together.`,
  ],
  [
    /All of the following must be provided when using (--[^\s=]+): (--\S+)/,
    (one, other) => `${one} only works together with ${other}.`,
  ],
  [/^Missing required flag (\S+)/m, (flag) => `--${flag.replace(/^--/, '')} is needed.`],
]

function otherProblem(message: string): Explanation | undefined {
  for (const [pattern, say] of sentences) {
    const match = pattern.exec(message)
    if (match) return { message: say(...match.slice(1)) }
  }
  return undefined
}

function commandLine(name: string, argv: readonly string[]): string {
  return ['moat', ...name.split(' '), ...argv.map(shellQuote)].filter(Boolean).join(' ')
}
