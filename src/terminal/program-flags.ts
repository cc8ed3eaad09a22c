// Owns the flags of the commands of coding agents: those of moat run that make sense for them, and their own.
import { Flags } from '@oclif/core'
import type { AskedStart } from '../agents/plan/plan-program.js'
import { exitCodes, MoatError } from '../errors.js'
import { runFlags } from './run-flags.js'

// It has the terminal anyway, unless there is a prompt.
const { interactive: _, ...ofRun } = runFlags

export const programFlags = {
  ...ofRun,
  continue: Flags.boolean({ char: 'c', description: 'Go on with the last conversation', exclusive: ['resume'] }),
  detach: Flags.boolean({ char: 'd', description: 'Return once it runs; with --prompt', dependsOn: ['prompt'] }),
  import: Flags.boolean({
    description: 'Copy your own login of the program into the container, which then has it; asks first',
    exclusive: ['login'],
  }),
  login: Flags.boolean({
    description: 'Log in inside the container, which then has the credential; a grant keeps it outside',
    exclusive: ['continue', 'detach', 'prompt', 'resume'],
  }),
  prompt: Flags.string({
    char: 'p',
    description: 'Answer this without a terminal, and end; the answer goes to stdout',
    helpValue: '<text>',
  }),
  resume: Flags.string({
    char: 'r',
    description: 'Go on with the conversation of this id; without one, choose from a list',
    helpValue: '[<id>]',
  }),
  worktree: Flags.string({
    description: 'Run in the git worktree of this branch, as moat wt does',
    helpValue: '<branch>',
  }),
  yolo: Flags.boolean({
    allowNo: true,
    default: true,
    description: 'Let it act without asking: the container is the limit; --no-yolo has it ask',
  }),
}

export interface StartFlags {
  continue: boolean
  prompt?: string | undefined
  resume?: string | undefined
  yolo: boolean
}

/** The flag's value where `-r` and `--resume` stand without one: oclif knows no flag whose value may be left out. */
const chosenLater = ''

/** The line with a value for every `--resume`. What follows one is an id unless it is a flag or a path. */
export function withResumeValue(argv: readonly string[]): string[] {
  return argv.flatMap((word, index) => {
    if (word !== '-r' && word !== '--resume') return [word]
    const next = argv[index + 1]
    const isId = next !== undefined && /^[^-./~][^/]*$/.test(next)
    return isId ? [word] : [`--resume=${chosenLater}`]
  })
}

/** What is asked of the program; `words` are those after `--`, the first prompt. Throws USAGE. */
export function toStart(flags: StartFlags, words: readonly string[] | undefined, name: string): AskedStart {
  const print = flags.prompt !== undefined
  const fail = (message: string, suggestion: string) =>
    new MoatError('USAGE', message, { exit: exitCodes.usage, suggestions: [suggestion] })
  if (print && words)
    throw fail('There are two prompts, one of -p and one after --.', `moat ${name} -p ${JSON.stringify(flags.prompt)}`)
  const prompt = flags.prompt ?? words?.join(' ')
  if (prompt?.trim() === '') throw fail('The prompt is empty.', `moat ${name} -p "What does this project do?"`)
  if (print && flags.resume === chosenLater)
    throw fail('Without a terminal there is no list to choose from.', `moat ${name} -c -p ${JSON.stringify(prompt)}`)
  return {
    continue: flags.continue,
    print,
    ...(prompt !== undefined && { prompt }),
    ...(flags.resume !== undefined && { resume: flags.resume === chosenLater ? true : flags.resume }),
    yolo: flags.yolo,
  }
}
