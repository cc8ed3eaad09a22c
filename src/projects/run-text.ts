// Owns what a command comes to: the command, with the scripts of package.json that it names.
import type { ReadProjectFile } from './project.js'

type Json = Record<string, unknown>

/** A line each: a command is known by how it ends, too. */
export async function runText(command: string[], read: ReadProjectFile): Promise<string> {
  const text = await read('package.json')
  const json = text === undefined ? undefined : (JSON.parse(text) as { scripts?: unknown } | null)
  return withScripts(command, typeof json?.scripts === 'object' && json.scripts !== null ? (json.scripts as Json) : {})
}

/** The command with the scripts that it names, and those that they name. */
export function withScripts(command: string[], scripts: Json): string {
  const named = (text: string) =>
    text.split(/[^\w:.-]+/).flatMap((word) => (Object.hasOwn(scripts, word) ? [String(scripts[word])] : []))
  const first = named(command.join(' '))
  return [command.join(' '), ...first, ...first.flatMap(named)].join('\n')
}
