// Owns a shell's question: what may stand at the cursor? It is asked at every press of TAB, so oclif and dockerode stay
// out of it, it never takes long, and what goes wrong is not said: an error would land in the line being typed.
import { moatHome } from '../config/moat-home.js'
import { pluginDirectory } from '../config/oclif-settings.js'
import { readCommandTable } from './command-table.js'
import type { Candidate } from './completion-source.js'
import { findCompletion } from './find-completion.js'
import { splitLine } from './split-line.js'

/**
 * The answer to `bash <COMP_WORDBREAKS> <line up to the cursor>` or `zsh <words after the program>…`. Its first line is
 * `files`, `directories` or `words`: what the shell is to complete itself. Each further line is a candidate, a tab, and
 * what to say of it.
 */
export async function answer(question: readonly string[], env: NodeJS.ProcessEnv = process.env): Promise<string> {
  try {
    const [shell, ...rest] = question
    const [breaks = '', line = ''] = rest
    const bash = splitLine(line, breaks)
    const { kept, words } = shell === 'bash' ? { ...bash, words: bash.words.slice(1) } : { kept: 0, words: rest }
    return await answerWords(words, kept, env)
  } catch (error) {
    if (env.DEBUG) throw error
    return ''
  }
}

async function answerWords(words: readonly string[], kept: number, env: NodeJS.ProcessEnv): Promise<string> {
  const plugins = pluginDirectory(env)
  const { agent, candidates, prefix, source, typed } = findCompletion(await readCommandTable(plugins), words)
  const kind = source === 'files' || source === 'directories' ? source : 'words'
  const live: Candidate[] = []
  if (source && kind === 'words') {
    const { liveValues } = await import('./live-values.js')
    live.push(...(await liveValues(source, { agent, env, home: moatHome(env), plugins, typed })))
  }
  const fitting = [...candidates, ...live].filter(({ value }) => value.startsWith(typed))
  const lines = fitting.flatMap(({ description, value }) => {
    const text = (prefix + value).slice(kept)
    // oclif's own commands have their texts as templates.
    const about = (description.split('\n')[0] ?? '').replaceAll('<%= config.bin %>', 'moat')
    // No word that a person could type has such characters, and a terminal would obey them.
    return hasControls(text) ? [] : [`${text}\t${hasControls(about) ? '' : about}`]
  })
  return `${[kind, ...lines].join('\n')}\n`
}

function hasControls(text: string): boolean {
  return /\p{Cc}/u.test(text)
}
