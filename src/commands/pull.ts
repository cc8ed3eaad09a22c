import { Args } from '@oclif/core'
import { inClone } from '../agents/find-clone.js'
import { type PulledClone, pullClone } from '../clones/pull-clone.js'
import type { CommandCompletion } from '../completion/completion-source.js'
import { CloneCommand } from '../terminal/clone-command.js'
import { formatPulled } from '../terminal/format-clones.js'

export default class Pull extends CloneCommand {
  static override args = {
    agent: Args.string({ description: 'Name of an agent that works, or has worked, in a clone', required: true }),
  }
  static override completion: CommandCompletion = { agent: 'clones' }
  static override description = `Fetch what an agent has committed in its clone, as branches moat/<agent>/<branch>
Nothing is merged or checked out, and nothing of the clone runs here. What is not committed there is shown.`
  static override enableJsonFlag = true
  static override examples = ['<%= config.bin %> pull dark-mode', '<%= config.bin %> pull dark-mode --json']

  async run(): Promise<PulledClone & { agent: string; repository: string }> {
    const { args } = await this.parse(Pull)
    return this.withClone(args.agent, async ({ clone, work }) => {
      const { agent, commonDir } = clone
      const pulled = await inClone(clone, work, (git) => pullClone(git, agent, commonDir))
      for (const line of formatPulled(agent, pulled)) this.log(line)
      return { ...pulled, agent, repository: commonDir }
    })
  }
}
