// Owns the presets: reading data/network-presets.yaml.
import { z } from 'zod'
import { ownData } from '../config/own-data.js'
import type { NetworkRule } from './policy.js'
import { readRuleText } from './read-rule.js'

export interface NetworkPreset {
  /** What it is for. */
  for: string
  /** As rules on the command line: some with a method and a path. */
  hosts: string[]
  name: string
  /** Where its makers name them. */
  see: string
}

let known: ReadonlyMap<string, NetworkPreset> | undefined

/** Every preset by its name, in alphabetical order. */
export function networkPresets(): ReadonlyMap<string, NetworkPreset> {
  known ??= read()
  return known
}

/** The rules that a preset stands for; undefined when there is none of that name. */
export function presetRules(name: string): NetworkRule[] | undefined {
  return networkPresets()
    .get(name)
    ?.hosts.map((text) => ({ place: `preset ${name}`, ...ruleOf(text) }))
}

/** The preset that a text names where a host is asked for: as a host, it would be allowed and never met. */
export function presetMeant(text: string): string | undefined {
  const [, name = ''] = /^(?:presets?\s*[:=]?\s*)?([a-z-]+)$/i.exec(text.trim()) ?? []
  return networkPresets().get(name.toLowerCase())?.name
}

/** The schema is made when the file is read, which few commands do. */
function read(): ReadonlyMap<string, NetworkPreset> {
  const words = z.string().min(1)
  const schema = z.record(words, z.strictObject({ for: words, hosts: z.array(words).min(1), see: z.url() }))
  const entries = Object.entries(schema.parse(ownData('network-presets')))
  return new Map(entries.toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([name, preset]) => [name, { name, ...preset }]))
}

/** Throws for what only a broken installation can have. */
function ruleOf(text: string) {
  const rule = readRuleText(text, 'allow')
  if (typeof rule === 'string') throw new Error(`network-presets.yaml: ${text} ${rule}`)
  return rule
}
