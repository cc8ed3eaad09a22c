// Owns adding a rule to a running agent: written down, told to whoever enforces it, and held to the user's own rules.
import { judge } from '../../approvals/judge.js'
import type { MoatPaths } from '../../config/paths.js'
import { loadSettings } from '../../config/settings.js'
import { shellQuote } from '../../config/shell-quote.js'
import { isOpen, openNetwork } from '../../egress/effective-policy.js'
import { addLiveRule } from '../../egress/live-rules.js'
import type { Effect, NetworkRule } from '../../egress/policy.js'
import { rulesOfText } from '../../egress/rules-of-text.js'
import { exitCodes, MoatError } from '../../errors.js'
import type { Agent } from '../../routing/agent.js'
import { syncRoutes } from '../../supervisor/control-client.js'

/** The rules that `text` stands for, for `agent`, as it was typed. Throws USAGE. */
export function parseRule(text: string, effect: Effect, agent: string): NetworkRule[] {
  const rules = rulesOfText(text, effect, `moat network ${effect}`)
  if (typeof rules !== 'string') return rules
  throw new MoatError('USAGE', `The rule ${JSON.stringify(text)} ${rules}${rules.endsWith('?') ? '' : '.'}`, {
    exit: exitCodes.usage,
    suggestions: [`moat network ${effect} ${shellQuote(agent)} packages.example.com`, 'moat network presets'],
  })
}

/** Throws FORBIDDEN for what config.yaml never allows, whoever asks for it. */
export async function assertMayAllow(text: string, { configFile }: Pick<MoatPaths, 'configFile'>): Promise<void> {
  const power = { key: 'network', name: 'network.rules', own: true, place: 'moat network allow', value: text } as const
  const [found] = (await judge([power], await loadSettings(configFile), [])).forbidden
  if (!found) return
  const rule = `never.network has ${JSON.stringify(found.pattern)}`
  throw new MoatError('FORBIDDEN', `Your ${configFile} forbids ${text}: ${rule}.`, { exit: exitCodes.usage })
}

/** Throws NETWORK_OPEN for an agent whose requests do not come by the gate, where no rule could hold. */
export async function changeNetwork(
  { name, network = openNetwork, runId }: Agent,
  rules: readonly NetworkRule[],
  paths: MoatPaths,
): Promise<void> {
  if (isOpen(network)) throw openAgent(name)
  for (const rule of rules) await addLiveRule(paths, runId, rule)
  await syncRoutes(paths.controlSocket)
}

function openAgent(name: string): MoatError {
  const message = `${name} was started without a policy, so it reaches everything, and no rule can hold for it now.`
  return new MoatError('NETWORK_OPEN', message, {
    suggestions: ['add network: {policy: strict} to its moat.yaml', `moat stop ${name}`],
  })
}
