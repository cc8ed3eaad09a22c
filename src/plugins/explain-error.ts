// Owns what a person reads when `moat plugins` fails. oclif's own texts name npm's command line, or nothing at all.
import { exitCodes, isExit, isOclifError, MoatError, type MoatErrorOptions, messageOf } from '../errors.js'

interface Explanation extends MoatErrorOptions {
  message: string
}

type Explain = (match: RegExpMatchArray, words: string[]) => Explanation

const explanations: [RegExp, Explain][] = [
  [
    /^(\S+) does not exist in the registry/,
    ([, name = '']) => ({
      message: `npm cannot find the package ${name}: it does not exist, or the registry cannot be reached.`,
      suggestions: [`npm view ${name}`, 'moat plugins install ./<file>.tgz', 'moat plugins link <directory>'],
    }),
  ],
  [
    /^(?:\S+ )+exited with code \d+/,
    (_, [, ...names]) => ({
      message: `npm failed; its output is above. Nothing was installed or removed.`,
      suggestions: [['moat plugins', ...names].join(' ')],
    }),
  ],
  [
    /^(.+?) (?:is )?not installed/,
    ([, name = '']) => ({
      exit: exitCodes.usage,
      message: name === '.' ? 'Say which plugin.' : `There is no plugin ${name}.`,
      suggestions: ['moat plugins'],
    }),
  ],
  [
    /package\.json/,
    (_, [, verb = '', path = '.']) => ({
      exit: exitCodes.usage,
      message: verb === 'inspect' ? 'Say which plugin to inspect.' : `${path} is not a plugin: it has no package.json.`,
      suggestions: verb === 'inspect' ? ['moat plugins'] : ['moat plugins link <directory with a package.json>'],
    }),
  ],
  [
    /^plugin is invalid/,
    (_, [, , path = 'The package']) => ({
      exit: exitCodes.usage,
      message: `${path} is not a plugin: its package.json has no "oclif" section.`,
      suggestions: ['add "oclif": {"hooks": {…}} or {"commands": "./commands"} to its package.json'],
    }),
  ],
]

/** An error of `moat plugins …` in moat's words; any other error as it is. `argv` is what was typed after `moat`. */
export function explainPluginError(error: unknown, argv: readonly string[]): unknown {
  if (error instanceof MoatError || isExit(error)) return error
  const words = argv.flatMap((word) => (word.startsWith('-') ? [] : word.split(':')))
  const message = messageOf(error)
  for (const [pattern, explain] of explanations) {
    const match = pattern.exec(message)
    if (!match) continue
    const { message: text, ...options } = explain(match, words)
    return new MoatError('PLUGIN_FAILED', text, { ...options, cause: error })
  }
  // Wrong flags and the like, which oclif explains with the command's usage.
  if (isOclifError(error)) return error
  return new MoatError('PLUGIN_FAILED', message, { cause: error, suggestions: ['moat plugins'] })
}
