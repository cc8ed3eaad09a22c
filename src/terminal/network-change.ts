// Owns `moat network allow` and `moat network deny`, which differ in a word.
import { Args, Flags } from '@oclif/core'
import { runningAgent } from '../agents/find-agent.js'
import { assertMayAllow, changeNetwork, parseRule } from '../agents/network/change-network.js'
import { type SavedRule, saveNetworkRule } from '../agents/network/save-network-rule.js'
import type { CommandCompletion } from '../completion/completion-source.js'
import { visible } from '../config/visible.js'
import type { Effect, NetworkRule } from '../egress/policy.js'
import { MoatCommand } from './moat-command.js'

/** What `--json` prints. */
export interface NetworkChange {
  agent: string
  rules: NetworkRule[]
  runId: string
  /** Present with --save. */
  saved?: SavedRule
}

/** Two commands, for people say what they mean by the verb. */
export abstract class NetworkChangeCommand extends MoatCommand {
  static override args = {
    agent: Args.string({ description: 'Name, run id, or the beginning of a run id', required: true }),
    rule: Args.string({ description: 'E.g. api.example.com, "*.example.com", preset:npm', required: true }),
  }
  static override completion: CommandCompletion = { agent: 'running-agents' }
  static override enableJsonFlag = true
  static override flags = {
    save: Flags.boolean({ description: 'Also write the rule into the moat.yaml of the agent' }),
  }

  protected async change(effect: Effect, { agent: asked, rule: text }: { agent: string; rule: string }, save: boolean) {
    const rules = parseRule(text, effect, asked)
    if (effect === 'allow') await assertMayAllow(text, this.paths)
    const { agents } = await (await this.connectEngine()).listAgents()
    const agent = runningAgent(agents, asked)
    await changeNetwork(agent, rules, this.paths)
    const verb = effect === 'allow' ? 'may now reach' : 'may no longer reach'
    this.log(`${agent.name} ${verb} ${visible(text)}, until it ends.`)
    const changed: NetworkChange = { agent: agent.name, rules, runId: agent.runId }
    return save ? { ...changed, saved: await this.#save(agent.workspace, text, rules) } : changed
  }

  async #save(workspace: string, text: string, rules: NetworkRule[]): Promise<SavedRule> {
    const saved = await saveNetworkRule(workspace, text, rules, this.paths)
    const lines = saved.lines.map((line) => `  ${visible(line)}`)
    if (saved.problem === undefined)
      this.log([`Written into ${visible(workspace)}/moat.yaml, under network.rules:`, ...lines].join('\n'))
    else this.logToStderr([`Not written: ${visible(saved.problem)}. Add under network.rules:`, ...lines].join('\n'))
    return saved
  }
}
