import { Args, Flags } from '@oclif/core'
import { supervisorsList } from '../agents/look-around.js'
import { type StoppedAgent, stopAgents } from '../agents/stop-agent.js'
import type { CommandCompletion } from '../completion/completion-source.js'
import { chosenAgents } from '../terminal/agent-choice.js'
import { MoatCommand } from '../terminal/moat-command.js'
import { terminalProgress } from '../terminal/progress.js'

export default class Stop extends MoatCommand {
  static override args = {
    agent: Args.string({ description: 'Names, run ids, or beginnings of run ids' }),
  }
  static override completion: CommandCompletion = { agent: 'agents' }
  static override description = 'Stop agents; returns when their containers and their routes are gone'
  static override enableJsonFlag = true
  static override examples = [
    '<%= config.bin %> stop dark-mode',
    '<%= config.bin %> stop dark-mode checkout',
    '<%= config.bin %> stop run_a1b2c3d4e5f6',
    '<%= config.bin %> stop --all',
  ]
  static override flags = { all: Flags.boolean({ char: 'a', description: 'Stop all agents that are running' }) }
  static override strict = false
  static override usage = ['stop AGENT...', 'stop --all']

  /** One agent as itself, as it always was. */
  async run(): Promise<StoppedAgent | { agents: StoppedAgent[] }> {
    const { argv, flags } = await this.parse(Stop)
    const choice = chosenAgents('stop', argv as string[], flags.all)
    const proxy = await this.proxyOptionsAnyway()
    const connecting = this.connectEngine({ note: false })
    connecting.catch(() => {})
    const known = await supervisorsList(connecting, proxy)
    const engine = await (known ? connecting : this.withEngineNote(connecting))
    const title = choice === 'all' ? 'Stopping all agents' : `Stopping ${choice.join(', ')}`
    const reviews = new Map<string, Promise<string[]>>()
    // While their containers are removed.
    const review = async (runId: string) => {
      const { reviewLines } = await import('../terminal/tell-review.js')
      return reviewLines(this.paths, runId)
    }
    const onEnded = ({ runId }: StoppedAgent) => reviews.set(runId, review(runId))
    const step = <T>(action: () => Promise<T>) => terminalProgress().step(title, action)
    const agents = await stopAgents(engine, proxy, choice, { known, onEnded, step, tell: this.tellGone() })
    for (const { name, runId } of agents) {
      for (const line of (await reviews.get(runId)) ?? []) this.logToStderr(line)
      this.log(`Stopped ${name} (${runId}).`)
    }
    if (agents.length === 0) this.logToStderr('No agents are running.')
    const [only, ...others] = agents
    return only && others.length === 0 && choice !== 'all' ? only : { agents }
  }
}
