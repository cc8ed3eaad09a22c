import { Args, Flags } from '@oclif/core'
import { clonesToDestroy, destroyClones } from '../agents/destroy-clones.js'
import { destroyAgents, type StoppedAgent } from '../agents/stop-agent.js'
import type { CommandCompletion } from '../completion/completion-source.js'
import { exitCodes, MoatError } from '../errors.js'
import { chosenAgents } from '../terminal/agent-choice.js'
import { CloneCommand } from '../terminal/clone-command.js'
import { confirm } from '../terminal/confirm.js'
import { tellReview } from '../terminal/tell-review.js'

export default class Destroy extends CloneCommand {
  static override aliases = ['rm']
  static override args = {
    agent: Args.string({ description: 'Names, run ids, or beginnings of run ids' }),
  }
  static override completion: CommandCompletion = { agent: 'agents' }
  static override description = `Remove agents at once, running or not, kept or not
The clone of one that works in a clone goes too; not with what is nowhere else, unless --force says so.`
  static override enableJsonFlag = true
  static override examples = ['<%= config.bin %> destroy dark-mode', '<%= config.bin %> destroy --all --force']
  static override flags = {
    all: Flags.boolean({ char: 'a', description: 'Remove all agents' }),
    force: Flags.boolean({ char: 'f', description: 'With --all: do not ask. Clones go with what was not pulled' }),
  }
  static override strict = false
  static override usage = ['destroy AGENT...', 'destroy --all']

  /** One agent as itself, as it always was. */
  async run(): Promise<StoppedAgent | { agents: StoppedAgent[] }> {
    const { argv, flags } = await this.parse(Destroy)
    const choice = chosenAgents('destroy', argv as string[], flags.all)
    const work = await this.cloneWork(new AbortController().signal)
    const { engine } = work
    if (choice === 'all' && !flags.force && !(await this.#confirmed())) return { agents: [] }
    const clones = await clonesToDestroy(work, choice, flags.force)
    const agents = await destroyAgents(engine, await this.proxyOptionsAnyway(), choice, this.tellGone())
    const gone = await destroyClones(work, clones)
    for (const { name, runId } of agents) {
      if (gone.includes(name)) this.log(`Destroyed the clone of ${name}.`)
      else await tellReview(this.paths, runId, (line) => this.logToStderr(line))
      this.log(`Destroyed ${name} (${runId}).`)
    }
    if (agents.length === 0) this.logToStderr('There are no agents.')
    const [only, ...others] = agents
    return only && others.length === 0 && choice !== 'all' ? only : { agents }
  }

  async #confirmed(): Promise<boolean> {
    const agreed = this.jsonEnabled()
      ? undefined
      : await confirm('Remove all agents, with what is in their containers?')
    if (agreed !== undefined) return agreed
    throw new MoatError('USAGE', 'Without a terminal, moat destroy --all does not ask and removes nothing.', {
      exit: exitCodes.usage,
      suggestions: ['moat destroy --all --force', 'moat stop --all'],
    })
  }
}
