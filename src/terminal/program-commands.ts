// Owns the commands of coding agents: for each that a package declares, one like the hidden command that all are made of.
import { type Command, Config, type Interfaces } from '@oclif/core'
import { type DeclaredProgram, declaredPrograms, templateCommand } from '../programs/declared-programs.js'

/** All plugins, with the commands of their coding agents. */
export async function pluginsWithPrograms(root: string): Promise<Map<string, Interfaces.Plugin>> {
  const { plugins } = await Config.load({ root })
  const all = [...plugins.values()]
  const template = all.flatMap(({ commands }) => commands).find(({ id }) => id === templateCommand)
  if (!template) return plugins
  const taken = new Set(all.flatMap(({ commands }) => commands.flatMap(({ aliases, id }) => [id, ...aliases])))
  for (const plugin of all) {
    for (const program of declaredPrograms(plugin.pjson)) {
      // Whoever came first has it: moat's own, then what it brings.
      if (taken.has(program.name)) continue
      taken.add(program.name)
      plugin.commands.push(programCommand(template, program, plugin))
    }
  }
  return plugins
}

function programCommand(
  template: Command.Loadable,
  { name, summary }: DeclaredProgram,
  plugin: Interfaces.Plugin,
): Command.Loadable {
  const own = {
    description: summary,
    examples: [
      `<%= config.bin %> ${name}`,
      `<%= config.bin %> ${name} ./my-app -- add a dark mode`,
      `<%= config.bin %> ${name} -p "Why does the build fail?"`,
      `<%= config.bin %> ${name} --worktree dark-mode`,
      `<%= config.bin %> ${name} -r`,
    ],
    hidden: false,
    id: name,
    usage: `${name} [PATH] [-p <text>] [-c | -r [<id>]] [--worktree <branch>] [--import] [--no-yolo] [-n <name>] [-e KEY=value]... [-- PROMPT...]`,
  }
  return {
    ...template,
    ...own,
    load: async () => {
      const found = await template.load()
      return Object.assign(class extends (found as unknown as new () => object) {}, own) as unknown as Command.Class
    },
    permutations: [name],
    ...(plugin.name !== undefined && { pluginName: plugin.name }),
    ...(plugin.type !== undefined && { pluginType: plugin.type }),
  }
}
