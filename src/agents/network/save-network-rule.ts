// Owns writing a rule that was added to a running agent into its moat.yaml, so that it is there at the next start, and so that the
// user, who has just asked for it, is not asked about it then.
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { approvalPlace } from '../../approvals/approval-place.js'
import { rulePowers, touchesRule } from '../../approvals/network-rules.js'
import { addApprovals, readApprovals } from '../../approvals/records.js'
import { addNetworkRule, type RuleItem, type RuleLine, ruleItemText } from '../../config/add-network-rule.js'
import { loadMoatYaml } from '../../config/moat-yaml.js'
import type { DeclaredRule } from '../../config/network-schema.js'
import type { MoatPaths } from '../../config/paths.js'
import { readWorkspaceText } from '../../config/read-config.js'
import { replaceFile } from '../../config/replace-file.js'
import { loadSettings } from '../../config/settings.js'
import { pathText, usualPorts } from '../../egress/decide.js'
import { baseOf, effectivePolicy, openNetwork } from '../../egress/effective-policy.js'
import type { NetworkRule } from '../../egress/policy.js'
import { MoatError } from '../../errors.js'

export interface SavedRule {
  /** What stands in moat.yaml now, or, where it could not be written, what to write under `network.rules`. */
  lines: string[]
  /** Why it was not written. */
  problem?: string
}

interface Addition {
  added: RuleItem | RuleLine
  /** All that moat.yaml declares with it. */
  declared: DeclaredRule[]
  line: string
}

type Paths = Pick<MoatPaths, 'approvals' | 'configFile' | 'worktrees'>

/** `text` is as it was typed, `rules` what it stands for. */
export async function saveNetworkRule(
  workspace: string,
  text: string,
  rules: readonly NetworkRule[],
  paths: Paths,
): Promise<SavedRule> {
  const file = join(workspace, 'moat.yaml')
  const loaded = await loadMoatYaml(workspace).catch((error) => {
    if (error instanceof MoatError) return error
    throw error
  })
  if (loaded instanceof MoatError) {
    const lines = additionsOf(text, rules, []).map(({ line }) => line)
    return { lines, problem: loaded.message.replace(/\.?$/, '') }
  }
  const before = loaded.config.network?.rules ?? []
  const additions = additionsOf(text, rules, before)
  const lines = additions.map(({ line }) => line)
  let content = await readWorkspaceText(file, loaded.displayFile)
  for (const { added } of additions) content = content === undefined ? undefined : addNetworkRule(content, added)
  if (content === undefined)
    return { lines, problem: `${loaded.displayFile} is written in a way that moat does not edit` }
  await replaceFile(file, content, (await stat(file)).mode & 0o777)
  await approve(workspace, before, additions.at(-1)?.declared ?? before, paths)
  return { lines }
}

/** The last of them ends up first, as the newest rule does in the running agent. */
function additionsOf(text: string, rules: readonly NetworkRule[], before: readonly DeclaredRule[]): Addition[] {
  const [, preset] = /^preset:\s*(.*)$/.exec(text.trim()) ?? []
  if (preset !== undefined && rules.every(({ effect }) => effect === 'allow')) {
    const declared = [{ rules: [...rules], text: `preset: ${preset}` }, ...before]
    return [{ added: { preset }, declared, line: `- preset: ${preset}` }]
  }
  const additions: Addition[] = []
  for (const rule of rules) {
    const declared = additions.at(-1)?.declared ?? [...before]
    additions.push(...(rule.paths ? withPaths(rule, declared) : [withHost(rule, declared)]))
  }
  return additions
}

function withHost(rule: NetworkRule, declared: readonly DeclaredRule[]): Addition {
  const target = rule.text.replace(/^deny: /, '')
  const added = rule.effect === 'deny' ? { deny: target } : target
  return { added, declared: [{ rules: [rule], text: rule.text }, ...declared], line: `- ${ruleItemText(added)}` }
}

/** What was said of its hosts goes on below: in the same list, or in lists that begin with the new line. */
function withPaths(rule: NetworkRule, declared: readonly DeclaredRule[]): Addition[] {
  const rules = declared.flatMap((one) => one.rules)
  const merged = effectivePolicy({ ...openNetwork, rules }, [rule]).rules.slice(0, -rules.length || undefined)
  const [first, ...more] = merged
  const index = declared.findIndex(({ key, rules: [own] }) => {
    return key !== undefined && own?.host === rule.host && own.port === rule.port
  })
  const there = declared[index]
  const [own] = there?.rules ?? []
  const ports = rule.port === undefined ? usualPorts : [rule.port]
  // Nothing before it is about the host, or else the line would be there in vain.
  const decides = ports.every((port) => baseOf(rule, rules, port) === own)
  if (there?.key !== undefined && own?.paths && first && more.length === 0 && decides) {
    const { key } = there
    const line = (rule.paths ?? []).map(pathText).join()
    const changed = { ...there, rules: [first], text: there.text.replace(`${key}: `, `${key}: ${line}, `) }
    return [
      {
        added: { index, key, line },
        declared: declared.with(index, changed),
        line: `- ${key}: [${JSON.stringify(line)}, …]`,
      },
    ]
  }
  let all = [...declared]
  // Each is put before the others.
  return merged.toReversed().map((one) => {
    const addition = withItem(one, all)
    all = [...addition.declared]
    return addition
  })
}

function withItem(rule: NetworkRule, declared: readonly DeclaredRule[]): Addition {
  const host = rule.host.includes(':') ? `[${rule.host}]` : rule.host
  const key = rule.port === undefined ? host : `${host}:${rule.port}`
  if (!rule.paths) return withHost({ ...rule, text: `deny: ${key}` }, declared)
  const added = { [key]: rule.paths.map(pathText) }
  const all = [{ key, rules: [rule], text: `${key}: ${added[key]?.join(', ')}` }, ...declared]
  return { added, declared: all, line: `- ${ruleItemText(added)}` }
}

/** Of what the user had allowed before, and of this rule: in the words that the next start will find. */
async function approve(
  workspace: string,
  before: readonly DeclaredRule[],
  after: readonly DeclaredRule[],
  { approvals, configFile, worktrees }: Paths,
): Promise<void> {
  if ((await loadSettings(configFile)).network.policy !== 'strict') return
  const place = await approvalPlace(workspace, worktrees)
  const known = (await readApprovals(approvals, place))?.powers ?? []
  const isKnown = (value: string) => known.some((power) => power.key === 'network' && power.value === value)
  const added = after.length - before.length
  const was = new Map(rulePowers(before).map(({ index, value }) => [index + added, value]))
  const values = [...was.values()]
  const powers = rulePowers(after).flatMap(({ index, value }) => {
    const old = was.get(index)
    const { key } = after[index] ?? {}
    // What was not allowed before is still to be asked about, whatever was added to the file; so is a list that goes on with it.
    const from = old !== undefined ? [old] : key === undefined ? [] : values.filter((one) => touchesRule(key, one))
    return from.every(isKnown) ? [{ key: 'network' as const, name: 'network.rules', value }] : []
  })
  if (powers.length > 0) await addApprovals(approvals, place, powers)
}
