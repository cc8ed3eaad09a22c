// Owns the schema of `network:` in moat.yaml: what it may hold, and what is said when it does not.
import { z } from 'zod'
import type { NetworkRule, PathRule, PolicyMode } from '../egress/policy.js'
import { networkPresets, presetMeant, presetRules } from '../egress/presets.js'
import { readPathRule, readTarget } from '../egress/read-rule.js'
import { nearestName } from '../routing/nearest-name.js'
import { needed } from './needed.js'
import { collectionError, dnsLabel, leaf, mustBe } from './schema-parts.js'

/** One item of `rules`. */
export interface DeclaredRule {
  /** Of a host with lines about paths: its key, as it is written. */
  key?: string
  /** More than one for a preset. */
  rules: NetworkRule[]
  /** The whole of it on one line, without what does not matter. */
  text: string
}

interface Problem {
  message: string
  params?: { at: 'key' }
  path: PropertyKey[]
}

/** They travel in a label, and every request is judged by them. */
const mostRules = 500
const mostLines = 100
const mostItems = 100

function atMost(most: number) {
  return (all: readonly unknown[], context: z.RefinementCtx) => {
    if (all.length > most)
      context.addIssue({ code: 'custom', message: `has ${all.length} items; at most ${most} are allowed` })
  }
}

const forms =
  'a host such as "packages.example.com", {api.example.com: ["allow GET /x/**"]}, {deny: "*.example.com"} or {preset: npm}'

/** A union would report the problems of every form. */
const rule = needed(() =>
  z.unknown().transform((value, context): DeclaredRule => {
    const problems: Problem[] = []
    const declared = readRule(value, problems)
    for (const problem of problems) context.addIssue({ code: 'custom', ...problem })
    return problems.length === 0 && declared ? declared : z.NEVER
  }),
)

function readRule(value: unknown, problems: Problem[]): DeclaredRule | undefined {
  if (typeof value === 'string') return hostRule(value, 'allow', [], problems)
  const add = (message: string, path: PropertyKey[] = []) => void problems.push({ message, path })
  if (!(value instanceof Object) || Array.isArray(value)) return add(mustBe(forms, value))
  const entries = Object.entries(value)
  const [entry, ...others] = entries
  if (!entry) return add(`is empty; it must be ${forms}`)
  if (others.length > 0) return add('has more than one key; each host is an item of its own')
  const [key, content] = entry
  if (key === 'preset') return presetRule(content, problems)
  if (key !== 'deny' && key !== 'allow') return pathsRule(key, content, problems)
  if (typeof content === 'string') return hostRule(content, key, [key], problems)
  return add(
    mustBe(`a host such as {${key}: "*.example.com"}; lines about paths stand under the host itself`, content),
    [key],
  )
}

function hostRule(
  text: string,
  effect: NetworkRule['effect'],
  path: PropertyKey[],
  problems: Problem[],
): DeclaredRule | undefined {
  const meant = presetMeant(text)
  if (meant !== undefined) {
    const instead =
      effect === 'allow' ? `write {preset: ${meant}}` : 'moat network presets lists its hosts, to be denied'
    const message = `names a preset; ${instead}, or "${meant}:443" for a host of that name`
    return void problems.push({ message, path })
  }
  const target = readTarget(text)
  if (typeof target === 'string') return void problems.push({ message: target, path })
  const shown = effect === 'deny' ? `deny: ${text}` : text
  return { rules: [{ effect, ...target, text: shown }], text: shown }
}

function pathsRule(key: string, content: unknown, problems: Problem[]): DeclaredRule | undefined {
  const target = readTarget(key)
  if (typeof target === 'string')
    problems.push({ message: `the host ${JSON.stringify(key)} ${target}`, params: { at: 'key' }, path: [key] })
  const expected = 'a list of lines such as ["allow GET /repos/**", "deny * /**"]'
  if (!Array.isArray(content) || content.length === 0) {
    const hint =
      typeof content === 'string' && typeof readPathRule(content) === 'object'
        ? `; write [${JSON.stringify(content)}]`
        : ''
    const empty = Array.isArray(content) ? `is empty; it must be ${expected}` : mustBe(expected, content)
    return void problems.push({ message: `${empty}${hint}`, path: [key] })
  }
  const paths = content.flatMap((line: unknown, index): PathRule[] => {
    const path = typeof line === 'string' ? readPathRule(line) : mustBe('text such as "allow GET /repos/**"', line)
    if (typeof path === 'object') return [path]
    problems.push({ message: path, path: [key, index] })
    return []
  })
  if (content.length > mostLines)
    problems.push({ message: `has ${content.length} lines; at most ${mostLines} are allowed`, path: [key] })
  if (typeof target === 'string') return undefined
  return { key, rules: [{ effect: 'allow', ...target, paths, text: key }], text: `${key}: ${content.join(', ')}` }
}

function presetRule(name: unknown, problems: Problem[]): DeclaredRule | undefined {
  const rules = typeof name === 'string' ? presetRules(name) : undefined
  if (rules) return { rules, text: `preset: ${name}` }
  const nearest = typeof name === 'string' ? nearestName(name, [...networkPresets().keys()]) : undefined
  const hint = nearest === undefined ? 'moat network presets lists them' : `did you mean ${JSON.stringify(nearest)}?`
  return void problems.push({ message: `${mustBe('the name of a preset', name)}; ${hint}`, path: ['preset'] })
}

const hostPort = needed(() =>
  leaf<number>(
    'a port number from 1 to 65535 on which your machine listens',
    (value) => Number.isInteger(value) && Number(value) >= 1 && Number(value) <= 65_535,
  ),
)

export const policyMode = needed(() =>
  leaf<PolicyMode>('strict or permissive', (value) => value === 'strict' || value === 'permissive'),
)

export const network = needed(() =>
  z.strictObject(
    {
      host: once(
        z.array(hostPort(), { error: collectionError('a list of ports of your machine such as [5432]') }),
      ).optional(),
      peers: once(
        z.array(dnsLabel(), { error: collectionError('a list of names of agents such as [checkout]') }),
      ).optional(),
      policy: policyMode().optional(),
      rules: z
        .array(rule(), { error: collectionError('a list of rules such as [packages.example.com]') })
        .superRefine(atMost(mostRules))
        .optional(),
    },
    { error: collectionError('a mapping such as {policy: strict, rules: [packages.example.com]}') },
  ),
)

function once<T extends z.ZodType<(number | string)[]>>(list: T) {
  return list.superRefine((all, context) => {
    atMost(mostItems)(all, context)
    for (const [index, item] of all.entries()) {
      const first = all.indexOf(item)
      if (first < index) context.addIssue({ code: 'custom', message: `is already the item [${first}]`, path: [index] })
    }
  })
}
