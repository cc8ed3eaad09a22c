// Owns the text of a new moat.yaml.
import { dump } from 'js-yaml'
import { shellQuote } from '../config/shell-quote.js'
import type { Project } from './project.js'

/** A moat.yaml for a project, as a person would write it: short lists in one line. */
export function moatYamlFor(project: Project): string {
  const { dependencies, env, evidence, name, port } = project
  const lines = [
    `# ${evidence.length > 0 ? `From ${evidence.join(', ')}.` : 'Nothing here said how the project is run: fill it in.'}`,
    ...(name === undefined ? [] : [`name: ${inline(name)}`]),
    ...(dependencies.length === 0 ? [] : [`dependencies: ${inline(dependencies)}`]),
    `ports: {web: ${port ?? 3000}}`,
    ...commandLines(project),
    ...(env === undefined ? [] : [`env: ${inline(env)}`]),
  ]
  return `${lines.join('\n')}\n`
}

/** Not as hooks.pre_run, which every other user of the file would be asked about: a command may do so anyway. */
function commandLines({ command, install }: Project): string[] {
  if (!install) return [command === undefined ? '# command: ["npm", "start"]' : `command: ${inline(command)}`]
  // A text may be more than one program, so only a list takes the shell's place.
  const run = typeof command === 'string' ? command : command && `exec ${command.map(shellQuote).join(' ')}`
  const step = install.done === undefined ? install.command : `${install.done} || ${install.command}`
  const lines = [
    `# The first line installs what ${install.from} says; the second runs the project.`,
    'command: |',
    `  ${step} || exit`,
    `  ${run ?? '<how the project is run>'}`,
  ]
  return run === undefined ? lines.map((line) => (line.startsWith('#') ? line : `# ${line}`)) : lines
}

function inline(value: unknown): string {
  return dump(value, { flowLevel: 0, lineWidth: -1 }).trimEnd()
}
