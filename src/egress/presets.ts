// Owns the presets: reading data/network-presets.yaml.
import { readFileSync } from 'node:fs'
import { load } from 'js-yaml'
import { z } from 'zod'
import type { NetworkRule } from './policy.js'
import { readTarget } from './read-rule.js'

export interface NetworkPreset {
  /** What it is for. */
  for: string
  hosts: string[]
  name: string
}

const words = z.string().min(1)
const schema = z.record(words, z.strictObject({ for: words, hosts: z.array(words).min(1) }))
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
    ?.hosts.map((text) => ({ effect: 'allow', place: `preset ${name}`, text, ...targetOf(text) }))
}

function read(): ReadonlyMap<string, NetworkPreset> {
  const file = new URL('../../data/network-presets.yaml', import.meta.url)
  const entries = Object.entries(schema.parse(load(readFileSync(file, 'utf8'))))
  return new Map(entries.toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([name, preset]) => [name, { name, ...preset }]))
}

/** Throws for what only a broken installation can have. */
function targetOf(text: string) {
  const target = readTarget(text)
  if (typeof target === 'string') throw new Error(`network-presets.yaml: ${text} ${target}`)
  return target
}
