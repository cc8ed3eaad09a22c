// Owns `moat network allow` and `moat network deny`, which differ in a word.
import { Args, Flags } from '@oclif/core'
import { assertMayAllow, changeNetwork, parseRule } from '../agents/change-network.js'
import { runningAgent } from '../agents/find-agent.js'
import { type SavedRule, saveNetworkRule } from '../agents/save-network-rule.js'
import type { MoatPaths } from '../config/paths.js'
import type { Effect, NetworkRule } from '../egress/policy.js'
import type { Engine } from '../engine/engine.js'
import { visible } from './visible.js'

export const networkChangeArgs = {
  agent: Args.string({ description: 'Name, run id, or the beginning of a run id', required: true }),
  rule: Args.string({ description: 'E.g. api.example.com, "*.example.com", preset:npm', required: true }),
}

export const networkChangeFlags = {
  save: Flags.boolean({ description: 'Also write the rule into the moat.yaml of the agent' }),
}

/** What `--json` prints. */
export interface NetworkChange {
  agent: string
  rules: NetworkRule[]
  runId: string
  /** Present with --save. */
  saved?: SavedRule
}

export interface NetworkChangeOptions {
  agent: string
  engine: () => Promise<Engine>
  log: (line: string) => void
  note: (line: string) => void
  paths: MoatPaths
  rule: string
  save: boolean
}

export async function networkChange(effect: Effect, options: NetworkChangeOptions): Promise<NetworkChange> {
  const { log, note, paths, rule: text, save } = options
  const rules = parseRule(text, effect)
  if (effect === 'allow') await assertMayAllow(text, paths)
  const { agents } = await (await options.engine()).listAgents()
  const agent = runningAgent(agents, options.agent)
  await changeNetwork(agent, rules, paths)
  const verb = effect === 'allow' ? 'may now reach' : 'may no longer reach'
  log(`${agent.name} ${verb} ${visible(text)}, until it ends.`)
  const changed = { agent: agent.name, rules, runId: agent.runId }
  if (!save) return changed
  const saved = await saveNetworkRule(agent.workspace, text, rules, paths)
  const lines = saved.lines.map((line) => `  ${visible(line)}`)
  if (saved.problem === undefined)
    log([`Written into ${visible(agent.workspace)}/moat.yaml, under network.rules:`, ...lines].join('\n'))
  else note([`Not written: ${visible(saved.problem)}. Add under network.rules:`, ...lines].join('\n'))
  return { ...changed, saved }
}
