// Owns reading YAML without losing where things stand: the value, and for every path in it a position and its text.
import {
  constructFromEvents,
  EVENT_ID,
  type Event,
  getScalarValue,
  parseEvents,
  SCALAR_STYLE,
  YAMLException,
} from 'js-yaml'
import { lineColumn, type Problem } from './problems.js'

/** Keys and indexes from the top of a document, as in a zod issue. */
export type YamlPath = readonly PropertyKey[]

type ScalarEvent = Extract<Event, { type: typeof EVENT_ID.SCALAR }>

interface Node {
  /** By key, in the order of the file. The last of duplicate keys stands, as in `value`. */
  entries: Map<string, { keyOffset: number; node: Node }>
  items: Node[]
  /** -1 for a value left empty, which stands nowhere. */
  offset: number
  /** Of a scalar: its text as written, without quotes and escapes. */
  text: string | undefined
}

/** A YAML document: `problems` are those that do not keep it from being read, such as duplicate keys. */
export interface YamlSource {
  /** Offset of what is at a path: of its key, if asked and if it has one, else of its value. */
  offsetOf(path: YamlPath, part?: 'key' | 'value'): number
  /** The keys of the mapping at a path in the order of the file; none if there is no mapping. */
  keysAt(path: YamlPath): string[]
  problems: Problem[]
  /** The text of the scalar at a path as written (`1.10`, not 1.1); undefined if there is no scalar. */
  textAt(path: YamlPath): string | undefined
  value: unknown
}

/** Thrown by `readYaml`: the text is not one YAML document, so that nothing more can be said about it. */
export class YamlError extends Error {
  override readonly name = 'YamlError'
  readonly offset: number

  constructor(message: string, offset: number, options?: ErrorOptions) {
    super(message, options)
    this.offset = offset
  }
}

/** Reads text that holds one YAML document; undefined if it holds none. Throws YamlError. */
export function readYaml(text: string): YamlSource | undefined {
  try {
    const events = parseEvents(text, {})
    if (events.length === 0) return undefined
    const tree = new TreeBuilder(text, events)
    const root = tree.build()
    // Duplicates are among the tree's problems, so `json: true` lets the rest be checked too.
    const [value] = constructFromEvents(events, { json: true, source: text })
    if (value === null && root.offset < 0) return undefined
    return sourceOf(root, value, tree.problems)
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error
    throw new YamlError(`not valid YAML: ${error.reason}`, error.mark?.position ?? 0, { cause: error })
  }
}

function sourceOf(root: Node, value: unknown, problems: Problem[]): YamlSource {
  const find = (path: YamlPath): { keyOffset: number; node: Node; whole: boolean } => {
    let found = { keyOffset: -1, node: root }
    let lastOffset = Math.max(root.offset, 0)
    for (const part of path) {
      const item = typeof part === 'number' ? found.node.items[part] : undefined
      const next = item ? { keyOffset: -1, node: item } : found.node.entries.get(String(part))
      if (!next) return { keyOffset: lastOffset, node: { ...found.node, offset: lastOffset }, whole: false }
      found = next
      lastOffset = [next.node.offset, next.keyOffset, lastOffset].find((offset) => offset >= 0) ?? 0
    }
    return { keyOffset: found.keyOffset, node: { ...found.node, offset: lastOffset }, whole: true }
  }
  return {
    keysAt: (path) => {
      const { node, whole } = find(path)
      return whole ? [...node.entries.keys()] : []
    },
    offsetOf: (path, part = 'value') => {
      const { keyOffset, node } = find(path)
      return part === 'key' && keyOffset >= 0 ? keyOffset : node.offset
    },
    problems,
    textAt: (path) => {
      const { node, whole } = find(path)
      return whole ? node.text : undefined
    },
    value,
  }
}

/** Builds the tree of positions from js-yaml's flat list of events, one document deep. */
class TreeBuilder {
  readonly problems: Problem[] = []
  readonly #anchors = new Map<string, Node>()
  readonly #events: Event[]
  #next = 0
  readonly #open: string[] = []
  readonly #text: string

  constructor(text: string, events: Event[]) {
    this.#text = text
    this.#events = events
  }

  build(): Node {
    this.#next = 1
    const root = this.#node()
    this.#next += 1
    if (this.#next < this.#events.length) {
      this.#next += 1
      const { offset } = this.#node()
      throw new YamlError('more than one YAML document; there must be only one', Math.max(offset, 0))
    }
    return root
  }

  #node(): Node {
    const event = this.#take()
    if (event.type === EVENT_ID.ALIAS) return this.#alias(event.anchorStart, event.anchorEnd)
    const anchored = 'anchorStart' in event && event.anchorStart >= 0
    const anchor = anchored ? this.#text.slice(event.anchorStart, event.anchorEnd) : undefined
    if (anchor !== undefined) this.#open.push(anchor)
    const node = this.#content(event)
    if (anchor !== undefined) {
      this.#open.pop()
      this.#anchors.set(anchor, node)
    }
    return node
  }

  #content(event: Event): Node {
    const node: Node = { entries: new Map(), items: [], offset: -1, text: undefined }
    if (event.type === EVENT_ID.SCALAR) {
      node.offset = this.#scalarOffset(event)
      node.text = getScalarValue(this.#text, event)
    } else if (event.type === EVENT_ID.SEQUENCE) {
      node.offset = event.start
      while (!this.#atEnd()) node.items.push(this.#node())
      this.#next += 1
    } else if (event.type === EVENT_ID.MAPPING) {
      node.offset = event.start
      while (!this.#atEnd()) this.#entry(node)
      this.#next += 1
    }
    return node
  }

  #entry(mapping: Node): void {
    const keyEvent = this.#events[this.#next]
    const keyNode = this.#node()
    if (keyNode.text === undefined) throw new YamlError('a key must be text, not a list or a mapping', keyNode.offset)
    const key = this.#keyName(keyEvent, keyNode)
    const earlier = mapping.entries.get(key)
    const keyOffset = Math.max(keyNode.offset, mapping.offset)
    if (earlier) {
      const { line } = lineColumn(this.#text, earlier.keyOffset)
      this.problems.push({ message: `duplicate key "${key}"; it is already on line ${line}`, offset: keyOffset })
    }
    // zod drops this key in silence, and no name in a config file can be it.
    if (key === '__proto__') this.problems.push({ message: 'the key "__proto__" cannot be used', offset: keyOffset })
    mapping.entries.set(key, { keyOffset, node: this.#node() })
  }

  /** The property name js-yaml gives the key: `010` becomes "10". */
  #keyName(event: Event | undefined, node: Node): string {
    if (event?.type !== EVENT_ID.SCALAR) return node.text ?? ''
    const document = this.#events[0]
    const pop: Event = { type: EVENT_ID.POP }
    const [key] = constructFromEvents(document ? [document, event, pop] : [], { source: this.#text })
    return String(key)
  }

  #alias(start: number, end: number): Node {
    const anchor = this.#text.slice(start, end)
    const target = this.#anchors.get(anchor)
    // A value that contains itself has no end: it can be neither checked nor stored.
    if (this.#open.includes(anchor)) throw new YamlError(`the alias "*${anchor}" stands inside &${anchor}`, start - 1)
    if (!target) throw new YamlError(`not valid YAML: unidentified alias "${anchor}"`, start - 1)
    return { ...target, offset: start - 1 }
  }

  #scalarOffset(event: ScalarEvent): number {
    const start = event.valueStart
    if (event.style === SCALAR_STYLE.SINGLE_QUOTED || event.style === SCALAR_STYLE.DOUBLE_QUOTED) return start - 1
    if (event.style === SCALAR_STYLE.LITERAL_BLOCK) return this.#text.lastIndexOf('|', start - 1)
    if (event.style === SCALAR_STYLE.FOLDED_BLOCK) return this.#text.lastIndexOf('>', start - 1)
    return start
  }

  #atEnd(): boolean {
    const event = this.#events[this.#next]
    return event === undefined || event.type === EVENT_ID.POP
  }

  #take(): Event {
    const event = this.#events[this.#next]
    if (!event) throw new YamlError('not valid YAML: it ends too early', this.#text.length)
    this.#next += 1
    return event
  }
}
