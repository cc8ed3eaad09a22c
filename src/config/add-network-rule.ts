// Owns adding a rule to the text of a moat.yaml: at the front of `network.rules`, with nothing else of the file changed. Pure.
import { isDeepStrictEqual } from 'node:util'
import { lineColumn } from './problems.js'
import { readYaml, type YamlPath, type YamlSource } from './yaml-source.js'

/** A rule as moat.yaml has it: text, or a mapping of one key. */
export type RuleItem = string | Record<string, string | string[]>

/** A line to be added to the list of an item that is there. */
export interface RuleLine {
  /** Of the item. */
  index: number
  key: string
  line: string
}

/** Undefined for a text in which that cannot be done without changing something else. */
export function addNetworkRule(text: string, added: RuleItem | RuleLine): string | undefined {
  const source = readYaml(text)
  if (!source || source.problems.length > 0) return undefined
  const changed = isLine(added)
    ? addTo(text, source, ['network', 'rules', added.index, added.key], quoted(added.line), quoted(added.line))
    : addItem(text, source, added)
  // Whatever way it is written, it has to mean what was there before, and the rule.
  return changed !== undefined && means(changed, expected(source.value, added)) ? changed : undefined
}

/** As it is written in a list, a line of its own. */
export function ruleItemText(item: RuleItem): string {
  if (typeof item === 'string') return quoted(item)
  const [[key = '', value = ''] = []] = Object.entries(item)
  return `${quoted(key)}: ${Array.isArray(value) ? `[${value.map((line) => JSON.stringify(line)).join(', ')}]` : quoted(value)}`
}

function addItem(text: string, source: YamlSource, item: RuleItem): string | undefined {
  const block = ruleItemText(item)
  const flow = typeof item === 'string' ? block : `{${block}}`
  if (source.keysAt(['network']).includes('rules')) return addTo(text, source, ['network', 'rules'], block, flow)
  if (source.keysAt([]).includes('network')) {
    return addKey(text, source, ['network'], (indent) => `rules:\n${indent}  - ${block}`, `rules: [${flow}]`)
  }
  const rest = `network:\n  rules:\n    - ${block}\n`
  if (text[source.offsetOf([])] !== '{') return `${text}${text.endsWith('\n') ? '' : '\n'}${rest}`
  return addKey(text, source, [], () => rest, `network: {rules: [${flow}]}`)
}

/** At the front of a list, in whichever of the two ways it is written. */
function addTo(text: string, source: YamlSource, path: YamlPath, block: string, flow: string): string | undefined {
  const offset = source.offsetOf(path)
  if (text[offset] === '[') return insertFlow(text, offset, flow, ']')
  const indent = ' '.repeat(lineColumn(text, offset).column - 1)
  if (/^-\s/.test(text.slice(offset))) return insert(text, offset, `- ${block}\n${indent}`)
  return insertBelow(text, source, path, (own) => `${own}  - ${block}`)
}

function addKey(
  text: string,
  source: YamlSource,
  path: YamlPath,
  block: (indent: string) => string,
  flow: string,
): string | undefined {
  const offset = source.offsetOf(path)
  if (text[offset] === '{') return insertFlow(text, offset, flow, '}')
  const [first] = source.keysAt(path)
  if (first === undefined) return insertBelow(text, source, path, (indent) => `${indent}  ${block(`${indent}  `)}`)
  const at = source.offsetOf([...path, first], 'key')
  const indent = ' '.repeat(lineColumn(text, at).column - 1)
  return insert(text, at, `${block(indent)}\n${indent}`)
}

/** Below a key that is there and has no value. */
function insertBelow(text: string, source: YamlSource, path: YamlPath, line: (indent: string) => string): string {
  const key = source.offsetOf(path, 'key')
  const end = text.indexOf('\n', key)
  const at = end < 0 ? text.length : end
  return insert(text, at, `\n${line(' '.repeat(lineColumn(text, key).column - 1))}`)
}

function insertFlow(text: string, offset: number, item: string, end: string): string {
  const isEmpty = text
    .slice(offset + 1)
    .trimStart()
    .startsWith(end)
  return insert(text, offset + 1, isEmpty ? item : `${item}, `)
}

function insert(text: string, offset: number, added: string): string {
  return `${text.slice(0, offset)}${added}${text.slice(offset)}`
}

function expected(value: unknown, added: RuleItem | RuleLine): unknown {
  const all = structuredClone(value ?? {}) as { network?: { rules?: unknown[] | null } | null }
  all.network ??= {}
  const rules = all.network.rules ?? []
  all.network.rules = rules
  if (isLine(added)) (rules[added.index] as Record<string, unknown[]>)[added.key]?.unshift(added.line)
  else rules.unshift(added)
  return all
}

function means(text: string, value: unknown): boolean {
  try {
    const source = readYaml(text)
    return source !== undefined && source.problems.length === 0 && isDeepStrictEqual(source.value, value)
  } catch {
    return false
  }
}

function isLine(added: RuleItem | RuleLine): added is RuleLine {
  return typeof added !== 'string' && 'index' in added
}

/** Text that is no more than a name needs no quotes. */
function quoted(text: string): string {
  const isName = /^[a-z][a-z0-9.-]*[a-z0-9]$/.test(text) && !/^(true|false|null|yes|no|on|off)$/.test(text)
  return isName ? text : JSON.stringify(text)
}
