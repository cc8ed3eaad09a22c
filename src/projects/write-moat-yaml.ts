// Owns the text of a new moat.yaml.
import { dump } from 'js-yaml'
import type { Project } from './project.js'

/** A moat.yaml for a project, as a person would write it: short lists in one line. */
export function moatYamlFor({ command, dependencies, env, evidence, name, port }: Project): string {
  const lines = [
    `# ${evidence.length > 0 ? `From ${evidence.join(', ')}.` : 'Nothing here said how the project is run: fill it in.'}`,
    ...(name === undefined ? [] : [`name: ${inline(name)}`]),
    ...(dependencies.length === 0 ? [] : [`dependencies: ${inline(dependencies)}`]),
    `ports: {web: ${port ?? 3000}}`,
    command === undefined ? '# command: ["npm", "start"]' : `command: ${inline(command)}`,
    ...(env === undefined ? [] : [`env: ${inline(env)}`]),
  ]
  return `${lines.join('\n')}\n`
}

function inline(value: unknown): string {
  return dump(value, { flowLevel: 0, lineWidth: -1 }).trimEnd()
}
