// Owns the script that makes a shell complete moat's commands.
import { readFile } from 'node:fs/promises'
import { shellQuote } from '../config/shell-quote.js'

export const shells = ['bash', 'zsh'] as const
export type Shell = (typeof shells)[number]

export interface Program {
  /** Path of the file that Node runs. */
  file: string
  node: string
}

/** The script for `shell`. It asks the very moat that printed it; once that has moved, the one on PATH. */
export async function shellScript(shell: Shell, program: Program): Promise<string> {
  const template = await readFile(new URL(`../../data/completion/moat.${shell}`, import.meta.url), 'utf8')
  return template
    .replaceAll('@NODE@', () => shellQuote(program.node))
    .replaceAll('@FILE@', () => shellQuote(program.file))
}

/** The shell of a path such as $SHELL, if completion is there for it. */
export function shellOf(path: string | undefined): Shell | undefined {
  return shells.find((shell) => path?.split('/').at(-1) === shell)
}
